//! What differs between two values.

mod list_keys;

use std::{collections::BTreeMap, fmt};

use serde::Serialize;
use serde_json::Value;

use list_keys::names as element_names;
pub(crate) use list_keys::names_in_json;

use crate::{
    Document, FieldPath, Node, PathElement,
    document::{Zipped, zip},
};

/// One field with different values before and after.
///
/// `Debug` shows the path and no values. `Serialize` shows the values: for a Secret, call [`crate::masked`] first.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// Where.
    pub path: FieldPath,
    /// The value before; none when the field was absent (a `null` is a value).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The value after; none when the field is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl fmt::Debug for FieldChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match (&self.before, &self.after) {
            (None, _) => '+',
            (_, None) => '-',
            _ => '~',
        };
        write!(f, "{sign} {}", self.path)
    }
}

/// Every field that differs, each as small as possible. Empty exactly when the two values are equal.
///
/// Elements of a list of mappings are matched by the fields that name them in Kubernetes (`name`, `port` and
/// `protocol`, `type`, …) where these are unique on both sides, else by position. A list whose elements changed
/// their order is one change of its own, with both whole lists, beside the changes inside its elements. An element
/// that was added says nothing about its position.
///
/// Mappings are walked in the order of their keys, lists in the order of `before` with new elements last.
///
/// ```
/// use fleet_diff::{Document, changes};
///
/// let before: Document = r#"{"env": [{"name": "A", "value": "1"}, {"name": "B"}]}"#.parse()?;
/// let after: Document = r#"{"env": [{"name": "A", "value": "2"}, {"name": "B"}]}"#.parse()?;
/// let found = changes(before.root(), after.root());
/// assert_eq!(found.len(), 1);
/// assert_eq!(found[0].path.to_string(), r#".env[name="A"].value"#);
/// assert_eq!(found[0].after, Some("2".into()));
/// # Ok::<(), fleet_diff::DocumentError>(())
/// ```
pub fn changes(before: Node<'_>, after: Node<'_>) -> Vec<FieldChange> {
    changes_without(before, after, &[])
}

/// [`changes`] between two `serde_json` values.
pub fn json_changes(before: &Value, after: &Value) -> Vec<FieldChange> {
    changes(
        Document::from_json(before).root(),
        Document::from_json(after).root(),
    )
}

/// [`changes`] without these fields of `metadata`.
pub(crate) fn changes_without(before: Node<'_>, after: Node<'_>, left_out: &[&str]) -> Vec<FieldChange> {
    let mut comparison = Comparison {
        at: Vec::new(),
        found: Vec::new(),
        left_out,
    };
    comparison.values(before, after);
    comparison.found
}

/// True when two objects are equal apart from these fields of `metadata`.
pub(crate) fn is_same_but(before: Node<'_>, after: Node<'_>, left_out: &[&str]) -> bool {
    let are_same = |of: Node<'_>, other: Node<'_>, left_out: &[&str]| {
        let [of, other] = [of, other].map(|of| of.entries().filter(|(key, _)| !left_out.contains(key)));
        of.eq(other)
    };
    let metadata = match (before.get("metadata"), after.get("metadata")) {
        (Some(before), Some(after)) => are_same(before, after, left_out),
        (before, after) => before == after,
    };
    metadata && are_same(before, after, &["metadata"])
}

struct Comparison<'a> {
    at: Vec<PathElement>,
    found: Vec<FieldChange>,
    left_out: &'a [&'a str],
}

