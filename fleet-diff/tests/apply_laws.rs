//! What holds of every apply, whatever the object and its history.

mod support;

use fleet_diff::{Action, Apply, Conflict, Object, Prediction, json_patch, merge_patch};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use support::{applied, forced, object, schemas, updated};

/// One edit of a Deployment; which of them make a change depends on those before.
#[derive(Clone, Debug)]
enum Edit {
    Set(&'static str, Value),
    Remove(&'static str),
    Container(&'static str, &'static str, Value),
    WithoutContainer(&'static str),
}

const CONTAINERS: &str = "/spec/template/spec/containers";

impl Edit {
    fn make(&self, object: &mut Value) {
        match self {
            Self::Set(pointer, value) => {
                let (outer, key) = pointer.rsplit_once('/').unwrap();
                if let Some(outer) = object.pointer_mut(outer).and_then(Value::as_object_mut) {
                    outer.insert(key.to_owned(), value.clone());
                }
            }
            Self::Remove(pointer) => {
                let (outer, key) = pointer.rsplit_once('/').unwrap();
                if let Some(outer) = object.pointer_mut(outer).and_then(Value::as_object_mut) {
                    outer.remove(key);
                }
            }
            Self::Container(name, field, value) => {
                let containers = object
                    .pointer_mut(CONTAINERS)
                    .and_then(Value::as_array_mut)
                    .unwrap();
                if let Some(container) = containers.iter_mut().find(|container| container["name"] == *name) {
                    container[*field] = value.clone();
                } else {
                    let mut container = json!({"name": name, "image": "new:1"});
                    container[*field] = value.clone();
                    containers.push(container);
                }
            }
            Self::WithoutContainer(name) => {
                let containers = object
                    .pointer_mut(CONTAINERS)
                    .and_then(Value::as_array_mut)
                    .unwrap();
                containers.retain(|container| container["name"] != *name || container["name"] == "web");
            }
        }
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    let name = || prop::sample::select(vec!["web", "log", "proxy"]);
    prop_oneof![
        (0..4).prop_map(|n| Edit::Set("/spec/replicas", json!(n))),
        any::<bool>().prop_map(|paused| Edit::Set("/spec/paused", json!(paused))),
        (0..3).prop_map(|n| Edit::Set("/metadata/labels/tier", json!(format!("t{n}")))),
        (0..3).prop_map(|n| Edit::Set(
            "/metadata/annotations",
            json!({"example.com/note": format!("n{n}")})
        )),
        Just(Edit::Set("/spec/strategy", json!({"type": "Recreate"}))),
        Just(Edit::Set(
            "/spec/strategy",
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "10%"}})
        )),
        Just(Edit::Set(
            "/spec/template/spec/nodeSelector",
            json!({"disk": "ssd"})
        )),
        Just(Edit::Set(
            "/spec/template/spec/tolerations",
            json!([{"key": "a", "operator": "Exists"}])
        )),
        prop::sample::select(vec![
            "/spec/replicas",
            "/spec/paused",
            "/metadata/labels/tier",
            "/metadata/annotations",
            "/spec/strategy",
            "/spec/template/spec/nodeSelector",
            "/spec/template/spec/tolerations",
        ])
        .prop_map(Edit::Remove),
        (name(), 0..3).prop_map(|(name, n)| Edit::Container(name, "image", json!(format!("image:{n}")))),
        (name(), 1..4).prop_map(|(name, n)| {
            let ports: Vec<Value> = (0..n).map(|i| json!({"containerPort": 80 + i})).collect();
            Edit::Container(name, "ports", json!(ports))
        }),
        (
            name(),
            prop::sample::select(vec!["1", "1000m", "0.5", "500m", "1Gi"])
        )
            .prop_map(|(name, amount)| {
                Edit::Container(name, "resources", json!({"requests": {"cpu": amount}}))
            }),
        (name(), 0..3).prop_map(|(name, n)| {
            Edit::Container(
                name,
                "env",
                json!([{"name": "A", "value": format!("{n}")}, {"name": "B", "value": ""}]),
            )
        }),
        name().prop_map(Edit::WithoutContainer),
    ]
}

fn deployment(edits: &[Edit]) -> Value {
    let mut object = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web", "labels": {"app": "web"}},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            },
        },
    });
    for edit in edits {
        edit.make(&mut object);
    }
    object
}

