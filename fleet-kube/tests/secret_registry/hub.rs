//! A hub in this process, and Secrets in it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fleet_core::{Answer, Cluster, Digest, Fault, Object, Remedy, Request};
use fleet_kube::{Connect, Connection, ConnectionOptions, SecretRegistry, SimCluster};
use serde_json::{Value, json};

pub(crate) const NAMESPACE: &str = "default";

/// What the hub does to who connects or lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Mood {
    #[default]
    Good,
    /// No connection comes about.
    Away,
    /// Secrets may not be listed.
    Forbidden,
    /// Nobody is known.
    Unauthorized,
    /// There is always another page.
    Endless,
}

#[derive(Clone)]
pub(crate) struct Hub {
    cluster: SimCluster,
    mood: Arc<Mutex<Mood>>,
    /// What connections are made with.
    entry: Arc<Mutex<u8>>,
    connects: Arc<AtomicUsize>,
}

impl Hub {
    pub(crate) fn start() -> Self {
        Self {
            cluster: SimCluster::start(fleet_sim::Settings::default()),
            mood: Arc::default(),
            entry: Arc::default(),
            connects: Arc::default(),
        }
    }

    pub(crate) fn registry(&self) -> SecretRegistry {
        SecretRegistry::new(self.clone(), Cluster::new("hub"), NAMESPACE)
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn renew(&self) {
        *self.entry.lock().unwrap() += 1;
    }

    pub(crate) fn connects(&self) -> usize {
        self.connects.load(Ordering::Relaxed)
    }

    pub(crate) async fn put(&self, secret: &Value) {
        let connection = self.cluster.connect(ConnectionOptions::default()).await.unwrap();
        put(&connection, secret).await;
    }

    pub(crate) async fn remove(&self, name: &str) {
        let path = format!("/api/v1/namespaces/{NAMESPACE}/secrets/{name}");
        let request = http::Request::delete(path).body(kube::client::Body::empty());
        let answer = self.cluster.client().send(request.unwrap()).await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
    }
}

#[async_trait]
impl Connect for Hub {
    async fn connect(&self, _: &Cluster) -> Result<Connection, Fault> {
        self.connects.fetch_add(1, Ordering::Relaxed);
        let (client, mood) = (self.cluster.client(), self.mood.clone());
        if *mood.lock().unwrap() == Mood::Away {
            return Err(Fault::new(Remedy::Unreachable, "no connection: nobody is there"));
        }
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| {
            let (client, mood) = (client.clone(), *mood.lock().unwrap());
            async move {
                let is_list = request.uri().path().ends_with("/secrets");
                let refusal = |code: u16, reason: &str| {
                    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code,
                        "reason": reason, "message": "no"});
                    (code, status)
                };
                let (code, body) = match mood {
                    Mood::Endless if is_list => (200, page()),
                    Mood::Forbidden if is_list => refusal(403, "Forbidden"),
                    Mood::Unauthorized => refusal(401, "Unauthorized"),
                    _ => return client.send(request).await,
                };
                let body = kube::client::Body::from(body.to_string().into_bytes());
                Ok::<_, kube::Error>(http::Response::builder().status(code).body(body).unwrap())
            }
        });
        let options = ConnectionOptions::default().retry_time(std::time::Duration::ZERO);
        Connection::over(kube::Client::new(service, "default"), options).await
    }

    async fn fingerprints(&self, clusters: &[Cluster]) -> BTreeMap<String, Digest> {
        let digest = Digest::of_bytes(&[*self.entry.lock().unwrap()]);
        clusters
            .iter()
            .map(|cluster| (cluster.name.clone(), digest))
            .collect()
    }
}

/// A page of a list that goes on.
fn page() -> Value {
    let secrets: Vec<Value> = (0..500)
        .map(|number| secret(&format!("s-{number}"), &[]))
        .collect();
    json!({"kind": "SecretList", "apiVersion": "v1", "items": secrets,
        "metadata": {"resourceVersion": "1", "continue": "more"}})
}

/// Makes it so.
pub(crate) async fn put(connection: &Connection, object: &Value) {
    let request = Request::Apply {
        document: Object::from_json(object.clone()).unwrap(),
        manager: "tests".to_owned(),
        uid: None,
        version: None,
        force: true,
        dry_run: false,
    };
    let answer = connection.execute(&request).await;
    assert!(
        matches!(answer, Answer::Created(_) | Answer::Object(_)),
        "{answer:?}"
    );
}

/// A Secret with these values.
pub(crate) fn secret(name: &str, data: &[(&str, &str)]) -> Value {
    let data: serde_json::Map<String, Value> = data
        .iter()
        .map(|(key, value)| ((*key).to_owned(), STANDARD.encode(value).into()))
        .collect();
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE}, "data": data})
}

/// The same with labels and annotations.
pub(crate) fn described(mut secret: Value, labels: &Value, annotations: &Value) -> Value {
    secret["metadata"]["labels"] = labels.clone();
    secret["metadata"]["annotations"] = annotations.clone();
    secret
}

/// A kubeconfig with a token that no message may repeat.
pub(crate) fn kubeconfig(server: &str) -> String {
    json!({
        "current-context": "there",
        "clusters": [{"name": "there", "cluster": {"server": server}}],
        "users": [{"name": "me", "user": {"token": "hunter2"}}],
        "contexts": [{"name": "there", "context": {"cluster": "there", "user": "me"}}],
    })
    .to_string()
}
