//! Makes room for what is more important.

use std::{cmp::Reverse, collections::BTreeMap};

use fixedbitset::FixedBitSet;
use fleet_core::{Reason, Tick};

use super::{Job, Planner, settle::Plan};
use crate::{
    model::{MovePolicy, Slot, Survives, Take, WorkloadId},
    moves::{Cause, Move, Step},
    pipeline::Units,
    room::Freed,
    schedule::{Answers, Question},
};

/// How many clusters are tried, the best first, before nobody gives way.
const TRIES: usize = 8;

/// Who gives way on a cluster, and what for.
pub(super) struct Preemption {
    pub(super) slot: Slot,
    /// Where all units are to be then.
    pub(super) units: Units,
    victims: Vec<Victim>,
}

/// Who could give way on a cluster.
struct Found {
    slot: Slot,
    /// How many units find room there then.
    fits: u64,
    victims: Vec<Victim>,
}

/// Replicas that give way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Victim {
    priority: i32,
    /// Those that ask for least replicas to go come first among equals.
    replicas: u64,
    workload: WorkloadId,
    target: String,
}

impl Planner {
    /// Looks for the cluster where the least important, and of those the fewest, replicas must give way so that the most
    /// units that have no place find one, within all limits of the target. Only what has a lower priority gives way, and
    /// nothing of which there must never be two, because it would have to be stopped for sure. Where budgets let nobody go,
    /// it is the first one that waits for them.
    pub(super) fn look_for_victims(
        &self,
        question: &Question<'_>,
        plan: &mut Plan,
        ask: u64,
        answers: &mut Answers,
    ) {
        let short = plan.units.short;
        let set = self.all_groups(question, answers);
        let mut found: Vec<Found> = set
            .ones()
            .filter_map(|slot| self.preemption_at(question, slot, short))
            .collect();
        let worst = |one: &Found| one.victims.iter().map(|victim| victim.priority).max();
        let count = |one: &Found| {
            one.victims
                .iter()
                .fold(0_u64, |sum, victim| sum.saturating_add(victim.replicas))
        };
        found.sort_by_key(|one| (Reverse(one.fits), worst(one), count(one), one.slot));
        let mut waiting = None;
        for one in found.into_iter().take(TRIES) {
            let units = self.find(question, plan, ask, Some((one.slot, one.fits)), answers);
            if units.short < short {
                let mut kept = None;
                // Nobody gives way for what would not survive.
                if question.workload.survives != Survives::Nothing {
                    let (bookings, worst) = self.bookings(question, &units, &[], answers);
                    if worst > plan.unprotected_units {
                        continue;
                    }
                    kept = Some(bookings);
                }
                let preemption = Preemption {
                    slot: one.slot,
                    units,
                    victims: one.victims,
                };
                let now = question.view.now;
                if self.may_preempt(&preemption, now) && self.objection_to_preempt(&preemption, now).is_none()
                {
                    plan.preemption = Some(preemption);
                    plan.bookings = kept.unwrap_or_default();
                    return;
                }
                waiting.get_or_insert(preemption);
            }
        }
        plan.preemption = waiting;
    }

    /// The clusters that something new of the target may come to, in any of its groups.
    pub(super) fn all_groups(&self, question: &Question<'_>, answers: &mut Answers) -> FixedBitSet {
        let question = Question {
            current: &[],
            ..*question
        };
        let groups = &question.target().groups;
        let mut all = match groups.is_empty() {
            true => self.screen(&question, None, answers).set,
            false => FixedBitSet::with_capacity(self.fleet.len()),
        };
        for group in groups {
            all.union_with(&self.screen(&question, Some(group), answers).set);
        }
        all
    }

    fn preemption_at(&self, question: &Question<'_>, slot: Slot, short: u64) -> Option<Found> {
        let mut candidates: Vec<Victim> = Vec::new();
        for (id, _) in self.table.workloads_on(self.fleet.at(slot).name()) {
            let Some(job) = self.jobs.get(id) else { continue };
            let workload = &job.workload;
            if (workload.priority >= question.workload.priority && self.switches().priority)
                || self.is_fenced(workload)
                || job.replica.is_nothing()
                // It is needed here.
                || question.workload.beside.iter().any(|relation| relation.workload == *id)
                // Nobody could decide where it goes.
                || job.invalid.is_some()
                || self.entangled.contains(id)
            {
                continue;
            }
            let seats = self
                .table
                .seats(id)
                .iter()
                .filter(|seat| seat.slot == slot && seat.assignment.active() > 0);
            candidates.extend(seats.map(|seat| Victim {
                priority: workload.priority,
                replicas: seat.assignment.active(),
                workload: id.clone(),
                target: seat.target.to_string(),
            }));
        }
        candidates.sort_unstable();
        let free = question.fits(slot);
        let freed_by = |victims: &[Victim]| {
            let needs = |victim: &Victim| Some((&self.jobs.get(&victim.workload)?.replica, victim.replicas));
            self.room.freed(slot, victims.iter().filter_map(needs))
        };
        let fits = |freed: &Freed<'_>| self.room.fits_with(slot, question.needs, freed);
        // More than what fits already, and no more than is asked for. Estimators do not know what would give way: nothing
        // does where they say that no more fits.
        let most = fits(&freed_by(&candidates))
            .min(free.saturating_add(short))
            .min(question.estimated(slot));
        if most <= free {
            return None;
        }
        // As many of the least important as it takes, and of these only as many replicas as are needed.
        let enough = smallest(candidates.len(), |count| {
            fits(&freed_by(&candidates[..count])) >= most
        });
        candidates.truncate(enough);
        let mut freed = freed_by(&candidates);
        for at in (0..candidates.len()).rev() {
            let victim = &mut candidates[at];
            let step = self.step_of(victim);
            let steps = usize::try_from(victim.replicas / step).unwrap_or(usize::MAX);
            let replicas = |steps: usize| u64::try_from(steps).unwrap_or(u64::MAX).saturating_mul(step);
            let needed = smallest(steps, |steps| {
                freed.set(at, replicas(steps));
                fits(&freed) >= most
            });
            victim.replicas = replicas(needed);
            freed.set(at, victim.replicas);
        }
        candidates.retain(|victim| victim.replicas > 0);
        Some(Found {
            slot,
            fits: most,
            victims: candidates,
        })
    }

