//! Does the cluster serve what the workload is made of?

use fleet_core::Reason;

use crate::{
    model::{Target, Workload},
    pipeline::{Basis, Candidate, Filter, Key, Pass},
};

/// A cluster that is known not to serve a kind of the workload's objects does not fit. Where it is not known what a
/// cluster serves, it passes; and what runs there already stays, because discovery forgets kinds for moments.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kinds;

impl Filter for Kinds {
    fn name(&self) -> &'static str {
        "kinds"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        match missing(candidate) {
            None => Ok(Pass::Always),
            Some(kind) => Err(Reason::new("kind", format!("it does not serve {kind}")).with("kind", kind)),
        }
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        missing(candidate).is_none().then_some(Pass::Always)
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        if workload.kinds.is_empty() {
            return Basis::Nothing;
        }
        Basis::Cluster(Key::of(("kinds", &workload.kinds)))
    }
}

/// The first kind that the cluster is known not to serve.
fn missing<'a>(candidate: &Candidate<'a>) -> Option<&'a String> {
    let capacity = candidate.cluster.capacity.as_ref();
    let served = capacity.and_then(|capacity| capacity.kinds.as_ref());
    let served = served.filter(|_| candidate.current == 0)?;
    candidate
        .workload
        .kinds
        .iter()
        .find(|kind| !served.contains(*kind))
}
