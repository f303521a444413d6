//! Keeps where everything runs, and decides again what a change touches.

mod better;
mod carry;
mod check;
mod each;
mod facts;
mod grants;
mod history;
mod inputs;
mod job;
mod leave;
mod ledger;
mod options;
mod order;
mod places;
mod preempt;
mod rebalance;
mod redo;
mod replace;
mod requirements;
mod resize;
mod seats;
mod settle;
mod stays;
mod survive;
mod together;
mod touch;
mod unmet;

pub use facts::Facts;
pub use history::Happened;
pub use options::PlannerOptions;
pub use replace::{InvalidReplacement, Replacement, ReplacementState};

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use fleet_core::{Millis, Reason, Tick};
pub(crate) use job::Job;

use crate::{
    decision::{Decision, InvalidWorkload, Outcome},
    model::{FleetView, Placement, Placements, Slot, Workload, WorkloadId},
    moves::{Consent, Move, MoveLog, Step, Storm},
    room::Room,
    schedule::{Answers, Question, Scheduler, View},
    solve::{Places, Problem},
    switches::Switches,
    table::PlacementTable,
};

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
    /// Clusters that are not in the fleet any more although something is placed there, and since when.
    left: BTreeMap<String, Option<Tick>>,
    /// By the cluster that is replaced.
    replacements: BTreeMap<String, Replacement>,
    /// What has run to its end, since when.
    finished: BTreeMap<WorkloadId, Tick>,
    /// What is not wanted any more, and must not run twice: it is there until it is known to be stopped.
    removed: BTreeMap<WorkloadId, Arc<Job>>,
    /// What was placed before and has not been set since.
    unclaimed: BTreeMap<WorkloadId, Arc<Job>>,
    /// What cannot be decided because of others: these may change.
    entangled: BTreeSet<WorkloadId>,
    /// What goes on by itself in this round, from where it is.
    going_on: BTreeSet<WorkloadId>,
    begun: redo::Begun,
    /// From where what has moved to make room for others, and for whom: it does not come back there while one of them waits.
    made_room: BTreeMap<(WorkloadId, Slot), Vec<WorkloadId>>,
    /// What was searched in vain of late: the problem, and where everything was.
    known_best: VecDeque<(Problem, Places)>,
    /// How often several were looked at together without that anything came of it.
    in_vain: usize,
    /// What is kept for failures is not known any more.
    is_unbooked: bool,
    /// As far back as any budget, or the rest between moves, looks.
    longest: Millis,
    /// When was decided last.
    now: Tick,
    switches: Switches,
}

/// How often a workload is decided in one round at most, because others have touched it. What is left then, because some
/// chase each other for ever, waits for the next round.
const PASSES: usize = 16;

/// What was decided in one go, by workload. Workloads that nothing touched are not in it.
pub type Round = BTreeMap<String, Decision>;

impl Planner {
    /// With nothing placed yet.
    pub fn new(scheduler: Scheduler, fleet: FleetView, options: PlannerOptions) -> Self {
        Self {
            table: PlacementTable::empty(&fleet),
            room: Room::of(&fleet),
            storm: options.storm.look(&fleet, 0, |_| true),
            left: BTreeMap::new(),
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
            finished: BTreeMap::new(),
            removed: BTreeMap::new(),
            unclaimed: BTreeMap::new(),
            entangled: BTreeSet::new(),
            going_on: BTreeSet::new(),
            begun: redo::Begun::default(),
            made_room: BTreeMap::new(),
            known_best: VecDeque::new(),
            in_vain: 0,
            is_unbooked: false,
            now: Tick(0),
            switches: Switches::default(),
        }
    }

    /// With what was decided before, and the moves that still count. Before the first decision.
    ///
    /// Placements of workloads that are not [set](Self::set) stay, and take the room they took. [`remove`](Self::remove)
    /// ends them.
    #[must_use]
    pub fn with_previous(mut self, placements: &Placements, moves: MoveLog) -> Self {
        self.moves = moves;
        self.table = PlacementTable::of(&self.fleet, placements);
        let finished = placements
            .iter()
            .filter_map(|(id, one)| Some((id.clone(), one.finished?)));
        self.finished = finished.collect();
        let missed = placements.values().flat_map(|one| &one.missed);
        for (cluster, since) in missed.filter(|(cluster, _)| self.fleet.get(cluster).is_none()) {
            let known = self.left.entry(cluster.clone()).or_default();
            *known = Some(known.map_or(*since, |known| known.min(*since)));
        }
        let unclaimed = placements
            .iter()
            .filter(|(id, one)| !self.jobs.contains_key(*id) && !one.targets.is_empty())
            .map(|(id, one)| (id.clone(), Arc::new(Job::unclaimed(id, one, &self.room))));
        self.unclaimed = unclaimed.collect();
        self.reset_room();
        self.forget_who_left();
        self.look_who_left();
        self
    }

