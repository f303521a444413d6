//! Documents that hold schemas, told apart by their content.

use super::{SchemaError, Schemas};
use crate::{
    Document, Object,
    document::{Builder, Node},
};

/// A document that says what fields some kinds have.
///
/// ```
/// use fleet_diff::{Document, SchemaSource, Schemas};
///
/// let text = r#"{"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.36.3"}, "components": {"schemas": {}}}"#;
/// let found = SchemaSource::find(&text.parse()?)?;
/// let version = found[0].kubernetes().and_then(Schemas::nearest);
/// assert_eq!(version, Some("1.36"));
/// let schemas = Schemas::builtin().with(&found[0])?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SchemaSource {
    /// An OpenAPI v3 document, as a server answers `/openapi/v3/…` for one group and version.
    OpenApi(Document),
    /// A `CustomResourceDefinition`.
    Crd(Object),
}

impl SchemaSource {
    /// All of them in a document: itself, or the elements of a list, also of a list of objects. Other objects are
    /// passed over.
    ///
    /// # Errors
    /// When the document, or an element of it, is neither an OpenAPI v3 document nor an object.
    pub fn find(document: &Document) -> Result<Vec<Self>, SchemaError> {
        let mut found = Vec::new();
        find(document.root(), "", &mut found)?;
        Ok(found)
    }

    /// The version of Kubernetes that an OpenAPI document says it is of.
    pub fn kubernetes(&self) -> Option<&str> {
        let Self::OpenApi(document) = self else {
            return None;
        };
        let info = document.root().get("info")?;
        let text = |key: &str| info.get(key).and_then(Node::as_str);
        // Documents of other servers count their own versions.
        text("version").filter(|_| text("title") == Some("Kubernetes"))
    }
}

fn find(node: Node<'_>, place: &str, found: &mut Vec<SchemaSource>) -> Result<(), SchemaError> {
    let text = |key: &str| node.get(key).and_then(Node::as_str);
    let has = |key: &str| node.get(key).is_some();
    let items = match text("kind") {
        _ if node.is_list() => Some(node),
        Some(kind) if kind.ends_with("List") => node.get("items"),
        _ => None,
    };
    if let Some(items) = items {
        for (position, item) in items.items().enumerate() {
            find(item, &format!("{place}[{position}]"), found)?;
        }
        return Ok(());
    }
    let wrong = |problem: &str| {
        Err(SchemaError {
            place: if place.is_empty() {
                "the document".into()
            } else {
                format!("element {place}")
            },
            problem: problem.into(),
        })
    };
    if node
        .get("components")
        .is_some_and(|components| components.get("schemas").is_some())
    {
        found.push(SchemaSource::OpenApi(copy(node)));
        return Ok(());
    }
    if has("swagger") {
        return wrong("is OpenAPI v2: a server answers version 3 at /openapi/v3");
    }
    if has("paths") && !has("openapi") && !has("kind") {
        return wrong("is the index of /openapi/v3: give the documents that it names");
    }
    if !has("kind") || !has("apiVersion") {
        return wrong("is neither an OpenAPI v3 document nor a CustomResourceDefinition");
    }
    let group = text("apiVersion").and_then(|version| version.split_once('/'));
    let is_crd = text("kind") == Some("CustomResourceDefinition");
    if is_crd && group.is_some_and(|(group, _)| group == "apiextensions.k8s.io") {
        match Object::from_document(copy(node)) {
            Ok(crd) => found.push(SchemaSource::Crd(crd)),
            Err(error) => return wrong(&error.to_string()),
        }
    }
    Ok(())
}

fn copy(node: Node<'_>) -> Document {
    let mut out = Builder::new();
    out.node(node);
    out.finish()
}

