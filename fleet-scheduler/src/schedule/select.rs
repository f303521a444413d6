//! Which clusters get a share: as many as are asked for, spread over domains.

use crate::{
    decision::Limit,
    model::{Clusters, DivideBy, Fact, FleetView, Spread, Take},
    pipeline::{Ranked, Selected, Selector, Wish},
};

/// Selects as many clusters as the target lets it have, spread over nested domains.
///
/// Domains are taken by their best cluster, outermost level first, until there are enough of them and what they hold
/// together suffices; where no more may be taken, the worst is exchanged for the one that holds most (as Karmada's
/// selection by cluster does). Then clusters within them, the same way. What is divided over few clusters takes no more
/// domains than it needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct BySpread;

impl Selector for BySpread {
    fn name(&self) -> &'static str {
        "by-spread"
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let spread = &wish.target.spread;
        let (clusters, is_few) = match &wish.target.take {
            Take::Each { .. } => (Clusters::default(), false),
            Take::Divided { clusters, by, .. } => (*clusters, *by == DivideBy::Fewest),
        };
        if spread.is_empty() && clusters == Clusters::default() {
            return Ok(Selected::any_of(ranked.to_vec()));
        }
        let count = |count: Option<u32>| count.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let wanted = usize::try_from(wish.wanted).unwrap_or(usize::MAX);
        Selection {
            fleet: wish.fleet,
            spread,
            min: count(clusters.min).unwrap_or(0).min(wanted),
            max: count(clusters.max).unwrap_or(usize::MAX),
            need: wish.wanted,
            is_frugal: is_few && spread.iter().all(|spread| spread.skew.is_none()),
        }
        .run(ranked)
    }
}

/// What is asked of a selection.
#[derive(Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) fleet: &'a FleetView,
    pub(super) spread: &'a [Spread],
    /// At least and at most so many clusters.
    pub(super) min: usize,
    pub(super) max: usize,
    /// How many units must fit, those that are there too.
    pub(super) need: u64,
    /// Only as many domains and clusters as are needed, rather than as many as may be.
    pub(super) is_frugal: bool,
}

