//! What waits for what: waves and `depends-on` wait for health, with a deadline; circles are explained.

use fleet_core::{
    health::{Health, HealthState},
    *,
};
use serde_json::{Value, json};

use crate::support::*;

/// Healthy is what says so in its status.
struct Ready;

impl Health for Ready {
    fn health(&self, object: &Object) -> HealthState {
        match object.root().at(&["status", "ready"]).and_then(Node::as_bool) {
            Some(true) => HealthState::Current,
            _ => HealthState::InProgress(Reason::new("not-ready", "it is not ready yet")),
        }
    }
}

fn world(options: EngineOptions) -> World {
    let mut world = World::new(options.clone());
    world.restart_with(Parts::default().health(Ready), options);
    world
}

fn with(name: &str, value: &str, annotation: &str, text: &str) -> Value {
    let mut value = map(name, value);
    value["metadata"]["annotations"] = json!({format!("fleet.internal/{annotation}"): text});
    value
}

fn of_wave(name: &str, value: &str, wave: &str) -> Value {
    with(name, value, "wave", wave)
}

fn ready(world: &mut World, name: &str, ready: bool) {
    world.edit(&key(name), "status.ready", json!(ready), "controller");
    world.run();
}

fn value(world: &World, name: &str) -> Option<String> {
    Some(world.get(&key(name))?["data"]["k"].as_str()?.to_owned())
}

#[test]
fn a_wave_waits_for_the_health_of_the_one_before() {
    let mut world = world(EngineOptions::default());
    world.publish(
        "1",
        [
            namespace("shop"),
            of_wave("a", "1", "0"),
            of_wave("b", "1", "1"),
            of_wave("c", "1", "2"),
        ],
    );
    // Namespaces are of the first wave, too.
    world.edit(&namespace_key("shop"), "status.ready", json!(true), "controller");
    world.run();
    assert_eq!(
        (value(&world, "a").as_deref(), value(&world, "b")),
        (Some("1"), None)
    );
    let status = world.engine.status();
    assert!(!world.engine.is_settled() && !status.converged, "{status:?}");
    let why = status.waiting[&key("b")].to_string();
    assert!(
        why.contains("is of a later wave than ConfigMap shop/a") && why.contains("healthy"),
        "{why}"
    );
    assert!(
        status.unhealthy[&key("a")].contains("not ready yet"),
        "{status:?}"
    );
    ready(&mut world, "a", true);
    assert_eq!(
        (value(&world, "b").as_deref(), value(&world, "c")),
        (Some("1"), None)
    );
    ready(&mut world, "b", true);
    assert_eq!(value(&world, "c").as_deref(), Some("1"));
    ready(&mut world, "c", true);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());

    // A new version goes the same way, what was ready and is no longer included.
    world.publish(
        "2",
        [
            namespace("shop"),
            of_wave("a", "2", "0"),
            of_wave("b", "2", "1"),
            of_wave("c", "1", "2"),
        ],
    );
    assert_eq!(
        value(&world, "b").as_deref(),
        Some("2"),
        "it is healthy all the time"
    );
    ready(&mut world, "a", false);
    world.publish(
        "3",
        [
            namespace("shop"),
            of_wave("a", "3", "0"),
            of_wave("b", "3", "1"),
            of_wave("c", "1", "2"),
        ],
    );
    assert_eq!(
        (value(&world, "a").as_deref(), value(&world, "b").as_deref()),
        (Some("3"), Some("2"))
    );
    // Drift is repaired all the same.
    world.edit(&key("c"), "data.k", json!("theirs"), "somebody");
    world.run();
    assert_eq!(value(&world, "c").as_deref(), Some("1"));
    ready(&mut world, "a", true);
    assert_eq!(value(&world, "b").as_deref(), Some("3"));
}

#[test]
fn a_wave_that_stays_unhealthy_stops_the_next_or_not_as_the_policy_says() {
    for policy in [Unhealthy::Stop, Unhealthy::GoOn] {
        let mut options = EngineOptions::default();
        options.unhealthy = policy;
        let mut world = world(options);
        world.publish(
            "1",
            [
                namespace("shop"),
                map("a", "1"),
                of_wave("b", "1", "1"),
                map("old", "1"),
            ],
        );
        world.edit(&namespace_key("shop"), "status.ready", json!(true), "controller");
        ready(&mut world, "old", true);
        // Deletes come after all writes, those that wait included.
        world.publish("2", [namespace("shop"), map("a", "1"), of_wave("b", "1", "1")]);
        world.pass(Millis::from_mins(4));
        assert_eq!((value(&world, "b"), value(&world, "old").is_some()), (None, true));
        world.pass(Millis::from_mins(2));
        let status = world.engine.status();
        match policy {
            Unhealthy::GoOn => assert_eq!(value(&world, "b").as_deref(), Some("1"), "{status:?}"),
            _ => {
                assert_eq!(value(&world, "b"), None);
                let why = serde_json::to_string(&status.blocked[&key("b")]).unwrap();
                assert!(
                    why.contains("ConfigMap shop/a is not healthy after 5 min"),
                    "{why}"
                );
                assert!(world.engine.is_settled(), "nothing more is done without news");
                ready(&mut world, "a", true);
                assert_eq!(value(&world, "b").as_deref(), Some("1"));
            }
        }
        world.pass(Millis::from_mins(1));
        assert_eq!(value(&world, "old"), None, "{:?}", world.engine.status());
    }
}

