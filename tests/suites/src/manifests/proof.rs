//! The server's own word that an object is as its definition says.

use std::time::Duration;

use fleet_core::{Marks, Object};
use serde_json::Value;
use tokio::time::sleep;

use super::Plain;

/// Tries, for objects that controllers write to while they are compared.
const TRIES: usize = 20;

/// What the server says.
pub enum Checked {
    /// Applying the definition would change nothing.
    Converged,
    /// It does not answer such an apply, whatever it would change.
    NotAnswered(String),
    /// Applying would change something: these places.
    Differs(Vec<String>),
}

/// Asks the server by a forced dry run of the definition with the two marks that the live object bears, under the
/// reconciler's manager, and compares with what is there. Times, resource version and generation are left out.
pub async fn converged(plain: &Plain, object: &Object, marks: &Marks) -> Checked {
    let mut different = Vec::new();
    for _ in 0..TRIES {
        let key = plain.key(object);
        let before = match plain.get(object).await {
            Ok(live) => live,
            Err(refused) => return Checked::Differs(vec![format!("it is not there: {}", refused.message)]),
        };
        let mark = |part: &str, name: &str| {
            before["metadata"][part][name]
                .as_str()
                .map(|value| (name.to_owned(), value.to_owned()))
        };
        let (Some(label), Some(annotation)) = (
            mark("labels", marks.label_key()),
            mark("annotations", marks.annotation_key()),
        ) else {
            return Checked::Differs(vec!["it bears no marks".to_owned()]);
        };
        let document = object.with_namespace(key.namespace()).with_marks(
            [(label.0.as_str(), label.1.as_str())],
            [(annotation.0.as_str(), annotation.1.as_str())],
        );
        let mut answer = match plain.dry_run(&document, marks.manager()).await {
            Ok(answer) => answer,
            Err(refused) => return Checked::NotAnswered(refused.message),
        };
        let mut before = before;
        strip(&mut before);
        strip(&mut answer);
        different.clear();
        compare("", &before, &answer, &mut different);
        if different.is_empty() {
            return Checked::Converged;
        }
        sleep(Duration::from_millis(100)).await;
    }
    Checked::Differs(different)
}

/// Takes out what any write moves.
fn strip(object: &mut Value) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    metadata.remove("resourceVersion");
    metadata.remove("generation");
    let entries = metadata.get_mut("managedFields").and_then(Value::as_array_mut);
    if let Some(entries) = entries {
        for entry in entries.iter_mut().filter_map(Value::as_object_mut) {
            entry.remove("time");
        }
        // The server orders them by time.
        entries.sort_by_key(|entry| {
            ["manager", "operation", "subresource", "apiVersion"]
                .map(|name| entry[name].as_str().map(str::to_owned))
        });
    }
}

fn compare(path: &str, live: &Value, answer: &Value, different: &mut Vec<String>) {
    match (live, answer) {
        (Value::Object(a), Value::Object(b)) => {
            for (name, value) in a {
                compare(
                    &format!("{path}.{name}"),
                    value,
                    b.get(name).unwrap_or(&Value::Null),
                    different,
                );
            }
            for (name, value) in b.iter().filter(|(name, _)| !a.contains_key(*name)) {
                compare(&format!("{path}.{name}"), &Value::Null, value, different);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{path}[{index}]"), a, b, different);
            }
        }
        (a, b) if a == b => {}
        (a, b) => different.push(format!("{path}: {a} is there, {b} after an apply")),
    }
}
