//! What a test can have a server do to writes, and what is refused or told of itself.

mod support;

use bytes::Bytes;
use fleet_sim::{Admission, Answer, Operation};
use http::Request;
use serde_json::{Value, json};
use support::Client;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";
const APPS: &str = "/apis/apps/v1/namespaces/default";

fn map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

#[test]
fn hooks_change_refuse_and_fail() {
    let mut client = Client::new();
    client.server.set_admission("guard.example.net", |review| {
        if review.resource != "configmaps" {
            return Admission::Allow;
        }
        match (review.operation, review.name) {
            (Operation::Create, "changed") => {
                let mut object = review.object.cloned().unwrap_or_default();
                object["data"]["more"] = "theirs".into();
                Admission::Change(object)
            }
            (Operation::Create, "denied") => Admission::Deny("no such names".to_owned()),
            (Operation::Create, "failed") => Admission::Fail("connection refused".to_owned()),
            (Operation::Create, "late") => Admission::TimeOut,
            (Operation::Delete, "changed") => Admission::Deny("it stays".to_owned()),
            _ => Admission::Allow,
        }
    });
    let (code, made) = client.apply(
        &format!("{MAPS}/changed"),
        "me",
        &map("changed", json!({"x": "1"})),
    );
    assert_eq!((code, &made["data"]), (201, &json!({"x": "1", "more": "theirs"})));
    let owned = &made["metadata"]["managedFields"];
    assert!(
        !owned.to_string().contains("more"),
        "what a hook adds belongs to nobody: {owned}"
    );
    let cases = [
        (
            "denied",
            403,
            "admission webhook \"guard.example.net\" denied the request: no such names",
        ),
        (
            "failed",
            500,
            "Internal error occurred: failed calling webhook \"guard.example.net\": failed to call webhook: connection refused",
        ),
        (
            "late",
            500,
            "Internal error occurred: failed calling webhook \"guard.example.net\": failed to call webhook: context deadline exceeded",
        ),
    ];
    for (name, code, message) in cases {
        let (found, said) = client.send("POST", MAPS, &map(name, json!({})));
        assert_eq!((found, &said["message"]), (code, &json!(message)));
        assert_eq!(client.get(&format!("{MAPS}/{name}")).0, 404);
    }
    assert_eq!(
        client.send("DELETE", &format!("{MAPS}/changed"), &Value::Null).0,
        403
    );
    client.server.unset_admission("guard.example.net");
    assert_eq!(client.send("POST", MAPS, &map("denied", json!({}))).0, 201);
    assert_eq!(
        client.send("DELETE", &format!("{MAPS}/changed"), &Value::Null).0,
        200
    );
}

#[test]
fn hooks_are_asked_about_what_controllers_make() {
    let mut client = Client::new();
    client
        .server
        .set_admission("no-pods.example.net", |review| match review.resource {
            "pods" if review.operation == Operation::Create => Admission::Deny("none here".to_owned()),
            _ => Admission::Allow,
        });
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {
        "replicas": 1, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "a", "image": "a:1"}]}}}});
    client.send("POST", &format!("{APPS}/deployments"), &deployment);
    client.settle();
    let pods = "/api/v1/namespaces/default/pods";
    assert_eq!(client.get(pods).1["items"], json!([]));
    client.server.unset_admission("no-pods.example.net");
    // Something else happens, and they try again.
    client.send("POST", MAPS, &map("a", json!({})));
    client.settle();
    assert_eq!(client.get(pods).1["items"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_is_too_large_is_refused() {
    let mut client = Client::new();
    let (code, said) = client.send("POST", MAPS, &map("a", json!({"x": "y".repeat(1024 * 1024 + 1)})));
    let message = "ConfigMap \"a\" is invalid: []: Too long: may not be more than 1048576 bytes";
    assert_eq!((code, &said["message"]), (422, &json!(message)));
    assert_eq!(
        client
            .send("POST", MAPS, &map("a", json!({"x": "y".repeat(1024 * 1024)})))
            .0,
        201
    );
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"},
        "stringData": {"x": "y".repeat(1024 * 1024 + 1)}});
    assert_eq!(
        client
            .send("POST", "/api/v1/namespaces/default/secrets", &secret)
            .0,
        422
    );
    let mut noted = map("b", json!({}));
    noted["metadata"]["annotations"] = json!({"a": "y".repeat(256 * 1024)});
    assert_eq!(client.send("POST", MAPS, &noted).0, 422);
    let (code, said) = client.send("POST", MAPS, &map("a", json!({"x": "y".repeat(3 * 1024 * 1024)})));
    assert_eq!((code, &said["reason"]), (413, &json!("RequestEntityTooLarge")));
}

#[test]
fn unknown_fields_are_told_refused_or_passed_over() {
    let mut client = Client::new();
    let mut object = map("a", json!({}));
    object["nope"] = 1.into();
    object["metadata"]["neither"] = "x".into();
    let mut send = |mode: &str| {
        let path = format!("{MAPS}?dryRun=All{mode}");
        let request = Request::post(&path).header("content-type", "application/json");
        let request = request.body(Bytes::from(object.to_string())).unwrap();
        let Answer::Done(response) = client.server.handle(&request, client.now) else {
            panic!("a watch")
        };
        let warnings = response.headers().get_all("warning").iter();
        let mut warnings: Vec<String> = warnings.map(|one| one.to_str().unwrap().to_owned()).collect();
        warnings.sort();
        (response.status().as_u16(), warnings)
    };
    let told = [
        "299 - \"unknown field \\\"metadata.neither\\\"\"",
        "299 - \"unknown field \\\"nope\\\"\"",
    ];
    let told = told.map(str::to_owned).to_vec();
    for (mode, code, warnings) in [
        ("", 201, told.clone()),
        ("&fieldValidation=Warn", 201, told),
        ("&fieldValidation=Ignore", 201, Vec::new()),
        ("&fieldValidation=Strict", 400, Vec::new()),
    ] {
        assert_eq!(send(mode), (code, warnings), "{mode}");
    }
}