#[derive(Clone, Debug)]
struct Write {
    manager: usize,
    is_apply: bool,
    edits: Vec<Edit>,
}

/// Applies and updates of several managers, the first of them a create.
fn history() -> impl Strategy<Value = Vec<Write>> {
    let write = (0..3_usize, any::<bool>(), vec(edit(), 0..6));
    vec(
        write.prop_map(|(manager, is_apply, edits)| Write {
            manager,
            is_apply,
            edits,
        }),
        1..5,
    )
}

const NAMES: [&str; 3] = ["fleet", "them", "zorro"];

fn live(history: &[Write], names: [&str; 3]) -> Object {
    let mut live = applied(None, &deployment(&[]), names[0]);
    for write in history {
        let name = names[write.manager];
        // What a server refuses leaves the object as it was.
        live = if write.is_apply {
            match forced(Some(&live), &deployment(&write.edits), name) {
                Prediction::Object(object) => object,
                _ => live,
            }
        } else {
            // As the server stores it: what an apply of just that would store.
            let mut value = live.to_json();
            for edit in &write.edits {
                edit.make(&mut value);
            }
            value["metadata"].as_object_mut().unwrap().remove("managedFields");
            let Prediction::Object(stored) = forced(None, &value, "writer") else {
                continue;
            };
            let stored = stored.to_json();
            updated(&live, name, "", |live| {
                live["spec"] = stored["spec"].clone();
                live["metadata"]["labels"] = stored["metadata"]["labels"].clone();
                live["metadata"]["annotations"] = stored["metadata"]["annotations"].clone();
                live["metadata"]
                    .as_object_mut()
                    .unwrap()
                    .retain(|_, value| !value.is_null());
            })
        };
    }
    live
}

/// Duplicates in lists and the like are refused: there is nothing to be said of them here.
fn foreseen(desired: &Object, live: &Object, force: bool) -> Prediction {
    Apply::new(desired, "fleet", schemas())
        .to(Some(live))
        .force(force)
        .predict()
}

