//! What an API server serves.

use std::fmt::Write as _;

use serde_json::Value;

/// Where discovery is asked for.
pub(crate) const ROOTS: [&str; 2] = ["/api", "/apis"];
/// How it is asked for.
pub(crate) const DISCOVERY: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A kind at one version.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    /// Empty for the oldest kinds.
    pub(crate) group: String,
    pub(crate) api_version: String,
    pub(crate) kind: String,
    plural: String,
    pub(crate) namespaced: bool,
    verbs: Vec<String>,
    subresources: Vec<String>,
}

impl Served {
    pub(crate) fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|has| has == verb)
    }

    pub(crate) fn has_subresource(&self, name: &str) -> bool {
        self.subresources.iter().any(|has| has == name)
    }

    /// The same kind at another version.
    pub(crate) fn at(&self, api_version: String) -> Self {
        Self {
            api_version,
            ..self.clone()
        }
    }

    /// Where its objects are, or one of them.
    pub(crate) fn path(&self, namespace: Option<&str>, name: Option<&str>) -> String {
        let root = if self.group.is_empty() { "api" } else { "apis" };
        let mut path = format!("/{root}/{}", self.api_version);
        if let Some(namespace) = namespace.filter(|_| self.namespaced) {
            let _ = write!(path, "/namespaces/{namespace}");
        }
        let _ = write!(path, "/{}", self.plural);
        if let Some(name) = name {
            let _ = write!(path, "/{}", name.replace(':', "%3A"));
        }
        path
    }
}

/// Reads an answer of discovery: of a kind, the version comes first that the server prefers.
pub(crate) fn served(discovery: &Value) -> Vec<Served> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for of_group in list(&discovery["items"]) {
        let group = word(&of_group["metadata"]["name"]);
        for of_version in list(&of_group["versions"]) {
            let version = word(&of_version["version"]);
            let api_version = if group.is_empty() {
                version
            } else {
                format!("{group}/{version}")
            };
            found.extend(list(&of_version["resources"]).iter().map(|resource| {
                Served {
                    group: group.clone(),
                    api_version: api_version.clone(),
                    kind: word(&resource["responseKind"]["kind"]),
                    plural: word(&resource["resource"]),
                    namespaced: resource["scope"] == "Namespaced",
                    verbs: list(&resource["verbs"]).iter().map(word).collect(),
                    subresources: list(&resource["subresources"])
                        .iter()
                        .map(|subresource| word(&subresource["subresource"]))
                        .collect(),
                }
            }));
        }
    }
    found
}