    /// Decides everything that a change has touched, in the order of priorities, what others depend on first, then by
    /// name.
    pub fn decide(&mut self, facts: &Facts, now: Tick) -> Round {
        let round = self.decide_touched(facts, now);
        self.remember_round(&round, now);
        round
    }

    fn decide_touched(&mut self, facts: &Facts, now: Tick) -> Round {
        self.now = now;
        self.moves.forget(now, self.longest);
        while let Some((at, id)) = self.wakes.first().filter(|(at, _)| *at <= now).cloned() {
            self.wakes.remove(&(at, id.clone()));
            self.dirty.insert(id);
        }
        self.dirty.extend(self.open.iter().cloned());
        self.dirty.append(&mut self.going_on);
        self.dirty.extend(
            facts
                .finished
                .iter()
                .filter(|id| self.jobs.contains_key(*id))
                .cloned(),
        );
        self.watch_replacements(facts, now);
        if std::mem::take(&mut self.is_unbooked) {
            self.book_anew(facts, now);
        }
        self.begin_round();
        self.forget_who_left();
        let mut round = Round::new();
        self.end_removed(facts, now, &mut round);
        // What a decision touches is decided in the same round.
        for _ in 0..PASSES {
            self.watch_who_left(now);
            // Whoever has no place, or waits, may get what has become free.
            self.touch_freed();
            let touched = std::mem::take(&mut self.dirty);
            let going_on = std::mem::take(&mut self.going_on);
            let both: BTreeSet<WorkloadId>;
            let dirty = match going_on.is_empty() {
                true => &touched,
                false => {
                    both = touched.union(&going_on).cloned().collect();
                    &both
                }
            };
            if dirty.is_empty() {
                break;
            }
            for (id, entangled) in self.in_order(dirty) {
                self.renew(&id, now);
                let was = self.begun_at(&id).map(|_| self.table.places(&id));
                let is_anew = was.is_some() && touched.contains(&id) && self.can_undo(&id);
                let freed = is_anew.then(|| (std::mem::take(&mut self.freed), self.booked_by_target(&id)));
                if is_anew {
                    self.undo(&id);
                }
                self.begin(&id);
                let own = self.jobs.get(&id).and_then(|job| job.invalid.clone());
                let mut decision = match (own, entangled) {
                    (Some(invalid), _) => self.refuse(&id, invalid),
                    (None, Some(invalid)) => self.settle_entangled(&id, invalid, facts, now),
                    (None, None) => self.settle(&id, facts, now),
                };
                if let Some(((freed, booked), was)) = freed.zip(was.as_ref()) {
                    self.free_anew(&id, was, &booked, freed);
                }
                if was.as_ref().or(self.begun_at(&id)) != Some(self.table.places_of(&id)) {
                    self.touch_related(&id);
                }
                self.keep(&id, &decision);
                if let Some(mut earlier) = round.remove(id.as_str()) {
                    // What was decided anew has not moved as it was decided before; what has made room for it has.
                    earlier.moves.retain(|one| !is_anew || one.workload != id);
                    decision.moves.splice(0..0, earlier.moves);
                }
                round.insert(id.to_string(), decision);
            }
        }
        round
    }

