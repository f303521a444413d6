//! Custom resources: served when their CRD is established, stored by its schema, gone with it.

mod support;

use serde_json::{Value, json};
use support::Client;

const CRDS: &str = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const RACKS: &str = "/apis/example.net/v1/namespaces/default/racks";

fn definition() -> Value {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "default": 3}, "color": {"type": "string"}}},
        "status": {"type": "object", "properties": {"full": {"type": "boolean"}}}}});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "racks.example.net"},
        "spec": {"group": "example.net", "scope": "Namespaced", "names": {"kind": "Rack", "plural": "racks"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema}}]}})
}

fn rack(spec: Value) -> Value {
    json!({"apiVersion": "example.net/v1", "kind": "Rack", "metadata": {"name": "a"}, "spec": spec})
}

#[test]
fn a_definition_is_established_and_its_objects_are_stored_by_it() {
    let mut client = Client::new();
    assert_eq!(client.send("POST", CRDS, &definition()).0, 201);
    assert_eq!(client.get(RACKS).0, 404, "not yet");
    client.settle();
    assert_eq!(client.get(RACKS).1["items"], json!([]));
    let groups = client.get("/apis").1;
    assert!(
        groups["groups"]
            .as_array()
            .unwrap()
            .iter()
            .any(|group| group["name"] == "example.net")
    );
    let (code, made) = client.apply(&format!("{RACKS}/a"), "fleet", &rack(json!({"color": "red"})));
    assert_eq!((code, &made["spec"]), (201, &json!({"color": "red", "size": 3})));
    // The status has an endpoint of its own.
    let mut full = made.clone();
    full["status"] = json!({"full": true});
    full["spec"]["color"] = "blue".into();
    let (code, written) = client.send("PUT", &format!("{RACKS}/a/status?fieldManager=ctl"), &full);
    assert_eq!(
        (code, &written["status"], &written["spec"]["color"]),
        (200, &json!({"full": true}), &json!("red"))
    );
    assert_eq!(written["metadata"]["generation"], 1, "a status is no wish");
    let (code, applied) = client.apply(&format!("{RACKS}/a"), "fleet", &rack(json!({"color": "green"})));
    assert_eq!((code, &applied["metadata"]["generation"]), (200, &json!(2)));
    assert_eq!(applied["status"], json!({"full": true}));
}

#[test]
fn objects_go_before_their_definition() {
    let mut client = Client::new();
    client.send("POST", CRDS, &definition());
    client.settle();
    let mut held = rack(json!({}));
    held["metadata"]["finalizers"] = json!(["example.net/wait"]);
    client.apply(&format!("{RACKS}/a"), "fleet", &held);
    let path = format!("{CRDS}/racks.example.net");
    let (code, going) = client.send("DELETE", &path, &Value::Null);
    assert_eq!(code, 200);
    assert!(going["metadata"]["deletionTimestamp"].is_string());
    client.settle();
    assert_eq!(client.get(&path).0, 200, "an object holds it");
    let let_go = json!({"metadata": {"finalizers": null}});
    let code = client
        .send_text(
            "PATCH",
            &format!("{RACKS}/a"),
            "application/merge-patch+json",
            let_go.to_string(),
        )
        .0;
    assert_eq!(code, 200);
    client.settle();
    assert_eq!(client.get(&path).0, 404);
    assert_eq!(client.get(RACKS).0, 404);
}

#[test]
fn owners_wait_for_theirs_or_let_them_go() {
    let maps = "/api/v1/namespaces/default/configmaps";
    for (policy, child_stays, finalizer) in [
        ("Background", false, None),
        ("Foreground", false, Some("foregroundDeletion")),
        ("Orphan", true, Some("orphan")),
    ] {
        let mut client = Client::new();
        let owner = client
            .apply(
                &format!("{maps}/owner"),
                "me",
                &json!({"apiVersion": "v1", "kind": "ConfigMap"}),
            )
            .1;
        let reference = json!({"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner["metadata"]["uid"],
            "blockOwnerDeletion": true});
        let child =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"ownerReferences": [reference]}});
        client.apply(&format!("{maps}/child"), "me", &child);
        let (code, _) = client.send(
            "DELETE",
            &format!("{maps}/owner?propagationPolicy={policy}"),
            &Value::Null,
        );
        assert_eq!(code, 200);
        let held = client.get(&format!("{maps}/owner")).1;
        let held_by = held["metadata"]["finalizers"][0].as_str();
        assert_eq!(held_by, finalizer, "{policy}");
        client.settle();
        assert_eq!(client.get(&format!("{maps}/owner")).0, 404, "{policy}");
        let (code, child) = client.get(&format!("{maps}/child"));
        assert_eq!(code == 200, child_stays, "{policy}");
        assert_eq!(child["metadata"]["ownerReferences"], Value::Null, "{policy}");
    }
}

#[test]
fn schemas_of_custom_resources_are_published() {
    use fleet_diff::{Apply, Document, GroupKind, Object, Prediction, Schemas};

    let mut client = Client::new();
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "size": {"type": "integer"}}}}});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "racks.example.net"}, "spec": {"group": "example.net", "scope": "Namespaced",
            "names": {"kind": "Rack", "plural": "racks"}, "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}]}});
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    assert_eq!(client.get("/openapi/v3").1, json!({"paths": {}}));
    assert_eq!(client.send("POST", definitions, &definition).0, 201);
    client.settle();
    let (_, index) = client.get("/openapi/v3");
    let url = index["paths"]["apis/example.net/v1"]["serverRelativeURL"]
        .as_str()
        .unwrap()
        .to_owned();
    let (code, document) = client.get(&url);
    assert_eq!(code, 200);
    let document: Document = document.to_string().parse().unwrap();
    let schemas = Schemas::builtin().with_openapi(&document).unwrap();
    assert!(schemas.knows(&GroupKind::new("example.net", "Rack").at("v1")));
    for (spec, taken) in [(json!({"size": 1}), true), (json!({"nope": 1}), false)] {
        let rack = json!({"apiVersion": "example.net/v1", "kind": "Rack",
            "metadata": {"name": "a", "namespace": "default"}, "spec": spec});
        let rack = Object::from_json(rack).unwrap();
        let refused = matches!(
            Apply::new(&rack, "me", &schemas).predict(),
            Prediction::Refused(_)
        );
        assert_eq!(refused, !taken, "{rack:?}");
    }
    assert_eq!(client.get("/openapi/v3/apis/apps/v1").0, 404);
}
