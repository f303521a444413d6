//! The laws of decisions on one fleet.

use std::{collections::BTreeMap, sync::Arc};

use fleet_core::{LifeCycle, Millis, Resources, Tick};

use crate::{
    conformance::{
        Findings,
        sketch::{Sketch, World, target_name, unit},
    },
    decision::{Decision, Outcome},
    filter::targeted,
    model::{ClusterInfo, FleetView, Slot, Target, Workload},
    moves::Move,
    pipeline::{Basis, Candidate},
    planner::{Facts, Planner, PlannerOptions, Round},
    schedule::Scheduler,
};

/// How many rounds of rebalancing it may take until nothing moves any more.
const ROUNDS: u64 = 60;

/// Violations of one fleet.
#[derive(Default)]
pub(super) struct Laws(Vec<(&'static str, String)>);

impl Laws {
    fn check(&mut self, kept: bool, promise: &'static str, seen: impl FnOnce() -> String) {
        if !kept {
            self.0.push((promise, seen()));
        }
    }

    pub(super) fn tell(self, found: &mut Findings) {
        for (promise, seen) in self.0 {
            found.check(false, promise, || seen);
        }
    }

    pub(super) fn run(&mut self, scheduler: &Scheduler, sketch: &Sketch) {
        let world = sketch.world(false);
        let (planner, round) = decided(scheduler, &world, &world.workloads, &[]);
        let (_, again) = decided(scheduler, &world, &world.workloads, &[]);
        self.same(&round, &again, "deterministic", "in a fresh planner");
        if !self.0.is_empty() {
            return;
        }
        let reversed: Vec<Workload> = world.workloads.iter().rev().cloned().collect();
        let (_, other) = decided(scheduler, &sketch.world(true), &reversed, &[]);
        self.same(&round, &other, "order", "told the other way round");
        self.capacity(&planner, &world);
        for workload in &world.workloads {
            if let Some(decision) = round.get(workload.name.as_str()) {
                self.shortfall(workload, decision);
                self.target(scheduler, &planner, workload, decision, world.now);
            }
        }
        self.unusable(scheduler, &world);
        self.settles(planner.clone(), &world);
        self.settled(scheduler, planner, &world);
    }

    /// Two rounds must have placed everything the same.
    fn same(&mut self, one: &Round, other: &Round, promise: &'static str, how: &str) {
        for (id, decision) in one {
            let again = other.get(id);
            self.check(again == Some(decision), promise, || {
                format!("{}, {how} {}", said(Some(decision)), said(again))
            });
        }
    }

    fn capacity(&mut self, planner: &Planner, world: &World) {
        for (slot, cluster) in planner.fleet().clusters().enumerate() {
            let mut asked: BTreeMap<Arc<str>, i128> = BTreeMap::new();
            for workload in &world.workloads {
                let replicas = i128::from(planner.table().replicas_at(&workload.name, slot));
                let needs = planner.room().needs_on(slot, &workload.needs);
                for (resource, need) in needs.iter().filter(|(_, need)| *need > 0) {
                    *asked.entry(Arc::clone(resource)).or_default() += i128::from(need) * replicas;
                }
            }
            for (resource, asked) in asked.into_iter().filter(|(_, asked)| *asked > 0) {
                let free = free(cluster, &resource);
                self.check(asked <= i128::from(free), "capacity", || {
                    format!(
                        "{}: {asked} of {resource} are given, {free} are free",
                        cluster.name()
                    )
                });
            }
        }
    }

    fn shortfall(&mut self, workload: &Workload, decision: &Decision) {
        for (at, told) in decision.targets.iter().enumerate() {
            let name = target_name(&workload.targets[at], at);
            let clusters = decision.placement.targets.get(&name);
            let placed = clusters.into_iter().flat_map(BTreeMap::values);
            let placed = placed.fold(0_u64, |sum, one| sum.saturating_add(one.active()));
            // What cannot stay where it is, and has nowhere to go yet, is there and has no place.
            let is_all_told = match told.refused.is_empty() {
                true => placed.saturating_add(told.short) == told.wanted,
                false => placed.saturating_add(told.short) >= told.wanted && told.short <= told.wanted,
            };
            let is_said = is_all_told && (told.short > 0) == told.limit.is_some();
            self.check(is_said, "shortfall", || {
                format!("{}: {placed} have a place, and {told:?}", workload.name)
            });
        }
        let is_placed = decision.outcome != Outcome::Unschedulable;
        self.check(is_placed == (decision.short() == 0), "shortfall", || {
            format!(
                "{}: {:?} with {} short",
                workload.name,
                decision.outcome,
                decision.short()
            )
        });
    }

    fn target(
        &mut self,
        scheduler: &Scheduler,
        planner: &Planner,
        workload: &Workload,
        decision: &Decision,
        now: Tick,
    ) {
        for (at, target) in workload.targets.iter().enumerate() {
            let clusters = decision.placement.targets.get(&target_name(target, at));
            for (name, assignment) in clusters.into_iter().flatten() {
                let Some(slot) = planner.fleet().slot(name).filter(|_| assignment.active() > 0) else {
                    continue;
                };
                let is_meant = is_meant(target, planner.fleet().at(slot));
                self.check(is_meant, "target", || {
                    format!("{} is on {name}, which its target does not mean", workload.name)
                });
                let units = assignment.active() / unit(target);
                for filter in refusing(scheduler, planner, workload, target, slot, units, now) {
                    self.check(false, "target", || {
                        format!("{} is on {name}, which {filter} refuses", workload.name)
                    });
                }
            }
        }
    }

    fn settled(&mut self, scheduler: &Scheduler, mut planner: Planner, world: &World) {
        // What a decision touches may be left for the next.
        for _ in 0..20 {
            if planner.decide(&Facts::none(), world.now).is_empty() {
                break;
            }
        }
        let mut other = Planner::new(scheduler.clone(), world.fleet.clone(), PlannerOptions::default())
            .with_previous(&planner.placements(), planner.moves().clone());
        let workloads = world.workloads.iter().cloned();
        workloads.for_each(|workload| other.set(workload));
        let round = other.decide(&Facts::none(), world.now);
        for workload in &world.workloads {
            let before = planner.table().placement(&workload.name);
            let after = other.table().placement(&workload.name);
            self.check(before == after, "settled", || {
                let again = round.get(workload.name.as_str());
                format!(
                    "{} was on {:?}, and decided again: {}",
                    workload.name,
                    before.active(),
                    said(again)
                )
            });
        }
    }

    fn unusable(&mut self, scheduler: &Scheduler, world: &World) {
        // What is to be on every cluster is wanted on this one, too; what needs nothing fits everywhere.
        let is_meant = |workload: &Workload| {
            let is_counted = |target: &Target| {
                !matches!(target.take, crate::Take::Each { clusters: None, .. })
                    && !target.spread.iter().any(|spread| spread.skew.is_some())
            };
            workload.needs.iter().any(|(_, need)| need > 0) && workload.targets.iter().all(is_counted)
        };
        let workloads: Vec<Workload> = world
            .workloads
            .iter()
            .filter(|one| is_meant(one))
            .cloned()
            .collect();
        let mut dead = ClusterInfo::new(fleet_core::Cluster::new("b-unusable"));
        dead.cluster.life_cycle = LifeCycle::Cordoned;
        let (_, one) = decided(scheduler, world, &workloads, &[]);
        let (_, other) = decided(scheduler, world, &workloads, &[dead]);
        self.same(
            &one,
            &other,
            "unusable-cluster",
            "with one more cluster that can take nothing",
        );
    }

    fn settles(&mut self, mut planner: Planner, world: &World) {
        let (mut quiet, mut last) = (0, Vec::new());
        for hour in 1..=ROUNDS {
            let mut facts = Facts::none();
            for workload in &world.workloads {
                for cluster in planner.table().clusters_of(&workload.name).into_keys() {
                    facts = facts.healthy(workload.name.clone(), cluster);
                }
            }
            let round = planner.rebalance(&facts, world.now + Millis::from_mins(60 * hour));
            let moves: Vec<_> = round.values().flat_map(|decision| &decision.moves).collect();
            quiet = if moves.is_empty() { quiet + 1 } else { 0 };
            if quiet == 3 {
                return;
            }
            if hour + 3 > ROUNDS {
                last.extend(moves.into_iter().map(|one| {
                    let Move {
                        workload,
                        from,
                        to,
                        cause,
                        ..
                    } = one;
                    format!("{workload} from {from} to {to} ({cause})")
                }));
            }
        }
        self.check(false, "settles", || {
            format!(
                "after {ROUNDS} rounds of rebalancing things move still: {}",
                last.join(", ")
            )
        });
    }
}

/// These workloads decided on the fleet of a world, with these clusters too.
fn decided(
    scheduler: &Scheduler,
    world: &World,
    workloads: &[Workload],
    more: &[ClusterInfo],
) -> (Planner, Round) {
    let with = |fleet: FleetView, cluster: &ClusterInfo| fleet.with(cluster.clone()).unwrap_or(fleet);
    let fleet = more.iter().fold(world.fleet.clone(), with);
    let mut planner = Planner::new(scheduler.clone(), fleet, PlannerOptions::default());
    let workloads = workloads.iter().cloned();
    workloads.for_each(|workload| planner.set(workload));
    let round = planner.decide(&Facts::none(), world.now);
    (planner, round)
}

/// How much of a resource is free on a cluster where nothing was decided.
fn free(cluster: &ClusterInfo, resource: &str) -> i64 {
    let nothing = Resources::new();
    let capacity = cluster.capacity.as_ref();
    let offered = capacity.map_or(&nothing, |capacity| &capacity.allocatable);
    let requested = capacity.map_or(&nothing, |capacity| &capacity.requested);
    offered
        .get(resource)
        .saturating_sub(requested.get(resource))
        .max(0)
}

/// Whether a target means a cluster, in any of its groups.
fn is_meant(target: &Target, cluster: &ClusterInfo) -> bool {
    match target.groups.as_slice() {
        [] => targeted(target, None, cluster).is_ok(),
        groups => groups
            .iter()
            .any(|group| targeted(target, Some(group), cluster).is_ok()),
    }
}

/// The filters that look at clusters alone, and refuse this one.
fn refusing(
    scheduler: &Scheduler,
    planner: &Planner,
    workload: &Workload,
    target: &Target,
    slot: Slot,
    current: u64,
    now: Tick,
) -> Vec<String> {
    let candidate = Candidate {
        workload,
        target,
        cluster: planner.fleet().at(slot),
        slot,
        current,
        fleet: planner.fleet(),
        room: planner.room(),
        table: planner.table(),
        now,
    };
    let filters = scheduler.parts().filters.iter();
    filters
        .filter(|filter| matches!(filter.basis(workload, target), Basis::Cluster(_)))
        .filter(|filter| filter.passes(&candidate).is_none())
        .map(|filter| filter.name().to_owned())
        .collect()
}

fn said(decision: Option<&Decision>) -> String {
    let Some(decision) = decision else {
        return "not decided".to_owned();
    };
    format!(
        "{} is {:?} on {:?}, {} short",
        decision.workload,
        decision.outcome,
        decision.placement.active(),
        decision.short()
    )
}
