//! Label and field selectors (`apimachinery/pkg/labels/selector.go`, `pkg/fields/selector.go`).

use fleet_diff::{Node, Object};

use crate::status::Status;

/// What objects must have. The empty one takes all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    labels: Vec<Requirement>,
    fields: Vec<(Field, bool, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Lacks,
    In(Vec<String>),
    /// Also true without the label.
    NotIn(Vec<String>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Namespace,
    NodeName,
    Phase,
}

impl Selector {
    /// From the texts of a query about such a kind of the core group, or about another one (an empty kind).
    ///
    /// # Errors
    /// When one is no selector, or selects by a field that is not selected by.
    pub(crate) fn of(labels: Option<&str>, fields: Option<&str>, core_kind: &str) -> Result<Self, Status> {
        let labels = split(labels.unwrap_or(""))
            .into_iter()
            .map(|part| requirement(part.trim()).ok_or_else(|| unreadable(part)))
            .collect::<Result<_, _>>()?;
        let fields = fields
            .unwrap_or("")
            .split(',')
            .filter(|part| !part.is_empty())
            .map(|part| field(part, core_kind))
            .collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    /// Only the object of this name.
    pub(crate) fn named(mut self, name: &str) -> Self {
        self.fields.push((Field::Name, true, name.to_owned()));
        self
    }

    /// Whether it takes this object.
    pub(crate) fn takes(&self, object: &Object) -> bool {
        let label = |key: &str| object.metadata().get("labels")?.get(key)?.as_str();
        let has = |requirement: &Requirement| {
            let value = label(&requirement.key);
            let is_one_of = |all: &[String]| value.is_some_and(|value| all.iter().any(|one| one == value));
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Lacks => value.is_none(),
                Test::In(all) => is_one_of(all),
                Test::NotIn(all) => !is_one_of(all),
            }
        };
        let is = |(field, equal, wanted): &(Field, bool, String)| {
            let (part, name) = match field {
                Field::Name => ("metadata", "name"),
                Field::Namespace => ("metadata", "namespace"),
                Field::NodeName => ("spec", "nodeName"),
                Field::Phase => ("status", "phase"),
            };
            let found = object.root().get(part).and_then(|part| part.get(name));
            (found.and_then(Node::as_str).unwrap_or("") == wanted) == *equal
        };
        self.labels.iter().all(has) && self.fields.iter().all(is)
    }
}

/// At commas outside of parentheses.
fn split(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_i32, 0);
    for (at, letter) in text.char_indices() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts.retain(|part| !part.trim().is_empty());
    parts
}

fn requirement(part: &str) -> Option<Requirement> {
    let made = |key: &str, test| {
        let key = key.trim();
        let is_key = |letter: char| letter.is_ascii_alphanumeric() || "-_./".contains(letter);
        (!key.is_empty() && key.chars().all(is_key)).then(|| Requirement {
            key: key.to_owned(),
            test,
        })
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((key, value)) = part.split_once("!=") {
        return made(key, Test::NotIn(one(value)));
    }
    if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return made(key, Test::In(one(value)));
    }
    if let Some(list) = part.strip_suffix(')') {
        let (head, list) = list.split_once('(')?;
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        return match word {
            "in" => made(key, Test::In(values)),
            "notin" => made(key, Test::NotIn(values)),
            _ => None,
        };
    }
    match part.strip_prefix('!') {
        Some(key) => made(key, Test::Lacks),
        None => made(part, Test::Exists),
    }
}

fn field(part: &str, core_kind: &str) -> Result<(Field, bool, String), Status> {
    let (key, equal, value) = if let Some((key, value)) = part.split_once("!=") {
        (key, false, value)
    } else if let Some((key, value)) = part.split_once("==").or_else(|| part.split_once('=')) {
        (key, true, value)
    } else {
        return Err(Status::bad_request(format!("invalid field selector: {part:?}")));
    };
    let field = match key {
        "metadata.name" => Field::Name,
        "metadata.namespace" => Field::Namespace,
        "spec.nodeName" if core_kind == "Pod" => Field::NodeName,
        "status.phase" if matches!(core_kind, "Pod" | "Namespace") => Field::Phase,
        _ => {
            return Err(Status::bad_request(format!("field label not supported: {key}")));
        }
    };
    Ok((field, equal, value.to_owned()))
}

fn unreadable(part: &str) -> Status {
    Status::bad_request(format!("unable to parse requirement: {part:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn selectors_take_what_they_say() {
        let object = Object::from_json(json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "shop", "name": "a", "labels": {"app": "web", "x.io/t": ""}}}))
        .unwrap();
        let cases = [
            ("", true),
            ("app", true),
            ("!app", false),
            ("app=web", true),
            ("app==web,x.io/t", true),
            ("app!=web", false),
            ("other!=web", true),
            ("app in (a, web)", true),
            ("app notin (a,web),x.io/t", false),
            ("app in (a),x.io/t", false),
            ("x.io/t=", true),
        ];
        for (text, expected) in cases {
            let selector = Selector::of(Some(text), None, "ConfigMap").unwrap();
            assert_eq!(selector.takes(&object), expected, "{text}");
        }
        let cases = [
            ("metadata.name=a", true),
            ("metadata.name!=a", false),
            ("metadata.namespace=shop,metadata.name=b", false),
        ];
        for (text, expected) in cases {
            let selector = Selector::of(None, Some(text), "ConfigMap").unwrap();
            assert_eq!(selector.takes(&object), expected, "{text}");
        }
        let pod = Object::from_json(
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
            "spec": {"nodeName": "n"}, "status": {"phase": "Running"}}),
        )
        .unwrap();
        let cases = [
            ("status.phase!=Succeeded,status.phase!=Failed", true),
            ("status.phase=Pending", false),
            ("spec.nodeName=n", true),
            ("spec.nodeName=", false),
        ];
        for (text, expected) in cases {
            let selector = Selector::of(None, Some(text), "Pod").unwrap();
            assert_eq!(selector.takes(&pod), expected, "{text}");
        }
        assert!(Selector::of(None, Some("spec.nodeName=n"), "Namespace").is_err());
        for (labels, fields) in [
            ("a b", ""),
            ("a in b", ""),
            ("=a", ""),
            ("", "spec.x=1"),
            ("", "status.phase=x"),
            ("", "name"),
        ] {
            assert!(
                Selector::of(Some(labels), Some(fields), "ConfigMap").is_err(),
                "{labels} {fields}"
            );
        }
    }
}
