//! Keeps where everything runs, and decides again what a change touches.

mod carry;
mod check;
mod facts;
mod history;
mod job;
mod leave;
mod order;
mod preempt;
mod rebalance;
mod replace;
mod resize;
mod seats;
mod settle;
mod survive;
mod together;
mod touch;
mod unmet;

pub use facts::Facts;
pub use history::Happened;
pub use replace::{Replacement, ReplacementState};

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_core::{Millis, Reason, Tick};
pub(crate) use job::Job;

use crate::{
    decision::{Decision, InvalidWorkload, Outcome},
    model::{
        Assignment, ClusterInfo, FleetView, InvalidFleet, Placement, Placements, Slot, Survives, Workload,
        WorkloadId,
    },
    moves::{Budgets, Calm, Consent, Move, MoveLog, Step, Storm, StormBreaker},
    room::Room,
    schedule::{Answers, Scheduler, View},
    switches::Switches,
    table::PlacementTable,
};

/// Limits of what may move, and how much is remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PlannerOptions {
    /// How many replicas may move in a time.
    pub budgets: Budgets,
    /// When too much looks lost at once.
    pub storm: StormBreaker,
    /// When something better is worth a move.
    pub calm: Calm,
    /// How many changes of each workload are remembered. Default: 16.
    pub history: usize,
}

impl Default for PlannerOptions {
    fn default() -> Self {
        Self {
            budgets: Budgets::default(),
            storm: StormBreaker::default(),
            calm: Calm::default(),
            history: 16,
        }
    }
}

impl PlannerOptions {
    /// With these budgets.
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// With this breaker.
    #[must_use]
    pub fn storm(mut self, storm: StormBreaker) -> Self {
        self.storm = storm;
        self
    }

    /// As calm as this.
    #[must_use]
    pub fn calm(mut self, calm: Calm) -> Self {
        self.calm = calm;
        self
    }
}

/// Keeps where everything runs, and decides again what a change touches. Pure: time and observations are passed in, and the
/// same history gives the same decisions.
///
/// ```
/// use fleet_core::{Cluster, Resources, Capacity, Tick};
/// use fleet_scheduler::{ClusterInfo, Facts, FleetView, Planner, Scheduler, Target, Workload};
///
/// let room = |cpu: &str| Ok::<_, fleet_core::InvalidAmount>(Capacity::new(Resources::new().with("cpu", cpu)?, Resources::new(), Tick(1)));
/// let fleet = FleetView::new([
///     ClusterInfo::new(Cluster::new("eu-1").cost("cpu", 30)).capacity(room("4")?),
///     ClusterInfo::new(Cluster::new("us-1").cost("cpu", 20)).capacity(room("4")?),
/// ])?;
/// let mut planner = Planner::new(Scheduler::default(), fleet, Default::default());
/// planner.set(Workload::new("shop/web", [Target::replicas(3)]).needs(Resources::new().with("cpu", "1")?));
/// let round = planner.decide(&Facts::none(), Tick(2));
///
/// assert_eq!(round["shop/web"].placement.active(), [("us-1", 3)].into());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Planner {
    scheduler: Scheduler,
    options: PlannerOptions,
    fleet: FleetView,
    jobs: BTreeMap<WorkloadId, Arc<Job>>,
    table: PlacementTable,
    room: Room,
    moves: MoveLog,
    history: history::History,
    answers: Answers,
    /// What must be decided again.
    dirty: BTreeSet<WorkloadId>,
    /// What waits: whatever gets better may help it.
    pending: BTreeSet<WorkloadId>,
    /// What has no place: a cluster that it can be on, and that has room, may help it.
    short: BTreeSet<WorkloadId>,
    /// What is to be on every cluster it means.
    everywhere: BTreeSet<WorkloadId>,
    /// Clusters with more room than before, because something has gone.
    freed: BTreeSet<Slot>,
    /// What moves, or waits for a person: facts may help it.
    open: BTreeSet<WorkloadId>,
    /// When something must be decided again by itself.
    wakes: BTreeSet<(Tick, WorkloadId)>,
    /// By workload: what runs beside it, keeps away from it, or follows it.
    related: BTreeMap<WorkloadId, BTreeSet<WorkloadId>>,
    storm: Storm,
    /// By the cluster that is replaced.
    replacements: BTreeMap<String, Replacement>,
    /// As far back as any budget, or the rest between moves, looks.
    longest: Millis,
    /// When was decided last.
    now: Tick,
    switches: Switches,
}

