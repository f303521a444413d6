//! What goes, and when it is gone.

use std::{collections::BTreeMap, sync::Arc};

use fleet_core::{Reason, Tick};

use super::{Facts, Job, Planner, Round, seats::token};
use crate::{
    decision::{Decision, Outcome, Proposal},
    model::{Assignment, ClusterInfo, Nature, Placement, Take, Workload, WorkloadId},
    moves::Cause,
};

pub(super) type Placed = BTreeMap<String, Assignment>;

/// How many replicas of a workload of which there must never be two are going and not known to be stopped, and how many
/// others wait for that.
#[derive(Clone, Copy, Default)]
pub(super) struct Fence {
    going: u64,
    held: u64,
}

impl Fence {
    /// How many are going.
    pub(super) fn going(self) -> u64 {
        self.going
    }

    /// How many have ended.
    pub(super) fn all(self) -> u64 {
        self.going + self.held
    }

    /// Some have ended.
    pub(super) fn ended(&mut self, ended: Self) {
        self.going = self.going.saturating_add(ended.going);
        self.held = self.held.saturating_sub(ended.held);
    }

    /// How many of some that start must wait.
    pub(super) fn hold(&mut self, replicas: u64) -> u64 {
        let held = self.going.saturating_sub(self.held).min(replicas);
        self.held = self.held.saturating_add(held);
        held
    }
}

impl Planner {
    /// Whether there must never be two of a workload.
    pub(super) fn is_fenced(&self, workload: &Workload) -> bool {
        self.switches().fencing && workload.nature.is_fenced()
    }

    /// Whether the old copies of a workload may stop at once when new ones start elsewhere: not where the move can be taken
    /// back.
    pub(super) fn stops_first(&self, workload: &Workload, cause: Cause) -> bool {
        workload.moves.stop_first && !self.is_fenced(workload) && cause != Cause::Replace
    }

    /// Stops everything of a workload of which there must never be two; it frees its place once it is known to be stopped.
    pub(super) fn stop_all(&mut self, job: &Job, facts: &Facts, now: Tick, outcome: Outcome) -> Decision {
        let id = &job.workload.name;
        let mut placement = self.table.placement(id);
        for one in placement.targets.values_mut().flat_map(BTreeMap::values_mut) {
            self.stop(job, one, u64::MAX, now);
        }
        self.place_all(id, &placement);
        let proposals = self.let_go(job, facts, now);
        if self.table.placement(id).targets.is_empty() {
            self.clear(id);
        }
        let mut decision = Decision::new(id, outcome, self.placement(id));
        decision.proposals = proposals;
        decision.stays = self.old_copies(job, facts, now);
        decision
    }

    /// Ends what is not wanted any more once it is known to be stopped.
    pub(super) fn end_removed(&mut self, facts: &Facts, now: Tick, round: &mut Round) {
        for (id, job) in self.removed.clone() {
            let before = self.table.placement(&id);
            let decision = self.stop_all(&job, facts, now, Outcome::Removed);
            if decision.placement.targets.is_empty() {
                self.removed.remove(&id);
                self.touch_related(&id);
            }
            if decision.placement.targets != before.targets || !decision.proposals.is_empty() {
                round.insert(id.to_string(), decision);
            }
        }
    }

    /// Lets go what has waited for its stand-ins to be healthy, or to be stopped where there must never be two; then starts
    /// what has waited for that. What people must say before it goes on is proposed.
    pub(super) fn let_go(&mut self, job: &Job, facts: &Facts, now: Tick) -> Vec<Proposal> {
        let is_known = |target: &str| job.names.iter().any(|name| **name == *target);
        let id = &job.workload.name;
        let mut gone = self.table.targets(id);
        gone.retain(|target| !is_known(target));
        if !gone.is_empty() {
            self.stop_targets(job, &gone, now);
        }
        self.let_moved_go(job, facts, now)
    }

    /// Targets that are not there any more free their place.
    fn stop_targets(&mut self, job: &Job, gone: &[Arc<str>], now: Tick) {
        let mut placement = self.table.placement(&job.workload.name);
        let is_gone = |target: &String| gone.iter().any(|name| **name == **target);
        let ending = placement.targets.iter_mut().filter(|(target, _)| is_gone(target));
        for one in ending.flat_map(|(_, placed)| placed.values_mut()) {
            self.stop(job, one, u64::MAX, now);
            if !self.is_fenced(&job.workload) {
                drop_going(one, now);
            }
        }
        for placed in placement.targets.values_mut() {
            placed.retain(|_, one| one.replicas > 0);
        }
        placement.targets.retain(|_, placed| !placed.is_empty());
        self.place_all(&job.workload.name, &placement);
    }