proptest! {
    #![proptest_config(support::cases(96))]

    #[test]
    fn an_apply_is_idempotent(history in history(), edits in vec(edit(), 0..6)) {
        let live = live(&history, NAMES);
        let desired = object(deployment(&edits));
        let Prediction::Object(once) = foreseen(&desired, &live, true) else { return Ok(()) };
        let Prediction::Object(twice) = foreseen(&desired, &once, true) else { panic!("it was taken once") };
        prop_assert_eq!(twice.to_json(), once.to_json());
        // Nothing is left to do, forced or not.
        for force in [true, false] {
            let decision = Apply::new(&desired, "fleet", schemas()).to(Some(&once)).force(force).decide();
            prop_assert_eq!(decision.action(), Action::None, "{:?}", decision.changes());
            prop_assert!(decision.changes().is_empty());
        }
    }

    #[test]
    fn what_is_defined_is_there_afterwards(history in history(), edits in vec(edit(), 0..6)) {
        let live = live(&history, NAMES);
        let desired = deployment(&edits);
        let Prediction::Object(after) = foreseen(&object(desired.clone()), &live, true) else { return Ok(()) };
        let after = after.to_json();
        for container in desired.pointer(CONTAINERS).unwrap().as_array().unwrap() {
            let found = after.pointer(CONTAINERS).unwrap().as_array().unwrap().iter();
            let found = found.filter(|other| other["name"] == container["name"]).collect::<Vec<_>>();
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(&found[0]["image"], &container["image"]);
        }
        for key in ["replicas", "paused"] {
            let wanted = &desired["spec"][key];
            let is_zero = *wanted == json!(false);
            prop_assert!(wanted.is_null() || is_zero || after["spec"][key] == *wanted, "{} is {}", key, wanted);
        }
    }

    #[test]
    fn patches_make_what_was_foreseen(history in history(), edits in vec(edit(), 0..6)) {
        let live = live(&history, NAMES);
        let Prediction::Object(after) = foreseen(&object(deployment(&edits)), &live, true) else { return Ok(()) };
        let (before, after) = (live.to_json(), after.to_json());
        let mut patched = before.clone();
        json_patch::patch(&mut patched, &json_patch(&before, &after)).unwrap();
        prop_assert_eq!(&patched, &after);
        let mut merged = before.clone();
        json_patch::merge(&mut merged, &merge_patch(&before, &after));
        prop_assert_eq!(&merged, &after);
        prop_assert_eq!(before == after, json_patch(&before, &after).0.is_empty());
    }

    #[test]
    fn patches_of_a_decision_make_what_was_foreseen_but_owners(history in history(), edits in vec(edit(), 0..6)) {
        let (live, desired) = (live(&history, NAMES), object(deployment(&edits)));
        let decision = Apply::new(&desired, NAMES[0], schemas()).to(Some(&live)).force(true).decide();
        let (patch, merge) = (decision.json_patch(), decision.merge_patch());
        prop_assert_eq!(patch.is_some(), decision.predicted().is_some());
        let (Some(patch), Some(merge), Some(after)) = (patch, merge, decision.predicted()) else { return Ok(()) };
        let with_owners_of = |mut value: Value| {
            value["metadata"]["managedFields"] = after.to_json()["metadata"]["managedFields"].clone();
            value
        };
        let (mut patched, mut merged) = (live.to_json(), live.to_json());
        json_patch::patch(&mut patched, &patch).unwrap();
        json_patch::merge(&mut merged, &merge);
        prop_assert_eq!(with_owners_of(patched), after.to_json());
        prop_assert_eq!(with_owners_of(merged), after.to_json());
        if decision.action() == Action::None {
            prop_assert_eq!((patch.0.len(), merge), (0, json!({})));
        }
    }

    #[test]
    fn conflicts_go_with_the_names(history in history(), edits in vec(edit(), 0..6)) {
        let renamed = ["fleet", "a-first", "them"];
        let conflicts = |names: [&str; 3]| -> Vec<Conflict> {
            match foreseen(&object(deployment(&edits)), &live(&history, names), false) {
                Prediction::Conflicts(conflicts) => conflicts,
                _ => Vec::new(),
            }
        };
        let rename = |conflict: Conflict| {
            let at = NAMES.iter().position(|name| *name == conflict.manager).unwrap();
            let mut conflict = conflict;
            conflict.manager = renamed[at].to_owned();
            conflict
        };
        let mut expected: Vec<Conflict> = conflicts(NAMES).into_iter().map(rename).collect();
        expected.sort();
        prop_assert_eq!(conflicts(renamed), expected);
    }

    #[test]
    fn verdicts_come_in_one_order(history in history(), edits in vec(edit(), 0..6), seed in any::<usize>()) {
        let live = live(&history, NAMES);
        let desired = object(deployment(&edits));
        // The entries of managedFields in another order.
        let mut turned = live.to_json();
        if let Some(entries) = turned["metadata"]["managedFields"].as_array_mut() {
            let by = seed % entries.len();
            entries.rotate_left(by);
        }
        let turned = object(turned);
        let fields = |live: &Object| {
            let decision = Apply::new(&desired, "fleet", schemas()).to(Some(live)).force(true).decide();
            decision.fields().into_iter().map(|field| (field.path, field.verdict)).collect::<Vec<_>>()
        };
        let found = fields(&live);
        prop_assert!(found.is_sorted_by(|a, b| a.0 <= b.0));
        prop_assert_eq!(fields(&turned), found);
    }
}
