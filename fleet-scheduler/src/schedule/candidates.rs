//! Which clusters a target can be on.

use std::sync::Arc;

use fixedbitset::FixedBitSet;
use fleet_core::Tick;

use super::{Answers, Scheduler};
use crate::{
    filter::is_targeted,
    model::{ClusterSelector, FleetView, Slot, Take, Target, Workload},
    pipeline::{Basis, Candidate, Candidates, Estimator, Pass},
    room::{Needs, Room},
    table::PlacementTable,
};

/// Everything a decision looks at but the workload.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) scheduler: &'a Scheduler,
    pub(crate) fleet: &'a FleetView,
    pub(crate) room: &'a Room,
    pub(crate) table: &'a PlacementTable,
    pub(crate) now: Tick,
}

/// One target of one workload, on one view.
#[derive(Clone, Copy)]
pub(crate) struct Question<'a> {
    pub(crate) view: View<'a>,
    pub(crate) workload: &'a Arc<Workload>,
    pub(crate) target: usize,
    /// What one unit (a replica, or all replicas of a cluster where each has the same number) asks for.
    pub(crate) needs: &'a Needs,
    /// How many units of it are where, in the order of slots.
    pub(crate) current: &'a [(Slot, u64)],
    /// Something has vanished: room that was kept for that may be used.
    pub(crate) uses_spare: bool,
}

/// The clusters that a target can be on, and until when that is so.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    pub(crate) set: FixedBitSet,
    pub(crate) until: Option<Tick>,
}

