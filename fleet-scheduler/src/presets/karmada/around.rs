//! Selection around what runs: clusters in use are selected before all others, and count.

use std::collections::BTreeSet;

use super::{Detail, Groups, SelectError, best_first, select_by_cluster, select_by_region};

/// As [`select_by_cluster`], with clusters in use. Places, in any order.
pub(super) fn by_cluster(
    clusters: &[Detail<'_>],
    is_used: impl Fn(usize) -> bool,
    groups: Groups,
    need: Option<u64>,
) -> Result<Vec<usize>, SelectError> {
    let (mut chosen, others): (Vec<usize>, Vec<usize>) = (0..clusters.len()).partition(|at| is_used(*at));
    if chosen.is_empty() {
        return select_by_cluster(clusters, groups, need);
    }
    if clusters.len() < groups.min {
        return Err(SelectError::Clusters {
            have: clusters.len(),
            need: groups.min,
        });
    }
    let held = chosen
        .iter()
        .fold(0_u64, |sum, at| sum.saturating_add(clusters[*at].available));
    let missing = need.map(|need| need.saturating_sub(held));
    let within = Groups {
        min: 0,
        max: groups.max.saturating_sub(chosen.len()),
    };
    let rest = details(clusters, &others);
    let more = match missing {
        None | Some(0) if within.max == 0 || rest.is_empty() => Vec::new(),
        _ => select_by_cluster(&rest, within, missing).map_err(|error| match error {
            SelectError::Room {
                clusters, available, ..
            } => SelectError::Room {
                clusters: clusters + chosen.len(),
                available: available.saturating_add(held),
                need: need.unwrap_or(0),
            },
            error => error,
        })?,
    };
    chosen.extend(more.into_iter().map(|at| others[at]));
    Ok(chosen)
}

/// As [`select_by_region`], with clusters in use, whose regions are selected before all others. Places, in any order.
pub(super) fn by_region(
    clusters: &[Detail<'_>],
    is_used: impl Fn(usize) -> bool,
    regions: Groups,
    groups: Groups,
    score: impl Fn(&[Detail<'_>]) -> i64,
) -> Result<Vec<usize>, SelectError> {
    let used: Vec<usize> = (0..clusters.len()).filter(|at| is_used(*at)).collect();
    let in_use: BTreeSet<&str> = used.iter().filter_map(|at| clusters[*at].region).collect();
    if in_use.is_empty() {
        return select_by_region(clusters, regions, groups, score);
    }
    let in_region = |at: &usize, regions: &BTreeSet<&str>| {
        let region = clusters[*at].region;
        region.is_some_and(|region| regions.contains(region))
    };
    let (inside, outside): (Vec<usize>, Vec<usize>) =
        (0..clusters.len()).partition(|at| in_region(at, &in_use));
    let missing = Groups {
        min: regions.min.saturating_sub(in_use.len()),
        max: regions.max.saturating_sub(in_use.len()),
    };
    let few = groups.min.saturating_sub(inside.len());
    let mut fixed = used;
    let mut selected = in_use.clone();
    if missing.min > 0 || few > 0 {
        let rest = details(clusters, &outside);
        let wanted = Groups {
            min: missing.min.max(1),
            max: missing.max,
        };
        let firsts = select_by_region(&rest, wanted, Groups { min: few, max: 0 }, score);
        let firsts = firsts.map_err(|error| match error {
            SelectError::Regions { have, .. } if missing.min > 0 => SelectError::Regions {
                have: have + in_use.len(),
                need: regions.min,
            },
            _ => SelectError::Combination { need: groups.min },
        })?;
        selected.extend(firsts.iter().filter_map(|at| rest[*at].region));
        fixed.extend(firsts.into_iter().map(|at| outside[at]));
    }
    let others: Vec<usize> = (0..clusters.len())
        .filter(|at| in_region(at, &selected) && !fixed.contains(at))
        .collect();
    let more = groups.max.saturating_sub(fixed.len());
    let best = best_first(&details(clusters, &others)).into_iter().take(more);
    fixed.extend(best.map(|at| others[at]));
    Ok(fixed)
}

fn details<'a>(clusters: &[Detail<'a>], places: &[usize]) -> Vec<Detail<'a>> {
    places.iter().map(|at| clusters[*at]).collect()
}
