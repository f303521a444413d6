//! Requests to one API server, and what it serves.

use std::collections::BTreeMap;

use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::{
    oracle::Conflicts,
    schema::{Schema, Schemas},
};
use crate::served::{DISCOVERY, ROOTS, Served, served};

const APPLY: &str = "application/apply-patch+yaml";
const JSON: &str = "application/json";
/// How long a CRD may take to be served, and its schema to be told.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(50);

/// `Deployment.apps`.
pub(super) fn label(kind: &Served) -> String {
    if kind.group.is_empty() {
        kind.kind.clone()
    } else {
        format!("{}.{}", kind.kind, kind.group)
    }
}

/// It is no custom resource.
pub(super) fn is_built_in(kind: &Served) -> bool {
    !kind.group.contains('.') || kind.group.ends_with(".k8s.io")
}

fn path(kind: &Served, object: &Value) -> String {
    let metadata = &object["metadata"];
    kind.path(metadata["namespace"].as_str(), metadata["name"].as_str())
}

/// A write.
#[derive(Clone, Debug)]
pub(crate) enum Write {
    /// Server-side apply.
    Apply {
        manager: String,
        force: bool,
        subresource: Option<&'static str>,
    },
    /// `POST`.
    Create { manager: String },
    /// `PUT`.
    Put {
        manager: String,
        subresource: Option<&'static str>,
    },
    /// A JSON merge patch.
    Merge {
        manager: String,
        subresource: Option<&'static str>,
    },
    /// A JSON patch.
    Patch {
        manager: String,
        subresource: Option<&'static str>,
    },
}

/// What a server answered to a write, dry or not.
#[derive(Clone, PartialEq, Debug)]
pub enum Answer {
    /// The object as it is then, and whether it was created.
    Object {
        /// It was created.
        created: bool,
        /// As it is then.
        object: Value,
    },
    /// Others own fields that it would change.
    Conflicts(Conflicts),
    /// Anything else.
    Refused {
        /// HTTP status.
        code: u16,
        /// The server's words.
        message: String,
    },
}

impl Answer {
    pub(super) fn object(self) -> Option<Value> {
        match self {
            Self::Object { object, .. } => Some(object),
            _ => None,
        }
    }
}

/// One API server.
pub(crate) struct Server {
    client: Client,
    /// The minor version.
    pub(super) kubernetes: String,
    resources: BTreeMap<(String, String), Served>,
    pub(super) schemas: Schemas,
}

impl Server {
    pub(crate) async fn new(client: Client, kubernetes: &str) -> Self {
        let mut server = Self {
            client,
            kubernetes: kubernetes.to_owned(),
            resources: BTreeMap::new(),
            schemas: Schemas::default(),
        };
        server.discover().await;
        server
    }

    pub(crate) fn resource(&self, object: &Value) -> Option<&Served> {
        let word = |name: &str| object[name].as_str().unwrap_or_default().to_owned();
        self.resources.get(&(word("apiVersion"), word("kind")))
    }

    /// The same kind at other versions.
    pub(super) fn other_versions(&self, object: &Value) -> Vec<&Served> {
        let Some(this) = self.resource(object) else {
            return Vec::new();
        };
        let is_other = |other: &&Served| {
            (&other.group, &other.kind) == (&this.group, &this.kind) && other.api_version != this.api_version
        };
        self.resources.values().filter(is_other).collect()
    }

