//! What runs already, when another amount of it is asked for.

use std::{collections::BTreeMap, sync::Arc};

use fleet_core::Tick;

use super::{Job, Planner, carry::start, settle::Case};
use crate::model::{Slot, Take, WorkloadId};

impl Planner {
    /// From now on each replica asks for another amount: what was observed is of the past.
    pub(super) fn renew(&mut self, id: &WorkloadId, now: Tick) {
        // What is wrong is told to nobody.
        let is_told = |job: &&Arc<Job>| job.invalid.is_none();
        let is_new = |job: &Arc<Job>| job.raise.as_ref().is_some_and(|raise| raise.is_new);
        if !self.jobs.get(id).filter(is_told).is_some_and(is_new) {
            return;
        }
        let mut placement = self.table.placement(id);
        for one in placement.targets.values_mut().flat_map(BTreeMap::values_mut) {
            one.since = now;
        }
        self.place_all(id, &placement);
        if let Some(job) = self.jobs.get_mut(id)
            && let Some(raise) = &mut Arc::make_mut(job).raise
        {
            raise.is_new = false;
        }
    }

    /// Where each cluster has the same number, brings what runs on each cluster to the number that is asked for, as far as
    /// there is room.
    pub(super) fn resize(&mut self, case: &Case<'_>) {
        if !matches!(case.job.workload.targets[case.target].take, Take::Each { .. }) {
            return;
        }
        let unit = case.unit();
        if self
            .table
            .active_of(case.id(), case.name())
            .all(|active| active == 0 || active == unit)
        {
            return;
        }
        let mut placement = self.table.placement(case.id());
        let mut fence = self.fence(case.job, &placement, case.facts, case.now);
        let Some(placed) = placement.targets.get_mut(&**case.name()) else {
            return;
        };
        let names: Vec<String> = placed.keys().cloned().collect();
        for name in names {
            let Some(one) = placed.get_mut(&name).filter(|one| one.active() > 0) else {
                continue;
            };
            let more = unit.saturating_sub(one.active());
            if more == 0 {
                let less = one.active() - unit;
                fence.ended(self.stop(case.job, one, less, case.now));
            } else if self
                .fleet
                .slot(&name)
                .is_some_and(|slot| self.can_grow(case, slot, more))
            {
                start(placed, &name, more, fence.hold(more), case.now);
            }
        }
        let placed = std::mem::take(placed);
        self.place(case.id(), case.name(), &placed);
    }

    fn can_grow(&self, case: &Case<'_>, slot: Slot, more: u64) -> bool {
        let question = self.question(case.job, case.target, &[], case.now);
        let groups = &question.target().groups;
        let takes_more = match groups.is_empty() {
            true => question.takes_more(slot, None),
            false => groups.iter().any(|group| question.takes_more(slot, Some(group))),
        };
        takes_more
            && !self.is_replaced(slot)
            && self.room.fits(slot, &case.job.replica) >= more
            && question.estimated_replicas(slot) >= more
    }

    /// How many replicas are missing on clusters that have some, but not as many as each is to have.
    pub(super) fn cut_short(&self, case: &Case<'_>) -> u64 {
        if !matches!(case.job.workload.targets[case.target].take, Take::Each { .. }) {
            return 0;
        }
        let active = self.table.active_of(case.id(), case.name());
        active.filter(|active| *active > 0).fold(0, |sum, active| {
            sum.saturating_add(case.unit().saturating_sub(active))
        })
    }
}
