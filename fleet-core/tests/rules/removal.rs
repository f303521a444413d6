//! What is no longer listed goes in the opposite order: custom resources before what answers for them, what mounts before
//! what is mounted, later waves before earlier ones. What does not go holds back what it needs, and nothing else.

use fleet_core::*;
use serde_json::{Value, json};

use crate::support::*;

const FINALIZER: &str = "example.com/operator";

fn permitted() -> EngineOptions {
    let mut options = EngineOptions::default();
    options.permitted_kinds = [GroupKind::new("", "Namespace"), crd_kind()].into();
    options
}

/// Pods with an account, a map that they mount, and the kind they answer for.
fn operator() -> Vec<Value> {
    let mut operator = mounting("Deployment", "operator");
    operator["spec"]["template"]["spec"]["serviceAccountName"] = json!("operator");
    let account = json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": "shop", "name": "operator"},
    });
    vec![namespace("shop"), crd(), map("a", "1"), account, operator]
}

fn deletes(world: &mut World) -> Vec<String> {
    let writes = world.writes().into_iter();
    let deletes = writes.filter(|sent| matches!(sent.request, Request::Delete { .. }));
    deletes.map(|sent| sent.request.key().to_string()).collect()
}

fn place(order: &[String], what: &str) -> usize {
    let found = order.iter().position(|key| key == what);
    found.unwrap_or_else(|| panic!("{what} was not deleted: {order:?}"))
}

/// A world with the operator, and a widget that it has to clean up.
fn with_widget() -> World {
    let mut world = World::new(permitted());
    let widget = [widget("v1", "w")];
    world.publish(
        "1",
        operator().into_iter().chain(widget).chain([namespace("other")]),
    );
    world.edit(
        &widget_key("w"),
        "metadata.finalizers",
        json!([FINALIZER]),
        "operator",
    );
    world.run();
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    world.requests();
    world
}

#[test]
fn an_operator_goes_after_its_custom_resources_and_before_what_it_uses() {
    for restart in [false, true] {
        let mut world = with_widget();
        world.publish("2", [namespace("other")]);
        assert_eq!(deletes(&mut world), ["Widget.example.com shop/w"]);
        if restart {
            world.restart(permitted());
            world.publish("2", [namespace("other")]);
        }
        world.pass(Millis::from_mins(10));
        assert_eq!(
            deletes(&mut world),
            [""; 0],
            "its finalizer is the operator's work"
        );
        let status = world.engine.status();
        let operator = ObjectKey::new("apps", "Deployment", Some("shop"), "operator");
        let why = status.waiting[&operator].to_string();
        assert!(why.contains("custom resources are gone"), "{why}");
        let why = status.waiting[&key("a")].to_string();
        assert!(
            why.contains("once Deployment.apps shop/operator is gone, which has pods that mount it"),
            "{why}"
        );

        world.vanish(&widget_key("w"));
        world.pass(Millis::from_mins(1));
        let order = deletes(&mut world);
        assert_eq!(order.len(), 5, "{order:?}");
        assert_eq!(place(&order, "Deployment.apps shop/operator"), 0, "{order:?}");
        let crd = place(
            &order,
            "CustomResourceDefinition.apiextensions.k8s.io widgets.example.com",
        );
        assert_eq!((crd, place(&order, "Namespace shop")), (3, 4), "{order:?}");
        assert_eq!(world.keys(), ["Namespace other"]);
        assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    }
}

/// Intents are recorded a hundred at a time; whose turn it is does not depend on that.
#[test]
fn the_order_holds_over_all_that_goes_and_not_only_over_what_was_recorded_with_it() {
    let mut options = permitted();
    options.budget = DeleteBudget::new(1000, 100, 1000);
    let mut world = World::new(options);
    let wave = |i: usize| {
        let mut map = map(&format!("m{i:03}"), "1");
        map["metadata"]["annotations"] = json!({"fleet.internal/wave": (i % 7).to_string()});
        map
    };
    let all = (0..350).map(wave);
    world.publish("1", all.chain([namespace("shop")]));
    world.pass(Millis::from_mins(1));
    world.requests();
    world.publish("2", [namespace("shop")]);
    world.pass(Millis::from_mins(1));
    let order = deletes(&mut world);
    assert_eq!(order.len(), 350);
    let waves = order
        .iter()
        .map(|key| key[key.len() - 3..].parse::<usize>().unwrap() % 7);
    assert!(waves.is_sorted_by(|a, b| a >= b), "{order:?}");
}

