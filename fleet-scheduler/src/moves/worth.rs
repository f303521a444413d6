//! When a move is worth it.

use fleet_core::Millis;
use serde::{Deserialize, Serialize};

use crate::{
    pipeline::{Candidate, Scorer},
    score::{Attraction, PreferredTaints, cost_of},
};

/// Says what it is worth to have a replica on a cluster, so that two clusters can be compared for something that runs
/// already. Pure.
///
/// A move is made when it gains more than its price. To be free of flapping, a cluster must not be worth more the fuller it
/// is, nor, at the same load, less once the workload is there.
pub trait Rebalancer: Send + Sync + 'static {
    /// What one replica more is worth on this cluster, in the unit of costs; higher is better. `load` is how full the
    /// cluster would be with it, in millionths.
    fn worth(&self, candidate: &Candidate<'_>, load: i64) -> i64;
}

/// What a replica costs on a cluster, what the workload would rather have (as the scorers of the default scheduler see
/// it, but for scores from outside, which move nothing), and how full the cluster is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Worth {
    /// What a full cluster is worse than an empty one, in the unit of costs: this is what makes a new cluster used. 0: only
    /// cost and preferences count.
    pub balance: i64,
    /// What one point of preference is worth, in the unit of costs.
    pub preference: i64,
    /// What it is worth to have one of the things it would rather have, in the unit of costs: data that is there, a
    /// workload that is near, or away, and no taint of the effect `PreferNoSchedule` that it does not bear. Above `balance`
    /// it stays with them however full the cluster is.
    pub attraction: i64,
}

impl Default for Worth {
    fn default() -> Self {
        Self {
            balance: 40,
            preference: 1,
            attraction: 50,
        }
    }
}

impl Worth {
    /// Only cost and preferences count.
    pub fn without_balance() -> Self {
        Self {
            balance: 0,
            ..Self::default()
        }
    }
}

impl Rebalancer for Worth {
    fn worth(&self, candidate: &Candidate<'_>, load: i64) -> i64 {
        let workload = candidate.workload;
        let preferences = workload.prefer.iter();
        let preferred = preferences
            .filter(|preference| preference.selector.matches(candidate.cluster))
            .fold(0_i64, |sum, preference| {
                sum.saturating_add(preference.weight.into())
            });
        let attracted = Attraction
            .score(candidate)
            .saturating_add(PreferredTaints.score(candidate));
        let cost = cost_of(candidate.cluster, &workload.needs);
        let crowd = load.saturating_mul(self.balance) / 1_000_000;
        preferred
            .saturating_mul(self.preference)
            .saturating_add(attracted.saturating_mul(self.attraction))
            .saturating_sub(cost)
            .saturating_sub(crowd)
    }
}

/// All places are worth the same: nothing moves because another is better.
#[derive(Clone, Copy, Debug, Default)]
pub struct StayPut;

impl Rebalancer for StayPut {
    fn worth(&self, _: &Candidate<'_>, _: i64) -> i64 {
        0
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Rebalancer + ?Sized> Rebalancer for Box<T> {
    fn worth(&self, candidate: &Candidate<'_>, load: i64) -> i64 {
        (**self).worth(candidate, load)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Rebalancer + ?Sized> Rebalancer for std::sync::Arc<T> {
    fn worth(&self, candidate: &Candidate<'_>, load: i64) -> i64 {
        (**self).worth(candidate, load)
    }
}

/// How calm a fleet is kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Calm {
    /// After a workload has moved because another place was better, it stays for so long. Default: 30 min.
    pub rest: Millis,
    /// Shares by weight or capacity are put right only when more than so many of a hundred replicas are at the wrong
    /// place. Default: 10.
    pub tolerance: u8,
}

impl Default for Calm {
    fn default() -> Self {
        Self {
            rest: Millis::from_mins(30),
            tolerance: 10,
        }
    }
}
