//! Whether a prediction is what a server answered.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::{CHOSEN, Prediction};
use serde_json::{Map, Value};

use super::recording::Answer;

/// How they differ, if they do. `live` is the object as it was, or null.
pub(crate) fn differs(predicted: &Prediction, answer: &Answer, live: &Value) -> Option<String> {
    match (predicted, answer) {
        (Prediction::Object(object), Answer::Changed { .. } | Answer::Created { .. }) => {
            let server = answer.object(live)?;
            let (ours, server) = (comparable(object.to_json()), comparable(server));
            let server = (without_chosen(server.0, &ours.0, live), server.1);
            let patch = json_patch_of(&ours.0, &server.0);
            let owners = (ours.1 != server.1)
                .then(|| format!("owners: predicted {:?}, the server says {:?}", ours.1, server.1));
            patch.or(owners)
        }
        (Prediction::Conflicts(ours), Answer::Conflicts { conflicts }) => {
            let ours: BTreeSet<(String, String)> = ours
                .iter()
                .map(|one| (one.manager.clone(), one.path.to_string()))
                .collect();
            let server: BTreeSet<(String, String)> = conflicts.iter().cloned().collect();
            (ours != server).then(|| format!("predicted {ours:?}, the server says {server:?}"))
        }
        (Prediction::Refused(_) | Prediction::Blocked(_), Answer::Refused { .. }) => None,
        (predicted, answer) => {
            let answer = serde_json::to_string(answer).expect("JSON");
            Some(format!(
                "predicted {}, the server says {answer:.600}",
                in_short(predicted)
            ))
        }
    }
}

fn in_short(predicted: &Prediction) -> String {
    match predicted {
        Prediction::Object(_) => "an object".to_owned(),
        other => format!("{other:?}"),
    }
}

/// Who owns what: manager, operation, version and subresource of each, and the fields.
type Owners = BTreeMap<String, Value>;

/// What counts of an object, and who owns what of it.
pub(crate) fn comparable(mut object: Value) -> (Value, Owners) {
    let mut owners = Owners::new();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("resourceVersion");
        metadata.remove("generation");
        if let Some(Value::Array(entries)) = metadata.remove("managedFields") {
            owners.extend(entries.into_iter().map(|mut entry| {
                let words = ["manager", "operation", "apiVersion", "subresource"]
                    .map(|name| entry[name].as_str().unwrap_or_default().to_owned());
                (words.join(" "), entry["fieldsV1"].take())
            }));
        }
    }
    (object, owners)
}

/// Without what the server chose just now and the prediction leaves open.
fn without_chosen(mut object: Value, predicted: &Value, live: &Value) -> Value {
    let group = object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'));
    let group = group.map_or("", |(group, _)| group).to_owned();
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let counts = |of: &str, what: &str| what.is_empty() || of == group && what == kind;
    for (_, _, path) in CHOSEN.iter().filter(|(group, kind, _)| counts(group, kind)) {
        take(&mut object, predicted, live, path);
    }
    object
}

fn take(value: &mut Value, predicted: &Value, live: &Value, path: &[&str]) {
    match (path, value) {
        (["*", rest @ ..], Value::Array(list)) => {
            for (index, element) in list.iter_mut().enumerate() {
                take(element, &predicted[index], &live[index], rest);
            }
        }
        ([name], Value::Object(map)) if predicted[*name].is_null() && live[*name].is_null() => {
            map.remove(*name);
        }
        ([name, rest @ ..], Value::Object(map)) => {
            if let Some(value) = map.get_mut(*name) {
                take(value, &predicted[*name], &live[*name], rest);
                let is_empty = value.as_object().is_some_and(Map::is_empty);
                if is_empty && predicted.get(*name).is_none() {
                    map.remove(*name);
                }
            }
        }
        _ => {}
    }
}

/// Where two values differ, in a line for each place.
fn json_patch_of(ours: &Value, server: &Value) -> Option<String> {
    let changes = fleet_diff::json_changes(ours, server);
    let lines: Vec<String> = changes
        .iter()
        .map(|change| {
            let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
            let (path, ours, server) = (&change.path, shown(&change.before), shown(&change.after));
            format!("{path}: predicted {ours}, the server says {server}")
        })
        .collect();
    (ours != server).then(|| lines.join("\n"))
}
