//! Is the data there?

use fleet_core::Reason;

use crate::{
    model::{Slot, Target, Workload},
    pipeline::{Basis, Candidate, Candidates, Filter, Pass},
};

/// A workload that must be where its data is can be on no cluster that is not known to have it. Where the fleet says
/// nothing of that data at all, it can be nowhere: guessing would move it away from its data. Where it runs already it
/// stays: that somebody forgot to say so again moves nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct DataLocality;

impl Filter for DataLocality {
    fn name(&self) -> &'static str {
        "data"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        let mut pass = Pass::Always;
        if candidate.current > 0 {
            return Ok(pass);
        }
        for data in candidate.workload.data.iter().filter(|data| !data.preferred) {
            let name = &data.name;
            match candidate
                .fleet
                .data_on(name, candidate.cluster.name(), candidate.now)
            {
                Some(Some(until)) => pass = pass.min(Pass::Until(until)),
                Some(None) => {
                    return Err(Reason::new("data", format!("data {name} is not there")).with("data", name));
                }
                None => {
                    let message = format!("where data {name} is was not said");
                    return Err(Reason::new("data-unknown", message).with("data", name));
                }
            }
        }
        Ok(pass)
    }

    fn passes_each(&self, candidates: &Candidates<'_>) -> Vec<Option<Pass>> {
        let required = candidates.workload.data.iter().filter(|data| !data.preferred);
        let sets: Vec<_> = required
            .map(|data| candidates.fleet.data_by_slot(&data.name))
            .collect();
        let pass = |(slot, current): &(Slot, u64)| match current {
            0 => sets.iter().try_fold(Pass::Always, |pass, set| {
                let until = set.as_ref()?[*slot].filter(|until| *until > candidates.now)?;
                Some(pass.min(Pass::Until(until)))
            }),
            _ => Some(Pass::Always),
        };
        candidates.at.iter().map(pass).collect()
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        if workload.data.iter().all(|data| data.preferred) {
            return Basis::Nothing;
        }
        Basis::Anything
    }
}
