//! What a registry file says.

use std::collections::BTreeMap;

use fleet_core::{Cluster, ClusterId, LifeCycle, Maintenance, Taint};
use serde::Deserialize;

use super::taints;
use crate::{files::Settings, windows};

/// A file with what a kubeconfig cannot say about its contexts. Unknown fields are refused, and so are contexts that
/// the kubeconfig does not have.
///
/// ```yaml
/// clusters:
///   eu-1:                # the context's name
///     uid: 8e1f1f0c-5a3b-4c39-9f0e-6a2f3b1c9d77
///     labels: {region: eu, tier: production}
///     properties: {provider: example}
///     cost: {cpu-hour: 31}
///     taints:
///     - {key: hardware, value: old, effect: PreferNoSchedule}
///     - {key: upgrade, effect: NoExecute, since: 2026-11-27T19:04:00Z}
///     lifeCycle: ready   # joining, ready, cordoned, draining or leaving
///     paused: upgrade of its nodes until Monday
///     maintenance:
///       windows:
///       - {days: [sat, sun], from: "08:00", until: "18:00", timeZone: Europe/Berlin}
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[non_exhaustive]
pub struct RegistryFile {
    /// By the context's name.
    pub clusters: BTreeMap<String, ClusterEntry>,
}

impl Settings for RegistryFile {}

/// One cluster in a [`RegistryFile`]; all fields may be left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClusterEntry {
    /// The UID of the cluster's `kube-system` namespace: with another one, it is not this cluster.
    pub uid: Option<String>,
    /// Labels for selecting and grouping.
    pub labels: BTreeMap<String, String>,
    /// Facts for policies.
    pub properties: BTreeMap<String, String>,
    /// Cost, in whole units the fleet has agreed on, by what it buys.
    pub cost: BTreeMap<String, i64>,
    /// What keeps workloads away that do not tolerate it: `key`, `value`, `effect` and, as a time with its zone, `since`.
    #[serde(deserialize_with = "taints::of_file")]
    pub taints: Vec<Taint>,
    /// Where in its life the cluster is. Default: ready.
    pub life_cycle: LifeCycle,
    /// Why nothing is written to it for now. Default: it is not paused.
    pub paused: Option<String>,
    /// When it may be written to: see [`Maintenance`]. Default: at any time.
    #[serde(deserialize_with = "windows::maintenance")]
    pub maintenance: Maintenance,
}

impl ClusterEntry {
    /// Adds to the cluster what is said here. Where something is wrong, the rest is added all the same.
    pub(super) fn describe(self, cluster: &mut Cluster) -> Result<(), String> {
        let uid = self.uid.as_deref().map(str::trim);
        cluster.expected_id = uid.filter(|uid| !uid.is_empty()).map(ClusterId::from);
        cluster.labels = self.labels;
        cluster.properties = self.properties;
        cluster.cost = self.cost;
        cluster.taints = self.taints;
        cluster.life_cycle = self.life_cycle;
        cluster.paused = self.paused;
        cluster.maintenance = self.maintenance;
        match uid {
            Some("") => Err("`uid` is empty".to_owned()),
            _ => Ok(()),
        }
    }
}
