//! What a replica costs on a cluster.

use fleet_core::Resources;

use crate::{
    model::{ClusterInfo, FleetView, Slot, Target, Workload},
    pipeline::{Basis, Candidate, Candidates, Key, Scorer},
};

/// The cheapest cluster is the best, by [`cost_of`] one replica.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cost;

impl Scorer for Cost {
    fn name(&self) -> &'static str {
        "cost"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        cost_of(candidate.cluster, &candidate.workload.needs).saturating_neg()
    }

    fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
        let costs = Costs::of(candidates.fleet, &candidates.workload.needs);
        let score = |(slot, _): &(Slot, u64)| costs.at(*slot).saturating_neg();
        candidates.at.iter().map(score).collect()
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        Basis::Cluster(Key::of(("cost", &workload.needs)))
    }
}

/// What one replica costs on a cluster, in the unit of the fleet's costs: the cluster's cost `replica`, and for each
/// resource its cost (by the resource's name, or with `-hour` behind it) for each core, each GiB of what is counted in
/// bytes, and each of everything else. Parts are rounded up. What has no cost costs nothing; a cost
/// below 0 is a gain.
///
/// ```
/// # use fleet_core::{Cluster, Resources};
/// # use fleet_scheduler::{ClusterInfo, cost_of};
/// let cluster = ClusterInfo::new(Cluster::new("eu-1").cost("replica", 1).cost("cpu-hour", 40).cost("memory", 5));
/// let needs = Resources::new().with("cpu", "1500m")?.with("memory", "2Gi")?;
/// assert_eq!(cost_of(&cluster, &needs), 1 + 60 + 10);
/// # Ok::<(), fleet_core::InvalidAmount>(())
/// ```
pub fn cost_of(cluster: &ClusterInfo, needs: &Resources) -> i64 {
    let costs = &cluster.cluster.cost;
    let replica = i128::from(costs.get(REPLICA).copied().unwrap_or(0));
    let parts = costs.iter().map(|(of, cost)| {
        let (amount, unit) = bought(of, needs);
        price(*cost, amount, unit)
    });
    narrow(replica + parts.sum::<i128>())
}

/// What one replica costs on every cluster of a fleet.
pub(crate) struct Costs<'a> {
    replica: Option<&'a [i64]>,
    /// Costs by slot, how much is bought of it, and for how much a cost is.
    parts: Vec<(&'a [i64], i64, i64)>,
}

impl<'a> Costs<'a> {
    pub(crate) fn of(fleet: &'a FleetView, needs: &Resources) -> Self {
        let mut costs = Self {
            replica: None,
            parts: Vec::new(),
        };
        for (of, by_slot) in fleet.costs() {
            if of == REPLICA {
                costs.replica = Some(by_slot);
            }
            let (amount, unit) = bought(of, needs);
            if amount > 0 {
                costs.parts.push((by_slot, amount, unit));
            }
        }
        costs
    }

    /// As [`cost_of`] this cluster.
    pub(crate) fn at(&self, slot: Slot) -> i64 {
        let replica = self.replica.map_or(0, |by_slot| i128::from(by_slot[slot]));
        let parts = self.parts.iter();
        narrow(
            replica
                + parts
                    .map(|(by_slot, amount, unit)| price(by_slot[slot], *amount, *unit))
                    .sum::<i128>(),
        )
    }
}

/// What a cluster's cost is called that is asked for each replica, whatever it needs.
const REPLICA: &str = "replica";

/// How much is needed of what a cost is for, and for how much of it the cost is.
fn bought(of: &str, needs: &Resources) -> (i64, i64) {
    let resource = of.strip_suffix("-hour").unwrap_or(of);
    (needs.get(resource), unit_of(resource))
}

/// Rounded up; a cost below 0 is a gain, and rounds towards 0.
fn price(cost: i64, amount: i64, unit: i64) -> i128 {
    match cost.checked_mul(amount) {
        // What is divided is an i64 nearly always, which is several times faster.
        Some(product) => i128::from(product.div_euclid(unit)) + i128::from(product.rem_euclid(unit) != 0),
        None => {
            let (product, unit) = (i128::from(cost) * i128::from(amount), i128::from(unit));
            product.div_euclid(unit) + i128::from(product.rem_euclid(unit) != 0)
        }
    }
}

fn narrow(sum: i128) -> i64 {
    i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX })
}

/// How much of a resource a cost is for.
fn unit_of(resource: &str) -> i64 {
    match resource {
        "cpu" => 1000,
        _ if resource.contains("memory") || resource.contains("storage") => 1 << 30,
        _ => 1,
    }
}
