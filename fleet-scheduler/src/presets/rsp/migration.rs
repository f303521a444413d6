//! What a cluster turns out to hold.

/// How many replicas a cluster is estimated to hold, by the pods that are there and those of them that cannot be
/// scheduled: `KubeAdmiral`'s automatic migration. While pods are missing, those that are to come are taken to run.
/// None: it holds what is wished for, and no limit is known.
pub fn estimate_capacity(desired: u64, pods: u64, unschedulable: u64) -> Option<u64> {
    let holds = pods.max(desired).saturating_sub(unschedulable);
    (holds < desired).then_some(holds)
}