#[test]
fn a_circle_is_explained_and_nothing_of_it_applied() {
    let mut world = world(EngineOptions::default());
    let on = |name: &str| format!("/ConfigMap/shop/{name}");
    world.publish(
        "1",
        [
            namespace("shop"),
            with("a", "1", "depends-on", &on("b")),
            with("b", "1", "depends-on", &on("a")),
            with("behind", "1", "depends-on", &on("a")),
            map("free", "1"),
        ],
    );
    world.pass(Millis::from_mins(10));
    let status = world.engine.status();
    for name in ["a", "b", "behind"] {
        assert_eq!(value(&world, name), None, "{name}");
        let why = serde_json::to_string(&status.blocked[&key(name)]).unwrap();
        assert!(
            why.contains("ConfigMap shop/a") && why.contains("ConfigMap shop/b"),
            "{name}: {why}"
        );
    }
    assert_eq!(value(&world, "free").as_deref(), Some("1"));
}

#[test]
fn what_depends_on_something_that_is_refused_says_so_and_follows_it() {
    let mut world = world(EngineOptions::default());
    world.interfere = Some(Box::new(|_, request| {
        (*request.key() == key("a") && request.is_write())
            .then(|| Answer::Refused(Fault::new(Remedy::Policy, "denied").code(403)))
    }));
    world.publish(
        "1",
        [
            namespace("shop"),
            map("a", "1"),
            with("b", "1", "depends-on", "/ConfigMap/shop/a"),
        ],
    );
    world.pass(Millis::from_mins(1));
    let why = serde_json::to_string(&world.engine.status().blocked[&key("b")]).unwrap();
    assert!(why.contains("ConfigMap shop/a is not written either"), "{why}");
    world.interfere = None;
    world.pass(Millis::from_mins(20));
    ready(&mut world, "a", true);
    assert_eq!(
        value(&world, "b").as_deref(),
        Some("1"),
        "{:?}",
        world.engine.status()
    );
}

/// What is read from objects is a guess: it holds nothing up for long.
#[test]
fn what_only_seems_to_be_needed_is_not_waited_for_when_it_does_not_come() {
    let mut world = world(EngineOptions::default());
    let pod = mounting("Deployment", "web");
    let web = ObjectKey::new("apps", "Deployment", Some("shop"), "web");
    let mut log = Vec::new();
    for refused in [false, true] {
        world.interfere = Some(Box::new(move |_, request| {
            (refused && *request.key() == key("a") && request.is_write())
                .then(|| Answer::Refused(Fault::new(Remedy::Policy, "denied").code(403)))
        }));
        let revision = if refused { "2" } else { "1" };
        let mut pod = pod.clone();
        pod["data"] = json!({"k": revision});
        world.publish(revision, [namespace("shop"), map("a", revision), pod]);
        world.pass(Millis::from_mins(1));
        assert_eq!(
            world.objects[&web]["data"]["k"],
            revision,
            "{:?}",
            world.engine.status()
        );
        log.extend(
            world
                .writes()
                .into_iter()
                .map(|sent| sent.request.key().to_string()),
        );
    }
    let at = |name: &str| log.iter().position(|sent| sent == name);
    assert!(at("ConfigMap shop/a") < at("Deployment.apps shop/web"), "{log:?}");
}

/// Everything that a window that opens lets go keeps its order.
#[test]
fn after_a_hold_writes_come_before_deletes_and_waves_one_after_the_other() {
    let mut world = world(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("z", "1"), map("old", "1")]);
    for name in ["z", "old"] {
        ready(&mut world, name, true);
    }
    world.edit(&namespace_key("shop"), "status.ready", json!(true), "controller");
    world.run();
    world.requests();
    world.push(Event::Hold(Some(Reason::new("window", "not now"))));
    ready(&mut world, "z", false);
    world.publish("2", [namespace("shop"), map("z", "2"), of_wave("next", "1", "1")]);
    world.notes.clear();
    world.push(Event::Hold(None));
    assert_eq!(value(&world, "z").as_deref(), Some("2"));
    assert_eq!(value(&world, "next"), None);
    let status = world.engine.status();
    assert!(status.waiting.contains_key(&key("next")), "{status:?}");
    let blocked = world
        .notes
        .iter()
        .any(|note| matches!(note, Note::Blocked { .. }));
    assert!(!blocked, "{:?}", world.notes);
    ready(&mut world, "z", true);
    ready(&mut world, "next", true);
    world.pass(Millis::from_mins(1));
    let writes = world.writes().into_iter();
    let order: Vec<String> = writes.map(|sent| sent.request.key().name().to_owned()).collect();
    assert_eq!(order, ["z", "next", "old"]);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

