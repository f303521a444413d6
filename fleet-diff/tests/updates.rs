//! Who owns what after updates: subresources, other versions, and too many writers.

mod support;

use fleet_diff::{Action, Apply, Object, OwnersError, Prediction, Schemas, Update};
use serde_json::{Value, json};
use support::{applied, object, owners, schemas, updated_at};

fn settings(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a"}, "data": data})
}

fn names(object: &Object) -> Vec<String> {
    owners(object).into_iter().map(|(who, _)| who).collect()
}

fn second(second: usize) -> String {
    format!("2020-01-01T00:00:{second:02}Z")
}

#[test]
fn what_nobody_applies_is_not_watched_over() {
    let bare = object(settings(json!({"a": "1"})));
    let after = updated_at(&bare, "edit", &second(1), |object| {
        object["data"]["a"] = json!("2");
    });
    assert_eq!(owners(&after), []);
}

#[test]
fn subresources_have_entries_of_their_own() {
    let web = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
    });
    let live = applied(None, &web, "fleet");
    let write = |live: &Object, subresource: &str, at: usize, edit: &dyn Fn(&mut Value)| {
        let mut value = live.to_json();
        edit(&mut value);
        let written = object(value);
        let time = second(at);
        let update = Update::new(&written, "controller", schemas()).of(Some(live));
        update.through(subresource).at(&time).owners().unwrap()
    };
    let live = write(&live, "status", 1, &|web| web["status"] = json!({"replicas": 1}));
    let live = write(&live, "scale", 2, &|web| web["spec"]["replicas"] = json!(2));
    let live = write(&live, "", 3, &|web| web["spec"]["paused"] = json!(true));
    let all = owners(&live);
    let who: Vec<&str> = all.iter().map(|(who, _)| who.as_str()).collect();
    let expected = [
        "fleet Apply apps/v1 - -",
        "controller Update apps/v1 status 2020-01-01T00:00:01Z",
        "controller Update apps/v1 scale 2020-01-01T00:00:02Z",
        "controller Update apps/v1 - 2020-01-01T00:00:03Z",
    ];
    assert_eq!(who, expected);
    assert_eq!(all[0].1["f:spec"].get("f:replicas"), None);
    assert_eq!(all[1].1, json!({"f:status": {"f:replicas": {}}}));
    assert_eq!(all[2].1, json!({"f:spec": {"f:replicas": {}}}));
    // Its other entries lose what it writes in another way.
    let live = write(&live, "", 4, &|web| web["spec"]["replicas"] = json!(3));
    let expected = [
        "fleet Apply apps/v1 - -",
        "controller Update apps/v1 status 2020-01-01T00:00:01Z",
        "controller Update apps/v1 - 2020-01-01T00:00:04Z",
    ];
    assert_eq!(names(&live), expected);
}

#[test]
fn the_time_is_that_of_the_last_change() {
    let live = applied(None, &settings(json!({"a": "1"})), "fleet");
    let live = updated_at(&live, "edit", &second(1), |object| {
        object["data"]["b"] = json!("1");
    });
    let who = |live: &Object| names(live).pop().unwrap();
    assert_eq!(who(&live), "edit Update v1 - 2020-01-01T00:00:01Z");
    // Nothing, or something that goes, is no change of what it owns.
    let live = updated_at(&live, "edit", &second(2), |_| {});
    assert_eq!(who(&live), "edit Update v1 - 2020-01-01T00:00:01Z");
    let gone = updated_at(&live, "edit", &second(3), |object| {
        object["data"].as_object_mut().unwrap().remove("a");
    });
    assert_eq!(who(&gone), "edit Update v1 - 2020-01-01T00:00:01Z");
    let live = updated_at(&live, "edit", &second(4), |object| {
        object["data"]["b"] = json!("2");
    });
    assert_eq!(who(&live), "edit Update v1 - 2020-01-01T00:00:04Z");
}