    /// What is to be decided, in order, and why others keep it from that; who is kept is known before anything is decided.
    fn in_order(&mut self, dirty: &BTreeSet<WorkloadId>) -> Vec<(WorkloadId, Option<InvalidWorkload>)> {
        let order = order::order(&self.jobs, dirty, self.switches().ordered);
        let entangled = order.into_iter().map(|(id, cycle)| {
            let entangled = match cycle {
                Some(workloads) => Some(InvalidWorkload::Cycle { workloads }),
                None => order::contradiction(&self.jobs, &id),
            };
            (id, entangled)
        });
        let order: Vec<_> = entangled.collect();
        for (id, entangled) in &order {
            match entangled {
                Some(_) => self.entangled.insert(id.clone()),
                None => self.entangled.remove(id),
            };
        }
        order
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

    /// Where a workload runs, as it is kept.
    pub(crate) fn placement(&self, id: &WorkloadId) -> Placement {
        let mut placement = self.table.placement(id);
        placement.finished = self.finished.get(id).copied();
        self.describe(id, &mut placement);
        placement
    }

    /// Says of a placement what it is of, for those who know nothing else of it later.
    fn describe(&self, id: &WorkloadId, placement: &mut Placement) {
        let known = [&self.jobs, &self.removed, &self.unclaimed];
        if let Some(job) = known.into_iter().find_map(|jobs| jobs.get(id))
            && !placement.targets.is_empty()
        {
            // What was not decided with yet is not said.
            let raise = job.raise.as_ref();
            let is_pending = raise.filter(|raise| raise.is_new);
            placement
                .needs
                .clone_from(is_pending.map_or(job.counted(), |raise| &raise.from));
            let raised = raise.filter(|raise| !raise.is_new && !self.is_observed(id));
            placement.observed = raised.map(|raise| raise.from.clone());
            placement.nature = job.workload.nature;
            let missed = self.table.gone(id).filter_map(|(_, cluster, _)| {
                let since = self.left.get(cluster).copied().flatten()?;
                Some((cluster.to_owned(), since))
            });
            placement.missed = missed.collect();
        }
    }

    /// Where everything runs, to be kept.
    pub fn placements(&self) -> Placements {
        let mut placements = self.table.placements();
        for (id, placement) in &mut placements {
            self.describe(id, placement);
        }
        for (id, since) in &self.finished {
            placements.entry(id.clone()).or_default().finished = Some(*since);
        }
        placements
    }

    /// When to decide again even if nothing changes.
    pub fn again_at(&self) -> Option<Tick> {
        match self.dirty.is_empty() && self.going_on.is_empty() {
            true => self.wakes.first().map(|(at, _)| *at),
            false => Some(self.now),
        }
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

    /// One target of a workload, with so many units of it on these clusters.
    pub(crate) fn question<'a>(
        &'a self,
        job: &'a Job,
        target: usize,
        current: &'a [(Slot, u64)],
        now: Tick,
    ) -> Question<'a> {
        Question {
            view: self.view(now),
            workload: &job.workload,
            target,
            needs: &job.needs[target],
            current,
            uses_spare: false,
        }
    }

    /// Why somebody who has a say does not let a move begin; none: everyone does. Where there must never be two, or it may
    /// stop first, the old copy goes before the new one is started; one that cannot be asked is not there to be asked about.
    fn objection_to_begin(&self, workload: &Workload, one: &Move) -> Option<Reason> {
        let old_goes = || {
            let goes_first = self.is_fenced(workload) || self.stops_first(workload, one.cause);
            let goes_first = goes_first && !one.cause.is_loss();
            goes_first
                .then(|| self.objection(Step::BeforeOldGoes, one))
                .flatten()
        };
        self.objection(Step::Before, one).or_else(old_goes)
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
        Decision::new(id, Outcome::Invalid(invalid), self.placement(id))
    }

    /// Remembers who must be looked at again, and when.
    fn keep(&mut self, id: &WorkloadId, decision: &Decision) {
        let is_pending = !decision.waits.is_empty();
        let is_moving = decision.placement.is_moving();
        let is_unprotected = decision.targets.iter().any(|target| target.unprotected > 0);
        // Health, and those who have a say in moves, are asked each time.
        let asks = decision.waits.iter().any(|wait| !wait.on.wakes());
        for (set, is_in) in [
            (&mut self.pending, is_pending),
            (
                &mut self.short,
                (decision.short() > 0 || is_unprotected) && !is_pending,
            ),
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
        if let Some(at) = decision.again_at.filter(|_| self.switches().wakes) {
            self.wakes.insert((at, id.clone()));
        }
    }

    fn touch_related(&mut self, id: &WorkloadId) {
        if let Some(related) = self.related.get(id) {
            let there = related.iter().filter(|id| self.jobs.contains_key(*id));
            self.dirty.extend(there.cloned());
        }
        // Those that it keeps away from may come to where it was.
        let shunned = self.shunned_by(id).into_iter();
        let there = shunned.filter(|id| self.jobs.contains_key(id));
        self.dirty.extend(there.collect::<Vec<_>>());
    }
}

/// Whether a target is to be on every cluster it means.
fn takes_every(target: &crate::model::Target) -> bool {
    matches!(target.take, crate::model::Take::Each { clusters: None, .. })
}
