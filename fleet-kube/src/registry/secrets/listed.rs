//! Reading the list of Secrets, and making clusters of it.

use std::{
    collections::{BTreeMap, btree_map},
    sync::Arc,
};

use fleet_core::{Cluster, Digest, DigestBuilder, Fault, Gvk, LifeCycle, Remedy};
use serde::Deserialize;

use super::{
    describe::{Name, describe, name},
    forms::{Access, access, argo_name},
};
use crate::connection::{ACCEPT_OBJECTS, Connection, Selection};

/// Most Secrets that are read as clusters.
pub const SECRETS_MAX: usize = 10_000;
/// All values, labels and annotations of those Secrets together, in bytes as they are stored.
pub const SECRETS_BYTES_MAX: usize = 128 << 20;

/// Of Cluster API: <https://cluster-api.sigs.k8s.io/developer/providers/contracts/control-plane>.
const CLUSTER_API_TYPE: &str = "cluster.x-k8s.io/secret";
const CLUSTER_API_NAME: &str = "cluster.x-k8s.io/cluster-name";
const CLUSTER_API_SUFFIX: &str = "-kubeconfig";

/// A Secret, as far as it matters here.
#[derive(Deserialize)]
pub(super) struct Secret {
    pub(super) metadata: Meta,
    #[serde(default, rename = "type")]
    pub(super) kind: Option<String>,
    /// In base64.
    #[serde(default)]
    pub(super) data: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
pub(super) struct Meta {
    pub(super) name: String,
    #[serde(default)]
    uid: String,
    #[serde(default)]
    pub(super) labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) annotations: Option<BTreeMap<String, String>>,
}

/// A cluster, and how to connect to it.
pub(super) struct Entry {
    pub(super) cluster: Cluster,
    /// Names of the Secrets that claim to be it.
    secrets: Vec<String>,
    /// Why there is no way, without anything that stands in the Secret's data.
    pub(super) access: Result<Arc<Access>, String>,
}

impl Entry {
    /// For people: which Secret.
    pub(super) fn place(&self, place: &str) -> String {
        format!("{place}: {}", self.secrets.join(", "))
    }
}

/// What is remembered of Secrets, by name and UID.
#[derive(Default)]
pub(super) struct Memory(BTreeMap<(String, String), Remembered>);

#[derive(Clone)]
struct Remembered {
    /// The cluster it was.
    cluster: Option<String>,
    data: Digest,
    access: Result<Arc<Access>, String>,
}

/// All Secrets that are found, or why not.
pub(super) async fn secrets(
    hub: &Connection,
    namespace: &str,
    selector: Option<&str>,
) -> Result<Vec<Secret>, Fault> {
    let selection = Selection {
        namespace: Some(namespace.to_owned()),
        selector: selector.map(str::to_owned),
        ..Selection::all(
            Gvk::from_api_version("v1", "Secret").unwrap_or_else(|| unreachable!("a valid version")),
        )
    };
    let wrong = |max: usize, unit: &str| {
        let message = format!("there are more than {max} {unit}Secrets: choose fewer by a selector");
        Fault::new(Remedy::Invalid, message)
    };
    let take = |before: &[(usize, Secret)], secret: Secret| {
        let meta = &secret.metadata;
        let texts = [&secret.data, &meta.labels, &meta.annotations];
        let texts = texts.into_iter().flatten().flatten();
        let length: usize = texts.map(|(key, value)| key.len() + value.len()).sum();
        let length = before.last().map_or(0, |(length, _)| *length) + length;
        if before.len() >= SECRETS_MAX {
            return Err(wrong(SECRETS_MAX, ""));
        }
        if length > SECRETS_BYTES_MAX {
            return Err(wrong(SECRETS_BYTES_MAX, "bytes in "));
        }
        Ok((length, secret))
    };
    let found = hub.list(&selection, ACCEPT_OBJECTS, take).await?;
    Ok(found.into_iter().map(|(_, secret)| secret).collect())
}