/// What does not come on by itself stops who says that it waits for it, and nobody else: deletes go on.
#[test]
fn what_is_stuck_on_its_way_out_holds_up_only_who_says_so() {
    let mut world = world(EngineOptions::default());
    let mut stuck = map("a", "1");
    stuck["metadata"]["finalizers"] = json!(["example.com/keep"]);
    let web = mounting("Deployment", "web");
    world.publish("1", [namespace("shop"), stuck.clone(), map("old", "1")]);
    let mut live = world.get(&key("a")).unwrap().clone();
    live["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.store(live);
    world.run();
    let behind = with("behind", "1", "depends-on", "/ConfigMap/shop/a");
    world.publish("2", [namespace("shop"), stuck, web, behind]);
    world.pass(Millis::from_mins(1));
    let status = world.engine.status();
    let web = ObjectKey::new("apps", "Deployment", Some("shop"), "web");
    assert!(
        world.get(&web).is_some() && world.get(&key("old")).is_none(),
        "{status:?}"
    );
    let why = serde_json::to_string(&status.blocked[&key("behind")]).unwrap();
    assert!(why.contains("ConfigMap shop/a is not written either"), "{why}");
    assert!(world.engine.is_settled());
}

#[test]
fn a_job_that_failed_has_failed_also_when_it_is_gone() {
    for restart in [false, true] {
        let mut world = World::new(EngineOptions::default());
        let job = json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "shop", "name": "migrate"},
            "spec": {"ttlSecondsAfterFinished": 1},
        });
        let all = [
            namespace("shop"),
            job,
            with("web", "1", "depends-on", "batch/Job/shop/migrate"),
        ];
        world.publish("1", all.clone());
        let job = ObjectKey::new("batch", "Job", Some("shop"), "migrate");
        let failed = json!([{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]);
        world.edit(&job, "status.conditions", failed, "controller");
        world.run();
        world.pass(Millis::from_secs(10));
        world.vanish(&job);
        if restart {
            world.restart(EngineOptions::default());
            world.publish("1", all);
        }
        world.pass(Millis::from_mins(20));
        let status = world.engine.status();
        assert_eq!(value(&world, "web"), None, "{status:?}");
        assert!(
            world.get(&job).is_none() && status.blocked.contains_key(&key("web")),
            "{status:?}"
        );
    }
}

#[test]
fn what_was_ill_for_a_moment_is_not_overdue() {
    let mut world = world(EngineOptions::default());
    let first = [namespace("shop"), map("a", "1")];
    world.publish("1", first.clone());
    ready(&mut world, "a", true);
    world.edit(&namespace_key("shop"), "status.ready", json!(true), "controller");
    world.pass(Millis::from_mins(60));
    ready(&mut world, "a", false);
    world.publish("2", first.into_iter().chain([of_wave("b", "1", "1")]));
    let status = world.engine.status();
    assert!(status.waiting.contains_key(&key("b")), "{status:?}");
    world.pass(Millis::from_mins(4));
    assert!(world.engine.status().waiting.contains_key(&key("b")));
    ready(&mut world, "a", true);
    assert_eq!(value(&world, "b").as_deref(), Some("1"));
}

#[test]
fn an_event_from_before_says_nothing_of_health() {
    let mut world = world(EngineOptions::default());
    let objects = |value: &str| [namespace("shop"), map("a", value), of_wave("b", value, "1")];
    world.publish("1", objects("1"));
    world.edit(&namespace_key("shop"), "status.ready", json!(true), "controller");
    ready(&mut world, "a", true);
    let before = world.get(&key("a")).unwrap().clone();
    ready(&mut world, "a", false);
    world.publish("2", objects("2"));
    assert_eq!(value(&world, "b").as_deref(), Some("1"));
    world.push(Event::Seen(Live::new(object(before)).unwrap()));
    assert_eq!(
        value(&world, "b").as_deref(),
        Some("1"),
        "{:?}",
        world.engine.status()
    );
}

#[test]
fn what_the_cluster_does_not_serve_stops_who_waits_for_it() {
    let mut world = world(EngineOptions::default());
    let gadget = json!({
        "apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"namespace": "shop", "name": "g"},
    });
    world.publish(
        "1",
        [
            namespace("shop"),
            gadget,
            of_wave("later", "1", "1"),
            with("behind", "1", "depends-on", "example.com/Gadget/shop/g"),
        ],
    );
    world.edit(&namespace_key("shop"), "status.ready", json!(true), "controller");
    world.pass(Millis::from_mins(10));
    let status = world.engine.status();
    for name in ["later", "behind"] {
        assert_eq!(value(&world, name), None, "{name}");
        let why = serde_json::to_string(&status.blocked[&key(name)]).unwrap();
        assert!(why.contains("is not written either"), "{name}: {why}");
    }
}
