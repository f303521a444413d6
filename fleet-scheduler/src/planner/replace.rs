//! Replaces a cluster by another: everything drains from one into the other, and can come back until the end.

use fleet_core::{Millis, Tick};
use serde::{Deserialize, Serialize};

use super::{Facts, Planner, leave::end, seats::Seats, settle::Case};
use crate::{
    model::{Assignment, ClusterInfo, ClusterSelector, FleetView, Slot, WorkloadId},
    schedule::{Answers, Question, Screen},
};

/// One cluster replaces another (blue/green): everything of `from` is started on `to`, a few replicas at a time; then both
/// are kept for a while, and until that is over everything can come back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Replacement {
    /// The old cluster.
    pub from: String,
    /// The new one.
    pub to: String,
    /// How many replicas of a workload's target may be on their way and not healthy yet.
    pub surge: u64,
    /// How long the old copies stay once everything is healthy on the new cluster.
    pub soak: Millis,
    /// Since when everything is healthy there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub soaking_since: Option<Tick>,
}

/// Why a cluster cannot be replaced by another.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidReplacement {
    /// It is not in the fleet.
    #[error("cluster {0} is not in the fleet")]
    Unknown(String),
    /// By itself.
    #[error("cluster {0} cannot be replaced by itself")]
    ByItself(String),
    /// One of the two takes part in another replacement, which must end first.
    #[error("{from} is being replaced by {to}: that must end, or be taken back, first")]
    TakesPart {
        /// The old cluster of the other.
        from: String,
        /// The new one.
        to: String,
    },
}

/// How a replacement stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ReplacementState {
    /// Replicas are being started on the new cluster.
    Moving,
    /// Everything is healthy there; the old copies stay until then, and it can be taken back.
    Soaking {
        /// When the old copies go.
        until: Tick,
    },
    /// The old copies may go: it cannot be taken back any more.
    Done,
}

impl Replacement {
    /// One cluster by another: 1 replica at a time, and an hour to come back.
    pub fn new(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            to: to.into(),
            surge: 1,
            soak: Millis::from_mins(60),
            soaking_since: None,
        }
    }

    /// So many replicas of a target at a time.
    #[must_use]
    pub fn surge(mut self, surge: u64) -> Self {
        self.surge = surge;
        self
    }

    /// So long to come back.
    #[must_use]
    pub fn soak(mut self, soak: Millis) -> Self {
        self.soak = soak;
        self
    }

    /// Pairs clusters whose labels say which cluster they replace: `label` on the new one names the old one. Pairs whose
    /// old cluster is not there are left out.
    pub fn pairs(fleet: &FleetView, label: &str) -> Vec<Self> {
        let named = fleet
            .clusters()
            .filter_map(|new| Some((new.cluster.labels.get(label)?, new.name())));
        named
            .filter(|(old, _)| fleet.get(old).is_some())
            .map(|(old, new)| Self::new(old, new))
            .collect()
    }

    /// How it stands.
    pub fn state(&self, now: Tick) -> ReplacementState {
        match self.soaking_since {
            None => ReplacementState::Moving,
            Some(since) if since + self.soak > now => ReplacementState::Soaking {
                until: since + self.soak,
            },
            Some(_) => ReplacementState::Done,
        }
    }
}

impl Planner {
    /// Begins to replace a cluster; or goes on with it, where it was begun before.
    ///
    /// # Errors
    /// When one of the two is not in the fleet, or takes part in another replacement.
    pub fn replace(&mut self, replacement: Replacement) -> Result<(), InvalidReplacement> {
        for name in [&replacement.from, &replacement.to] {
            if self.fleet.get(name).is_none() {
                return Err(InvalidReplacement::Unknown(name.clone()));
            }
        }
        if replacement.from == replacement.to {
            return Err(InvalidReplacement::ByItself(replacement.from));
        }
        for one in self.replacements.values() {
            let is_same = one.from == replacement.from && one.to == replacement.to;
            let parts = [&one.from, &one.to];
            let is_chain = parts.contains(&&replacement.from) || one.from == replacement.to;
            if is_chain && !is_same {
                return Err(InvalidReplacement::TakesPart {
                    from: one.from.clone(),
                    to: one.to.clone(),
                });
            }
        }
        self.touch_cluster(&replacement.from);
        self.replacements.insert(replacement.from.clone(), replacement);
        Ok(())
    }

