//! Objects and their identity.

mod key;
mod known;

use std::{fmt, str::FromStr, sync::Arc, sync::OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use serde_json::Value;

pub use key::{GroupKind, Gvk, ObjectKey, ParseKeyError};

use crate::{
    Digest, Document, DocumentError, FieldPath,
    document::{Builder, Kind, Node},
};

/// What an `Arc` takes beside its content.
const ARC_SIZE: usize = 2 * size_of::<usize>();

/// One Kubernetes object: a JSON object with `apiVersion`, `kind` and `metadata.name`.
///
/// Immutable, cheap to clone and small: its content is a [`Document`]. The digest is computed once. `Debug` shows
/// identity and digest, never content, so that a Secret cannot slip into a log.
///
/// ```
/// use fleet_diff::Object;
///
/// let object: Object = r#"{
///     "apiVersion": "apps/v1", "kind": "Deployment",
///     "metadata": {"namespace": "shop", "name": "web"}, "spec": {"replicas": 3}
/// }"#.parse()?;
/// assert_eq!(object.gvk().kind(), "Deployment");
/// assert_eq!(object.key().to_string(), "Deployment.apps shop/web");
/// assert_eq!(object.root().at(&["spec", "replicas"]).and_then(|replicas| replicas.as_i64()), Some(3));
/// # Ok::<(), fleet_diff::ObjectError>(())
/// ```
#[derive(Clone)]
pub struct Object(Arc<Parts>);

struct Parts {
    document: Document,
    gvk: Gvk,
    key: ObjectKey,
    digest: OnceLock<Digest>,
}

/// Why a JSON value is not a Kubernetes object. Messages name fields, never values of other fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The value is a list, a text, a number or null.
    #[error("not an object: expected a mapping with apiVersion, kind and metadata")]
    NotAMapping,
    /// The text is not JSON.
    #[error(transparent)]
    NotJson(#[from] DocumentError),
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
    /// Checks the identity of a document and takes it.
    ///
    /// # Errors
    /// When `apiVersion`, `kind` or `metadata.name` is missing or not a text, when `metadata.namespace` is not a
    /// text, or when only `generateName` is given (the object would have a new identity each time).
    pub fn from_document(document: Document) -> Result<Self, ObjectError> {
        let (gvk, key) = identity(document.root())?;
        Ok(Self::of(document, gvk, key))
    }

    /// As [`from_document`](Self::from_document), of an element of a list of `gvk`: servers leave out of the elements
    /// what the list says of all of them.
    ///
    /// # Errors
    /// As [`from_document`](Self::from_document).
    pub fn from_item(document: Document, gvk: &Gvk) -> Result<Self, ObjectError> {
        let root = document.root();
        let left_out = |field| root.get(field).is_none();
        if !root.is_map() || !(left_out("apiVersion") || left_out("kind")) {
            return Self::from_document(document);
        }
        let mut out = Builder::reopening(&document);
        out.begin();
        for (field, value) in [("apiVersion", &*gvk.api_version()), ("kind", gvk.kind())] {
            if left_out(field) {
                out.key(field);
                out.text(value);
            }
        }
        out.entries_without(root, &[]);
        out.end_map();
        Self::from_document(out.finish())
    }

    /// From a `serde_json` value.
    ///
    /// # Errors
    /// As [`from_document`](Self::from_document).
    pub fn from_json(value: Value) -> Result<Self, ObjectError> {
        Self::from_document(Document::from_json(&value))
    }

    fn of(document: Document, gvk: Gvk, key: ObjectKey) -> Self {
        Self(Arc::new(Parts {
            document,
            gvk,
            key,
            digest: OnceLock::new(),
        }))
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
    pub fn document(&self) -> &Document {
        &self.0.document
    }

    /// The content as one node.
    pub fn root(&self) -> Node<'_> {
        self.0.document.root()
    }

    /// A copy of the content as a `serde_json` value.
    pub fn to_json(&self) -> Value {
        self.0.document.to_json()
    }

    /// Digest of the content, computed once.
    pub fn digest(&self) -> Digest {
        *self.0.digest.get_or_init(|| Digest::of(self.root()))
    }

    /// `metadata`, which every object has.
    pub fn metadata(&self) -> Node<'_> {
        self.root().get("metadata").unwrap_or(self.root())
    }

    /// A text in `metadata`, such as `uid`.
    pub fn metadata_text(&self, field: &str) -> Option<&str> {
        self.metadata().get(field)?.as_str()
    }

    /// One label's value.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata().at(&["labels", key])?.as_str()
    }

    /// One annotation's value.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata().at(&["annotations", key])?.as_str()
    }

    /// True for a core `Secret`, whose values no log, diff or error may show.
    pub fn is_secret(&self) -> bool {
        self.0.key.is_secret()
    }

    /// Bytes on the heap, without the texts of the kind, which objects share.
    pub fn heap_size(&self) -> usize {
        ARC_SIZE + size_of::<Parts>() + self.0.document.heap_size() + self.0.key.heap_size()
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
        let key = ObjectKey::of(self.gvk().group_kind().clone(), namespace, self.name());
        let document = self.with_metadata(|metadata, out| {
            out.entries_without(metadata, &["namespace"]);
            if let Some(namespace) = namespace {
                out.key("namespace");
                out.text(namespace);
            }
        });
        Self::of(document, self.0.gvk.clone(), key)
    }

    /// The same object with these labels and annotations set.
    #[must_use]
    pub fn with_marks<'a>(
        &self,
        labels: impl IntoIterator<Item = (&'a str, &'a str)>,
        annotations: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let document = self.with_metadata(|metadata, out| {
            out.entries_without(metadata, &[]);
            add_texts(metadata, "labels", labels, out);
            add_texts(metadata, "annotations", annotations, out);
        });
        Self::of(document, self.0.gvk.clone(), self.0.key.clone())
    }

    /// The same object without these fields, removed one after the other; those that are not there do not matter.
    ///
    /// # Errors
    /// When the rest is no object.
    pub fn without<'a>(&self, fields: impl IntoIterator<Item = &'a FieldPath>) -> Result<Self, ObjectError> {
        let mut rest = None;
        for field in fields {
            let before = rest.as_ref().unwrap_or(self.document());
            if let Some(after) = field.without(before) {
                rest = Some(after);
            }
        }
        rest.map_or_else(|| Ok(self.clone()), Self::from_document)
    }

    /// Identity only: `apiVersion`, `kind`, name and namespace.
    #[must_use]
    pub fn bare(&self) -> Self {
        let mut out = Builder::new();
        let text = |out: &mut Builder<'_>, key: &str, value: &str| {
            out.key(key);
            out.text(value);
        };
        out.begin();
        text(&mut out, "apiVersion", &self.gvk().api_version());
        text(&mut out, "kind", self.gvk().kind());
        out.key("metadata");
        out.begin();
        text(&mut out, "name", self.name());
        if let Some(namespace) = self.namespace() {
            text(&mut out, "namespace", namespace);
        }
        out.end_map();
        out.end_map();
        Self::of(out.finish(), self.0.gvk.clone(), self.0.key.clone())
    }

    /// The content with other `metadata`: `write` writes its entries, of which the last one of a key counts.
    fn with_metadata(&self, write: impl FnOnce(Node<'_>, &mut Builder<'_>)) -> Document {
        let metadata = self.metadata();
        let mut out = Builder::reopening(self.document());
        out.begin();
        out.entries_without(self.root(), &["metadata"]);
        out.same_key(metadata);
        out.begin();
        write(metadata, &mut out);
        out.end_map();
        out.end_map();
        out.finish()
    }
}

