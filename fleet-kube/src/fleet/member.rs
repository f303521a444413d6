//! One connected cluster of a fleet.

use fleet_core::{Cluster, Engine, EngineOptions, Revision, Target};

use super::Inner;
use crate::{
    connection::Connection,
    driver::{DriverHandle, DriverParts, spawn},
};

/// A cluster with a running driver.
pub(super) struct Member {
    pub(super) cluster: Cluster,
    pub(super) driver: DriverHandle,
    /// The revision it was handed last.
    pub(super) given: Option<Revision>,
}

impl Member {
    pub(super) fn start(
        fleet: &Inner,
        cluster: &Cluster,
        connection: Connection,
        target: Target,
        options: EngineOptions,
    ) -> Self {
        let ledger = (fleet.ledger)(&connection, &target);
        let engine = Engine::new(target, fleet.parts.clone(), options);
        let parts = DriverParts {
            cluster: cluster.clone(),
            connection,
            ledger,
            observer: fleet.observer.clone(),
            budget: fleet.budget.clone(),
            clock: fleet.clock,
        };
        Self { cluster: cluster.clone(), driver: spawn(engine, parts), given: None }
    }
}
