//! Decides one workload: what stays, what moves, what is new.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fixedbitset::FixedBitSet;
use fleet_core::{Reason, Tick};

use super::{Facts, Job, Planner, preempt::Preemption, seats::Seats};
use crate::{
    decision::{Decision, Limit, Outcome, TargetDecision, Wait},
    model::{ClusterSelector, Placement, Slot, Survives, Take, WorkloadId},
    pipeline::{Ranked, Units},
    room::Booking,
    schedule::{Answers, Question, Screen},
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
    /// How many replicas that cannot be asked are not wanted any more.
    pub(super) absent_surplus: u64,
    /// Room that is to be kept elsewhere.
    pub(super) bookings: Vec<Booking>,
    /// How many units have nowhere to go in the worst case.
    pub(super) unprotected_units: u64,
    pub(super) wanted: u64,
    /// The clusters that something new may come to, if only some may.
    only: Option<BTreeSet<Slot>>,
    /// What could not move, because it may not go anywhere.
    unmoved: Units,
    /// What is asked for beside what moves is decided later.
    is_half: bool,
    /// Clusters that are named and cannot take it.
    named: Vec<String>,
    refused: BTreeMap<String, Vec<Reason>>,
    pub(super) waits: Vec<Wait>,
    pub(super) again_at: Option<Tick>,
}

/// What moves together: the clusters that it may go to, if only some are, and how many units of what was released.
type Turn = (Option<BTreeSet<Slot>>, Vec<(usize, u64)>);

