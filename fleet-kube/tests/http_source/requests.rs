//! What is asked, what is remembered, and where redirects lead.

use std::time::Duration;

use fleet_core::{Cluster, InventorySource};
use fleet_kube::{HttpSource, HttpSourceError};

use super::{
    SECRET, inventory, limits,
    server::{Act, Server, answer, with_head},
    source,
};

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines
        .find(|(found, _)| found.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

/// Answers in turn, the last one again and again.
async fn in_turn(answers: Vec<Vec<u8>>) -> Server {
    let mut count = 0;
    Server::start(move |_| {
        let now = answers[count.min(answers.len() - 1)].clone();
        count += 1;
        Act::Say(now)
    })
    .await
}

fn page(tag: &str, body: &str) -> Vec<u8> {
    answer("200 OK", &format!("\r\nETag: {tag}"), body)
}

fn same(tag: &str) -> Vec<u8> {
    with_head(&format!("304 Not Modified\r\nETag: {tag}"), "")
}

async fn ask(source: &HttpSource, cluster: &str) -> String {
    match source.snapshot(&Cluster::new(cluster)).await {
        Ok(known) => known.revision().to_string(),
        Err(unknown) => unknown.message().to_owned(),
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let one = inventory("r1", &["a"]);
    let server = in_turn(vec![
        page("\"1\"", &one),
        same("W/\"1\""),
        answer("500 Oh", "", ""),
        with_head("304 Not Modified", ""),
        same("\"2\""),
        answer("200 OK", "", &one),
        same("\"1\""),
    ])
    .await;
    let source = source(&server);
    let mut told = Vec::new();
    for _ in 0..7 {
        told.push(ask(&source.clone(), "eu-1").await);
    }
    assert_eq!(
        (&*told[0], &*told[1], &*told[3], &*told[5]),
        ("r1", "r1", "r1", "r1")
    );
    assert!(told[2].contains("answers 500"), "a failure takes nothing away");
    assert!(told[4].contains("another `ETag`"), "{}", told[4]);
    assert!(told[6].contains("nothing is remembered"), "{}", told[6]);
    let sent: Vec<Option<String>> = server
        .seen()
        .iter()
        .map(|head| header(head, "if-none-match").map(str::to_owned))
        .collect();
    let tag = Some("\"1\"".to_owned());
    assert_eq!(
        sent,
        [
            None,
            tag.clone(),
            tag.clone(),
            tag.clone(),
            tag.clone(),
            tag,
            None
        ]
    );
}

#[tokio::test]
async fn tags_that_are_none_or_old_or_of_others_are_not_given_back() {
    let one = inventory("r1", &["a"]);
    let server = in_turn(vec![
        page("no-quotes", &one),
        page("\"1\"", &one),
        same("\"1\""),
        page("\"1\"", &one),
        same("\"1\""),
        page("\"2\"", &inventory("r1", &["b"])),
    ])
    .await;
    let source = source(&server);
    let minutes = Duration::from_secs(60);
    for wait in [0, 0, 40, 21, 0] {
        tokio::time::pause();
        tokio::time::advance(wait * minutes).await;
        tokio::time::resume();
        assert_eq!(ask(&source, "eu-1").await, "r1");
    }
    // Another one may be shown something else.
    let other = source.header("X-Team", "other").unwrap();
    assert_eq!(ask(&other, "eu-1").await, "r1");
    let seen = server.seen();
    let sent: Vec<_> = seen.iter().map(|head| header(head, "if-none-match")).collect();
    let tag = Some("\"1\"");
    assert_eq!(sent, [None, None, tag, None, tag, None]);
    assert!(
        seen.iter()
            .all(|head| header(head, "cache-control") == Some("no-cache"))
    );
}

#[tokio::test]
async fn clusters_have_tags_of_their_own() {
    let server = Server::start(|head| {
        let tag = header(head, "if-none-match");
        assert!(
            tag.is_none_or(|tag| tag == "\"eu-1\"" && head.starts_with("GET /eu-1.json")),
            "{head}"
        );
        Act::Say(match tag {
            Some(tag) => same(tag),
            None => page("\"eu-1\"", &inventory(&head[5..9], &["a"])),
        })
    })
    .await;
    let source = source(&server);
    for (cluster, expect) in [("eu-1", "eu-1"), ("eu-2", "eu-2"), ("eu-1", "eu-1")] {
        assert_eq!(ask(&source, cluster).await, expect);
    }
}

#[tokio::test]
async fn one_revision_has_one_content() {
    let (ab, ba, a) = (
        &inventory("r1", &["a", "b"]),
        &inventory("r1", &["b", "a"]),
        &inventory("r1", &["a"]),
    );
    let bodies = [ab, ba, a, ab, &inventory("r2", &["a"]), &inventory("r2", &[])];
    let server = in_turn(
        bodies
            .into_iter()
            .map(|body| answer("200 OK", "", body))
            .collect(),
    )
    .await;
    let source = source(&server);
    let other = "was answered before with other objects";
    for expect in ["r1", "r1", other, "r1", "r2", other] {
        let told = ask(&source, "eu-1").await;
        assert!(told.contains(expect), "expected {expect}: {told}");
    }
}

#[tokio::test]
async fn names_headers_and_the_token_are_sent() {
    let server = Server::start(|_| Act::Say(answer("200 OK", "", inventory("r", &["a"])))).await;
    let dir = tempfile::tempdir().unwrap();
    let token = dir.path().join("token");
    std::fs::write(&token, "first\n").unwrap();
    let url = format!("{}/c/{{cluster}}/x?c={{cluster}}", server.url());
    let source = HttpSource::new(&url)
        .unwrap()
        .header("X-Team", "shop")
        .unwrap()
        .token_file(&token);
    assert_eq!(ask(&source, "eu/1 ü").await, "r");
    std::fs::write(&token, "second").unwrap();
    assert_eq!(ask(&source, "eu-1").await, "r");
    let seen = server.seen();
    assert!(
        seen[0].starts_with("GET /c/eu%2F1%20%C3%BC/x?c=eu%2F1%20%C3%BC HTTP/1.1\r\n"),
        "{}",
        seen[0]
    );
    let sent = |at: usize| (header(&seen[at], "authorization"), header(&seen[at], "x-team"));
    assert_eq!(sent(0), (Some("Bearer first"), Some("shop")));
    assert_eq!(sent(1), (Some("Bearer second"), Some("shop")));

    for (text, expect) in [
        ("", "token: is not a token"),
        ("hunter2\n2", "token: is not a token"),
    ] {
        std::fs::write(&token, text).unwrap();
        let told = ask(&source, "eu-1").await;
        assert!(told.contains(expect) && !told.contains(SECRET), "{told}");
    }
    std::fs::remove_file(&token).unwrap();
    assert!(ask(&source, "eu-1").await.contains("token: cannot be read"));
    assert_eq!(server.seen().len(), 2, "nothing is asked without a token");

    for (name, value) in [("a b", "x"), ("x", "a\nb"), ("Host", "x"), ("if-none-match", "x")] {
        let refused = HttpSource::new(&url).unwrap().header(name, value).unwrap_err();
        assert_eq!(refused, HttpSourceError::Header(name.to_owned()));
    }
    assert!(
        HttpSource::new("http://h/x")
            .unwrap_err()
            .to_string()
            .contains("no `{cluster}`")
    );
}

fn found(location: &str) -> Vec<u8> {
    answer(
        "302 Found",
        &format!("\r\nLocation: {location}"),
        inventory("wrong", &["a"]),
    )
}

#[tokio::test]
async fn redirects_are_followed_so_far() {
    // `/N` leads to `/N-1`.
    let server = Server::start(|head| {
        let number: u32 = head["GET /".len()..]
            .split(['.', ' '])
            .next()
            .unwrap()
            .parse()
            .unwrap();
        Act::Say(match number.checked_sub(1) {
            None => answer("200 OK", "", inventory("r", &["a"])),
            Some(next) => found(&format!("/{next}")),
        })
    })
    .await;
    let source = source(&server);
    for (cluster, expect) in [
        ("0", "r"),
        ("3", "r"),
        ("4", "redirects more than 3 times (redirects_max)"),
    ] {
        let told = ask(&source, cluster).await;
        assert!(told.ends_with(expect), "{cluster}: {told}");
    }

    let refused = [
        ("ftp://elsewhere/", "and the target is neither `http` nor `https`"),
        (
            "http://user:hunter2@elsewhere/",
            "and the target has a user or a password in it",
        ),
        ("", "and the target is not valid"),
    ];
    for (location, expect) in refused {
        let server = in_turn(vec![found(location)]).await;
        let told = ask(&super::source(&server), "eu-1").await;
        assert!(
            told.ends_with(expect) && !told.contains(SECRET),
            "{location}: {told}"
        );
    }
}

#[tokio::test]
async fn secrets_and_tags_stay_with_their_server() {
    let target = in_turn(vec![page("\"1\"", &inventory("r1", &["a"])), same("\"1\"")]).await;
    let there = format!("{}/moved", target.url());
    let first = Server::start(move |_| Act::Say(found(&there))).await;
    let source = HttpSource::new(&format!("{}/{{cluster}}", first.url()))
        .unwrap()
        .header("X-Key", SECRET)
        .unwrap()
        .limits(limits());
    assert_eq!(ask(&source, "eu-1").await, "r1");
    assert_eq!(ask(&source, "eu-1").await, "r1");
    for (asked, there) in first.seen().iter().zip(target.seen()) {
        assert_eq!(
            (header(asked, "x-key"), header(&there, "x-key")),
            (Some(SECRET), None)
        );
        assert_eq!(
            header(asked, "if-none-match"),
            None,
            "the tag is not of this address"
        );
    }
    assert_eq!(header(&target.seen()[1], "if-none-match"), Some("\"1\""));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unknown() {
    let server = in_turn(vec![Vec::new()]).await;
    let source = source(&server);
    drop(server);
    tokio::task::yield_now().await;
    let told = ask(&source, "eu-1").await;
    assert!(told.contains("no answer: ") && !told.contains(SECRET), "{told}");
    assert!(!format!("{source:?}").contains(SECRET));
}
