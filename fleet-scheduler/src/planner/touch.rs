//! Who must be decided again because a cluster has changed.

use std::collections::BTreeSet;

use super::{Planner, takes_every};
use crate::{
    model::{Slot, Survives, WorkloadId},
    schedule::Question,
};

/// With more clusters than this, it takes longer to ask who can be on one of them than to decide.
const FEW: usize = 16;

impl Planner {
    /// These clusters have got better: whoever waits is decided again, and whoever has no place, if one of them can take it.
    pub(super) fn touch_pending(&mut self, better: &BTreeSet<Slot>) {
        if !self.switches().wakes {
            return;
        }
        let may_help = |id: &&WorkloadId| {
            better.len() > FEW
                || self.is_protected(id)
                || better.iter().any(|slot| self.is_helped_on(id, *slot))
        };
        let short = self.short.iter().filter(may_help);
        let touched: Vec<WorkloadId> = self.pending.iter().chain(short).cloned().collect();
        self.dirty.extend(touched);
    }

    /// Something has gone: whoever has no place may find one where it was.
    pub(super) fn touch_freed(&mut self) {
        let freed = std::mem::take(&mut self.freed);
        if !freed.is_empty() {
            self.touch_pending(&freed);
        }
    }

    /// A cluster has changed, but not what it means: whoever is to be on every cluster may be wanted there from now on, or not
    /// any more.
    pub(super) fn touch_everywhere(&mut self, slot: Slot) {
        let is_wanted = |id: &&WorkloadId| {
            let is_short = self.short.contains(*id);
            let may_change = |question: &Question<'_>| match is_short {
                true => question.is_meant(slot),
                false => can_be_on(question, slot),
            };
            self.table.replicas_at(id, slot) == 0
                && self.any_target(id, slot, |question| {
                    takes_every(question.target()) && may_change(question)
                })
        };
        let touched: Vec<WorkloadId> = self.everywhere.iter().filter(is_wanted).cloned().collect();
        self.dirty.extend(touched);
    }

    /// A cluster has changed: what is there is decided again. Where nothing but its observation is new, that is only what
    /// cannot stay: what fits, or does not, moves nothing that is there.
    pub(super) fn touch_there(&mut self, slot: Slot, is_only_observed: bool) {
        let there = self.table.ids_on(slot);
        let touched: Vec<WorkloadId> = there
            .filter(|id| !is_only_observed || !self.stays_on(id, slot))
            .cloned()
            .collect();
        // Room that was kept there may not be any more.
        if !is_only_observed || self.room.is_overbooked(slot) {
            self.dirty.extend(self.room.booked_on(slot).cloned());
        }
        self.dirty.extend(touched);
    }

    /// Whether room is kept for a workload in case something vanishes: more of it may help anywhere.
    fn is_protected(&self, id: &WorkloadId) -> bool {
        let job = self.jobs.get(id);
        job.is_some_and(|job| job.workload.survives != Survives::Nothing)
    }

    /// Whether more room on a cluster may help a workload that can be there: one unit more fits, others can give way, or
    /// replicas may be missing of a unit that is there.
    fn is_helped_on(&self, id: &WorkloadId, slot: Slot) -> bool {
        let can_preempt = self.jobs.get(id).is_some_and(|job| job.can_preempt());
        self.any_target(id, slot, |question| {
            let may_help = can_preempt || question.current(slot) > 0 || question.fits(slot) > 0;
            may_help && can_be_on(question, slot)
        })
    }

    /// Whether everything of a workload that is on a cluster may stay there.
    fn stays_on(&self, id: &WorkloadId, slot: Slot) -> bool {
        !self.any_target(id, slot, |question| {
            !question.current.is_empty()
                && !question
                    .refusals_of_current(slot, self.switches().sticky)
                    .is_empty()
        })
    }

    /// Asks about each target, with what of it is on this cluster, at the moment of the last decision: what ends by time
    /// wakes a workload by itself.
    fn any_target(&self, id: &WorkloadId, slot: Slot, holds: impl Fn(&Question<'_>) -> bool) -> bool {
        let Some(job) = self.jobs.get(id) else {
            return false;
        };
        job.names.iter().enumerate().any(|(target, name)| {
            let seats = self.table.seats(id).iter();
            let here = seats.filter(|seat| seat.slot == slot && seat.target == *name);
            let current: Vec<(Slot, u64)> = here
                .map(|seat| (slot, seat.assignment.active().div_ceil(job.units[target])))
                .collect();
            holds(&self.question(job, target, &current, self.now))
        })
    }
}

/// Whether filters, and a group of the target, let it be on a cluster.
fn can_be_on(question: &Question<'_>, slot: Slot) -> bool {
    question.is_meant(slot) && question.stays(slot).is_some()
}