    /// Lets go what has waited, of targets that are there and of others.
    pub(super) fn let_moved_go(&mut self, job: &Job, facts: &Facts, now: Tick) -> Vec<Proposal> {
        let mut proposals = Vec::new();
        if !self.table.is_moving(&job.workload.name) {
            return proposals;
        }
        let mut placement = self.table.placement(&job.workload.name);
        let is_fenced = self.is_fenced(&job.workload);
        for (target, placed) in &mut placement.targets {
            if is_fenced {
                self.let_stopped_go(job, target, placed, facts, now, &mut proposals);
            } else {
                self.let_replaced_go(job, target, placed, facts, now);
            }
            placed.retain(|_, one| one.replicas > 0);
        }
        placement.targets.retain(|_, placed| !placed.is_empty());
        if self.fence(job, &placement, facts, now).going == 0 {
            for (name, one) in placement.targets.values_mut().flatten() {
                // Nothing starts where nobody can be told to start it.
                if one.held > 0 && !self.cannot_be_asked(name) {
                    (one.held, one.since) = (0, now);
                }
            }
        }
        self.place_all(&job.workload.name, &placement);
        proposals
    }

    /// Lets replicas go that others stand in for: as many as are healthy elsewhere beyond what is wanted and has a place, so
    /// that never fewer run than before. What was changed at this very moment cannot have been observed to be healthy.
    fn let_replaced_go(&self, job: &Job, target: &str, placed: &mut Placed, facts: &Facts, now: Tick) {
        self.stay_after_all(job, target, placed, now);
        let mut spare = self.beyond_wanted(job, target, placed, facts, now);
        let to = self.stand_in(placed);
        let id = &job.workload.name;
        let is_healthy =
            |(name, one): &(&String, &mut Assignment)| facts.healthy_when(id, name, now) > Some(one.since);
        let mut going: Vec<_> = placed.iter_mut().filter(|(_, one)| one.going > 0).collect();
        // Those first of which it is not known that they are healthy.
        going.sort_by_key(is_healthy);
        for (name, one) in going {
            let cluster = self.fleet.get(name);
            if !self.switches().returning
                && cluster.is_some_and(|cluster| cluster.is_in_contact() && !cluster.is_going())
            {
                one.going = 0;
                continue;
            }
            // What is on a cluster that has left is not counted on.
            let is_left = cluster.is_none();
            let may_go =
                one.since < now && self.held_back(job, target, (name, one.going), &to, now).is_none();
            let count = match self.switches().healthy_first {
                _ if is_left && spare >= 0 => one.going,
                true if may_go => one.going.min(u64::try_from(spare).unwrap_or(0)),
                true => 0,
                false => one.going,
            };
            if !is_left {
                spare -= i128::from(count);
            }
            drop_some_going(one, count, now);
        }
    }

    /// Where fewer have a place than are wanted, what is to go stays, if it may be where it is by now.
    fn stay_after_all(&self, job: &Job, target: &str, placed: &mut Placed, now: Tick) {
        let at = job.names.iter().position(|name| **name == *target);
        let Some((at, Take::Divided { replicas, .. })) = at.map(|at| (at, &job.workload.targets[at].take))
        else {
            return;
        };
        let active = placed
            .values()
            .fold(0_u64, |sum, one| sum.saturating_add(one.active()));
        let mut lacking = replicas.saturating_sub(active);
        for (name, one) in placed.iter_mut().filter(|(_, one)| one.going > 0) {
            if lacking > 0 && self.may_stay(job, at, name, now) {
                let back = one.going.min(lacking);
                one.going -= back;
                lacking -= back;
            }
        }
    }

    /// Whether what is on a cluster may stay there.
    fn may_stay(&self, job: &Job, target: usize, cluster: &str, now: Tick) -> bool {
        let Some(slot) = self.fleet.slot(cluster) else {
            return false;
        };
        let info = self.fleet.at(slot);
        let current = [(slot, 1)];
        let question = self.question(job, target, &current, now);
        info.is_in_contact()
            && !info.is_going()
            && !self.is_replaced(slot)
            && question
                .refusals_of_current(slot, self.switches().sticky)
                .is_empty()
    }

    /// How many replicas of a target that run are more than are wanted of it; below 0, too few run.
    fn beyond_wanted(&self, job: &Job, target: &str, placed: &Placed, facts: &Facts, now: Tick) -> i128 {
        let id = &job.workload.name;
        let answering = || placed.iter().filter(|(name, _)| self.answers(name));
        let healthy = answering().filter(|(name, one)| facts.healthy_when(id, name, now) > Some(one.since));
        let healthy: i128 = healthy.map(|(_, one)| i128::from(one.active())).sum();
        let going: i128 = answering().map(|(_, one)| i128::from(one.going)).sum();
        let at = job.names.iter().position(|name| **name == *target);
        let wanted: i128 = match at.map(|at| &job.workload.targets[at].take) {
            // What has no place anyhow is not waited for: a cluster could never be drained then.
            Some(Take::Divided { replicas, .. }) => {
                let placed: i128 = placed.values().map(|one| i128::from(one.active())).sum();
                placed.min(i128::from(*replicas))
            }
            Some(Take::Each {
                replicas,
                clusters: Some(clusters),
            }) => {
                let placed: i128 = placed.values().map(|one| i128::from(one.active())).sum();
                placed.min(i128::from((*replicas).max(1)) * i128::from(*clusters))
            }
            // As many as there are to be where it can be asked.
            _ => {
                let there = placed.iter().filter(|(name, _)| !self.cannot_be_asked(name));
                there.map(|(_, one)| i128::from(one.active())).sum()
            }
        };
        healthy + going - wanted
    }

