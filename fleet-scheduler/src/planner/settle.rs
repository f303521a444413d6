//! Decides one workload: what stays, what moves, what is new.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_core::{Reason, Tick};

use super::{Facts, Job, Planner, preempt::Preemption, seats::Seats};
use crate::{
    decision::{Decision, InvalidWorkload, Limit, Outcome, TargetDecision, Wait, WaitOn},
    model::{Placement, Slot, Survives, Take, WorkloadId},
    moves::{Cause, Move},
    pipeline::Units,
    room::Booking,
    schedule::{Answers, Question},
};

/// One target of a workload that is decided.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) job: &'a Job,
    pub(super) target: usize,
    pub(super) facts: &'a Facts,
    pub(super) now: Tick,
}

/// What is to become of one target.
pub(super) struct Plan {
    pub(super) seats: Seats,
    /// Units that stay, by slot.
    pub(super) kept: Vec<(Slot, u64)>,
    /// Where all units are to be.
    pub(super) units: Units,
    /// How many units may move now, by place in `seats.released`.
    pub(super) grants: Vec<(usize, u64)>,
    /// How many units of those released are wanted elsewhere; the others are not wanted any more.
    pub(super) to_move: u64,
    pub(super) preemption: Option<Preemption>,
    /// How many units that cannot be asked are not wanted any more.
    pub(super) absent_surplus: u64,
    /// Room that is to be kept elsewhere.
    pub(super) bookings: Vec<Booking>,
    /// How many units have nowhere to go in the worst case.
    pub(super) unprotected_units: u64,
    pub(super) wanted: u64,
    /// The clusters that something new may come to, if only some may.
    pub(super) only: Option<BTreeSet<Slot>>,
    /// What could not move, because it may not go anywhere.
    pub(super) unmoved: Units,
    /// What is asked for beside what moves is decided later.
    pub(super) is_half: bool,
    /// Clusters that are named and cannot take it.
    pub(super) named: Vec<String>,
    pub(super) refused: BTreeMap<String, Vec<Reason>>,
    /// What goes, and nothing stands in for it.
    pub(super) stops: Vec<Move>,
    pub(super) waits: Vec<Wait>,
    pub(super) again_at: Option<Tick>,
}

impl Case<'_> {
    pub(super) fn id(&self) -> &WorkloadId {
        &self.job.workload.name
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.job.names[self.target]
    }

    /// Whether it is to be on every cluster it means.
    pub(super) fn is_everywhere(&self) -> bool {
        super::takes_every(&self.job.workload.targets[self.target])
    }

    /// How many replicas a unit is.
    pub(super) fn unit(&self) -> u64 {
        self.job.units[self.target]
    }
}

impl Planner {
    /// Decides one workload, and places it.
    pub(super) fn settle(&mut self, id: &WorkloadId, facts: &Facts, now: Tick) -> Decision {
        let Some(job) = self.jobs.get(id).cloned() else {
            return Decision::new(id, Outcome::Placed, Placement::nowhere());
        };
        if let Some(over) = self.end_if_over(&job, facts, now) {
            return over;
        }
        let mut decision = Decision::new(id, Outcome::Placed, Placement::nowhere());
        decision.again_at = job.workload.expires;
        decision.proposals = self.let_go(&job, facts, now);
        let was_moving = self.is_fenced(&job.workload) || self.table.is_moving(id);
        for target in self.in_turn(&job) {
            let case = Case {
                job: &job,
                target,
                facts,
                now,
            };
            let booked = self.unbook_to_decide(&case);
            self.resize(&case);
            let mut answers = std::mem::take(&mut self.answers);
            let plan = self.plan_target(&case, &booked, &mut answers);
            self.answers = answers;
            self.carry_out(&case, plan, &booked, &mut decision);
        }
        let place = |name: &str| job.names.iter().position(|known| **known == *name);
        decision.targets.sort_by_key(|target| place(&target.target));
        if decision.short() > 0 && self.switches().shortfall {
            decision.outcome = Outcome::Unschedulable;
        }
        if decision.short() > 0 && !self.switches().never_clear {
            self.clear(id);
        }
        if was_moving && self.table.is_moving(id) {
            // What others of it waited for may have ended.
            let before = self.table.version(id);
            self.let_go(&job, facts, now);
            if before != self.table.version(id) {
                self.going_on.insert(id.clone());
            }
        }
        decision.stays = self.old_copies(&job, facts, now);
        decision.placement = self.placement(id);
        decision
    }

    /// Frees the place of what has run to its end, or whose time is over.
    fn end_if_over(&mut self, job: &Job, facts: &Facts, now: Tick) -> Option<Decision> {
        let id = &job.workload.name;
        if job.workload.completes && facts.finished.contains(id) {
            self.finished.entry(id.clone()).or_insert(now);
        }
        let outcome = if self.switches().completion && self.finished.contains_key(id) {
            Outcome::Finished
        } else if job.workload.expires.is_some_and(|end| end <= now) {
            Outcome::Expired
        } else {
            return None;
        };
        if outcome == Outcome::Expired && self.is_fenced(&job.workload) {
            return Some(self.stop_all(job, facts, now, outcome));
        }
        self.clear(id);
        Some(Decision::new(id, outcome, self.placement(id)))
    }

