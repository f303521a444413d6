//! What is known of the types of objects.

mod build;
mod builtin;
mod crd;
mod facts;
mod fields;
mod openapi;
#[cfg(test)]
mod samples;
mod sources;
mod table;
#[cfg(test)]
mod tests;
mod types;
mod watched;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

pub(crate) use fields::Fields;
pub(crate) use types::{
    Custom, Field, Form, ListKind, ListType, MapType, Omit, ScalarType, Stored, Type, TypeId,
};

pub use sources::SchemaSource;
#[cfg(feature = "table-writer")]
pub use table::writer as table_writer;
pub(crate) use watched::watched_change;

use crate::{FieldPath, FieldSet, Gvk, Object};

/// The types of many kinds of objects; cheap to clone, shared by all objects.
///
/// Layers may be put over one another; the topmost one that knows a kind counts.
///
/// ```
/// use fleet_diff::{GroupKind, Schemas};
///
/// let crd = fleet_diff::Object::from_json(serde_json::json!({
///     "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
///     "metadata": {"name": "widgets.example.com"},
///     "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "widgets", "kind": "Widget"},
///         "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
///             "type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}},
///         }}}]},
/// }))?;
/// let schemas = Schemas::default().with_crd(&crd)?;
/// assert!(schemas.knows(&GroupKind::new("example.com", "Widget").at("v1")));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct Schemas {
    /// The last one is asked first.
    layers: Vec<Arc<Layer>>,
}

/// Why a schema cannot be used. Names where in the document the problem is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct SchemaError {
    pub(crate) place: String,
    pub(crate) problem: String,
}

/// Types that refer to one another.
#[derive(Default, PartialEq)]
#[cfg_attr(test, derive(Clone))]
pub(crate) struct Layer {
    types: Vec<Type>,
    names: BTreeMap<Arc<str>, TypeId>,
    /// The names of named types.
    named: BTreeMap<TypeId, Arc<str>>,
    kinds: BTreeMap<Gvk, KindEntry>,
    /// Feature gates that are on.
    gates: BTreeSet<Arc<str>>,
    /// It has the facts about the Go types itself; other layers took them over from one that has.
    told: bool,
}

#[derive(Clone, PartialEq)]
struct KindEntry {
    root: TypeId,
    /// The server holds it in Go types, not as JSON.
    native: bool,
    /// Fields that the main endpoint does not write.
    resets: Arc<FieldSet>,
    /// Whether its objects are in namespaces; none when nothing says so.
    namespaced: Option<bool>,
    conversion: Conversion,
}

/// How objects of a custom resource pass from one version to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Conversion {
    /// Only `apiVersion` changes.
    Renames,
    /// Nobody knows: an OpenAPI document does not say whether a definition or a server of its own stands behind it.
    Unknown,
    /// A webhook does it; what is written at the version that is stored does not pass through it.
    Webhook { stored: bool },
}

impl Conversion {
    /// Of a kind of which no definition says it. Servers convert built-in kinds with code, see `other_version`.
    fn of(native: bool) -> Self {
        if native { Self::Renames } else { Self::Unknown }
    }
}

/// The type of one kind.
#[derive(Clone, Copy)]
pub(crate) struct KindSchema<'a> {
    pub(crate) layer: &'a Layer,
    pub(crate) root: TypeId,
    pub(crate) native: bool,
    /// Fields that the main endpoint does not write: for most kinds the status.
    pub(crate) resets: &'a FieldSet,
    pub(crate) conversion: Conversion,
    /// Nothing is known of it: merged as the server merges what it has no schema for.
    pub(crate) deduced: bool,
}

impl Layer {
    pub(crate) fn get(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }

    /// Whether a feature gate is on.
    pub(crate) fn gate(&self, name: &str) -> bool {
        self.gates.contains(name)
    }

    /// Whether a type of this name has this field: tells versions of Kubernetes apart, as fields only come.
    pub(crate) fn has_field(&self, type_name: &str, field: &str) -> bool {
        let id = self.names.get(type_name);
        id.is_some_and(|id| {
            self.get(*id)
                .map
                .as_ref()
                .is_some_and(|map| map.field(field).is_some())
        })
    }

    /// The name of a type that has one; the same however it is merged.
    pub(crate) fn name(&self, id: TypeId) -> Option<&str> {
        let name = self.named.get(&id)?;
        name.split(build::MERGED).next()
    }
}

