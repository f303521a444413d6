//! What nobody answers for: objects that no controller and no inventory owns. Old experiments, things made by hand, what a
//! tool left behind.

use std::collections::BTreeMap;

use fleet_core::{Cluster, Fault, Gvk, KindMap, Marks, ObjectKey, Predecessor, Reason, Target};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{CLUSTERS_AT_ONCE, Fleet, Inner};
use crate::{
    connection::{ACCEPT_META, Connection, Selection},
    ledger::LEDGER_NAMESPACE,
};

/// Kinds listed at once in a cluster.
const LISTS_AT_ONCE: usize = 8;

/// An object that nobody answers for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Unmanaged {
    /// Which.
    pub key: ObjectKey,
    /// Who wrote to it, by the names of field managers, in order.
    pub managers: Vec<String>,
    /// Since when it is there, as the server wrote it.
    pub created: Option<String>,
}

/// What nobody answers for in one cluster.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Leftovers {
    /// The cluster's name.
    pub cluster: String,
    /// In the order of keys.
    pub objects: Vec<Unmanaged>,
    /// Why they could not be found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Reason>,
}

impl Fleet {
    /// What nobody answers for, in each cluster: everything that can be listed but what has owner references, bears the
    /// mark of an inventory or of a tool that manages objects (Helm, Argo CD, Flux), or is made by the cluster itself. Of
    /// namespaces `kube-*` and of the fleet's own nothing is told.
    ///
    /// Metadata of every object of a cluster is read once; nothing is written.
    ///
    /// # Errors
    /// When the registry does not know which clusters there are.
    pub async fn unmanaged(&self) -> Result<Vec<Leftovers>, fleet_core::Unknown> {
        let clusters = self.clusters().await?;
        let looks: Vec<_> = clusters
            .iter()
            .map(|cluster| self.inner.leftovers(cluster))
            .collect();
        let mut found: Vec<Leftovers> = stream::iter(looks)
            .buffer_unordered(CLUSTERS_AT_ONCE)
            .collect()
            .await;
        found.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        Ok(found)
    }
}

impl Inner {
    async fn leftovers(&self, cluster: &Cluster) -> Leftovers {
        let mut found = Leftovers {
            cluster: cluster.name.clone(),
            objects: Vec::new(),
            failure: None,
        };
        match self.find_leftovers(cluster).await {
            Ok(objects) => found.objects = objects,
            Err(reason) => found.failure = Some(reason),
        }
        found
    }

    async fn find_leftovers(&self, cluster: &Cluster) -> Result<Vec<Unmanaged>, Reason> {
        let (connection, options) = self.reach(cluster).await?;
        let unread =
            |fault: Fault| Reason::new("not-listed", format!("not every kind can be listed: {fault}"));
        let kinds = connection.discover().await.map_err(unread)?;
        let target = Target::new(connection.cluster().clone(), self.inventory.clone());
        let marks = Marks::new(&options.domain, &target);
        let owners = Owners::new(&marks, &options.predecessors);
        let lists = listable(&kinds)
            .into_iter()
            .map(|gvk| list(&connection, gvk, &owners));
        let mut found: Vec<Unmanaged> = stream::iter(lists)
            .buffer_unordered(LISTS_AT_ONCE)
            .try_concat()
            .await
            .map_err(unread)?;
        found.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(found)
    }
}

/// One kind once, under the group that has it by its oldest name; without what the cluster makes and forgets by itself.
fn listable(kinds: &KindMap) -> Vec<Gvk> {
    let is_kept = |group: &str, kind: &str| {
        !matches!(
            (group, kind),
            ("", "Event" | "Node" | "ComponentStatus" | "Endpoints")
                | (
                    "events.k8s.io" | "metrics.k8s.io" | "internal.apiserver.k8s.io",
                    _
                )
                | ("discovery.k8s.io", "EndpointSlice")
                | ("coordination.k8s.io", "Lease")
                | ("certificates.k8s.io", "CertificateSigningRequest")
                | ("networking.k8s.io", "IPAddress" | "ServiceCIDR")
                | (
                    "storage.k8s.io",
                    "CSINode" | "CSIStorageCapacity" | "VolumeAttachment"
                )
        )
    };
    let wanted = kinds
        .kinds
        .iter()
        .filter(|(kind, info)| info.listable && is_kept(kind.group(), kind.kind()));
    wanted
        .filter_map(|(kind, _)| kinds.version_for(kind, None))
        .collect()
}

