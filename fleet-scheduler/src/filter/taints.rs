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
        pass(candidate).map_err(not_tolerated)
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        pass(candidate).ok()
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        Basis::Cluster(Key::of(("taints", &workload.tolerations)))
    }
}

/// As [`Taints`], and nothing new comes where a taint is borne for a time only: it would have to leave soon, and a move has
/// a price. Kubernetes lets pods come to such nodes.
#[derive(Clone, Copy, Debug, Default)]
pub struct LastingTaints;

impl Filter for LastingTaints {
    fn name(&self) -> &'static str {
        "taints"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        match pass(candidate).map_err(not_tolerated)? {
            Pass::Until(_) if candidate.current == 0 => Err(Reason::new(
                "taint",
                "its taints are tolerated for a time only: nothing new comes",
            )),
            pass => Ok(pass),
        }
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        let is_lasting = |pass: &Pass| candidate.current > 0 || *pass == Pass::Always;
        pass(candidate).ok().filter(is_lasting)
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        Basis::Cluster(Key::of(("lasting-taints", &workload.tolerations)))
    }
}

fn not_tolerated(taint: &Taint) -> Reason {
    Reason::new("taint", format!("taint {taint} is not tolerated")).with("taint", taint)
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
