//! Does what it runs beside run there, and what it keeps away from not?

use fixedbitset::FixedBitSet;
use fleet_core::Reason;

use crate::{
    model::{Fact, Relation, Slot, Target, Workload},
    pipeline::{Basis, Candidate, Candidates, Filter, Pass},
    table::Seat,
};

/// A workload runs where those run that it must run beside, and where none of those runs that it must keep away from; on
/// the same cluster, or in the same domain of a label. It is beside those that are to stay. It does not come to where old
/// copies still are, but need not leave for those that are leaving themselves.
#[derive(Clone, Copy, Debug, Default)]
pub struct Relations;

impl Relations {
    /// Whether replicas of the other one that count are on this cluster, or in its domain. A cluster without the label is in
    /// no domain.
    pub(crate) fn is_near(candidate: &Candidate<'_>, relation: &Relation) -> bool {
        Self::is_close(candidate, relation, |seat| seat.assignment.active() > 0)
    }

    /// Whether such replicas of the other one are on this cluster, or in its domain.
    fn is_close(candidate: &Candidate<'_>, relation: &Relation, such: impl Fn(&Seat) -> bool) -> bool {
        let mut seats = candidate
            .table
            .seats(&relation.workload)
            .iter()
            .filter(|seat| such(seat));
        let Some(label) = &relation.over else {
            return seats.any(|seat| seat.slot == candidate.slot);
        };
        let Some(column) = candidate.fleet.column(Fact::Label, label) else {
            return false;
        };
        let domain = column.numbers[candidate.slot];
        domain != 0 && seats.any(|seat| column.numbers[seat.slot] == domain)
    }

    /// The clusters with replicas of the other one that count, or that are in a domain of them.
    pub(crate) fn near(candidates: &Candidates<'_>, relation: &Relation) -> FixedBitSet {
        Self::close(candidates, relation, |seat| seat.assignment.active() > 0)
    }

    /// The clusters with such replicas of the other one, or that are in a domain of them.
    fn close(candidates: &Candidates<'_>, relation: &Relation, such: impl Fn(&Seat) -> bool) -> FixedBitSet {
        let fleet = candidates.fleet;
        let mut near = FixedBitSet::with_capacity(fleet.len());
        let seats = candidates.table.seats(&relation.workload).iter();
        let running = seats.filter(|seat| such(seat)).map(|seat| seat.slot);
        match &relation.over {
            None => running.for_each(|slot| near.insert(slot)),
            Some(label) => {
                let Some(column) = fleet.column(Fact::Label, label) else {
                    return near;
                };
                let mut domains = vec![false; column.values.len() + 1];
                running.for_each(|slot| domains[column.numbers[slot] as usize] = true);
                domains[0] = false;
                let is_near = |slot: &usize| domains[column.numbers[*slot] as usize];
                (0..fleet.len())
                    .filter(is_near)
                    .for_each(|slot| near.insert(slot));
            }
        }
        near
    }

    /// Those it keeps away from, and those that keep away from it where it is not yet: with whether it is these.
    fn kept_apart<'a>(candidate: &Candidate<'a>) -> impl Iterator<Item = (&'a Relation, bool)> + use<'a> {
        let workload = candidate.workload;
        let own = Self::required(&workload.apart).map(|relation| (relation, false));
        let is_arriving = candidate.current == 0;
        let others = workload.shunned_by.iter().filter(move |_| is_arriving);
        own.chain(others.map(|relation| (relation, true)))
    }

    fn required(relations: &[Relation]) -> impl Iterator<Item = &Relation> {
        relations.iter().filter(|relation| !relation.preferred)
    }
}

/// Whether replicas of another one keep away one that has so many there: who comes waits for those that leave, too.
fn is_there(current: u64) -> impl Fn(&Seat) -> bool {
    move |seat| match current {
        0 => seat.assignment.replicas > 0,
        _ => seat.assignment.active() > 0,
    }
}

impl Filter for Relations {
    fn name(&self) -> &'static str {
        "relations"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        let here = |relation: &Relation| match &relation.over {
            None => "here".to_owned(),
            Some(label) => format!("in the same {label}"),
        };
        for relation in Self::required(&candidate.workload.beside) {
            if !Self::is_near(candidate, relation) {
                let message = format!(
                    "{}, which it runs beside, does not run {}",
                    relation.workload,
                    here(relation)
                );
                return Err(Reason::new("beside", message).with("workload", &relation.workload));
            }
        }
        for (relation, is_shunned) in Self::kept_apart(candidate) {
            if Self::is_close(candidate, relation, is_there(candidate.current)) {
                let leaves = match Self::is_near(candidate, relation) {
                    true => "",
                    false => ", and is about to leave",
                };
                let who = if is_shunned {
                    "keeps away from it"
                } else {
                    "it keeps away from"
                };
                let message = format!(
                    "{}, which {who}, runs {}{leaves}",
                    relation.workload,
                    here(relation)
                );
                return Err(Reason::new("apart", message).with("workload", &relation.workload));
            }
        }
        Ok(Pass::Always)
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        let near = |relation: &Relation| Self::is_near(candidate, relation);
        let close = |(relation, _): (&Relation, bool)| {
            Self::is_close(candidate, relation, is_there(candidate.current))
        };
        let beside = Self::required(&candidate.workload.beside).all(near);
        (beside && !Self::kept_apart(candidate).any(close)).then_some(Pass::Always)
    }

    fn passes_each(&self, candidates: &Candidates<'_>) -> Vec<Option<Pass>> {
        let mut passing = FixedBitSet::with_capacity(candidates.fleet.len());
        passing.set_range(.., true);
        for relation in Self::required(&candidates.workload.beside) {
            passing.intersect_with(&Self::near(candidates, relation));
        }
        for relation in Self::required(&candidates.workload.apart) {
            passing.difference_with(&Self::near(candidates, relation));
        }
        let mut arriving = passing.clone();
        for relation in Self::required(&candidates.workload.apart).chain(&candidates.workload.shunned_by) {
            arriving.difference_with(&Self::close(candidates, relation, is_there(0)));
        }
        let pass = |(slot, current): &(Slot, u64)| match current {
            0 => arriving[*slot].then_some(Pass::Always),
            _ => passing[*slot].then_some(Pass::Always),
        };
        candidates.at.iter().map(pass).collect()
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        let mut own = workload.beside.iter().chain(&workload.apart);
        if workload.shunned_by.is_empty() && own.all(|relation| relation.preferred) {
            return Basis::Nothing;
        }
        Basis::Anything
    }
}
