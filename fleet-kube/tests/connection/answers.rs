//! What each kind of answer means: (request, status, body) in, [`Answer`] out.

use std::time::Duration;

use fleet_core::{Answer, Fault, Object, Request};
use fleet_kube::ConnectionOptions;
use serde_json::{Value, json};

use crate::fake::{
    Act, Fake, apply, config_map, definition, delete, dry_run, get, json_reply, status, text_reply,
};

/// In one line.
fn summary(answer: &Answer) -> String {
    let fault = |what: &str, fault: &Fault| {
        let conflicts: Vec<_> = fault
            .conflicts
            .iter()
            .map(|c| format!("{} {}", c.manager, c.path))
            .collect();
        format!("{what} | {fault} {}", conflicts.join(", "))
            .trim_end()
            .to_owned()
    };
    match answer {
        Answer::Object(live) => format!("object {}", live.version()),
        Answer::Created(live) => format!("created {}", live.version()).trim_end().to_owned(),
        Answer::Deleted => "deleted".to_owned(),
        Answer::Absent => "absent".to_owned(),
        Answer::Refused(f) => fault("refused", f),
        Answer::NotSent(f) => fault("not sent", f),
        Answer::Lost(f) => fault("lost", f),
        _ => "?".to_owned(),
    }
}

/// What the server answers a request, and what is made of it.
async fn check(request: Request, act: impl Fn() -> Act + Send + 'static, expect: &str) {
    let fake =
        Fake::new(move |seen, _| (!seen.path.ends_with("kube-system") && seen.path.len() > 10).then(&act));
    let connection = fake
        .connect(ConnectionOptions::default().retry_time(Duration::ZERO))
        .await;
    let got = summary(&connection.execute(&request).await);
    assert_eq!(got, expect, "{request:?}");
}

async fn check_json(request: Request, code: u16, body: Value, expect: &str) {
    check(request, move || json_reply(code, &body), expect).await;
}

async fn check_text(request: Request, code: u16, body: &'static str, expect: &str) {
    check(request, move || text_reply(code, body), expect).await;
}

fn map() -> Request {
    apply(definition("ConfigMap", "a"))
}

