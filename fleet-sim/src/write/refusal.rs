//! What a prediction means as an answer.

use std::cmp::Ordering;

use fleet_diff::{Conflict, FieldPath, Node, Object, PathElement, Prediction};
use serde_json::{Value, json};

use crate::{
    server::Ask,
    status::{About, Status},
};

impl Ask<'_> {
    /// What messages name when they speak of the kind.
    pub(super) fn about_kind<'a>(&'a self, name: &'a str) -> About<'a> {
        About {
            group: &self.resource.group,
            resource: &self.resource.kind,
            name,
        }
    }

    /// The object that comes of it, or why none does.
    pub(super) fn predicted(&self, prediction: Prediction, name: &str) -> Result<Object, Status> {
        match prediction {
            Prediction::Object(object) => Ok(object),
            Prediction::Conflicts(conflicts) => Err(conflicting(&conflicts, "", None)),
            Prediction::Refused(refusal) if refusal.is_conflict() => Err(Status::modified(self.about())),
            Prediction::Refused(refusal) => Err(Status::invalid(
                self.about_kind(name),
                &[(refusal.path.trim_start_matches('.').to_owned(), refusal.problem)],
            )),
            Prediction::Blocked(blocked) => {
                let problems: Vec<(String, String)> = blocked
                    .iter()
                    .map(|one| {
                        let field = one.path.to_string();
                        (
                            field.trim_start_matches('.').to_owned(),
                            "Invalid value: field is immutable".to_owned(),
                        )
                    })
                    .collect();
                Err(Status::invalid(self.about_kind(name), &problems))
            }
            Prediction::Unsure(doubt) => Err(Status::internal(doubt)),
            other => Err(Status::internal(format_args!("{other:?}"))),
        }
    }
}

/// As `apimachinery/pkg/util/managedfields/internal/conflict.go` words it.
pub(super) fn conflicting(conflicts: &[Conflict], applier: &str, live: Option<&Object>) -> Status {
    let entries = live.and_then(|live| live.metadata().get("managedFields"));
    // Of two entries of the same owner the second counts.
    let mut owners: Vec<Node<'_>> = Vec::new();
    for entry in entries.into_iter().flat_map(Node::items) {
        owners.retain(|other| identity(*other) != identity(entry));
        owners.push(entry);
    }
    let mut all: Vec<(Node<'_>, &Conflict)> = Vec::new();
    for conflict in conflicts {
        let owners = owners.iter().copied().filter(|owner| {
            // What the applier has applied itself it may change; not what it has written otherwise.
            let is_own = conflict.manager == applier && word(*owner, "operation") == "Apply";
            word(*owner, "manager") == conflict.manager && !is_own && owns(*owner, &conflict.path)
        });
        all.extend(owners.map(|owner| (owner, conflict)));
    }
    all.sort_by(|(a, one), (b, other)| {
        identity(*a)
            .cmp(&identity(*b))
            .then_with(|| in_set(&one.path, &other.path))
    });
    let cause = |(owner, conflict): &(Node<'_>, &Conflict)| -> Value {
        json!({"reason": "FieldManagerConflict", "message": format!("conflict with {}", printed(*owner)),
            "field": conflict.path.to_string()})
    };
    let causes = all.iter().map(cause).collect();
    let message = match &all[..] {
        [(owner, only)] => {
            format!(
                "Apply failed with 1 conflict: conflict with {}: {}",
                printed(*owner),
                only.path
            )
        }
        all => {
            let mut lines = Vec::new();
            let mut last = None;
            for (owner, conflict) in all {
                if last != Some(identity(*owner)) {
                    lines.push(format!("conflicts with {}:", printed(*owner)));
                    last = Some(identity(*owner));
                }
                lines.push(format!("- {}", conflict.path));
            }
            format!("Apply failed with {} conflicts: {}", all.len(), lines.join("\n"))
        }
    };
    Status::owned_by_others(message, causes)
}

/// In the order of a set of fields: at each place first what has nothing inside.
fn in_set(a: &FieldPath, b: &FieldPath) -> Ordering {
    let (a, b) = (a.elements(), b.elements());
    let same = a.iter().zip(b).take_while(|(a, b)| a == b).count();
    let (a, b) = (&a[same..], &b[same..]);
    (a.len() > 1)
        .cmp(&(b.len() > 1))
        .then_with(|| a.first().cmp(&b.first()))
}

fn word<'n>(entry: Node<'n>, key: &str) -> &'n str {
    entry.get(key).and_then(Node::as_str).unwrap_or("")
}

/// What tells an entry of `managedFields` from others, as the text that a server orders them by.
fn identity(entry: Node<'_>) -> String {
    let parts = ["manager", "operation", "apiVersion", "subresource"];
    let parts = parts.map(|key| (key, word(entry, key))).into_iter();
    let parts = parts.filter(|(key, text)| {
        let is_said = *key != "apiVersion" || word(entry, "operation") == "Update";
        is_said && !text.is_empty()
    });
    let parts: Vec<String> = parts.map(|(key, text)| format!("{key:?}:{text:?}")).collect();
    format!("{{{}}}", parts.join(","))
}

/// Whether an entry of `managedFields` lists a field itself.
fn owns(entry: Node<'_>, path: &FieldPath) -> bool {
    let Some(mut set) = entry.get("fieldsV1") else {
        return false;
    };
    for element in path.elements() {
        let Some((_, inside)) = set.entries().find(|(key, _)| names(key, element)) else {
            return false;
        };
        set = inside;
    }
    set.is_empty() || set.get(".").is_some()
}

/// Whether a key of a set stands for an element of a path (`structured-merge-diff/fieldpath/serialize-pe.go`).
fn names(key: &str, element: &PathElement) -> bool {
    let read = |prefix: &str| -> Option<Value> { serde_json::from_str(key.strip_prefix(prefix)?).ok() };
    match element {
        PathElement::Key(name) => key.strip_prefix("f:") == Some(name),
        PathElement::Value(value) => read("v:") == Some(value.to_json()),
        PathElement::Index(at) => read("i:") == Some(json!(at)),
        PathElement::ListKey(fields) => {
            let fields = fields
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_json()));
            read("k:") == Some(Value::Object(fields.collect()))
        }
    }
}

/// A manager, with the version of its update if it is one.
fn printed(owner: Node<'_>) -> String {
    let mut text = format!("{:?}", word(owner, "manager"));
    let subresource = word(owner, "subresource");
    if !subresource.is_empty() {
        text = format!("{text} with subresource {subresource:?}");
    }
    if word(owner, "operation") == "Update" {
        text.push_str(" using ");
        text.push_str(word(owner, "apiVersion"));
    }
    text
}
