//! Which clusters are selected, in plain numbers.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{Group, select_groups};

/// How much a cluster or a replica weighs in the score of a region, against a score of 0 to 100.
const UNIT: i64 = 1000;

/// What selection looks at in a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Detail<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its region. None: it is in none.
    pub region: Option<&'a str>,
    /// In which overflow tier it is.
    pub tier: usize,
    /// How good it is.
    pub score: i64,
    /// How many replicas it can have, those it has too.
    pub available: u64,
}

impl<'a> Detail<'a> {
    /// A cluster in no region.
    pub fn new(name: &'a str, score: i64, available: u64) -> Self {
        Self {
            name,
            region: None,
            tier: 0,
            score,
            available,
        }
    }

    /// In this region.
    #[must_use]
    pub fn region(mut self, region: impl Into<Option<&'a str>>) -> Self {
        self.region = region.into();
        self
    }

    /// In this overflow tier.
    #[must_use]
    pub fn tier(mut self, tier: usize) -> Self {
        self.tier = tier;
        self
    }
}

/// At least and at most so many groups. A maximum of 0 lets none be selected, as in Karmada.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Groups {
    /// At least.
    pub min: usize,
    /// At most.
    pub max: usize,
}

/// Why nothing is selected.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// Too few clusters can be selected.
    #[error("{have} clusters can be selected, {need} are needed")]
    Clusters {
        /// How many there are.
        have: usize,
        /// How many there must be.
        need: usize,
    },
    /// Too few regions have clusters that can be selected.
    #[error("{have} regions can be selected, {need} are needed")]
    Regions {
        /// How many there are.
        have: usize,
        /// How many there must be.
        need: usize,
    },
    /// No combination of so many regions has enough clusters.
    #[error("no combination of regions has {need} clusters")]
    Combination {
        /// How many clusters there must be.
        need: usize,
    },
    /// So many clusters do not hold everything.
    #[error("{clusters} clusters hold {available} replicas, {need} are needed")]
    Room {
        /// How many clusters there may be.
        clusters: usize,
        /// How many replicas they hold.
        available: u64,
        /// How many replicas there are.
        need: u64,
    },
}

/// The clusters by their places, best first: by tier, by score, by what is available, by name.
pub fn best_first(clusters: &[Detail<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..clusters.len()).collect();
    order.sort_by_key(|&at| {
        let one = &clusters[at];
        (one.tier, Reverse(one.score), Reverse(one.available), one.name)
    });
    order
}

/// Selects by a constraint on clusters: the best `max`, or as many as there are. Where `need` replicas must fit, the
/// last are exchanged for the largest of the others while all together hold too little. Places, in the order selected.
///
/// # Errors
/// When there are fewer than `min`, or when they do not hold `need`.
pub fn select_by_cluster(
    clusters: &[Detail<'_>],
    groups: Groups,
    need: Option<u64>,
) -> Result<Vec<usize>, SelectError> {
    if clusters.len() < groups.min {
        return Err(SelectError::Clusters {
            have: clusters.len(),
            need: groups.min,
        });
    }
    let mut chosen = best_first(clusters);
    let mut rest = chosen.split_off(groups.max.min(chosen.len()));
    let Some(need) = need else { return Ok(chosen) };
    let available = |at: &usize| clusters[*at].available;
    let held = |chosen: &[usize]| {
        chosen
            .iter()
            .fold(0_u64, |sum, at| sum.saturating_add(available(at)))
    };
    let mut last = chosen.len();
    while held(&chosen) < need && last > 0 {
        last -= 1;
        let largest = (0..rest.len()).max_by_key(|at| (available(&rest[*at]), Reverse(*at)));
        if let Some(largest) = largest.filter(|at| available(&rest[*at]) > available(&chosen[last])) {
            std::mem::swap(&mut chosen[last], &mut rest[largest]);
        }
    }
    let available = held(&chosen);
    if chosen.is_empty() || available < need {
        return Err(SelectError::Room {
            clusters: chosen.len(),
            available,
            need,
        });
    }
    Ok(chosen)
}

/// Selects by a constraint on regions: the best combination of them that has enough clusters, the best cluster of each,
/// then the best of their other clusters up to the maximum of clusters. `score` says how good a region is by its
/// clusters, best first. Clusters in no region are not selected. Places, in the order selected.
///
/// # Errors
/// When there are too few regions, or none of their combinations has enough clusters.
pub fn select_by_region(
    clusters: &[Detail<'_>],
    regions: Groups,
    groups: Groups,
    score: impl Fn(&[Detail<'_>]) -> i64,
) -> Result<Vec<usize>, SelectError> {
    let mut by_region: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for at in best_first(clusters) {
        if let Some(region) = clusters[at].region {
            by_region.entry(region).or_default().push(at);
        }
    }
    if by_region.len() < regions.min {
        return Err(SelectError::Regions {
            have: by_region.len(),
            need: regions.min,
        });
    }
    let candidates: Vec<Group<'_>> = by_region
        .iter()
        .map(|(name, members)| {
            let members: Vec<Detail<'_>> = members.iter().map(|at| clusters[*at]).collect();
            Group::new(name, members.len() as u64, score(&members))
        })
        .collect();
    let selected = select_groups(&candidates, regions.min, regions.max, groups.min as u64)
        .ok_or(SelectError::Combination { need: groups.min })?;
    let mut chosen = Vec::new();
    let mut rest = Vec::new();
    for region in selected {
        let members = by_region.get(region).map_or(&[][..], Vec::as_slice);
        chosen.extend(members.first());
        rest.extend(members.iter().skip(1));
    }
    let others: Vec<Detail<'_>> = rest.iter().map(|at: &usize| clusters[*at]).collect();
    let more = groups.max.saturating_sub(chosen.len());
    chosen.extend(best_first(&others).into_iter().take(more).map(|at| rest[at]));
    Ok(chosen)
}

/// How good a region is for replicas that each cluster has all of: first by how many of its clusters can have them,
/// then by their mean score.
pub fn score_duplicated(clusters: &[Detail<'_>], replicas: u64) -> i64 {
    let valid: Vec<i64> = clusters
        .iter()
        .filter(|one| one.available >= replicas)
        .map(|one| one.score)
        .collect();
    let count = i64::try_from(valid.len()).unwrap_or(i64::MAX);
    let mean = mean(&valid);
    count.saturating_mul(UNIT).saturating_add(mean)
}

/// How good a region is for replicas that are divided over at least `regions` of them: first by how much of its part it
/// can have, then by the mean score of the clusters that are needed for that, of which there are at least `clusters`.
/// Clusters are given best first.
pub fn score_divided(members: &[Detail<'_>], replicas: u64, regions: usize, clusters: usize) -> i64 {
    let part = replicas.div_ceil(regions.max(1) as u64);
    let least = clusters.max(regions);
    let (mut available, mut scores) = (0_u64, Vec::new());
    for one in members {
        available = available.saturating_add(one.available);
        scores.push(one.score);
        if scores.len() >= least && available >= part {
            break;
        }
    }
    let reached = i64::try_from(available.min(part)).unwrap_or(i64::MAX);
    reached.saturating_mul(UNIT).saturating_add(mean(&scores))
}

/// The mean, rounded towards zero; of none, 0.
fn mean(scores: &[i64]) -> i64 {
    let sum: i128 = scores.iter().map(|score| i128::from(*score)).sum();
    let count = i128::try_from(scores.len()).unwrap_or(i128::MAX);
    // A mean lies between its parts.
    i64::try_from(sum.checked_div(count).unwrap_or(0)).unwrap_or(0)
}