#[tokio::test(start_paused = true)]
async fn successes() {
    let live = config_map("a", "5");
    check_json(get("a"), 200, live.clone(), "object 5").await;
    check_json(map(), 200, live.clone(), "object 5").await;
    check_json(map(), 201, live.clone(), "created 5").await;
    check_json(
        dry_run(definition("ConfigMap", "a")),
        201,
        live.clone(),
        "created 5",
    )
    .await;
    let mut ghost = config_map("a", "");
    ghost["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("resourceVersion");
    check_json(dry_run(definition("ConfigMap", "a")), 201, ghost, "created").await;
    let done =
        json!({"kind": "Status", "apiVersion": "v1", "status": "Success", "details": {"uid": "uid-1"}});
    check_json(delete("a"), 200, done.clone(), "deleted").await;
    check_json(delete("a"), 200, live.clone(), "object 5").await;
    check_json(delete("a"), 202, live, "object 5").await;
}

#[tokio::test(start_paused = true)]
async fn successes_nobody_can_read() {
    let lost = "lost | unreachable (200): the server's answer";
    let refused = "refused | internal error (200): the server's answer";
    check_text(map(), 200, "<html>", &format!("{lost} is not JSON")).await;
    let expect = "refused | unreachable (200): the server's answer is not JSON";
    check_text(get("a"), 200, "<html>", expect).await;
    check_json(
        delete("a"),
        200,
        json!({}),
        "lost | internal error (200): the server's answer is not an object: `apiVersion` is missing or empty",
    )
    .await;
    check_json(
        get("a"),
        200,
        config_map("b", "1"),
        &format!("{refused} is another object"),
    )
    .await;
    let mut live = config_map("a", "5");
    live["metadata"]["uid"].take();
    let expect = format!("{refused} is not an object: the server's answer has no metadata.uid");
    check_json(get("a"), 200, live, &expect).await;
}

#[tokio::test(start_paused = true)]
async fn absence_of_three_kinds() {
    let object = status(
        404,
        "NotFound",
        "configmaps \"a\" not found",
        &json!({"name": "a", "kind": "configmaps"}),
    );
    check_json(get("a"), 404, object.clone(), "absent").await;
    check_json(delete("a"), 404, object.clone(), "absent").await;
    check_json(map(), 404, object, "absent").await;
    let missing = status(
        404,
        "NotFound",
        "namespaces \"shop\" not found",
        &json!({"name": "shop", "kind": "namespaces"}),
    );
    check_json(
        map(),
        404,
        missing,
        "refused | invalid (404): namespaces \"shop\" not found",
    )
    .await;
    let words = "the cluster does not serve this kind";
    check_text(
        get("a"),
        404,
        "404 page not found\n",
        &format!("refused | kind not served (404): {words}: 404 page not found"),
    )
    .await;
    let unknown = status(
        404,
        "NotFound",
        "the server could not find the requested resource",
        &json!({}),
    );
    let expect =
        format!("refused | kind not served (404): {words}: the server could not find the requested resource");
    check_json(map(), 404, unknown, &expect).await;
    // A namespace that is itself asked for, and an object named as its namespace.
    let gone = status(
        404,
        "NotFound",
        "namespaces \"shop\" not found",
        &json!({"name": "shop", "kind": "namespaces"}),
    );
    check_json(
        apply(definition("Namespace", "shop")),
        404,
        gone.clone(),
        "absent",
    )
    .await;
    check_json(
        apply(definition("ConfigMap", "shop")),
        404,
        gone,
        "refused | invalid (404): namespaces \"shop\" not found",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn conflicts() {
    let causes = json!({"causes": [
        {"reason": "FieldManagerConflict", "message": "conflict with \"kubectl\" using apps/v1", "field": ".spec.replicas"},
        {"reason": "FieldManagerConflict", "message": "conflict with \"a \\\"b\\\"\" with subresource \"scale\" using apps/v1 at 2026-01-01T00:00:00Z", "field": ".spec.template.spec.containers[name=\"web\"].image"},
    ]});
    let body = status(409, "Conflict", "Apply failed with 2 conflicts", &causes);
    let expect = "refused | conflict (409): Apply failed with 2 conflicts kubectl .spec.replicas, a \"b\" .spec.template.spec.containers[name=\"web\"].image";
    check_json(apply(definition("Deployment", "web")), 409, body, expect).await;
    let body = status(
        409,
        "AlreadyExists",
        "configmaps \"a\" already exists",
        &json!({"name": "a"}),
    );
    check_json(
        map(),
        409,
        body,
        "refused | conflict (409): configmaps \"a\" already exists",
    )
    .await;
    let words = "Operation cannot be fulfilled on configmaps \"a\": Precondition failed: UID in precondition: 1, UID in object meta: 2";
    let body = status(
        409,
        "Conflict",
        words,
        &json!({"name": "a", "kind": "configmaps"}),
    );
    check_json(
        delete("a"),
        409,
        body,
        &format!("refused | conflict (409): {words}"),
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn another_uid_is_a_conflict_however_it_is_said() {
    let words = "ConfigMap \"a\" is invalid: metadata.uid: Invalid value: \"other\": field is immutable";
    let causes =
        json!({"causes": [{"reason": "FieldValueInvalid", "message": "immutable", "field": "metadata.uid"}]});
    let mut asked = map();
    if let Request::Apply { uid, .. } = &mut asked {
        *uid = Some("other".into());
    }
    let body = status(422, "Invalid", words, &causes);
    check_json(
        asked,
        422,
        body.clone(),
        &format!("refused | conflict (422): {words}"),
    )
    .await;
    check_json(map(), 422, body, &format!("refused | invalid (422): {words}")).await;
}

#[tokio::test(start_paused = true)]
async fn permissions_and_policies() {
    let cases = [
        (
            403,
            "Forbidden",
            "configmaps \"a\" is forbidden: User \"u\" cannot patch resource",
            json!({}),
            "not permitted",
        ),
        (
            403,
            "Forbidden",
            "clusterroles \"a\" is forbidden: user \"u\" is attempting to grant RBAC permissions not currently held",
            json!({}),
            "not permitted",
        ),
        (
            403,
            "Forbidden",
            "unable to create new content in namespace shop because it is being terminated",
            json!({"causes": [{"reason": "NamespaceTerminating", "message": "namespace shop is being terminated", "field": "metadata.namespace"}]}),
            "try again later",
        ),
        (
            403,
            "Forbidden",
            "pods \"a\" is forbidden: error looking up service account shop/default: serviceaccount \"default\" not found",
            json!({}),
            "try again later",
        ),
        (
            403,
            "Forbidden",
            "pods \"a\" is forbidden: exceeded quota: small",
            json!({}),
            "refused by policy",
        ),
        (
            403,
            "Forbidden",
            "pods \"a\" is forbidden: violates PodSecurity \"restricted:latest\"",
            json!({}),
            "refused by policy",
        ),
        (
            403,
            "Forbidden",
            "pods \"a\" is forbidden: maximum cpu usage per Container is 1",
            json!({}),
            "refused by policy",
        ),
        (
            400,
            "BadRequest",
            "admission webhook \"w.example.com\" denied the request: no",
            json!({}),
            "refused by policy",
        ),
        (
            422,
            "Invalid",
            "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no",
            json!({}),
            "refused by policy",
        ),
    ];
    for (code, reason, words, details, remedy) in cases {
        let expect = format!("refused | {remedy} ({code}): {words}");
        check_json(map(), code, status(code, reason, words, &details), &expect).await;
    }
    let body = status(401, "Unauthorized", "Unauthorized", &json!({}));
    check_json(
        map(),
        401,
        body,
        "refused | not permitted (401): the cluster refused the credentials: Unauthorized",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn definitions_the_server_will_never_take() {
    let cases = [
        (400, "BadRequest", "error decoding patch"),
        (
            405,
            "MethodNotAllowed",
            "the server does not allow this method on the requested resource",
        ),
        (413, "RequestEntityTooLarge", "limit is 3145728"),
        (
            422,
            "Invalid",
            "ConfigMap \"a\" is invalid: metadata.name: Invalid value",
        ),
        (
            500,
            "",
            "failed to create typed patch object (shop/a; /v1, Kind=ConfigMap): .data.k: expected string, got &value.valueUnstructured{Value:1}",
        ),
        (
            500,
            "",
            "failed to convert new object (shop/a; v1, Kind=ConfigMap) to smd typed: duplicate entries",
        ),
        (
            500,
            "InternalError",
            "Internal error occurred: failed to allocate a serviceIP: range is full",
        ),
    ];
    for (code, reason, words) in cases {
        for request in [map(), dry_run(definition("ConfigMap", "a"))] {
            let expect = format!("refused | invalid ({code}): {words}");
            check_json(request, code, status(code, reason, words, &json!({})), &expect).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn servers_out_of_order() {
    // (status, reason, message, a write's answer, a dry run's answer)
    let cases = [
        (
            500,
            "InternalError",
            "Internal error occurred: failed calling webhook \"w\": failed to call webhook: Post: context deadline exceeded",
            "refused | refused by policy",
            "refused | refused by policy",
        ),
        (
            500,
            "",
            "conversion webhook for example.com/v1 failed: Post: connection refused",
            "refused | try again later",
            "refused | try again later",
        ),
        (
            500,
            "InternalError",
            "Internal error occurred: something",
            "refused | try again later",
            "refused | try again later",
        ),
        (
            500,
            "",
            "etcdserver: mvcc: database space exceeded",
            "refused | try again later",
            "refused | try again later",
        ),
        (
            500,
            "",
            "etcdserver: request timed out",
            "lost | try again later",
            "refused | try again later",
        ),
        (
            500,
            "ServerTimeout",
            "The PATCH operation could not be completed at this time",
            "lost | try again later",
            "refused | try again later",
        ),
        (
            500,
            "",
            "rpc error: code = Unavailable desc = transport is closing",
            "lost | try again later",
            "refused | try again later",
        ),
        (
            503,
            "ServiceUnavailable",
            "the server is currently unable to handle the request",
            "lost | try again later",
            "refused | try again later",
        ),
        (
            504,
            "Timeout",
            "request did not complete within the allotted timeout",
            "lost | try again later",
            "refused | try again later",
        ),
        (
            429,
            "TooManyRequests",
            "later",
            "refused | try again later",
            "refused | try again later",
        ),
    ];
    for (code, reason, words, write, read) in cases {
        let body = || status(code, reason, words, &json!({}));
        check_json(map(), code, body(), &format!("{write} ({code}): {words}")).await;
        check_json(
            dry_run(definition("ConfigMap", "a")),
            code,
            body(),
            &format!("{read} ({code}): {words}"),
        )
        .await;
    }
    check_text(
        get("a"),
        429,
        "Too many requests, please try again later.\n",
        "refused | try again later (429): Too many requests, please try again later.",
    )
    .await;
    check_text(
        map(),
        503,
        "service unavailable\n",
        "refused | try again later (503): service unavailable",
    )
    .await;
    let page = "the answer is an HTML page: is this a Kubernetes API server?";
    check_text(
        map(),
        502,
        "<html>Bad Gateway</html>",
        &format!("lost | unreachable (502): {page}"),
    )
    .await;
    check_text(
        get("a"),
        502,
        "<html>Bad Gateway</html>",
        &format!("refused | unreachable (502): {page}"),
    )
    .await;
    check_text(map(), 500, "oops", "lost | try again later (500): oops").await;
    check_text(
        get("a"),
        302,
        "",
        "refused | unreachable (302): the server redirects elsewhere: is this a Kubernetes API server?",
    )
    .await;
    check_text(get("a"), 418, "", "refused | invalid (418): no message").await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_sent_for_a_kind_that_is_not_served() {
    let fake = Fake::new(|_, _| None);
    let connection = fake.connect(ConnectionOptions::default()).await;
    let widget = Object::from_json(
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"}}),
    );
    let answer = connection.execute(&apply(widget.unwrap())).await;
    assert_eq!(
        summary(&answer),
        "not sent | kind not served: the cluster does not serve Widget.example.com"
    );
    assert!(fake.seen().is_empty());
}

#[tokio::test(start_paused = true)]
async fn secret_values_are_in_no_fault() {
    let secret = Object::from_json(json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "db"},
        "stringData": {"password": "hunter2", "pin": "4711"},
    }))
    .unwrap();
    let echoes = [
        (
            422,
            r#"Secret "db" is invalid: data: Invalid value: "hunter2": too short"#,
        ),
        (
            500,
            ".stringData.pin: expected string, got &value.valueUnstructured{Value:4711}",
        ),
        (
            400,
            "admission webhook \"w\" denied the request: hunter2 is a bad password",
        ),
        (409, "cannot be changed from 'hunter2'"),
        (500, "etcdserver: request timed out: hunter2"),
        (401, "not with 'hunter2'"),
    ];
    for (code, words) in echoes {
        let body = status(code, "", words, &json!({}));
        let fake = Fake::new(move |seen, _| seen.path.contains("secrets").then(|| json_reply(code, &body)));
        let connection = fake.connect(ConnectionOptions::default()).await;
        for request in [apply(secret.clone()), dry_run(secret.clone())] {
            let (Answer::Refused(fault) | Answer::Lost(fault)) = connection.execute(&request).await else {
                panic!("not refused")
            };
            let all = format!("{fault} {fault:?} {:?}", fault.source);
            assert!(!all.contains("hunter2") && !all.contains("4711"), "{all}");
            assert!(all.contains("***"), "{all}");
        }
        let contact = format!("{:?}", connection.contact());
        assert!(
            !contact.contains("hunter2") && !contact.contains("4711"),
            "{contact}"
        );
    }
}
