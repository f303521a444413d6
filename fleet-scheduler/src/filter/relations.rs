//! Does what it runs beside run there, and what it keeps away from not?

use fixedbitset::FixedBitSet;
use fleet_core::Reason;

use crate::{
    model::{Fact, Relation, Slot, Target, Workload},
    pipeline::{Basis, Candidate, Candidates, Filter, Pass},
};

/// A workload runs where those run that it must run beside, and where none of those runs that it must keep away from; on
/// the same cluster, or in the same domain of a label.
#[derive(Clone, Copy, Debug, Default)]
pub struct Relations;

impl Relations {
    /// Whether the other one runs on this cluster, or in its domain. A cluster without the label is in no domain.
    pub(crate) fn is_near(candidate: &Candidate<'_>, relation: &Relation) -> bool {
        let Some(label) = &relation.over else {
            return candidate.table.runs_at(&relation.workload, candidate.slot);
        };
        let Some(column) = candidate.fleet.column(Fact::Label, label) else {
            return false;
        };
        let domain = column.numbers[candidate.slot];
        let seats = candidate.table.seats(&relation.workload).iter();
        domain != 0
            && seats
                .filter(|seat| seat.assignment.active() > 0)
                .any(|seat| column.numbers[seat.slot] == domain)
    }

    /// The clusters that the other one runs on, or that are in a domain of it.
    pub(crate) fn near(candidates: &Candidates<'_>, relation: &Relation) -> FixedBitSet {
        let fleet = candidates.fleet;
        let mut near = FixedBitSet::with_capacity(fleet.len());
        let seats = candidates.table.seats(&relation.workload).iter();
        let running = seats
            .filter(|seat| seat.assignment.active() > 0)
            .map(|seat| seat.slot);
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

    fn required(relations: &[Relation]) -> impl Iterator<Item = &Relation> {
        relations.iter().filter(|relation| !relation.preferred)
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
        for relation in Self::required(&candidate.workload.apart) {
            if Self::is_near(candidate, relation) {
                let message = format!(
                    "{}, which it keeps away from, runs {}",
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
        let beside = Self::required(&candidate.workload.beside).all(near);
        (beside && !Self::required(&candidate.workload.apart).any(near)).then_some(Pass::Always)
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
        let pass = |(slot, _): &(Slot, u64)| passing[*slot].then_some(Pass::Always);
        candidates.at.iter().map(pass).collect()
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        if workload
            .beside
            .iter()
            .chain(&workload.apart)
            .all(|relation| relation.preferred)
        {
            return Basis::Nothing;
        }
        Basis::Anything
    }
}