impl<'a> Question<'a> {
    pub(crate) fn target(&self) -> &'a Target {
        &self.workload.targets[self.target]
    }

    pub(crate) fn current(&self, slot: Slot) -> u64 {
        let at = self.current.binary_search_by_key(&slot, |(at, _)| *at);
        at.map_or(0, |at| self.current[at].1)
    }

    pub(crate) fn candidate(&self, slot: Slot, current: u64) -> Candidate<'a> {
        Candidate {
            workload: self.workload,
            target: self.target(),
            cluster: self.view.fleet.at(slot),
            slot,
            current,
            fleet: self.view.fleet,
            room: self.view.room,
            table: self.view.table,
            now: self.view.now,
        }
    }

    pub(crate) fn passes(&self, filter: usize, slot: Slot, current: u64) -> Option<Pass> {
        let filter = &self.view.scheduler.parts().filters[filter];
        filter.passes(&self.candidate(slot, current))
    }

    pub(crate) fn score(&self, scorer: usize, slot: Slot, current: u64) -> i64 {
        let (scorer, _) = &self.view.scheduler.parts().scorers[scorer];
        scorer.score(&self.candidate(slot, current))
    }

    /// Many clusters at once, and how many units are on each.
    pub(super) fn candidates<'b>(&'b self, at: &'b [(Slot, u64)]) -> Candidates<'b> {
        Candidates {
            workload: self.workload,
            target: self.target(),
            at,
            fleet: self.view.fleet,
            room: self.view.room,
            table: self.view.table,
            now: self.view.now,
        }
    }

    /// The clusters that pass a filter if nothing of this workload runs there, and until when.
    pub(super) fn passing(&self, filter: usize) -> (FixedBitSet, Option<Tick>) {
        let mut set = FixedBitSet::with_capacity(self.view.fleet.len());
        let mut until = None;
        let all = self.everywhere();
        let passes = self.view.scheduler.parts().filters[filter].passes_each(&self.candidates(&all));
        for (slot, pass) in passes.into_iter().enumerate() {
            if let Some(pass) = pass {
                set.insert(slot);
                until = until.into_iter().chain(pass.until()).min();
            }
        }
        (set, until)
    }

    /// What a scorer says of every cluster if nothing of this workload runs there.
    pub(super) fn scores(&self, scorer: usize) -> Vec<i64> {
        let all = self.everywhere();
        self.view.scheduler.parts().scorers[scorer]
            .0
            .score_each(&self.candidates(&all))
    }

    /// Every cluster, as if nothing of this workload ran there.
    fn everywhere(&self) -> Vec<(Slot, u64)> {
        (0..self.view.fleet.len()).map(|slot| (slot, 0)).collect()
    }

    /// The clusters that the target can be on, in this group of its groups, whether there is room or not.
    pub(crate) fn screen(&self, group: Option<&ClusterSelector>, answers: &mut Answers) -> Screen {
        let filters = &self.view.scheduler.parts().filters;
        let mut set = FixedBitSet::with_capacity(self.view.fleet.len());
        set.set_range(.., true);
        answers.keep_meant(self, group, &mut set);
        let current = self.current.iter().copied();
        let meant: Vec<(Slot, u64)> = current.filter(|(slot, _)| set[*slot]).collect();
        let mut until: Option<Tick> = None;
        let mut asked = Vec::new();
        for (at, filter) in filters.iter().enumerate() {
            match filter.basis(self.workload, self.target()) {
                Basis::Nothing => {}
                Basis::Cluster(key) => {
                    let end = answers.keep_passing(self, at, key, &mut set);
                    until = until.into_iter().chain(end).min();
                }
                Basis::Anything => asked.push(at),
            }
        }
        for filter in asked {
            let at: Vec<(Slot, u64)> = set.ones().map(|slot| (slot, self.current(slot))).collect();
            let passes = filters[filter].passes_each(&self.candidates(&at));
            for ((slot, _), pass) in at.iter().zip(passes) {
                match pass {
                    None => set.remove(*slot),
                    Some(pass) => until = until.into_iter().chain(pass.until()).min(),
                }
            }
        }
        // Where it runs already, filters may say something else than elsewhere.
        for ((slot, _), stays) in meant.iter().zip(self.stay_each(&meant)) {
            set.set(*slot, stays.is_some());
            until = until.into_iter().chain(stays.and_then(Pass::until)).min();
        }
        Screen { set, until }
    }

    /// Whether a group of the target means a cluster.
    pub(crate) fn is_meant(&self, slot: Slot) -> bool {
        let (target, cluster) = (self.target(), self.view.fleet.at(slot));
        match target.groups.as_slice() {
            [] => is_targeted(target, None, cluster),
            groups => groups
                .iter()
                .any(|group| is_targeted(target, Some(group), cluster)),
        }
    }

    /// Whether what runs on a cluster may stay there as far as filters go, and until when.
    pub(crate) fn stays(&self, slot: Slot) -> Option<Pass> {
        let current = self.current(slot);
        (0..self.view.scheduler.parts().filters.len()).try_fold(Pass::Always, |stays, filter| {
            Some(stays.min(self.passes(filter, slot, current)?))
        })
    }

    /// Whether what runs on these clusters may stay there as far as filters go, and until when.
    pub(crate) fn stay_each(&self, at: &[(Slot, u64)]) -> Vec<Option<Pass>> {
        let mut stays = vec![Some(Pass::Always); at.len()];
        if at.is_empty() {
            return stays;
        }
        let candidates = self.candidates(at);
        for filter in &self.view.scheduler.parts().filters {
            for (stays, passes) in stays.iter_mut().zip(filter.passes_each(&candidates)) {
                *stays = stays.zip(passes).map(|(one, other)| one.min(other));
            }
        }
        stays
    }

    /// Whether something new may come to a cluster, as far as filters go, in this group of the target's groups.
    pub(crate) fn takes_more(&self, slot: Slot, group: Option<&ClusterSelector>) -> bool {
        is_targeted(self.target(), group, self.view.fleet.at(slot))
            && (0..self.view.scheduler.parts().filters.len())
                .all(|filter| self.passes(filter, slot, 0).is_some())
    }

    /// How many more units fit on a cluster.
    pub(crate) fn fits(&self, slot: Slot) -> u64 {
        let fits = match self.uses_spare {
            true => self.view.room.fits_with_spare(slot, self.needs),
            false => self.view.room.fits(slot, self.needs),
        };
        if fits == 0 {
            return 0;
        }
        fits.min(self.estimated(slot))
    }

    /// How many more units fit by what outside sources say; one that does not know is passed over.
    pub(crate) fn estimated(&self, slot: Slot) -> u64 {
        self.estimated_replicas(slot) / self.unit()
    }

    /// The same in replicas.
    pub(crate) fn estimated_replicas(&self, slot: Slot) -> u64 {
        let estimators = self.view.scheduler.parts().estimators.iter();
        let least = estimators
            .filter_map(|estimator| self.estimate_replicas(&**estimator, slot))
            .min();
        least.unwrap_or(u64::MAX)
    }

    /// How many more units fit by what one of them says.
    pub(crate) fn estimate(&self, estimator: &dyn Estimator, slot: Slot) -> Option<u64> {
        Some(self.estimate_replicas(estimator, slot)? / self.unit())
    }

    fn estimate_replicas(&self, estimator: &dyn Estimator, slot: Slot) -> Option<u64> {
        let candidate = self.candidate(slot, self.current(slot));
        Some(estimator.estimate(&candidate)?.left(&candidate))
    }

    /// How many replicas a unit is.
    fn unit(&self) -> u64 {
        match self.target().take {
            Take::Each { replicas, .. } => replicas.max(1),
            Take::Divided { .. } => 1,
        }
    }
}
