//! Things that could be otherwise.

use fleet_core::{ContactState, ContactStatus, Heard, LifeCycle, Millis, Tick};

use crate::{
    model::{ClusterInfo, InvalidFleet, Workload, WorkloadId},
    planner::Planner,
};

/// Something that could be otherwise.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WhatIf {
    /// This cluster is not in the fleet.
    Without(String),
    /// This one is, too.
    With(ClusterInfo),
    /// Nothing new comes to this one.
    Cordon(String),
    /// What is on this one goes elsewhere.
    Drain(String),
    /// This one is lost, and has been for long.
    Lose(String),
    /// A cluster is in another state.
    Cluster(ClusterInfo),
    /// A workload is there, or is another.
    Workload(Workload),
    /// A workload is not there.
    WithoutWorkload(WorkloadId),
}

impl WhatIf {
    pub(super) fn make(&self, planner: &mut Planner) -> Result<(), InvalidFleet> {
        let with = |planner: &mut Planner, name: &str, change: &dyn Fn(&mut ClusterInfo)| {
            let mut cluster = planner
                .fleet()
                .get(name)
                .cloned()
                .ok_or_else(|| InvalidFleet::Unknown(name.to_owned()))?;
            change(&mut cluster);
            planner.set_cluster(cluster)
        };
        match self {
            Self::Without(name) => {
                let fleet = planner.fleet().without(name)?;
                planner.set_fleet(fleet);
                Ok(())
            }
            Self::With(cluster) => {
                let fleet = planner.fleet().with(cluster.clone())?;
                planner.set_fleet(fleet);
                Ok(())
            }
            Self::Cordon(name) => with(planner, name, &|cluster| {
                cluster.cluster.life_cycle = LifeCycle::Cordoned;
            }),
            Self::Drain(name) => with(planner, name, &|cluster| {
                cluster.cluster.life_cycle = LifeCycle::Draining;
            }),
            Self::Lose(name) => with(planner, name, &|cluster| cluster.contact = Some(lost())),
            Self::Cluster(cluster) => planner.set_cluster(cluster.clone()),
            Self::Workload(workload) => {
                planner.set(workload.clone());
                Ok(())
            }
            Self::WithoutWorkload(id) => {
                planner.remove(id);
                Ok(())
            }
        }
    }
}

/// Lost since the beginning of time.
fn lost() -> ContactStatus {
    let limits = fleet_core::ContactLimits::default();
    let mut contact = ContactStatus::first(Heard::silence(1), &limits, Tick(0));
    contact.hear(
        Heard::silence(u64::MAX),
        &limits,
        Tick(0) + limits.lost_after + Millis(1),
    );
    contact.state = ContactState::Lost;
    contact.since = Tick(0);
    contact
}
