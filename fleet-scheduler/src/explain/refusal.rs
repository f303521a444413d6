//! Everything that keeps a target away from a cluster.

use fleet_core::Reason;

use crate::{
    filter::{refuse_estimate, refuse_room, targeted},
    model::{ClusterSelector, Slot},
    schedule::Question,
};

impl Question<'_> {
    /// Everything that keeps units away from a cluster, in this group of the target's groups, with the filters' names: all
    /// that fail, not only the first.
    pub(crate) fn refusals_by_filter(
        &self,
        slot: Slot,
        group: Option<&ClusterSelector>,
    ) -> Vec<(&str, Reason)> {
        let candidate = self.candidate(slot, self.current(slot));
        let meant = targeted(self.target(), group, candidate.cluster).err();
        let filters = self.view.scheduler.parts().filters.iter();
        let failed = filters.filter_map(|filter| Some((filter.name(), filter.check(&candidate).err()?)));
        let room = (candidate.current == 0)
            .then(|| refuse_room(&candidate, self.needs))
            .flatten();
        let meant = meant.map(|reason| ("target", reason));
        let estimators = self.view.scheduler.parts().estimators.iter();
        let full = estimators
            .filter(|estimator| candidate.current == 0 && self.estimate(&***estimator, slot) == Some(0))
            .map(|estimator| (estimator.name(), refuse_estimate(estimator.name())));
        meant
            .into_iter()
            .chain(failed)
            .chain(room.map(|reason| ("room", reason)))
            .chain(full)
            .collect()
    }

    /// The same without names.
    pub(crate) fn refusals(&self, slot: Slot, group: Option<&ClusterSelector>) -> Vec<Reason> {
        self.refusals_by_filter(slot, group)
            .into_iter()
            .map(|(_, reason)| reason)
            .collect()
    }

    /// Why what runs on a cluster cannot stay there; empty: it can. Where nothing is sticky, it is asked as if it was new.
    pub(crate) fn refusals_of_current(&self, slot: Slot, is_sticky: bool) -> Vec<Reason> {
        let (target, cluster) = (self.target(), self.view.fleet.at(slot));
        // The first group says why not, where no other means it.
        let meant = match self.is_meant(slot) {
            true => None,
            false => targeted(target, target.groups.first(), cluster).err(),
        };
        let current = if is_sticky { self.current(slot).max(1) } else { 0 };
        let candidate = self.candidate(slot, current);
        let filters = self.view.scheduler.parts().filters.iter();
        meant
            .into_iter()
            .chain(filters.filter_map(|filter| filter.check(&candidate).err()))
            .collect()
    }
}
