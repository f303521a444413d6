//! What is sent.

use fleet_core::{Answer, Identity, Object, Propagation, Request};
use fleet_kube::{ConnectionOptions, FieldValidation, WatchEvent};
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::fake::{
    Fake, Seen, apply, config_map, definition, delete, dry_run, get, gvk, json_reply, marks, open_line,
};

/// Sends one request to a server that answers with an object, and shows what arrived.
async fn sent(request: Request, options: ConnectionOptions) -> Seen {
    let fake = Fake::new(|seen, _| {
        let name = seen.path.rsplit('/').next()?.to_owned();
        seen.path
            .contains("/shop/")
            .then(|| json_reply(200, &config_map(&name, "1")))
    });
    let connection = fake.connect(options).await;
    assert!(matches!(connection.execute(&request).await, Answer::Object(_)));
    let [seen] = fake.seen().try_into().unwrap();
    seen
}

#[tokio::test(start_paused = true)]
async fn an_apply_says_exactly_what_is_asked() {
    let document = Object::from_json(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a", "labels": {"x": "y"}},
        "data": {"k": "v", "n": null},
    }))
    .unwrap();
    let seen = sent(apply(document.clone()), ConnectionOptions::default()).await;
    assert_eq!(
        (seen.method.as_str(), seen.path.as_str()),
        ("PATCH", "/api/v1/namespaces/shop/configmaps/a")
    );
    assert_eq!(seen.header("content-type"), "application/apply-patch+yaml");
    assert_eq!(seen.param("fieldManager"), "fleet-a");
    assert_eq!(seen.param("fieldValidation"), "Warn");
    assert_eq!(seen.param("timeout"), "27s");
    assert!(!seen.query.contains_key("force") && !seen.query.contains_key("dryRun"));
    assert_eq!(seen.json(), document.to_json(), "as it is, without preconditions");

    let strict = ConnectionOptions::default().field_validation(FieldValidation::Strict);
    let seen = sent(dry_run(document), strict).await;
    assert_eq!(
        (
            seen.param("dryRun"),
            seen.param("force"),
            seen.param("fieldValidation")
        ),
        ("All", "true", "Strict")
    );
}

#[tokio::test(start_paused = true)]
async fn force_is_sent_only_when_asked() {
    for force in [false, true] {
        let mut request = apply(definition("ConfigMap", "a"));
        if let Request::Apply { force: f, .. } = &mut request {
            *f = force;
        }
        let seen = sent(request, ConnectionOptions::default()).await;
        assert_eq!(
            seen.query.get("force").map(String::as_str),
            force.then_some("true")
        );
    }
}

#[tokio::test(start_paused = true)]
async fn each_precondition_of_an_apply_is_sent() {
    let cases = [
        (None, None),
        (Some("u-1"), None),
        (None, Some("42")),
        (Some("u-1"), Some("42")),
    ];
    for (uid, version) in cases {
        // A stale identity in the document gives way to what is asked.
        for stale in [false, true] {
            let mut body = definition("ConfigMap", "a").to_json();
            if stale {
                body["metadata"]["uid"] = "old".into();
                body["metadata"]["resourceVersion"] = "old".into();
            }
            let request = Request::Apply {
                document: Object::from_json(body).unwrap(),
                manager: "m".to_owned(),
                uid: uid.map(Into::into),
                version: version.map(Into::into),
                force: false,
                dry_run: false,
            };
            let seen = sent(request, ConnectionOptions::default()).await;
            let metadata = &seen.json()["metadata"];
            let expect =
                |asked: Option<&str>| asked.or(stale.then_some("old")).map_or(Value::Null, Value::from);
            assert_eq!(
                (&metadata["uid"], &metadata["resourceVersion"]),
                (&expect(uid), &expect(version))
            );
            assert_eq!(metadata["name"], "a");
            let text = String::from_utf8(seen.body.to_vec()).unwrap();
            assert!(text.matches("\"uid\"").count() <= 1, "once: {text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_precondition_of_a_delete_is_sent() {
    for (version, propagation, policy) in [
        (None, Propagation::Background, "Background"),
        (Some("77"), Propagation::Foreground, "Foreground"),
    ] {
        let mut request = delete("a");
        if let Request::Delete {
            version: v,
            propagation: p,
            ..
        } = &mut request
        {
            (*v, *p) = (version.map(Into::into), propagation);
        }
        let seen = sent(request, ConnectionOptions::default()).await;
        assert_eq!(
            (seen.method.as_str(), seen.path.as_str()),
            ("DELETE", "/api/v1/namespaces/shop/configmaps/a")
        );
        let mut preconditions = json!({"uid": "uid-1"});
        if let Some(version) = version {
            preconditions["resourceVersion"] = version.into();
        }
        let expect = json!({
            "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions, "propagationPolicy": policy,
        });
        assert_eq!(seen.json(), expect, "and no grace period");
        assert!(!seen.query.contains_key("gracePeriodSeconds") && !seen.query.contains_key("dryRun"));
    }
}

#[tokio::test(start_paused = true)]
async fn an_identity_is_impersonated_in_every_request_and_only_there() {
    let fake = Fake::new(|seen, _| {
        if seen.query.contains_key("watch") {
            let (line, act) = open_line();
            line.say(&json!({"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "9", "annotations": {"k8s.io/initial-events-end": "true"}}}}));
            return Some(act);
        }
        let empty = json!({"metadata": {"resourceVersion": "9"}, "items": []});
        seen.path
            .ends_with('s')
            .then(|| json_reply(200, &empty))
            .filter(|_| !seen.path.ends_with("/apis"))
    });
    let connection = fake
        .connect(ConnectionOptions::default().user_agent("tests/1"))
        .await;
    let mut identity = Identity::new("system:serviceaccount:shop:deployer");
    identity.groups = vec!["g1".to_owned(), "g2".to_owned()];
    let acting = connection.as_identity(&identity).unwrap();
    assert_eq!(
        (acting.identity(), acting.cluster()),
        (Some(&identity), connection.cluster())
    );

    let kind = gvk("v1", "ConfigMap");
    let _ = acting.execute(&get("a")).await;
    let _ = acting.execute(&apply(definition("ConfigMap", "a"))).await;
    let _ = acting.execute(&dry_run(definition("ConfigMap", "a"))).await;
    let _ = acting.execute(&delete("a")).await;
    let _ = acting.list_meta(&kind, None, None, &marks()).await.unwrap();
    let _ = acting.discover().await.unwrap();
    let _ = acting.kind_is_gone(kind.group_kind()).await.unwrap();
    let _ = acting.read_cluster_id().await.unwrap();
    let mut watch = Box::pin(acting.watch(&kind, None, None));
    while !matches!(watch.next().await, Some(WatchEvent::Synced)) {}
    let all = fake.seen();
    assert!(all.len() >= 11, "{}", all.len());
    for seen in &all {
        let groups: Vec<_> = seen.headers.get_all("impersonate-group").iter().collect();
        assert_eq!(
            seen.header("impersonate-user"),
            "system:serviceaccount:shop:deployer",
            "{} {}",
            seen.method,
            seen.path
        );
        assert_eq!(groups, ["g1", "g2"], "{}", seen.path);
        assert_eq!(seen.header("user-agent"), "tests/1");
    }
    let _ = connection.execute(&get("a")).await;
    assert_eq!(
        fake.seen().last().unwrap().header("impersonate-user"),
        "",
        "the connection it was made from"
    );
}
