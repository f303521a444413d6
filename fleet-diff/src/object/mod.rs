//! Objects and their identity.

mod key;

use std::{fmt, sync::Arc, sync::OnceLock};

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

pub use key::{GroupKind, Gvk, ObjectKey, ParseKeyError};

use crate::{Digest, Document, document::Node};

/// One Kubernetes object: a JSON object with `apiVersion`, `kind` and `metadata.name`.
///
/// Immutable and cheap to clone; the digest is computed once. `Debug` shows identity and digest, never
/// content, so that a Secret cannot slip into a log.
///
/// ```
/// use fleet_diff::Object;
/// use serde_json::json;
///
/// let object = Object::from_json(json!({
///     "apiVersion": "apps/v1", "kind": "Deployment",
///     "metadata": {"namespace": "shop", "name": "web"},
/// }))?;
/// assert_eq!(object.gvk().kind(), "Deployment");
/// assert_eq!(object.key().to_string(), "Deployment.apps shop/web");
/// # Ok::<(), fleet_diff::ObjectError>(())
/// ```
#[derive(Clone)]
pub struct Object(Arc<Parts>);

struct Parts {
    value: Value,
    gvk: Gvk,
    key: ObjectKey,
    digest: OnceLock<Digest>,
    document: OnceLock<Document>,
}

/// Why a JSON value is not a Kubernetes object. Messages name fields, never values of other fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The value is a list, a text, a number or null.
    #[error("not an object: expected a mapping with apiVersion, kind and metadata")]
    NotAMapping,
    /// A field that every object needs is absent or empty.
    #[error("`{0}` is missing or empty")]
    Missing(&'static str),
    /// A field has the wrong type or form.
    #[error("`{field}` {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl Object {
    /// Checks the identity of `value` and takes it.
    ///
    /// # Errors
    /// When `apiVersion`, `kind` or `metadata.name` is missing or not a text, when `metadata.namespace` is not a
    /// text, or when only `generateName` is given (the object would have a new identity each time).
    pub fn from_json(value: Value) -> Result<Self, ObjectError> {
        let map = value.as_object().ok_or(ObjectError::NotAMapping)?;
        let api_version = text(map, "apiVersion", "apiVersion")?.ok_or(ObjectError::Missing("apiVersion"))?;
        let kind = text(map, "kind", "kind")?.ok_or(ObjectError::Missing("kind"))?;
        let gvk = Gvk::from_api_version(api_version, kind).ok_or(ObjectError::Invalid {
            field: "apiVersion",
            problem: "is not `version` or `group/version`",
        })?;
        if kind.contains('/') {
            return Err(ObjectError::Invalid {
                field: "kind",
                problem: "contains `/`",
            });
        }
        let metadata = match map.get("metadata") {
            Some(Value::Object(metadata)) => metadata,
            Some(Value::Null) | None => return Err(ObjectError::Missing("metadata")),
            Some(_) => {
                return Err(ObjectError::Invalid {
                    field: "metadata",
                    problem: "is not a mapping",
                });
            }
        };
        let Some(name) = text(metadata, "name", "metadata.name")? else {
            if metadata.contains_key("generateName") {
                let problem = "is not supported here: the object needs a fixed `metadata.name`";
                return Err(ObjectError::Invalid {
                    field: "metadata.generateName",
                    problem,
                });
            }
            return Err(ObjectError::Missing("metadata.name"));
        };
        let namespace = text(metadata, "namespace", "metadata.namespace")?;
        if name.contains('/') || namespace.is_some_and(|ns| ns.contains('/')) {
            return Err(ObjectError::Invalid {
                field: "metadata",
                problem: "has a name or namespace with `/`",
            });
        }
        for field in ["labels", "annotations"] {
            if !matches!(metadata.get(field), None | Some(Value::Null | Value::Object(_))) {
                return Err(ObjectError::Invalid {
                    field: "metadata",
                    problem: "has labels or annotations that are not a mapping",
                });
            }
        }
        let key = ObjectKey::new(gvk.group(), gvk.kind(), namespace, name);
        Ok(Self(Arc::new(Parts {
            value,
            gvk,
            key,
            digest: OnceLock::new(),
            document: OnceLock::new(),
        })))
    }

    /// Group, version and kind.
    pub fn gvk(&self) -> &Gvk {
        &self.0.gvk
    }

    /// Identity as written in the object. Whether the namespace belongs there depends on the kind's scope, which
    /// an object alone does not know.
    pub fn key(&self) -> &ObjectKey {
        &self.0.key
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.0.key.name()
    }

    /// `metadata.namespace`, if there is one.
    pub fn namespace(&self) -> Option<&str> {
        self.0.key.namespace()
    }

    /// The content.
    pub fn json(&self) -> &Value {
        &self.0.value
    }

    /// The content, compactly.
    pub fn document(&self) -> &Document {
        self.0.document.get_or_init(|| Document::from_json(&self.0.value))
    }

    /// The content as one node.
    pub fn root(&self) -> Node<'_> {
        self.document().root()
    }

    /// Digest of the content, computed once.
    pub fn digest(&self) -> Digest {
        *self.0.digest.get_or_init(|| Digest::of_json(&self.0.value))
    }

    /// `metadata`, which every object has.
    pub fn metadata(&self) -> &Map<String, Value> {
        static EMPTY: OnceLock<Map<String, Value>> = OnceLock::new();
        self.0.value["metadata"]
            .as_object()
            .unwrap_or_else(|| EMPTY.get_or_init(Map::new))
    }

    /// A text in `metadata`, such as `uid`.
    pub fn metadata_text(&self, field: &str) -> Option<&str> {
        self.metadata().get(field)?.as_str()
    }

    /// One label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata().get("labels")?.get(key)?.as_str()
    }

    /// One annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata().get("annotations")?.get(key)?.as_str()
    }

    /// True for a core `Secret`, whose values no log, diff or error may show.
    pub fn is_secret(&self) -> bool {
        self.0.key.is_secret()
    }

    /// The same object with `metadata.namespace` set or removed.
    #[must_use]
    pub fn with_namespace(&self, namespace: Option<&str>) -> Self {
        let same = match self.metadata().get("namespace") {
            None => namespace.is_none(),
            Some(value) => namespace.is_some() && value.as_str() == namespace,
        };
        if same {
            return self.clone();
        }
        let key = ObjectKey::new(self.0.gvk.group(), self.0.gvk.kind(), namespace, self.name());
        self.edited(key, |metadata| match namespace {
            Some(ns) => {
                metadata.insert("namespace".into(), ns.into());
            }
            None => {
                metadata.remove("namespace");
            }
        })
    }

    /// The same object with these labels and annotations set.
    #[must_use]
    pub fn with_marks<'a>(
        &self,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        self.edited(self.0.key.clone(), |metadata| {
            insert_texts(metadata, "labels", labels);
            insert_texts(metadata, "annotations", annotations);
        })
    }

    /// Identity only: `apiVersion`, `kind`, name and namespace.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut metadata = Map::new();
        metadata.insert("name".into(), self.name().into());
        if let Some(ns) = self.namespace() {
            metadata.insert("namespace".into(), ns.into());
        }
        let mut map = Map::new();
        map.insert("apiVersion".into(), self.0.gvk.api_version().into());
        map.insert("kind".into(), self.0.gvk.kind().into());
        map.insert("metadata".into(), Value::Object(metadata));
        let (gvk, key) = (self.0.gvk.clone(), self.0.key.clone());
        Self(Arc::new(Parts {
            value: Value::Object(map),
            gvk,
            key,
            digest: OnceLock::new(),
            document: OnceLock::new(),
        }))
    }

    fn edited(&self, key: ObjectKey, edit: impl FnOnce(&mut Map<String, Value>)) -> Self {
        let mut value = self.0.value.clone();
        if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
            edit(metadata);
        }
        Self(Arc::new(Parts {
            value,
            gvk: self.0.gvk.clone(),
            key,
            digest: OnceLock::new(),
            document: OnceLock::new(),
        }))
    }
}