impl Comparison<'_> {
    fn values(&mut self, before: Node<'_>, after: Node<'_>) {
        if before.is_map() && after.is_map() {
            self.mappings(before, after);
        } else if before.is_list() && after.is_list() {
            self.lists(before, after);
        } else if !before.is_exactly(after) {
            self.report(Some(before), Some(after));
        }
    }

    fn mappings(&mut self, before: Node<'_>, after: Node<'_>) {
        let in_metadata = matches!(&self.at[..], [PathElement::Key(name)] if **name == *"metadata");
        zip(before.values(), after.values(), |entry| {
            let (Zipped::Left(node) | Zipped::Right(node) | Zipped::Both(node, _)) = entry;
            let name = node.key();
            if in_metadata && self.left_out.contains(&name) {
                return;
            }
            let (before, after) = match entry {
                Zipped::Left(before) => (Some(before), None),
                Zipped::Right(after) => (None, Some(after)),
                Zipped::Both(before, after) if before.is_exactly(after) => return,
                Zipped::Both(before, after) => (Some(before), Some(after)),
            };
            self.inside(PathElement::key(name), before, after);
        });
    }

    fn lists(&mut self, before: Node<'_>, after: Node<'_>) {
        if before.is_exactly(after) {
            return;
        }
        if let Some((before_names, after_names)) = element_names(self.at.last(), before, after) {
            self.named_lists((before, &before_names), (after, &after_names));
        } else {
            for i in 0..before.len().max(after.len()) {
                self.inside(PathElement::Index(i), before.item(i), after.item(i));
            }
        }
    }

    fn named_lists(
        &mut self,
        (before, before_names): (Node<'_>, &[PathElement]),
        (after, after_names): (Node<'_>, &[PathElement]),
    ) {
        let positions = |names: &[PathElement]| -> BTreeMap<PathElement, usize> {
            names.iter().cloned().zip(0..).collect()
        };
        let (before_at, after_at) = (positions(before_names), positions(after_names));
        let kept: Vec<usize> = before_names
            .iter()
            .filter_map(|name| after_at.get(name).copied())
            .collect();
        if !kept.is_sorted() {
            self.report(Some(before), Some(after));
        }
        for (name, value) in before_names.iter().zip(before.items()) {
            let counterpart = after_at.get(name).and_then(|&i| after.item(i));
            self.inside(name.clone(), Some(value), counterpart);
        }
        for (name, value) in after_names.iter().zip(after.items()) {
            if !before_at.contains_key(name) {
                self.inside(name.clone(), None, Some(value));
            }
        }
    }

    fn inside(&mut self, element: PathElement, before: Option<Node<'_>>, after: Option<Node<'_>>) {
        self.at.push(element);
        match (before, after) {
            (Some(before), Some(after)) => self.values(before, after),
            (None, None) => {}
            _ => self.report(before, after),
        }
        self.at.pop();
    }

    fn report(&mut self, before: Option<Node<'_>>, after: Option<Node<'_>>) {
        self.found.push(FieldChange {
            path: FieldPath::new(self.at.iter().cloned()),
            before: before.map(Node::to_json),
            after: after.map(Node::to_json),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn lines(before: &Value, after: &Value) -> Vec<String> {
        json_changes(before, after)
            .into_iter()
            .map(|change| {
                let side = |v: Option<Value>| v.map_or("absent".to_owned(), |v| v.to_string());
                format!(
                    "{}: {} -> {}",
                    change.path,
                    side(change.before),
                    side(change.after)
                )
            })
            .collect()
    }

    #[test]
    fn the_smallest_differing_fields_are_found() {
        let cases: &[(Value, Value, &[&str])] = &[
            (json!({"a": 1}), json!({"a": 1}), &[]),
            (json!(1), json!(2), &[": 1 -> 2"]),
            (
                json!({"b": 1, "a": null}),
                json!({"b": 1.0, "c": {"d": 1}}),
                &[".a: null -> absent", ".b: 1 -> 1.0", r#".c: absent -> {"d":1}"#],
            ),
            (
                json!({"a": {"b": [1]}}),
                json!({"a": {"b": {"0": 1}}}),
                &[r#".a.b: [1] -> {"0":1}"#],
            ),
            (
                json!({"args": ["a", "b", "c"]}),
                json!({"args": ["a", "x"]}),
                &[r#".args[1]: "b" -> "x""#, r#".args[2]: "c" -> absent"#],
            ),
            // Named elements: changed, gone and new ones, wherever they stand.
            (
                json!({"containers": [{"name": "a", "image": "1"}, {"name": "b"}]}),
                json!({"containers": [{"name": "c"}, {"name": "a", "image": "2"}]}),
                &[
                    r#".containers[name="a"].image: "1" -> "2""#,
                    r#".containers[name="b"]: {"name":"b"} -> absent"#,
                    r#".containers[name="c"]: absent -> {"name":"c"}"#,
                ],
            ),
            // A new order is a change of the list.
            (
                json!([{"name": "a", "v": 1}, {"name": "b"}]),
                json!([{"name": "b"}, {"name": "a", "v": 2}]),
                &[
                    r#": [{"name":"a","v":1},{"name":"b"}] -> [{"name":"b"},{"name":"a","v":2}]"#,
                    r#"[name="a"].v: 1 -> 2"#,
                ],
            ),
            // Two names for one element, or one that is missing: by position.
            (
                json!([{"name": "a", "v": 1}, {"name": "a", "v": 2}]),
                json!([{"name": "a", "v": 1}, {"name": "a", "v": 3}]),
                &["[1].v: 2 -> 3"],
            ),
            (
                json!([{"name": "a"}, {"v": 1}]),
                json!([{"name": "a"}, {"v": 2}]),
                &["[1].v: 1 -> 2"],
            ),
            (
                json!([{"name": null}]),
                json!([{"name": "a"}]),
                &[r#"[0].name: null -> "a""#],
            ),
            // The server's own key fields come before `name`.
            (
                json!({"ports": [{"name": "a", "port": 53, "protocol": "UDP"}, {"name": "b", "port": 53, "protocol": "TCP"}]}),
                json!({"ports": [{"name": "a", "port": 53, "protocol": "UDP"}, {"name": "c", "port": 53, "protocol": "TCP"}]}),
                &[r#".ports[port=53,protocol="TCP"].name: "b" -> "c""#],
            ),
            (
                json!({"volumeMounts": [{"name": "a", "mountPath": "/x"}]}),
                json!({"volumeMounts": [{"name": "b", "mountPath": "/x"}]}),
                &[r#".volumeMounts[mountPath="/x"].name: "a" -> "b""#],
            ),
            // A list that was empty has named elements too.
            (
                json!({"env": []}),
                json!({"env": [{"name": "A"}]}),
                &[r#".env[name="A"]: absent -> {"name":"A"}"#],
            ),
            (
                json!({"f": ["a"]}),
                json!({"f": []}),
                &[r#".f[0]: "a" -> absent"#],
            ),
        ];
        for (before, after, expect) in cases {
            assert_eq!(lines(before, after), *expect, "{before} {after}");
        }
    }

    #[test]
    fn debug_shows_no_values() {
        let found = json_changes(&json!({"a": "hunter2", "b": 1}), &json!({"a": "hunter3", "c": 2}));
        assert_eq!(format!("{found:?}"), "[~ .a, - .b, + .c]");
    }

    #[test]
    fn fields_of_metadata_are_left_out_only_there() {
        let value = |n: u8| json!({"metadata": {"generation": n}, "spec": {"metadata": {"generation": n}}});
        let (before, after) = (Document::from_json(&value(1)), Document::from_json(&value(2)));
        let found = changes_without(before.root(), after.root(), &["generation"]);
        assert_eq!(format!("{found:?}"), "[~ .spec.metadata.generation]");
    }
}