/// As `capmanagers.go` does it: ten entries of updates at most.
#[test]
fn the_oldest_of_many_writers_become_one() {
    let mut live = applied(None, &settings(json!({"a": "1"})), "fleet");
    let write = |live: &Object, at: usize| {
        updated_at(live, &format!("u{at:02}"), &second(at), |object| {
            object["data"][format!("k{at:02}")] = json!("1");
        })
    };
    for at in 1..=10 {
        live = write(&live, at);
        assert_eq!(owners(&live).len(), 1 + at);
    }
    let fields = |keys: &[&str]| {
        let keys: Value = keys.iter().map(|key| (format!("f:{key}"), json!({}))).collect();
        json!({ "f:data": keys })
    };
    assert!(names(&live)[1].starts_with("u01 "));
    live = write(&live, 11);
    let all = owners(&live);
    assert_eq!(all.len(), 11);
    assert_eq!(
        all[1],
        (
            "ancient-changes Update v1 - 2020-01-01T00:00:02Z".to_owned(),
            fields(&["k01", "k02"])
        )
    );
    assert_eq!(
        all[2],
        (
            "u03 Update v1 - 2020-01-01T00:00:03Z".to_owned(),
            fields(&["k03"])
        )
    );
    // The next one joins it.
    live = write(&live, 12);
    let all = owners(&live);
    assert_eq!(all.len(), 11);
    let ancient = (
        "ancient-changes Update v1 - 2020-01-01T00:00:03Z".to_owned(),
        fields(&["k01", "k02", "k03"]),
    );
    assert_eq!(all[1], ancient);
    // An apply more is none too many.
    live = applied(Some(&live), &settings(json!({"b": "1"})), "other");
    assert_eq!(owners(&write(&live, 4)).len(), 12);
}

const VERSIONS: [&str; 2] = ["example.net/v1", "example.net/v2"];

/// Two versions, of which only the second has `more`.
fn definition() -> Object {
    let version = |name: &str, properties: Value| {
        json!({"name": name, "served": true, "storage": name == "v1",
            "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}})
    };
    let number = json!({"type": "integer"});
    object(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.net"},
        "spec": {
            "group": "example.net", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [
                version("v1", json!({"a": number, "b": number})),
                version("v2", json!({"a": number, "b": number, "more": number})),
            ],
        },
    }))
}

fn thing(api_version: &str, fields: &Value, entries: &[(&str, &str, &str)]) -> Object {
    let entries: Vec<Value> = entries
        .iter()
        .enumerate()
        .map(|(at, (manager, version, key))| {
            json!({"manager": manager, "operation": "Update", "apiVersion": version, "time": second(at),
                "fieldsType": "FieldsV1", "fieldsV1": {format!("f:{key}"): {}}})
        })
        .collect();
    let mut thing = json!({"apiVersion": api_version, "kind": "Thing",
        "metadata": {"namespace": "shop", "name": "a", "managedFields": entries}});
    for (key, value) in fields.as_object().unwrap() {
        thing[key] = value.clone();
    }
    object(thing)
}

