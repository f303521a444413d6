//! What was decided, as data: what `--output json` prints.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{ContactState, LifeCycle, Tick, amount};
use fleet_scheduler::{
    Cause, ClusterInfo, Decision, Explanation, Move, MoveLog, Outcome, Placement, Placements, Planner,
    Replacement, Round, Slot, TargetDecision, Wait, WorkloadId,
};
use serde::Serialize;

use super::{
    hints::Note,
    inputs::Problem,
    state::{Approved, VERSION},
};

/// What was decided. Its format is stable: fields may come, and none goes or changes within a version. Times are
/// milliseconds since 1970.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Answer {
    pub(crate) version: u32,
    /// For when it was decided.
    pub(crate) at: Tick,
    pub(crate) summary: Summary,
    /// By workload.
    pub(crate) decisions: Vec<Decision>,
    /// What is wrong with workloads, and where that is written: those that cannot be read, and those of `decisions` that
    /// cannot be understood. What runs of them stays.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) problems: Vec<Told>,
    /// What may not be meant, or has no effect.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<Note>,
    /// Workloads of `--previous` that are not wanted any more.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) removed: Vec<WorkloadId>,
    /// What is other than before.
    pub(crate) changes: Vec<Difference>,
    /// How many replicas that count each workload has on which clusters.
    pub(crate) by_workload: BTreeMap<WorkloadId, BTreeMap<String, u64>>,
    pub(crate) by_cluster: BTreeMap<String, OnCluster>,
    /// Where everything is, for `--previous`.
    pub(crate) placements: Placements,
    /// The moves that still count for budgets, for `--previous`.
    pub(crate) moves: MoveLog,
    /// The tokens of proposals that were carried out, for `--previous`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) approved: Approved,
    /// The clusters that others replace, for `--previous`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) replacements: Vec<Replacement>,
    /// When to decide again even if nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) again_at: Option<Tick>,
    /// Where `--explain` asks for them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explanations: Option<Vec<Explanation>>,
    /// What would be, where that is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) what_if: Option<WouldBe>,
}

/// How many of what.
#[derive(Serialize, Default, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    pub(crate) clusters: usize,
    pub(crate) workloads: usize,
    pub(crate) placed: usize,
    pub(crate) unschedulable: usize,
    /// What cannot be understood, and what cannot be read.
    pub(crate) invalid: usize,
    pub(crate) finished: usize,
    pub(crate) expired: usize,
    pub(crate) removed: usize,
    /// Workloads that are elsewhere, or in other numbers, than before.
    pub(crate) changed: usize,
    /// Replicas that count.
    pub(crate) replicas: u64,
    /// Those of them whose clusters do not answer, being lost or unreachable, or have left the fleet.
    pub(crate) lost: u64,
    /// Those of them that are done without until their clusters are back.
    pub(crate) fewer: u64,
    /// Replicas without a place: they run nowhere.
    pub(crate) short: u64,
    /// Replicas that are to leave where they are, and have no other place to go to.
    pub(crate) stuck: u64,
    /// Replicas that would have no place if the worst vanished that their workload is to survive.
    pub(crate) unprotected: u64,
    /// Replicas that begin to move.
    pub(crate) moving: u64,
    /// Replicas that are stopped to make room for what goes first.
    pub(crate) preempted: u64,
    /// Replicas that would move and wait.
    pub(crate) waiting: u64,
    /// Replicas that wait for a person.
    pub(crate) proposed: u64,
}

/// What is wrong with a workload.
#[derive(Serialize)]
pub(crate) struct Told {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workload: Option<WorkloadId>,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl From<Problem> for Told {
    fn from(problem: Problem) -> Self {
        Self {
            workload: problem.workload,
            message: problem.mistake.message(),
            file: problem.mistake.file,
            line: problem.mistake.line,
        }
    }
}

/// What is on a cluster, and how full that makes it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OnCluster {
    pub(crate) life_cycle: LifeCycle,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contact: Option<ContactState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) paused: Option<String>,
    /// Replicas, those that are going too.
    pub(crate) workloads: BTreeMap<WorkloadId, u64>,
    /// By resource; empty where it is not known what it can carry.
    pub(crate) resources: BTreeMap<String, Full>,
}

/// How much of a resource is taken: what was asked for there before, and what was decided.
#[derive(Serialize)]
pub(crate) struct Full {
    pub(crate) offered: String,
    pub(crate) used: String,
    /// Whole percent, rounded down.
    pub(crate) percent: i64,
}

