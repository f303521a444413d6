//! Fleets and workloads that parts are asked about, as drawn: worlds are made of them, also changed ones.

mod clusters;
mod hostile;
mod workloads;
mod world;

pub(super) use self::{
    workloads::unit,
    world::{Ask, World, target_name},
};
use fleet_core::Tick;

use super::{Dice, Suite};
use crate::model::{ClusterInfo, Workload};

/// A fleet with workloads and placements, as drawn. Clusters and workloads are known by their numbers.
#[derive(Clone)]
pub(super) struct Sketch {
    /// None: this one is left out.
    pub(super) clusters: Vec<Option<Drawn>>,
    pub(super) workloads: Vec<Workload>,
    pub(super) placed: Vec<Placed>,
    /// Which data is on which cluster until when.
    data: Vec<(String, usize, Tick)>,
    /// Which cluster has which score until when.
    scores: Vec<(String, usize, i64, Tick)>,
    pub(super) now: Tick,
    naming: Naming,
}

/// What clusters that were drawn are called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    AsDrawn,
    /// Otherwise, in the opposite order, and beginning elsewhere.
    Turned,
    /// Otherwise, in the same order, behind another cluster that has nothing.
    Shifted,
}

/// A cluster that was drawn, or brought.
#[derive(Clone)]
pub(super) struct Drawn {
    pub(super) info: ClusterInfo,
    /// It was brought, and is called as it is.
    is_brought: bool,
}

/// Units of a workload's target on a cluster.
#[derive(Clone, Copy, Debug)]
pub(super) struct Placed {
    pub(super) workload: usize,
    pub(super) target: usize,
    pub(super) cluster: usize,
    pub(super) units: u64,
    since: Tick,
}

/// When ordinary fleets are looked at.
const NOW: Tick = Tick(1_750_000_000_000);
/// How many clusters are drawn, and how many workloads, and how many variants of each.
const CLUSTERS: usize = 7;
const WORKLOADS: usize = 3;
const VARIANTS: usize = 6;
/// How many workloads share a roomy fleet.
const MANY_WORKLOADS: usize = 12;

impl Sketch {
    /// A fleet as there might be one.
    pub(super) fn ordinary(suite: &Suite, dice: &mut Dice) -> Self {
        let drawn = (0..CLUSTERS).map(|_| Drawn {
            info: clusters::draw(suite, dice),
            is_brought: false,
        });
        let mut clusters: Vec<Option<Drawn>> = drawn.map(Some).collect();
        clusters.extend(suite.clusters.iter().map(|info| {
            Some(Drawn {
                info: info.clone(),
                is_brought: true,
            })
        }));
        let mut bases = suite.workloads.clone();
        bases.extend((0..WORKLOADS).map(|_| workloads::draw(suite, dice)));
        let mut drawn = Vec::new();
        for base in bases {
            drawn.push(base.clone());
            drawn.extend((0..VARIANTS).map(|_| workloads::variant(&base, suite, dice)));
        }
        let mut sketch = Self {
            clusters,
            workloads: drawn,
            placed: Vec::new(),
            data: Vec::new(),
            scores: Vec::new(),
            now: NOW,
            naming: Naming::AsDrawn,
        };
        sketch.name_workloads();
        sketch.place(dice);
        sketch.say(suite, dice);
        sketch
    }

    /// Every workload that was not brought has a name by its number.
    fn name_workloads(&mut self) {
        for (at, workload) in self.workloads.iter_mut().enumerate() {
            if workload.name.as_str().is_empty() {
                workload.name = workloads::name(at).into();
            }
        }
    }

    fn place(&mut self, dice: &mut Dice) {
        for workload in 0..self.workloads.len() {
            for target in 0..self.workloads[workload].targets.len() {
                let most = workloads::unit(&self.workloads[workload].targets[target]);
                for cluster in 0..self.clusters.len() {
                    if dice.chance(12) {
                        self.placed.push(Placed {
                            workload,
                            target,
                            cluster,
                            units: if most > 1 { 1 } else { 1 + dice.number(3) },
                            since: Tick(self.now.0 - dice.number(300_000)),
                        });
                    }
                }
            }
        }
    }

    /// Draws what is said of data and scores.
    fn say(&mut self, suite: &Suite, dice: &mut Dice) {
        for cluster in 0..self.clusters.len() {
            let until = |dice: &mut Dice| Tick(NOW.0 - 10_000 + dice.number(7_200_000));
            for name in &suite.data {
                if dice.chance(50) {
                    let until = until(dice);
                    self.data.push((name.clone(), cluster, until));
                }
            }
            for name in &suite.scores {
                if dice.chance(70) {
                    let until = until(dice);
                    let score = i64::from(dice.signed(500));
                    self.scores.push((name.clone(), cluster, score, until));
                }
            }
        }
    }

    /// The same with clusters that are called otherwise, so that their order is another.
    pub(super) fn renamed(&self) -> Self {
        Self {
            naming: Naming::Turned,
            ..self.clone()
        }
    }

    /// The same with clusters that are called otherwise and have other places, in the same order.
    pub(super) fn shifted(&self) -> Self {
        Self {
            naming: Naming::Shifted,
            ..self.clone()
        }
    }

    /// A fleet on which most things find a place, in contact, with nothing placed yet.
    pub(super) fn roomy(suite: &Suite, dice: &mut Dice) -> Self {
        let mut sketch = Self::ordinary(suite, dice);
        sketch.placed.clear();
        for drawn in sketch.clusters.iter_mut().flatten() {
            if !drawn.is_brought {
                clusters::ease(&mut drawn.info, suite, dice);
            }
            drawn.info.contact = None;
        }
        let drawn = (0..MANY_WORKLOADS).map(|_| workloads::draw(suite, dice));
        sketch.workloads = suite.workloads.iter().cloned().chain(drawn).collect();
        for workload in &mut sketch.workloads[suite.workloads.len()..] {
            workloads::ease(workload, dice);
        }
        sketch.name_workloads();
        sketch
    }

    /// The same with nothing placed.
    pub(super) fn emptied(&self) -> Self {
        Self {
            placed: Vec::new(),
            ..self.clone()
        }
    }

    /// The same with everything placed one cluster further.
    pub(super) fn turned(&self) -> Self {
        let mut turned = self.clone();
        for placed in &mut turned.placed {
            placed.cluster = (placed.cluster + 1) % turned.clusters.len();
        }
        turned
    }

    /// The same where clusters that are not to be kept are in another state.
    pub(super) fn with_others(&self, suite: &Suite, dice: &mut Dice, keep: impl Fn(usize) -> bool) -> Self {
        let mut other = self.clone();
        for (at, cluster) in other.clusters.iter_mut().enumerate() {
            if let Some(cluster) = cluster.as_mut().filter(|_| !keep(at)) {
                let name = cluster.info.cluster.name.clone();
                cluster.info = clusters::draw(suite, dice);
                cluster.info.cluster.name = name;
            }
        }
        other
    }

    /// The same without the clusters that are not to be kept.
    pub(super) fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let mut other = self.clone();
        for (at, cluster) in other.clusters.iter_mut().enumerate() {
            cluster.take_if(|_| !keep(at));
        }
        other.placed.retain(|placed| keep(placed.cluster));
        other
    }
}
