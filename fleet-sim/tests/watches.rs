//! Watches and lists: what is there, what changes, and what is no longer known.

mod support;

use fleet_sim::Settings;
use serde_json::{Value, json};
use support::Client;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(name: &str, labels: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": labels}})
}

fn make(client: &mut Client, name: &str, labels: Value) -> Value {
    let (code, made) = client.apply(&format!("{MAPS}/{name}"), "me", &map(name, labels));
    assert!(code < 300, "{made}");
    made
}

fn version(object: &Value) -> String {
    object["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

/// Types and names.
fn told(events: &[(String, Value)]) -> Vec<(String, String)> {
    let name = |object: &Value| object["metadata"]["name"].as_str().unwrap_or("").to_owned();
    events
        .iter()
        .map(|(kind, object)| (kind.clone(), name(object)))
        .collect()
}

fn words(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()))
        .collect()
}

#[test]
fn objects_come_into_a_selection_and_leave_it() {
    let mut client = Client::of(Settings::default());
    make(&mut client, "a", json!({"app": "web"}));
    make(&mut client, "b", json!({}));
    let path = format!(
        "{MAPS}?watch=1&labelSelector=app%3Dweb&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    );
    let watch = client.watch(&path);
    let first = client.events(watch);
    assert_eq!(told(&first), words(&[("ADDED", "a"), ("BOOKMARK", "")]));
    assert_eq!(
        first[1].1["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    assert!(client.events(watch).is_empty());
    make(&mut client, "b", json!({"app": "web"}));
    make(&mut client, "a", json!({"app": "other"}));
    make(&mut client, "b", json!({"app": "web", "more": "x"}));
    let gone = client.send("DELETE", &format!("{MAPS}/b"), &Value::Null).0;
    assert_eq!(gone, 200);
    let events = client.events(watch);
    assert_eq!(
        told(&events),
        words(&[
            ("ADDED", "b"),
            ("DELETED", "a"),
            ("MODIFIED", "b"),
            ("DELETED", "b")
        ])
    );
    assert_eq!(
        events[1].1["metadata"]["labels"],
        json!({"app": "web"}),
        "as it was selected last"
    );
    let versions: Vec<u64> = events
        .iter()
        .map(|(_, object)| version(object).parse().unwrap())
        .collect();
    assert!(versions.is_sorted(), "{versions:?}");
    client.wait(61);
    assert_eq!(told(&client.events(watch)), words(&[("BOOKMARK", "")]));
}

#[test]
fn a_watch_goes_on_where_it_was_as_long_as_that_is_known() {
    let mut settings = Settings::default();
    settings.history = 3;
    let mut client = Client::of(settings);
    let from = version(&make(&mut client, "a", json!({})));
    for name in ["b", "c", "d"] {
        make(&mut client, name, json!({}));
    }
    let path = |version: &str| format!("{MAPS}?watch=1&resourceVersion={version}");
    let watch = client.watch(&path(&from));
    assert_eq!(
        told(&client.events(watch)),
        words(&[("ADDED", "b"), ("ADDED", "c"), ("ADDED", "d")])
    );
    make(&mut client, "e", json!({}));
    let late = client.watch(&path(&from));
    let events = client.events(late);
    assert_eq!((&*events[0].0, &events[0].1["code"]), ("ERROR", &json!(410)));
    assert!(client.server.events(late, client.now).over, "nothing more comes");
    assert_eq!(told(&client.events(watch)), words(&[("ADDED", "e")]));
    let (code, status) = client.get(&format!("{MAPS}?resourceVersion=999"));
    assert_eq!((code, &status["reason"]), (504, &json!("Timeout")));
}

#[test]
fn watches_end_by_themselves() {
    let mut client = Client::new();
    let watch = client.watch(&format!("{MAPS}?watch=1&timeoutSeconds=5"));
    client.wait(4);
    assert!(!client.server.events(watch, client.now).over);
    client.wait(1);
    assert!(client.server.events(watch, client.now).over);
    let long = client.watch(&format!("{MAPS}?watch=1"));
    client.wait(1799);
    assert!(!client.server.events(long, client.now).over);
    client.wait(1801);
    assert!(client.server.events(long, client.now).over);
}

#[test]
fn a_paged_list_is_of_one_moment() {
    let mut client = Client::new();
    for name in ["a", "b", "c", "d", "e"] {
        make(&mut client, name, json!({}));
    }
    let names = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|one| one["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let first = client.get(&format!("{MAPS}?limit=2")).1;
    assert_eq!(
        (names(&first), &first["metadata"]["remainingItemCount"]),
        (vec!["a".to_owned(), "b".to_owned()], &json!(3))
    );
    assert_eq!(
        (&first["kind"], &first["items"][0]["kind"]),
        (&json!("ConfigMapList"), &Value::Null)
    );
    client.send("DELETE", &format!("{MAPS}/d"), &Value::Null);
    make(&mut client, "f", json!({}));
    let token = first["metadata"]["continue"].as_str().unwrap();
    let path = format!("{MAPS}?limit=9&continue={token}");
    let second = client.get(&path).1;
    assert_eq!(names(&second), ["c", "d", "e"], "as it was at first");
    assert_eq!(version(&second), version(&first));
    client.server.compact();
    let (code, status) = client.get(&path);
    assert_eq!((code, &status["reason"]), (410, &json!("Expired")));
}

#[test]
fn two_servers_of_one_seed_answer_alike() {
    let play = |seed: u64| {
        let mut client = Client::of(Settings::default().seed(seed));
        make(&mut client, "a", json!({}));
        client.send(
            "POST",
            MAPS,
            &json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"generateName": "g-"}}),
        );
        client.settle();
        client.get("/api/v1/configmaps").1
    };
    assert_eq!(play(1), play(1));
    assert_ne!(play(1), play(2));
}
