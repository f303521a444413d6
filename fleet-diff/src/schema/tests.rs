//! Layers over one another.

use super::{
    Form, KindSchema, Layer, Omit, Schemas, Stored, Type, TypeId, openapi,
    samples::{apps, facts, gvk, top, widgets},
};
use crate::{Document, FieldPath};

const DEPLOYMENT_SPEC: &str = "io.k8s.api.apps.v1.DeploymentSpec";

fn named<'l>(layer: &'l Layer, name: &str) -> &'l Type {
    layer.get(layer.names[name])
}

/// A field of a named type: its form, and its own type.
fn field<'l>(layer: &'l Layer, of: &str, name: &str) -> (Form, &'l Type) {
    let field = named(layer, of).map.as_ref().unwrap().field(name).unwrap();
    (field.form, layer.get(field.of))
}

/// The metadata of a kind.
fn metadata(kind: KindSchema<'_>) -> &Type {
    let root = kind.layer.get(kind.root).map.as_ref().unwrap();
    kind.layer.get(root.field("metadata").unwrap().of)
}

fn names(of: &Type) -> Vec<&str> {
    of.map
        .iter()
        .flat_map(|map| &map.fields)
        .map(|field| &*field.name)
        .collect()
}

/// Whether every field of a struct and what is right inside it is known as the server's own types have it.
fn knows_forms(layer: &Layer, of: &Type) -> bool {
    let omitted = of
        .map
        .iter()
        .flat_map(|map| &map.fields)
        .all(|field| field.form.omit != Omit::Never);
    let stored = of
        .map
        .iter()
        .flat_map(|map| &map.fields)
        .all(|field| layer.get(field.of).stored != Stored::AsIs);
    of.stored == Stored::Struct && omitted && stored
}

#[test]
fn custom_resources_have_the_metadata_of_the_layer_with_facts() {
    let builtin = Schemas::builtin();
    let expected = names(named(top(&builtin), openapi::OBJECT_META)).join(" ");
    assert!(expected.contains("managedFields"));
    let widget = gvk("example.com/v1", "Widget");
    let of_crd = Schemas::default().with_crd(&widgets()).unwrap();
    for (schemas, below) in [
        (builtin.clone(), "the built-in table"),
        (
            builtin.clone().with_openapi(&apps()).unwrap(),
            "a server's own document",
        ),
        (builtin.with_crd(&widgets()).unwrap(), "another definition"),
        (
            Schemas {
                layers: [&of_crd, &Schemas::builtin()]
                    .map(|schemas| schemas.layers[0].clone())
                    .into(),
            },
            "a definition, then the table",
        ),
    ] {
        let schemas = schemas.with_crd(&widgets()).unwrap();
        let kind = schemas.of(&widget);
        assert_eq!(names(metadata(kind)).join(" "), expected, "{below}");
        assert!(knows_forms(kind.layer, metadata(kind)), "{below}");
        let template = kind.layer.names[openapi::OBJECT_META];
        assert!(knows_forms(kind.layer, kind.layer.get(template)), "{below}");
    }
    // Without facts, a document is better than nothing, and nothing better than a definition that knows nothing.
    let schemas = of_crd.clone().with_crd(&widgets()).unwrap();
    assert_eq!(metadata(schemas.of(&widget)), &Type::deduced());
    let schemas = Schemas::default()
        .with_openapi(&apps())
        .unwrap()
        .with_crd(&widgets())
        .unwrap();
    let schemas = schemas.with_crd(&widgets()).unwrap();
    assert_eq!(names(metadata(schemas.of(&widget))), ["labels", "name"]);
}

#[test]
fn a_document_over_the_built_in_table_keeps_how_values_are_stored() {
    let pointer = Form {
        pointer: true,
        omit: Omit::Empty,
    };
    let plain = Form {
        pointer: false,
        omit: Omit::Empty,
    };
    let schemas = Schemas::builtin().with_openapi(&apps()).unwrap();
    // Also when another document is between it and the table.
    let twice = schemas.clone().with_openapi(&apps()).unwrap();
    for schemas in [schemas, twice] {
        let layer = top(&schemas);
        let (form, of) = field(layer, DEPLOYMENT_SPEC, "replicas");
        assert_eq!((form, of.stored), (pointer, Stored::Int32));
        let (form, of) = field(layer, DEPLOYMENT_SPEC, "paused");
        assert_eq!((form, of.stored), (plain, Stored::Bool));
        // Fields and types that the table does not know stay as they are written.
        let (form, of) = field(layer, DEPLOYMENT_SPEC, "tags");
        assert_eq!((form, of.stored), (Form::default(), Stored::AsIs));
        assert_eq!(named(layer, "io.k8s.api.apps.v1.Thing").stored, Stored::AsIs);
        // What is named is known wherever it occurs.
        assert_eq!(
            named(layer, "io.k8s.apimachinery.pkg.api.resource.Quantity").stored,
            Stored::Quantity
        );
        let (form, labels) = field(layer, openapi::OBJECT_META, "labels");
        assert_eq!((form, labels.stored), (plain, Stored::Map));
        let value = labels.map.as_ref().and_then(|map| map.element).unwrap();
        assert_eq!(layer.get(value).stored, Stored::Text);
        // Fields and defaults are those of the document.
        assert!(
            named(layer, DEPLOYMENT_SPEC)
                .map
                .as_ref()
                .unwrap()
                .field("strategy")
                .is_none()
        );
        let kind = schemas.of(&gvk("apps/v1", "Deployment"));
        assert!(kind.native && !kind.deduced);
        assert_eq!(kind.resets.to_string(), ".status");
        assert!(layer.gate("SELinuxMountReadWriteOncePod") && !layer.gate("AllAlpha"));
        assert!(!layer.told);
    }
}