/// A workload that is elsewhere, or in other numbers.
#[derive(Serialize)]
pub(crate) struct Difference {
    pub(crate) workload: WorkloadId,
    /// Replicas that count, by cluster.
    pub(crate) before: BTreeMap<String, u64>,
    pub(crate) after: BTreeMap<String, u64>,
}

/// What would be if something were otherwise.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WouldBe {
    /// What is otherwise, in words.
    #[serde(rename = "if")]
    pub(crate) changed: Vec<String>,
    /// Of workloads that it makes a difference to, be it that they have no place, or wait.
    pub(crate) decisions: Vec<Decision>,
    /// What would be elsewhere, or in other numbers.
    pub(crate) differences: Vec<Difference>,
    pub(crate) summary: Summary,
    pub(crate) by_cluster: BTreeMap<String, OnCluster>,
    pub(crate) placements: Placements,
}

impl Answer {
    /// What a round decided, compared with what was before it.
    pub(crate) fn of(planner: &Planner, round: Round, before: &Placements, at: Tick) -> Self {
        let decisions: Vec<Decision> = round.into_values().collect();
        let placements = planner.placements();
        let changes = differences(before, &placements);
        let mut summary = summary(planner, &placements, &decisions);
        summary.changed = changed(before, &placements);
        Self {
            version: VERSION,
            at,
            summary,
            decisions,
            problems: Vec::new(),
            notes: Vec::new(),
            removed: Vec::new(),
            changes,
            by_workload: placements
                .iter()
                .map(|(id, placement)| (id.clone(), active(placement)))
                .collect(),
            by_cluster: by_cluster(planner),
            placements,
            moves: planner.moves().clone(),
            approved: Approved::new(),
            replacements: Vec::new(),
            again_at: planner.again_at().filter(|again| *again > at),
            explanations: None,
            what_if: None,
        }
    }
}

impl Answer {
    /// What was decided last of each workload: what would be, where that is asked for and another.
    pub(crate) fn last_decisions(&self) -> impl Iterator<Item = &Decision> {
        let would_be = self.what_if.iter().flat_map(|would_be| &would_be.decisions);
        let would_be: BTreeMap<&WorkloadId, &Decision> = would_be.map(|one| (&one.workload, one)).collect();
        let decisions = self.decisions.iter();
        decisions.map(move |one| would_be.get(&one.workload).copied().unwrap_or(one))
    }
}

/// How many of what there is.
pub(crate) fn summary(planner: &Planner, placements: &Placements, decisions: &[Decision]) -> Summary {
    let mut summary = Summary {
        clusters: planner.fleet().len(),
        workloads: decisions.len(),
        ..Summary::default()
    };
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0_u64, u64::saturating_add);
    for decision in decisions {
        let count = match decision.outcome {
            Outcome::Placed => &mut summary.placed,
            Outcome::Unschedulable => &mut summary.unschedulable,
            Outcome::Finished => &mut summary.finished,
            Outcome::Expired => &mut summary.expired,
            _ => &mut summary.invalid,
        };
        *count += 1;
        let (stops, moves): (Vec<&Move>, Vec<&Move>) = decision.moves.iter().partition(|one| is_stop(one));
        let (accepted, waits): (Vec<&Wait>, Vec<&Wait>) =
            decision.waits.iter().partition(|one| is_accepted(one));
        let short: Vec<Short> = decision
            .targets
            .iter()
            .map(|target| short(decision, target))
            .collect();
        let all = [
            (
                &mut summary.short,
                sum(&mut short.iter().map(|short| short.nowhere)),
            ),
            (
                &mut summary.stuck,
                sum(&mut short.iter().map(|short| short.stuck)),
            ),
            (
                &mut summary.unprotected,
                sum(&mut decision.targets.iter().map(|target| target.unprotected)),
            ),
            (
                &mut summary.moving,
                sum(&mut moves.iter().map(|one| one.replicas)),
            ),
            (
                &mut summary.preempted,
                sum(&mut stops.iter().map(|one| one.replicas)),
            ),
            (
                &mut summary.waiting,
                sum(&mut waits.iter().map(|one| one.replicas)),
            ),
            (
                &mut summary.fewer,
                sum(&mut accepted.iter().map(|one| one.replicas)),
            ),
            (
                &mut summary.proposed,
                sum(&mut decision.proposals.iter().map(|one| one.replicas)),
            ),
        ];
        for (total, more) in all {
            *total = total.saturating_add(more);
        }
    }
    summary.replicas = sum(&mut placements
        .values()
        .flat_map(|placement| active(placement).into_values()));
    let answers = |cluster: &str| {
        planner
            .fleet()
            .get(cluster)
            .is_some_and(ClusterInfo::is_in_contact)
    };
    summary.lost = sum(&mut placements
        .values()
        .flat_map(active)
        .filter(|(cluster, _)| !answers(cluster))
        .map(|(_, count)| count));
    summary
}

