//! Does the workload bear the cluster's taints?

use fleet_core::{Reason, Taint, TaintEffect};

use crate::{
    model::{Target, Tolerated, Workload, tolerated},
    pipeline::{Basis, Candidate, Filter, Key, Pass},
};

/// A taint that is not tolerated keeps new replicas away (`NoSchedule`), or also those that are there (`NoExecute`).
/// `PreferNoSchedule` is left to scores.
#[derive(Clone, Copy, Debug, Default)]
pub struct Taints;

impl Filter for Taints {
    fn name(&self) -> &'static str {
        "taints"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        pass(candidate).map_err(|taint| {
            Reason::new("taint", format!("taint {taint} is not tolerated")).with("taint", taint)
        })
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        pass(candidate).ok()
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        Basis::Cluster(Key::of(("taints", &workload.tolerations)))
    }
}

/// How long all taints are borne, or the first that is not.
fn pass<'a>(candidate: &Candidate<'a>) -> Result<Pass, &'a Taint> {
    let mut pass = Pass::Always;
    for taint in &candidate.cluster.cluster.taints {
        let is_held_against = match taint.effect {
            TaintEffect::PreferNoSchedule => false,
            TaintEffect::NoSchedule => candidate.current == 0,
            TaintEffect::NoExecute => true,
        };
        if !is_held_against {
            continue;
        }
        match tolerated(taint, &candidate.workload.tolerations, candidate.now) {
            Tolerated::Always => {}
            Tolerated::Until(end) => pass = pass.min(Pass::Until(end)),
            Tolerated::No => return Err(taint),
        }
    }
    Ok(pass)
}