impl Schemas {
    /// With a layer of what a document says on top. OpenAPI documents belong under CRDs, which say more.
    ///
    /// # Errors
    /// As [`with_openapi`](Self::with_openapi) and [`with_crd`](Self::with_crd).
    pub fn with(self, source: &SchemaSource) -> Result<Self, SchemaError> {
        match source {
            SchemaSource::OpenApi(document) => self.with_openapi(document),
            SchemaSource::Crd(crd) => self.with_crd(crd),
        }
    }

    /// The one of [`KUBERNETES`](Self::KUBERNETES) that is nearest to the version of a server, like `v1.36.3`. None when
    /// the text is no version of Kubernetes.
    pub fn nearest(version: &str) -> Option<&'static str> {
        let minor = |text: &str| {
            let minor = text.trim_start_matches('v').strip_prefix("1.")?;
            let digits = minor
                .find(|c: char| !c.is_ascii_digit())
                .map_or(minor, |end| &minor[..end]);
            digits.parse::<u32>().ok()
        };
        let wanted = minor(version)?;
        let distance = |known: &&str| minor(known).map_or(u32::MAX, |minor| minor.abs_diff(wanted));
        Self::KUBERNETES.into_iter().min_by_key(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn documents_are_told_apart() {
        let openapi = json!({"openapi": "3.0.0", "components": {"schemas": {}}});
        let crd = |name: &str| json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": name}});
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}});
        let list = |items| json!({"apiVersion": "v1", "kind": "List", "items": items});
        let cases = [
            (openapi.clone(), Ok("openapi")),
            (crd("a"), Ok("a")),
            (json!([crd("a"), openapi, namespace, crd("b")]), Ok("a openapi b")),
            (list(json!([crd("a"), list(json!([crd("b")]))])), Ok("a b")),
            (namespace, Ok("")),
            (
                json!({"swagger": "2.0", "paths": {}}),
                Err("the document: is OpenAPI v2: a server answers version 3 at /openapi/v3"),
            ),
            (
                json!({"paths": {"api/v1": {}}}),
                Err("the document: is the index of /openapi/v3: give the documents that it names"),
            ),
            (
                json!([crd("a"), {"hunter": 2}]),
                Err("element [1]: is neither an OpenAPI v3 document nor a CustomResourceDefinition"),
            ),
            (
                json!("text"),
                Err("the document: is neither an OpenAPI v3 document nor a CustomResourceDefinition"),
            ),
            (
                list(json!([crd("")])),
                Err("element [0]: `metadata.name` is missing or empty"),
            ),
        ];
        for (value, expect) in cases {
            let found = SchemaSource::find(&Document::from_json(&value)).map(|found| {
                let names = found.iter().map(|source| match source {
                    SchemaSource::OpenApi(_) => "openapi",
                    SchemaSource::Crd(crd) => crd.name(),
                });
                names.collect::<Vec<_>>().join(" ")
            });
            let found = found.map_err(|error| error.to_string());
            assert_eq!(found.as_deref().map_err(|error| &**error), expect, "{value}");
        }
    }

    #[test]
    fn the_nearest_version_is_found() {
        let cases = [
            ("v1.36.3", Some("1.36")),
            ("1.36", Some("1.36")),
            ("v1.29+", Some("1.36")),
            ("v1.37.0-rc.1+x", Some("1.37")),
            ("v1.99.0", Some("1.37")),
            ("v0.1.0", None),
            ("unversioned", None),
            ("", None),
            ("1.", None),
            ("v1.99999999999", None),
        ];
        for (version, expect) in cases {
            assert_eq!(Schemas::nearest(version), expect, "{version}");
        }
    }

    #[test]
    fn only_documents_of_kubernetes_say_its_version() {
        let of = |title: &str| {
            let document =
                json!({"info": {"title": title, "version": "v1.36.3"}, "components": {"schemas": {}}});
            SchemaSource::OpenApi(Document::from_json(&document))
        };
        assert_eq!(of("Kubernetes").kubernetes(), Some("v1.36.3"));
        assert_eq!(of("Kubernetes CRD Swagger").kubernetes(), None);
    }
}
