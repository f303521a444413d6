//! What selectors and dividers are asked about.

use super::{Dice, sketch::World};
use crate::{
    divide::MAX_REPLICAS,
    model::{Clusters, Spread, Take, Target},
    pipeline::{Ranked, Wish},
};

/// Clusters of a world, ranked for a target, by their numbers.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) workload: usize,
    pub(super) target: usize,
    /// Number, score, units that are there, and how many more fit.
    ranked: Vec<(usize, i64, u64, u64)>,
}

impl Case {
    /// Cases for every target of a world.
    pub(super) fn all(world: &World, dice: &mut Dice, is_hostile: bool) -> Vec<Self> {
        let mut cases = Vec::new();
        for (workload, asked) in world.workloads.iter().enumerate() {
            for target in 0..asked.targets.len() {
                cases.push(Self::draw(world, workload, target, dice, is_hostile));
            }
        }
        cases
    }

    fn draw(world: &World, workload: usize, target: usize, dice: &mut Dice, is_hostile: bool) -> Self {
        let asked = &world.workloads[workload].targets[target];
        let is_in_domains = |cluster: usize| {
            let info = world.slots[cluster].map(|slot| world.fleet.at(slot));
            let has =
                |spread: &Spread| info.is_some_and(|info| info.cluster.labels.contains_key(&spread.over));
            info.is_some() && asked.spread.iter().all(has)
        };
        let mut ranked = Vec::new();
        for cluster in (0..world.slots.len()).filter(|cluster| is_in_domains(*cluster)) {
            let current = if dice.chance(30) { 1 + dice.number(4) } else { 0 };
            let fits = match is_hostile {
                true => dice.pick(&[0, 1, MAX_REPLICAS, u64::MAX - 1, u64::MAX]),
                false => dice.number(16),
            };
            let most = most_at(world, asked, cluster);
            let (current, fits) = (current.min(most), fits.min(most.saturating_sub(current)));
            if current > 0 || fits > 0 {
                let score = i64::from(dice.signed(3)) * 1_000;
                ranked.push((cluster, score, current, fits));
            }
        }
        ranked.sort_by_key(|(cluster, score, ..)| (std::cmp::Reverse(*score), *cluster));
        if is_hostile {
            for (one, score) in ranked.iter_mut().zip([i64::MAX, i64::MAX, 0, i64::MIN]) {
                one.1 = score;
            }
            ranked.sort_by_key(|(cluster, score, ..)| (std::cmp::Reverse(*score), *cluster));
        }
        Self {
            workload,
            target,
            ranked,
        }
    }

    /// The clusters, best first, as they are placed in a world.
    pub(super) fn ranked(&self, world: &World) -> Vec<Ranked> {
        let place = |(cluster, score, current, fits): &(usize, i64, u64, u64)| {
            Some(Ranked::new(world.slots[*cluster]?, *score, *current, *fits))
        };
        self.ranked.iter().filter_map(place).collect()
    }

    pub(super) fn target<'a>(&self, world: &'a World) -> &'a Target {
        &world.workloads[self.workload].targets[self.target]
    }

    /// What is asked for.
    pub(super) fn wish<'a>(&self, world: &'a World, wanted: u64) -> Wish<'a> {
        Wish {
            fleet: &world.fleet,
            workload: &world.workloads[self.workload],
            target: self.target(world),
            wanted,
            now: world.now,
        }
    }

    /// How many units are there.
    pub(super) fn there(&self) -> u64 {
        self.ranked
            .iter()
            .fold(0, |sum, (_, _, current, _)| sum.saturating_add(*current))
    }

    /// How many units there can be.
    pub(super) fn holds(&self) -> u64 {
        self.ranked.iter().fold(0, |sum, (_, _, current, fits)| {
            sum.saturating_add(current.saturating_add(*fits))
        })
    }

    /// The case for people.
    pub(super) fn say(&self, world: &World, wanted: u64) -> String {
        let clusters = self.ranked(world);
        let clusters: Vec<String> = clusters
            .iter()
            .map(|one| {
                let name = world.fleet.at(one.slot).name();
                format!("{name} ({} there, {} fit)", one.current, one.fits)
            })
            .collect();
        format!(
            "{wanted} units of {:?} on [{}]",
            self.target(world),
            clusters.join(", ")
        )
    }
}

/// By the clusters' numbers rather than their places: for comparing worlds in which they are called otherwise.
pub(super) fn numbered<T>(
    world: &World,
    list: impl IntoIterator<Item = (crate::Slot, T)>,
) -> Vec<(usize, T)> {
    let number = |slot: crate::Slot| world.slots.iter().position(|at| *at == Some(slot));
    list.into_iter()
        .map(|(slot, with)| (number(slot).unwrap_or(usize::MAX), with))
        .collect()
}

/// The most units that a target lets a cluster have.
fn most_at(world: &World, target: &Target, cluster: usize) -> u64 {
    match &target.take {
        Take::Each { .. } => 1,
        Take::Divided { bounds, .. } => {
            let Some(info) = world.slots[cluster].map(|slot| world.fleet.at(slot)) else {
                return 0;
            };
            let is_it = |name: &String| name == info.name();
            let bound = bounds.iter().find(|bound| {
                (bound.clusters.is_empty() || bound.clusters.iter().any(is_it))
                    && bound.selector.matches(info)
            });
            bound.and_then(|bound| bound.max).unwrap_or(u64::MAX)
        }
    }
}

/// On how many clusters a target must be, and may be.
pub(super) fn limits(target: &Target) -> Clusters {
    match &target.take {
        Take::Each { .. } => Clusters::default(),
        Take::Divided { clusters, .. } => *clusters,
    }
}