    /// What cannot be decided because of others stays where it is; what has begun before goes on, and what is over ends.
    pub(super) fn settle_entangled(
        &mut self,
        id: &WorkloadId,
        invalid: InvalidWorkload,
        facts: &Facts,
        now: Tick,
    ) -> Decision {
        let Some(job) = self.jobs.get(id).cloned().filter(|_| self.switches().never_clear) else {
            return self.refuse(id, invalid);
        };
        if let Some(over) = self.end_if_over(&job, facts, now) {
            return over;
        }
        let proposals = self.let_moved_go(&job, facts, now);
        let mut decision = Decision::new(id, Outcome::Invalid(invalid), self.placement(id));
        decision.proposals = proposals;
        decision.stays = self.old_copies(&job, facts, now);
        decision.again_at = job.workload.expires;
        decision
    }

    /// Its targets in the order in which they are decided: where there must never be two, those first that shrink, so that
    /// what starts elsewhere waits for what they stop.
    fn in_turn(&self, job: &Job) -> Vec<usize> {
        let mut targets: Vec<usize> = (0..job.workload.targets.len()).collect();
        if self.is_fenced(&job.workload) {
            let shrinks = |at: &usize| {
                let seats = self.table.seats(&job.workload.name).iter();
                let there = seats
                    .filter(|seat| seat.target == job.names[*at])
                    .fold(0_u64, |sum, seat| sum.saturating_add(seat.assignment.active()));
                matches!(job.workload.targets[*at].take, Take::Divided { replicas, .. } if replicas < there)
            };
            targets.sort_by_key(|at| !shrinks(at));
        }
        targets
    }

    /// What is to become of one target; nothing is changed yet.
    fn plan_target(&self, case: &Case<'_>, booked: &[Booking], answers: &mut Answers) -> Plan {
        let (name, unit) = (case.name(), case.unit());
        let there = self.there(case);
        let question = self.question(case.job, case.target, &there, case.now);
        let mut seats = self.sort_seats(&question, name, case.facts, case.now);
        let kept: Vec<(Slot, u64)> = seats
            .kept
            .iter()
            .map(|(slot, replicas)| (*slot, replicas.div_ceil(unit)))
            .collect();
        let question = Question {
            current: &kept,
            ..question
        };
        let have = kept
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let absent = seats.absent(unit);
        let mut plan = Plan {
            refused: std::mem::take(&mut seats.refused),
            waits: std::mem::take(&mut seats.waits),
            again_at: seats.again_at,
            kept: Vec::new(),
            units: Units::default(),
            grants: Vec::new(),
            to_move: 0,
            preemption: None,
            bookings: Vec::new(),
            unprotected_units: 0,
            absent_surplus: 0,
            wanted: 0,
            named: Vec::new(),
            only: None,
            unmoved: Units::default(),
            is_half: false,
            stops: Vec::new(),
            seats,
        };
        let mut set = None;
        let mut stays = BTreeSet::new();
        plan.wanted = question.wanted().unwrap_or_else(|| {
            let meant = self.meant(&question, &mut plan.again_at, answers);
            plan.named = self.missing(&question, &meant, &mut plan.refused);
            // What counts as being there although it cannot be asked is not missing.
            plan.named
                .retain(|name| plan.seats.absent.iter().all(|(cluster, _)| cluster != name));
            stays = self.go_from_each(case, &question, &mut plan, &meant);
            let count = u64::try_from(meant.count_ones(..)).unwrap_or(u64::MAX);
            set = Some(meant);
            count.saturating_add(absent)
        });
        // Where there is one on each cluster, none stands in for another.
        let surplus = match question.is_everywhere() {
            true => 0,
            // What runs counts first, though it is to go elsewhere.
            false => absent
                .saturating_add(have)
                .saturating_add(plan.seats.leaving(unit))
                .saturating_sub(plan.wanted)
                .min(absent),
        };
        plan.absent_surplus = surplus;
        let wanted = plan.wanted.saturating_sub(absent - surplus);
        let released = plan
            .seats
            .released
            .iter()
            .fold(0_u64, |sum, one| sum.saturating_add(one.replicas.div_ceil(unit)));
        // What is not wanted any more needs no stand-in.
        let need = wanted.saturating_sub(have);
        plan.to_move = if question.is_everywhere() {
            0
        } else {
            need.min(released)
        };
        self.grant(case, &mut plan);
        let granted = plan
            .grants
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let fresh = need - plan.to_move;
        let mut ask = have + fresh + granted;
        plan.units = if !self.switches().sticky {
            let question = Question {
                current: &[],
                ..question
            };
            self.find(&question, &mut plan, ask, None, answers)
        } else if let Some(meant) = &set {
            Self::on_every(&question, meant, u64::MAX, None)
        } else if have > wanted {
            let mut ranked = self.rank_kept(&question, answers);
            // Those first of which it is not known that they are healthy, among those that may as well go.
            ranked.sort_by_key(|one| !self.is_healthy_on(case, one.slot));
            question.divide(&ranked, wanted)
        } else if ask == have {
            Units::of(kept.iter().copied())
        } else {
            let (units, asked) = self.find_in_turn(case, &question, &mut plan, have, fresh, answers);
            ask = asked;
            units
        };
        let must_survive = question.workload.survives != Survives::Nothing && self.switches().survives;
        if must_survive {
            let units = std::mem::take(&mut plan.units);
            // After a failure what was lost comes first; that another may happen is only told.
            let is_lost = plan.seats.released.iter().any(|one| one.cause.is_loss());
            // What must leave is not kept by it either: that is told, too.
            let floor = if is_lost {
                ask
            } else {
                have.saturating_add(granted)
            };
            let place = |ask: u64, answers: &mut Answers| self.find(&question, &mut plan, ask, None, answers);
            let (units, bookings, worst) = self.survive(&question, units, floor, booked, place, answers);
            (plan.units, plan.bookings) = (units, bookings);
            plan.unprotected_units = worst;
        }
        if plan.units.short > 0 && !question.is_everywhere() {
            self.tell_missing(&question, &mut plan, answers);
        }
        if plan.units.short > 0 && case.job.can_preempt() {
            self.look_for_victims(&question, &mut plan, ask, answers);
        }
        plan.kept = kept;
        plan.kept.retain(|(slot, _)| !stays.contains(slot));
        plan
    }