    /// Lets replicas go that are known to be stopped. Where they cannot be asked, a person may say that they are.
    fn let_stopped_go(
        &self,
        job: &Job,
        target: &str,
        placed: &mut Placed,
        facts: &Facts,
        now: Tick,
        proposals: &mut Vec<Proposal>,
    ) {
        let id = &job.workload.name;
        for (name, one) in placed.iter_mut().filter(|(_, one)| one.going > 0) {
            if self.is_over(job, name, one, facts, now) {
                if !self.is_reversible(name, now) {
                    drop_going(one, now);
                }
                continue;
            }
            if !self.cannot_be_asked(name) {
                continue;
            }
            let since = self.fleet.get(name).and_then(ClusterInfo::lost_since);
            let token = token(id, target, name, since.unwrap_or(one.since));
            if facts.approved.contains(&token) {
                drop_going(one, now);
                continue;
            }
            proposals.push(Proposal {
                token,
                target: target.to_owned(),
                cluster: name.clone(),
                replicas: one.going,
                reason: Reason::new(
                    "approve",
                    format!(
                        "cluster {name} cannot be asked; approve when the old copy is sure to be stopped"
                    ),
                ),
            });
        }
    }

    /// Ends replicas that nothing stands in for. Where there must never be two, they count until they are known to be
    /// stopped.
    pub(super) fn stop(&self, job: &Job, one: &mut Assignment, count: u64, now: Tick) -> Fence {
        let ended = end(one, count, self.is_fenced(&job.workload));
        if ended.going > 0 {
            one.since = now;
        }
        ended
    }

    /// How many of a workload are going and not known to be stopped, and how many wait for that.
    pub(super) fn fence(&self, job: &Job, placement: &Placement, facts: &Facts, now: Tick) -> Fence {
        if !self.is_fenced(&job.workload) {
            return Fence::default();
        }
        let mut fence = Fence::default();
        for (name, one) in placement.targets.values().flatten() {
            fence.held = fence.held.saturating_add(one.held);
            if !self.is_over(job, name, one, facts, now) {
                fence.going = fence.going.saturating_add(one.going);
            }
        }
        fence
    }

    /// Whether what is going on a cluster is known to be stopped: since it was told to stop, because until then it may start
    /// anew; or since the cluster cannot be asked, because nothing starts there then.
    pub(super) fn is_over(
        &self,
        job: &Job,
        cluster: &str,
        one: &Assignment,
        facts: &Facts,
        now: Tick,
    ) -> bool {
        let id = &job.workload.name;
        let Some(stopped) = facts.down_to(id, cluster, self.to_run(id, cluster), now) else {
            return false;
        };
        stopped > one.since || self.silent_since(cluster).is_some_and(|since| stopped >= since)
    }

    /// How many replicas of a workload are to run on a cluster, without those that are going or held.
    fn to_run(&self, id: &WorkloadId, cluster: &str) -> u64 {
        let slot = self.fleet.slot(cluster);
        let here = self.table.seats(id).iter().filter(|seat| Some(seat.slot) == slot);
        here.fold(0, |sum, seat| {
            sum.saturating_add(seat.assignment.runs(Nature::Stateful))
        })
    }

    /// Since when a cluster cannot be asked, because it is lost or not in the fleet any more.
    fn silent_since(&self, cluster: &str) -> Option<Tick> {
        match self.fleet.get(cluster) {
            Some(cluster) => cluster.lost_since(),
            None => Some(self.left_since(cluster)),
        }
    }

    /// Lost, or not in the fleet any more.
    pub(super) fn cannot_be_asked(&self, cluster: &str) -> bool {
        self.fleet
            .get(cluster)
            .is_none_or(|cluster| cluster.lost_since().is_some())
    }
}

/// Ends replicas that count, those first that are not started yet. What runs stays as going if that is said. How many are
/// going now, and how many need not be waited for any more.
pub(super) fn end(one: &mut Assignment, count: u64, is_going: bool) -> Fence {
    let count = count.min(one.active());
    let held = count.min(one.held);
    let going = if is_going { count - held } else { 0 };
    (one.replicas, one.held) = (one.replicas - (count - going), one.held - held);
    one.going += going;
    Fence { going, held }
}

/// What was going is gone.
pub(super) fn drop_going(one: &mut Assignment, now: Tick) {
    drop_some_going(one, one.going, now);
}

fn drop_some_going(one: &mut Assignment, count: u64, now: Tick) {
    if count > 0 {
        one.replicas -= count;
        (one.going, one.since) = (one.going - count, now);
    }
}
