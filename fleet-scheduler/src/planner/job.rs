//! A workload, checked and made ready for decisions.

use std::sync::Arc;

use super::check::check;
use crate::{
    decision::InvalidWorkload,
    model::{Take, Target, Workload},
    room::{Needs, Room},
};

/// A workload, checked and made ready for decisions.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) workload: Arc<Workload>,
    /// The names of its targets.
    pub(crate) names: Vec<Arc<str>>,
    /// What one unit of each target asks for.
    pub(crate) needs: Vec<Needs>,
    /// How many replicas one unit of each target is.
    pub(crate) units: Vec<u64>,
    /// What one replica asks for.
    pub(crate) replica: Needs,
    /// It asks for another amount than before: what was observed of its replicas does not count any more.
    pub(crate) is_unseen: bool,
    pub(crate) invalid: Option<InvalidWorkload>,
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
            is_unseen: false,
            invalid: None,
            workload,
        };
        job.invalid = check(&job.workload, &job.names).err();
        job.measure(room);
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
        self.replica = room.needs(&workload.needs);
        let needs = |unit: &u64| self.replica.clone().together(*unit);
        self.needs = self.units.iter().map(needs).collect();
    }
}
