//! Answers of a real API server to dry runs of applies (`data/README.md`), foretold again.

mod support;

use std::collections::BTreeSet;

use fleet_diff::{Apply, Object, Prediction, Schemas};
use serde_json::{Value, json};
use support::object;

const CASES: &str = include_str!("data/recorded/cases.jsonl");
const DEFINITIONS: &str = include_str!("data/recorded/definitions.jsonl");

/// The time of an apply.
const NOW: &str = "now";

fn lines(text: &str) -> impl Iterator<Item = Value> + '_ {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
}

fn schemas() -> Schemas {
    lines(DEFINITIONS).fold(
        Schemas::for_kubernetes("1.36").expect("a known version"),
        |schemas, definition| schemas.with_crd(&object(definition)).expect("a definition"),
    )
}

/// The object that the server answered: as it is, or as a patch of the live one; and its owners.
fn answered(case: &Value) -> Option<Value> {
    let live = &case["live"];
    let mut answer = live.clone();
    match case.get("object") {
        Some(object) => answer = object.clone(),
        None => json_patch::merge(&mut answer, case.get("patch")?),
    }
    let owners = case["owners"].as_array().expect("a list").iter();
    let owners = owners.map(|owner| match owner.as_u64() {
        // As it was.
        Some(at) => live["metadata"]["managedFields"]
            .get(usize::try_from(at).expect("small"))
            .expect("an entry")
            .clone(),
        None => owner.clone(),
    });
    answer["metadata"]["managedFields"] = owners.collect();
    Some(answer)
}

/// Sorts entries, which servers sort by time. A server that answers within the second in which the object was written
/// gives that time again: then the prediction may say either.
fn comparable(mut object: Value, theirs: Option<&Value>) -> Value {
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    let Some(Value::Array(mut entries)) = metadata.remove("managedFields") else {
        metadata.insert("managedFields".to_owned(), json!([]));
        return object;
    };
    let others = theirs.and_then(|theirs| theirs["metadata"]["managedFields"].as_array());
    for entry in entries
        .iter_mut()
        .filter(|entry| entry["time"] == NOW && entry["operation"] == "Apply")
    {
        let is_same = |other: &&Value| {
            let keys = ["manager", "operation", "subresource"];
            keys.iter().all(|key| other.get(key) == entry.get(key))
        };
        let other = others.and_then(|others| others.iter().find(is_same));
        if let Some(time) = other.and_then(|other| other.get("time")) {
            entry["time"] = time.clone();
        }
    }
    entries.sort_by_key(Value::to_string);
    metadata.insert("managedFields".to_owned(), Value::Array(entries));
    object
}

#[test]
fn answers_of_a_real_server_are_foretold() {
    let schemas = schemas();
    let mut wrong = Vec::new();
    let (mut count, mut unsure) = (0, 0);
    for case in lines(CASES) {
        count += 1;
        let live: Option<Object> = Some(&case["live"])
            .filter(|live| !live.is_null())
            .map(|live| object(live.clone()));
        let desired = object(case["desired"].clone());
        let foretold = Apply::new(&desired, case["manager"].as_str().expect("a name"), &schemas)
            .to(live.as_ref())
            .force(case["force"] == true)
            .at(NOW)
            .predict();
        let is_right = match &foretold {
            Prediction::Object(ours) => answered(&case)
                .is_some_and(|theirs| comparable(ours.to_json(), Some(&theirs)) == comparable(theirs, None)),
            Prediction::Conflicts(ours) => {
                let ours: BTreeSet<String> = ours
                    .iter()
                    .map(|conflict| json!([conflict.manager, conflict.path.to_string()]).to_string())
                    .collect();
                let theirs = case["conflicts"].as_array().into_iter().flatten();
                ours == theirs.map(Value::to_string).collect()
            }
            Prediction::Refused(_) | Prediction::Blocked(_) => case.get("refused").is_some(),
            // Few, see below.
            Prediction::Unsure(_) => {
                unsure += 1;
                true
            }
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{}: {} ends with {foretold:?}", count, case["class"]));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(unsure * 100 <= count, "{unsure} of {count} are not known");
    assert!(count > 200, "the cases are there");
}