/// How often a workload is decided in one round at most, because others have touched it. What is left then, because some
/// chase each other for ever, waits for the next round.
const PASSES: usize = 16;

/// What those wait for who are looked at again when it is over: time, or something about clusters or others.
const WOKEN: [&str; 5] = ["budget", "storm", "tolerated", "follow", "shrink"];

/// What was decided in one go, by workload. Workloads that nothing touched are not in it.
pub type Round = BTreeMap<String, Decision>;

impl Planner {
    /// With nothing placed yet.
    pub fn new(scheduler: Scheduler, fleet: FleetView, options: PlannerOptions) -> Self {
        Self {
            table: PlacementTable::empty(&fleet),
            room: Room::of(&fleet),
            storm: options.storm.look(&fleet),
            longest: options
                .budgets
                .fleet
                .per
                .max(options.budgets.cluster.per)
                .max(options.calm.rest),
            scheduler,
            options,
            fleet,
            jobs: BTreeMap::new(),
            moves: MoveLog::default(),
            history: history::History::default(),
            answers: Answers::default(),
            dirty: BTreeSet::new(),
            pending: BTreeSet::new(),
            short: BTreeSet::new(),
            everywhere: BTreeSet::new(),
            freed: BTreeSet::new(),
            open: BTreeSet::new(),
            wakes: BTreeSet::new(),
            related: BTreeMap::new(),
            replacements: BTreeMap::new(),
            now: Tick(0),
            switches: Switches::default(),
        }
    }

    /// With what was decided before, and the moves that still count. Before the first decision.
    ///
    /// Placements of workloads that are not [set](Self::set) take their room and stay; [`remove`](Self::remove) ends them.
    #[must_use]
    pub fn with_previous(mut self, placements: &Placements, moves: MoveLog) -> Self {
        self.moves = moves;
        self.table = PlacementTable::of(&self.fleet, placements);
        self.reset_room();
        self
    }

    /// A workload is there, or is another than before.
    pub fn set(&mut self, workload: Workload) {
        let id = workload.name.clone();
        if self.jobs.get(&id).is_some_and(|job| *job.workload == workload) {
            return;
        }
        self.longest = self.longest.max(workload.moves.per);
        self.unrelate(&id);
        for other in workload.related() {
            self.related.entry(other.clone()).or_default().insert(id.clone());
        }
        match workload.targets.iter().any(takes_every) {
            true => self.everywhere.insert(id.clone()),
            false => self.everywhere.remove(&id),
        };
        // What is placed was counted by the old needs, which may have been more.
        if self.jobs.contains_key(&id) {
            self.free_all(&id);
        }
        self.count_seats(&id, Room::give);
        let mut job = Job::new(Arc::new(workload), &self.room);
        if let Some(old) = self.jobs.get(&id) {
            job.is_unseen = old.is_unseen || old.workload.needs != job.workload.needs;
            // Targets that are not there any more need no room after a failure.
            for target in job.names.len()..old.names.len() {
                self.room.book(&id, target, Vec::new());
            }
        }
        self.jobs.insert(id.clone(), Arc::new(job));
        self.count_seats(&id, Room::take);
        self.dirty.insert(id);
    }

    /// A workload is not wanted any more: it frees its place.
    pub fn remove(&mut self, id: &WorkloadId) {
        self.count_seats(id, Room::give);
        self.unrelate(id);
        self.free_all(id);
        self.unbook(id);
        self.table.remove(id);
        self.forget_history(id);
        self.jobs.remove(id);
        for set in [
            &mut self.dirty,
            &mut self.pending,
            &mut self.short,
            &mut self.everywhere,
            &mut self.open,
        ] {
            set.remove(id);
        }
        self.touch_related(id);
    }