/// The clusters that these Secrets are, by name. What is in the memory is not parsed again, and a Secret that does not
/// say its cluster's name any more goes on to be that cluster.
pub(super) fn entries(secrets: Vec<Secret>, keys: &[String], memory: &mut Memory) -> BTreeMap<String, Entry> {
    if secrets.is_empty() {
        // Which may be a mistake: nothing is forgotten for it.
        return BTreeMap::new();
    }
    let mut before = std::mem::take(&mut memory.0);
    let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
    let mut nameless = Vec::new();
    for secret in secrets
        .into_iter()
        .filter(|secret| !is_other_of_cluster_api(secret))
    {
        let place = (secret.metadata.name.clone(), secret.metadata.uid.clone());
        let last = before.remove(&place);
        let data = digest(&secret);
        let (known, access) = match last {
            Some(last) if last.data == data => (last.cluster, last.access),
            last => (
                last.and_then(|last| last.cluster),
                access(&secret, keys).map(Arc::new),
            ),
        };
        let described = describe(&secret.metadata);
        let (name, wrong) = match called(&secret, keys, described.name, access.is_ok()) {
            Called::Surely(name) => (Ok(name), None),
            Called::Perhaps(name) => (known.ok_or(name), None),
            Called::Unknown(why) => (known.ok_or_else(|| secret.metadata.name.clone()), Some(why)),
        };
        let remembered = Remembered {
            cluster: name.clone().ok(),
            data,
            access: access.clone(),
        };
        memory.0.insert(place, remembered);

        let mut cluster = Cluster::new(name.as_ref().unwrap_or_else(|guess| guess));
        let described = described.entry.describe(&mut cluster).err().or(described.wrong);
        let entry = Entry {
            cluster,
            secrets: vec![secret.metadata.name],
            access: wrong.or(described).map_or(access, Err),
        };
        match name {
            Ok(_) => add(&mut entries, entry),
            Err(_) => nameless.push(entry),
        }
    }
    // What has a name only for want of another takes it away from nobody.
    for entry in nameless {
        match entries.entry(entry.cluster.name.clone()) {
            btree_map::Entry::Vacant(free) => drop(free.insert(entry)),
            btree_map::Entry::Occupied(_) => {
                let why = entry.access.err().unwrap_or_default();
                tracing::warn!("Secret {} is no cluster: {why}", entry.secrets.join(", "));
            }
        }
    }
    entries
}

fn add(entries: &mut BTreeMap<String, Entry>, entry: Entry) {
    match entries.entry(entry.cluster.name.clone()) {
        btree_map::Entry::Vacant(free) => drop(free.insert(entry)),
        btree_map::Entry::Occupied(mut taken) => {
            let first = taken.get_mut();
            let mut cluster = Cluster::new(&first.cluster.name);
            // None of them counts, but for what keeps from writing.
            cluster.paused = first.cluster.paused.take().or(entry.cluster.paused);
            let stages = [first.cluster.life_cycle, entry.cluster.life_cycle];
            let strict = [LifeCycle::Joining, LifeCycle::Cordoned];
            cluster.life_cycle = strict
                .into_iter()
                .find(|stage| stages.contains(stage))
                .unwrap_or_default();
            cluster.taints = std::mem::take(&mut first.cluster.taints);
            cluster.taints.extend(entry.cluster.taints);
            first.cluster = cluster;
            first.secrets.extend(entry.secrets);
            first.access = Err(format!(
                "they all claim to be cluster `{}`, so none of them is used",
                first.cluster.name
            ));
        }
    }
}

/// How sure a Secret's name for its cluster is.
enum Called {
    Surely(String),
    /// Something is wrong with the Secret, so that it may have had another one.
    Perhaps(String),
    /// It cannot be one, and why.
    Unknown(String),
}

fn called(secret: &Secret, keys: &[String], annotation: Option<Name>, is_usable: bool) -> Called {
    let label = secret.metadata.labels.as_ref();
    let label = label.and_then(|labels| labels.get(CLUSTER_API_NAME));
    let label = label.map(|text| name(text).map_err(|why| format!("its label `{CLUSTER_API_NAME}` {why}")));
    let annotation = annotation
        .map(|name| name.map_err(|why| format!("its annotation `cluster.fleet.internal/name` {why}")));
    if let Some(name) = annotation.or(label) {
        return name.map_or_else(Called::Unknown, Called::Surely);
    }
    match argo_name(secret, keys) {
        Some(Err(why)) => Called::Unknown(format!("its `name` {why}")),
        Some(Ok(name)) if is_usable => Called::Surely(name),
        Some(Ok(name)) => Called::Perhaps(name),
        None if is_usable => Called::Surely(secret.metadata.name.clone()),
        None => Called::Perhaps(secret.metadata.name.clone()),
    }
}

fn digest(secret: &Secret) -> Digest {
    let values = secret.data.iter().flatten();
    let digest = values.fold(DigestBuilder::new(), |all, (key, value)| {
        all.text(key).text(value)
    });
    digest.finish()
}

/// A certificate or a key, not a kubeconfig.
fn is_other_of_cluster_api(secret: &Secret) -> bool {
    secret.kind.as_deref() == Some(CLUSTER_API_TYPE) && !secret.metadata.name.ends_with(CLUSTER_API_SUFFIX)
}