fn insert_texts<'a>(
    metadata: &mut Map<String, Value>,
    field: &str,
    entries: impl IntoIterator<Item = (&'a str, &'a str)>,
) {
    let mut entries = entries.into_iter().peekable();
    if entries.peek().is_none() {
        return;
    }
    let slot = metadata.entry(field).or_insert_with(|| Value::Object(Map::new()));
    if slot.is_null() {
        *slot = Value::Object(Map::new());
    }
    if let Some(map) = slot.as_object_mut() {
        map.extend(entries.map(|(k, v)| (k.to_owned(), v.into())));
    }
}

/// A text field: `None` when absent, null or empty.
fn text<'a>(
    map: &'a Map<String, Value>,
    key: &str,
    field: &'static str,
) -> Result<Option<&'a str>, ObjectError> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(s)) => Ok((!s.is_empty()).then_some(s)),
        Some(_) => Err(ObjectError::Invalid {
            field,
            problem: "is not a text (quote it?)",
        }),
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.digest() == other.digest()
    }
}

impl Eq for Object {}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} {})", self.0.key, self.digest().short())
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.value.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Object {
        Object::from_json(value).unwrap()
    }

    #[test]
    fn bad_objects_are_refused_with_the_field() {
        let cases = [
            (json!(null), "not an object"),
            (json!([1]), "not an object"),
            (
                json!({"kind": "A", "metadata": {"name": "a"}}),
                "`apiVersion` is missing",
            ),
            (
                json!({"apiVersion": "v1", "metadata": {"name": "a"}}),
                "`kind` is missing",
            ),
            (
                json!({"apiVersion": "a/b/c", "kind": "A", "metadata": {"name": "a"}}),
                "`apiVersion` is not",
            ),
            (
                json!({"apiVersion": 1, "kind": "A", "metadata": {"name": "a"}}),
                "`apiVersion` is not a text",
            ),
            (json!({"apiVersion": "v1", "kind": "A"}), "`metadata` is missing"),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": []}),
                "`metadata` is not a mapping",
            ),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": ""}}),
                "`metadata.name` is missing",
            ),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": 7}}),
                "quote it",
            ),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"generateName": "a-"}}),
                "generateName",
            ),
            (
                json!({"apiVersion": "v1", "kind": "A", "metadata": {"name": "a", "labels": []}}),
                "labels",
            ),
        ];
        for (value, expect) in cases {
            let error = Object::from_json(value.clone()).unwrap_err().to_string();
            assert!(error.contains(expect), "{value}: {error}");
        }
    }

    #[test]
    fn debug_shows_no_content() {
        let secret = object(
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "data": {"k": "aHVudGVyMg=="}}),
        );
        assert!(!format!("{secret:?}").contains("aHVu"));
    }

    #[test]
    fn namespace_and_marks_are_set_without_touching_the_original() {
        let plain = object(
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": null}}),
        );
        let placed = plain.with_namespace(Some("x"));
        assert_eq!((plain.namespace(), placed.namespace()), (None, Some("x")));
        assert_eq!(placed.with_namespace(None), plain);
        let marked = placed.with_marks([("l", "1")], [("a", "2")]);
        assert_eq!(
            (marked.label("l"), marked.annotation("a"), placed.label("l")),
            (Some("1"), Some("2"), None)
        );
    }
}
