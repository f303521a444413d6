mod groups;
mod karmada;
mod kubeadmiral;
mod kubefed;
mod ocm;
mod ocm_planner;

use std::collections::BTreeMap;

use fleet_core::{Capacity, Cluster, Resources, Tick};
use fleet_diff::{ReadLimits, read_values};
use fleet_scheduler::*;

/// Reads what a document shows in YAML.
fn yaml<T: serde::de::DeserializeOwned>(text: &str) -> T {
    try_yaml(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn try_yaml<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    let documents = read_values(text, &ReadLimits::default()).map_err(|error| error.to_string())?;
    let value = documents
        .into_iter()
        .next()
        .map(|document| document.value)
        .unwrap_or_default();
    serde_json::from_value(value).map_err(|error| error.to_string())
}

fn resources(list: &[(&str, &str)]) -> Resources {
    list.iter().fold(Resources::new(), |all, (name, amount)| {
        all.with(name, amount).unwrap()
    })
}

/// A cluster with labels, such as `region=eu tier=prod`.
fn cluster(name: &str, labels: &str) -> ClusterInfo {
    let labels = labels
        .split_whitespace()
        .filter_map(|label| label.split_once('='));
    ClusterInfo::new(labels.fold(Cluster::new(name), |cluster, (key, value)| {
        cluster.label(key, value)
    }))
}

/// The same with so many cores, all of them free.
fn with_cores(cluster: ClusterInfo, cores: u64) -> ClusterInfo {
    let offered = resources(&[("cpu", &cores.to_string())]);
    cluster.capacity(Capacity::new(offered, Resources::new(), Tick(1)))
}

fn placed(planner: &Planner, workload: &str) -> BTreeMap<String, u64> {
    let placement = planner.table().placement(&workload.into());
    counts(placement.active())
}

fn counts<'a>(pairs: impl IntoIterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    pairs
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}
