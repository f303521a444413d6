//! Ownership that passes from one manager to another.

mod support;

use fleet_diff::{Object, OwnersError, Schemas, extract, migrate_updates, rename_manager, repair_versions};
use serde_json::{Value, json};
use support::object;

/// An entry in short: `name operation version subresource second: keys of data`.
fn entry(short: &str) -> Value {
    let (who, keys) = short.split_once(':').unwrap();
    let words: Vec<&str> = who.split(' ').collect();
    let data: Value = keys
        .split_whitespace()
        .map(|key| (format!("f:{key}"), json!({})))
        .collect();
    let mut entry = json!({
        "manager": words[0], "operation": words[1], "apiVersion": words[2],
        "fieldsType": "FieldsV1", "fieldsV1": {"f:data": data},
    });
    if words[3] != "-" {
        entry["subresource"] = json!(words[3]);
    }
    if words[4] != "-" {
        entry["time"] = json!(format!("2020-01-01T00:00:0{}Z", words[4]));
    }
    entry
}

fn short(entry: &Value) -> String {
    let word = |key: &str| entry[key].as_str().unwrap_or("-").to_owned();
    let time = word("time");
    let second = time
        .strip_prefix("2020-01-01T00:00:0")
        .map_or("-", |rest| &rest[..1]);
    let keys = entry["fieldsV1"]["f:data"].as_object().unwrap().keys();
    let keys: Vec<&str> = keys.map(|key| key.strip_prefix("f:").unwrap()).collect();
    format!(
        "{} {} {} {} {second}: {}",
        word("manager"),
        word("operation"),
        word("apiVersion"),
        word("subresource"),
        keys.join(" "),
    )
}

fn with_owners(api_version: &str, kind: &str, entries: &[&str]) -> Object {
    let entries: Vec<Value> = entries.iter().map(|short| entry(short)).collect();
    object(json!({
        "apiVersion": api_version, "kind": kind, "data": {"a": "1"},
        "metadata": {"namespace": "shop", "name": "a", "managedFields": entries},
    }))
}

fn owners(object: &Object) -> Vec<String> {
    let object = object.to_json();
    let entries = object["metadata"]["managedFields"].as_array();
    entries.into_iter().flatten().map(short).collect()
}

/// What becomes of the entries: `None` when nothing does.
fn becomes(after: Option<Object>) -> Option<Vec<String>> {
    after.map(|after| {
        assert_eq!(after.to_json()["data"], json!({"a": "1"}), "no field is written");
        owners(&after)
    })
}

/// As client-go's `csaupgrade` does it.
#[test]
fn updates_pass_to_an_applier() {
    type Lines = &'static [&'static str];
    let cases: &[(Lines, Lines, Option<Lines>)] = &[
        // Nothing to pass on: another's, an apply, a subresource.
        (&["kubectl"], &[], None),
        (
            &["kubectl"],
            &[
                "edit Update v1 - 1: a",
                "kubectl Apply v1 - 2: b",
                "kubectl Update v1 status 3: c",
            ],
            None,
        ),
        // The only one becomes the applier's.
        (
            &["kubectl"],
            &["kubectl Update v1 - 1: a b", "edit Update v1 - 2: c"],
            Some(&["fleet Apply v1 - 1: a b", "edit Update v1 - 2: c"]),
        ),
        // The applier's grows, and has the later time.
        (
            &["kubectl"],
            &["fleet Apply v1 - 1: a", "kubectl Update v1 - 3: b"],
            Some(&["fleet Apply v1 - 3: a b"]),
        ),
        (
            &["kubectl"],
            &["fleet Apply v1 - 5: a", "kubectl Update v1 - 3: b"],
            Some(&["fleet Apply v1 - 5: a b"]),
        ),
        // At other versions than the applier's they go.
        (
            &["kubectl"],
            &[
                "fleet Apply v1 - 1: a",
                "kubectl Update v1 - 2: b",
                "kubectl Update v2 - 3: c",
            ],
            Some(&["fleet Apply v1 - 2: a b"]),
        ),
        // Without an applier's the oldest says the version.
        (
            &["kubectl"],
            &["kubectl Update v1 - 4: a", "kubectl Update v2 - 3: b"],
            Some(&["fleet Apply v2 - 3: b"]),
        ),
        // Several, in the order of their names.
        (
            &["z", "kubectl"],
            &[
                "kubectl Update v1 - 4: a",
                "z Update v2 - 3: b",
                "z Update v1 - 5: c",
            ],
            Some(&["fleet Apply v1 - 5: a c"]),
        ),
    ];
    for (from, before, expected) in cases {
        let live = with_owners("v1", "ConfigMap", before);
        let expected = expected.map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
        let after = becomes(migrate_updates(&live, from, "fleet").unwrap());
        assert_eq!(after, expected, "{before:?}");
    }
}