    /// How many replicas of a victim go together: all of them, where each cluster has the same number.
    fn step_of(&self, victim: &Victim) -> u64 {
        let job = self.jobs.get(&victim.workload);
        let target = job.and_then(|job| {
            let at = job.names.iter().position(|name| **name == *victim.target)?;
            job.workload.targets.get(at)
        });
        match target.map(|target| &target.take) {
            Some(Take::Divided { .. }) => 1,
            _ => victim.replicas.max(1),
        }
    }

    /// Whether budgets let these go.
    pub(super) fn may_preempt(&self, preemption: &Preemption, now: Tick) -> bool {
        let mut all = 0_u64;
        let mut of: BTreeMap<&WorkloadId, u64> = BTreeMap::new();
        for victim in &preemption.victims {
            all = all.saturating_add(victim.replicas);
            let own = of.entry(&victim.workload).or_default();
            *own = own.saturating_add(victim.replicas);
        }
        let within_own = |(id, replicas): (&&WorkloadId, &u64)| {
            let job = self.jobs.get(*id);
            job.is_some_and(|job| self.moves.left_of(id, &job.workload.moves, now) >= *replicas)
        };
        let left = self.moves.left(self.options.budgets, now);
        !self.switches().budgets
            || (left.at(self.fleet.at(preemption.slot).name()) >= all && of.iter().all(within_own))
    }

    /// The moves that victims make: to nowhere at first.
    fn moves_of<'a>(&'a self, preemption: &'a Preemption, now: Tick) -> impl Iterator<Item = Move> + 'a {
        let cluster = self.fleet.at(preemption.slot).name();
        preemption.victims.iter().map(move |victim| Move {
            at: now,
            workload: victim.workload.clone(),
            target: victim.target.clone(),
            from: cluster.to_owned(),
            to: String::new(),
            replicas: victim.replicas,
            cause: Cause::Preempted,
        })
    }

    /// Why somebody who has a say does not let one of these go; none: everyone does. They go at once, so it is asked before
    /// anything begins.
    pub(super) fn objection_to_preempt(&self, preemption: &Preemption, now: Tick) -> Option<Reason> {
        let steps = [Step::Before, Step::BeforeOldGoes];
        self.moves_of(preemption, now)
            .find_map(|one| steps.iter().find_map(|step| self.objection(*step, &one)))
    }

    /// When budgets may let all of these go.
    pub(super) fn victims_free(&self, preemption: &Preemption, now: Tick) -> Option<Tick> {
        let cluster = self.fleet.at(preemption.slot).name();
        let budgets = self.options.budgets;
        let mut own: BTreeMap<&WorkloadId, u64> = BTreeMap::new();
        for victim in &preemption.victims {
            let replicas = own.entry(&victim.workload).or_default();
            *replicas = replicas.saturating_add(victim.replicas);
        }
        let all = own
            .values()
            .fold(0_u64, |sum, replicas| sum.saturating_add(*replicas));
        // All must be free: one budget that is too small for ever keeps everybody.
        let last = own.iter().try_fold(now, |last, (id, replicas)| {
            let policy = &self.jobs.get(*id)?.workload.moves;
            let free = |policy: &MovePolicy, replicas: u64| {
                self.moves.free_at(budgets, policy, id, &[cluster], replicas, now)
            };
            Some(
                last.max(free(policy, *replicas)?)
                    .max(free(&MovePolicy::default(), all)?),
            )
        });
        Some(self.later(last?, now))
    }

    /// Lets victims go: they are looked at again, and go elsewhere if there is room.
    pub(super) fn evict(&mut self, preemption: &Preemption, now: Tick) -> Vec<Move> {
        let moves: Vec<Move> = self.moves_of(preemption, now).collect();
        for made in &moves {
            let before = self.table.placement(&made.workload);
            let target = made.target.as_str().into();
            self.take_out(&made.workload, &target, &made.from, made.replicas);
            self.remember(&made.workload, &before, std::slice::from_ref(made), now);
            self.moves.record(made.clone());
            self.dirty.insert(made.workload.clone());
            self.touch_related(&made.workload);
        }
        moves
    }
}

impl Job {
    /// Whether it may push out what has a lower priority.
    pub(super) fn can_preempt(&self) -> bool {
        self.workload.preempts && !self.replica.is_nothing()
    }
}

/// The smallest number up to this one for which it holds; it holds for all above one for which it does.
fn smallest(most: usize, mut holds: impl FnMut(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, most);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}
