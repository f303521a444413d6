//! Watches: beginning, going on, and what is noticed on the way.

use std::{
    collections::VecDeque,
    io,
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use fleet_core::Remedy;
use fleet_kube::{Connection, ConnectionOptions, WatchEvent};
use futures_util::{FutureExt as _, Stream, StreamExt as _};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use crate::fake::{Act, Fake, Line, Seen, config_map, gvk, json_reply, open_line, status, text_reply};

type Events = Pin<Box<dyn Stream<Item = WatchEvent> + Send>>;

fn added(name: &str, version: &str) -> Value {
    json!({"type": "ADDED", "object": config_map(name, version)})
}

fn deleted(name: &str, version: &str) -> Value {
    json!({"type": "DELETED", "object": config_map(name, version)})
}

fn bookmark(version: &str) -> Value {
    json!({"type": "BOOKMARK", "object": {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"resourceVersion": version}}})
}

fn end_of_initial(version: &str) -> Value {
    let mut event = bookmark(version);
    event["object"]["metadata"]["annotations"] = json!({"k8s.io/initial-events-end": "true"});
    event
}

fn error(code: u16, reason: &str) -> Value {
    json!({"type": "ERROR", "object": status(code, reason, "too old resource version: 5 (252)", &json!({}))})
}

/// A server that acts once on each watch opened, in this order; then it is silent.
fn server(acts: Vec<Act>) -> Fake {
    let acts = Mutex::new(VecDeque::from(acts));
    Fake::new(move |seen, _| {
        let watch = seen.query.contains_key("watch");
        watch.then(|| acts.lock().unwrap().pop_front().unwrap_or(Act::Silence))
    })
}

/// Lines that open one after the other.
fn lines<const N: usize>() -> ([Line; N], Vec<Act>) {
    let mut acts = Vec::new();
    let lines = std::array::from_fn(|_| {
        let (line, act) = open_line();
        acts.push(act);
        line
    });
    (lines, acts)
}

async fn watch(fake: &Fake) -> (Connection, Events) {
    let connection = fake.connect(ConnectionOptions::default()).await;
    let watch = connection.watch(&gvk("v1", "ConfigMap"), None, Some("a=b"));
    (connection, Box::pin(watch))
}

fn word(event: &WatchEvent) -> String {
    match event {
        WatchEvent::Reset => "reset".to_owned(),
        WatchEvent::Seen(live) => format!("seen {}@{}", live.key().name(), live.version()),
        WatchEvent::Gone { key, uid, live } => format!("gone {} {uid}@{}", key.name(), live.version()),
        WatchEvent::Synced => "synced".to_owned(),
        WatchEvent::Resumed => "resumed".to_owned(),
        WatchEvent::Lost(fault) => format!("lost {}", fault.remedy),
        _ => "?".to_owned(),
    }
}

/// The next events, which must be these.
async fn expect(events: &mut Events, words: &[&str]) {
    for expected in words {
        let event = timeout(Duration::from_secs(600), events.next()).await;
        let event = event
            .unwrap_or_else(|_| panic!("nothing came instead of `{expected}`"))
            .unwrap();
        assert_eq!(&word(&event), expected);
    }
}

fn quiet(events: &mut Events) {
    let event = events.next().now_or_never();
    assert!(event.is_none(), "{event:?}");
}

fn watches(fake: &Fake) -> Vec<Seen> {
    fake.seen()
        .into_iter()
        .filter(|seen| seen.query.contains_key("watch"))
        .collect()
}

#[tokio::test(start_paused = true)]
async fn initial_objects_are_streamed_then_changes() {
    let ([line], acts) = lines();
    let fake = server(acts);
    let (_connection, mut events) = watch(&fake).await;
    line.say(&added("b", "7"));
    line.say(&added("a", "3"));
    expect(&mut events, &["reset", "seen b@7", "seen a@3"]).await;
    quiet(&mut events);
    line.say(&end_of_initial("9"));
    line.say(&json!({"type": "MODIFIED", "object": config_map("a", "10")}));
    line.say(&deleted("b", "11"));
    expect(&mut events, &["synced", "seen a@10", "gone b uid-b@11"]).await;
    let opened = &watches(&fake)[0];
    assert_eq!(
        (opened.path.as_str(), opened.param("labelSelector")),
        ("/api/v1/configmaps", "a=b")
    );
    assert_eq!(
        (
            opened.param("sendInitialEvents"),
            opened.param("resourceVersionMatch")
        ),
        ("true", "NotOlderThan")
    );
    assert_eq!(
        (
            opened.param("allowWatchBookmarks"),
            opened.header("accept-encoding")
        ),
        ("true", "identity")
    );
    assert!(!opened.query.contains_key("resourceVersion"));
    assert!((300..=600).contains(&opened.param("timeoutSeconds").parse().unwrap()));
}