async fn list(connection: &Connection, gvk: Gvk, owners: &Owners<'_>) -> Result<Vec<Unmanaged>, Fault> {
    let selection = Selection::all(gvk.clone());
    let found = connection
        .list(&selection, ACCEPT_META, |_, item: Item| {
            let meta = item.metadata;
            let key = ObjectKey::of(gvk.group_kind().clone(), meta.namespace.as_deref(), &meta.name);
            Ok((!owners.answer_for(&key, &meta)).then(|| meta.into_unmanaged(key)))
        })
        .await?;
    Ok(found.into_iter().flatten().collect())
}

#[derive(Deserialize)]
struct Item {
    metadata: Meta,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Meta {
    name: String,
    namespace: Option<String>,
    creation_timestamp: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
    owner_references: Vec<serde::de::IgnoredAny>,
    managed_fields: Vec<Manager>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Manager {
    manager: String,
}

impl Meta {
    fn into_unmanaged(self, key: ObjectKey) -> Unmanaged {
        let mut managers: Vec<String> = self
            .managed_fields
            .into_iter()
            .map(|entry| entry.manager)
            .collect();
        managers.sort_unstable();
        managers.dedup();
        Unmanaged {
            key,
            managers,
            created: self.creation_timestamp,
        }
    }
}

/// Who may answer for an object.
struct Owners<'a> {
    marks: &'a Marks,
    tools: Vec<&'a Predecessor>,
}

impl<'a> Owners<'a> {
    /// What kubectl made, nobody answers for.
    fn new(marks: &'a Marks, tools: &'a [Predecessor]) -> Self {
        let tools = tools.iter().filter(|tool| tool.name != "kubectl").collect();
        Self { marks, tools }
    }

    fn answer_for(&self, key: &ObjectKey, meta: &Meta) -> bool {
        !meta.owner_references.is_empty()
            || meta.annotations.contains_key(self.marks.annotation_key())
            || meta.labels.contains_key(self.marks.copy_key())
            || meta.labels.contains_key(self.marks.veto_key())
            || self.tools.iter().any(|tool| has_marks(tool, meta))
            || is_made_by_the_cluster(key, meta)
    }
}

fn has_marks(tool: &Predecessor, meta: &Meta) -> bool {
    let labelled = tool.labels.iter().any(|(key, value)| {
        let label = meta.labels.get(key);
        label.is_some() && (value.is_none() || label == value.as_ref())
    });
    labelled
        || tool
            .annotations
            .iter()
            .any(|key| meta.annotations.contains_key(key))
}

/// What API servers, controllers and kubelets make without anybody asking.
fn is_made_by_the_cluster(key: &ObjectKey, meta: &Meta) -> bool {
    let is_system = |name: &str| name == LEDGER_NAMESPACE || name.starts_with("kube-");
    if key.namespace().is_some_and(is_system) {
        return true;
    }
    match (key.group(), key.kind()) {
        ("", "Namespace") => key.name() == "default" || is_system(key.name()),
        ("", "ServiceAccount") => key.name() == "default",
        ("", "ConfigMap") => key.name() == "kube-root-ca.crt",
        ("", "Service") => key.namespace() == Some("default") && key.name() == "kubernetes",
        ("", "PersistentVolume") => meta.annotations.contains_key("pv.kubernetes.io/provisioned-by"),
        ("scheduling.k8s.io", "PriorityClass") => key.name().starts_with("system-"),
        ("flowcontrol.apiserver.k8s.io", _) => {
            meta.annotations.contains_key("apf.kubernetes.io/autoupdate-spec")
        }
        ("apiregistration.k8s.io", "APIService") => meta
            .labels
            .contains_key("kube-aggregator.kubernetes.io/automanaged"),
        ("rbac.authorization.k8s.io", _) => {
            meta.labels.get("kubernetes.io/bootstrapping").map(String::as_str) == Some("rbac-defaults")
        }
        _ => false,
    }
}
