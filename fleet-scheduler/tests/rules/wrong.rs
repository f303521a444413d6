//! Parts that do what a rule forbids, most of them as another scheduler does it: a test of the rule must notice.

use std::{
    cmp::Reverse,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use fleet_core::Reason;
use fleet_scheduler::*;

/// Takes a maximum of clusters that is not given as none (Karmada).
pub(super) struct NoMaximumIsNone;

impl Selector for NoMaximumIsNone {
    fn name(&self) -> &'static str {
        "no-maximum-is-none"
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let most = match &wish.target.take {
            Take::Divided { clusters, .. } => clusters.max.unwrap_or(0),
            _ => u32::MAX,
        };
        let most = usize::try_from(most).unwrap().min(ranked.len());
        Ok(Selected::any_of(ranked[..most].to_vec()))
    }
}

/// Begins with another cluster each time (Clusternet).
#[derive(Default)]
pub(super) struct Rotating(AtomicUsize);

impl Selector for Rotating {
    fn name(&self) -> &'static str {
        "rotating"
    }

    fn select(&self, _: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let mut ranked = ranked.to_vec();
        let first = self.0.fetch_add(1, Ordering::Relaxed) % ranked.len();
        ranked.rotate_left(first);
        Ok(Selected::any_of(ranked))
    }
}

/// Among clusters that are as good as each other, those come first that an unstable sort may put there (`KubeAdmiral`,
/// Clusternet).
pub(super) struct LastOfEquals;

impl Selector for LastOfEquals {
    fn name(&self) -> &'static str {
        "last-of-equals"
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let mut ranked = ranked.to_vec();
        ranked.sort_by_key(|one| (Reverse(one.score), Reverse(one.slot)));
        BySpread.select(wish, &ranked)
    }
}

/// Divides by weights alone: room, limits, domains and what runs do not count (Karmada).
pub(super) struct WeightsAlone {
    /// The product of a weight and a number of replicas.
    times: fn(u64, u64) -> i128,
    /// Who gets what is left over: the last.
    is_last_first: bool,
}

impl WeightsAlone {
    pub(super) fn new() -> Self {
        Self {
            times: |one, other| i128::from(one) * i128::from(other),
            is_last_first: false,
        }
    }

    /// Computed with 32 bits (Clusternet).
    pub(super) fn narrow() -> Self {
        #[allow(clippy::cast_possible_truncation, reason = "that is what is wrong with it")]
        let times = |one: u64, other: u64| i128::from((one as i32).wrapping_mul(other as i32));
        Self {
            times,
            is_last_first: false,
        }
    }

    /// What is left over goes to the last, as any order of a map may have it (`KubeAdmiral`).
    pub(super) fn last_first() -> Self {
        Self {
            is_last_first: true,
            ..Self::new()
        }
    }
}

impl Divider for WeightsAlone {
    fn name(&self) -> &'static str {
        "weights-alone"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let Take::Divided { bounds, .. } = &wish.target.take else {
            return AsAsked.grow(wish, selected);
        };
        let weight = |slot: Slot| {
            let name = wish.fleet.at(slot).name();
            let bound = bounds
                .iter()
                .find(|bound| bound.clusters.iter().any(|one| one == name));
            bound.map_or(1, |bound| bound.weight)
        };
        let mut slots: Vec<Slot> = selected.clusters.iter().map(|one| one.slot).collect();
        slots.sort_unstable();
        let sum: i128 = slots.iter().map(|slot| (self.times)(weight(*slot), 1)).sum();
        let share = |slot: Slot| (self.times)(weight(slot), wish.wanted) / sum;
        let mut units: Vec<(Slot, u64)> = slots
            .iter()
            .map(|slot| (*slot, u64::try_from(share(*slot)).unwrap_or(0)))
            .collect();
        if self.is_last_first {
            units.reverse();
        }
        let mut rest = wish
            .wanted
            .saturating_sub(units.iter().map(|(_, units)| units).sum());
        for (_, units) in &mut units {
            let more = rest.min(1);
            *units += more;
            rest -= more;
        }
        Ok(Units::of(units))
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        AsAsked.shrink(wish, ranked)
    }
}

/// Takes a skew that is not given as the smallest.
pub(super) struct NoSkewIsOne;

impl Divider for NoSkewIsOne {
    fn name(&self) -> &'static str {
        "no-skew-is-one"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let mut target = wish.target.clone();
        for spread in &mut target.spread {
            spread.skew.get_or_insert(1);
        }
        let mut wish = *wish;
        wish.target = &target;
        AsAsked.grow(&wish, selected)
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        AsAsked.shrink(wish, ranked)
    }
}

/// Where one cluster cannot be asked, nothing fits on any (Clusternet).
pub(super) fn all_or_nothing() -> impl Estimator {
    estimator_fn("all-or-nothing", |candidate| {
        let is_known = candidate
            .fleet
            .clusters()
            .all(|cluster| cluster.capacity.is_some());
        Some(Estimate::of_now(if is_known { u64::MAX } else { 0 }))
    })
}

/// Reserves something whenever it is asked, and refuses once nothing is left (Admiralty).
pub(super) fn reserves(there_are: u64) -> impl Filter {
    let left = AtomicU64::new(there_are);
    filter_fn("reserves", move |_| {
        let reserved = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        let refused = |_| Reason::new("reserved", "nothing is left");
        reserved.map(drop).map_err(refused)
    })
}

/// Whoever keeps away from a workload must leave even what that one is about to leave.
pub(super) fn keeps_away_from_what_leaves() -> impl Filter {
    filter_fn("keeps-away-from-what-leaves", |candidate| {
        let mut others = candidate.workload.apart.iter();
        let is_there = |other: &Relation| {
            let there = candidate.table.placement(&other.workload);
            there.on(candidate.cluster.name()) > 0
        };
        match others.any(is_there) {
            true => Err(Reason::new("apart", "what it keeps away from is there")),
            false => Ok(()),
        }
    })
}
