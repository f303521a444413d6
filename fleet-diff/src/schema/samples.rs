//! Documents for the tests of schemas.

use serde_json::{Value, json};

use super::{Layer, Schemas, openapi};
use crate::{Document, Gvk, Object};

pub(super) fn gvk(api_version: &str, kind: &str) -> Gvk {
    Gvk::from_api_version(api_version, kind).unwrap()
}

/// An OpenAPI v3 document of `apps/v1`, with a Deployment whose spec has a field that no real one has.
pub(super) fn apps() -> Document {
    let of = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let deployment = json!({"group": "apps", "version": "v1", "kind": "Deployment"});
    let list = json!({"group": "apps", "version": "v1", "kind": "DeploymentList"});
    document(&json!({"components": {"schemas": {
        "io.k8s.api.apps.v1.Deployment": {"type": "object",
            "x-kubernetes-group-version-kind": [deployment],
            "properties": {
                "apiVersion": {"type": "string"}, "kind": {"type": "string"},
                "metadata": {"allOf": [of("io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta")], "default": {}},
                "spec": of("io.k8s.api.apps.v1.DeploymentSpec")}},
        "io.k8s.api.apps.v1.DeploymentList": {"type": "object",
            "x-kubernetes-group-version-kind": [list],
            "properties": {"items": {"type": "array", "items": of("io.k8s.api.apps.v1.Deployment")}}},
        "io.k8s.api.apps.v1.DeploymentSpec": {"type": "object", "properties": {
            "replicas": {"type": "integer", "format": "int32"},
            "paused": {"type": "boolean", "default": true},
            "extra": {"type": "object", "additionalProperties": of("io.k8s.apimachinery.pkg.api.resource.Quantity")},
            "ports": {"type": "array", "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["protocol", "port"],
                "items": {"type": "object", "properties": {"port": {"type": "integer"}, "protocol": {"type": "string"}}}},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string", "default": ""}},
            "words": {"type": "array", "items": {"type": "string"}},
            "old": {"allOf": [of("io.k8s.api.apps.v1.Thing")], "x-kubernetes-map-type": "granular"},
            "thing": of("io.k8s.api.apps.v1.Thing")}},
        "io.k8s.api.apps.v1.Thing": {"type": "object", "x-kubernetes-map-type": "atomic", "properties": {
            "of": of("io.k8s.api.apps.v1.Thing"),
            "size": {"type": "number", "default": 1.5}}},
        "io.k8s.apimachinery.pkg.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"type": "object", "properties": {
            "name": {"type": "string"},
            "labels": {"type": "object", "additionalProperties": {"type": "string", "default": ""}}}},
    }}, "paths": {
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}":
            {"get": {"x-kubernetes-group-version-kind": deployment}},
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}/status":
            {"get": {"x-kubernetes-group-version-kind": deployment}},
    }}))
}

/// Facts about the types of [`apps`].
pub(super) fn facts() -> Document {
    let field = |name: &str, kind: &str, pointer: bool, omit: &str| json!({"name": name, "kind": kind, "pointer": pointer, "omit": omit});
    let with = |mut field: Value, element: &str| {
        field["element"] = json!({ "kind": element });
        field
    };
    document(&json!({
        "gates": ["Alpha", "Beta"],
        "kinds": [
            {"group": "apps", "version": "v1", "kind": "Deployment", "namespaced": true,
                "resets": {"": ["spec.paused", "status"], "status": ["spec"]}},
            {"group": "apps", "version": "v1", "kind": "DeploymentList"}],
        "types": {
            "io.k8s.api.apps.v1.Deployment": {"kind": "struct", "fields": [
                field("apiVersion", "string", false, "empty"), field("kind", "string", false, "empty"),
                field("metadata", "struct", false, "empty"), field("spec", "struct", false, "empty")]},
            "io.k8s.api.apps.v1.DeploymentSpec": {"kind": "struct", "fields": [
                field("replicas", "int32", true, "empty"), field("paused", "bool", false, "empty"),
                with(field("extra", "map", false, "zero"), "quantity"),
                with(field("ports", "list", false, ""), "struct"),
                with(field("tags", "list", false, "empty"), "string"),
                with(field("words", "list", false, "empty"), "string"),
                field("old", "struct", true, ""), field("thing", "struct", false, "zero")]},
            "io.k8s.api.apps.v1.Thing": {"kind": "struct", "fields": [
                field("of", "struct", true, "empty"), field("size", "float64", false, "")]},
            "io.k8s.apimachinery.pkg.api.resource.Quantity": {"kind": "quantity"},
            "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta": {"kind": "struct", "fields": [
                field("name", "string", false, "empty"),
                with(field("labels", "map", false, "empty"), "string")]},
        },
    }))
}

/// The layer of both.
pub(super) fn native() -> Layer {
    openapi::native(&[apps()], &facts()).unwrap()
}

/// A definition whose schema has what only custom resources have.
pub(super) fn widgets() -> Object {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "nullable": true,
            "x-kubernetes-validations": [{"rule": "self.size == oldSelf.size"}],
            "properties": {
                "size": {"x-kubernetes-int-or-string": true, "default": 3},
                "rest": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "template": {"type": "object", "x-kubernetes-embedded-resource": true}}}}});
    Object::from_json(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Cluster", "names": {"plural": "widgets", "kind": "Widget"},
            "versions": [
                {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema}},
                {"name": "v2", "served": true, "storage": false, "schema": {"openAPIV3Schema": schema}}]},
    }))
    .unwrap()
}

/// The topmost layer.
pub(super) fn top(schemas: &Schemas) -> &Layer {
    schemas.layers.last().unwrap()
}

fn document(value: &Value) -> Document {
    Document::from_json(value)
}