#[test]
fn what_is_listed_again_holds_nothing_back() {
    let mut world = with_widget();
    world.publish("2", [namespace("other")]);
    assert_eq!(deletes(&mut world), ["Widget.example.com shop/w"]);
    // The operator stays after all; what is left goes, or waits for the widget.
    world.publish("3", operator().into_iter().chain([namespace("other")]));
    world.pass(Millis::from_mins(1));
    assert_eq!(deletes(&mut world), [""; 0]);
    world.vanish(&widget_key("w"));
    world.pass(Millis::from_mins(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    assert_eq!(world.keys().len(), 6);
}

fn operator_key() -> ObjectKey {
    ObjectKey::new("apps", "Deployment", Some("shop"), "operator")
}

/// Deleted, and held by the operator's finalizer.
fn lingering() -> World {
    let mut world = with_widget();
    world.publish("2", [namespace("other")]);
    assert_eq!(deletes(&mut world), ["Widget.example.com shop/w"]);
    world
}

#[test]
fn what_is_not_known_for_a_while_keeps_its_place() {
    type Doubt = (&'static str, fn(&mut World), fn(&mut World));
    let doubts: [Doubt; 3] = [
        (
            "its kind is not discovered",
            |world| {
                world.undiscovered.insert(GroupKind::new("example.com", "Widget"));
                world.kinds.incomplete.insert("example.com".into());
                let kinds = world.discovery();
                world.push(Event::Kinds(kinds));
            },
            |world| {
                world.undiscovered.clear();
                world.kinds.incomplete.clear();
                let kinds = world.discovery();
                world.push(Event::Kinds(kinds));
            },
        ),
        (
            "the inventory is unknown",
            |world| world.unknown("no answer"),
            |world| world.publish("2", [namespace("other")]),
        ),
        (
            "a process that begins long after the grant",
            |world| {
                world.pass(Millis::from_mins(70));
                world.restart(permitted());
            },
            |world| world.publish("2", [namespace("other")]),
        ),
    ];
    for (name, begins, ends) in doubts {
        let mut world = lingering();
        begins(&mut world);
        world.pass(Millis::from_mins(1));
        ends(&mut world);
        world.pass(Millis::from_mins(1));
        assert_eq!(deletes(&mut world), [""; 0], "{name}");
        assert!(world.get(&operator_key()).is_some(), "{name}");
        world.vanish(&widget_key("w"));
        world.pass(Millis::from_mins(1));
        assert_eq!(
            place(&deletes(&mut world), "Deployment.apps shop/operator"),
            0,
            "{name}"
        );
        world.pass(Millis::from_mins(1));
        assert_eq!(
            world.keys(),
            ["Namespace other"],
            "{name}: {:?}",
            world.engine.status()
        );
    }
}

/// Granted and recorded, and then another process, which sees the kinds in any order.
#[test]
fn a_new_process_finds_the_same_order_whatever_it_sees_first() {
    for seed in 0..30 {
        let mut world = with_widget();
        let mut free = world.get(&widget_key("w")).unwrap().clone();
        free["metadata"].as_object_mut().unwrap().remove("finalizers");
        world.store(free);
        world.run();
        world.interfere = Some(Box::new(|_, request| {
            matches!(request, Request::Delete { .. }).then(|| Answer::NotSent(lost()))
        }));
        world.publish("2", [namespace("other")]);
        assert_eq!(world.keys().len(), 7);
        world.interfere = None;
        world.restart(permitted());
        world.requests();
        world.shuffle = Some(seed);
        world.publish("2", [namespace("other")]);
        world.pass(Millis::from_mins(5));
        let order = deletes(&mut world);
        assert_eq!(order.len(), 6, "{seed}: {order:?} {:?}", world.engine.status());
        for (first, then) in [
            ("Widget.example.com shop/w", "Deployment.apps shop/operator"),
            ("Deployment.apps shop/operator", "ConfigMap shop/a"),
            ("Deployment.apps shop/operator", "ServiceAccount shop/operator"),
        ] {
            assert!(place(&order, first) < place(&order, then), "{seed}: {order:?}");
        }
    }
}

#[test]
fn what_stays_holds_back_what_it_needs_and_nothing_else() {
    let mut world = World::new(EngineOptions::default());
    let set = mounting("StatefulSet", "db");
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1"), set]);
    world.requests();
    world.publish("2", [namespace("shop")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(
        deletes(&mut world),
        ["ConfigMap shop/b"],
        "a StatefulSet needs a permission"
    );
    let why = world.engine.status().waiting[&key("a")].to_string();
    assert!(why.contains("once StatefulSet.apps shop/db is gone"), "{why}");

    let mut options = EngineOptions::default();
    options.permitted_kinds = [GroupKind::new("apps", "StatefulSet")].into();
    world.restart(options);
    world.publish("2", [namespace("shop")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(
        deletes(&mut world),
        ["StatefulSet.apps shop/db", "ConfigMap shop/a"]
    );
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn a_hold_in_the_middle_plans_what_is_left_and_comes_to_rest() {
    let mut world = lingering();
    world.push(Event::Hold(Some(Reason::new("paused", "not now"))));
    world.pass(Millis::from_mins(1));
    assert!(world.engine.is_settled());
    let status = world.engine.status();
    assert_eq!(status.pending.len(), 5, "{status:?}");
    world.vanish(&widget_key("w"));
    world.pass(Millis::from_mins(1));
    assert_eq!(deletes(&mut world), [""; 0]);
    world.push(Event::Hold(None));
    world.pass(Millis::from_mins(1));
    assert_eq!(place(&deletes(&mut world), "Deployment.apps shop/operator"), 0);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}
