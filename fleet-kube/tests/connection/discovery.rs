//! Kinds, and whether one is gone.

use fleet_core::{GroupKind, Remedy};
use fleet_kube::{Connection, ConnectionOptions};
use serde_json::{Value, json};

use crate::fake::{Fake, discovery, group, groups, json_reply, resource, status, text_reply};

fn serving(items: &[Value]) -> Fake {
    let body = discovery(items);
    Fake::new(move |seen, _| (seen.path == "/apis").then(|| json_reply(200, &body)))
}

#[tokio::test(start_paused = true)]
async fn kinds_with_scope_and_versions_preferred_first() {
    let mut review = resource("reviews", "Widget", "Cluster");
    review["verbs"] = json!(["create"]);
    let mut token = resource("tokens", "Token", "Cluster");
    token["verbs"] = json!(["create"]);
    let mut nameless = resource("nameless", "", "Cluster");
    nameless["responseKind"] = Value::Null;
    let widgets = || resource("widgets", "Widget", "Namespaced");
    let fake = serving(&[group(
        "example.com",
        &[
            ("v2", &[review, widgets(), token, nameless]),
            ("v1", &[widgets()]),
            ("v1beta1", &[resource("gadgets", "Gadget", "Cluster")]),
        ],
    )]);
    let connection = Connection::over(fake.client(), ConnectionOptions::default())
        .await
        .unwrap();
    let kinds = connection.discover().await.unwrap();
    let widget = kinds.get(&GroupKind::new("example.com", "Widget")).unwrap();
    assert_eq!(
        (widget.plural.as_str(), widget.namespaced, widget.listable),
        ("widgets", true, true)
    );
    assert_eq!(widget.versions, ["v2", "v1"]);
    let gadget = kinds.get(&GroupKind::new("example.com", "Gadget")).unwrap();
    assert_eq!(
        (gadget.namespaced, &*gadget.versions),
        (false, &["v1beta1".to_owned()][..])
    );
    assert!(
        !kinds
            .get(&GroupKind::new("example.com", "Token"))
            .unwrap()
            .listable
    );
    assert!(kinds.get(&GroupKind::new("", "ConfigMap")).is_some());
    assert!(kinds.incomplete.is_empty());
    let sent: Vec<_> = fake.seen().into_iter().skip(2).collect();
    assert_eq!(
        sent.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(),
        ["/api", "/apis"]
    );
    assert!(
        sent[1]
            .header("accept")
            .starts_with("application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList")
    );
}

#[tokio::test(start_paused = true)]
async fn a_dead_aggregated_group_is_incomplete_and_hides_nothing_else() {
    let mut items = groups();
    let mut dead = group("metrics.k8s.io", &[("v1beta1", &[])]);
    dead["versions"][0]["freshness"] = "Stale".into();
    dead["versions"][0]["resources"] = Value::Null;
    items.push(dead);
    let fake = serving(&items);
    let connection = fake.connect(ConnectionOptions::default()).await;
    let kinds = connection.kinds();
    assert!(!kinds.is_complete("metrics.k8s.io") && kinds.is_complete("apps") && kinds.is_complete(""));
    assert!(kinds.get(&GroupKind::new("apps", "Deployment")).is_some());
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_changes_nothing() {
    let unaggregated = json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": []});
    let bodies = [
        json_reply(200, &unaggregated),
        text_reply(200, "<html>"),
        json_reply(403, &status(403, "Forbidden", "no", &json!({}))),
    ];
    for body in bodies {
        let mut body = Some(body);
        let fake = Fake::new(move |seen, before| {
            (seen.path == "/apis" && before > 0)
                .then(|| body.take())
                .flatten()
        });
        let connection = Connection::over(fake.client(), ConnectionOptions::default())
            .await
            .unwrap();
        assert_eq!(
            connection.kinds().kinds.len(),
            6,
            "what is needed before the first discovery"
        );
        let first = connection.discover().await.unwrap();
        let fault = connection.discover().await.unwrap_err();
        assert!(
            matches!(fault.remedy, Remedy::Unreachable | Remedy::Forbidden),
            "{fault}"
        );
        assert_eq!(*connection.kinds(), first);
    }
}

/// Whether `Widget.example.com` is gone from a cluster with these CRDs and API services.
async fn is_gone(items: Vec<Value>, crds: Vec<Value>, services: Vec<Value>) -> Result<bool, Remedy> {
    let apis = discovery(&items);
    let fake = Fake::new(move |seen, _| match seen.path.as_str() {
        "/apis" => Some(json_reply(200, &apis)),
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions" => {
            let wanted = seen.param("fieldSelector").strip_prefix("metadata.name=");
            let items: Vec<_> = crds
                .iter()
                .filter(|crd| wanted.is_none_or(|name| crd["metadata"]["name"] == name))
                .collect();
            Some(json_reply(
                200,
                &json!({"kind": "CustomResourceDefinitionList", "metadata": {}, "items": items}),
            ))
        }
        "/apis/apiregistration.k8s.io/v1/apiservices" => {
            if services.iter().any(Value::is_null) {
                return Some(json_reply(403, &status(403, "Forbidden", "no", &json!({}))));
            }
            Some(json_reply(
                200,
                &json!({"kind": "APIServiceList", "metadata": {}, "items": services}),
            ))
        }
        _ => None,
    });
    let connection = fake.connect(ConnectionOptions::default()).await;
    connection
        .kind_is_gone(&GroupKind::new("example.com", "Widget"))
        .await
        .map_err(|fault| fault.remedy)
}

#[tokio::test(start_paused = true)]
async fn a_kind_is_gone_only_when_nothing_could_serve_it() {
    let crd = |plural: &str, group: &str, kind: &str| json!({"metadata": {"name": format!("{plural}.{group}"), "uid": "u"}, "spec": {"group": group, "names": {"kind": kind}}});
    let service = |group: &str, service: Value| json!({"metadata": {"name": group}, "spec": {"group": group, "version": "v1", "service": service}});
    let others = || {
        vec![
            crd("gadgets", "example.com", "Gadget"),
            crd("widgets", "sub.example.com", "Widget"),
        ]
    };
    let local = || {
        vec![
            service("example.com", Value::Null),
            service("other.com", json!({"name": "s"})),
        ]
    };

    assert_eq!(is_gone(groups(), others(), local()).await, Ok(true));
    let defined = [others(), vec![crd("widgets", "example.com", "Widget")]].concat();
    assert_eq!(
        is_gone(groups(), defined, local()).await,
        Ok(false),
        "a CRD defines it"
    );
    let remote = [
        local(),
        vec![service("example.com", json!({"name": "s", "namespace": "n"}))],
    ]
    .concat();
    assert_eq!(
        is_gone(groups(), others(), remote).await,
        Ok(false),
        "another server has its group"
    );
    let served = [
        groups(),
        vec![group(
            "example.com",
            &[("v1", &[resource("widgets", "Widget", "Cluster")])],
        )],
    ]
    .concat();
    assert_eq!(is_gone(served, others(), local()).await, Ok(false), "it is back");
    let mut stale = group("example.com", &[("v1", &[])]);
    stale["versions"][0]["freshness"] = "Stale".into();
    let stale = [groups(), vec![stale]].concat();
    assert_eq!(
        is_gone(stale, others(), local()).await,
        Ok(false),
        "discovery cannot say"
    );
    assert_eq!(
        is_gone(groups(), others(), vec![Value::Null]).await,
        Err(Remedy::Forbidden)
    );
}
