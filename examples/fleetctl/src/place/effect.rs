//! What is said and has no effect, or not the one that is probably meant.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::Tick;
use fleet_scheduler::{
    ClusterFile, ClusterInfo, DivideBy, FleetView, LostPolicy, Scheduler, Survives, Take, Target, Workload,
    WorkloadId,
};

use super::hints::Note;
use crate::render::precisely;

/// How many clusters are named of which the same is to be said.
const NAMED: usize = 3;

/// What of a workload has no effect, each in words. `rings` are those [of all](rings).
pub(super) fn of_workload(
    workload: &Workload,
    rings: &BTreeMap<&WorkloadId, Vec<&WorkloadId>>,
) -> Vec<String> {
    let mut found = Vec::new();
    let policy = match &workload.lost {
        LostPolicy::Respin { .. } => "respin",
        LostPolicy::Follow(_) => "follow",
        LostPolicy::Hold => "hold",
        LostPolicy::Shrink => "shrink",
        _ => "",
    };
    if workload.nature.is_fenced() && matches!(policy, "respin" | "follow") {
        found.push(format!(
            "lost: {policy} starts nothing elsewhere by itself, for there must never be two of it: the old copy must be \
             known to be stopped, or a person approves"
        ));
    }
    if let Some(ring) = rings.get(&workload.name) {
        let others: Vec<&str> = ring.iter().map(|id| id.as_str()).collect();
        let by_way = match others.as_slice() {
            [] => String::new(),
            others => format!(", by way of {}", others.join(", ")),
        };
        found.push(format!(
            "lost: it follows itself{by_way}, so nothing says where it goes: a person must approve"
        ));
    }
    match policy {
        _ if workload.survives == Survives::Nothing => {}
        "hold" => found.push(
            "survives: room is kept, and with `lost: hold` nothing uses it before a person approves"
                .to_owned(),
        ),
        "shrink" => found.push(
            "survives: room is kept for nothing, for with `lost: shrink` nothing is started elsewhere"
                .to_owned(),
        ),
        _ => {}
    }
    found
}

/// Why it has no effect that a workload would rather be where some data is, in words.
pub(super) fn of_data(name: &str, fleet: &FleetView, now: Tick) -> Option<String> {
    let is_anywhere = |now: Tick| {
        let mut clusters = fleet.clusters().map(ClusterInfo::name);
        clusters.any(|cluster| fleet.data_on(name, cluster, now).flatten().is_some())
    };
    if is_anywhere(now) {
        return None;
    }
    Some(match is_anywhere(Tick(0)) {
        true => format!("data: where {name} is was sure until a time that is over"),
        false => format!("data: no cluster has the data {name}"),
    })
}

/// What of a target has no effect, in words.
pub(super) fn of_target(target: &Target) -> Option<String> {
    let Take::Divided { by, bounds, .. } = &target.take else {
        return None;
    };
    let by = match by {
        DivideBy::Fewest => "fewest",
        DivideBy::Capacity => "capacity",
        DivideBy::Cost => "cost",
        _ => return None,
    };
    let is_weighted = bounds.iter().any(|bound| bound.weight != 1);
    is_weighted.then(|| {
        format!("bounds: a weight has no effect with `divideBy: {by}`: it counts with `divideBy: weight`")
    })
}

/// Workloads that follow themselves, each with those it does so by way of.
pub(super) fn rings(workloads: &BTreeMap<WorkloadId, Workload>) -> BTreeMap<&WorkloadId, Vec<&WorkloadId>> {
    let followed = |id: &WorkloadId| match &workloads.get(id)?.lost {
        LostPolicy::Follow(other) => Some(other),
        _ => None,
    };
    let mut rings = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for first in workloads.keys() {
        let mut way = Vec::new();
        let mut next = Some(first);
        while let Some(id) = next.filter(|id| seen.insert(*id)) {
            way.push(id);
            next = followed(id);
        }
        // Where it ends on this very way, it goes round from there.
        let Some(start) = way.iter().position(|id| Some(*id) == next) else {
            continue;
        };
        let ring = &way[start..];
        for (at, id) in ring.iter().enumerate() {
            let others = ring[at + 1..].iter().chain(&ring[..at]).copied();
            rings.insert(*id, others.collect());
        }
    }
    rings
}

/// Scores from outside that are called as those are that are built in.
pub(super) fn of_scores(file: &ClusterFile) -> Vec<Note> {
    let builtin = Scheduler::default();
    let scores = file
        .scores
        .iter()
        .filter(|scores| builtin.scorers().any(|name| name == scores.name));
    let note = |name: &str| {
        Note::new(format!(
            "scores {name}: a scorer that is built in has this name, and both count"
        ))
    };
    scores.map(|scores| note(&scores.name)).collect()
}

/// Clusters that were observed later than it is.
pub(super) fn of_observations(fleet: &FleetView, now: Tick) -> Option<Note> {
    let is_late = |cluster: &&ClusterInfo| {
        let capacity = cluster.capacity.as_ref();
        capacity.is_some_and(|capacity| capacity.observed_at > now)
    };
    let late: Vec<&str> = fleet.clusters().filter(is_late).map(ClusterInfo::name).collect();
    let named = match late.as_slice() {
        [] => return None,
        names if names.len() <= NAMED => names.join(", "),
        names => format!("{} and {} more", names[..NAMED].join(", "), names.len() - NAMED),
    };
    Some(Note::new(format!(
        "observedAt of {named} is later than {}, for which is decided: what is decided until then counts as requested \
         there already",
        precisely(now)
    )))
}

/// What was before is later than it is.
pub(super) fn of_time(now: Tick, before: Option<Tick>) -> Option<Note> {
    let before = before.filter(|before| *before > now)?;
    Some(Note::new(format!(
        "--now is {}, and --previous was decided for {}, which is later",
        precisely(now),
        precisely(before)
    )))
}
