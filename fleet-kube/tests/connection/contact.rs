//! What is known of contact with a cluster.

use std::{io, time::Duration};

use fleet_core::Remedy;
use fleet_kube::{ConnectionOptions, Verb};
use serde_json::json;
use tokio::time::Instant;

use crate::fake::{
    Act, Fake, apply, config_map, definition, delete, dry_run, get, json_reply, status, text_reply,
};

#[tokio::test(start_paused = true)]
async fn contact_is_lost_by_silence_and_found_by_any_answer() {
    let acts: [(fn() -> Act, bool); 11] = [
        (|| json_reply(200, &config_map("a", "1")), true),
        (|| Act::Fail(io::ErrorKind::ConnectionRefused), false),
        (
            || json_reply(404, &status(404, "NotFound", "no", &json!({"name": "a"}))),
            true,
        ),
        (|| Act::Silence, false),
        (
            || json_reply(403, &status(403, "Forbidden", "no", &json!({}))),
            true,
        ),
        (
            || json_reply(401, &status(401, "Unauthorized", "Unauthorized", &json!({}))),
            false,
        ),
        (
            || json_reply(500, &status(500, "", "failed calling webhook", &json!({}))),
            true,
        ),
        (|| text_reply(503, "gone"), false),
        (|| text_reply(503, "service unavailable\n"), true),
        (|| text_reply(502, "gone"), false),
        (
            || json_reply(409, &status(409, "Conflict", "no", &json!({}))),
            true,
        ),
    ];
    let fake = Fake::new(move |seen, before| seen.path.contains("/shop/").then(|| acts[before].0()));
    let connection = fake
        .connect(ConnectionOptions::default().retry_time(Duration::ZERO))
        .await;
    for (n, (_, good)) in acts.iter().enumerate() {
        let before = connection.contact();
        let _ = connection.execute(&get("a")).await;
        let contact = connection.contact();
        assert_eq!(contact.is_good(), *good, "{n}: {contact:?}");
        if *good {
            assert_eq!(
                (contact.last_success, contact.failures),
                (Some(Instant::now()), 0)
            );
        } else {
            assert_eq!(
                (contact.failing_since, contact.failures),
                (Some(Instant::now()), 1)
            );
            assert_eq!(contact.last_success, before.last_success);
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    assert!(
        connection.contact().last_fault.unwrap().code == Some(502),
        "kept, to be shown"
    );
}

#[tokio::test(start_paused = true)]
async fn failures_add_up_from_the_first() {
    let fake = Fake::new(|seen, _| {
        seen.path
            .contains("/shop/")
            .then_some(Act::Fail(io::ErrorKind::ConnectionReset))
    });
    let connection = fake
        .connect(ConnectionOptions::default().retry_time(Duration::ZERO))
        .await;
    let start = Instant::now();
    for _ in 0..3 {
        let _ = connection.execute(&get("a")).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let contact = connection.contact();
    assert_eq!((contact.failing_since, contact.failures), (Some(start), 3));
    assert_eq!(contact.last_fault.unwrap().remedy, Remedy::Unreachable);
}

#[tokio::test(start_paused = true)]
async fn requests_are_counted_by_verb() {
    let fake = Fake::new(|seen, _| {
        seen.path
            .contains("/shop/")
            .then(|| json_reply(200, &config_map("a", "1")))
    });
    let connection = fake.connect(ConnectionOptions::default()).await;
    let before = connection.contact();
    for request in [
        get("a"),
        get("a"),
        apply(definition("ConfigMap", "a")),
        dry_run(definition("ConfigMap", "a")),
        delete("a"),
    ] {
        let _ = connection.execute(&request).await;
    }
    let counts = |verb| connection.contact().requests(verb) - before.requests(verb);
    assert_eq!(Verb::ALL.map(counts), [2, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]);
    assert_eq!(connection.contact().requests_total() - before.requests_total(), 5);
}
