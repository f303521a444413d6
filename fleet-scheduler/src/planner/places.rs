//! Where units find a place: in which group, on which clusters, and how many.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use fleet_core::{Reason, Tick};

use super::{
    Job, Planner,
    settle::{Case, Plan},
    survive::hold,
};
use crate::{
    decision::Limit,
    model::{ClusterSelector, Slot},
    moves::Cause,
    pipeline::{Ranked, Units},
    schedule::{Answers, Question, Screen},
};

impl Planner {
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
            if units.short == 0 {
                return units;
            }
            ranked.push(in_group);
            if question.target().groups.len() < 2 {
                return Self::too_close(question, plan, ranked, ask, units);
            }
        }
        let units = Self::overflow(question, ranked.clone(), ask);
        Self::too_close(question, plan, ranked, ask, units)
    }

    /// What is lost is better off too close to others than nowhere: where it has no place because of how everything is to be
    /// spread, that does not count for it.
    fn too_close(
        question: &Question<'_>,
        plan: &Plan,
        groups: Vec<Vec<Ranked>>,
        ask: u64,
        units: Units,
    ) -> Units {
        let lost = plan
            .grants
            .iter()
            .filter(|(at, _)| plan.seats.released[*at].cause.is_loss());
        let lost = lost.fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        if units.short == 0 || lost == 0 {
            return units;
        }
        let have = question
            .current
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let closer = question.divide_lost(&merged(groups), have.saturating_add(lost).min(ask));
        if closer.total() <= units.total() {
            return units;
        }
        let (short, limit) = (ask - closer.total().min(ask), units.limit);
        Units {
            short,
            limit: limit.filter(|_| short > 0),
            ..closer
        }
    }

    /// Where room was kept for what was lost, if all of it finds room there; what else is asked for comes later.
    pub(super) fn find_booked(
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
        let passing = self.all_groups(&question, answers);
        let is_open = |slot: Slot| {
            passing[slot]
                && plan.only.as_ref().is_none_or(|only| only.contains(&slot))
                && !self.is_replaced(slot)
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
        let mut ranked: Vec<Ranked> = Vec::new();
        for (slot, booked) in plan.seats.booked.iter().filter(|(slot, _)| is_open(*slot)) {
            let fits = (*booked).min(question.fits(*slot));
            match ranked.iter_mut().find(|one| one.slot == *slot) {
                Some(one) => one.fits = one.fits.saturating_add(fits).min(question.fits(*slot)),
                None => ranked.push(Ranked::new(*slot, 0, question.current(*slot), fits)),
            }
        }
        ranked.retain(|one| one.holds() > 0);
        hold(&mut ranked, question.current.iter().copied());
        let units = question.divide_lost(&ranked, first);
        (units.short == 0).then(|| units.short(ask - first, Limit::Spare))
    }

    /// Fills groups in order, none of which can carry everything.
    pub(super) fn overflow(question: &Question<'_>, groups: Vec<Vec<Ranked>>, ask: u64) -> Units {
        // What must be spread is divided over all of them at once, the clusters of the first group first.
        if !question.target().is_unlimited() {
            return question.divide(&merged(groups), ask);
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
    pub(super) fn rank_in(
        &self,
        question: &Question<'_>,
        group: Option<&ClusterSelector>,
        plan: &mut Plan,
        more: Option<(Slot, u64)>,
        answers: &mut Answers,
    ) -> Vec<Ranked> {
        let Screen { mut set, until } = self.screen(question, group, answers);
        plan.again_at = plan.again_at.into_iter().chain(until).min();
        // What must leave a cluster does not come to it.
        let left = plan.seats.released.iter().filter(|one| one.cause != Cause::Lost);
        let left: Vec<Slot> = left.filter_map(|one| self.fleet.slot(&one.cluster)).collect();
        let is_open =
            |slot: Slot| !left.contains(&slot) && plan.only.as_ref().is_none_or(|only| only.contains(&slot));
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

    pub(super) fn rank_kept(&self, question: &Question<'_>, answers: &mut Answers) -> Vec<Ranked> {
        let mut set = FixedBitSet::with_capacity(self.fleet.len());
        question.current.iter().for_each(|(slot, _)| set.insert(*slot));
        question.rank(&set, answers)
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

    /// The clusters that a target is to be on where it is to be on every one: those of the first of its groups that has any
    /// that can take it, whether they have room now or not.
    pub(super) fn meant(
        &self,
        question: &Question<'_>,
        again_at: &mut Option<Tick>,
        answers: &mut Answers,
    ) -> FixedBitSet {
        let groups = &question.target().groups;
        let mut last = None;
        for group in groups.iter().map(Some).chain(groups.is_empty().then_some(None)) {
            let mut screen = self.screen(question, group, answers);
            for (slot, _) in question.current {
                if group.is_some_and(|group| !group.matches(self.fleet.at(*slot))) {
                    screen.set.remove(*slot);
                }
            }
            *again_at = (*again_at).into_iter().chain(screen.until).min();
            if !screen.set.is_clear() {
                return screen.set;
            }
            last.get_or_insert(screen.set);
        }
        last.unwrap_or_default()
    }

    /// One unit on every cluster that is meant, where it fits, and on as many as are said at most. On one cluster so many
    /// more fit as are said.
    pub(super) fn on_every(
        question: &Question<'_>,
        meant: &FixedBitSet,
        most: u64,
        more: Option<(Slot, u64)>,
    ) -> Units {
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

    /// Tells which of the clusters that a target names, and that may be in any of its groups, are not there or cannot take it.
    pub(super) fn tell_missing(&self, question: &Question<'_>, plan: &mut Plan, answers: &mut Answers) {
        if question.target().clusters.is_empty() {
            return;
        }
        let set = self.all_groups(question, answers);
        let mut refused = BTreeMap::new();
        self.missing(question, &set, &mut refused);
        for (name, reasons) in refused {
            plan.refused.entry(name).or_insert(reasons);
        }
    }

    /// Named clusters that are not there or cannot take it.
    pub(super) fn missing(
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
                Some(slot) => match self.replacement(name) {
                    Some(one) => vec![Reason::new("replaced", format!("{} replaces it", one.to))],
                    None => question.refusals(slot, question.target().groups.first()),
                },
            };
            refused.insert(name.clone(), self.told(reasons));
            missing.push(name.clone());
        }
        missing
    }

    /// How many units of a target are where.
    pub(super) fn there(&self, case: &Case<'_>) -> Vec<(Slot, u64)> {
        self.units_of(case.job, case.target)
    }

    /// How many units of a target of a workload are where.
    pub(super) fn units_of(&self, job: &Job, target: usize) -> Vec<(Slot, u64)> {
        let seats = self.table.seats(&job.workload.name).iter();
        let of_target = seats.filter(|seat| seat.target == job.names[target]);
        of_target
            .map(|seat| (seat.slot, seat.assignment.active().div_ceil(job.units[target])))
            .collect()
    }
}

/// The clusters of all groups, those of the first group first.
pub(super) fn merged(groups: Vec<Vec<Ranked>>) -> Vec<Ranked> {
    let mut all: Vec<Ranked> = Vec::new();
    let mut places: BTreeMap<Slot, usize> = BTreeMap::new();
    for one in groups.into_iter().flatten() {
        match places.get(&one.slot) {
            Some(at) => all[*at].fits = all[*at].fits.max(one.fits),
            None => {
                places.insert(one.slot, all.len());
                all.push(one);
            }
        }
    }
    all
}