    /// A cluster is in another state than before.
    ///
    /// # Errors
    /// When it is not in the fleet: see [`set_fleet`](Self::set_fleet).
    pub fn set_cluster(&mut self, cluster: ClusterInfo) -> Result<(), InvalidFleet> {
        let old = self.fleet.get(cluster.name()).cloned();
        let slot = self.fleet.replace(cluster)?;
        let new = self.fleet.at(slot);
        let Some(old) = old.filter(|old| old != new) else {
            return Ok(());
        };
        let is_meant_otherwise =
            old.cluster.labels != new.cluster.labels || old.cluster.properties != new.cluster.properties;
        let is_observed_otherwise = old.capacity != new.capacity;
        let may_help = new.is_in_contact()
            && (is_meant_otherwise
                || is_observed_otherwise
                || old.cluster != new.cluster
                || !old.is_in_contact());
        if is_meant_otherwise {
            self.answers.refresh_meant(slot, new);
        }
        if is_observed_otherwise {
            self.observe(slot);
        }
        self.refresh(slot);
        let new = self.fleet.at(slot);
        if is_meant_otherwise || old.lost_since().is_some() != new.lost_since().is_some() {
            let storm = self.options.storm.look(&self.fleet);
            // Who waited for the end of a storm waits no more.
            if storm != self.storm {
                self.freed.insert(slot);
            }
            self.storm = storm;
        }
        let is_only_observed = old.cluster == new.cluster && old.contact == new.contact;
        self.touch_there(slot, is_only_observed);
        if is_meant_otherwise {
            // Which clusters are meant, and how domains are filled, may be otherwise everywhere.
            self.wake();
        } else if may_help {
            self.touch_everywhere(slot);
        }
        if may_help || !is_only_observed {
            // Who waits for something of a cluster that is worse now may do without.
            self.freed.insert(slot);
        }
        Ok(())
    }

    /// A cluster may take more than before: whoever has no place, or waits, is looked at again, and whoever is to be on
    /// every cluster.
    fn wake(&mut self) {
        self.freed.extend(0..self.fleet.len());
        self.dirty.extend(self.everywhere.iter().cloned());
    }

    /// Other clusters are in the fleet than before, or other data and scores: everything is looked at again.
    pub fn set_fleet(&mut self, fleet: FleetView) {
        let placements = self.table.placements();
        self.fleet = fleet;
        self.answers.clear();
        self.table = PlacementTable::of(&self.fleet, &placements);
        self.reset_room();
        self.storm = self.options.storm.look(&self.fleet);
        self.dirty = self.jobs.keys().cloned().collect();
        self.freed.clear();
    }

    /// Estimators may say otherwise than before: what has no place is looked at again.
    pub fn ask_estimators(&mut self) {
        let waiting = self.pending.iter().chain(&self.short).cloned();
        self.dirty.extend(waiting);
    }

    /// Decides everything that a change has touched, in the order of priorities, what others depend on first, then by
    /// name.
    pub fn decide(&mut self, facts: &Facts, now: Tick) -> Round {
        self.now = now;
        self.moves.forget(now, self.longest);
        while let Some((at, id)) = self.wakes.first().filter(|(at, _)| *at <= now).cloned() {
            self.wakes.remove(&(at, id.clone()));
            self.dirty.insert(id);
        }
        self.dirty.extend(self.open.iter().cloned());
        self.dirty.extend(
            facts
                .finished
                .iter()
                .filter(|id| self.jobs.contains_key(*id))
                .cloned(),
        );
        self.watch_replacements(facts, now);
        let mut round = Round::new();
        // What a decision touches is decided in the same round.
        for _ in 0..PASSES {
            // Whoever has no place, or waits, may get what has become free.
            self.touch_freed();
            let dirty = std::mem::take(&mut self.dirty);
            if dirty.is_empty() {
                break;
            }
            for (id, cycle) in order::order(&self.jobs, &dirty, self.switches().ordered) {
                let before = self.table.version(&id);
                let was = self.table.placement(&id);
                self.renew(&id, now);
                let mut decision = match (cycle, self.jobs.get(&id).and_then(|job| job.invalid.clone())) {
                    (Some(workloads), _) => self.refuse(&id, InvalidWorkload::Cycle { workloads }),
                    (None, Some(invalid)) => self.refuse(&id, invalid),
                    (None, None) => self.settle(&id, facts, now),
                };
                if before != self.table.version(&id) {
                    self.remember(&id, &was, &decision.moves, now);
                    self.touch_related(&id);
                }
                // What others of it waited for may have ended.
                if decision.placement.is_moving() && decision.placement.has_left(&was) {
                    self.dirty.insert(id.clone());
                }
                self.keep(&id, &decision);
                if let Some(earlier) = round.remove(id.as_str()) {
                    decision.moves.splice(0..0, earlier.moves);
                }
                round.insert(id.to_string(), decision);
            }
        }
        round
    }

