//! A hub and two members, all of them real: a Secret that is broken, and credentials that change.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleet_core::{
    Answer, Cluster, Inventory, InventoryId, InventorySource, Note, Object, Request, Snapshot, async_trait,
};
use fleet_harness::{ControlPlane, Options, User};
use fleet_kube::{
    Connection, ConnectionOptions, Fleet, KubeconfigConnect, KubeconfigRegistry, SecretRegistry, Wave,
};
use serde_json::json;

/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(60);

/// How to reach a control plane as this user, with nothing outside of it.
fn kubeconfig(plane: &ControlPlane, user: User) -> String {
    let ca = STANDARD.encode(std::fs::read(plane.ca_file()).unwrap());
    json!({
        "clusters": [{"name": "a", "cluster": {"server": plane.url(), "certificate-authority-data": ca}}],
        "users": [{"name": "a", "user": {"token": plane.token(user)}}],
        "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
    })
    .to_string()
}

/// Makes a Secret of the hub hold this.
async fn put(hub: &Connection, name: &str, kubeconfig: &str) {
    let document = json!({"apiVersion": "v1", "kind": "Secret",
        "metadata": {"name": name, "namespace": "default"}, "stringData": {"kubeconfig": kubeconfig}});
    let request = Request::Apply {
        document: Object::from_json(document).unwrap(),
        manager: "tests".to_owned(),
        uid: None,
        version: None,
        force: true,
        dry_run: false,
    };
    let answer = hub.execute(&request).await;
    assert!(
        matches!(answer, Answer::Created(_) | Answer::Object(_)),
        "{answer:?}"
    );
}

struct Always(Snapshot);

#[async_trait]
impl InventorySource for Always {
    async fn snapshot(&self, _: &Cluster) -> Snapshot {
        self.0.clone()
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    assert!(tokio::time::timeout(PATIENCE, wait).await.is_ok(), "{what}");
}

/// Members that have all they should.
async fn done(fleet: &Fleet) -> Vec<String> {
    let mut names = Vec::new();
    for kept in fleet.kept() {
        if kept
            .driver
            .status()
            .await
            .is_some_and(|status| status.is_clean() && status.revision.is_some())
        {
            names.push(kept.cluster.name);
        }
    }
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_kept_by_what_their_secrets_say_now() {
    let planes = ["secrets-hub", "secrets-eu", "secrets-us"].map(|name| Options::new(name).audit(true));
    let planes = ControlPlane::start_all(planes).unwrap();
    let [hub, eu, us] = planes.as_slice() else {
        panic!("three were started")
    };
    let hubs = KubeconfigRegistry::new(hub.kubeconfig());
    let config = hubs
        .config_for(&Cluster::new(User::Admin.as_str()))
        .await
        .unwrap();
    let admin = Connection::connect(config, ConnectionOptions::default())
        .await
        .unwrap();
    put(&admin, "eu-1", &kubeconfig(eu, User::Fleet)).await;
    put(&admin, "us-1", "hunter2: [").await;

    let connect = KubeconfigConnect::new(hubs, ConnectionOptions::default());
    let registry = SecretRegistry::new(connect, Cluster::new(User::Fleet.as_str()), "default");
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "app", "namespace": "default"}, "data": {"k": "v"}});
    let inventory = Inventory::with_content_revision([Object::from_json(object).unwrap()]).unwrap();
    let notes = Arc::<Mutex<Vec<String>>>::default();
    let heard = notes.clone();
    let fleet = Fleet::builder(InventoryId::new("shop").unwrap())
        .clusters(registry)
        .source(Always(inventory.snapshot()))
        .wave(Wave::All)
        .read_interval(Duration::from_millis(200))
        .observer(move |cluster: &Cluster, note: &Note| {
            if let Note::Contact { reason, .. } = note {
                heard
                    .lock()
                    .unwrap()
                    .push(format!("{}: {}", cluster.name, reason.message));
            }
        })
        .build()
        .unwrap();
    let running = tokio::spawn({
        let fleet = fleet.clone();
        async move { fleet.run().await }
    });

    until(
        "one member is kept while the Secret of the other is broken",
        async || done(&fleet).await == ["eu-1"],
    )
    .await;
    until("it is said why", async || !notes.lock().unwrap().is_empty()).await;
    let said = notes.lock().unwrap().join("\n");
    assert!(
        said.starts_with("us-1: ") && said.contains("us-1: its `kubeconfig` is not a kubeconfig"),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");

    put(&admin, "us-1", &kubeconfig(us, User::Fleet)).await;
    until("the other joins once it is mended", async || {
        done(&fleet).await == ["eu-1", "us-1"]
    })
    .await;

    let by = |plane: &ControlPlane, user: User| {
        plane
            .audit()
            .unwrap()
            .iter()
            .any(|event| event.user == user.as_str())
    };
    assert!(by(eu, User::Fleet) && !by(eu, User::Someone));
    let before = fleet.kept();
    put(&admin, "eu-1", &kubeconfig(eu, User::Someone)).await;
    until("new credentials are taken over", async || by(eu, User::Someone)).await;
    until("both are kept, the one by a new connection", async || {
        let anew = fleet
            .kept()
            .first()
            .is_some_and(|kept| !Arc::ptr_eq(&before[0].driver, &kept.driver));
        anew && done(&fleet).await == ["eu-1", "us-1"]
    })
    .await;
    let after = fleet.kept();
    assert!(
        Arc::ptr_eq(&before[1].driver, &after[1].driver),
        "the other is left alone"
    );
    running.abort();
}
