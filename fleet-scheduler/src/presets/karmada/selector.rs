//! Selects clusters by a target's constraints.

use std::collections::BTreeSet;

use super::{Detail, Groups, SelectError, around, score_divided, score_duplicated};
use crate::{
    decision::Limit,
    model::{Clusters, DivideBy, Take},
    pipeline::{Ranked, Selected, Selector, Wish},
    schedule::BySpread,
};

/// Selects clusters as Karmada does for a target: by the number of clusters, and over regions where it is
/// [spread](crate::Target::spread). Clusters where something runs, and their regions, come before all others. Static
/// weights ([`DivideBy::Weight`]) take all clusters unless the target says how many, and ask nobody for room. What
/// Karmada has not (nested domains, skew) is selected by [`BySpread`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SpreadConstraints;

impl Selector for SpreadConstraints {
    fn name(&self) -> &'static str {
        "spread-constraints"
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let spread = &wish.target.spread;
        if spread.len() > 1 || spread.iter().any(|spread| spread.skew.is_some()) {
            return BySpread.select(wish, ranked);
        }
        let details: Vec<Detail<'_>> = ranked.iter().map(|one| detail(wish, one)).collect();
        let chosen = select(wish, ranked, &details).map_err(|error| limit(wish, error))?;
        // Clusters stay in the order they were given in.
        let selected = (0..ranked.len()).filter(|at| chosen.contains(at));
        Ok(Selected::any_of(selected.map(|at| ranked[at]).collect()))
    }
}

fn select(
    wish: &Wish<'_>,
    ranked: &[Ranked],
    details: &[Detail<'_>],
) -> Result<BTreeSet<usize>, SelectError> {
    let (clusters, asks_for_room, is_duplicated) = match &wish.target.take {
        Take::Each { clusters, .. } => (
            Clusters {
                min: None,
                max: *clusters,
            },
            false,
            true,
        ),
        Take::Divided { clusters, by, .. } => (*clusters, *by != DivideBy::Weight, false),
    };
    let spread = wish.target.spread.first();
    let spread =
        spread.filter(|spread| asks_for_room || is_duplicated || spread.min.or(spread.max).is_some());
    if spread.is_none() && clusters == Clusters::default() {
        return Ok((0..details.len()).collect());
    }
    let is_used = |at: usize| ranked[at].current > 0;
    let by_cluster = groups(clusters.min, clusters.max);
    let chosen = match spread {
        None => {
            let need = asks_for_room.then_some(wish.wanted);
            around::by_cluster(details, is_used, by_cluster, need)
        }
        Some(spread) => {
            let by_region = groups(spread.min, spread.max);
            let score = |members: &[Detail<'_>]| match is_duplicated {
                // A unit is all replicas of a cluster.
                true => score_duplicated(members, 1),
                false => score_divided(members, wish.wanted, by_region.min, by_cluster.min),
            };
            around::by_region(details, is_used, by_region, by_cluster, score)
        }
    };
    Ok(chosen?.into_iter().collect())
}

fn groups(min: Option<u32>, max: Option<u32>) -> Groups {
    let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
    Groups {
        min: min.map_or(1, count).max(1),
        max: max.map_or(usize::MAX, count),
    }
}

fn detail<'a>(wish: &Wish<'a>, one: &Ranked) -> Detail<'a> {
    let cluster = wish.fleet.at(one.slot);
    let region = wish
        .target
        .spread
        .first()
        .and_then(|spread| cluster.cluster.labels.get(&spread.over));
    // Where nothing limits them, as many as there are to be.
    let fits = if one.fits == u64::MAX {
        wish.wanted
    } else {
        one.fits
    };
    Detail::new(cluster.name(), one.score, one.current.saturating_add(fits))
        .region(region.map(String::as_str))
}

fn limit(wish: &Wish<'_>, error: SelectError) -> Limit {
    match error {
        SelectError::Clusters { have, need } => Limit::Clusters { have, need },
        SelectError::Regions { have, need } => Limit::Domains {
            over: wish
                .target
                .spread
                .first()
                .map(|spread| spread.over.clone())
                .unwrap_or_default(),
            have,
            need,
        },
        SelectError::Combination { need } => Limit::Clusters { have: 0, need },
        SelectError::Room { .. } => Limit::Room,
    }
}