/// An apply has one entry, whatever version it is written in.
#[test]
fn an_apply_at_another_version_takes_its_entry_along() {
    let schemas = Schemas::builtin().with_crd(&definition()).unwrap();
    let [v1, v2] = VERSIONS;
    let fields = json!({"a": 1, "b": 1});
    let mut live = thing(v2, &fields, &[("fleet", v1, "a"), ("other", v1, "b")]).to_json();
    for entry in live["metadata"]["managedFields"].as_array_mut().unwrap() {
        entry["operation"] = json!("Apply");
    }
    let live = object(live);
    let mut desired = thing(v2, &json!({"a": 1}), &[]).to_json();
    desired["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("managedFields");
    let desired = object(desired);
    let apply = Apply::new(&desired, "fleet", &schemas).to(Some(&live));
    let Prediction::Object(after) = apply.predict() else {
        panic!("nothing is in its way");
    };
    let expected = [
        "fleet Apply example.net/v2 - 2020-01-01T00:00:00Z",
        "other Apply example.net/v1 - 2020-01-01T00:00:01Z",
    ];
    assert_eq!(names(&after), expected);
    assert_eq!(apply.decide().action(), Action::Adopt);
}

#[test]
fn owners_at_another_version_lose_fields_too() {
    let schemas = Schemas::builtin().with_crd(&definition()).unwrap();
    let [v1, v2] = VERSIONS;
    let entries = [("other", v2, "a"), ("edit", v2, "b"), ("third", v1, "b")];
    let live = thing(v1, &json!({"a": 1, "b": 1}), &entries);
    let after = thing(v1, &json!({"a": 2, "b": 1}), &[]);
    let update = |live: &Object, after: &Object| {
        Update::new(after, "edit", &schemas)
            .of(Some(live))
            .at(&second(9))
            .owners()
    };
    let found = owners(&update(&live, &after).unwrap());
    let expected = [
        (
            "edit Update example.net/v2 - 2020-01-01T00:00:01Z".to_owned(),
            json!({"f:b": {}}),
        ),
        (
            "third Update example.net/v1 - 2020-01-01T00:00:02Z".to_owned(),
            json!({"f:b": {}}),
        ),
        (
            "edit Update example.net/v1 - 2020-01-01T00:00:09Z".to_owned(),
            json!({"f:a": {}}),
        ),
    ];
    assert_eq!(found, expected);

    // What the other version does not have.
    let live = thing(v2, &json!({"a": 1, "more": 1}), &[("other", v1, "a")]);
    let after = thing(v2, &json!({"a": 1, "more": 2}), &[]);
    assert_eq!(
        update(&live, &after),
        Err(OwnersError::DoesNotFit(".more".to_owned()))
    );
    // It comes with the update.
    let live = thing(v2, &json!({"a": 1}), &[("other", v1, "a")]);
    assert_eq!(
        update(&live, &after),
        Err(OwnersError::DoesNotFit(".more".to_owned()))
    );
    // Nobody owns anything there.
    let live = thing(v2, &json!({"a": 1, "more": 1}), &[("other", v2, "a")]);
    assert_eq!(owners(&update(&live, &after).unwrap()).len(), 2);
}

/// Too many writers at two versions: each version has its own.
#[test]
fn the_oldest_writers_at_each_version_become_one() {
    let schemas = Schemas::builtin().with_crd(&definition()).unwrap();
    let [v1, v2] = VERSIONS;
    let managers: Vec<String> = (0..11).map(|at| format!("u{at:02}")).collect();
    let entries: Vec<(&str, &str, &str)> = managers
        .iter()
        .enumerate()
        .map(|(at, name)| {
            (
                name.as_str(),
                if at % 2 == 0 { v1 } else { v2 },
                if at % 4 < 2 { "a" } else { "b" },
            )
        })
        .collect();
    let live = thing(v1, &json!({"a": 1, "b": 1}), &entries);
    let after = thing(v1, &json!({"a": 1, "b": 1}), &[]);
    let after = Update::new(&after, "edit", &schemas)
        .of(Some(&live))
        .at("2020-01-01T00:01:00Z");
    // Nothing is written: the writer gets no entry.
    let found = owners(&after.owners().unwrap());
    let both = json!({"f:a": {}, "f:b": {}});
    assert_eq!(
        found[0],
        (
            "u01 Update example.net/v2 - 2020-01-01T00:00:01Z".to_owned(),
            json!({"f:a": {}})
        )
    );
    assert_eq!(
        found[1],
        (
            "ancient-changes Update example.net/v1 - 2020-01-01T00:00:02Z".to_owned(),
            both
        )
    );
    assert_eq!(found.len(), 10);
}