    /// Whether everything of it on a cluster is known to be healthy.
    fn is_healthy_on(&self, case: &Case<'_>, slot: Slot) -> bool {
        let healthy = case
            .facts
            .healthy_when(case.id(), self.fleet.at(slot).name(), case.now);
        let mut seats = self
            .table
            .seats(case.id())
            .iter()
            .filter(|seat| seat.slot == slot);
        seats.all(|seat| healthy > Some(seat.assignment.since))
    }

    /// Carries a plan out, and says what was decided.
    fn carry_out(&mut self, case: &Case<'_>, mut plan: Plan, booked: &[Booking], decision: &mut Decision) {
        let unit = case.unit();
        if let Some(preemption) = plan.preemption.take() {
            let objection = self.objection_to_preempt(&preemption, case.now);
            if objection.is_none() && self.may_preempt(&preemption, case.now) {
                plan.units = preemption.units.clone();
                decision.moves.extend(self.evict(&preemption, case.now));
            } else {
                let is_refused = objection.is_some();
                let until = match is_refused {
                    true => None,
                    false => self.victims_free(&preemption, case.now),
                };
                plan.again_at = plan.again_at.into_iter().chain(until).min();
                plan.waits.push(Wait {
                    target: case.name().to_string(),
                    cluster: self.fleet.at(preemption.slot).name().to_owned(),
                    replicas: plan
                        .units
                        .short
                        .saturating_sub(preemption.units.short)
                        .saturating_mul(unit),
                    cause: Cause::Preempted,
                    on: if is_refused { WaitOn::Gate } else { WaitOn::Budget },
                    reason: objection.unwrap_or_else(|| {
                        let why = "as many replicas have moved of late as may: nothing gives way now";
                        Reason::new("budget", why)
                    }),
                    until,
                });
            }
        }
        self.apply(case, &mut plan, decision);
        self.keep_room(case, std::mem::take(&mut plan.bookings), booked);
        let cut = self
            .cut_short(case)
            .saturating_add(plan.unmoved.short.saturating_mul(unit));
        if plan.is_half {
            self.going_on.insert(case.id().clone());
        }
        let named = u64::try_from(plan.named.len()).unwrap_or(u64::MAX);
        let limit = plan
            .units
            .limit
            .or(plan.unmoved.limit)
            .or((named > 0).then_some(Limit::Named { clusters: plan.named }));
        decision.targets.push(TargetDecision {
            target: case.name().to_string(),
            wanted: plan.wanted.saturating_add(named).saturating_mul(unit),
            short: plan
                .units
                .short
                .saturating_add(named)
                .saturating_mul(unit)
                .saturating_add(cut),
            limit,
            unprotected: plan.unprotected_units.saturating_mul(unit),
            unmet: self.unmet(case),
            refused: plan.refused,
        });
        decision.waits.append(&mut plan.waits);
        decision.proposals.append(&mut plan.seats.proposals);
        let times = decision.again_at.into_iter().chain(plan.again_at);
        decision.again_at = times.filter(|at| *at > case.now).min();
    }
}

impl Question<'_> {
    /// How many units are asked for; none: one on every cluster that can take it.
    pub(crate) fn wanted(&self) -> Option<u64> {
        match &self.target().take {
            Take::Each { replicas: 0, .. } => Some(0),
            Take::Each { clusters, .. } => clusters.map(u64::from),
            Take::Divided { replicas, .. } => Some(*replicas),
        }
    }

    /// Whether it is to be on every cluster it means.
    pub(super) fn is_everywhere(&self) -> bool {
        self.wanted().is_none()
    }
}