#[tokio::test(start_paused = true)]
async fn events_may_come_in_any_pieces() {
    let ([line], acts) = lines();
    let fake = server(acts);
    let (_connection, mut events) = watch(&fake).await;
    let text = format!("{}\n{}\n", added("a", "1"), end_of_initial("2"));
    for piece in text.leak().as_bytes().chunks(7) {
        line.raw(std::str::from_utf8(piece).unwrap());
    }
    expect(&mut events, &["reset", "seen a@1", "synced"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_goes_on_where_it_was_and_says_nothing() {
    let ([first, second, third], acts) = lines();
    let fake = server(acts);
    let (_connection, mut events) = watch(&fake).await;
    first.say(&added("a", "1"));
    first.say(&end_of_initial("5"));
    first.say(&added("b", "6"));
    expect(&mut events, &["reset", "seen a@1", "synced", "seen b@6"]).await;
    drop(first);
    second.say(&bookmark("20"));
    second.reset();
    third.say(&added("c", "21"));
    expect(&mut events, &["seen c@21"]).await;
    let from: Vec<_> = watches(&fake)
        .iter()
        .map(|seen| seen.param("resourceVersion").to_owned())
        .collect();
    assert_eq!(
        from,
        ["", "6", "20"],
        "after events from the last, after a bookmark from there"
    );
    assert!(
        watches(&fake)
            .iter()
            .skip(1)
            .all(|seen| !seen.query.contains_key("sendInitialEvents"))
    );
}

#[tokio::test(start_paused = true)]
async fn an_interruption_is_told_and_its_end_too() {
    let ([first, second, third], mut acts) = lines();
    let ends = acts.split_off(1);
    acts.extend([Act::Fail(io::ErrorKind::ConnectionRefused), text_reply(503, "no")]);
    acts.extend(ends);
    let fake = server(acts);
    let (connection, mut events) = watch(&fake).await;
    first.say(&end_of_initial("5"));
    expect(&mut events, &["reset", "synced"]).await;
    drop(first);
    expect(&mut events, &["lost unreachable"]).await;
    assert!(!connection.contact().is_good());
    second.say(&deleted("a", "8"));
    expect(&mut events, &["lost unreachable", "resumed", "gone a uid-a@8"]).await;
    assert!(connection.contact().is_good());
    drop(second);
    third.say(&added("b", "9"));
    expect(&mut events, &["seen b@9"]).await;
}

#[tokio::test(start_paused = true)]
async fn waits_between_tries_grow_to_their_limit() {
    let fake = Fake::new(|seen, _| {
        seen.query
            .contains_key("watch")
            .then_some(Act::Fail(io::ErrorKind::ConnectionRefused))
    });
    let (_connection, mut events) = watch(&fake).await;
    expect(&mut events, &["lost unreachable"; 12]).await;
    let tries = watches(&fake);
    let waits: Vec<_> = tries.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    assert!(waits[0] <= Duration::from_millis(500), "{waits:?}");
    assert!(
        waits.iter().all(|wait| *wait <= Duration::from_secs(30)),
        "{waits:?}"
    );
    assert!(
        waits[8..].iter().all(|wait| *wait >= Duration::from_secs(15)),
        "{waits:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn history_lost_in_the_stream_or_at_its_start_begins_anew() {
    let too_new =
        json!({"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]});
    let starts: [fn(&Value) -> Option<Act>; 3] = [
        |_| None,
        |_| Some(json_reply(410, &status(410, "Expired", "too old", &json!({})))),
        // A cluster restored from a backup.
        |too_new| {
            Some(json_reply(
                504,
                &status(504, "Timeout", "Too large resource version: 9", too_new),
            ))
        },
    ];
    for start in starts {
        let ([first, second], mut acts) = lines();
        let refusal = start(&too_new);
        let in_stream = refusal.is_none();
        if let Some(refusal) = refusal {
            acts.insert(1, refusal);
        }
        let fake = server(acts);
        let (_connection, mut events) = watch(&fake).await;
        first.say(&added("a", "1"));
        first.say(&end_of_initial("5"));
        if in_stream {
            first.say(&error(410, "Expired"));
        }
        drop(first);
        second.say(&added("b", "99"));
        second.say(&end_of_initial("99"));
        let start = Instant::now();
        expect(
            &mut events,
            &["reset", "seen a@1", "synced", "reset", "seen b@99", "synced"],
        )
        .await;
        assert_eq!(start.elapsed(), Duration::ZERO, "at once");
        assert_eq!(watches(&fake).last().unwrap().param("sendInitialEvents"), "true");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_always_forgets_is_not_asked_without_pause() {
    let fake = Fake::new(|seen, _| {
        let expired = || json_reply(410, &status(410, "Expired", "too old", &json!({})));
        seen.query.contains_key("watch").then(expired)
    });
    let (_connection, mut events) = watch(&fake).await;
    assert!(timeout(Duration::from_secs(60), events.next()).await.is_err());
    assert!(watches(&fake).len() < 12, "{}", watches(&fake).len());
}

#[tokio::test(start_paused = true)]
async fn a_server_that_forgets_what_it_just_listed_is_not_listed_without_pause() {
    let fake = paging(|seen, _| {
        if seen.query.contains_key("sendInitialEvents") {
            json_reply(422, &status(422, "Invalid", "no", &json!({})))
        } else {
            json_reply(410, &status(410, "Expired", "too old", &json!({})))
        }
    });
    let (_connection, mut events) = watch(&fake).await;
    let an_hour = async { while events.next().await.is_some() {} };
    let _ = timeout(Duration::from_secs(3600), an_hour).await;
    assert!(watches(&fake).len() < 250, "{}", watches(&fake).len());
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_ends_as_soon_as_it_spoke_is_opened_at_once_a_few_times_then_with_pauses() {
    let fake = Fake::new(|seen, _| {
        seen.query.contains_key("watch").then(|| {
            let (line, act) = open_line();
            let initial = seen.query.contains_key("sendInitialEvents");
            line.say(&if initial {
                end_of_initial("5")
            } else {
                bookmark("6")
            });
            act
        })
    });
    let (_connection, mut events) = watch(&fake).await;
    expect(&mut events, &["reset", "synced"]).await;
    let start = Instant::now();
    let nothing = timeout(Duration::from_secs(3600), events.next()).await;
    assert!(nothing.is_err(), "it is not an interruption: nothing is missed");
    let tries = watches(&fake);
    assert!(tries.iter().filter(|seen| seen.at == start).count() >= 5);
    assert!(tries.len() < 250, "{}", tries.len());
}

#[tokio::test(start_paused = true)]
async fn waits_begin_small_again_after_a_watch_that_worked() {
    let ([worked, last], acts) = lines();
    let mut acts = acts.into_iter();
    let refused = || Act::Fail(io::ErrorKind::ConnectionRefused);
    let mut script: Vec<_> = std::iter::repeat_with(refused).take(7).collect();
    script.extend(acts.next());
    script.push(refused());
    script.extend(acts);
    let fake = server(script);
    let (_connection, mut events) = watch(&fake).await;
    worked.say(&end_of_initial("5"));
    expect(&mut events, &["lost unreachable"; 7]).await;
    expect(&mut events, &["reset", "synced"]).await;
    drop(worked);
    last.say(&added("a", "6"));
    expect(&mut events, &["lost unreachable", "resumed", "seen a@6"]).await;
    let tries = watches(&fake);
    let wait = tries[9].at - tries[8].at;
    assert!(wait <= Duration::from_millis(500), "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn a_frozen_server_is_noticed() {
    let ([line], acts) = lines();
    let fake = server(acts);
    let (connection, mut events) = watch(&fake).await;
    line.say(&end_of_initial("5"));
    expect(&mut events, &["reset", "synced"]).await;
    let start = Instant::now();
    // Nothing more, and nothing to any later request.
    expect(&mut events, &["lost unreachable"]).await;
    assert_eq!(
        start.elapsed(),
        Duration::from_secs(75 + 30),
        "watch_idle_timeout, then head_timeout"
    );
    assert!(!connection.contact().is_good());
    drop(line);
}

#[tokio::test(start_paused = true)]
async fn a_silent_but_healthy_server_is_only_asked_again() {
    let (open, acts): ([Line; 4], _) = lines();
    let fake = server(acts);
    let (connection, mut events) = watch(&fake).await;
    open[0].say(&end_of_initial("5"));
    expect(&mut events, &["reset", "synced"]).await;
    let later = open[3].clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(250)).await;
        later.say(&added("z", "6"));
    });
    expect(&mut events, &["seen z@6"]).await;
    let from: Vec<_> = watches(&fake)
        .iter()
        .map(|seen| seen.param("resourceVersion").to_owned())
        .collect();
    assert_eq!(from, ["", "5", "5", "5"]);
    assert!(connection.contact().is_good());
}

#[tokio::test(start_paused = true)]
async fn an_initial_stream_cut_short_begins_again() {
    let ([first, second], acts) = lines();
    let fake = server(acts);
    let (_connection, mut events) = watch(&fake).await;
    first.say(&added("a", "7"));
    drop(first);
    second.say(&end_of_initial("9"));
    expect(
        &mut events,
        &["reset", "seen a@7", "lost unreachable", "reset", "synced"],
    )
    .await;
    assert!(
        watches(&fake)
            .iter()
            .all(|seen| !seen.query.contains_key("resourceVersion")),
        "never from within"
    );
}

/// A server that lists in pages; watches by `watch`.
fn paging(watch: impl Fn(&Seen, usize) -> Act + Send + 'static) -> Fake {
    let opened = Arc::new(Mutex::new(0));
    Fake::new(move |seen, _| {
        if seen.query.contains_key("watch") {
            let mut opened = opened.lock().unwrap();
            *opened += 1;
            return Some(watch(seen, *opened));
        }
        let page = |name: &str, next: &str| {
            let mut item = config_map(name, "3");
            // As built-in kinds are listed.
            item.as_object_mut()
                .unwrap()
                .retain(|key, _| key != "apiVersion" && key != "kind");
            json_reply(
                200,
                &json!({
                    "kind": "ConfigMapList", "apiVersion": "v1",
                    "metadata": {"resourceVersion": "40", "continue": next}, "items": [item],
                }),
            )
        };
        (seen.path == "/api/v1/configmaps").then(|| match seen.param("continue") {
            "" => page("a", "more"),
            _ => page("b", ""),
        })
    })
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_stream_is_listed() {
    let refusals: [fn() -> Act; 3] = [
        || {
            let words = "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled";
            json_reply(422, &status(422, "Invalid", words, &json!({})))
        },
        // One that does not know the parameter: it watches, and says so by a bookmark.
        || {
            let (line, act) = open_line();
            line.say(&bookmark("30"));
            act
        },
        // One that says nothing at all.
        || {
            let (line, act) = open_line();
            std::mem::forget(line);
            act
        },
    ];
    for (n, refusal) in refusals.into_iter().enumerate() {
        let (line, act) = open_line();
        let act = Mutex::new(Some(act));
        let fake = paging(move |seen, _| {
            if seen.query.contains_key("sendInitialEvents") {
                refusal()
            } else {
                act.lock().unwrap().take().unwrap_or(Act::Silence)
            }
        });
        let (_connection, mut events) = watch(&fake).await;
        match n {
            0 => {}
            1 => expect(&mut events, &["reset"]).await,
            _ => expect(&mut events, &["reset", "lost unreachable"]).await,
        }
        line.say(&added("c", "41"));
        expect(
            &mut events,
            &["reset", "seen a@3", "seen b@3", "synced", "seen c@41"],
        )
        .await;
        let last = watches(&fake).pop().unwrap();
        assert_eq!(
            (last.param("resourceVersion"), last.param("labelSelector")),
            ("40", "a=b"),
            "{n}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn pages_that_expire_begin_anew() {
    let mut expired = false;
    let fake = Fake::new(move |seen, _| {
        if seen.query.contains_key("watch") {
            let refused = json_reply(422, &status(422, "Invalid", "no", &json!({})));
            return Some(if seen.query.contains_key("sendInitialEvents") {
                refused
            } else {
                Act::Silence
            });
        }
        let page = |name: &str, next: &str| {
            json_reply(
                200,
                &json!({"metadata": {"resourceVersion": "40", "continue": next}, "items": [config_map(name, "3")]}),
            )
        };
        (seen.path == "/api/v1/configmaps").then(|| match seen.param("continue") {
            "" => page("a", "more"),
            _ if !expired => {
                expired = true;
                json_reply(410, &status(410, "Expired", "too old", &json!({})))
            }
            _ => page("b", ""),
        })
    });
    let (_connection, mut events) = watch(&fake).await;
    expect(
        &mut events,
        &["reset", "seen a@3", "reset", "seen a@3", "seen b@3", "synced"],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn pages_that_always_expire_are_asked_for_in_one_piece() {
    let fake = Fake::new(|seen, _| {
        if seen.query.contains_key("watch") {
            let refused = json_reply(422, &status(422, "Invalid", "no", &json!({})));
            let initial = seen.query.contains_key("sendInitialEvents");
            return Some(if initial { refused } else { Act::Silence });
        }
        let page = |next: &str| {
            let metadata = json!({"resourceVersion": "40", "continue": next});
            json_reply(
                200,
                &json!({"metadata": metadata, "items": [config_map("a", "3")]}),
            )
        };
        let expired = || json_reply(410, &status(410, "Expired", "too old", &json!({})));
        (seen.path == "/api/v1/configmaps").then(|| match (seen.param("limit"), seen.param("continue")) {
            ("", _) => page(""),
            (_, "") => page("more"),
            _ => expired(),
        })
    });
    let (_connection, mut events) = watch(&fake).await;
    for _ in 0..5 {
        expect(&mut events, &["reset", "seen a@3"]).await;
    }
    expect(&mut events, &["synced"]).await;
}

#[tokio::test(start_paused = true)]
async fn short_lives_are_forgotten_after_a_long_one() {
    let (open, acts): ([Line; 20], _) = lines();
    let fake = server(acts);
    let (_connection, mut events) = watch(&fake).await;
    open[0].say(&end_of_initial("5"));
    expect(&mut events, &["reset", "synced"]).await;
    // Every fourth lives long, the others end at once.
    tokio::spawn(async move {
        for (n, line) in open.into_iter().enumerate() {
            let wait = if n % 4 == 0 { 2000 } else { 1 };
            tokio::time::sleep(Duration::from_millis(wait)).await;
            line.say(&bookmark(&format!("{}", n + 10)));
            drop(line);
        }
    });
    let _ = timeout(Duration::from_secs(20), events.next()).await;
    let tries = watches(&fake);
    assert_eq!(tries.len(), 21);
    let longest = tries.windows(2).map(|pair| pair[1].at - pair[0].at).max();
    assert!(
        longest <= Some(Duration::from_millis(2010)),
        "no pauses: {longest:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_told_and_begun_anew() {
    let poisons = [
        json!({"type": "ADDED", "object": {"kind": "ConfigMap"}}),
        json!({"type": "ADDED", "object": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "uid": "u", "resourceVersion": "1"}}}),
        json!({"type": "SOMETHING", "object": {}}),
        json!({"error": "upstream"}),
        error(500, "InternalError"),
    ];
    for poison in poisons {
        let ([first, second], acts) = lines();
        let fake = server(acts);
        let (_connection, mut events) = watch(&fake).await;
        first.say(&end_of_initial("5"));
        first.say(&poison);
        second.say(&end_of_initial("9"));
        expect(&mut events, &["reset", "synced"]).await;
        let Some(WatchEvent::Lost(fault)) = events.next().await else {
            panic!("{poison}")
        };
        assert!(
            matches!(fault.remedy, Remedy::Unreachable | Remedy::Retry),
            "{fault}"
        );
        expect(
            &mut events,
            if poison["type"] == "ERROR" {
                &["resumed"]
            } else {
                &["reset", "synced"]
            },
        )
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_are_told_by_their_remedy() {
    let refused = status(403, "Forbidden", "no", &json!({}));
    let cases: [(Act, &str); 4] = [
        (json_reply(403, &refused), "lost not permitted"),
        (text_reply(404, "404 page not found\n"), "lost kind not served"),
        (
            json_reply(401, &status(401, "Unauthorized", "no", &json!({}))),
            "lost not permitted",
        ),
        (text_reply(429, "later"), "lost try again later"),
    ];
    for (act, word) in cases {
        let (_connection, mut events) = watch(&server(vec![act])).await;
        expect(&mut events, &[word]).await;
    }
    let fake = server(vec![]);
    let connection = fake.connect(ConnectionOptions::default()).await;
    let mut events: Events = Box::pin(connection.watch(&gvk("example.com/v1", "Widget"), Some("x"), None));
    expect(&mut events, &["lost kind not served"]).await;
    assert!(watches(&fake).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_servers_wait_is_kept_to() {
    let ([line], mut acts) = lines();
    acts.insert(0, crate::fake::after("9", 429));
    let fake = server(acts);
    let (_connection, mut events) = watch(&fake).await;
    line.say(&end_of_initial("1"));
    expect(&mut events, &["lost try again later", "reset", "synced"]).await;
    let tries = watches(&fake);
    assert_eq!(tries[1].at - tries[0].at, Duration::from_secs(9));
}
