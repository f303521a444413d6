//! Checks, outside of all measurements, that what was decided is right and not only quick.

use fleet_core::{Resources, TaintEffect};
use fleet_scheduler::{Outcome, Planner, Round, Target, Tolerated, Workload, tolerated};

use crate::{Failure, instance::NOW};

/// What is taken of all clusters together, in tenths of a percent, by resource.
pub(crate) struct Use {
    pub(crate) cpu: u64,
    pub(crate) memory: u64,
}

/// Checks a round in which everything was decided from nothing: every target has as many replicas as it wants, less those
/// that are said to be missing, each on a cluster that it may be on; and no cluster carries more than it offers.
pub(crate) fn verify(planner: &Planner, workloads: &[Workload], round: &Round) -> Result<Use, Failure> {
    if round.len() != workloads.len() {
        return Err(format!("{} of {} workloads were decided", round.len(), workloads.len()).into());
    }
    let fleet = planner.fleet();
    let capacity = || {
        fleet
            .clusters()
            .map(|info| info.capacity.clone().unwrap_or_default())
    };
    let mut taken: Vec<Resources> = capacity().map(|capacity| capacity.requested).collect();
    for workload in workloads {
        let decision = &round[workload.name.as_str()];
        let wrong = |what: String| Err(Failure::from(format!("{}: {what}", workload.name)));
        if let Outcome::Invalid(why) = &decision.outcome {
            return wrong(format!("invalid: {why}"));
        }
        for (target, decided) in workload.targets.iter().zip(&decision.targets) {
            let placed = decision.placement.targets.get(&decided.target);
            let mut sum = 0;
            for (cluster, assignment) in placed.into_iter().flatten() {
                let slot = fleet.slot(cluster).ok_or("a cluster that is not there")?;
                // What must leave a cluster, and cannot yet, is said to be refused there, and counts as missing.
                if !decided.refused.contains_key(cluster) {
                    sum += assignment.active();
                    if assignment.active() > 0 && !may_be_on(workload, target, fleet.at(slot)) {
                        return wrong(format!("it is on {cluster}, where it must not be"));
                    }
                }
                let more = workload.needs.times(assignment.replicas);
                taken[slot] = more
                    .and_then(|more| more.plus(&taken[slot]))
                    .ok_or("what is taken cannot be counted")?;
            }
            if sum + decided.short != decided.wanted {
                let (short, wanted) = (decided.short, decided.wanted);
                return wrong(format!("{sum} placed and {short} short are not {wanted}"));
            }
        }
    }
    let mut offered = Resources::new();
    let mut used = Resources::new();
    for ((info, capacity), taken) in fleet.clusters().zip(capacity()).zip(&taken) {
        for (name, amount) in taken.iter() {
            if amount > capacity.allocatable.get(name) {
                return Err(format!("{} carries more {name} than it offers", info.name()).into());
            }
        }
        offered = offered.plus(&capacity.allocatable).ok_or("too much")?;
        used = used.plus(taken).ok_or("too much")?;
    }
    let share = |resource: &str| {
        let share = i128::from(used.get(resource)) * 1000 / i128::from(offered.get(resource).max(1));
        u64::try_from(share).unwrap_or(0)
    };
    Ok(Use {
        cpu: share("cpu"),
        memory: share("memory"),
    })
}

/// Whether what a target and its workload say of a single cluster holds there.
fn may_be_on(workload: &Workload, target: &Target, info: &fleet_scheduler::ClusterInfo) -> bool {
    let is_named = target.clusters.is_empty() || target.clusters.iter().any(|name| name == info.name());
    let is_selected = target.groups.is_empty() || target.groups.iter().any(|group| group.matches(info));
    let has_domains = target
        .spread
        .iter()
        .all(|spread| info.cluster.labels.contains_key(&spread.over));
    let is_tolerated = info.cluster.taints.iter().all(|taint| {
        taint.effect == TaintEffect::PreferNoSchedule
            || tolerated(taint, &workload.tolerations, NOW) != Tolerated::No
    });
    let kinds = info
        .capacity
        .as_ref()
        .and_then(|capacity| capacity.kinds.as_ref());
    let serves = kinds.is_none_or(|kinds| workload.kinds.is_subset(kinds));
    is_named && is_selected && has_domains && is_tolerated && serves
}
