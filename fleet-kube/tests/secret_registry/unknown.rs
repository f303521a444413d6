//! When it is unknown which clusters there are, and how a hub is reached again.

use fleet_core::{Cluster, ClusterRegistry as _};
use fleet_kube::SecretRegistry;

use super::hub::{Hub, Mood, NAMESPACE, kubeconfig, secret};

async fn told(registry: &SecretRegistry) -> String {
    match registry.clusters().await {
        Ok(clusters) => clusters.len().to_string(),
        Err(unknown) => unknown.message().to_owned(),
    }
}

async fn hub() -> Hub {
    let hub = Hub::start();
    hub.put(&secret(
        "eu-1",
        &[("kubeconfig", &kubeconfig("https://a.example.com"))],
    ))
    .await;
    hub
}

#[tokio::test]
async fn no_secret_is_no_answer() {
    let hub = hub().await;
    let none = hub.registry().selector("tier=none");
    let words = "Secrets with tier=none in namespace default of cluster hub: there are none: look at namespace and selector; nothing changes meanwhile";
    assert_eq!(told(&none).await, words);
    assert_eq!(told(&none.allow_none()).await, "0");
    let elsewhere = SecretRegistry::new(hub.clone(), Cluster::new("hub"), "nowhere");
    assert!(
        told(&elsewhere)
            .await
            .contains("namespace nowhere of cluster hub: there are none")
    );
}

#[tokio::test]
async fn a_hub_that_does_not_answer_leaves_everything_as_it_was() {
    let hub = hub().await;
    let registry = hub.registry();
    for (mood, expect) in [
        (Mood::Away, "cluster hub: unreachable: no connection"),
        (Mood::Good, "1"),
        (Mood::Forbidden, "cluster hub: not permitted"),
        (Mood::Good, "1"),
        (
            Mood::Endless,
            "there are more than 10000 Secrets: choose fewer by a selector",
        ),
        (Mood::Unauthorized, "cluster hub: not permitted"),
        (Mood::Unauthorized, "cluster hub: not permitted"),
    ] {
        hub.set(mood);
        let told = told(&registry).await;
        assert!(told.contains(expect), "{mood:?}: expected {expect}: {told}");
        if mood == Mood::Forbidden {
            let config = registry.config_for(&Cluster::new("eu-1")).await;
            assert!(config.is_ok(), "what was read last still says how to connect");
        }
    }
    let connects = hub.connects();
    hub.set(Mood::Good);
    assert_eq!(told(&registry).await, "1");
    assert_eq!(hub.connects(), connects + 1, "refused credentials are replaced");
    assert_eq!(told(&registry.clone()).await, "1");
    assert_eq!(hub.connects(), connects + 1, "good ones are kept");
    hub.renew();
    assert_eq!(told(&registry).await, "1");
    assert_eq!(hub.connects(), connects + 2, "changed ones are taken over");
}

#[tokio::test]
async fn another_cluster_is_not_the_hub() {
    let hub = hub().await;
    let mut cluster = Cluster::new("hub");
    cluster.expected_id = Some("somebody".into());
    let registry = SecretRegistry::new(hub, cluster, NAMESPACE);
    let told = told(&registry).await;
    assert!(
        told.contains("this is cluster ") && told.ends_with(", and somebody is expected"),
        "{told}"
    );
}
