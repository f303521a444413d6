//! One connected cluster of a fleet.

use std::sync::Arc;

use fleet_core::{Cluster, Engine, EngineOptions, Revision, Target};

use super::Inner;
use crate::{
    connection::Connection,
    driver::{DriverHandle, DriverParts, spawn},
};

/// A cluster of a fleet that is being kept: its driver, and its connection for counters.
#[derive(Clone)]
#[non_exhaustive]
pub struct Kept {
    /// As the registry knows it.
    pub cluster: Cluster,
    /// Its driver.
    pub driver: Arc<DriverHandle>,
    /// Its connection.
    pub connection: Connection,
}

/// A cluster with a running driver.
pub(super) struct Member {
    pub(super) cluster: Cluster,
    pub(super) driver: Arc<DriverHandle>,
    connection: Connection,
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
            connection: connection.clone(),
            ledger,
            observer: fleet.observer.clone(),
            budget: fleet.budget.clone(),
            clock: fleet.clock,
        };
        Self {
            cluster: cluster.clone(),
            driver: Arc::new(spawn(engine, parts)),
            connection,
            given: None,
        }
    }

    pub(super) fn kept(&self) -> Kept {
        Kept {
            cluster: self.cluster.clone(),
            driver: self.driver.clone(),
            connection: self.connection.clone(),
        }
    }
}
