//! A workload, checked and made ready for decisions.

use std::sync::Arc;

use fleet_core::Resources;

use super::check::check;
use crate::{
    decision::InvalidWorkload,
    model::{Placement, Relation, Take, Target, Workload, WorkloadId},
    room::{Needs, PODS, Room},
};

/// A workload, checked and made ready for decisions.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// As it is decided: with what others say of it.
    pub(crate) workload: Arc<Workload>,
    /// As it was given.
    pub(crate) given: Arc<Workload>,
    /// The names of its targets.
    pub(crate) names: Vec<Arc<str>>,
    /// What one unit of each target asks for.
    pub(crate) needs: Vec<Needs>,
    /// How many replicas one unit of each target is.
    pub(crate) units: Vec<u64>,
    /// What one replica asks for.
    pub(crate) replica: Needs,
    /// It is wrong, and its replicas are as they were: what each of them asks for.
    kept: Option<Resources>,
    /// It asks for more than what was observed of its replicas.
    pub(crate) raise: Option<Box<Raise>>,
    pub(crate) invalid: Option<InvalidWorkload>,
}

/// How much more is asked for now than what was observed of the same replicas.
#[derive(Clone, Debug)]
pub(crate) struct Raise {
    /// What one of them asked for.
    pub(crate) from: Resources,
    /// How much more it is.
    pub(crate) more: Needs,
    /// Its replicas were not told yet: what is observed until then does not show it, however late that is.
    pub(crate) is_new: bool,
}

impl Job {
    pub(crate) fn new(workload: Arc<Workload>, room: &Room) -> Self {
        let names = workload
            .targets
            .iter()
            .enumerate()
            .map(|(at, target)| match target.name.as_str() {
                "" => (at + 1).to_string().into(),
                name => name.into(),
            });
        let mut job = Self {
            names: names.collect(),
            needs: Vec::new(),
            units: Vec::new(),
            replica: Needs::default(),
            kept: None,
            raise: None,
            invalid: None,
            given: Arc::clone(&workload),
            workload,
        };
        job.invalid = check(&job.workload, &job.names).err();
        job.measure(room);
        job
    }

    /// These keep away from it.
    pub(crate) fn shunned(&mut self, by: Vec<Relation>) {
        self.workload = Arc::clone(&self.given);
        if !by.is_empty() {
            let mut workload = (*self.given).clone();
            workload.shunned_by = by;
            self.workload = Arc::new(workload);
        }
    }

    /// What was observed of its replicas asked for this; whether its replicas were not told yet that it is more now.
    fn observed_at(&mut self, from: Resources, room: &Room, is_new: bool) {
        self.raise = Some(Box::new(Raise {
            from,
            more: Needs::default(),
            is_new,
        }));
        self.measure(room);
    }

    /// What each of its replicas is counted with. What is wrong changes nothing about those that run.
    pub(crate) fn counted(&self) -> &Resources {
        self.kept.as_ref().unwrap_or(&self.workload.needs)
    }

    /// It follows another definition of the same workload.
    pub(crate) fn after(&mut self, old: &Self, observed: Resources, room: &Room) {
        if self.invalid.is_some() {
            self.kept = Some(old.counted().clone());
            self.raise.clone_from(&old.raise);
            self.measure(room);
        } else if old.counted() != &self.workload.needs {
            self.observed_at(observed, room, true);
        } else {
            self.raise.clone_from(&old.raise);
        }
    }

    /// Of a workload that is known only by where it was placed.
    pub(crate) fn unclaimed(id: &WorkloadId, placement: &Placement, room: &Room) -> Self {
        let mut workload = Workload::new(id.clone(), []).needs(placement.needs.clone());
        workload.nature = placement.nature;
        let mut job = Self::new(Arc::new(workload), room);
        // It has no targets, but nothing is wrong with it.
        job.invalid = None;
        if let Some(from) = &placement.observed {
            job.observed_at(from.clone(), room, false);
        }
        job
    }

    /// Reads its needs by the resources of a room.
    pub(crate) fn measure(&mut self, room: &Room) {
        let workload = &self.workload;
        let unit = |target: &Target| match &target.take {
            Take::Each { replicas, .. } => (*replicas).max(1),
            Take::Divided { .. } => 1,
        };
        self.units = workload.targets.iter().map(unit).collect();
        self.replica = room.needs(self.counted());
        if let Some(raise) = &self.raise {
            let mut more = self.counted().less(&raise.from);
            // Each is one pod, as before.
            if !more.names(PODS) {
                let _ = more.set(PODS, 0);
            }
            let more = room.needs(&more);
            if let Some(raise) = &mut self.raise {
                raise.more = more;
            }
        }
        let needs = |unit: &u64| self.replica.clone().together(*unit);
        self.needs = self.units.iter().map(needs).collect();
    }
}
