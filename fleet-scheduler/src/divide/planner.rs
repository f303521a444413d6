//! Divisions equivalent to the planners of kubefed (`ReplicaSchedulingPreference`) and `KubeAdmiral`.
//!
//! Both serve clusters by weight, largest first, and equal weights by a hash of name and key. Minimums go first; then
//! rounds give each cluster its part of what is left, rounded **up**. So the last in line can end up well short of its
//! part: ten replicas over three equal clusters are 4, 4, 2. What a cluster should get but cannot run becomes
//! *overflow*: replicas asked of it in case it can run them after all.
//!
//! The time is quadratic in the number of clusters at worst, and does not depend on the number of replicas.

use super::{DivideError, Division, Party, fnv::fnv1, party::check};

/// Which planner, and how it treats what runs now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Planner {
    /// `KubeAdmiral`'s.
    KubeAdmiral {
        /// Changes as little as possible: if the planned total equals what runs and fits, that stays; if not, only the
        /// difference is added or removed.
        avoid_disruption: bool,
        /// Leaves all overflow where it is, though the rest is placed elsewhere: more replicas than asked for. Always
        /// so without `avoid_disruption`, as the plan would oscillate otherwise.
        keep_unschedulable: bool,
    },
    /// kubefed's. [`Party::limit`] is ignored.
    Kubefed {
        /// Divides anew rather than reserving what runs now; overflow is kept only then.
        rebalance: bool,
    },
}

/// A plan and its overflow.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// Replicas that are expected to run.
    pub division: Division,
    /// Replicas asked of each party beyond that.
    pub overflow: Vec<u64>,
}

impl Plan {
    /// What each party is asked for: planned replicas and overflow.
    pub fn asked(&self) -> Vec<u64> {
        self.division
            .replicas
            .iter()
            .zip(&self.overflow)
            .map(|(planned, over)| planned + over)
            .collect()
    }
}

/// Plans `replicas` over the parties. [`Party::capacity`] is the estimate that overflow exceeds, [`Party::limit`] the
/// one it does not. The key, usually the workload's name, varies who is served first. Domains are ignored.
///
/// # Errors
/// Names that are not unique, minimums above maximums (which the originals let pass), and counts above
/// [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub fn plan(parties: &[Party<'_>], replicas: u64, key: &str, planner: Planner) -> Result<Plan, DivideError> {
    check(parties, replicas)?;
    let wishes: Vec<Wish> = parties.iter().map(|party| Wish::of(party, planner)).collect();
    let order = ServiceOrder::new(parties, key);
    let draft = match planner {
        Planner::KubeAdmiral {
            avoid_disruption,
            keep_unschedulable,
        } => {
            let mut draft = Draft::with_minimums(&wishes, &order, replicas, true);
            draft.spread(&wishes, &order);
            draft.trim_overflow(keep_unschedulable || !avoid_disruption);
            if avoid_disruption {
                draft.planned = keep_running(parties, &wishes, &order, &draft.planned);
            }
            draft
        }
        Planner::Kubefed { rebalance } => {
            let mut draft = Draft::with_minimums(&wishes, &order, replicas, false);
            if !rebalance {
                draft.reserve_running(parties, &wishes, &order);
            }
            draft.spread(&wishes, &order);
            draft.trim_overflow(rebalance);
            draft
        }
    };
    let mut division = Division::of(draft.planned);
    division.shortfall = replicas.saturating_sub(division.placed());
    division.note_own_limits(parties);
    Ok(Plan {
        division,
        overflow: draft.overflow,
    })
}

/// What is wished for one cluster.
#[derive(Clone, Copy, Debug, Default)]
struct Wish {
    weight: u64,
    min: u64,
    max: Option<u64>,
    estimate: Option<u64>,
    limit: Option<u64>,
}

impl Wish {
    fn of(party: &Party<'_>, planner: Planner) -> Self {
        let limit = party
            .limit
            .filter(|_| matches!(planner, Planner::KubeAdmiral { .. }));
        Self {
            weight: party.weight,
            min: party.min,
            max: party.max,
            estimate: party.capacity,
            limit,
        }
    }
}

/// Clusters by weight descending, then by hash, then by name (which the originals leave open).
struct ServiceOrder<'a> {
    parties: &'a [Party<'a>],
    hashes: Vec<u32>,
}

impl<'a> ServiceOrder<'a> {
    fn new(parties: &'a [Party<'a>], key: &str) -> Self {
        let hashes = parties
            .iter()
            .map(|party| fnv1(party.name.bytes().chain(key.bytes())))
            .collect();
        Self { parties, hashes }
    }

    fn by_weight(&self, wishes: &[Wish]) -> Vec<usize> {
        let mut order: Vec<usize> = (0..wishes.len()).collect();
        let rank = |i: usize| {
            (
                std::cmp::Reverse(wishes[i].weight),
                self.hashes[i],
                self.parties[i].name,
            )
        };
        order.sort_unstable_by_key(|&i| rank(i));
        order
    }
}

