//! What waits for what, on clusters of both kinds: an operator with webhooks comes whatever its files are called, and goes
//! without leaving anything stuck; a wave that stays unhealthy stops the next.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use fleet_core::{
    Action, DeleteBudget, EngineOptions, GroupKind, Inventory, Millis, Note, Object, Snapshot, Status,
    Unhealthy,
};
use fleet_harness::{Cluster, Kind, Options};
use fleet_kube::Fleet;
use fleet_suites::{Bed, Hand, Notes, Settable, on_both_kinds};
use serde_json::{Value, json};

on_both_kinds! {
    an_operator_comes_in_any_order_of_files_and_leaves_nothing_stuck: [Controllers, Own];
    a_wave_that_stays_unhealthy_stops_the_next: [Own];
}

const FINALIZER: &str = "example.com/operator";

/// All that belongs to an operator: its kind with two objects that it has to clean up, and a webhook that refuses every
/// write of them, for nobody answers it here.
fn operator() -> Vec<Value> {
    let named = |name: &str| json!({"namespace": "op", "name": name});
    let widget = |name: &str| {
        json!({
            "apiVersion": "example.com/v1", "kind": "Widget",
            "metadata": {"namespace": "op", "name": name, "finalizers": [FINALIZER]},
        })
    };
    let pods = json!({
        "metadata": {"labels": {"app": "operator"}},
        "spec": {
            "serviceAccountName": "operator",
            "containers": [{"name": "operator", "image": "registry.example.com/operator:1"}],
            "volumes": [{"name": "settings", "configMap": {"name": "settings"}}],
        },
    });
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "op"}}),
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"},
            "spec": {
                "group": "example.com", "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true,
                }}}],
            },
        }),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": named("operator")}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": named("settings"), "data": {"k": "v"}}),
        json!({
            "apiVersion": "v1", "kind": "Service", "metadata": named("operator"),
            "spec": {"selector": {"app": "operator"}, "ports": [{"port": 443}]},
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": named("operator"),
            "spec": {"selector": {"matchLabels": {"app": "operator"}}, "template": pods},
        }),
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "operator"},
            "webhooks": [{
                "name": "widgets.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "failurePolicy": "Fail", "timeoutSeconds": 1,
                "clientConfig": {"service": {"namespace": "op", "name": "operator"}},
                "rules": [{
                    "apiGroups": ["example.com"], "apiVersions": ["*"], "resources": ["widgets"],
                    "operations": ["CREATE", "UPDATE"],
                }],
            }],
        }),
        widget("one"),
        widget("two"),
    ]
}

fn inventory(objects: &[Value]) -> Snapshot {
    let objects = objects
        .iter()
        .map(|value| Object::from_json(value.clone()).unwrap());
    Inventory::with_content_revision(objects).unwrap().snapshot()
}

/// The objects with which something was done, in the order in which it was.
fn done(notes: &Notes, from: usize, wanted: Action) -> Vec<String> {
    let notes = notes.all().into_iter().skip(from);
    let keys = notes.filter_map(|(_, note)| match note {
        Note::Done { key, action, .. } if action == wanted => Some(key.to_string()),
        _ => None,
    });
    keys.collect()
}

fn assert_order(done: &[String], pairs: &[(&str, &str)]) {
    let place = |what: &str| {
        let found = done.iter().position(|key| key.starts_with(what));
        found.unwrap_or_else(|| panic!("nothing was done with {what}: {done:#?}"))
    };
    for (first, then) in pairs {
        assert!(place(first) < place(then), "{first} before {then}: {done:#?}");
    }
}

/// The operator's own work: it takes its finalizer off what is deleted, as long as it has all that it needs.
async fn clean_up(hand: Hand, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::SeqCst) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let Ok(list) = hand.list("example.com/v1/widgets") else {
            continue;
        };
        let needs = [
            ("apps/v1/deployments", "operator"),
            ("serviceaccounts", "operator"),
            ("configmaps", "settings"),
        ];
        let works = needs.iter().all(|(collection, name)| {
            let found = hand.get(collection, name);
            found.is_ok_and(|object| object["metadata"]["deletionTimestamp"].is_null())
        });
        let deleted = |widget: &&Value| !widget["metadata"]["deletionTimestamp"].is_null();
        for widget in list["items"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(deleted)
            .filter(|_| works)
        {
            let name = widget["metadata"]["name"].as_str().unwrap();
            let patch = json!({"metadata": {"finalizers": null}});
            if let Err(why) = hand.patch("example.com/v1/widgets", name, &patch) {
                println!("the operator: {why}");
            }
        }
    }
}

