//! A client that sends one object after the other, as a careful script would. It shares no code with the reconciler
//! and is what the reconciler is compared with.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use fleet_core::{GroupKind, Object, ObjectKey};
use kube::Client;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::served::{DISCOVERY, ROOTS, Served, served};

/// How long a CRD may take to be established, or a deleted object to be gone.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// A server's refusal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refused {
    /// HTTP status.
    pub code: u16,
    /// The server's words.
    pub message: String,
}

/// What became of one pass.
#[derive(Default)]
pub struct Outcome {
    /// What the server took.
    pub accepted: BTreeSet<ObjectKey>,
    /// What it refused twice, with its last answer.
    pub refused: BTreeMap<ObjectKey, Refused>,
}

/// The client, and what it has made so far.
pub struct Plain {
    client: Client,
    default_namespace: String,
    /// By kind, then by version; the first is the one the server prefers.
    resources: BTreeMap<GroupKind, Vec<Served>>,
    made: BTreeSet<ObjectKey>,
}

impl Plain {
    /// For a server, and the namespace of objects that name none.
    pub async fn new(client: Client, default_namespace: &str) -> Self {
        let mut plain = Self {
            client,
            default_namespace: default_namespace.to_owned(),
            resources: BTreeMap::new(),
            made: BTreeSet::new(),
        };
        plain.discover().await;
        plain
    }

    /// Creates a namespace, unless it is there.
    pub async fn namespace(&self, name: &str) {
        let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        match self
            .send("POST", "/api/v1/namespaces", "application/json", Some(&body))
            .await
        {
            Ok(_) => {}
            Err(refused) => assert_eq!(refused.code, 409, "{}", refused.message),
        }
    }

    /// Makes the objects true, one by one: namespaces, CRDs until established, the rest, webhook configurations and
    /// API services; each refusal once more; then what was made and is not listed any more is deleted, in the opposite
    /// order.
    pub async fn make_true(&mut self, objects: &[Object]) -> Outcome {
        let mut outcome = Outcome::default();
        let mut again = Vec::new();
        for class in 0..4 {
            for object in objects.iter().filter(|object| class_of(object.key()) == class) {
                let (key, answer) = self.apply(object).await;
                match answer {
                    Ok(()) => drop(outcome.accepted.insert(key)),
                    Err(_) => again.push(object),
                }
            }
            if class == 1 {
                self.await_definitions(&outcome.accepted).await;
            }
        }
        let mut listed: BTreeSet<ObjectKey> = outcome.accepted.clone();
        for object in again {
            let (key, answer) = self.apply(object).await;
            listed.insert(key.clone());
            match answer {
                Ok(()) => drop(outcome.accepted.insert(key)),
                Err(refused) => drop(outcome.refused.insert(key, refused)),
            }
        }
        self.made.extend(outcome.accepted.iter().cloned());
        for class in (0..4).rev() {
            let dropped: Vec<ObjectKey> = self
                .made
                .iter()
                .filter(|key| class_of(key) == class && !listed.contains(*key))
                .cloned()
                .collect();
            self.delete(&dropped).await;
        }
        self.made.retain(|key| listed.contains(key));
        outcome
    }

    /// Keys of everything in the cluster that has no owner and does not change by itself.
    pub async fn keys(&mut self) -> BTreeSet<ObjectKey> {
        self.discover().await;
        let mut keys = BTreeSet::new();
        for (kind, versions) in &self.resources {
            let resource = &versions[0];
            if !(resource.has_verb("list") && resource.has_verb("delete")) || is_of_the_cluster(kind) {
                continue;
            }
            // A kind that goes away meanwhile has no objects.
            let Ok(list) = self.send("GET", &resource.path(None, None), METADATA, None).await else {
                continue;
            };
            for item in list["items"].as_array().into_iter().flatten() {
                let meta = &item["metadata"];
                let owned = meta["ownerReferences"]
                    .as_array()
                    .is_some_and(|owners| !owners.is_empty());
                let namespace = meta["namespace"].as_str();
                let name = meta["name"].as_str().unwrap_or_default();
                if !owned {
                    keys.insert(ObjectKey::of(kind.clone(), namespace, name));
                }
            }
        }
        keys
    }

