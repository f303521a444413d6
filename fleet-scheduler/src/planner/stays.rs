//! Why old copies stay.

use fleet_core::{Reason, Tick};

use super::{Facts, Job, Planner, ReplacementState, leave::Placed};
use crate::{
    decision::OldCopies,
    model::{Assignment, ClusterInfo},
    moves::{Cause, Move, Step},
};

/// Why old copies stay, and until when if that is known.
pub(super) type Stays = (Reason, Option<Tick>);

impl Planner {
    /// All old copies of a workload, and why they are still there.
    pub(super) fn old_copies(&self, job: &Job, facts: &Facts, now: Tick) -> Vec<OldCopies> {
        let mut all = Vec::new();
        if !self.table.is_moving(&job.workload.name) {
            return all;
        }
        let placement = self.table.placement(&job.workload.name);
        for (target, placed) in &placement.targets {
            let to = self.stand_in(placed);
            for (cluster, one) in placed.iter().filter(|(_, one)| one.going > 0) {
                let (reason, until) = match self.is_fenced(&job.workload) {
                    true => self.not_stopped(job, cluster, one, facts, now),
                    false => self
                        .held_back(job, target, (cluster, one.going), &to, now)
                        .unwrap_or_else(|| (self.unhealthy(job, placed, one, facts, now), None)),
                };
                all.push(OldCopies {
                    target: target.clone(),
                    cluster: cluster.clone(),
                    replicas: one.going,
                    reason,
                    until,
                });
            }
        }
        all
    }

    /// Why the old copies on a cluster may not go yet, however many others are healthy; none: they may.
    pub(super) fn held_back(
        &self,
        job: &Job,
        target: &str,
        (cluster, going): (&str, u64),
        to: &str,
        now: Tick,
    ) -> Option<Stays> {
        let is_silent = self
            .fleet
            .get(cluster)
            .is_some_and(|cluster| !cluster.is_in_contact());
        if is_silent {
            return Some((Reason::new("silent", format!("{cluster} does not answer")), None));
        }
        if let Some(soaks) = self.soaks(cluster, now) {
            return Some(soaks);
        }
        self.keeps_old(job, target, (cluster, going), to)
            .map(|reason| (reason, None))
    }

    /// The old copies on a cluster stay because its replacement can still be taken back.
    fn soaks(&self, cluster: &str, now: Tick) -> Option<Stays> {
        if !self.is_reversible(cluster, now) {
            return None;
        }
        let one = self.replacements.get(cluster)?;
        let until = match one.state(now) {
            ReplacementState::Soaking { until } => Some(until),
            _ => None,
        };
        let message = format!("{cluster} can be taken back until {} has soaked", one.to);
        Some((Reason::new("soak", message), until))
    }

    /// Why copies are not gone of which there must never be two.
    fn not_stopped(&self, job: &Job, cluster: &str, one: &Assignment, facts: &Facts, now: Tick) -> Stays {
        if self.is_over(job, cluster, one, facts, now)
            && let Some(soaks) = self.soaks(cluster, now)
        {
            return soaks;
        }
        let message = match self.cannot_be_asked(cluster) {
            true => format!("{cluster} cannot be asked whether they are stopped"),
            false => "they are not known to be stopped".to_owned(),
        };
        (Reason::new("not-stopped", message), None)
    }

    /// Too few are known to be healthy for old copies to go.
    fn unhealthy(&self, job: &Job, placed: &Placed, old: &Assignment, facts: &Facts, now: Tick) -> Reason {
        let id = &job.workload.name;
        let not_healthy = placed.iter().filter(|(name, one)| {
            one.active() > 0 && self.answers(name) && facts.healthy_when(id, name, now) <= Some(one.since)
        });
        let on: Vec<&str> = not_healthy.map(|(name, _)| name.as_str()).collect();
        let message = match &*on {
            [] if old.since >= now => return Reason::new("just-now", "it was decided just now"),
            [] => "fewer than are wanted would be left".to_owned(),
            on => format!("not known to be healthy on {}", on.join(", ")),
        };
        Reason::new("unhealthy", message).with("clusters", on.join(","))
    }

    /// The cluster that stands for all that old copies go to.
    pub(super) fn stand_in(&self, placed: &Placed) -> String {
        let stand_in = placed
            .iter()
            .find(|(name, one)| one.active() > 0 && !self.cannot_be_asked(name));
        stand_in.map(|(name, _)| name.clone()).unwrap_or_default()
    }

    /// Why somebody who has a say keeps so many old copies on a cluster; none: they may go. Asked about the last moves that
    /// make up these copies.
    fn keeps_old(&self, job: &Job, target: &str, (from, going): (&str, u64), to: &str) -> Option<Reason> {
        if self.scheduler.parts().gates.is_empty() {
            return None;
        }
        let id = &job.workload.name;
        let of_it = self
            .moves
            .latest(id)
            .filter(|one| one.from == from && one.target == *target && !one.to.is_empty());
        let mut rest = going;
        let mut moves: Vec<Move> = Vec::new();
        for one in of_it {
            if rest == 0 {
                break;
            }
            rest = rest.saturating_sub(one.replicas);
            moves.push(one.clone());
        }
        // The log may have forgotten a move that takes long.
        if rest > 0 {
            moves.push(Move {
                at: Tick(0),
                workload: id.clone(),
                target: target.to_owned(),
                from: from.to_owned(),
                to: to.to_owned(),
                replicas: rest,
                cause: Cause::Unknown,
            });
        }
        let steps = [Step::Switched, Step::BeforeOldGoes];
        let mut asked = moves.iter().rev().flat_map(|one| steps.map(|step| (step, one)));
        asked.find_map(|(step, one)| self.objection(step, one))
    }

    /// Whether the old copies on a cluster stay because its replacement can still be taken back.
    pub(super) fn is_reversible(&self, cluster: &str, now: Tick) -> bool {
        let replacement = self.replacements.get(cluster);
        self.switches().replacement && replacement.is_some_and(|one| one.state(now) != ReplacementState::Done)
    }

    /// Whether a cluster is in contact.
    pub(super) fn answers(&self, cluster: &str) -> bool {
        self.fleet.get(cluster).is_some_and(ClusterInfo::is_in_contact)
    }
}
