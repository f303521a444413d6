//! The parts of the policy: what is ours, beside everything that is built in.

use fleet_core::{Reason, Resources};
use fleet_scheduler::{
    AsAsked, Basis, Candidate, Divider, Filter, Key, Limit, OnlyWhen, Pass, Ranked, Rebalancer, Scheduler,
    Scorer, Selected, Target, Units, Wish, Workload, Worth, cost_of,
};

/// What GPUs are called among resources.
pub const GPU: &str = "nvidia.com/gpu";
/// The scores from outside that say how many grams of carbon a replica's hour is.
pub const CARBON: &str = "grams-of-carbon";
/// What a hundred grams of carbon cost, in the unit of clusters' costs.
const CARBON_PRICE: i64 = 3;

/// Everything built in, and our parts for GPU batch jobs.
pub fn scheduler() -> Scheduler {
    Scheduler::builder()
        .filter(OnlyWhen::new(is_gpu_batch, Idle { percent: 50 }))
        .scorer(OnlyWhen::new(is_gpu_batch, Bill), 20)
        .divider(Together)
        .rebalancer(Bill)
        .build()
}

/// What runs to its end and needs GPUs.
pub fn is_gpu_batch(workload: &Workload, _: &Target) -> bool {
    workload.completes && workload.needs.get(GPU) > 0
}

/// Only clusters where at most so many of a hundred GPUs are in use; what runs there already stays.
pub struct Idle {
    /// So many of a hundred.
    pub percent: u8,
}

impl Filter for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        let nothing = Resources::new();
        let capacity = candidate.cluster.capacity.as_ref();
        let of = |resources: &Resources| i128::from(resources.get(GPU));
        let all = of(capacity.map_or(&nothing, |capacity| &capacity.allocatable));
        let busy = of(capacity.map_or(&nothing, |capacity| &capacity.requested));
        if candidate.current > 0 || busy * 100 <= all * i128::from(self.percent) {
            return Ok(Pass::Always);
        }
        Err(Reason::new("not-idle", format!("{busy} of its {all} GPUs are in use")).with("busy", busy))
    }

    // The same for all workloads, and as long as the cluster says nothing else.
    fn basis(&self, _: &Workload, _: &Target) -> Basis {
        Basis::Cluster(Key::of(("idle", self.percent)))
    }
}

/// What a replica costs with its carbon: the cheapest is the best place to start, and the one worth a move.
pub struct Bill;

impl Bill {
    fn of(candidate: &Candidate<'_>) -> i64 {
        let (fleet, name) = (candidate.fleet, candidate.cluster.name());
        // What was not said, or is out of date, counts as coal.
        let grams = fleet.external_score(CARBON, name, candidate.now).unwrap_or(1_000);
        let carbon = grams.saturating_mul(CARBON_PRICE) / 100;
        cost_of(candidate.cluster, &candidate.workload.needs).saturating_add(carbon)
    }
}

impl Scorer for Bill {
    fn name(&self) -> &'static str {
        "bill"
    }

    // Scores from outside end at some time: `Basis::Anything`, as by default.
    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        Self::of(candidate).saturating_neg()
    }
}

impl Rebalancer for Bill {
    // There is one rebalancer for all workloads: what is not ours is worth what it is by default.
    fn worth(&self, candidate: &Candidate<'_>, load: i64) -> i64 {
        if is_gpu_batch(candidate.workload, candidate.target) {
            Self::of(candidate).saturating_neg()
        } else {
            Worth::default().worth(candidate, load)
        }
    }
}

/// A GPU batch job is not divided: all of it on the best cluster that holds all, or none.
pub struct Together;

impl Divider for Together {
    fn name(&self) -> &'static str {
        "together"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        if !is_gpu_batch(wish.workload, wish.target) {
            return AsAsked.grow(wish, selected);
        }
        // What is there stays, so only the cluster that has all of it can take more.
        let there = selected
            .clusters
            .iter()
            .fold(0, |sum: u64, one| sum.saturating_add(one.current));
        let can = |one: &&Ranked| one.holds() >= wish.wanted && one.current == there;
        let one = selected.clusters.iter().find(can).ok_or(Limit::Room)?;
        Ok(Units::of([(one.slot, wish.wanted)]))
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        AsAsked.shrink(wish, ranked)
    }
}
