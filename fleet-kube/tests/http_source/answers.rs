//! What a server does, and what is known then.

use std::{
    io::Write as _,
    time::{Duration, Instant},
};

use fleet_core::{Cluster, InventorySource, Known, Snapshot};
use fleet_kube::HttpLimits;

use super::{
    SECRET, inventory, limits,
    server::{Act, Server, answer, with_head},
    source,
};

fn told(snapshot: &Snapshot) -> String {
    match snapshot {
        Ok(Known::Objects(inventory)) => format!("{} at {}", inventory.objects().len(), inventory.revision()),
        Ok(Known::Empty(revision)) => format!("empty at {revision}"),
        Ok(_) => panic!("a form that is not known here"),
        Err(unknown) => format!("unknown: {unknown}"),
    }
}

/// What the source says of a server that does this.
async fn of(limits: &HttpLimits, act: Act) -> String {
    let server = Server::start(move |_| act.clone()).await;
    let source = source(&server).limits(limits.clone());
    let snapshot = source.snapshot(&Cluster::new("eu-1")).await;
    let told = told(&snapshot);
    assert!(!format!("{told} {snapshot:?}").contains(SECRET), "{told}");
    if snapshot.is_err() {
        let address = format!("unknown: {}/eu-1.json?…: ", server.url());
        assert!(told.starts_with(&address), "{told}");
    }
    told
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn chunked(body: &str, end: &str) -> Vec<u8> {
    let chunks = format!("{:x}\r\n{body}\r\n{end}", body.len());
    with_head("200 OK\r\nTransfer-Encoding: chunked", chunks)
}

#[tokio::test]
async fn only_a_whole_inventory_is_known() {
    let one = inventory("r1", &["a"]);
    let empty = inventory("r0", &[]);
    let html = format!("<html><body>Sign in, {SECRET}</body></html>");
    let json_error = format!(r#"{{"error": "no such inventory", "token": "{SECRET}"}}"#);
    let secret_yaml = format!("apiVersion: v1\nkind: Secret\ndata: {{a: {SECRET}\n");
    let ok = |headers: &str, body: &str| answer("200 OK", headers, body);
    let large = inventory("r1", &[&*"a".repeat(limits().body_bytes_max)]);
    let packed = gzip(one.as_bytes());
    let bomb = gzip(&vec![b' '; 50 << 20]);
    assert!(bomb.len() < limits().body_bytes_max, "{}", bomb.len());
    let say = [
        (ok("", &one), "1 at r1"),
        (ok("\r\nContent-Type: text/plain", &one), "1 at r1"),
        (ok("", &empty), "empty at r0"),
        (chunked(&one, "0\r\n\r\n"), "1 at r1"),
        (answer("200 OK", "\r\nContent-Encoding: gzip", &packed), "1 at r1"),
        (ok("\r\nContent-Encoding: identity", &one), "1 at r1"),
        // Statuses.
        (answer("404 Not Found", "", &empty), "answers 404 Not Found"),
        (with_head("204 No Content", ""), "answers 204 No Content"),
        (
            answer("206 Partial Content", "", &one),
            "answers 206 Partial Content",
        ),
        (answer("201 Created", "", &one), "answers 201 Created"),
        (answer("401 Unauthorized", "", SECRET), "answers 401 Unauthorized"),
        (answer("403 Forbidden", "", SECRET), "answers 403 Forbidden"),
        (answer("429 Too Many Requests", "", ""), "answers 429"),
        (answer("500 Internal Server Error", "", &one), "answers 500"),
        (answer("503 Service Unavailable", "", SECRET), "answers 503"),
        (
            with_head("304 Not Modified", ""),
            "answers 304, and nothing is remembered",
        ),
        (b"SSH-2.0-hunter2\r\n".to_vec(), "no answer: "),
        (Vec::new(), "no answer: "),
        // Bodies that are not whole.
        (ok("", ""), "its body is empty"),
        (ok("", " \n\n"), "its body is empty"),
        (
            with_head("200 OK\r\nContent-Length: 1000", &one),
            "its body broke off after",
        ),
        (chunked(&one, ""), "its body broke off after"),
        (
            with_head("200 OK\r\nTransfer-Encoding: chunked", "zzz\r\n"),
            "its body broke off after 0 bytes",
        ),
        (with_head("200 OK", &one), "does not say how long its body is"),
        (
            with_head("200 OK\r\nTransfer-Encoding: gzip", &packed),
            "does not say how long its body is",
        ),
        (
            with_head("200 OK\r\nContent-Length: 5\r\nContent-Length: 7", &one),
            "no answer: ",
        ),
        (
            ok("", &one[..one.len() - 1]),
            "its body is not an inventory: line 1",
        ),
        (
            answer(
                "200 OK",
                "\r\nContent-Encoding: gzip",
                &packed[..packed.len() - 4],
            ),
            "not whole and valid gzip",
        ),
        (ok("\r\nContent-Encoding: gzip", &one), "not whole and valid gzip"),
        (
            answer("200 OK", "\r\nContent-Encoding: br", &packed),
            "a `Content-Encoding` other than `gzip`",
        ),
        (
            answer("200 OK", "\r\nContent-Encoding: gzip, gzip", &packed),
            "a `Content-Encoding` other than `gzip`",
        ),
        // Bodies that are something else.
        (
            ok("\r\nContent-Type: text/html; charset=utf-8", &html),
            "its body (text/html) is not an inventory: ",
        ),
        (
            ok("\r\nContent-Type: application/json", &json_error),
            "(application/json) is not an inventory: `apiVersion`",
        ),
        (ok("", &secret_yaml), "its body is not an inventory: line "),
        (answer("200 OK", "", b"\xff\xfe{}"), "it is not UTF-8"),
        // Too much.
        (
            ok("", &large),
            "its body has more than 65536 bytes (body_bytes_max)",
        ),
        (
            chunked(&large, "0\r\n\r\n"),
            "its body has more than 65536 bytes (body_bytes_max)",
        ),
        (
            answer("200 OK", "\r\nContent-Encoding: gzip", &bomb),
            "its unpacked body has more than 65536 bytes",
        ),
    ];
    for (bytes, expect) in say {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(120)]).into_owned();
        let told = of(&limits(), Act::Say(bytes)).await;
        let fits = if expect.contains(" at ") {
            told == expect
        } else {
            told.contains(expect)
        };
        assert!(
            fits && told.starts_with("unknown") != expect.contains(" at "),
            "{shown}\nexpected {expect}: {told}"
        );
    }
}

