//! When a request is sent again, and when never.

use std::{io, time::Duration};

use fleet_core::{Answer, Fault, Millis, Remedy, Request};
use fleet_kube::{Connection, ConnectionOptions};
use serde_json::json;
use tokio::time::Instant;

use crate::fake::{
    Act, Fake, after, apply, config_map, definition, delete, dry_run, get, json_reply, status, text_reply,
};

fn options() -> ConnectionOptions {
    ConnectionOptions::default().retry_time(Duration::from_secs(15))
}

/// A server that acts so for the first `times` requests about shop's objects, then works.
fn failing(times: usize, mut act: impl FnMut() -> Act + Send + 'static) -> Fake {
    Fake::new(move |seen, before| {
        let name = seen.path.rsplit('/').next()?.to_owned();
        let works = || json_reply(200, &config_map(&name, "1"));
        seen.path
            .contains("/shop/")
            .then(|| if before < times { act() } else { works() })
    })
}

async fn execute(connection: &Connection, request: &Request) -> (Answer, Duration) {
    let start = Instant::now();
    (connection.execute(request).await, start.elapsed())
}

fn fault(answer: &Answer) -> &Fault {
    match answer {
        Answer::Refused(fault) | Answer::NotSent(fault) | Answer::Lost(fault) => fault,
        answer => panic!("no fault: {answer:?}"),
    }
}

fn timed_out() -> Act {
    json_reply(
        504,
        &status(
            504,
            "Timeout",
            "request did not complete within the allotted timeout",
            &json!({}),
        ),
    )
}

