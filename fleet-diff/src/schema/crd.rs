//! Schemas from `CustomResourceDefinition` objects, also of those that are not installed yet.

use std::sync::Arc;

use super::{
    Conversion, KindEntry, Layer, SchemaError, Schemas, Type, TypeId,
    build::Types,
    openapi::{OBJECT_META, Reader},
    resets_status,
};
use crate::{FieldSet, GroupKind, Object, document::Node};

/// A layer with every version of the definition. The layers below say what the metadata of objects is.
pub(super) fn layer(crd: &Object, below: &Schemas) -> Result<Layer, SchemaError> {
    let error = |problem: &str| SchemaError {
        place: crd.key().to_string(),
        problem: problem.into(),
    };
    let spec = crd.root().get("spec").ok_or_else(|| error("has no spec"))?;
    let text = |path: &[&str]| {
        path.iter()
            .try_fold(spec, |at, key| at.get(key))
            .and_then(Node::as_str)
    };
    let group = text(&["group"]).ok_or_else(|| error("has no spec.group"))?;
    let kind = text(&["names", "kind"]).ok_or_else(|| error("has no spec.names.kind"))?;
    let versions = spec.get("versions").filter(|versions| !versions.is_empty());
    let mut types = Types::default();
    let meta = match below.metadata() {
        Some((layer, id)) => {
            let own = types.import(layer, id);
            let named = types.named(OBJECT_META);
            let of = types.get(own).clone();
            types.define(named, of);
            named
        }
        None => TypeId::DEDUCED,
    };
    let namespaced = match text(&["scope"]) {
        Some("Namespaced") => Some(true),
        Some("Cluster") => Some(false),
        _ => None,
    };
    for version in versions.ok_or_else(|| error("has no spec.versions"))?.items() {
        let name = version
            .get("name")
            .and_then(Node::as_str)
            .ok_or_else(|| error("has a version without a name"))?;
        let schema = version
            .get("schema")
            .and_then(|schema| schema.get("openAPIV3Schema"));
        let root = match schema {
            // A definition of the first versions of the API, or a broken one: nothing is known of its fields.
            None => types.add(Type::deduced()),
            Some(schema) => {
                let place = format!("{} version {name}", crd.key());
                let mut reader = Reader {
                    types: &mut types,
                    facts: None,
                    place,
                    preserve: false,
                    depth: 0,
                };
                let of = reader.inline(schema, Some(meta))?;
                types.add(of)
            }
        };
        let stored = version.get("storage").and_then(Node::as_bool) == Some(true);
        let conversion = match text(&["conversion", "strategy"]) {
            Some("Webhook") => Conversion::Webhook { stored },
            _ => Conversion::Renames,
        };
        let status = version
            .get("subresources")
            .and_then(|subresources| subresources.get("status"));
        let apart = status.is_some_and(|status| !status.is_null());
        let resets = Arc::new(if apart { resets_status() } else { FieldSet::new() });
        types.kind(
            GroupKind::new(group, kind).at(name),
            KindEntry {
                root,
                native: false,
                resets,
                namespaced,
                conversion,
            },
        );
    }
    Ok(types.finish())
}