    /// Takes a replacement back: what is still on the old cluster stays there, and its stand-ins go as soon as it is healthy
    /// there. False when nothing replaces this cluster, when it is done, or when the old cluster does not answer: then what
    /// is on the new one is all that is known to run.
    pub fn take_back(&mut self, from: &str, now: Tick) -> bool {
        if !self.fleet.get(from).is_some_and(ClusterInfo::is_in_contact) {
            return false;
        }
        let is_open = |one: &Replacement| one.state(now) != ReplacementState::Done;
        let Some(replacement) = self.replacements.get(from).filter(|one| is_open(one)).cloned() else {
            return false;
        };
        self.replacements.remove(from);
        let ids: Vec<_> = self.table.workloads_on(from).map(|(id, _)| id.clone()).collect();
        for id in ids {
            let Some(job) = self.jobs.get(&id).cloned() else {
                continue;
            };
            let is_fenced = self.is_fenced(&job.workload);
            let before = self.table.placement(&id);
            for (target, was) in &before.targets {
                let mut placed = was.clone();
                let Some(back) = placed.get(from).map(|old| old.going).filter(|back| *back > 0) else {
                    continue;
                };
                let new = placed.get_mut(&replacement.to);
                let ended = new.map(|new| match is_fenced {
                    true => self.stop(&job, new, back, now),
                    false => end(new, back, true),
                });
                let ended = ended.unwrap_or_default();
                if let Some(old) = placed.get_mut(from) {
                    // Where there must never be two, only so many come back as have ended, and those of them that had
                    // started must be stopped first.
                    let back = if is_fenced { ended.all() } else { back };
                    old.going -= back;
                    if is_fenced {
                        (old.held, old.since) = (ended.going(), now);
                    }
                }
                placed.retain(|_, assignment| assignment.replicas > 0);
                self.place(&id, &target.as_str().into(), &placed);
            }
            self.remember(&id, &before, &[], now);
            self.dirty.insert(id);
        }
        self.wake();
        true
    }

    /// The clusters that a target can be on, in this group of its groups, without those that are being replaced and have
    /// none of it.
    pub(super) fn screen(
        &self,
        question: &Question<'_>,
        group: Option<&ClusterSelector>,
        answers: &mut Answers,
    ) -> Screen {
        let mut screen = question.screen(group, answers);
        for slot in self.replacements.keys().filter_map(|from| self.fleet.slot(from)) {
            if question.current(slot) == 0 {
                screen.set.remove(slot);
            }
        }
        screen
    }

    /// Whether another cluster replaces this one.
    pub(super) fn is_replaced(&self, slot: Slot) -> bool {
        !self.replacements.is_empty() && self.replacements.contains_key(self.fleet.at(slot).name())
    }

    /// All replacements: to be kept beside the placements, and begun again by [`replace`](Self::replace) in a new process.
    pub fn replacements(&self) -> impl Iterator<Item = &Replacement> {
        self.replacements.values()
    }

    /// What replaces a cluster.
    pub fn replacement(&self, from: &str) -> Option<&Replacement> {
        self.replacements.get(from)
    }

    /// A replacement is over once nothing is on the old cluster: it should be drained or taken out before it is forgotten.
    pub fn forget_replacement(&mut self, from: &str) {
        self.replacements.remove(from);
        self.touch_cluster(from);
        self.wake();
    }

    pub(super) fn touch_cluster(&mut self, cluster: &str) {
        let on: Vec<_> = self
            .table
            .workloads_on(cluster)
            .map(|(id, _)| id.clone())
            .collect();
        self.dirty.extend(on);
    }

