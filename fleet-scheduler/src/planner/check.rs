//! What is wrong with a workload, as far as it can be seen without a fleet.

use std::{collections::BTreeSet, sync::Arc};

use super::requirements;
use crate::{
    decision::InvalidWorkload,
    divide::{MAX_LEVELS, MAX_REPLICAS},
    file::is_kind,
    model::{Bound, DivideBy, Nature, Preference, Take, Target, Workload},
};

/// What is wrong with a workload whose targets have these names.
pub(super) fn check(workload: &Workload, names: &[Arc<str>]) -> Result<(), InvalidWorkload> {
    if workload.name.as_str().is_empty() {
        return Err(InvalidWorkload::Unnamed);
    }
    if workload.targets.is_empty() {
        return Err(InvalidWorkload::NoTargets);
    }
    let mut seen = BTreeSet::new();
    if let Some(name) = names.iter().find(|name| !seen.insert(&***name)) {
        return Err(InvalidWorkload::TargetTwice(name.to_string()));
    }
    let apart: BTreeSet<_> = workload
        .apart
        .iter()
        .filter(|relation| !relation.preferred)
        .collect();
    if let Some(both) = workload.beside.iter().find(|relation| apart.contains(relation)) {
        return Err(InvalidWorkload::BesideAndApart(both.workload.clone()));
    }
    if apart.iter().any(|relation| relation.workload == workload.name) {
        return Err(InvalidWorkload::ApartFromItself);
    }
    if let Some(own) = workload
        .beside
        .iter()
        .find(|relation| relation.workload == workload.name)
    {
        return Err(InvalidWorkload::Cycle {
            workloads: vec![own.workload.clone()],
        });
    }
    if let Some(kind) = workload.kinds.iter().find(|kind| !is_kind(kind)) {
        return Err(InvalidWorkload::NotAKind { kind: kind.clone() });
    }
    check_preferences(workload)?;
    check_nature(workload)?;
    for (target, name) in workload.targets.iter().zip(names) {
        check_target(workload, target, name)?;
    }
    Ok(())
}

fn check_target(workload: &Workload, target: &Target, name: &str) -> Result<(), InvalidWorkload> {
    for group in &target.groups {
        requirements::check(group).map_err(|invalid| InvalidWorkload::meant(name, invalid))?;
    }
    let replicas = match &target.take {
        Take::Each { replicas, clusters } => {
            if let Some(what) = target.undivided() {
                return Err(InvalidWorkload::NotDivided {
                    target: name.to_owned(),
                    what: what.to_owned(),
                });
            }
            at_least_one(name, "clusters", clusters.map(u64::from))?;
            *replicas
        }
        Take::Divided { replicas, .. } => {
            check_divided(target, name)?;
            *replicas
        }
    };
    check_spread(target, name)?;
    at_most(name, "replicas", replicas, MAX_REPLICAS)?;
    if workload.needs.times(replicas).is_none() {
        return Err(InvalidWorkload::TooLarge {
            target: name.to_owned(),
        });
    }
    Ok(())
}

fn check_divided(target: &Target, name: &str) -> Result<(), InvalidWorkload> {
    let Take::Divided {
        clusters, by, bounds, ..
    } = &target.take
    else {
        return Ok(());
    };
    at_least_one(name, "clusters", clusters.max.map(u64::from))?;
    let min = u64::from(clusters.min.unwrap_or(0));
    ordered(name, "clusters", min, clusters.max.map(u64::from))?;
    for (at, bound) in bounds.iter().enumerate() {
        requirements::check(&bound.selector).map_err(|selector| InvalidWorkload::Bound {
            target: name.to_owned(),
            bound: at,
            selector,
        })?;
        at_most(name, "replicas at least on a cluster", bound.min, MAX_REPLICAS)?;
        ordered(name, "replicas of a cluster", bound.min, bound.max)?;
    }
    let is_for_all = |bound: &Bound| bound.clusters.is_empty() && bound.selector.requirements().is_empty();
    // The first bound that matches counts, and a cluster that none means has the weight 1.
    let all = bounds.iter().position(is_for_all).map(|at| &bounds[..=at]);
    let has_no_weight = |bound: &Bound| bound.weight == 0 && bound.min == 0;
    if *by == DivideBy::Weight && all.is_some_and(|all| all.iter().all(has_no_weight)) {
        return Err(InvalidWorkload::NoWeight {
            target: name.to_owned(),
        });
    }
    Ok(())
}