#[tokio::test(start_paused = true)]
async fn reads_are_tried_again_whatever_broke() {
    let acts: [fn() -> Act; 8] = [
        || after("1", 429),
        || after("1", 503),
        || text_reply(503, "service unavailable\n"),
        || text_reply(502, "bad gateway"),
        timed_out,
        || Act::Fail(io::ErrorKind::ConnectionReset),
        || Act::Fail(io::ErrorKind::ConnectionRefused),
        || text_reply(500, "oops"),
    ];
    for (n, act) in acts.into_iter().enumerate() {
        let fake = failing(2, act);
        let connection = fake.connect(options()).await;
        let (answer, took) = execute(&connection, &get("a")).await;
        assert!(matches!(answer, Answer::Object(_)), "{n}: {answer:?}");
        assert_eq!((fake.seen().len(), connection.contact().retries), (3, 2), "{n}");
        assert!(took < Duration::from_secs(3), "{n}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_end_with_the_time_for_retries() {
    let fake = failing(usize::MAX, || Act::Fail(io::ErrorKind::ConnectionRefused));
    let connection = fake.connect(options()).await;
    let (answer, took) = execute(&connection, &get("a")).await;
    assert!(
        matches!(&answer, Answer::NotSent(f) if f.remedy == Remedy::Unreachable),
        "{answer:?}"
    );
    assert!((10..=15).contains(&took.as_secs()), "{took:?}");
    let tries = fake.seen().len();
    assert!((7..=16).contains(&tries), "waits grow: {tries} tries");
    let gaps: Vec<_> = fake
        .seen()
        .windows(2)
        .map(|pair| pair[1].at - pair[0].at)
        .collect();
    assert!(
        gaps[0] <= Duration::from_millis(100) && *gaps.last().unwrap() >= Duration::from_secs(1),
        "{gaps:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn jitter_follows_the_seed() {
    let times = |seed| async move {
        let fake = failing(usize::MAX, || Act::Fail(io::ErrorKind::ConnectionRefused));
        let connection = fake.connect(options().seed(seed)).await;
        let start = Instant::now();
        let _ = connection.execute(&get("a")).await;
        fake.seen().iter().map(|seen| seen.at - start).collect::<Vec<_>>()
    };
    assert_eq!(times(1).await, times(1).await);
    assert_ne!(times(1).await, times(2).await);
}

#[tokio::test(start_paused = true)]
async fn refusals_are_not_tried_again() {
    for code in [400, 401, 403, 404, 405, 409, 413, 422] {
        for request in [get("a"), apply(definition("ConfigMap", "a")), delete("a")] {
            let fake = failing(usize::MAX, move || {
                json_reply(code, &status(code, "", "no", &json!({})))
            });
            let connection = fake.connect(options()).await;
            let (answer, _) = execute(&connection, &request).await;
            assert!(
                matches!(&answer, Answer::Refused(f) if f.code == Some(code)),
                "{answer:?}"
            );
            assert_eq!(fake.seen().len(), 1, "{code}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_does_not_know_rights_yet() {
    let denied = || {
        json_reply(
            403,
            &status(403, "Forbidden", "User \"u\" cannot get", &json!({})),
        )
    };
    // Refused connections, then no rights, then all is well.
    for request in [get("a"), apply(definition("ConfigMap", "a"))] {
        let mut tries = 0;
        let fake = failing(4, move || {
            tries += 1;
            if tries < 3 {
                Act::Fail(io::ErrorKind::ConnectionRefused)
            } else {
                denied()
            }
        });
        let connection = fake.connect(options()).await;
        let (answer, _) = execute(&connection, &request).await;
        assert!(matches!(answer, Answer::Object(_)), "{answer:?}");
        assert_eq!(fake.seen().len(), 5);
    }
    // Who still has none after that time has none, and a policy is not a lack of rights.
    let fake = failing(usize::MAX, denied);
    let connection = fake.connect(options()).await;
    let _ = execute(&connection, &get("a")).await;
    assert_eq!(fake.seen().len(), 1, "without an interruption it is what it is");
    let mut first = true;
    let fake = failing(usize::MAX, move || {
        if std::mem::take(&mut first) {
            Act::Fail(io::ErrorKind::ConnectionRefused)
        } else {
            denied()
        }
    });
    let connection = fake.connect(options()).await;
    let (answer, took) = execute(&connection, &get("a")).await;
    assert!(
        fault(&answer).remedy == Remedy::Forbidden && took.as_secs() >= 8 && took.as_secs() <= 15,
        "{took:?}"
    );
    let before = fake.seen().len();
    let (_, took) = execute(&connection, &get("a")).await;
    assert!(
        took == Duration::ZERO && fake.seen().len() == before + 1,
        "the time is over"
    );
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_kept_to_and_never_waited_for_beyond_the_limit() {
    for request in [
        get("a"),
        dry_run(definition("ConfigMap", "a")),
        apply(definition("ConfigMap", "a")),
        delete("a"),
    ] {
        let fake = failing(1, || after("6", 429));
        let connection = fake.connect(options()).await;
        let (answer, took) = execute(&connection, &request).await;
        assert!(matches!(answer, Answer::Object(_)), "{answer:?}");
        assert!(
            took >= Duration::from_secs(6) && took < Duration::from_secs(7),
            "{took:?}"
        );

        let fake = failing(1, || after("600", 429));
        let connection = fake.connect(options()).await;
        let (answer, took) = execute(&connection, &request).await;
        assert_eq!(
            (fault(&answer).remedy, fault(&answer).retry_after),
            (Remedy::Retry, Some(Millis::from_secs(600)))
        );
        assert!(matches!(answer, Answer::Refused(_)) && took == Duration::ZERO && fake.seen().len() == 1);
    }
}

#[tokio::test(start_paused = true)]
async fn writes_are_tried_again_only_when_the_server_took_nothing() {
    let acts: [fn() -> Act; 3] = [
        || Act::Fail(io::ErrorKind::ConnectionRefused),
        || after("1", 429),
        || after("1", 503),
    ];
    for act in acts {
        for request in [apply(definition("ConfigMap", "a")), delete("a")] {
            let fake = failing(1, act);
            let connection = fake.connect(options()).await;
            let (answer, _) = execute(&connection, &request).await;
            assert!(matches!(answer, Answer::Object(_)), "{answer:?}");
            assert_eq!(fake.seen().len(), 2);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_without_an_answer_is_lost_and_never_sent_again() {
    let acts: [fn() -> Act; 8] = [
        || Act::Silence,
        || Act::Stall(200, "{\"apiVersion\""),
        || Act::Fail(io::ErrorKind::ConnectionReset),
        || Act::Fail(io::ErrorKind::BrokenPipe),
        timed_out,
        || text_reply(502, "bad gateway"),
        || text_reply(503, "no backend"),
        || text_reply(500, "oops"),
    ];
    for (n, act) in acts.into_iter().enumerate() {
        for request in [apply(definition("ConfigMap", "a")), delete("a")] {
            let fake = failing(1, act);
            let connection = fake.connect(options()).await;
            let (answer, _) = execute(&connection, &request).await;
            assert!(matches!(answer, Answer::Lost(_)), "{n}: {answer:?}");
            assert_eq!(fake.seen().len(), 1, "{n}: sent once");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_refused_by_the_network_is_not_sent() {
    let fake = failing(usize::MAX, || Act::Fail(io::ErrorKind::ConnectionRefused));
    let connection = fake.connect(options()).await;
    let (answer, took) = execute(&connection, &apply(definition("ConfigMap", "a"))).await;
    assert!(
        matches!(&answer, Answer::NotSent(f) if f.remedy == Remedy::Unreachable),
        "{answer:?}"
    );
    assert!(took <= Duration::from_secs(15), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn heads_and_bodies_have_their_limits() {
    let fake = failing(usize::MAX, || Act::Silence);
    let connection = fake.connect(options().head_timeout(Duration::from_secs(4))).await;
    let (answer, took) = execute(&connection, &delete("a")).await;
    assert_eq!(took, Duration::from_secs(4));
    assert!(
        fault(&answer).message.contains("4.0 s (head_timeout)"),
        "{answer:?}"
    );

    let fake = failing(usize::MAX, || Act::Stall(200, "{"));
    let connection = fake.connect(options().call_timeout(Duration::from_secs(9))).await;
    let (answer, took) = execute(&connection, &delete("a")).await;
    assert_eq!(took, Duration::from_secs(9), "head and body together");
    assert!(
        fault(&answer).message.contains("9.0 s (call_timeout)"),
        "{answer:?}"
    );
    // A read begins again as long as there is time for it: at 0 and at 9 seconds, but not at 18.
    let (answer, took) = execute(&connection, &get("a")).await;
    assert!(
        matches!(answer, Answer::Lost(_)) && took.as_secs() == 18,
        "{answer:?} {took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn bodies_have_a_largest_size() {
    let fake = failing(usize::MAX, || {
        json_reply(200, &json!({"filler": "x".repeat(2000)}))
    });
    let mut options = options();
    options.body_bytes_max = 1000;
    let connection = fake.connect(options).await;
    for request in [get("a"), apply(definition("ConfigMap", "a"))] {
        let (answer, _) = execute(&connection, &request).await;
        assert!(
            fault(&answer)
                .message
                .contains("larger than 1000 bytes (body_bytes_max)"),
            "{answer:?}"
        );
    }
    assert_eq!(fake.seen().len(), 2, "and it is not asked for again");
}

#[tokio::test(start_paused = true)]
async fn an_old_server_is_refused_and_identity_is_read_first() {
    let fake = Fake::new(|seen, _| {
        let old = json!({"major": "1", "minor": "32", "gitVersion": "v1.32.1"});
        (seen.path == "/version").then(|| json_reply(200, &old))
    });
    let fault = Connection::over(fake.client(), options()).await.unwrap_err();
    assert!(
        fault.remedy == Remedy::Policy && fault.message.contains("v1.32.1"),
        "{fault}"
    );
    assert_eq!(fake.seen().len(), 1);

    let fake = Fake::new(|_, _| None);
    let connection = Connection::over(fake.client(), options()).await.unwrap();
    assert_eq!(
        (connection.cluster().as_str(), connection.server_version()),
        ("cluster-uid", "v1.36.3")
    );
    let paths: Vec<_> = fake.seen().into_iter().map(|seen| seen.path).collect();
    assert_eq!(paths, ["/version", "/api/v1/namespaces/kube-system"]);

    let body = status(403, "Forbidden", "no", &json!({}));
    let fake = Fake::new(move |seen, _| seen.path.ends_with("kube-system").then(|| json_reply(403, &body)));
    let fault = Connection::over(fake.client(), options()).await.unwrap_err();
    assert!(
        fault.remedy == Remedy::Forbidden && fault.message.contains("which cluster this is"),
        "{fault}"
    );
}

#[tokio::test]
async fn a_closed_port_takes_nothing() {
    // The real transport, on the real clock.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let config = kube::Config::new(format!("http://{address}").parse().unwrap());
    let fault = Connection::connect(config, options().retry_time(Duration::ZERO))
        .await
        .unwrap_err();
    assert_eq!(fault.remedy, Remedy::Unreachable);
    assert!(
        fault.message.starts_with("no connection: ") && fault.message.contains("refused"),
        "{fault}"
    );
}
