//! What Secrets say.

use fleet_core::{Cluster, ClusterId, ClusterRegistry as _, LifeCycle, Remedy};
use fleet_kube::{Connect as _, CredentialPlugins, SecretRegistry};
use serde_json::{Value, json};

use super::hub::{Hub, described, kubeconfig, secret};

async fn names(registry: &SecretRegistry) -> Vec<String> {
    let clusters = registry.clusters().await.unwrap();
    clusters.into_iter().map(|cluster| cluster.name).collect()
}

/// Where a cluster would be connected to, or why it cannot be.
async fn told(registry: &SecretRegistry, name: &str) -> String {
    match registry.config_for(&Cluster::new(name)).await {
        Ok(config) => config.cluster_url.to_string(),
        Err(fault) => {
            assert!(
                matches!(fault.remedy, Remedy::Invalid | Remedy::Policy),
                "{fault}"
            );
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault}");
            fault.message.to_string()
        }
    }
}

#[tokio::test]
async fn every_form_leads_somewhere_or_says_why_not() {
    let good = kubeconfig("https://a.example.com");
    let with = |from: &str, to: &str| {
        assert!(good.contains(from), "{from}");
        good.replace(from, to)
    };
    let several = with(r#""current-context":"there","#, "").replace(
        r#""contexts":["#,
        r#""contexts":[{"name":"other","context":{"cluster":"there","user":"me"}},"#,
    );
    let file = |field: &str| with(r#""token":"hunter2""#, &format!(r#""{field}":"/etc/hunter2""#));
    let ca = with(
        r#""server""#,
        r#""certificate-authority":"/etc/hunter2","server""#,
    );
    let exec = with(
        r#""token":"hunter2""#,
        r#""exec":{"command":"hunter2","apiVersion":"client.authentication.k8s.io/v1"}"#,
    );
    let argo = |config: &Value| {
        secret(
            "x",
            &[
                ("server", "https://argo.example.com"),
                ("config", &config.to_string()),
            ],
        )
    };
    let tls = json!({"insecure": true, "serverName": "x"});
    let a = "https://a.example.com/";
    let cases = [
        (secret("x", &[("kubeconfig", &good)]), a),
        (secret("x", &[("value", &good)]), a),
        (secret("x", &[("value", "hunter2"), ("kubeconfig", &good)]), a),
        (
            secret("x", &[("kubeconfig", &with(r#""current-context":"there","#, ""))]),
            a,
        ),
        (
            argo(&json!({"bearerToken": "hunter2", "tlsClientConfig": tls})),
            "https://argo.example.com/",
        ),
        (
            argo(&json!({"username": "hunter2", "password": "hunter2"})),
            "https://argo.example.com/",
        ),
        (
            secret("x", &[]),
            "it has no kubeconfig (`kubeconfig` or `value`), and not both `server` and `config`",
        ),
        (
            secret("x", &[("server", "https://hunter2")]),
            "it has no kubeconfig",
        ),
        (
            secret("x", &[("kubeconfig", "hunter2")]),
            "its `kubeconfig` is not a kubeconfig",
        ),
        (
            secret("x", &[("value", "a: [hunter2")]),
            "its `value` is not a kubeconfig",
        ),
        (secret("x", &[("kubeconfig", "")]), "its `kubeconfig` is "),
        (
            secret("x", &[("kubeconfig", "users: []")]),
            "its `kubeconfig` is a kubeconfig without contexts",
        ),
        (
            secret("x", &[("kubeconfig", &several)]),
            "several contexts, and none of them is current",
        ),
        (
            secret(
                "x",
                &[(
                    "kubeconfig",
                    &with(r#""current-context":"there""#, r#""current-context":"hunter2""#),
                )],
            ),
            "its current context is not in its kubeconfig",
        ),
        (
            secret(
                "x",
                &[("kubeconfig", &with(r#""user":"me""#, r#""user":"hunter2""#))],
            ),
            "its user is not there",
        ),
        (
            secret(
                "x",
                &[(
                    "kubeconfig",
                    &with(r#""cluster":"there""#, r#""cluster":"hunter2""#),
                )],
            ),
            "its cluster is not there",
        ),
        (
            secret("x", &[("kubeconfig", &kubeconfig("https://hunter2 x"))]),
            "its `server` cannot be used",
        ),
        (
            secret(
                "x",
                &[(
                    "kubeconfig",
                    &with(r#""server""#, r#""certificate-authority-data":"","server""#),
                )],
            ),
            "its `certificate-authority` cannot be used",
        ),
        (
            secret(
                "x",
                &[(
                    "kubeconfig",
                    // `hunter2`, which is no certificate.
                    &with(
                        r#""server""#,
                        r#""certificate-authority-data":"aHVudGVyMg==","server""#,
                    ),
                )],
            ),
            "its `certificate-authority` cannot be used",
        ),
        (
            argo(&json!({"bearerToken": "hunter2", "tlsClientConfig": null})),
            "https://argo.example.com/",
        ),
        (
            argo(&json!({"execProviderConfig": {"command": "hunter2", "args": null, "env": null}})),
            "needs a credential plugin",
        ),
        (secret("x", &[("kubeconfig", &ca)]), "it names a file"),
        (
            secret("x", &[("kubeconfig", &file("client-certificate"))]),
            "it names a file",
        ),
        (
            secret("x", &[("kubeconfig", &file("client-key"))]),
            "it names a file",
        ),
        (
            secret("x", &[("kubeconfig", &file("tokenFile"))]),
            "it names a file",
        ),
        (
            secret("x", &[("kubeconfig", &exec)]),
            "needs a credential plugin, and those are not allowed here",
        ),
        (
            argo(&json!({"execProviderConfig": {"command": "hunter2"}})),
            "needs a credential plugin",
        ),
        (
            argo(&json!({"awsAuthConfig": {"clusterName": "hunter2"}})),
            "an `awsAuthConfig`, which is not known",
        ),
        (
            argo(&json!({"bearerToken": ["hunter2"]})),
            "its `config` is not JSON as Argo CD writes it",
        ),
        (
            argo(&json!("hunter2")),
            "its `config` is not JSON as Argo CD writes it",
        ),
    ];
    let hub = Hub::start();
    for (mut object, expect) in cases {
        object["metadata"]["name"] = "eu-1".into();
        let hub = if expect.starts_with("https") {
            hub.clone()
        } else {
            Hub::start()
        };
        hub.put(&object).await;
        let registry = hub.registry();
        assert_eq!(
            names(&registry).await,
            ["eu-1"],
            "whatever is wrong, the cluster stays"
        );
        let told = told(&registry, "eu-1").await;
        let place = "Secrets in namespace default of cluster hub: eu-1: ";
        let fits = told == expect || told.starts_with(place) && told.contains(expect);
        assert!(fits, "expected {expect}: {told}");
        hub.remove("eu-1").await;
    }
    hub.put(&secret("eu-1", &[("kubeconfig", &exec)])).await;
    let trusting = hub.registry().credential_plugins(CredentialPlugins::Run);
    assert_eq!(names(&trusting).await, ["eu-1"]);
    let config = trusting.config_for(&Cluster::new("eu-1")).await.unwrap();
    assert_eq!(config.auth_info.exec.unwrap().command.as_deref(), Some("hunter2"));
    assert!(
        told(&trusting, "mars")
            .await
            .ends_with("there is none for cluster `mars`")
    );
}

#[tokio::test]
async fn names_and_labels_are_found() {
    let hub = Hub::start();
    let good = kubeconfig("https://a.example.com");
    let plain = |name: &str| secret(name, &[("kubeconfig", &good)]);
    let label = json!({"cluster.x-k8s.io/cluster-name": "capi-1", "tier": "gold"});
    let mut certificates = described(secret("capi-1-ca", &[("tls.key", "hunter2")]), &label, &json!({}));
    certificates["type"] = "cluster.x-k8s.io/secret".into();
    let mut capi = described(
        secret("capi-1-kubeconfig", &[("value", &good)]),
        &label,
        &json!({}),
    );
    capi["type"] = "cluster.x-k8s.io/secret".into();
    let argo = [
        ("server", "https://argo.example.com"),
        ("config", "{}"),
        ("name", "argo-1"),
    ];
    for object in [
        plain("own"),
        described(
            plain("renamed"),
            &json!({"tier": "gold"}),
            &json!({"cluster.fleet.internal/name": "eu-1"}),
        ),
        capi,
        certificates,
        secret("cluster-1", &argo),
        secret("other-keys", &[("my", &good)]),
    ] {
        hub.put(&object).await;
    }
    let registry = hub.registry();
    assert_eq!(
        names(&registry).await,
        ["argo-1", "capi-1", "eu-1", "other-keys", "own"]
    );
    assert_eq!(
        names(&hub.registry().selector("tier=gold")).await,
        ["capi-1", "eu-1"]
    );
    assert!(
        told(&registry, "other-keys")
            .await
            .contains("it has no kubeconfig")
    );
    let chosen = hub.registry().keys(["my"]);
    assert_eq!(told(&chosen, "other-keys").await, "https://a.example.com/");
    let clusters = registry.clusters().await.unwrap();
    assert_eq!(clusters[1].labels["tier"], "gold");
    assert!(!format!("{registry:?}").contains("hunter2"));
}

#[tokio::test]
async fn annotations_describe() {
    let hub = Hub::start();
    let good = kubeconfig("https://a.example.com");
    let about =
        |annotations: Value| described(secret("eu-1", &[("kubeconfig", &good)]), &json!({}), &annotations);
    let annotations = json!({
        "cluster.fleet.internal/uid": "u-1", "cluster.fleet.internal/life-cycle": "draining",
        "cluster.fleet.internal/paused": "until Monday", "property.cluster.fleet.internal/provider": "x",
        "cost.cluster.fleet.internal/cpu-hour": "31", "fleet.internal/anything": "else",
        "cluster.fleet.internal/taints": "hardware=old:PreferNoSchedule, upgrade:NoExecute@2026-11-27T19:04:00Z",
    });
    hub.put(&about(annotations)).await;
    let registry = hub.registry();
    let cluster = registry.clusters().await.unwrap().remove(0);
    assert_eq!(cluster.expected_id, Some(ClusterId::new("u-1")));
    assert_eq!(
        (cluster.life_cycle, cluster.paused.as_deref()),
        (LifeCycle::Draining, Some("until Monday"))
    );
    assert_eq!(
        (cluster.properties["provider"].as_str(), cluster.cost["cpu-hour"]),
        ("x", 31)
    );
    let taints: Vec<String> = cluster.taints.iter().map(ToString::to_string).collect();
    assert_eq!(taints, ["hardware=old:PreferNoSchedule", "upgrade:NoExecute"]);
    assert_eq!(cluster.taints[1].since, Some(fleet_core::Tick(1_795_806_240_000)));
    assert_eq!(told(&registry, "eu-1").await, "https://a.example.com/");

    for (key, value, expect) in [
        (
            "cluster.fleet.internal/life-cycle",
            "dead",
            "is none of `joining`",
        ),
        ("cluster.fleet.internal/lifecycle", "ready", "is not known"),
        ("cluster.fleet.internal/name", "", "is empty"),
        ("cluster.fleet.internal/uid", "", "`uid` is empty"),
        ("cost.cluster.fleet.internal/cpu", "0.5", "is not a whole number"),
        ("cluster.fleet.internal/taints", "hardware=old", "has no effect"),
    ] {
        let hub = Hub::start();
        let good = ("cluster.fleet.internal/paused", "until\u{1b}[31m Monday");
        hub.put(&about(json!({key: value, good.0: good.1}))).await;
        let registry = hub.registry();
        let mut expected = Cluster::new("eu-1");
        expected.paused = Some("until [31m Monday".to_owned());
        let clusters = registry.clusters().await.unwrap();
        assert_eq!(clusters, [expected], "what can be read counts");
        let told = told(&registry, "eu-1").await;
        assert!(told.contains(expect), "{key}: {told}");
        assert!(
            registry.fingerprints(&[]).await.is_empty(),
            "no reason to connect anew"
        );
    }
}

#[tokio::test]
async fn a_name_that_two_claim_belongs_to_neither() {
    let hub = Hub::start();
    let good = kubeconfig("https://a.example.com");
    let name = json!({"cluster.fleet.internal/name": "eu-1"});
    for object in [
        described(
            secret("one", &[("kubeconfig", &good)]),
            &json!({"tier": "gold"}),
            &name,
        ),
        described(secret("other", &[("kubeconfig", &good)]), &json!({}), &name),
        secret("us-1", &[("kubeconfig", &good)]),
    ] {
        hub.put(&object).await;
    }
    let registry = hub.registry();
    let clusters = registry.clusters().await.unwrap();
    assert_eq!(clusters, [Cluster::new("eu-1"), Cluster::new("us-1")]);
    let strict = json!({"cluster.fleet.internal/name": "eu-1", "cluster.fleet.internal/paused": "x",
        "cluster.fleet.internal/life-cycle": "joining"});
    hub.put(&described(
        secret("third", &[("kubeconfig", &good)]),
        &json!({}),
        &strict,
    ))
    .await;
    let cluster = registry.clusters().await.unwrap().remove(0);
    assert_eq!(
        (cluster.paused.as_deref(), cluster.life_cycle),
        (Some("x"), LifeCycle::Joining)
    );
    hub.remove("third").await;
    registry.clusters().await.unwrap();
    let told = told(&registry, "eu-1").await;
    assert!(
        told.contains(": one, other: they all claim to be cluster `eu-1`"),
        "{told}"
    );
    let prints = registry.fingerprints(&[]).await;
    assert_eq!(prints.keys().collect::<Vec<_>>(), ["us-1"]);
    hub.remove("other").await;
    assert_eq!(registry.clusters().await.unwrap()[0].labels["tier"], "gold");
    assert_eq!(
        super::reading::told(&registry, "eu-1").await,
        "https://a.example.com/"
    );
}

#[tokio::test]
async fn fingerprints_change_with_credentials_alone() {
    let hub = Hub::start();
    let good = kubeconfig("https://a.example.com");
    for name in ["eu-1", "us-1"] {
        hub.put(&secret(name, &[("kubeconfig", &good)])).await;
    }
    let registry = hub.registry();
    let prints = async || {
        registry.clusters().await.unwrap();
        registry.fingerprints(&[]).await
    };
    let before = prints().await;
    assert_eq!(before.len(), 2);
    let annotations = json!({"cluster.fleet.internal/paused": "x"});
    hub.put(&described(
        secret("eu-1", &[("kubeconfig", &good)]),
        &json!({"a": "b"}),
        &annotations,
    ))
    .await;
    assert_eq!(prints().await, before);
    hub.put(&secret(
        "eu-1",
        &[("kubeconfig", &good.replace("hunter2", "hunter3"))],
    ))
    .await;
    let after = prints().await;
    assert!(after["eu-1"] != before["eu-1"] && after["us-1"] == before["us-1"]);
    hub.put(&secret("eu-1", &[("kubeconfig", "nonsense")])).await;
    assert_eq!(prints().await.keys().collect::<Vec<_>>(), ["us-1"]);
}

#[tokio::test]
async fn a_secret_that_becomes_wrong_is_still_its_cluster() {
    let good = kubeconfig("https://a.example.com");
    let argo = |name: &str, server: &str| {
        let data = [
            (server, "https://argo.example.com"),
            ("config", "{}"),
            ("name", name),
        ];
        secret("x", &data)
    };
    let called = |name: &str| {
        described(
            secret("x", &[("kubeconfig", &good)]),
            &json!({}),
            &json!({"cluster.fleet.internal/name": name}),
        )
    };
    let mut no_text = argo("argo-1", "server");
    no_text["data"]["name"] = "/w==".into();
    let long = "a".repeat(254);
    let cases = [
        // What it becomes; its names with a memory, and without one.
        (
            argo("argo-1", "sevrer"),
            "argo-1",
            "argo-1",
            "it has no kubeconfig",
        ),
        (no_text, "argo-1", "x", "its `name` is not text"),
        (
            argo("argo\u{1b}[31m", "server"),
            "argo-1",
            "x",
            "its `name` has control",
        ),
        (
            secret("x", &[("kubeconfig", "nonsense")]),
            "argo-1",
            "x",
            "is not a kubeconfig",
        ),
        (called(" "), "argo-1", "x", "fleet.internal/name` is empty"),
        (
            called("a\nb"),
            "argo-1",
            "x",
            "fleet.internal/name` has control characters",
        ),
        (called(&long), "argo-1", "x", "fleet.internal/name` is longer"),
        (called(" eu-1 "), "eu-1", "eu-1", "https://a.example.com/"),
    ];
    for (wrong, remembered, anew, expect) in cases {
        let hub = Hub::start();
        hub.put(&argo("argo-1", "server")).await;
        let registry = hub.registry();
        assert_eq!(names(&registry).await, ["argo-1"]);
        hub.put(&wrong).await;
        for _ in 0..2 {
            assert_eq!(names(&registry).await, [remembered], "{expect}");
            let told = told(&registry, remembered).await;
            assert!(told.contains(expect), "expected {expect}: {told}");
        }
        let fresh = hub.registry();
        assert_eq!(names(&fresh).await, [anew], "{expect}");
        // Who has that name by right keeps it.
        hub.put(&described(
            secret("other", &[("kubeconfig", &good)]),
            &json!({}),
            &json!({"cluster.fleet.internal/name": "x"}),
        ))
        .await;
        fresh.clusters().await.unwrap();
        assert_eq!(told(&fresh, "x").await, "https://a.example.com/");
        // Another Secret of that name is another cluster.
        hub.remove("other").await;
        hub.remove("x").await;
        hub.put(&secret("x", &[("kubeconfig", &good)])).await;
        assert_eq!(names(&registry).await, ["x"]);
    }
}

#[tokio::test]
async fn fingerprints_do_not_depend_on_the_order_of_maps() {
    let hub = Hub::start();
    let settings: serde_json::Map<String, Value> = (0..16)
        .map(|number| (format!("key-{number}"), "x".into()))
        .collect();
    let provider = json!({"name": "gcp", "config": settings}).to_string();
    let text = kubeconfig("https://a.example.com");
    let text = text.replace(r#""token":"hunter2""#, &format!(r#""auth-provider":{provider}"#));
    hub.put(&secret("eu-1", &[("kubeconfig", &text)])).await;
    let mut prints = Vec::new();
    for _ in 0..4 {
        let registry = hub.registry().credential_plugins(CredentialPlugins::Run);
        registry.clusters().await.unwrap();
        prints.push(registry.fingerprints(&[]).await["eu-1"]);
    }
    prints.dedup();
    assert_eq!(prints.len(), 1);
}
