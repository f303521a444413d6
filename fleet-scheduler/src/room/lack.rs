//! What keeps one unit more away from a cluster.

use std::cmp::Ordering;

use super::{Needs, Room};
use crate::model::Slot;

/// A resource of which too little is free for one unit more.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shortage<'a> {
    pub(crate) resource: &'a str,
    /// How much must be free: in all, or on one node.
    pub(crate) need: i64,
    /// How much is free in all; below 0 where more is asked for than is offered.
    pub(crate) free: i64,
    /// How much of that is kept for failures.
    pub(crate) kept: i128,
    /// The largest gap on a node, where that is too small for a replica.
    pub(crate) gap: Option<i64>,
    /// Whether the cluster offers any of it.
    is_offered: bool,
}

impl Shortage<'_> {
    /// Whether enough is free, and it is kept for a failure.
    pub(crate) fn is_kept(&self) -> bool {
        self.gap.is_none() && self.free >= self.need
    }

    /// How much can be had.
    fn left(&self) -> i128 {
        let left = i128::from(self.free) - self.kept;
        self.gap.map_or(left, i128::from).max(0)
    }

    /// What is not offered at all first, then what is free and kept last, the largest lack by proportion first, then by
    /// name.
    fn order(&self, other: &Self) -> Ordering {
        // Both are below an i64: less is left than is needed.
        let share = |one: &Self, need: i64| one.left() * i128::from(need);
        (self.is_offered, self.is_kept())
            .cmp(&(other.is_offered, other.is_kept()))
            .then_with(|| share(self, other.need).cmp(&share(other, self.need)))
            .then_with(|| self.resource.cmp(other.resource))
    }
}

impl Room {
    /// Every resource that keeps one unit more away from a cluster of which something is known, the greatest lack first.
    pub(crate) fn shortages<'a>(&'a self, slot: Slot, needs: &Needs) -> Vec<Shortage<'a>> {
        let base = slot * self.names.len();
        let shortage = |(&(resource, all), &(_, one)): (&(usize, i64), &(usize, i64))| {
            let (free, gap) = (self.free[base + resource], self.gaps[base + resource]);
            let gap = gap.filter(|gap| *gap < one && all <= free);
            let kept = self.spare.kept(slot, resource);
            let is_short = gap.is_some() || i128::from(free) - kept < i128::from(all);
            is_short.then(|| Shortage {
                resource: &self.names[resource],
                need: if gap.is_some() { one } else { all },
                free,
                kept,
                gap,
                is_offered: self.offered[base + resource] > 0,
            })
        };
        let replica = needs.replica(self.counts_pods[slot]);
        let parts = self.parts(slot, needs).iter().zip(replica);
        let mut shortages: Vec<_> = parts.filter_map(shortage).collect();
        shortages.sort_by(Shortage::order);
        shortages
    }

    /// The resource that lets no more fit than [`fits`](Self::fits) says.
    pub fn binding<'a>(&'a self, slot: Slot, needs: &'a Needs) -> Option<&'a str> {
        if let Some(unknown) = needs.unknown().next() {
            return Some(unknown);
        }
        if let Some(shortage) = self.shortages(slot, needs).first() {
            return Some(shortage.resource);
        }
        let base = slot * self.names.len();
        let fits = |&&(resource, need): &&(usize, i64)| {
            (i128::from(self.free[base + resource]) - self.spare.kept(slot, resource)) / i128::from(need)
        };
        let (resource, _) = self.parts(slot, needs).iter().min_by_key(fits)?;
        Some(&self.names[*resource])
    }
}