    /// One object as it is.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn get(&self, object: &Object) -> Result<Value, Refused> {
        let (_, path) = self.place(object)?;
        self.send("GET", &path, "application/json", None).await
    }

    /// What a forced apply by this manager would make of an object.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn dry_run(&self, document: &Object, manager: &str) -> Result<Value, Refused> {
        let (_, path) = self.place(document)?;
        let path = format!("{path}?fieldManager={manager}&force=true&dryRun=All");
        self.send("PATCH", &path, APPLY, Some(&document.to_json())).await
    }

    /// Applies an object by force.
    ///
    /// # Errors
    /// The server's refusal.
    pub async fn write(&self, document: &Object, manager: &str) -> Result<(), Refused> {
        let (_, path) = self.place(document)?;
        let path = format!("{path}?fieldManager={manager}&force=true");
        self.send("PATCH", &path, APPLY, Some(&document.to_json()))
            .await
            .map(drop)
    }

    /// The key of an object as this server has it.
    pub fn key(&self, object: &Object) -> ObjectKey {
        match self.place(object) {
            Ok((key, _)) => key,
            Err(_) => object.key().clone(),
        }
    }

    async fn apply(&mut self, object: &Object) -> (ObjectKey, Result<(), Refused>) {
        if self.resource(object).is_none() {
            self.discover().await;
        }
        let key = match self.place(object) {
            Ok((key, _)) => key,
            Err(refused) => return (object.key().clone(), Err(refused)),
        };
        let body = object.with_namespace(key.namespace());
        let answer = self.write(&body, MANAGER).await;
        (key, answer)
    }

    fn resource(&self, object: &Object) -> Option<&Served> {
        let versions = self.resources.get(object.gvk().group_kind())?;
        versions
            .iter()
            .find(|resource| resource.api_version == object.gvk().api_version())
    }

    /// The key and the path of an object, as its kind's scope wants them.
    fn place(&self, object: &Object) -> Result<(ObjectKey, String), Refused> {
        let kind = object.gvk().group_kind().clone();
        let resource = self
            .resource(object)
            .or_else(|| self.resources.get(&kind)?.first());
        let Some(resource) = resource else {
            return Err(Refused {
                code: 404,
                message: "the kind is not served".to_owned(),
            });
        };
        let namespace = resource
            .namespaced
            .then(|| object.namespace().unwrap_or(&self.default_namespace).to_owned());
        let resource = resource.at(object.gvk().api_version());
        let path = resource.path(namespace.as_deref(), Some(object.name()));
        Ok((ObjectKey::of(kind, namespace.as_deref(), object.name()), path))
    }

    async fn await_definitions(&mut self, accepted: &BTreeSet<ObjectKey>) {
        let deadline = Instant::now() + PATIENCE;
        for key in accepted.iter().filter(|key| class_of(key) == 1) {
            let path = format!(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{}",
                key.name()
            );
            loop {
                let crd = self
                    .send("GET", &path, "application/json", None)
                    .await
                    .expect("a CRD that was accepted");
                let mut conditions = crd["status"]["conditions"].as_array().into_iter().flatten();
                let established = conditions.any(|c| c["type"] == "Established" && c["status"] == "True");
                let kind = GroupKind::new(
                    crd["spec"]["group"].as_str().unwrap_or_default(),
                    crd["spec"]["names"]["kind"].as_str().unwrap_or_default(),
                );
                if established && self.resources.contains_key(&kind) {
                    break;
                }
                assert!(Instant::now() < deadline, "{key} is not served");
                sleep(LOOK).await;
                self.discover().await;
            }
        }
    }

    /// Deletes these, and waits until they are gone.
    async fn delete(&self, keys: &[ObjectKey]) {
        let path = |key: &ObjectKey| {
            let resource = self.resources.get(key.group_kind())?.first()?;
            Some(resource.path(key.namespace(), Some(key.name())))
        };
        for path in keys.iter().filter_map(path) {
            let options =
                json!({"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"});
            let answer = self
                .send("DELETE", &path, "application/json", Some(&options))
                .await;
            assert!(
                answer.is_ok() || answer.as_ref().is_err_and(|r| r.code == 404),
                "{path}: {answer:?}"
            );
        }
        let deadline = Instant::now() + PATIENCE;
        for path in keys.iter().filter_map(path) {
            while self.send("GET", &path, METADATA_OF_ONE, None).await.is_ok() {
                assert!(Instant::now() < deadline, "{path} does not go away");
                sleep(LOOK).await;
            }
        }
    }

    async fn discover(&mut self) {
        let mut resources: BTreeMap<GroupKind, Vec<Served>> = BTreeMap::new();
        for root in ROOTS {
            let found = self.send("GET", root, DISCOVERY, None).await.expect("discovery");
            for kind in served(&found) {
                let key = GroupKind::new(&*kind.group, &*kind.kind);
                resources.entry(key).or_default().push(kind);
            }
        }
        self.resources = resources;
    }

    async fn send(
        &self,
        method: &str,
        path: &str,
        content: &str,
        body: Option<&Value>,
    ) -> Result<Value, Refused> {
        let mut request = http::Request::builder().method(method).uri(path);
        request = match body {
            Some(_) => request.header("content-type", content),
            None => request.header("accept", content),
        };
        let body = body.map_or_else(Vec::new, |body| serde_json::to_vec(body).expect("JSON"));
        let request = request.body(body).expect("a request");
        match self.client.request(request).await {
            Ok(value) => Ok(value),
            Err(kube::Error::Api(status)) => Err(Refused {
                code: status.code,
                message: status.message.clone(),
            }),
            Err(other) => panic!("{method} {path}: {other}"),
        }
    }
}

/// As whom it writes.
pub const MANAGER: &str = "plain";

const APPLY: &str = "application/apply-patch+yaml";
const METADATA: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
const METADATA_OF_ONE: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

/// Namespaces, CRDs, the rest, webhook configurations and API services.
fn class_of(key: &ObjectKey) -> usize {
    match (key.group(), key.kind()) {
        ("", "Namespace") => 0,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => 1,
        (
            "admissionregistration.k8s.io",
            "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration",
        )
        | ("apiregistration.k8s.io", "APIService") => 3,
        _ => 2,
    }
}

/// Kinds of which a cluster makes objects with names that mean nothing, or by itself at any time.
fn is_of_the_cluster(kind: &GroupKind) -> bool {
    matches!(
        (kind.group(), kind.kind()),
        ("" | "events.k8s.io", "Event")
            | ("networking.k8s.io", "IPAddress")
            | ("certificates.k8s.io", "ClusterTrustBundle")
    )
}