/// A plan in the making, by index.
struct Draft {
    planned: Vec<u64>,
    overflow: Vec<u64>,
    /// Planned because it runs, and not yet covered by weight.
    reserved: Vec<u64>,
    remaining: u64,
}

impl Draft {
    fn with_minimums(wishes: &[Wish], order: &ServiceOrder<'_>, replicas: u64, overflows: bool) -> Self {
        let zeros = || vec![0; wishes.len()];
        let mut draft = Self {
            planned: zeros(),
            overflow: zeros(),
            reserved: zeros(),
            remaining: replicas,
        };
        for i in order.by_weight(wishes) {
            let wish = wishes[i];
            let wanted = at_most(wish.min.min(draft.remaining), wish.limit);
            let planned = at_most(wanted, wish.estimate);
            draft.overflow[i] = if overflows { wanted - planned } else { 0 };
            draft.planned[i] = planned;
            draft.remaining -= planned;
        }
        draft
    }

    fn reserve_running(&mut self, parties: &[Party<'_>], wishes: &[Wish], order: &ServiceOrder<'_>) {
        for i in order.by_weight(wishes) {
            let running = at_most(at_most(parties[i].current, wishes[i].max), wishes[i].estimate);
            let more = running.saturating_sub(self.planned[i]).min(self.remaining);
            self.reserved[i] = more;
            self.planned[i] += more;
            self.remaining -= more;
        }
    }

    /// Gives out what remains by weight, in rounds. Each round places everything, fills a cluster, or covers at least
    /// half of what is reserved.
    fn spread(&mut self, wishes: &[Wish], order: &ServiceOrder<'_>) {
        let mut open = order.by_weight(wishes);
        let mut changed = true;
        while changed && self.remaining > 0 {
            changed = false;
            let weights: u128 = open.iter().map(|&i| u128::from(wishes[i].weight)).sum();
            if weights == 0 {
                return;
            }
            let shared = u128::from(self.remaining);
            open.retain(|&i| {
                let wish = wishes[i];
                let part = (shared * u128::from(wish.weight)).div_ceil(weights);
                let part = u64::try_from(part).unwrap_or(u64::MAX).min(self.remaining);
                let covered = part.min(self.reserved[i]);
                self.reserved[i] -= covered;
                let start = self.planned[i];
                let wanted = start + part - covered;
                let allowed = at_most(at_most(wanted, wish.max), wish.limit);
                let planned = at_most(allowed, wish.estimate);
                self.overflow[i] += allowed - planned;
                self.planned[i] = planned;
                // What is planned is within all bounds from the start, so no round takes anything back.
                self.remaining -= planned - start;
                changed |= covered > 0 || planned > start;
                planned == wanted
            });
        }
    }

    fn trim_overflow(&mut self, keep: bool) {
        if !keep {
            self.overflow
                .iter_mut()
                .for_each(|over| *over = (*over).min(self.remaining));
        }
    }
}

/// Changes what runs and fits by the difference to the plan's total, towards the plan.
fn keep_running(parties: &[Party<'_>], wishes: &[Wish], order: &ServiceOrder<'_>, plan: &[u64]) -> Vec<u64> {
    let fitting =
        |(party, wish): (&Party<'_>, &Wish)| at_most(at_most(party.current, wish.limit), wish.estimate);
    let mut running: Vec<u64> = parties.iter().zip(wishes).map(fitting).collect();
    let (runs, wanted) = (running.iter().sum::<u64>(), plan.iter().sum::<u64>());
    // Each part is at most its weight, as what is changed is at most the sum of weights: so no bound is passed.
    let change = |difference: fn(u64, u64) -> u64, count: u64| {
        let weigh = |(now, then): (&u64, &u64)| Wish {
            weight: difference(*now, *then),
            ..Wish::default()
        };
        let wishes: Vec<Wish> = running.iter().zip(plan).map(weigh).collect();
        let mut draft = Draft::with_minimums(&wishes, order, count, false);
        draft.spread(&wishes, order);
        draft.planned
    };
    if runs > wanted {
        let removed = change(u64::saturating_sub, runs - wanted);
        running
            .iter_mut()
            .zip(removed)
            .for_each(|(count, fewer)| *count -= fewer);
    } else if runs < wanted {
        let added = change(|now, then| then.saturating_sub(now), wanted - runs);
        running
            .iter_mut()
            .zip(added)
            .for_each(|(count, more)| *count += more);
    }
    running
}

fn at_most(count: u64, bound: Option<u64>) -> u64 {
    bound.map_or(count, |bound| count.min(bound))
}
