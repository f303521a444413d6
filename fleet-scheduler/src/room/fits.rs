//! How many units fit on a cluster.

use super::{Failure, Needs, Room};
use crate::model::Slot;

/// Replicas that would give way, and what that frees.
#[derive(Clone, Debug)]
pub(crate) struct Freed<'a> {
    victims: Vec<(&'a Needs, u64)>,
    /// What they ask for together, by the numbers of resources.
    sum: Vec<i128>,
    /// Whether the cluster counts pods.
    counts_pods: bool,
}

impl Freed<'_> {
    /// So many replicas of one of those that give way do, and not as many as before.
    pub(crate) fn set(&mut self, victim: usize, replicas: u64) {
        let (needs, before) = &mut self.victims[victim];
        for &(resource, need) in needs.parts(self.counts_pods) {
            self.sum[resource] += i128::from(need) * (i128::from(replicas) - i128::from(*before));
        }
        *before = replicas;
    }
}

impl Room {
    /// How many units fit on a cluster beside what is kept for failures. What needs nothing fits any number of times; what
    /// one replica asks for must be free on one node, as far as gaps are known.
    pub fn fits(&self, slot: Slot, needs: &Needs) -> u64 {
        if !self.spare.is_empty() {
            return self.fits_beside(slot, needs, |resource| self.spare.kept(slot, resource));
        }
        if let Some(certain) = self.certain(slot, needs) {
            return certain;
        }
        let base = slot * self.names.len();
        let parts = self.parts(slot, needs).iter();
        // A need is above 0. As `fits_beside`, which takes longer.
        let fits = parts
            .map(|(resource, need)| self.free[base + resource] / need)
            .min();
        u64::try_from(fits.unwrap_or(i64::MAX)).unwrap_or(0)
    }

    /// How many units fit if this vanishes, beside what else would come then and so many that are about to be placed.
    pub(crate) fn fits_in(&self, slot: Slot, needs: &Needs, failure: &Failure, new: u64) -> u64 {
        let need = |resource: usize| {
            let part = self.parts(slot, needs).iter().find(|(at, _)| *at == resource);
            part.map_or(0, |(_, need)| i128::from(*need))
        };
        self.fits_beside(slot, needs, |resource| {
            self.spare.coming(slot, failure, resource) + need(resource) * i128::from(new)
        })
    }

    /// How many units fit if nothing is kept for failures: one has happened.
    pub(crate) fn fits_with_spare(&self, slot: Slot, needs: &Needs) -> u64 {
        self.fits_beside(slot, needs, |_| 0)
    }

    /// How many units would fit on a cluster if these gave way, beside what is kept for failures.
    ///
    /// Where no gap is large enough, only nodes that a victim leaves can be: as many fit as those surely hold.
    pub(crate) fn fits_with(&self, slot: Slot, needs: &Needs, freed: &Freed<'_>) -> u64 {
        if !self.known[slot] || needs.unknown().len() > 0 {
            return 0;
        }
        let beside =
            |resource: usize| self.spare.kept(slot, resource) - freed.sum.get(resource).copied().unwrap_or(0);
        let fits = self.fits_in_sum(slot, needs, beside);
        if self.has_gap(slot, needs) {
            return fits;
        }
        let left = |(victim, replicas): &(&Needs, u64)| {
            let counts_pods = self.counts_pods[slot];
            let narrow = needs
                .replica(counts_pods)
                .iter()
                .filter(|part| !self.is_gap(slot, **part));
            let times = |(resource, need): &(usize, i64)| {
                let part = victim.replica(counts_pods).iter().find(|(at, _)| at == resource);
                part.map_or(0, |(_, frees)| frees / need)
            };
            let times = u64::try_from(narrow.map(times).min().unwrap_or(0)).unwrap_or(0);
            times.saturating_mul(*replicas)
        };
        let left = freed.victims.iter().map(left).fold(0, u64::saturating_add);
        fits.min(left / needs.replicas())
    }

    /// What some replicas leave free on a cluster that give way there.
    pub(crate) fn freed<'a>(&self, slot: Slot, victims: impl Iterator<Item = (&'a Needs, u64)>) -> Freed<'a> {
        let victims: Vec<(&Needs, u64)> = victims.collect();
        let mut sum = vec![0; self.names.len()];
        for (needs, replicas) in &victims {
            for &(resource, need) in self.parts(slot, needs) {
                sum[resource] += i128::from(need) * i128::from(*replicas);
            }
        }
        Freed {
            victims,
            sum,
            counts_pods: self.counts_pods[slot],
        }
    }

    fn fits_beside(&self, slot: Slot, needs: &Needs, beside: impl Fn(usize) -> i128) -> u64 {
        match self.certain(slot, needs) {
            Some(certain) => certain,
            None => self.fits_in_sum(slot, needs, beside),
        }
    }

    /// How many units fit, where that does not depend on how much is free in all.
    fn certain(&self, slot: Slot, needs: &Needs) -> Option<u64> {
        if self.is_nothing(slot, needs) {
            return Some(u64::MAX);
        }
        let is_never = !self.known[slot] || needs.unknown().len() > 0 || !self.has_gap(slot, needs);
        is_never.then_some(0)
    }

    /// How many units fit in what is free in all, less so much of each resource.
    fn fits_in_sum(&self, slot: Slot, needs: &Needs, beside: impl Fn(usize) -> i128) -> u64 {
        let base = slot * self.names.len();
        let fits = |&(resource, need): &(usize, i64)| {
            (i128::from(self.free[base + resource]) - beside(resource)) / i128::from(need)
        };
        let fits = self
            .parts(slot, needs)
            .iter()
            .map(fits)
            .min()
            .unwrap_or(i128::MAX);
        u64::try_from(fits.max(0)).unwrap_or(u64::MAX)
    }

    /// Whether gaps, as far as they are known, hold one replica.
    fn has_gap(&self, slot: Slot, needs: &Needs) -> bool {
        let replica = needs.replica(self.counts_pods[slot]);
        replica.iter().all(|part| self.is_gap(slot, *part))
    }

    fn is_gap(&self, slot: Slot, (resource, need): (usize, i64)) -> bool {
        self.gaps[slot * self.names.len() + resource].is_none_or(|gap| gap >= need)
    }
}
