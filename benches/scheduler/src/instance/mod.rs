//! The fixed instance: clusters, and workloads that fill most of them.

mod clusters;
mod policy;
mod workloads;

use std::collections::HashSet;

use fleet_core::Tick;
use fleet_scheduler::{FleetView, Workload};

use crate::{Failure, random::Random};
use clusters::Place;
use policy::Policy;

/// When everything is decided first.
pub(crate) const NOW: Tick = Tick(1_800_000_000_000);

/// How much of all capacity is taken once everything is placed, in hundredths.
pub(crate) const USED: u64 = 80;

/// How large an instance is. The same size and seed give the same instance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) workloads: usize,
    pub(crate) clusters: usize,
    /// How many distinct constraint sets there are, if there are as many workloads.
    pub(crate) sets: usize,
    pub(crate) seed: u64,
}

/// Clusters, and workloads that fill most of them.
pub(crate) struct Instance {
    pub(crate) fleet: FleetView,
    pub(crate) workloads: Vec<Workload>,
    /// Workloads that come later, one by one, each with a constraint set that none before it has.
    pub(crate) later: Vec<Workload>,
    /// How many distinct constraint sets `workloads` have.
    pub(crate) sets: usize,
}

impl Instance {
    /// The instance of a size, with so many workloads that come later.
    pub(crate) fn new(size: Size, later: usize) -> Result<Self, Failure> {
        let mut random = Random::new(size.seed);
        let places = clusters::places(size.clusters, &mut random);
        let mut known = HashSet::new();
        let policies = distinct(size.sets, &places, &mut known, &mut random);
        let fresh = distinct(later, &places, &mut known, &mut random);
        let workloads = workloads::of(&policies, size.workloads, &mut random)?;
        let later = fresh
            .iter()
            .enumerate()
            .map(|(at, policy)| workloads::single(format!("later-{at:05}"), policy, &mut random))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            fleet: clusters::fleet(&places, &workloads, &mut random)?,
            sets: sets(&workloads),
            workloads,
            later,
        })
    }
}

/// How many distinct constraint sets these have.
fn sets(workloads: &[Workload]) -> usize {
    let of = |workload: &Workload| {
        let constraints = |target| {
            let Workload {
                tolerations,
                kinds,
                data,
                ..
            } = workload;
            policy::constraints(target, tolerations, kinds, data)
        };
        workload.targets.iter().map(constraints).collect::<Vec<_>>()
    };
    workloads.iter().flat_map(of).collect::<HashSet<_>>().len()
}

/// So many policies, no two of which ask the same of clusters.
fn distinct(count: usize, places: &[Place], known: &mut HashSet<String>, random: &mut Random) -> Vec<Policy> {
    let mut policies = Vec::new();
    while policies.len() < count {
        let policy = Policy::new(places, random);
        if known.insert(policy.constraints()) {
            policies.push(policy);
        }
    }
    policies
}
