//! The part of an object that one manager applied.

use super::write::{OwnersError, read};
use crate::{
    Document, Object, Schemas,
    document::{Builder, Node},
    managed::ManagerKey,
    typed,
};

/// What `manager` applied, with the values of today: an object to change and apply again, as client-go's
/// `ExtractInto` makes it. Elements of lists come with their key fields. None when it applies nothing.
///
/// ```
/// use fleet_diff::{Object, Schemas, extract};
/// use serde_json::json;
///
/// let live = Object::from_json(json!({
///     "apiVersion": "example.com/v1", "kind": "Thing", "size": 3, "color": "red",
///     "metadata": {"name": "a", "managedFields": [
///         {"manager": "fleet", "operation": "Apply", "apiVersion": "example.com/v1",
///          "fieldsType": "FieldsV1", "fieldsV1": {"f:size": {}}},
///     ]},
/// }))?;
/// let ours = extract(&live, "fleet", &Schemas::default())?.expect("it applied something");
/// let expected = json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "size": 3});
/// assert_eq!(ours.to_json(), expected);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the entries cannot be read, or when the manager applied at another API version than the object was read at.
pub fn extract(live: &Object, manager: &str, schemas: &Schemas) -> Result<Option<Object>, OwnersError> {
    let managers = read(live)?;
    let Some(owned) = managers.get(&ManagerKey::applied(manager)) else {
        return Ok(None);
    };
    let gvk = live.gvk();
    let version = gvk.api_version();
    if owned.version != version {
        return Err(OwnersError::OtherVersion(owned.version.to_string()));
    }
    let kind = schemas.of(gvk);
    let fields = owned.fields.to_set().leaves();
    let part = typed::extract(kind.layer, kind.root, live.document(), &fields);
    Object::from_document(named_like(live, part.root()))
        .map(Some)
        .map_err(|error| OwnersError::NoObject(error.to_string()))
}

/// The part with the identity of the object.
fn named_like(live: &Object, part: Node<'_>) -> Document {
    let mut out = Builder::new();
    let text = |out: &mut Builder<'_>, key: &str, value: &str| {
        out.key(key);
        out.text(value);
    };
    out.begin();
    text(&mut out, "apiVersion", &live.gvk().api_version());
    text(&mut out, "kind", live.gvk().kind());
    out.key("metadata");
    out.begin();
    text(&mut out, "name", live.name());
    if let Some(namespace) = live.namespace() {
        text(&mut out, "namespace", namespace);
    }
    if let Some(metadata) = part.get("metadata") {
        out.entries_without(metadata, &["name", "namespace"]);
    }
    out.end_map();
    if part.is_map() {
        out.entries_without(part, &["apiVersion", "kind", "metadata"]);
    }
    out.end_map();
    out.finish()
}