impl Case<'_> {
    pub(super) fn id(&self) -> &WorkloadId {
        &self.job.workload.name
    }

    pub(super) fn name(&self) -> &Arc<str> {
        &self.job.names[self.target]
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
        let over = if self.switches().completion && job.workload.completes && facts.finished.contains(id) {
            Some(Outcome::Finished)
        } else if job.workload.expires.is_some_and(|end| end <= now) {
            Some(Outcome::Expired)
        } else {
            None
        };
        if let Some(outcome) = over {
            self.clear(id);
            return Decision::new(id, outcome, Placement::nowhere());
        }
        let mut decision = Decision::new(id, Outcome::Placed, Placement::nowhere());
        decision.again_at = job.workload.expires;
        decision.proposals = self.let_go(&job, facts, now);
        for target in self.in_turn(&job) {
            let case = Case {
                job: &job,
                target,
                facts,
                now,
            };
            self.resize(&case);
            let mut answers = std::mem::take(&mut self.answers);
            let plan = self.plan_target(&case, &mut answers);
            self.answers = answers;
            self.carry_out(&case, plan, &mut decision);
        }
        let place = |name: &str| job.names.iter().position(|known| **known == *name);
        decision.targets.sort_by_key(|target| place(&target.target));
        if decision.short() > 0 {
            decision.outcome = Outcome::Unschedulable;
        }
        if decision.short() > 0 && !self.switches().never_clear {
            self.clear(id);
        }
        decision.placement = self.table.placement(id);
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
    fn plan_target(&self, case: &Case<'_>, answers: &mut Answers) -> Plan {
        let (name, unit) = (case.name(), case.unit());
        let there = self.there(case);
        let question = Question {
            view: self.view(case.now),
            workload: &case.job.workload,
            target: case.target,
            needs: &case.job.needs[case.target],
            current: &there,
            uses_spare: false,
        };
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
            seats,
        };
        let mut set = None;
        plan.wanted = question.wanted().unwrap_or_else(|| {
            let meant = self.meant(&question, &mut plan.again_at, answers);
            plan.named = self.missing(&question, &meant, &mut plan.refused);
            let count = u64::try_from(meant.count_ones(..)).unwrap_or(u64::MAX);
            set = Some(meant);
            count.saturating_add(absent)
        });
        // Where there is one on each cluster, none stands in for another.
        let surplus = match question.is_everywhere() {
            true => 0,
            false => absent
                .saturating_add(have)
                .saturating_sub(plan.wanted)
                .min(absent),
        };
        plan.absent_surplus = surplus.saturating_mul(unit);
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
            question.divide(&self.rank_kept(&question, answers), wanted)
        } else if ask == have {
            Units::of(kept.iter().copied())
        } else {
            let (units, asked) = self.find_in_turn(&question, &mut plan, have, fresh, answers);
            ask = asked;
            units
        };
        if question.workload.survives != Survives::Nothing {
            let units = std::mem::take(&mut plan.units);
            // After a failure what was lost comes first; that another may happen is only told.
            let floor = if plan.seats.booked.is_empty() { have } else { ask };
            let place = |ask: u64, answers: &mut Answers| self.find(&question, &mut plan, ask, None, answers);
            let (units, bookings, worst) = self.survive(&question, units, floor, place, answers);
            (plan.units, plan.bookings) = (units, bookings);
            plan.unprotected_units = worst;
        }
        if plan.units.short > 0 && case.job.can_preempt() {
            self.look_for_victims(&question, &mut plan, ask, answers);
        }
        plan.kept = kept;
        plan
    }

    /// The clusters that a target is to be on where it is to be on every one: those of the first of its groups that has
    /// any, whether they can take it now or not.
    fn meant(
        &self,
        question: &Question<'_>,
        again_at: &mut Option<Tick>,
        answers: &mut Answers,
    ) -> FixedBitSet {
        let groups = &question.target().groups;
        let has_any = |group: &&ClusterSelector| self.fleet.clusters().any(|cluster| group.matches(cluster));
        let group = match groups.len() {
            0 | 1 => groups.first(),
            _ => groups.iter().find(has_any).or(groups.last()),
        };
        let mut screen = self.screen(question, group, answers);
        for (slot, _) in question.current {
            if group.is_some_and(|group| !group.matches(self.fleet.at(*slot))) {
                screen.set.remove(*slot);
            }
        }
        *again_at = (*again_at).into_iter().chain(screen.until).min();
        screen.set
    }

    /// One unit on every cluster that is meant, where it fits, and on as many as are said at most. On one cluster so many
    /// more fit as are said.
    fn on_every(question: &Question<'_>, meant: &FixedBitSet, most: u64, more: Option<(Slot, u64)>) -> Units {
        let has_room = |slot: &Slot| {
            let freed = more.is_some_and(|(at, units)| at == *slot && units > 0);
            question.current(*slot) > 0 || freed || question.fits(*slot) > 0
        };
        let mut there: Vec<Slot> = meant.ones().filter(has_room).collect();
        there.sort_by_key(|slot| (question.current(*slot) == 0, *slot));
        there.truncate(usize::try_from(most).unwrap_or(usize::MAX));
        let short = u64::try_from(meant.count_ones(..) - there.len()).unwrap_or(u64::MAX);
        Units::of(there.into_iter().map(|slot| (slot, 1))).short(short, Limit::Room)
    }

    /// Named clusters that are not there or cannot take it.
    fn missing(
        &self,
        question: &Question<'_>,
        set: &FixedBitSet,
        refused: &mut BTreeMap<String, Vec<Reason>>,
    ) -> Vec<String> {
        let mut missing = Vec::new();
        for name in &question.target().clusters {
            let reasons = match self.fleet.slot(name) {
                None => vec![Reason::new(
                    "not-in-the-fleet",
                    format!("cluster {name} is not in the fleet"),
                )],
                Some(slot) if set[slot] => continue,
                Some(slot) => question.refusals(slot, question.target().groups.first()),
            };
            refused.insert(name.clone(), self.told(reasons));
            missing.push(name.clone());
        }
        missing
    }

    fn rank_kept(&self, question: &Question<'_>, answers: &mut Answers) -> Vec<Ranked> {
        let mut set = FixedBitSet::with_capacity(self.fleet.len());
        question.current.iter().for_each(|(slot, _)| set.insert(*slot));
        question.rank(&set, answers)
    }

    /// Finds places for as many as are asked for: in the first group that carries all; where none does, in all of them,
    /// filled in order. On one cluster so many more units fit as are said.
    pub(super) fn find(
        &self,
        question: &Question<'_>,
        plan: &mut Plan,
        ask: u64,
        more: Option<(Slot, u64)>,
        answers: &mut Answers,
    ) -> Units {
        if question.is_everywhere() {
            let meant = self.meant(question, &mut plan.again_at, answers);
            return Self::on_every(question, &meant, ask, more);
        }
        if more.is_none()
            && let Some(units) = self.find_booked(question, plan, ask, answers)
        {
            return units;
        }
        let mut groups: Vec<Option<&ClusterSelector>> = question.target().groups.iter().map(Some).collect();
        if groups.is_empty() {
            groups.push(None);
        }
        let mut ranked = Vec::new();
        for group in groups {
            let in_group = self.rank_in(question, group, plan, more, answers);
            let units = question.divide(&in_group, ask);
            if units.short == 0 || question.target().groups.len() < 2 {
                return units;
            }
            ranked.push(in_group);
        }
        Self::overflow(question, ranked, ask)
    }

    /// Where room was kept for what was lost, if all of it finds room there; what else is asked for comes later.
    fn find_booked(
        &self,
        question: &Question<'_>,
        plan: &Plan,
        ask: u64,
        answers: &mut Answers,
    ) -> Option<Units> {
        if plan.seats.booked.is_empty() || !self.switches().sticky {
            return None;
        }
        let question = Question {
            uses_spare: true,
            ..*question
        };
        let group = question.target().groups.first();
        let passing = self.screen(&question, group, answers).set;
        let is_open = |slot: Slot| {
            passing[slot]
                && plan.only.as_ref().is_none_or(|only| only.contains(&slot))
                && !self.is_replaced(slot)
                && (question.current(slot) == 0 || question.takes_more(slot, group))
        };
        let have = question
            .current
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let lost = plan
            .grants
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let first = have.saturating_add(lost).min(ask);
        // Exactly where it was booked, and no more there: the rest is kept for others.
        let mut rest = first - have.min(first);
        let mut units = Units::of(question.current.iter().copied());
        for (slot, booked) in plan.seats.booked.iter().filter(|(slot, _)| is_open(*slot)) {
            let count = (*booked).min(rest).min(question.fits(*slot));
            rest -= count;
            units.add(*slot, count);
        }
        units.units.retain(|(_, units)| *units > 0);
        (rest == 0).then(|| units.short(ask - first, Limit::Spare))
    }

    /// Fills groups in order, none of which can carry everything.
    fn overflow(question: &Question<'_>, groups: Vec<Vec<Ranked>>, ask: u64) -> Units {
        // What must be spread is divided over all of them at once, the clusters of the first group first.
        if !question.target().is_unlimited() {
            let mut all: Vec<Ranked> = Vec::new();
            for one in groups.into_iter().flatten() {
                match all.iter_mut().find(|known| known.slot == one.slot) {
                    Some(known) => known.fits = known.fits.max(one.fits),
                    None => all.push(one),
                }
            }
            return question.divide(&all, ask);
        }
        let mut filled = Units::of(question.current.iter().copied());
        for mut ranked in groups {
            for (slot, units) in std::mem::take(&mut filled.units) {
                match ranked.iter_mut().find(|one| one.slot == slot) {
                    Some(one) => {
                        one.fits = one.fits.saturating_sub(units.saturating_sub(one.current));
                        one.current = units;
                    }
                    None => ranked.push(Ranked::new(slot, i64::MIN, units, 0)),
                }
            }
            filled = question.divide(&ranked, ask);
        }
        filled
    }

    /// The clusters of a group that can take something, or have something, the best first. What stays counts, whatever
    /// group it is in.
    fn rank_in(
        &self,
        question: &Question<'_>,
        group: Option<&ClusterSelector>,
        plan: &mut Plan,
        more: Option<(Slot, u64)>,
        answers: &mut Answers,
    ) -> Vec<Ranked> {
        let Screen { mut set, until } = self.screen(question, group, answers);
        plan.again_at = plan.again_at.into_iter().chain(until).min();
        let is_open = |slot: Slot| plan.only.as_ref().is_none_or(|only| only.contains(&slot));
        let far: Vec<Slot> = set.ones().filter(|slot| !is_open(*slot)).collect();
        far.into_iter().for_each(|slot| set.remove(slot));
        question.current.iter().for_each(|(slot, _)| set.insert(*slot));
        let mut ranked = question.rank(&set, answers);
        if let Some((slot, more)) = more {
            match ranked.iter_mut().find(|one| one.slot == slot) {
                Some(one) => one.fits = one.fits.max(more),
                None if set[slot] => ranked.push(Ranked::new(slot, i64::MIN, 0, more)),
                None => {}
            }
        }
        self.close(question, group, &mut ranked);
        for one in ranked.iter_mut().filter(|one| !is_open(one.slot)) {
            one.fits = 0;
        }
        ranked
    }

    /// What stays may stay where nothing new may come.
    pub(super) fn close(
        &self,
        question: &Question<'_>,
        group: Option<&ClusterSelector>,
        ranked: &mut [Ranked],
    ) {
        for one in ranked.iter_mut().filter(|one| one.current > 0 && one.fits > 0) {
            if self.is_replaced(one.slot) || !question.takes_more(one.slot, group) {
                one.fits = 0;
            }
        }
    }

    /// How many units of a target are where.
    fn there(&self, case: &Case<'_>) -> Vec<(Slot, u64)> {
        let seats = self.table.seats(case.id()).iter();
        let of_target = seats.filter(|seat| seat.target == *case.name());
        of_target
            .map(|seat| (seat.slot, seat.assignment.active().div_ceil(case.unit())))
            .collect()
    }

    /// Finds places for what moves and for `fresh` units more than there are; where how many were asked for. What may not
    /// go just anywhere goes by itself, and the rest is decided after it.
    fn find_in_turn(
        &self,
        question: &Question<'_>,
        plan: &mut Plan,
        have: u64,
        fresh: u64,
        answers: &mut Answers,
    ) -> (Units, u64) {
        let mut turns = self.turns(&plan.seats, std::mem::take(&mut plan.grants));
        if let [(None, _)] | [] = &*turns {
            plan.grants = turns.pop().unwrap_or_default().1;
            let granted = plan.grants.iter().fold(0_u64, |sum, (_, units)| sum + units);
            let ask = have + fresh + granted;
            return (self.find(question, plan, ask, None, answers), ask);
        }
        let last = turns.len() - 1;
        for (turn, (only, grants)) in turns.into_iter().enumerate() {
            let ask = have + grants.iter().fold(0_u64, |sum, (_, units)| sum + units);
            (plan.only, plan.grants) = (only, grants);
            let units = self.find(question, plan, ask, None, answers);
            if units.total() > have {
                plan.is_half = fresh > 0 || turn < last;
                return (units, ask);
            }
            plan.unmoved = Units {
                short: plan.unmoved.short + units.short,
                ..units
            };
        }
        plan.only = None;
        plan.grants.clear();
        let ask = have + fresh;
        (self.find(question, plan, ask, None, answers), ask)
    }

    /// What moves, by where it may go: first what may go anywhere, then what goes where another workload is, then what goes
    /// from each cluster that is replaced to the one that replaces it.
    fn turns(&self, seats: &Seats, grants: Vec<(usize, u64)>) -> Vec<Turn> {
        let mut turns: Vec<Turn> = Vec::new();
        let followed = seats.follow.as_ref().map(|other| {
            let active = self
                .table
                .seats(other)
                .iter()
                .filter(|seat| seat.assignment.active() > 0);
            active.map(|seat| seat.slot).collect::<BTreeSet<Slot>>()
        });
        for (at, units) in grants {
            let released = &seats.released[at];
            let only = match released.cause {
                "replace" => {
                    let to = self.replacements.get(&released.cluster).map(|one| &one.to);
                    Some(to.and_then(|to| self.fleet.slot(to)).into_iter().collect())
                }
                "lost" | "left" => followed.clone(),
                _ => None,
            };
            match turns.iter_mut().find(|(known, _)| *known == only) {
                Some((_, grants)) => grants.push((at, units)),
                None => turns.push((only, vec![(at, units)])),
            }
        }
        turns.sort_by_key(|(only, _)| only.is_some());
        turns
    }

    /// How many units may move from each cluster now, by all budgets; what may not waits, in order.
    fn grant(&self, case: &Case<'_>, plan: &mut Plan) {
        if plan.to_move == 0 {
            return;
        }
        let (unit, now) = (case.unit(), case.now);
        let budgets = self.options.budgets;
        let policy = &case.job.workload.moves;
        let left = self.moves.left(budgets, now);
        let mut own = self.moves.left_of(case.id(), policy, now);
        let (mut fleet, mut rest) = (left.fleet(), plan.to_move);
        for (at, released) in plan.seats.released.iter().enumerate() {
            let wanted = released.replicas.div_ceil(unit).min(rest);
            rest -= wanted;
            let most = left.at(&released.cluster).min(fleet).min(own) / unit;
            let surge = match released.cause {
                "replace" => self.surge(case, &plan.seats, &released.cluster) / unit,
                _ => u64::MAX,
            };
            let budget = if self.switches().budgets { most } else { u64::MAX };
            let granted = wanted.min(budget).min(surge);
            own = own.saturating_sub(granted.saturating_mul(unit));
            fleet = fleet.saturating_sub(granted.saturating_mul(unit));
            if granted > 0 {
                plan.grants.push((at, granted));
            }
            if granted == wanted {
                continue;
            }
            let (reason, until) = if surge < budget {
                let reason = Reason::new("surge", "others of it are on their way and not healthy yet");
                (reason, None)
            } else {
                let until = self.budgets_free(case, &[&released.cluster]);
                plan.again_at = plan.again_at.into_iter().chain(until).min();
                (over_budget(), until)
            };
            plan.waits.push(Wait {
                target: case.name().to_string(),
                cluster: released.cluster.clone(),
                replicas: (wanted - granted).saturating_mul(unit),
                cause: released.cause,
                reason,
                until,
            });
        }
    }

    /// When budgets may have something left again for one unit between these clusters.
    pub(super) fn budgets_free(&self, case: &Case<'_>, clusters: &[&str]) -> Option<Tick> {
        let policy = &case.job.workload.moves;
        let budgets = self.options.budgets;
        let free = self
            .moves
            .free_at(budgets, policy, case.id(), clusters, case.unit(), case.now)?;
        Some(self.later(free, case.now))
    }

    /// When budgets are free that moves of the past leave free now: what is decided in this moment has taken them.
    pub(super) fn later(&self, free: Tick, now: Tick) -> Tick {
        let budgets = self.options.budgets;
        match free > now {
            true => free,
            false => now + budgets.fleet.per.min(budgets.cluster.per),
        }
    }

    /// Carries a plan out, and says what was decided.
    fn carry_out(&mut self, case: &Case<'_>, mut plan: Plan, decision: &mut Decision) {
        let unit = case.unit();
        if let Some(preemption) = plan.preemption.take() {
            if self.may_preempt(&preemption, case.now) {
                plan.units = preemption.units.clone();
                decision.moves.extend(self.evict(&preemption, case.now));
            } else {
                let until = self.victims_free(&preemption, case.now);
                plan.again_at = plan.again_at.into_iter().chain(until).min();
                plan.waits.push(Wait {
                    target: case.name().to_string(),
                    cluster: self.fleet.at(preemption.slot).name().to_owned(),
                    replicas: plan
                        .units
                        .short
                        .saturating_sub(preemption.units.short)
                        .saturating_mul(unit),
                    cause: "preempted",
                    reason: Reason::new(
                        "budget",
                        "as many replicas have moved of late as may: nothing gives way now",
                    ),
                    until,
                });
            }
        }
        self.apply(case, &mut plan, decision);
        self.keep_room(case, std::mem::take(&mut plan.bookings));
        let cut = self
            .cut_short(case)
            .saturating_add(plan.unmoved.short.saturating_mul(unit));
        if plan.is_half {
            self.dirty.insert(case.id().clone());
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

/// Says that moves wait for a budget.
pub(super) fn over_budget() -> Reason {
    Reason::new("budget", "as many replicas have moved of late as may")
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
