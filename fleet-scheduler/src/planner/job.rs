//! A workload, checked and made ready for decisions.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    decision::InvalidWorkload,
    divide::MAX_REPLICAS,
    model::{ClusterSelector, Operator, Requirement, Take, Target, Workload},
    room::{Needs, Room},
};

/// A workload, checked and made ready for decisions.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) workload: Arc<Workload>,
    /// The names of its targets.
    pub(crate) names: Vec<Arc<str>>,
    /// What one unit of each target asks for.
    pub(crate) needs: Vec<Needs>,
    /// How many replicas one unit of each target is.
    pub(crate) units: Vec<u64>,
    /// What one replica asks for.
    pub(crate) replica: Needs,
    /// It asks for another amount than before: what was observed of its replicas does not count any more.
    pub(crate) is_unseen: bool,
    pub(crate) invalid: Option<InvalidWorkload>,
}

impl Job {
    pub(crate) fn new(workload: Arc<Workload>, room: &Room) -> Self {
        let names = workload
            .targets
            .iter()
            .enumerate()
            .map(|(at, target)| match target.name.as_str() {
                "" => (at + 1).to_string().into(),
                name => name.into(),
            });
        let mut job = Self {
            names: names.collect(),
            needs: Vec::new(),
            units: Vec::new(),
            replica: Needs::default(),
            is_unseen: false,
            invalid: None,
            workload,
        };
        job.invalid = job.check().err();
        job.measure(room);
        job
    }

    /// Reads its needs by the resources of a room.
    pub(crate) fn measure(&mut self, room: &Room) {
        let workload = &self.workload;
        let unit = |target: &Target| match &target.take {
            Take::Each { replicas, .. } => (*replicas).max(1),
            Take::Divided { .. } => 1,
        };
        self.units = workload.targets.iter().map(unit).collect();
        self.replica = room.needs(&workload.needs);
        let needs = |unit: &u64| self.replica.clone().together(*unit);
        self.needs = self.units.iter().map(needs).collect();
    }

    fn check(&self) -> Result<(), InvalidWorkload> {
        let workload = &self.workload;
        if workload.name.as_str().is_empty() {
            return Err(InvalidWorkload::Unnamed);
        }
        if workload.targets.is_empty() {
            return Err(InvalidWorkload::NoTargets);
        }
        let mut seen = BTreeSet::new();
        if let Some(name) = self.names.iter().find(|name| !seen.insert(&***name)) {
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
        for (target, name) in workload.targets.iter().zip(&self.names) {
            check_target(workload, target, name)?;
        }
        Ok(())
    }
}

fn check_target(workload: &Workload, target: &Target, name: &str) -> Result<(), InvalidWorkload> {
    for group in &target.groups {
        for requirement in group.requirements() {
            requirement
                .check()
                .map_err(|error| InvalidWorkload::Requirement {
                    target: name.to_owned(),
                    message: error.to_string(),
                })?;
        }
        if let Some(pair) = contradiction(group) {
            return Err(InvalidWorkload::contradiction(name, &pair));
        }
    }
    let ordered = |what: &str, min: u64, max: Option<u64>| match max {
        Some(max) if min > max => Err(InvalidWorkload::MinAboveMax {
            target: name.to_owned(),
            what: what.to_owned(),
            min,
            max,
        }),
        _ => Ok(()),
    };
    for spread in &target.spread {
        let what = format!("domains of {}", spread.over);
        ordered(
            &what,
            u64::from(spread.min.unwrap_or(0)),
            spread.max.map(u64::from),
        )?;
    }
    let replicas = match &target.take {
        Take::Each { replicas, .. } => *replicas,
        Take::Divided {
            replicas,
            clusters,
            bounds,
            ..
        } => {
            ordered(
                "clusters",
                u64::from(clusters.min.unwrap_or(0)),
                clusters.max.map(u64::from),
            )?;
            for bound in bounds {
                ordered("replicas of a cluster", bound.min, bound.max)?;
            }
            if !bounds.is_empty() && bounds.iter().all(|bound| bound.weight == 0 && bound.min == 0) {
                return Err(InvalidWorkload::NoWeight {
                    target: name.to_owned(),
                });
            }
            *replicas
        }
    };
    if replicas > MAX_REPLICAS {
        return Err(InvalidWorkload::TooMany {
            target: name.to_owned(),
            replicas,
            most: MAX_REPLICAS,
        });
    }
    if workload.needs.times(replicas).is_none() {
        return Err(InvalidWorkload::TooLarge {
            target: name.to_owned(),
        });
    }
    Ok(())
}

/// Two requirements on one key that no value meets, or that no whole number lies between.
fn contradiction(selector: &ClusterSelector) -> Option<Vec<&Requirement>> {
    let requirements = selector.requirements();
    for (at, one) in requirements.iter().enumerate() {
        if let Some(other) = requirements[at + 1..].iter().find(|other| contradict(one, other)) {
            return Some(vec![one, other]);
        }
    }
    // A set may contradict itself although no two of it do: what is left of one `In` by all others together.
    for one in requirements.iter().filter(|one| one.operator == Operator::In) {
        let others: Vec<&Requirement> = requirements
            .iter()
            .filter(|other| *other != one && same_key(one, other))
            .collect();
        let is_left = |value: &String| others.iter().all(|other| other.holds(Some(value)));
        if !others.is_empty() && !one.values.iter().any(is_left) {
            return Some(std::iter::once(one).chain(others).collect());
        }
    }
    None
}

fn same_key(one: &Requirement, other: &Requirement) -> bool {
    (one.fact, &one.key) == (other.fact, &other.key)
}

fn contradict(one: &Requirement, other: &Requirement) -> bool {
    if !same_key(one, other) {
        return false;
    }
    let is_absent = |requirement: &Requirement| requirement.operator == Operator::DoesNotExist;
    let needs_value = |requirement: &Requirement| !requirement.holds(None);
    if is_absent(one) || is_absent(other) {
        return needs_value(one) || needs_value(other);
    }
    if one.operator == Operator::In {
        return !one.values.iter().any(|value| other.holds(Some(value)));
    }
    if other.operator == Operator::In {
        return !other.values.iter().any(|value| one.holds(Some(value)));
    }
    match (above(one), below(other), above(other), below(one)) {
        (Some(low), Some(high), _, _) | (_, _, Some(low), Some(high)) => low > high,
        _ => false,
    }
}

/// The least whole number that meets it.
fn above(requirement: &Requirement) -> Option<i128> {
    let number = i128::from(requirement.number()?);
    match requirement.operator {
        Operator::Gt => Some(number + 1),
        Operator::Ge => Some(number),
        _ => None,
    }
}

/// The greatest whole number that meets it.
fn below(requirement: &Requirement) -> Option<i128> {
    let number = i128::from(requirement.number()?);
    match requirement.operator {
        Operator::Lt => Some(number - 1),
        Operator::Le => Some(number),
        _ => None,
    }
}