#[test]
fn a_document_alone_says_nothing_of_how_values_are_stored() {
    let schemas = Schemas::default().with_openapi(&apps()).unwrap();
    let (form, of) = field(top(&schemas), DEPLOYMENT_SPEC, "replicas");
    assert_eq!((form, of.stored), (Form::default(), Stored::AsIs));
    let kind = schemas.of(&gvk("apps/v1", "Deployment"));
    assert!(!kind.native);
    assert_eq!(kind.resets.to_string(), ".status");
    // A type is not known better because two documents have it.
    let schemas = schemas.with_openapi(&apps()).unwrap();
    assert!(!schemas.of(&gvk("apps/v1", "Deployment")).native);
}

#[test]
fn what_an_endpoint_does_not_write_is_told_by_the_facts() {
    let schemas = Schemas::default().with_native(&[apps()], &facts()).unwrap();
    let resets = |schemas: &Schemas| schemas.of(&gvk("apps/v1", "Deployment")).resets.clone();
    assert_eq!(resets(&schemas).to_string(), ".spec.paused\n.status");
    let schemas = schemas.with_openapi(&apps()).unwrap();
    assert!(resets(&schemas).contains(&FieldPath::keys(["spec", "paused"])));
    let requests = gvk("certificates.k8s.io/v1", "CertificateSigningRequest");
    assert_eq!(
        Schemas::builtin().of(&requests).resets.to_string(),
        ".spec\n.status"
    );
}

#[test]
fn a_kind_is_in_namespaces_if_facts_a_definition_or_paths_say_so() {
    let deployment = gvk("apps/v1", "Deployment");
    let list = gvk("apps/v1", "DeploymentList");
    let widget = gvk("example.com/v2", "Widget");
    let by_facts = Schemas::default().with_native(&[apps()], &facts()).unwrap();
    assert_eq!(by_facts.is_namespaced(&deployment), Some(true));
    assert_eq!(by_facts.is_namespaced(&list), None);
    let by_paths = Schemas::default().with_openapi(&apps()).unwrap();
    assert_eq!(by_paths.is_namespaced(&deployment), Some(true));
    assert_eq!(by_paths.is_namespaced(&list), None);
    let schemas = by_facts.with_crd(&widgets()).unwrap();
    assert_eq!(schemas.is_namespaced(&widget), Some(false));
    assert_eq!(schemas.is_namespaced(&gvk("example.com/v3", "Widget")), None);
    // A layer that does not say hides none below that does.
    let silent: Document = r#"{"components": {"schemas": {"x": {"type": "object",
        "x-kubernetes-group-version-kind": [{"group": "apps", "version": "v1", "kind": "Deployment"}]}}}}"#
        .parse()
        .unwrap();
    assert_eq!(
        schemas.with_openapi(&silent).unwrap().is_namespaced(&deployment),
        Some(true)
    );
    for (scope, expected) in [
        ("Namespaced", Some(true)),
        ("Cluster", Some(false)),
        ("Elsewhere", None),
    ] {
        let mut crd = widgets().to_json();
        crd["spec"]["scope"] = scope.into();
        let crd = crate::Object::from_json(crd).unwrap();
        let schemas = Schemas::default().with_crd(&crd).unwrap();
        assert_eq!(schemas.is_namespaced(&widget), expected, "{scope}");
    }
}

#[test]
fn facts_that_are_none_are_refused() {
    let error = Schemas::default().with_native(&[apps()], &apps()).unwrap_err();
    assert_eq!(error.to_string(), "types: is missing: are these facts?");
    assert_eq!(
        Schemas::default().of(&gvk("apps/v1", "Deployment")).root,
        TypeId::DEDUCED
    );
}
