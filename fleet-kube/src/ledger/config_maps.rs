//! Requests about the config maps of a ledger, and what their answers mean.

use std::sync::atomic::Ordering;

use bytes::Bytes;
use fleet_core::{
    Fault, Gvk, Remedy, Target,
    shards::{Blob, BlobName, BlobVersion, ShardRequest},
};
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ConfigMapLedger;
use crate::connection::{ACCEPT_OBJECTS, Broken, Call, JSON, Query, Refusal, Selection, Verb};

/// The key under which a config map holds a blob's text.
const DATA_KEY: &str = "ledger.json";

/// The field manager of these writes.
const MANAGER: &str = "fleet-ledger";

/// Of an answer to a write only the metadata is of interest.
const ACCEPT_META: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json";

#[derive(Deserialize)]
struct ConfigMap {
    metadata: Meta,
    #[serde(default)]
    data: Option<Data>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    name: String,
    resource_version: String,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "ledger.json")]
    text: Option<String>,
}

impl ConfigMapLedger {
    /// All blobs of the target. Config maps that bear the label and have another name are none.
    pub(super) async fn list(&self, target: &Target) -> Result<Vec<Blob>, Fault> {
        let (label, inventory) = self.label(target);
        let gvk = Gvk::from_api_version("v1", "ConfigMap")
            .ok_or_else(|| Fault::new(Remedy::Bug, "no config maps"))?;
        let selector = Some(format!("{label}={inventory}"));
        let selection = Selection {
            namespace: Some(self.namespace.clone()),
            selector,
            ..Selection::all(gvk)
        };
        let start = name_start(target);
        let found = self
            .connection
            .list(&selection, ACCEPT_OBJECTS, |_, map: ConfigMap| {
                let name = map
                    .metadata
                    .name
                    .strip_prefix(&start)
                    .and_then(|rest| rest.parse::<BlobName>().ok());
                // Without a text it is unreadable, which is not the same as not there.
                let text = map.data.and_then(|data| data.text).unwrap_or_default();
                Ok(name.map(|name| Blob::new(name, map.metadata.resource_version.as_str(), text)))
            })
            .await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Sends one request, and returns the state in which the blob is then.
    pub(super) async fn send(
        &self,
        target: &Target,
        request: ShardRequest<'_>,
    ) -> Result<BlobVersion, Fault> {
        let collection = format!("/api/v1/namespaces/{}/configmaps", self.namespace);
        let place = |name: BlobName| format!("{collection}/{}{name}", name_start(target));
        let fields = Query::new()
            .with("timeout", &self.timeout())
            .with("fieldManager", MANAGER);
        match request {
            ShardRequest::Create { name, text } => {
                let call = write(
                    Method::POST,
                    fields.after(collection),
                    &self.config_map(target, name, text, None),
                );
                if !self.looked_for_namespace.swap(true, Ordering::Relaxed) && self.lacks_namespace().await {
                    self.create_namespace().await?;
                }
                match self.exchange(name, &call).await {
                    Err(fault) if fault.code == Some(404) => {
                        self.create_namespace().await?;
                        self.exchange(name, &call).await
                    }
                    answer => answer,
                }
            }
            ShardRequest::Replace { name, text, version } => {
                let body = self.config_map(target, name, text, Some(version));
                self.exchange(name, &write(Method::PUT, fields.after(place(name)), &body))
                    .await
                    .map_err(gone_is_conflict)
            }
            ShardRequest::Delete { name, version } => {
                let preconditions = json!({ "resourceVersion": version });
                let body =
                    json!({ "apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions });
                let query = Query::new().with("timeout", &self.timeout());
                let call = write(Method::DELETE, query.after(place(name)), &body);
                self.exchange(name, &call).await.map_err(gone_is_conflict)
            }
        }
    }

    async fn exchange(&self, name: BlobName, call: &Call) -> Result<BlobVersion, Fault> {
        let reply = match self.connection.call(call).await {
            Ok(reply) => reply,
            Err(Broken::NotSent(fault)) => return Err(about(name, fault)),
            Err(Broken::Lost(fault)) => return Err(perhaps(name, fault)),
        };
        if !reply.is_success() {
            let refusal = Refusal::of(&reply);
            let fault = refusal.fault();
            return Err(if refusal.leaves_outcome_open() {
                perhaps(name, fault)
            } else if reply.status == 409 {
                another_writer(fault)
            } else {
                about(name, fault)
            });
        }
        if call.method == Method::DELETE {
            return Ok(BlobVersion::new(""));
        }
        match serde_json::from_slice::<ConfigMap>(&reply.body) {
            Ok(map) if !map.metadata.resource_version.is_empty() => {
                Ok(map.metadata.resource_version.as_str().into())
            }
            _ => Err(perhaps(
                name,
                Fault::new(Remedy::Unreachable, "the answer cannot be read").code(reply.status),
            )),
        }
    }

    /// Whether it is certain that the namespace is not there. A server holds a create in a missing namespace for 50 ms
    /// before it refuses it.
    async fn lacks_namespace(&self) -> bool {
        let call = Call::get(Verb::Get, format!("/api/v1/namespaces/{}", self.namespace));
        let reply = self.connection.call(&call).await;
        reply.is_ok_and(|reply| reply.status == 404)
    }

    /// Creates the namespace; that somebody else was faster is fine.
    async fn create_namespace(&self) -> Result<(), Fault> {
        let body = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": self.namespace } });
        let query = Query::new()
            .with("timeout", &self.timeout())
            .with("fieldManager", MANAGER);
        let call = write(Method::POST, query.after("/api/v1/namespaces".to_owned()), &body);
        let reply = self.connection.call(&call).await.map_err(Broken::fault)?;
        if reply.is_success() || reply.status == 409 {
            return Ok(());
        }
        let mut fault = Refusal::of(&reply).fault();
        fault.message = format!(
            "namespace {} of the ledger is not there and cannot be created: {}",
            self.namespace, fault.message
        )
        .into();
        Err(fault)
    }

    fn config_map(
        &self,
        target: &Target,
        name: BlobName,
        text: &str,
        version: Option<&BlobVersion>,
    ) -> Value {
        let (label, inventory) = self.label(target);
        let mut metadata = json!({
            "name": format!("{}{name}", name_start(target)),
            "namespace": self.namespace,
            "labels": { label: inventory },
        });
        if let Some(version) = version {
            metadata["resourceVersion"] = version.as_str().into();
        }
        json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": { DATA_KEY: text } })
    }

    fn label(&self, target: &Target) -> (String, String) {
        (format!("{}/ledger", self.domain), target.inventory.to_string())
    }

    /// The server gives up when nobody waits any more.
    fn timeout(&self) -> String {
        format!("{}s", self.connection.options().head_timeout.as_secs().max(1))
    }
}

/// What the names of a target's config maps begin with. What follows has no `-`, so no two inventories share a name.
fn name_start(target: &Target) -> String {
    format!("fleet-ledger-{}-", target.inventory)
}

fn write(method: Method, target: String, body: &Value) -> Call {
    Call {
        verb: Verb::Other,
        method,
        target,
        accept: ACCEPT_META,
        content_type: Some(JSON),
        body: Bytes::from(body.to_string()),
        write: true,
    }
}

/// A config map that was there and is not any more.
fn gone_is_conflict(fault: Fault) -> Fault {
    if fault.code == Some(404) {
        another_writer(fault)
    } else {
        fault
    }
}

fn another_writer(fault: Fault) -> Fault {
    reworded(Remedy::Conflict, "another writer changed the ledger", fault)
}

fn perhaps(name: BlobName, fault: Fault) -> Fault {
    reworded(
        fault.remedy,
        &format!("`{name}` of the ledger may or may not have been written"),
        fault,
    )
}

fn about(name: BlobName, fault: Fault) -> Fault {
    reworded(
        fault.remedy,
        &format!("`{name}` of the ledger was not written"),
        fault,
    )
}

fn reworded(remedy: Remedy, what: &str, mut fault: Fault) -> Fault {
    fault.message = format!("{what}: {}", fault.message).into();
    fault.remedy = remedy;
    fault
}
