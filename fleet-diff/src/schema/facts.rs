//! Facts about the Go types behind built-in kinds, which no OpenAPI document has: what is a pointer, what is left out
//! when empty, what is rewritten.
//!
//! They come from `control-plane types`, which reads them by reflection from the server's own types.

use crate::{FieldPath, FieldSet, Gvk, document::Node};

use super::{Form, Omit, Stored};

/// The document of `control-plane types`.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    types: Node<'a>,
    document: Node<'a>,
}

/// What is known of one value.
#[derive(Clone, Copy)]
pub(super) struct Fact<'a>(Node<'a>);

impl<'a> Facts<'a> {
    pub(super) fn new(document: Node<'a>) -> Option<Self> {
        document.get("types").map(|types| Self { types, document })
    }

    /// The feature gates that are on.
    pub(super) fn gates(self) -> impl Iterator<Item = &'a str> {
        self.document
            .get("gates")
            .into_iter()
            .flat_map(Node::items)
            .filter_map(Node::as_str)
    }

    /// The fields that the main endpoint of a kind does not write; none when nothing is known of them.
    pub(super) fn resets(self, gvk: &Gvk) -> Option<FieldSet> {
        let main = self.kind(gvk)?.get("resets")?.get("");
        let paths = main.into_iter().flat_map(Node::items).filter_map(Node::as_str);
        Some(paths.map(|path| FieldPath::keys(path.split('.'))).collect())
    }

    /// Whether objects of a kind are in namespaces; none when the server does not serve it.
    pub(super) fn namespaced(self, gvk: &Gvk) -> Option<bool> {
        self.kind(gvk)?.get("namespaced")?.as_bool()
    }

    /// The kinds that the server serves.
    #[cfg(any(test, feature = "table-writer"))]
    pub(super) fn served(self) -> impl Iterator<Item = Gvk> {
        let kinds = self.document.get("kinds").into_iter().flat_map(Node::items);
        let served = kinds.filter(|kind| kind.get("namespaced").is_some());
        served.filter_map(|kind| {
            let text = |key: &str| kind.get(key).and_then(Node::as_str);
            Some(crate::GroupKind::new(text("group")?, text("kind")?).at(text("version")?))
        })
    }

    fn kind(self, gvk: &Gvk) -> Option<Node<'a>> {
        let is = |kind: Node<'_>, key: &str, text: &str| kind.get(key).and_then(Node::as_str) == Some(text);
        let mut kinds = self.document.get("kinds")?.items();
        kinds.find(|kind| {
            is(*kind, "group", gvk.group())
                && is(*kind, "version", gvk.version())
                && is(*kind, "kind", gvk.kind())
        })
    }

    pub(super) fn of(self, name: &str) -> Option<StructFacts<'a>> {
        Some(StructFacts(self.types.get(name)?))
    }
}

#[derive(Clone, Copy)]
pub(super) struct StructFacts<'a>(Node<'a>);

impl<'a> StructFacts<'a> {
    pub(super) fn field(self, name: &str) -> Option<Fact<'a>> {
        let mut fields = self.0.get("fields")?.items();
        fields
            .find(|field| field.get("name").and_then(Node::as_str) == Some(name))
            .map(Fact)
    }

    pub(super) fn stored(self) -> Stored {
        Fact(self.0).stored()
    }
}

impl<'a> Fact<'a> {
    pub(super) fn form(self) -> Form {
        Form {
            pointer: self.0.get("pointer").and_then(Node::as_bool) == Some(true),
            omit: match self.0.get("omit").and_then(Node::as_str) {
                Some("empty") => Omit::Empty,
                Some("zero") => Omit::Zero,
                _ => Omit::Never,
            },
        }
    }

    pub(super) fn element(self) -> Option<Fact<'a>> {
        self.0.get("element").map(Fact)
    }

    pub(super) fn stored(self) -> Stored {
        match self.0.get("kind").and_then(Node::as_str) {
            Some("int32") => Stored::Int32,
            Some("int64") => Stored::Int64,
            Some("float64") => Stored::Float,
            Some("bool") => Stored::Bool,
            Some("string") => Stored::Text,
            Some("bytes") => Stored::Bytes,
            Some("quantity") => Stored::Quantity,
            Some("int-or-string") => Stored::IntOrString,
            Some("time") => Stored::Time,
            Some("micro-time") => Stored::MicroTime,
            Some("duration") => Stored::Duration,
            Some("raw-extension" | "fields-v1" | "custom") => Stored::Json,
            Some("struct") => Stored::Struct,
            Some("list") => Stored::List,
            Some("map") => Stored::Map,
            _ => Stored::AsIs,
        }
    }
}
