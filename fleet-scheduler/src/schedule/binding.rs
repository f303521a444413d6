//! Is it room that is missing, or does the target itself ask for no more?

use std::collections::BTreeSet;

use super::divisions::Shares;
use crate::{
    decision::Limit,
    model::{Fact, Slot, Take},
    pipeline::{Ranked, Units, Wish},
};

/// The limit of the target that keeps units away from clusters which have room; none: no such cluster is left.
pub(super) fn own_limit(wish: &Wish<'_>, ranked: &[Ranked], units: &Units) -> Option<Limit> {
    let Take::Divided { clusters, .. } = &wish.target.take else {
        return None;
    };
    let shares = Shares::of(wish.fleet, wish.target);
    let has_more = ranked.iter().filter(|one| one.holds() > units.at(one.slot));
    let (used, unused): (Vec<&Ranked>, Vec<&Ranked>) = has_more.partition(|one| units.at(one.slot) > 0);
    let (empty, closed): (Vec<&Ranked>, Vec<&Ranked>) =
        unused.into_iter().partition(|one| shares.at(one.slot).max > 0);
    let is_full = |one: &&Ranked| units.at(one.slot) >= shares.at(one.slot).max;
    if used.iter().any(is_full) {
        return Some(Limit::ClusterMax);
    }
    if let Some(most) = clusters.max
        && !empty.is_empty()
        && units.units.len() >= usize::try_from(most).unwrap_or(usize::MAX)
    {
        return Some(Limit::MostClusters { most });
    }
    let domains = empty.iter().find_map(|one| most_domains(wish, one.slot, units));
    domains.or((!closed.is_empty()).then_some(Limit::ClusterMax))
}

/// The level on which the domain of this cluster would be one too many.
fn most_domains(wish: &Wish<'_>, slot: Slot, units: &Units) -> Option<Limit> {
    // Those in the same domains of the levels above.
    let mut near: Vec<Slot> = units.units.iter().map(|(slot, _)| *slot).collect();
    for spread in &wish.target.spread {
        let column = wish.fleet.column(Fact::Label, &spread.over)?;
        let own = column.numbers[slot];
        let taken: BTreeSet<u32> = near.iter().map(|slot| column.numbers[*slot]).collect();
        if let Some(most) = spread.max
            && !taken.contains(&own)
            && taken.len() >= usize::try_from(most).unwrap_or(usize::MAX)
        {
            return Some(Limit::MostDomains {
                over: spread.over.clone(),
                most,
            });
        }
        near.retain(|slot| column.numbers[*slot] == own);
    }
    None
}