/// What domains and clusters are spread over.
fn check_spread(target: &Target, name: &str) -> Result<(), InvalidWorkload> {
    let levels = u64::try_from(target.spread.len()).unwrap_or(u64::MAX);
    at_most(name, "levels of domains", levels, MAX_LEVELS as u64)?;
    let mut least = 1_u64;
    for spread in &target.spread {
        let what = format!("domains of {}", spread.over);
        let (min, max) = (spread.min.map_or(0, u64::from), spread.max.map(u64::from));
        at_least_one(name, &what, max)?;
        ordered(name, &what, min, max)?;
        let skew = format!("replicas more in one of the {what} than in another");
        at_least_one(name, &skew, spread.skew)?;
        least = least.saturating_mul(min.max(1));
    }
    // Where a number of clusters is asked for, it is as few replicas are: no more domains than there can be.
    let most = match &target.take {
        Take::Each { .. } => None,
        Take::Divided { clusters, .. } => clusters.max,
    };
    ordered(name, "clusters, for all domains", least, most.map(u64::from))
}

/// Of what there must never be two, one replica is asked for at most.
fn check_nature(workload: &Workload) -> Result<(), InvalidWorkload> {
    if workload.nature != Nature::Singleton {
        return Ok(());
    }
    let replicas = |target: &Target| match &target.take {
        Take::Divided { replicas, .. } => Some(*replicas),
        Take::Each { replicas: 0, .. } => Some(0),
        Take::Each { replicas, clusters } => {
            let named = target.clusters.iter().collect::<BTreeSet<_>>().len();
            let named = (named > 0).then_some(u64::try_from(named).unwrap_or(u64::MAX));
            let most = clusters.map(u64::from).into_iter().chain(named).min()?;
            Some(replicas.saturating_mul(most))
        }
    };
    let sum = |sum: u64, more: Option<u64>| Some(sum.saturating_add(more?));
    match workload.targets.iter().map(replicas).try_fold(0, sum) {
        Some(0 | 1) => Ok(()),
        replicas => Err(InvalidWorkload::TwoOfASingleton { replicas }),
    }
}

fn check_preferences(workload: &Workload) -> Result<(), InvalidWorkload> {
    for (at, preference) in workload.prefer.iter().enumerate() {
        requirements::check(&preference.selector).map_err(|selector| InvalidWorkload::Preferred {
            preference: at,
            selector,
        })?;
    }
    let range = -Preference::MOST..=Preference::MOST;
    match workload
        .prefer
        .iter()
        .find(|preference| !range.contains(&preference.weight))
    {
        None => Ok(()),
        Some(preference) => Err(InvalidWorkload::Preference {
            weight: preference.weight,
            most: Preference::MOST,
        }),
    }
}

fn ordered(target: &str, what: &str, min: u64, max: Option<u64>) -> Result<(), InvalidWorkload> {
    match max {
        Some(max) if min > max => Err(InvalidWorkload::MinAboveMax {
            target: target.to_owned(),
            what: what.to_owned(),
            min,
            max,
        }),
        _ => Ok(()),
    }
}

/// What is more than can be decided on.
fn at_most(target: &str, what: &str, count: u64, most: u64) -> Result<(), InvalidWorkload> {
    match count > most {
        true => Err(InvalidWorkload::TooMany {
            target: target.to_owned(),
            what: what.to_owned(),
            count,
            most,
        }),
        false => Ok(()),
    }
}

/// At most none is no limit that anybody means: no replicas are asked for by saying so.
fn at_least_one(target: &str, what: &str, max: Option<u64>) -> Result<(), InvalidWorkload> {
    match max {
        Some(0) => Err(InvalidWorkload::MostIsNone {
            target: target.to_owned(),
            what: what.to_owned(),
        }),
        _ => Ok(()),
    }
}
