//! Which limits of a target its placement does not meet.

use std::collections::{BTreeMap, BTreeSet};

use super::{Planner, settle::Case};
use crate::{
    decision::{Limited, Unmet},
    model::{Bound, Fact, FleetView, Slot, Spread, Take, Target},
    schedule::Shares,
};

impl Planner {
    /// The limits of a target that what counts of it does not meet.
    pub(super) fn unmet(&self, case: &Case<'_>) -> Vec<Unmet> {
        let seats = self.table.seats(case.id()).iter();
        let of_target = seats.filter(|seat| seat.target == *case.name() && seat.assignment.active() > 0);
        let active = of_target.map(|seat| (seat.slot, seat.assignment.active()));
        unmet(
            &self.fleet,
            &case.job.workload.targets[case.target],
            &active.collect(),
        )
    }
}

/// How far replicas at these places are from the limits of a target; 0: they meet all of them.
pub(super) fn distance(fleet: &FleetView, target: &Target, active: &BTreeMap<Slot, u64>) -> u64 {
    if target.is_unlimited() {
        return 0;
    }
    let off = unmet(fleet, target, active).into_iter().map(|one| {
        let few = one.min.map_or(0, |min| min.saturating_sub(one.got));
        few.max(one.max.map_or(0, |max| one.got.saturating_sub(max)))
    });
    off.fold(0, u64::saturating_add)
}

/// The limits of a target that replicas at these places do not meet. Where nothing is, all that is told elsewhere.
fn unmet(fleet: &FleetView, target: &Target, active: &BTreeMap<Slot, u64>) -> Vec<Unmet> {
    if active.is_empty() {
        return Vec::new();
    }
    let mut unmet = Vec::new();
    let (min, max) = match &target.take {
        Take::Each { clusters, .. } => (None, *clusters),
        Take::Divided { clusters, bounds, .. } => {
            unmet.extend(of_clusters(fleet, target, bounds, active));
            (clusters.min, clusters.max)
        }
    };
    let got = u64::try_from(active.len()).unwrap_or(u64::MAX);
    unmet.extend(Unmet::of(
        Limited::Clusters,
        got,
        min.map(u64::from),
        max.map(u64::from),
    ));
    unmet.extend(of_domains(fleet, &target.spread, active));
    unmet
}

/// A minimum counts where something is, and on clusters that its bound names.
fn of_clusters(
    fleet: &FleetView,
    target: &Target,
    bounds: &[Bound],
    active: &BTreeMap<Slot, u64>,
) -> Vec<Unmet> {
    let shares = Shares::of(fleet, target);
    let named = bounds.iter().flat_map(|bound| &bound.clusters);
    let named = named.filter_map(|name| fleet.slot(name));
    let slots: BTreeSet<Slot> = active.keys().copied().chain(named).collect();
    let of_cluster = |slot: Slot| {
        let (share, name) = (shares.at(slot), fleet.at(slot).name().to_owned());
        let got = active.get(&slot).copied().unwrap_or(0);
        Unmet::of(Limited::Cluster(name), got, Some(share.min), Some(share.max))
    };
    slots.into_iter().filter_map(of_cluster).collect()
}

/// Each level counts within each domain of the levels above.
fn of_domains(fleet: &FleetView, spread: &[Spread], active: &BTreeMap<Slot, u64>) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    // By the domains of all levels above, what is there.
    let mut above: BTreeMap<Vec<u32>, Vec<Slot>> = [(Vec::new(), active.keys().copied().collect())].into();
    for level in spread {
        let column = fleet.column(Fact::Label, &level.over);
        let number = |slot: &Slot| column.map_or(0, |column| column.numbers[*slot]);
        let counts = above.values().map(|slots| {
            let domains: BTreeSet<u32> = slots.iter().map(number).collect();
            u64::try_from(domains.len()).unwrap_or(u64::MAX)
        });
        let counts: Vec<u64> = counts.collect();
        let (fewest, most) = (counts.iter().min().copied(), counts.iter().max().copied());
        let of = || Limited::Domains(level.over.clone());
        let few = fewest.and_then(|got| Unmet::of(of(), got, level.min.map(u64::from), None));
        let many = most.and_then(|got| Unmet::of(of(), got, None, level.max.map(u64::from)));
        unmet.extend(few.into_iter().chain(many));
        let mut within: BTreeMap<Vec<u32>, Vec<Slot>> = BTreeMap::new();
        let mut widest = 0;
        for (path, slots) in above {
            let mut sums: BTreeMap<u32, u64> = BTreeMap::new();
            for slot in slots {
                let sum = sums.entry(number(&slot)).or_default();
                *sum = sum.saturating_add(active[&slot]);
                let path = path.iter().copied().chain([number(&slot)]).collect();
                within.entry(path).or_default().push(slot);
            }
            let (least, most) = (sums.values().min(), sums.values().max());
            widest = widest.max(most.unwrap_or(&0) - least.unwrap_or(&0));
        }
        let skew = level.skew.map(|most| most.max(1));
        unmet.extend(Unmet::of(Limited::Skew(level.over.clone()), widest, None, skew));
        above = within;
    }
    unmet
}
