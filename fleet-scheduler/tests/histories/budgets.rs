//! All moves ever made, and whether they were too many in some span of time.

use std::collections::BTreeMap;

use fleet_core::Tick;
use fleet_scheduler::*;

/// Checks that no span that ends with the last moves holds more than may move in it. Spans that end earlier were checked
/// when they ended.
pub(super) fn check(moves: &[Move], budgets: Budgets, workloads: &BTreeMap<WorkloadId, Workload>, now: Tick) {
    let within = |one: &&Move, per: fleet_core::Millis| one.at.0 + per.0 > now.0;
    let fleet: u64 = moves
        .iter()
        .filter(|one| within(one, budgets.fleet.per))
        .map(|one| one.replicas)
        .sum();
    assert!(fleet <= budgets.fleet.limit, "{fleet} moves in the fleet");
    let mut clusters: BTreeMap<&str, u64> = BTreeMap::new();
    for one in moves.iter().filter(|one| within(one, budgets.cluster.per)) {
        *clusters.entry(&one.from).or_default() += one.replicas;
        *clusters.entry(&one.to).or_default() += one.replicas;
    }
    for (cluster, count) in clusters.iter().filter(|(cluster, _)| !cluster.is_empty()) {
        assert!(*count <= budgets.cluster.limit, "{count} moves at {cluster}");
    }
    for (id, workload) in workloads {
        let Some(limit) = workload.moves.limit else {
            continue;
        };
        let count: u64 = moves
            .iter()
            .filter(|one| one.workload == *id && within(one, workload.moves.per))
            .map(|one| one.replicas)
            .sum();
        assert!(count <= limit, "{count} moves of {id}");
    }
}