    /// Where everything runs.
    pub fn table(&self) -> &PlacementTable {
        &self.table
    }

    /// What is free, with everything decided taken off.
    pub fn room(&self) -> &Room {
        &self.room
    }

    /// The clusters.
    pub fn fleet(&self) -> &FleetView {
        &self.fleet
    }

    /// The moves that still count for budgets: to be kept beside the placements.
    pub fn moves(&self) -> &MoveLog {
        &self.moves
    }

    /// Where everything runs, to be kept.
    pub fn placements(&self) -> Placements {
        self.table.placements()
    }

    /// When to decide again even if nothing changes.
    pub fn again_at(&self) -> Option<Tick> {
        self.wakes.first().map(|(at, _)| *at)
    }

    /// Switches guards off, for tests.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_switches(mut self, switches: Switches) -> Self {
        self.switches = switches;
        self
    }

    pub(crate) fn job(&self, id: &WorkloadId) -> Option<&Job> {
        self.jobs.get(id).map(|job| &**job)
    }

    /// What would be decided for a workload now, without deciding it.
    pub(crate) fn decide_again(&self, id: &WorkloadId, facts: &Facts, now: Tick) -> Option<Decision> {
        let mut other = self.clone();
        other.dirty = BTreeSet::from([id.clone()]);
        other.decide(facts, now).remove(id.as_str())
    }

    fn switches(&self) -> Switches {
        self.switches
    }

    pub(crate) fn view(&self, now: Tick) -> View<'_> {
        View {
            scheduler: &self.scheduler,
            fleet: &self.fleet,
            room: &self.room,
            table: &self.table,
            now,
        }
    }

    /// Why somebody who has a say does not let a move take this step; none: everyone does.
    fn objection(&self, step: Step, one: &Move) -> Option<Reason> {
        if !self.switches().gates {
            return None;
        }
        let gates = self.scheduler.parts().gates.iter();
        let mut answers = gates.map(|gate| gate.ask(step, one));
        answers.find_map(|consent| match consent {
            Consent::Go => None,
            Consent::Wait(reason) | Consent::Refuse(reason) => Some(reason),
        })
    }

    fn refuse(&mut self, id: &WorkloadId, invalid: InvalidWorkload) -> Decision {
        if !self.switches().never_clear {
            self.clear(id);
        }
        Decision::new(id, Outcome::Invalid(invalid), self.table.placement(id))
    }

    /// Remembers who must be looked at again, and when.
    fn keep(&mut self, id: &WorkloadId, decision: &Decision) {
        let is_pending = !decision.waits.is_empty();
        let is_moving = decision.placement.is_moving();
        // Health, and those who have a say in moves, are asked each time.
        let asks = decision
            .waits
            .iter()
            .any(|wait| !WOKEN.contains(&wait.reason.code));
        for (set, is_in) in [
            (&mut self.pending, is_pending),
            (&mut self.short, decision.short() > 0 && !is_pending),
            (
                &mut self.open,
                is_moving || !decision.proposals.is_empty() || asks,
            ),
        ] {
            if is_in {
                set.insert(id.clone());
            } else {
                set.remove(id);
            }
        }
        if let Some(at) = decision.again_at {
            self.wakes.insert((at, id.clone()));
        }
    }

    fn touch_related(&mut self, id: &WorkloadId) {
        if let Some(related) = self.related.get(id) {
            let there = related.iter().filter(|id| self.jobs.contains_key(*id));
            self.dirty.extend(there.cloned());
        }
    }

    fn unrelate(&mut self, id: &WorkloadId) {
        let Some(job) = self.jobs.get(id) else { return };
        for other in job.workload.related() {
            if let Some(related) = self.related.get_mut(other) {
                related.remove(id);
            }
        }
    }

    /// Asks again what is said of a cluster.
    fn refresh(&mut self, slot: Slot) {
        let mut answers = std::mem::take(&mut self.answers);
        answers.refresh(slot, self.view(Tick(0)));
        self.answers = answers;
    }

    /// Reads anew what a cluster can carry, and takes off what was decided since.
    fn observe(&mut self, slot: Slot) {
        if !self.room.read(&self.fleet, slot) {
            self.reset_room();
            return;
        }
        let on: Vec<WorkloadId> = self
            .table
            .workloads_on(self.fleet.at(slot).name())
            .map(|(id, _)| id.clone())
            .collect();
        for id in on {
            self.count(&id, Some(slot), Room::take);
        }
    }

    fn reset_room(&mut self) {
        self.room = Room::of(&self.fleet);
        for job in self.jobs.values_mut() {
            Arc::make_mut(job).measure(&self.room);
        }
        for id in self.jobs.keys().cloned().collect::<Vec<_>>() {
            self.count(&id, None, Room::take);
        }
        // What was kept for failures must be booked anew.
        let survivors = self
            .jobs
            .iter()
            .filter(|(_, job)| job.workload.survives != Survives::Nothing);
        self.dirty.extend(survivors.map(|(id, _)| id.clone()));
    }

    fn count_seats(&mut self, id: &WorkloadId, count: fn(&mut Room, Slot, &crate::room::Needs, u64)) {
        self.count(id, None, count);
    }

    /// Takes room for what is placed and not observed yet, or gives it back.
    fn count(
        &mut self,
        id: &WorkloadId,
        only: Option<Slot>,
        count: fn(&mut Room, Slot, &crate::room::Needs, u64),
    ) {
        let Some(job) = self.jobs.get(id).filter(|_| self.switches().assumptions) else {
            return;
        };
        for seat in self.table.seats(id) {
            if only.is_some_and(|slot| slot != seat.slot) {
                continue;
            }
            // What is not started shows in no observation.
            let is_seen = !job.is_unseen && self.room.counts(seat.slot, seat.assignment.since);
            let unseen = match is_seen {
                true => seat.assignment.held,
                false => seat.assignment.replicas,
            };
            count(&mut self.room, seat.slot, &job.replica, unseen);
        }
    }

    /// A workload runs nowhere from now on.
    fn clear(&mut self, id: &WorkloadId) {
        self.count(id, None, Room::give);
        self.free_all(id);
        self.unbook(id);
        self.table.remove(id);
    }

    /// Everything of a workload may leave room.
    fn free_all(&mut self, id: &WorkloadId) {
        self.freed
            .extend(self.table.seats(id).iter().map(|seat| seat.slot));
    }

    /// No room is kept for a workload any more.
    fn unbook(&mut self, id: &WorkloadId) {
        let targets = self.jobs.get(id).map_or(0, |job| job.names.len());
        for target in 0..targets {
            let booked = self.room.bookings(id, target);
            self.freed.extend(booked.iter().map(|booking| booking.slot));
            self.room.book(id, target, Vec::new());
        }
    }

    /// Where a workload runs from now on.
    fn place_all(&mut self, id: &WorkloadId, placement: &Placement) {
        for target in self.table.targets(id) {
            if !placement.targets.contains_key(&*target) {
                self.place(id, &target, &BTreeMap::new());
            }
        }
        for (target, clusters) in &placement.targets {
            self.place(id, &target.as_str().into(), clusters);
        }
    }

    /// Where a target of a workload runs from now on.
    fn place(&mut self, id: &WorkloadId, target: &Arc<str>, clusters: &BTreeMap<String, Assignment>) {
        if self.table.is_at(id, target, clusters) {
            return;
        }
        let before = self.table.seats(id).iter();
        let before: Vec<(Slot, u64, u64)> = before
            .map(|seat| {
                let (all, active) = self.on(id, seat.slot);
                (seat.slot, all, active)
            })
            .collect();
        self.count(id, None, Room::give);
        self.table.set_target(id, target, clusters);
        self.count(id, None, Room::take);
        let left = before.iter().filter(|(slot, all, active)| {
            let there = self.on(id, *slot);
            there.0 < *all || there.1 < *active
        });
        let left: Vec<Slot> = left.map(|(slot, ..)| *slot).collect();
        self.freed.extend(left);
    }

    /// How many replicas of a workload are on a cluster, and how many of them count.
    fn on(&self, id: &WorkloadId, slot: Slot) -> (u64, u64) {
        let there = self.table.seats(id).iter().filter(|seat| seat.slot == slot);
        there.fold((0_u64, 0_u64), |(all, active), seat| {
            (
                all.saturating_add(seat.assignment.replicas),
                active.saturating_add(seat.assignment.active()),
            )
        })
    }
}

/// Whether a target is to be on every cluster it means.
fn takes_every(target: &crate::model::Target) -> bool {
    matches!(target.take, crate::model::Take::Each { clusters: None, .. })
}