/// Writes a mapping of `metadata` with more entries, if there are any.
fn add_texts<'a>(
    metadata: Node<'_>,
    field: &str,
    texts: impl IntoIterator<Item = (&'a str, &'a str)>,
    out: &mut Builder<'_>,
) {
    let mut texts = texts.into_iter().peekable();
    if texts.peek().is_none() {
        return;
    }
    out.key(field);
    out.begin();
    if let Some(before) = metadata.get(field) {
        out.entries_without(before, &[]);
    }
    for (key, value) in texts {
        out.key(key);
        out.text(value);
    }
    out.end_map();
}

/// What an object is, and that it is one.
fn identity(root: Node<'_>) -> Result<(Gvk, ObjectKey), ObjectError> {
    let invalid = |field, problem| Err(ObjectError::Invalid { field, problem });
    if !root.is_map() {
        return Err(ObjectError::NotAMapping);
    }
    let api_version = text(root, "apiVersion", "apiVersion")?.ok_or(ObjectError::Missing("apiVersion"))?;
    let kind = text(root, "kind", "kind")?.ok_or(ObjectError::Missing("kind"))?;
    let Some(gvk) = Gvk::shared(api_version, kind) else {
        return invalid("apiVersion", "is not `version` or `group/version`");
    };
    if kind.contains('/') {
        return invalid("kind", "contains `/`");
    }
    let metadata = match root.get("metadata") {
        Some(metadata) if metadata.is_map() => metadata,
        Some(metadata) if !metadata.is_null() => return invalid("metadata", "is not a mapping"),
        _ => return Err(ObjectError::Missing("metadata")),
    };
    let Some(name) = text(metadata, "name", "metadata.name")? else {
        if metadata.get("generateName").is_some() {
            let problem = "is not supported here: the object needs a fixed `metadata.name`";
            return invalid("metadata.generateName", problem);
        }
        return Err(ObjectError::Missing("metadata.name"));
    };
    let namespace = text(metadata, "namespace", "metadata.namespace")?;
    if name.contains('/') || namespace.is_some_and(|ns| ns.contains('/')) {
        return invalid("metadata", "has a name or namespace with `/`");
    }
    for field in ["labels", "annotations"] {
        let kind = metadata.get(field).map(Node::kind);
        if !matches!(kind, None | Some(Kind::Null | Kind::Map)) {
            return invalid("metadata", "has labels or annotations that are not a mapping");
        }
    }
    let key = ObjectKey::of(gvk.group_kind().clone(), namespace, name);
    Ok((gvk, key))
}

/// A text field: `None` when absent, null or empty.
fn text<'a>(map: Node<'a>, key: &str, field: &'static str) -> Result<Option<&'a str>, ObjectError> {
    match map.get(key) {
        None => Ok(None),
        Some(value) if value.is_null() => Ok(None),
        Some(value) => match value.as_str() {
            Some(text) => Ok((!text.is_empty()).then_some(text)),
            None => Err(ObjectError::Invalid {
                field,
                problem: "is not a text (quote it?)",
            }),
        },
    }
}

/// From JSON text.
impl FromStr for Object {
    type Err = ObjectError;

    fn from_str(text: &str) -> Result<Self, ObjectError> {
        Self::from_document(text.parse()?)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_document(Document::deserialize(deserializer)?).map_err(D::Error::custom)
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
        self.root().serialize(serializer)
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
