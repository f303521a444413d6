//! Karmada: what its documents say comes out, by the whole scheduler and in a planner.

mod documents;
mod laws;
mod planner;
mod refusals;
mod select;
mod vectors;

use fleet_scheduler::{
    presets::karmada::{self, Placement},
    *,
};

use super::{cluster, resources, with_cores};

/// Clusters by name, labels, and how many replicas fit; none: not known.
type Clusters<'a> = &'a [(&'a str, &'a str, Option<u64>)];

fn infos(clusters: Clusters<'_>) -> Vec<ClusterInfo> {
    let info = |(name, labels, fits): &(&str, &str, Option<u64>)| match fits {
        Some(fits) => with_cores(cluster(name, labels), *fits),
        None => cluster(name, labels),
    };
    clusters.iter().map(info).collect()
}

fn planner(clusters: &[ClusterInfo]) -> Planner {
    let fleet = FleetView::new(clusters.to_vec()).unwrap();
    Planner::new(karmada::scheduler(), fleet, PlannerOptions::default())
}

/// A workload of a policy, each of whose replicas needs a core where something is known of cores.
fn workload(placement: &Placement, replicas: u64, clusters: Clusters<'_>) -> Workload {
    let workload = placement.workload("default/nginx", replicas).unwrap();
    match clusters.iter().any(|(_, _, fits)| fits.is_some()) {
        true => workload.needs(resources(&[("cpu", "1")])),
        false => workload,
    }
}

fn member(name: &str) -> ClusterInfo {
    cluster(name, "")
}