#[tokio::test]
async fn servers_that_take_their_time_are_waited_for_as_long_as_the_limits_say() {
    let head = with_head("200 OK\r\nContent-Length: 60000", "{");
    let early = b"HTTP/1.1 103 Early Hints\r\n\r\n".to_vec();
    let pause = Duration::from_millis(20);
    let cases = [
        (Act::Stall(Vec::new()), "no answer within 500 ms (head_timeout)"),
        (
            Act::Stall(b"HTTP/1.1 200".to_vec()),
            "no answer within 500 ms (head_timeout)",
        ),
        (
            Act::Endless(early.clone(), early, pause),
            "no answer within 500 ms (head_timeout)",
        ),
        (
            Act::Stall(head.clone()),
            "broke off after 1 bytes: nothing came for 1.0 s (idle_timeout)",
        ),
        // Each byte is in time, the whole is not.
        (
            Act::Endless(head, b" ".to_vec(), pause),
            "no whole answer within 2.0 s (total_timeout)",
        ),
    ];
    let mut limits = limits();
    limits.head_timeout = Duration::from_millis(500);
    limits.idle_timeout = Duration::from_secs(1);
    limits.total_timeout = Duration::from_secs(2);
    let all = cases.map(async |(act, expect)| {
        let told = of(&limits, act).await;
        assert!(told.contains(expect), "expected {expect}: {told}");
    });
    futures_util::future::join_all(all).await;
}

#[tokio::test]
async fn those_that_hang_keep_others_waiting_only_once() {
    let server = Server::start(|head| match head.starts_with("GET /good") {
        true => Act::Say(answer("200 OK", "", inventory("r", &["a"]))),
        false => Act::Stall(Vec::new()),
    })
    .await;
    let mut limits = limits();
    limits.requests_max = 4;
    limits.total_timeout = Duration::from_millis(500);
    let source = source(&server).limits(limits);
    let mut took = Vec::new();
    for _ in 0..2 {
        let begun = Instant::now();
        let mut names: Vec<String> = (0..16).map(|number| format!("bad-{number}")).collect();
        names.push("good".to_owned());
        let all = names.into_iter().map(|name| {
            let source = &source;
            async move { (source.snapshot(&Cluster::new(name)).await, begun.elapsed()) }
        });
        let mut all = futures_util::future::join_all(all).await;
        let (good, after) = all.pop().unwrap();
        assert_eq!(told(&good), "1 at r");
        took.push(after);
        let late = |snapshot: &Snapshot| told(snapshot).contains("(total_timeout)");
        assert!(all.iter().all(|(snapshot, _)| late(snapshot)));
    }
    assert!(took[0] >= Duration::from_secs(2), "{took:?}");
    assert!(took[1] < Duration::from_millis(400), "{took:?}");
    let asked = server.seen().len() - 17;
    assert!((2..17).contains(&asked), "some of them are asked again: {asked}");
}

#[tokio::test]
async fn what_has_no_end_is_given_up_at_the_limit() {
    let mebi = vec![b' '; 1 << 20];
    let chunk = [format!("{:x}\r\n", mebi.len()).as_bytes(), &mebi, b"\r\n"].concat();
    let header = [b"X: ".as_slice(), &mebi, b"\r\n"].concat();
    let cases = [
        (
            with_head("200 OK\r\nTransfer-Encoding: chunked", ""),
            chunk,
            "more than 65536 bytes",
        ),
        (b"HTTP/1.1 200 OK\r\n".to_vec(), header, "no answer: "),
    ];
    for (first, more, expect) in cases {
        let server = Server::start(move |_| Act::Endless(first.clone(), more.clone(), Duration::ZERO)).await;
        let unknown = source(&server).snapshot(&Cluster::new("eu-1")).await.unwrap_err();
        assert!(unknown.message().contains(expect), "{unknown}");
        // More than was read fits into the buffers of the network.
        assert!(server.sent() < 16 << 20, "{} bytes were taken", server.sent());
    }
}