async fn an_operator_comes_in_any_order_of_files_and_leaves_nothing_stuck(kind: Kind) {
    let cluster = Cluster::start(kind, Options::new("order")).unwrap();
    let source = Settable::new(inventory(&operator()));
    let notes = Notes::default();
    let mut options = EngineOptions::default();
    options.budget = DeleteBudget::new(100, 100, 100);
    options.permitted_kinds = [
        GroupKind::new("", "Namespace"),
        GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition"),
    ]
    .into();
    let fleet = Bed::new([&cluster])
        .fleet(source.clone())
        .options(move |_| options.clone())
        .observer(notes.clone())
        .budget(DeleteBudget::new(1000, 100, 1000))
        .build()
        .unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let operating = tokio::spawn(clean_up(Hand::new(&cluster, "op"), stop.clone()));
    for turn in 0..2 {
        let from = notes.all().len();
        let mut objects = operator();
        objects.rotate_left(4 * turn);
        if turn == 1 {
            objects.reverse();
        }
        source.set(inventory(&objects));
        let status = applied(&fleet).await;
        assert!(status.is_clean(), "{status:#?}");
        assert_order(
            &done(&notes, from, Action::Create),
            &[
                ("Namespace", "Deployment"),
                ("ServiceAccount", "Deployment"),
                ("ConfigMap", "Deployment"),
                ("CustomResourceDefinition", "Widget.example.com op/one"),
                ("Service op", "ValidatingWebhookConfiguration"),
                ("Deployment", "ValidatingWebhookConfiguration"),
                ("Widget.example.com op/two", "ValidatingWebhookConfiguration"),
            ],
        );
        let from = notes.all().len();
        source.set(inventory(&[json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "left"},
        })]));
        let status = applied(&fleet).await;
        assert!(status.is_clean() && status.owned == 1, "{status:#?}");
        assert_order(
            &done(&notes, from, Action::Delete),
            &[
                ("ValidatingWebhookConfiguration", "Widget.example.com op/one"),
                ("Widget.example.com op/one", "Deployment"),
                ("Widget.example.com op/two", "Deployment"),
                ("Widget.example.com op/one", "Service op"),
                ("Deployment", "ServiceAccount"),
                ("Deployment", "ConfigMap"),
                ("Deployment", "CustomResourceDefinition"),
                ("CustomResourceDefinition", "Namespace"),
            ],
        );
        let namespaces = Hand::new(&cluster, "");
        assert!(namespaces.get("namespaces", "op").is_err(), "it is gone, too");
    }
    stop.store(true, Ordering::SeqCst);
    operating.await.unwrap();
}

async fn applied(fleet: &Fleet) -> Status {
    let outcomes = fleet.apply(&[]).await.unwrap();
    outcomes.into_iter().next().unwrap().status.unwrap()
}

async fn a_wave_that_stays_unhealthy_stops_the_next(kind: Kind) {
    let cluster = Cluster::start(kind, Options::new("waves").controllers(false).pods(false)).unwrap();
    let wave = |name: &str, wave: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": name, "annotations": {"fleet.internal/wave": wave}},
        })
    };
    let web = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 1, "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]},
            },
        },
    });
    let objects = [wave("second", "2"), web, wave("first", "1"), wave("before", "-1")];
    let bed = Bed::new([&cluster]);
    let fleet = |unhealthy: Unhealthy, objects: &[Value]| {
        let mut options = EngineOptions::default();
        options.limits.health_max = Millis::from_secs(2);
        options.unhealthy = unhealthy;
        let source = Settable::new(inventory(objects));
        let fleet = bed.fleet(source).options(move |_| options.clone());
        fleet.observer(Notes::default()).build().unwrap()
    };
    let hand = Hand::new(&cluster, "default");
    let there = || ["before", "first", "second"].map(|name| hand.get("configmaps", name).is_ok());

    let status = applied(&fleet(Unhealthy::Stop, &objects)).await;
    assert_eq!(there(), [true, false, false]);
    let told: Vec<(String, String)> = status
        .blocked
        .iter()
        .map(|(key, reason)| (key.to_string(), reason.to_string()))
        .collect();
    let [(first, why), (second, behind)] = &told[..] else {
        panic!("{told:#?}")
    };
    assert_eq!(
        (first.as_str(), second.as_str()),
        ("ConfigMap default/first", "ConfigMap default/second")
    );
    assert!(
        why.contains("Deployment.apps default/web is not healthy after 2.0 s"),
        "{why}"
    );
    assert!(behind.contains("is of a later wave than"), "{behind}");
    assert_eq!(
        status
            .unhealthy
            .keys()
            .map(ToString::to_string)
            .collect::<Vec<_>>(),
        ["Deployment.apps default/web"]
    );

    // It gets well: the rest follows.
    let ready = json!({"status": {
        "observedGeneration": 1, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1,
        "conditions": [
            {"type": "Available", "status": "True"},
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"},
        ],
    }});
    hand.patch("apps/v1/deployments", "web/status", &ready).unwrap();
    let status = applied(&fleet(Unhealthy::Stop, &objects)).await;
    assert!(status.is_clean(), "{status:#?}");
    assert_eq!(there(), [true; 3]);

    // It falls ill again: what is there is kept as it is defined all the same, and what is new waits, or need not.
    let ill = json!({"status": {"availableReplicas": 0, "readyReplicas": 0, "conditions": null}});
    hand.patch("apps/v1/deployments", "web/status", &ill).unwrap();
    hand.delete("configmaps", "first").unwrap();
    let mut objects = objects.to_vec();
    objects.push(wave("third", "3"));
    for (unhealthy, made) in [(Unhealthy::Stop, false), (Unhealthy::GoOn, true)] {
        let status = applied(&fleet(unhealthy, &objects)).await;
        assert_eq!(there(), [true; 3], "{status:#?}");
        assert_eq!(hand.get("configmaps", "third").is_ok(), made, "{status:#?}");
    }
}
