//! Custom resources of this test, and the policy.

use fleet_diff::{ReadLimits, read_objects};
use serde_json::{Value, json};

/// Definitions that have to be there first.
pub(super) fn definitions() -> Vec<Value> {
    with_drifts(read(include_str!("own/crds.yaml")))
}

/// What becomes of some of them.
pub(super) fn evolved() -> Vec<Value> {
    with_drifts(read(include_str!("own/evolved.yaml")))
}

/// Resources of them.
pub(super) fn resources() -> Vec<Value> {
    with_drifts(read(include_str!("own/resources.yaml")))
}

/// The policy, and what binds it.
pub(super) fn policies() -> Vec<Value> {
    read(include_str!("own/policies.yaml"))
}

/// Whether it is of a kind whose schema changes.
pub(super) fn evolves(document: &Value) -> bool {
    matches!(document["kind"].as_str(), Some("Shift" | "Drift"))
        && document["apiVersion"] == "truth.example.net/v1"
}

/// Adds values of the fields that go.
pub(super) fn with_what_goes(document: &mut Value) {
    let spec = &mut document["spec"];
    spec["gone"] = json!("gone");
    spec["goneMap"] = json!({"a": "b"});
    spec["goneList"] = json!(["x", "y"]);
    spec["nested"]["gone"] = json!(5);
    spec["nested"]["inner"]["gone"] = json!(true);
    spec["parts"][0]["gone"] = json!("gone");
}

/// Of kinds that change there are two, one of them without namespaces.
fn with_drifts(mut documents: Vec<Value>) -> Vec<Value> {
    let shifts: Vec<Value> = documents
        .iter()
        .filter(|document| evolves(document) || document["metadata"]["name"] == "shifts.truth.example.net")
        .cloned()
        .collect();
    for shift in shifts {
        let text = shift
            .to_string()
            .replace("shift", "drift")
            .replace("Shift", "Drift");
        let mut drift: Value = serde_json::from_str(&text).expect("JSON");
        if drift["kind"] == "CustomResourceDefinition" {
            drift["spec"]["scope"] = json!("Cluster");
        }
        documents.push(drift);
    }
    documents
}

pub(super) fn read(text: &str) -> Vec<Value> {
    let found = read_objects(text, &ReadLimits::default()).expect("own definitions are readable");
    found
        .into_iter()
        .map(|located| located.object.to_json())
        .collect()
}