impl Selection<'_> {
    /// Selects among clusters that are given best first; those with something on them are always among them.
    pub(super) fn run(&self, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let mut must = Vec::new();
        let all: Vec<usize> = (0..ranked.len()).collect();
        let mut chosen = self.domains(ranked, &all, 0, self.need, &mut must)?;
        chosen.sort_unstable();
        let have = chosen.len();
        if have < self.min {
            return Err(Limit::Clusters { have, need: self.min });
        }
        let is_fixed = |at: &usize| ranked[*at].current > 0 || must.contains(at);
        // At most this many, unless more are in use already.
        let most = self.max.max(chosen.iter().filter(|at| is_fixed(at)).count());
        if have > most {
            let (mut kept, mut rest): (Vec<usize>, Vec<usize>) = chosen.into_iter().partition(is_fixed);
            let fixed = kept.len();
            let room = most - fixed;
            let later = rest.split_off(room.min(rest.len()));
            kept.extend(rest);
            exchange(ranked, &mut kept, later, fixed, self.need);
            kept.sort_unstable();
            chosen = kept;
        }
        // Enough of the best get something.
        for at in &chosen {
            if must.len() >= self.min {
                break;
            }
            if !must.contains(at) {
                must.push(*at);
            }
        }
        let place = |at: &usize| chosen.binary_search(at).ok();
        Ok(Selected {
            must: must.iter().filter_map(place).collect(),
            clusters: chosen.iter().map(|at| ranked[*at]).collect(),
        })
    }

    fn domains(
        &self,
        ranked: &[Ranked],
        members: &[usize],
        level: usize,
        need: u64,
        must: &mut Vec<usize>,
    ) -> Result<Vec<usize>, Limit> {
        let Some(spread) = self.spread.get(level) else {
            return Ok(members.to_vec());
        };
        let mut domains: Vec<Domain> = Vec::new();
        if let Some(column) = self.fleet.column(Fact::Label, &spread.over) {
            let mut places = vec![usize::MAX; column.values.len() + 1];
            for at in members {
                let one = &ranked[*at];
                let number = column.numbers[one.slot] as usize;
                if number == 0 {
                    continue;
                }
                if places[number] == usize::MAX {
                    places[number] = domains.len();
                    domains.push(Domain::default());
                }
                domains[places[number]].add(*at, one);
            }
        }
        // Used ones first, then by their best cluster.
        domains.sort_by_key(|domain| !domain.is_used);
        // No more domains can be used than there are units.
        let min = wide(spread.min).min(self.need).max(1);
        let min = usize::try_from(min).unwrap_or(usize::MAX);
        if domains.len() < min {
            return Err(Limit::Domains {
                over: spread.over.clone(),
                have: domains.len(),
                need: min,
            });
        }
        let max = spread
            .max
            .map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX))
            .max(min);
        let used = domains.iter().filter(|domain| domain.is_used).count();
        let max = max.max(used).min(domains.len());
        let mut take = if self.is_frugal { min.max(used) } else { max };
        let sum = |domains: &[Domain]| {
            domains
                .iter()
                .fold(0_u64, |sum, one| sum.saturating_add(one.holds))
        };
        while take < max && sum(&domains[..take]) < need {
            take += 1;
        }
        let mut later = domains.split_off(take);
        let mut last = take;
        while last > used && sum(&domains) < need {
            last -= 1;
            let largest = (0..later.len()).max_by_key(|at| (later[*at].holds, std::cmp::Reverse(*at)));
            let Some(largest) = largest.filter(|at| later[*at].holds > domains[last].holds) else {
                continue;
            };
            std::mem::swap(&mut domains[last], &mut later[largest]);
        }
        let share = need.div_ceil(u64::try_from(domains.len().max(1)).unwrap_or(1));
        let mut chosen = Vec::new();
        for (at, domain) in domains.iter().enumerate() {
            let begin = must.len();
            let inner = self.domains(ranked, &domain.members, level + 1, share, must)?;
            // The innermost level says which cluster of it must get something; one that has something has it already.
            let is_used = inner.iter().any(|at| ranked[*at].current > 0);
            if at < min && must.len() == begin && !is_used {
                must.extend(inner.iter().min());
            }
            chosen.extend(inner);
        }
        Ok(chosen)
    }
}

/// The clusters of one domain, best first.
#[derive(Default)]
struct Domain {
    members: Vec<usize>,
    is_used: bool,
    /// How many units they hold together.
    holds: u64,
}

impl Domain {
    fn add(&mut self, at: usize, one: &Ranked) {
        self.members.push(at);
        self.is_used |= one.current > 0;
        self.holds = self.holds.saturating_add(one.holds());
    }
}

/// Exchanges clusters of the end of `kept` for later ones that hold more, while all together hold too little.
fn exchange(ranked: &[Ranked], kept: &mut [usize], mut later: Vec<usize>, fixed: usize, need: u64) {
    let mut sum = kept
        .iter()
        .fold(0_u64, |sum, at| sum.saturating_add(ranked[*at].holds()));
    for place in (fixed..kept.len()).rev() {
        if sum >= need {
            return;
        }
        let largest = (0..later.len()).max_by_key(|at| (ranked[later[*at]].holds(), std::cmp::Reverse(*at)));
        let Some(largest) = largest else { return };
        let (old, new) = (ranked[kept[place]].holds(), ranked[later[largest]].holds());
        if new > old {
            sum = sum.saturating_sub(old).saturating_add(new);
            std::mem::swap(&mut kept[place], &mut later[largest]);
        }
    }
}

fn wide(count: Option<u32>) -> u64 {
    count.map_or(0, u64::from)
}