#[test]
fn a_manager_gets_another_name() {
    let before = [
        "old Apply v1 - 1: a",
        "new Apply v1 - 2: b",
        "old Update v1 - 3: c",
        "old Update v1 status 4: d",
        "other Update v1 - 5: e",
    ];
    let live = with_owners("v1", "ConfigMap", &before);
    let after = [
        "new Apply v1 - 2: a b",
        "new Update v1 - 3: c",
        "new Update v1 status 4: d",
        "other Update v1 - 5: e",
    ];
    let renamed = rename_manager(&live, "old", "new").unwrap();
    assert_eq!(becomes(renamed).unwrap(), after);
    assert_eq!(rename_manager(&live, "nobody", "new").unwrap(), None);
    assert_eq!(rename_manager(&live, "old", "old").unwrap(), None);

    let live = with_owners("v1", "ConfigMap", &["old Apply v2 - 1: a", "new Apply v1 - 2: b"]);
    let error = rename_manager(&live, "old", "new").unwrap_err();
    assert_eq!(error, OwnersError::OtherVersion("v2".to_owned()));
    // Updates at two versions are two entries anyway.
    let live = with_owners(
        "v1",
        "ConfigMap",
        &["old Update v2 - 1: a", "new Update v1 - 2: b"],
    );
    let renamed = rename_manager(&live, "old", "new").unwrap();
    assert_eq!(
        becomes(renamed).unwrap(),
        ["new Update v2 - 1: a", "new Update v1 - 2: b"]
    );
}

fn definition() -> Object {
    let version = |name: &str| {
        json!({"name": name, "served": true, "storage": name == "v1", "schema": {"openAPIV3Schema": {
            "type": "object",
            "properties": {"data": {"type": "object", "additionalProperties": {"type": "string"}}},
        }}})
    };
    object(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.net"},
        "spec": {
            "group": "example.net", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [version("v1"), version("v2")],
        },
    }))
}

#[test]
fn entries_at_versions_that_are_gone_are_repaired() {
    let schemas = Schemas::builtin().with_crd(&definition()).unwrap();
    let thing = |entries: &[&str]| with_owners("example.net/v1", "Thing", entries);
    let repaired = |live: &Object| becomes(repair_versions(live, &schemas).unwrap());
    // Versions that are served stay as they are.
    assert_eq!(repaired(&thing(&[])), None);
    assert_eq!(
        repaired(&thing(&[
            "a Apply example.net/v2 - 1: a",
            "b Update example.net/v1 - 2: b"
        ])),
        None
    );
    let live = thing(&[
        "a Apply example.net/v1beta1 - 1: a",
        "b Update example.net/v1beta1 - 2: b",
        "b Update example.net/v1 - 3: c",
        "c Update example.net/v2 - 4: d",
        "d Update example.net/v1beta1 status 5: e",
        "e Update nonsense/v1/v2 - 6: f",
    ]);
    let after = [
        "a Apply example.net/v1 - 1: a",
        "b Update example.net/v1 - 3: b c",
        "c Update example.net/v2 - 4: d",
        "d Update example.net/v1 status 5: e",
        "e Update example.net/v1 - 6: f",
    ];
    assert_eq!(repaired(&live).unwrap(), after);
    // Of built-in kinds they go.
    let live = with_owners(
        "apps/v1",
        "Deployment",
        &["a Apply apps/v1beta1 - 1: a", "b Update apps/v1 - 2: b"],
    );
    assert_eq!(repaired(&live).unwrap(), ["b Update apps/v1 - 2: b"]);
    let live = with_owners("apps/v1", "Deployment", &["a Apply apps/v1beta1 - 1: a"]);
    let after = repair_versions(&live, &schemas).unwrap().unwrap();
    assert_eq!(
        after.to_json()["metadata"],
        json!({"namespace": "shop", "name": "a"})
    );
}

#[test]
fn entries_that_cannot_be_read_are_an_error() {
    let mut broken = with_owners("v1", "ConfigMap", &["a Update v1 - 1: a"]).to_json();
    broken["metadata"]["managedFields"][0]["operation"] = json!("Odd");
    let broken = object(broken);
    let is_error = |error: OwnersError| matches!(error, OwnersError::ManagedFields(_));
    assert!(is_error(migrate_updates(&broken, &["a"], "b").unwrap_err()));
    assert!(is_error(rename_manager(&broken, "a", "b").unwrap_err()));
    assert!(is_error(
        repair_versions(&broken, support::schemas()).unwrap_err()
    ));
    assert!(is_error(extract(&broken, "a", support::schemas()).unwrap_err()));
}
