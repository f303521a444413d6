//! Everything that keeps a target away from a cluster.

use fleet_core::Reason;

use crate::{
    filter::{refuse_estimate, refuse_room, targeted},
    model::{ClusterSelector, Slot, Take},
    schedule::Question,
};

/// What [`Question::lack`] says where all of it is missing.
pub(crate) const ALL: i64 = 1_000_000;

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

    /// Why nothing more comes to a cluster that nothing keeps away from what is there; empty: more may come.
    pub(crate) fn limits(&self, slot: Slot, group: Option<&ClusterSelector>) -> Vec<Reason> {
        let there = self.current(slot);
        let most = self.shares().at(slot).max;
        let full = (there >= most).then(|| match self.target().take {
            Take::Each { replicas, .. } => {
                Reason::new("each", format!("each cluster gets {replicas}, and no more"))
            }
            Take::Divided { .. } => {
                Reason::new("cluster-max", format!("it may have {most} at most")).with("most", most)
            }
        });
        let anew = Question {
            current: &[],
            ..*self
        };
        full.into_iter().chain(anew.refusals(slot, group)).collect()
    }

    /// How much of what one more unit asks for is missing, in millionths of it; none: nothing is.
    pub(crate) fn lack(&self, slot: Slot) -> Option<i64> {
        let room = self.view.room;
        let resource = room.binding(slot, self.needs)?;
        let need = i128::from(room.need(self.needs, resource));
        let missing = need - i128::from(room.free(slot, resource).max(0));
        let lack = (missing * i128::from(ALL)).checked_div(need)?;
        (lack > 0).then(|| i64::try_from(lack).unwrap_or(ALL))
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
