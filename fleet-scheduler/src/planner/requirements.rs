//! Requirements that make no sense, or that no cluster can meet together.

use crate::{
    decision::InvalidSelector,
    model::{ClusterSelector, Fact, Operator, Requirement},
};

/// Checks each requirement of a selector, and then all of them together.
pub(super) fn check(selector: &ClusterSelector) -> Result<(), InvalidSelector> {
    for requirement in selector.requirements() {
        requirement
            .check()
            .map_err(|error| InvalidSelector::Requirement(error.to_string()))?;
    }
    match contradiction(selector.requirements()) {
        None => Ok(()),
        Some(set) => {
            let told = set.iter().map(ToString::to_string);
            Err(InvalidSelector::Contradiction(told.collect()))
        }
    }
}

/// Requirements on one key that no value meets: one or two of them where these suffice, else a set none of which can be
/// left out.
fn contradiction(requirements: &[Requirement]) -> Option<Vec<&Requirement>> {
    // All of one key are beside each other.
    for on_key in requirements.chunk_by(|one, other| (one.fact, &one.key) == (other.fact, &other.key)) {
        let all: Vec<&Requirement> = on_key.iter().collect();
        if can_be_met(&all) {
            continue;
        }
        let ones = all.iter().map(|one| vec![*one]);
        let pairs = all
            .iter()
            .enumerate()
            .flat_map(|(at, one)| all[at + 1..].iter().map(|other| vec![*one, *other]));
        if let Some(few) = ones.chain(pairs).find(|few| !can_be_met(few)) {
            return Some(few);
        }
        let mut set = all;
        for at in (0..set.len()).rev() {
            let one = set.remove(at);
            if can_be_met(&set) {
                set.insert(at, one);
            }
        }
        return Some(set);
    }
    None
}

/// Whether some value of a key, or that it is not there, meets all of these.
fn can_be_met(set: &[&Requirement]) -> bool {
    let holds = |value: Option<&str>| set.iter().all(|one| one.holds(value));
    // Each cluster has a name.
    let is_there = set.iter().any(|one| one.fact == Fact::Name);
    if !is_there && holds(None) {
        return true;
    }
    let of = |operator: Operator| set.iter().filter(move |one| one.operator == operator);
    if of(Operator::DoesNotExist).next().is_some() {
        return false;
    }
    if let Some(listed) = of(Operator::In).next() {
        return listed.values.iter().any(|value| holds(Some(value)));
    }
    let low = set.iter().filter_map(|one| above(one)).max();
    let high = set.iter().filter_map(|one| below(one)).min();
    if low.is_none() && high.is_none() {
        // Only so many values are ruled out.
        return true;
    }
    let low = low.unwrap_or(i64::MIN.into()).max(i64::MIN.into());
    let high = high.unwrap_or(i64::MAX.into()).min(i64::MAX.into());
    // As many numbers as there are values are ruled out at most: one more is enough to look at. Whoever rules a number out
    // means it however it is written.
    let ruled_out = of(Operator::NotIn).fold(0, |sum: usize, one| sum.saturating_add(one.values.len()));
    let mut numbers = (low..=high).take(ruled_out.saturating_add(1));
    numbers.any(|number| holds(Some(&number.to_string())))
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
