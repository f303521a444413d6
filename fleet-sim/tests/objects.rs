//! Objects through their lives, as a client sees them.

mod support;

use serde_json::{Value, json};
use support::Client;

const MAPS: &str = "/api/v1/namespaces/default/configmaps";

fn map(name: &str, data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data})
}

#[test]
fn an_object_is_applied_owned_and_deleted() {
    let mut client = Client::new();
    let path = format!("{MAPS}/a");
    let (code, made) = client.apply(&path, "fleet", &map("a", json!({"x": "1"})));
    assert_eq!(code, 201);
    assert_eq!(made["metadata"]["namespace"], "default");
    assert_eq!(made["metadata"]["managedFields"][0]["manager"], "fleet");
    let (code, same) = client.apply(&path, "fleet", &map("a", json!({"x": "1"})));
    assert_eq!(
        (code, &same),
        (200, &made),
        "nothing changes, and no revision is made"
    );
    let (code, status) = client.apply(&path, "other", &map("a", json!({"x": "2"})));
    assert_eq!((code, &status["reason"]), (409, &json!("Conflict")));
    assert_eq!(
        status["message"],
        "Apply failed with 1 conflict: conflict with \"fleet\": .data.x"
    );
    assert_eq!(status["details"]["causes"][0]["field"], ".data.x");
    let (code, forced) = client.apply(
        &format!("{path}?force=true"),
        "other",
        &map("a", json!({"x": "2"})),
    );
    assert_eq!((code, &forced["data"]["x"]), (200, &json!("2")));
    let wrong = json!({"preconditions": {"uid": "another"}});
    let (code, _) = client.send("DELETE", &path, &wrong);
    assert_eq!(code, 409);
    let (code, gone) = client.send("DELETE", &path, &Value::Null);
    assert_eq!((code, &gone["status"]), (200, &json!("Success")));
    assert_eq!(client.get(&path).0, 404);
}

#[test]
fn an_update_says_which_version_it_is_of() {
    let mut client = Client::new();
    let (code, made) = client.send(
        "POST",
        &format!("{MAPS}?fieldManager=me"),
        &map("a", json!({"x": "1"})),
    );
    assert_eq!(code, 201);
    assert_eq!(client.send("POST", MAPS, &map("a", json!({}))).0, 409);
    let mut next = made.clone();
    next["data"]["x"] = "2".into();
    let path = format!("{MAPS}/a?fieldManager=me");
    let (code, updated) = client.send("PUT", &path, &next);
    assert_eq!((code, &updated["data"]["x"]), (200, &json!("2")));
    assert_ne!(
        updated["metadata"]["resourceVersion"],
        made["metadata"]["resourceVersion"]
    );
    let (code, status) = client.send("PUT", &path, &next);
    assert_eq!(code, 409);
    assert!(
        status["message"]
            .as_str()
            .unwrap()
            .contains("the object has been modified")
    );
    let (code, same) = client.send("PUT", &path, &updated);
    assert_eq!((code, same), (200, updated));
}

#[test]
fn a_dry_run_leaves_nothing() {
    let mut client = Client::new();
    let path = format!("{MAPS}/a?dryRun=All");
    assert_eq!(client.apply(&path, "fleet", &map("a", json!({}))).0, 201);
    assert_eq!(client.get(&format!("{MAPS}/a")).0, 404);
}

#[test]
fn bad_requests_are_refused_and_lose_nothing() {
    let mut client = Client::new();
    client.apply(&format!("{MAPS}/a"), "fleet", &map("a", json!({"x": "1"})));
    let before = client.get(&format!("{MAPS}/a")).1;
    let big = "x".repeat(4 << 20);
    let cases: [(&str, &str, String, u16); 8] = [
        ("POST", MAPS, "{".to_owned(), 400),
        ("POST", MAPS, "[]".to_owned(), 400),
        (
            "POST",
            MAPS,
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "b"}}).to_string(),
            400,
        ),
        (
            "POST",
            MAPS,
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {}}).to_string(),
            422,
        ),
        (
            "POST",
            "/api/v1/namespaces/none/configmaps",
            map("a", json!({})).to_string(),
            404,
        ),
        (
            "PUT",
            "/api/v1/namespaces/default/configmaps/b",
            map("a", json!({})).to_string(),
            400,
        ),
        ("POST", MAPS, big, 413),
        ("POST", "/api/v1/namespaces/default/nothing", "{}".to_owned(), 404),
    ];
    for (method, path, body, expected) in cases {
        let (code, status) = client.send_text(method, path, "application/json", body);
        assert_eq!(code, expected, "{method} {path}: {status}");
        assert_eq!(status["kind"], "Status");
    }
    let manager = client.send_text(
        "PATCH",
        &format!("{MAPS}/a"),
        "application/apply-patch+yaml",
        map("a", json!({})).to_string(),
    );
    assert_eq!(manager.0, 422, "an apply says who applies");
    assert_eq!(client.get(&format!("{MAPS}/a")).1, before);
}

#[test]
fn a_namespace_takes_with_it_what_is_in_it() {
    let mut client = Client::new();
    client.send(
        "POST",
        "/api/v1/namespaces",
        &json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
    );
    client.settle();
    let inside = "/api/v1/namespaces/shop/configmaps";
    assert_eq!(client.get(&format!("{inside}/kube-root-ca.crt")).0, 200);
    client.send("POST", inside, &map("a", json!({})));
    let (code, ending) = client.send("DELETE", "/api/v1/namespaces/shop", &Value::Null);
    assert_eq!((code, &ending["status"]["phase"]), (200, &json!("Terminating")));
    let (code, status) = client.send("POST", inside, &map("b", json!({})));
    assert_eq!(
        (code, &status["details"]["causes"][0]["reason"]),
        (403, &json!("NamespaceTerminating"))
    );
    client.settle();
    assert_eq!(client.get(&format!("{inside}/a")).0, 404);
    assert_eq!(client.get("/api/v1/namespaces/shop").0, 404);
    assert_eq!(
        client
            .send("DELETE", "/api/v1/namespaces/default", &Value::Null)
            .0,
        403
    );
}

#[test]
fn a_deployment_becomes_ready_pods_and_they_go_with_it() {
    let mut client = Client::new();
    let path = "/apis/apps/v1/namespaces/default/deployments/web";
    let deployment = |image: &str| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": image}]}}}})
    };
    assert_eq!(client.apply(path, "fleet", &deployment("web:1")).0, 201);
    client.settle();
    let live = client.get(path).1;
    assert_eq!(live["status"]["readyReplicas"], 2, "{live}");
    assert_eq!(
        live["status"]["observedGeneration"],
        live["metadata"]["generation"]
    );
    let pods = |client: &mut Client| {
        client
            .get("/api/v1/namespaces/default/pods?labelSelector=app=web")
            .1["items"]
            .as_array()
            .unwrap()
            .len()
    };
    assert_eq!(pods(&mut client), 2);
    let (code, next) = client.apply(path, "fleet", &deployment("web:2"));
    assert_eq!((code, &next["metadata"]["generation"]), (200, &json!(2)));
    client.settle();
    let live = client.get(path).1;
    assert_eq!(
        (
            &live["status"]["updatedReplicas"],
            &live["status"]["observedGeneration"]
        ),
        (&json!(2), &json!(2))
    );
    assert_eq!(pods(&mut client), 2);
    client.send("DELETE", path, &Value::Null);
    client.settle();
    assert_eq!(pods(&mut client), 0);
}
