//! Somebody else's hand in a namespace of a cluster: single requests, each answered before the next.

use fleet_harness::{Cluster, Said, User};
use serde_json::Value;

/// Somebody who is not the reconciler.
#[derive(Clone)]
pub struct Hand {
    cluster: Cluster,
    namespace: String,
}

impl Hand {
    /// In this namespace; for what is in none, the empty one.
    pub fn new(cluster: &Cluster, namespace: impl Into<String>) -> Self {
        Self {
            cluster: cluster.clone(),
            namespace: namespace.into(),
        }
    }

    fn ask(&self, method: &str, path: &str, content_type: &str, body: &Value) -> Result<Value, String> {
        let said = self.cluster.ask(User::Someone, method, path, content_type, body);
        said.map_err(|error| error.to_string()).and_then(Said::ok)
    }

    /// The path of a collection in the namespace, such as `configmaps` or `apps/v1/deployments`.
    fn path(&self, collection: &str) -> String {
        match collection.rsplit_once('/') {
            None if self.namespace.is_empty() => format!("/api/v1/{collection}"),
            None => format!("/api/v1/namespaces/{}/{collection}", self.namespace),
            Some((version, plural)) => {
                format!("/apis/{version}/namespaces/{}/{plural}", self.namespace)
            }
        }
    }

    /// An object of a collection.
    ///
    /// # Errors
    /// When it is refused: code and message; all of these methods.
    pub fn get(&self, collection: &str, name: &str) -> Result<Value, String> {
        let path = format!("{}/{name}", self.path(collection));
        self.ask("GET", &path, "application/json", &Value::Null)
    }

    /// The objects of a collection, which may have a query.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn list(&self, collection: &str) -> Result<Value, String> {
        self.ask("GET", &self.path(collection), "application/json", &Value::Null)
    }

    /// Makes an object.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn create(&self, collection: &str, object: &Value) -> Result<Value, String> {
        self.ask("POST", &self.path(collection), "application/json", object)
    }

    /// What would be made.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn create_dry(&self, collection: &str, object: &Value) -> Result<Value, String> {
        let path = format!("{}?dryRun=All", self.path(collection));
        self.ask("POST", &path, "application/json", object)
    }

    /// Changes an object by a merge patch.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn patch(&self, collection: &str, name: &str, patch: &Value) -> Result<Value, String> {
        let path = format!("{}/{name}", self.path(collection));
        self.ask("PATCH", &path, "application/merge-patch+json", patch)
    }

    /// Deletes an object.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn delete(&self, collection: &str, name: &str) -> Result<Value, String> {
        let path = format!("{}/{name}", self.path(collection));
        self.ask("DELETE", &path, "application/json", &Value::Null)
    }

    /// Applies what is in no namespace, at this path without the name.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn apply_cluster_wide(&self, path: &str, object: &Value) -> Result<Value, String> {
        let name = object["metadata"]["name"].as_str().unwrap_or("");
        let path = format!("{path}/{name}?fieldManager=someone&force=true");
        self.ask("PATCH", &path, "application/apply-patch+yaml", object)
    }
}
