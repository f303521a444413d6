//! Fields that no schema knows: `fieldValidation` says whether they are refused, told, or passed over
//! (`apiserver/pkg/endpoints/handlers/{create,update,patch}.go`).

use fleet_diff::{Apply, FieldPath, Object, Prediction};
use serde_json::Value;

use crate::{
    server::{Ask, Server},
    status::Status,
};

/// What the prediction says of a field that no schema has.
const UNKNOWN: &str = "is not a field of its schema";

/// Most fields that are named.
const NAMED_MAX: usize = 100;

impl Server {
    /// Refuses unknown fields where the request says so.
    pub(super) fn check_strictly(&self, ask: &Ask<'_>, sent: &Object) -> Result<(), Status> {
        if ask.options.field_validation.as_deref() != Some("Strict") {
            return Ok(());
        }
        let unknown = self.unknown_fields(sent);
        if unknown.is_empty() {
            return Ok(());
        }
        let (kind, problems) = (&ask.resource.kind, unknown.join(", "));
        Err(Status::bad_request(format!(
            "{kind} in version {:?} cannot be handled as a {kind}: strict decoding error: {problems}",
            ask.resource.version
        )))
    }

    /// Tells of unknown fields, unless the request wants no word. `made` is what came of what was sent.
    pub(super) fn warn_of_unknown(&mut self, ask: &Ask<'_>, sent: &Object, made: &Value) {
        let is_told = !matches!(ask.options.field_validation.as_deref(), Some("Ignore" | "Strict"));
        // Nearly always nothing is lost, and this costs less than to ask the schema.
        if is_told && loses(&sent.to_json(), made) {
            let unknown = self.unknown_fields(sent);
            self.warnings.extend(unknown);
        }
    }

    /// As messages name them: `unknown field "spec.nope"`.
    fn unknown_fields(&self, sent: &Object) -> Vec<String> {
        let mut found = Vec::new();
        let mut left = sent.clone();
        // What says which object is meant, and whose fields are whose, an apply would look at first.
        for field in ["managedFields", "uid", "resourceVersion"] {
            let without = FieldPath::keys(["metadata", field]).without(left.document());
            if let Some(Ok(without)) = without.map(Object::from_document) {
                left = without;
            }
        }
        while found.len() < NAMED_MAX {
            // An apply takes no unknown fields; why else it would be refused does not matter here.
            let Prediction::Refused(refusal) = Apply::new(&left, "server", &self.schemas).predict() else {
                break;
            };
            let path = Some(&refusal).filter(|refusal| refusal.problem == UNKNOWN);
            let Some(path) = path.and_then(|refusal| refusal.path.parse::<FieldPath>().ok()) else {
                break;
            };
            let pointer = path.to_json_pointer(left.root());
            let without = path.without(left.document());
            let (Some(pointer), Some(without)) = (pointer, without) else {
                break;
            };
            found.push(format!("unknown field {:?}", as_go_says(&pointer)));
            let Ok(object) = Object::from_document(without) else {
                break;
            };
            left = object;
        }
        found
    }
}

/// `/spec/containers/0/nope` is `spec.containers[0].nope`.
fn as_go_says(pointer: &str) -> String {
    let mut text = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.parse::<usize>().is_ok() {
            text.push('[');
            text.push_str(&part);
            text.push(']');
        } else {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&part);
        }
    }
    text
}

/// Whether a key with a value is in one and not in the other.
fn loses(sent: &Value, made: &Value) -> bool {
    match (sent, made) {
        (Value::Object(sent), Value::Object(made)) => sent.iter().any(|(key, value)| match made.get(key) {
            Some(made) => loses(value, made),
            None => !value.is_null(),
        }),
        (Value::Array(sent), Value::Array(made)) => {
            sent.len() != made.len() || sent.iter().zip(made).any(|(sent, made)| loses(sent, made))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_are_written_as_go_writes_them() {
        for (pointer, expected) in [
            ("/spec/nope", "spec.nope"),
            ("/spec/containers/0/a~1b", "spec.containers[0].a/b"),
        ] {
            assert_eq!(as_go_says(pointer), expected);
        }
    }

    #[test]
    fn what_is_lost_is_noticed() {
        let sent = json!({"a": 1, "b": [{"c": 2, "d": null}]});
        assert!(!loses(&sent, &json!({"a": 1, "b": [{"c": 2}], "e": 5})));
        assert!(loses(&sent, &json!({"a": 1, "b": [{}]})));
        assert!(loses(&sent, &json!({"b": [{"c": 2}]})));
    }
}