/// Replicas of a target that are asked for and have no place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Short {
    /// They run nowhere.
    pub(crate) nowhere: u64,
    /// They are where they cannot stay: what has nowhere to go stays all the same.
    pub(crate) stuck: u64,
}

/// Which replicas of a target have no place.
pub(crate) fn short(decision: &Decision, target: &TargetDecision) -> Short {
    let placed = decision.placement.targets.get(&target.target);
    let placed = placed.into_iter().flat_map(BTreeMap::values);
    let there = placed.fold(0_u64, |sum, one| sum.saturating_add(one.active()));
    let nowhere = target.wanted.saturating_sub(there).min(target.short);
    Short {
        nowhere,
        stuck: target.short - nowhere,
    }
}

/// Whether replicas give way to what goes first, rather than going to a place of their own.
pub(crate) fn is_stop(one: &Move) -> bool {
    one.to.is_empty() && one.cause == Cause::Preempted
}

/// Whether this waits for nothing but that a cluster comes back: there are fewer until then, as was asked for.
pub(crate) fn is_accepted(wait: &Wait) -> bool {
    wait.on == fleet_scheduler::WaitOn::Return
}

/// Replicas that count, by cluster.
pub(crate) fn active(placement: &Placement) -> BTreeMap<String, u64> {
    let active = placement.active().into_iter();
    active
        .map(|(cluster, count)| (cluster.to_owned(), count))
        .collect()
}

/// What counts elsewhere, or in other numbers.
pub(crate) fn differences(before: &Placements, after: &Placements) -> Vec<Difference> {
    let ids: BTreeSet<&WorkloadId> = before.keys().chain(after.keys()).collect();
    let on = |all: &Placements, id: &WorkloadId| all.get(id).map(active).unwrap_or_default();
    ids.into_iter()
        .map(|id| Difference {
            workload: id.clone(),
            before: on(before, id),
            after: on(after, id),
        })
        .filter(|one| one.before != one.after)
        .collect()
}

/// How many workloads are not as they were; when that began plays no part.
fn changed(before: &Placements, after: &Placements) -> usize {
    let ids: BTreeSet<&WorkloadId> = before.keys().chain(after.keys()).collect();
    let seats = |all: &Placements, id: &WorkloadId| {
        let mut placement = all.get(id).cloned().unwrap_or_default();
        for assignment in placement.targets.values_mut().flat_map(BTreeMap::values_mut) {
            assignment.since = Tick(0);
        }
        placement
    };
    ids.into_iter()
        .filter(|id| seats(before, id) != seats(after, id))
        .count()
}

/// What is on each cluster.
pub(crate) fn by_cluster(planner: &Planner) -> BTreeMap<String, OnCluster> {
    let clusters = planner.fleet().clusters().enumerate();
    clusters
        .map(|(slot, cluster)| (cluster.name().to_owned(), on_cluster(planner, slot, cluster)))
        .collect()
}

fn on_cluster(planner: &Planner, slot: Slot, cluster: &ClusterInfo) -> OnCluster {
    let offered = cluster.capacity.as_ref().map(|capacity| &capacity.allocatable);
    let full = |resource: &str| {
        let offered = planner.room().offered(slot, resource);
        let used = offered.saturating_sub(planner.room().free(slot, resource));
        let percent = (i128::from(used) * 100)
            .checked_div(i128::from(offered))
            .unwrap_or(0);
        Full {
            offered: amount(resource, offered),
            used: amount(resource, used),
            percent: i64::try_from(percent).unwrap_or(i64::MAX),
        }
    };
    OnCluster {
        life_cycle: cluster.cluster.life_cycle,
        contact: cluster.contact.map(|contact| contact.state),
        paused: cluster.cluster.paused.clone(),
        workloads: planner
            .table()
            .workloads_on(cluster.name())
            .map(|(id, replicas)| (id.clone(), replicas))
            .collect(),
        resources: offered
            .into_iter()
            .flat_map(fleet_core::Resources::iter)
            .map(|(resource, _)| (resource.to_string(), full(resource)))
            .collect(),
    }
}