    pub(super) fn schema(&self, object: &Value) -> Option<Schema<'_>> {
        self.schemas
            .of(object["apiVersion"].as_str()?, object["kind"].as_str()?)
    }

    /// Applies these; what is refused is said.
    pub(crate) async fn install(&self, objects: &[Value]) -> Vec<Value> {
        let install = Write::Apply {
            manager: "installer".to_owned(),
            force: true,
            subresource: None,
        };
        let mut installed = Vec::new();
        for object in objects {
            match self.write(object, &install, false).await {
                Answer::Object { object, .. } => installed.push(object),
                other => println!(
                    "not installed: {} {}: {other:?}",
                    object["kind"], object["metadata"]["name"]
                ),
            }
        }
        installed
    }

    /// Waits until the schemas of these definitions are those of their objects.
    pub(super) async fn await_schemas(&mut self, definitions: &[Value], proof: impl Fn(Schema<'_>) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.read_schemas().await;
            let is_known =
                |(version, kind): (String, String)| self.schemas.of(&version, &kind).is_some_and(&proof);
            if wanted(definitions).all(is_known) {
                return;
            }
            assert!(Instant::now() < deadline, "no new schema");
            sleep(LOOK).await;
        }
    }

    /// Makes namespaces and definitions, waits until the definitions are served, and reads all schemas.
    pub(crate) async fn prepare(&mut self, first: &[Value]) {
        let served = self.install(first).await;
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.discover().await;
            let missing = wanted(&served).find(|key| !self.resources.contains_key(key));
            let Some(missing) = missing else { break };
            assert!(Instant::now() < deadline, "{missing:?} is not served");
            sleep(LOOK).await;
        }
        self.await_schemas(&served, |_| true).await;
    }

    async fn read_schemas(&mut self) {
        let index = self.json("/openapi/v3", JSON).await;
        for path in index["paths"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(path, _)| path)
        {
            let api_version = path.strip_prefix("apis/").or_else(|| path.strip_prefix("api/"));
            let Some(api_version) =
                api_version.filter(|v| self.resources.keys().any(|(known, _)| known == v))
            else {
                continue;
            };
            // The index names a version of the document, which may be outdated by now.
            let document = self.json(&format!("/openapi/v3/{path}"), JSON).await;
            self.schemas.add(api_version, document);
        }
    }

    async fn discover(&mut self) {
        for root in ROOTS {
            let found = self.json(root, DISCOVERY).await;
            for kind in served(&found) {
                let key = (kind.api_version.clone(), kind.kind.clone());
                self.resources.insert(key, kind);
            }
        }
    }

    /// The object as it is.
    pub(crate) async fn get(&self, object: &Value) -> Option<Value> {
        let path = path(self.resource(object)?, object);
        let (code, body) = self.send("GET", &path, JSON, None).await;
        (code == 200).then_some(body)
    }

    /// Deletes it, if it is there and nothing holds it.
    pub(crate) async fn delete(&self, object: &Value) {
        if let Some(resource) = self.resource(object) {
            self.send("DELETE", &path(resource, object), JSON, None).await;
        }
    }

    /// Applies without doing it.
    pub(crate) async fn ask(&self, object: &Value, manager: &str, force: bool) -> Answer {
        let apply = Write::Apply {
            manager: manager.to_owned(),
            force,
            subresource: None,
        };
        self.write(object, &apply, true).await
    }

    /// Writes. For patches, `object` says which object, and what is sent is in its field `patch`.
    pub(crate) async fn write(&self, object: &Value, write: &Write, dry: bool) -> Answer {
        let Some(resource) = self.resource(object) else {
            return Answer::Refused {
                code: 404,
                message: "not served".to_owned(),
            };
        };
        let below = |subresource: Option<&str>| {
            let end = subresource.map(|name| format!("/{name}")).unwrap_or_default();
            path(resource, object) + &end
        };
        let (method, path, manager, content, body) = match write {
            Write::Apply {
                manager, subresource, ..
            } => ("PATCH", below(*subresource), manager, APPLY, object),
            Write::Create { manager } => (
                "POST",
                resource.path(object["metadata"]["namespace"].as_str(), None),
                manager,
                JSON,
                object,
            ),
            Write::Put { manager, subresource } => ("PUT", below(*subresource), manager, JSON, object),
            Write::Merge { manager, subresource } => (
                "PATCH",
                below(*subresource),
                manager,
                "application/merge-patch+json",
                &object["patch"],
            ),
            Write::Patch { manager, subresource } => (
                "PATCH",
                below(*subresource),
                manager,
                "application/json-patch+json",
                &object["patch"],
            ),
        };
        let force = if matches!(write, Write::Apply { force: true, .. }) {
            "&force=true"
        } else {
            ""
        };
        let dry = if dry { "&dryRun=All" } else { "" };
        let path = format!("{path}?fieldManager={manager}&fieldValidation=Ignore{force}{dry}");
        let (code, body) = self.send(method, &path, content, Some(body)).await;
        answer(code, body)
    }

    async fn json(&self, path: &str, accept: &str) -> Value {
        let (code, body) = self.send("GET", path, accept, None).await;
        assert_eq!(code, 200, "{path}: {body}");
        body
    }

    async fn send(&self, method: &str, path: &str, content: &str, body: Option<&Value>) -> (u16, Value) {
        let mut request = http::Request::builder().method(method).uri(path);
        request = match body {
            Some(_) => request.header("content-type", content),
            None => request.header("accept", content),
        };
        let body = body.map_or_else(Vec::new, |body| serde_json::to_vec(body).expect("JSON"));
        let request = request.body(Body::from(body)).expect("a request");
        let response = self.client.send(request).await.expect("an answer");
        let code = response.status().as_u16();
        let bytes = response
            .into_body()
            .collect()
            .await
            .expect("a whole answer")
            .to_bytes();
        let body = serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| json!({"message": String::from_utf8_lossy(&bytes)}));
        (code, body)
    }
}

/// What these definitions define.
fn wanted(objects: &[Value]) -> impl Iterator<Item = (String, String)> {
    let of_one = |crd: &Value| {
        let word = |place: &str| {
            crd.pointer(place)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let (group, kind) = (word("/spec/group"), word("/spec/names/kind"));
        let versions = crd["spec"]["versions"].as_array().cloned().unwrap_or_default();
        versions
            .into_iter()
            .filter(|version| version["served"] == true)
            .map(move |version| {
                let version = version["name"].as_str().unwrap_or_default();
                (format!("{group}/{version}"), kind.clone())
            })
    };
    let definitions = objects
        .iter()
        .filter(|object| object["kind"] == "CustomResourceDefinition");
    definitions.flat_map(of_one)
}

fn answer(code: u16, body: Value) -> Answer {
    if matches!(code, 200 | 201) {
        return Answer::Object {
            created: code == 201,
            object: body,
        };
    }
    let causes = body["details"]["causes"].as_array().into_iter().flatten();
    let conflicts: Conflicts = causes
        .filter(|cause| cause["reason"] == "FieldManagerConflict")
        .map(|cause| {
            let word = |name: &str| cause[name].as_str().unwrap_or_default();
            (manager_in(word("message")), word("field").to_owned())
        })
        .collect();
    if code == 409 && !conflicts.is_empty() {
        return Answer::Conflicts(conflicts);
    }
    Answer::Refused {
        code,
        message: body["message"].as_str().unwrap_or_default().to_owned(),
    }
}

/// The name in `conflict with "editor" using apps/v1 at 2026-01-01T00:00:00Z`, which Go has quoted.
fn manager_in(message: &str) -> String {
    let Some(start) = message.find('"') else {
        return message.to_owned();
    };
    let mut stream = serde_json::Deserializer::from_str(&message[start..]).into_iter::<String>();
    match stream.next() {
        Some(Ok(name)) => name,
        _ => message.to_owned(),
    }
}