impl KindSchema<'_> {
    /// The main endpoint does not write the status.
    pub(crate) fn keeps_status(&self) -> bool {
        self.resets.contains(&FieldPath::keys(["status"]))
    }
}

impl Schemas {
    /// True when a layer knows this kind.
    pub fn knows(&self, gvk: &Gvk) -> bool {
        self.layers.iter().any(|layer| layer.kinds.contains_key(gvk))
    }

    /// Whether objects of this kind are in namespaces; none when no layer says so.
    pub fn is_namespaced(&self, gvk: &Gvk) -> Option<bool> {
        self.layers
            .iter()
            .rev()
            .find_map(|layer| layer.kinds.get(gvk)?.namespaced)
    }

    /// With a layer of an OpenAPI v3 document on top, as an API server answers `/openapi/v3/…` for one group and
    /// version.
    ///
    /// A document does not say how its server stores a built-in type. That is taken from the layers below, by the name
    /// of the type: so put the documents of a server over [`builtin`](Self::builtin). Types that no layer below knows
    /// are merged by the document, and their values stay as they are written.
    ///
    /// # Errors
    /// When the document is no OpenAPI v3 document or contradicts itself.
    pub fn with_openapi(mut self, document: &crate::Document) -> Result<Self, SchemaError> {
        let layer = openapi::layer(document, self.told())?;
        self.layers.push(Arc::new(layer));
        Ok(self)
    }

    /// With one layer of all built-in types on top: the OpenAPI v3 documents of a server, and the facts about its Go
    /// types that `control-plane types` prints. This is how the built-in table is made.
    ///
    /// # Errors
    /// As [`with_openapi`](Self::with_openapi).
    pub fn with_native(
        mut self,
        documents: &[crate::Document],
        facts: &crate::Document,
    ) -> Result<Self, SchemaError> {
        self.layers.push(Arc::new(openapi::native(documents, facts)?));
        Ok(self)
    }

    /// With a layer for the versions of a CRD on top.
    ///
    /// # Errors
    /// When it is no CRD, or its schema is none that an API server takes.
    pub fn with_crd(mut self, crd: &Object) -> Result<Self, SchemaError> {
        self.layers.push(Arc::new(crd::layer(crd, &self)?));
        Ok(self)
    }

    /// The topmost layer with facts of its own, from which others take them over.
    fn told(&self) -> Option<&Layer> {
        self.layers
            .iter()
            .rev()
            .map(|layer| &**layer)
            .find(|layer| layer.told)
    }

    /// What the metadata of objects is, best by a layer with facts of its own.
    fn metadata(&self) -> Option<(&Layer, TypeId)> {
        let layers = self.layers.iter().rev().map(|layer| &**layer);
        self.told().into_iter().chain(layers).find_map(|layer| {
            let id = *layer.names.get(openapi::OBJECT_META)?;
            // A layer may refer to it and not know it.
            (*layer.get(id) != Type::deduced()).then_some((layer, id))
        })
    }

    pub(crate) fn of(&self, gvk: &Gvk) -> KindSchema<'_> {
        static NOTHING: std::sync::LazyLock<Layer> =
            std::sync::LazyLock::new(|| build::Types::default().finish());
        static NONE: FieldSet = FieldSet::empty();
        let found = self
            .layers
            .iter()
            .rev()
            .find_map(|layer| Some((layer, layer.kinds.get(gvk)?)));
        match found {
            Some((layer, kind)) => KindSchema {
                layer,
                root: kind.root,
                native: kind.native,
                resets: &kind.resets,
                conversion: kind.conversion,
                deduced: false,
            },
            None => KindSchema {
                layer: &NOTHING,
                root: TypeId::DEDUCED,
                native: false,
                resets: &NONE,
                conversion: Conversion::Renames,
                deduced: true,
            },
        }
    }
}

/// The status has an endpoint of its own.
fn resets_status() -> FieldSet {
    [FieldPath::keys(["status"])].into_iter().collect()
}

impl fmt::Debug for Schemas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds: usize = self.layers.iter().map(|layer| layer.kinds.len()).sum();
        write!(f, "Schemas({} layers, {kinds} kinds)", self.layers.len())
    }
}

impl fmt::Debug for KindSchema<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KindSchema({:?})", self.root)
    }
}