    /// How many replicas more may be on their way from a cluster to the one that replaces it.
    pub(super) fn surge(&self, case: &Case<'_>, seats: &Seats, from: &str) -> u64 {
        let Some(replacement) = self
            .replacements
            .get(from)
            .filter(|_| self.switches().replacement)
        else {
            return u64::MAX;
        };
        let there = seats.placed.get(&replacement.to).map_or(0, Assignment::active);
        // While some there are not healthy, it is not known how many.
        match there == 0 || Self::is_healthy(case, seats, &replacement.to) {
            true => replacement.surge.max(case.unit()),
            false => 0,
        }
    }

    /// Whether what is on a cluster was seen to be healthy since it was changed last.
    fn is_healthy(case: &Case<'_>, seats: &Seats, cluster: &str) -> bool {
        let since = seats.placed.get(cluster).map_or(case.now, |one| one.since);
        case.facts.healthy_when(case.id(), cluster, case.now) > Some(since)
    }

    /// Whether nothing of a workload counts on an old cluster, and what counts on the new one is healthy. What is on each
    /// cluster stays on both until the end.
    fn is_moved(&self, id: &WorkloadId, replacement: &Replacement, facts: &Facts, now: Tick) -> bool {
        let Some(job) = self.jobs.get(id) else {
            return true;
        };
        let is_everywhere = |name: &str| {
            let at = job.names.iter().position(|known| **known == *name);
            at.is_some_and(|at| super::takes_every(&job.workload.targets[at]))
        };
        let counting = |cluster: &str| {
            let slot = self.fleet.slot(cluster);
            let here = self
                .table
                .seats(id)
                .iter()
                .filter(move |seat| Some(seat.slot) == slot);
            here.filter(|seat| !is_everywhere(&seat.target) && seat.assignment.active() > 0)
        };
        let healthy = facts.healthy_when(id, &replacement.to, now);
        counting(&replacement.from).next().is_none()
            && counting(&replacement.to).all(|seat| healthy > Some(seat.assignment.since))
    }

    /// What has not moved yet in a replacement, or is not healthy: what its soak waits for.
    pub fn not_replaced(&self, from: &str, facts: &Facts) -> Vec<WorkloadId> {
        let Some(one) = self
            .replacements
            .get(from)
            .filter(|one| one.soaking_since.is_none())
        else {
            return Vec::new();
        };
        let on = self.table.workloads_on(from).map(|(id, _)| id);
        on.filter(|id| !self.is_moved(id, one, facts, self.now))
            .cloned()
            .collect()
    }

    /// Begins the soak of each replacement whose replicas are all healthy on the new cluster.
    pub(super) fn watch_replacements(&mut self, facts: &Facts, now: Tick) {
        let mut begun = Vec::new();
        for (from, one) in self
            .replacements
            .iter()
            .filter(|(_, one)| one.soaking_since.is_none())
        {
            let mut on = self
                .table
                .workloads_on(from)
                .filter(|(id, _)| self.jobs.contains_key(id))
                .peekable();
            let is_moved = |id: &WorkloadId| self.is_moved(id, one, facts, now);
            if on.peek().is_some() && on.all(|(id, _)| is_moved(id)) {
                begun.push(from.clone());
            }
        }
        for from in begun {
            if let Some(one) = self.replacements.get_mut(&from) {
                one.soaking_since = Some(now);
            }
        }
        let ends = self.replacements.values().filter_map(|one| match one.state(now) {
            ReplacementState::Soaking { until } => Some((until, one.from.clone())),
            _ => None,
        });
        let wakes: Vec<_> = ends
            .flat_map(|(until, from)| {
                let on: Vec<_> = self
                    .table
                    .workloads_on(&from)
                    .map(|(id, _)| (until, id.clone()))
                    .collect();
                on
            })
            .collect();
        self.wakes.extend(wakes);
    }
}
