//! Is the cluster in service?

use fleet_core::{LifeCycle, Reason};

use crate::{
    model::{ClusterInfo, Target, Workload},
    pipeline::{Basis, Candidate, Filter, Key, Pass},
};

/// Nothing new comes to a cluster that is not in service: joining, cordoned, draining, leaving, paused, or out of contact.
/// What is there may stay, as far as this filter goes: a cluster that drains is emptied elsewhere, move by move.
#[derive(Clone, Copy, Debug, Default)]
pub struct InService;

impl InService {
    fn refusal(cluster: &ClusterInfo) -> Option<Reason> {
        let declared = &cluster.cluster;
        if declared.life_cycle != LifeCycle::Ready {
            let message = format!("it is {}: nothing new comes", declared.life_cycle);
            return Some(Reason::new("not-in-service", message).with("life-cycle", declared.life_cycle));
        }
        if let Some(why) = &declared.paused {
            return Some(Reason::new("paused", format!("it is paused: {why}")));
        }
        if !cluster.is_in_contact() {
            let state = cluster
                .contact
                .map(|contact| contact.state.to_string())
                .unwrap_or_default();
            return Some(Reason::new("no-contact", format!("it is {state}")).with("contact", state));
        }
        None
    }
}

impl Filter for InService {
    fn name(&self) -> &'static str {
        "in-service"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        match Self::refusal(candidate.cluster) {
            Some(reason) if candidate.current == 0 => Err(reason),
            _ => Ok(Pass::Always),
        }
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        let ClusterInfo { cluster, .. } = candidate.cluster;
        let is_in_service = cluster.life_cycle == LifeCycle::Ready
            && cluster.paused.is_none()
            && candidate.cluster.is_in_contact();
        (is_in_service || candidate.current > 0).then_some(Pass::Always)
    }

    fn basis(&self, _: &Workload, _: &Target) -> Basis {
        Basis::Cluster(Key::of("in-service"))
    }
}
