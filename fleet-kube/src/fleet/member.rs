//! One connected cluster of a fleet.

use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use fleet_core::{Cluster, DeleteBudget, Engine, EngineOptions, FleetBudget, Note, Observer, Silent, Target};
use tokio::time::{Instant, sleep};

use super::Inner;
use crate::{
    connection::Connection,
    driver::{DriverHandle, DriverParts, Unsettled, spawn},
};

/// Longest wait for what could be made of a lost ledger.
const SEARCH_MAX: Duration = Duration::from_secs(30);
/// How often that is looked at.
const SEARCH_LOOK: Duration = Duration::from_millis(100);

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
    pub(super) connection: Connection,
    /// What its engine runs with.
    pub(super) options: EngineOptions,
    /// Only its driver holds the other end.
    alive: Weak<dyn Observer>,
}

impl Member {
    /// Starts a driver that knows nothing of the inventory yet.
    pub(super) fn start(
        fleet: &Inner,
        cluster: &Cluster,
        connection: Connection,
        options: EngineOptions,
    ) -> Self {
        let (observer, budget) = (fleet.observer.clone(), fleet.budget.clone());
        Self::spawn(fleet, cluster, connection, options, observer, budget)
    }

    /// Like [`Member::start`], beside a driver that may write: nobody hears it, and the fleet's budget does not see it.
    pub(super) fn start_unheard(
        fleet: &Inner,
        cluster: &Cluster,
        connection: Connection,
        options: EngineOptions,
    ) -> Self {
        let budget = Arc::new(Mutex::new(FleetBudget::new(DeleteBudget::default())));
        Self::spawn(fleet, cluster, connection, options, Arc::new(Silent), budget)
    }

    fn spawn(
        fleet: &Inner,
        cluster: &Cluster,
        connection: Connection,
        options: EngineOptions,
        observer: Arc<dyn Observer>,
        budget: Arc<Mutex<FleetBudget>>,
    ) -> Self {
        let mut target = Target::new(connection.cluster().clone(), fleet.inventory.clone());
        target.scope = options.scope.clone();
        let ledger = (fleet.ledger)(&connection, &target);
        let engine = Engine::new(target, fleet.parts.clone(), options.clone());
        let observer: Arc<dyn Observer> = Arc::new(Relay(observer));
        let alive = Arc::downgrade(&observer);
        let parts = DriverParts {
            cluster: cluster.clone(),
            connection: connection.clone(),
            ledger,
            observer,
            budget,
            clock: fleet.clock,
        };
        Self {
            cluster: cluster.clone(),
            driver: Arc::new(spawn(engine, parts)),
            connection,
            options,
            alive,
        }
    }

    /// Waits until it has done everything that can be done, at most `limit`.
    ///
    /// A ledger that cannot be believed is a reason to stop only when it is certain what could be rebuilt, and nobody
    /// confirmed that: before, what bears our marks is being searched, or recorded.
    pub(super) async fn settled(&self, limit: Duration) -> Result<(), Unsettled> {
        let deadline = Instant::now() + limit;
        let patience = Instant::now() + limit.min(SEARCH_MAX);
        loop {
            let result = self
                .driver
                .until_settled(deadline.saturating_duration_since(Instant::now()))
                .await;
            let is_stuck = matches!(result, Err(Unsettled::Stuck(_)));
            if !is_stuck || !self.is_searching().await || Instant::now() >= patience {
                return result;
            }
            sleep(SEARCH_LOOK).await;
        }
    }

    /// Its ledger cannot be believed, and there is nothing to be confirmed about that at the moment.
    pub(super) async fn is_searching(&self) -> bool {
        let lost = self
            .driver
            .status()
            .await
            .is_some_and(|status| status.ledger_lost.is_some());
        lost && self.driver.plan().await.is_some_and(|plan| plan.token.is_none())
    }

    /// Its driver's task has ended, which only a bug can cause: everything it held is dropped.
    pub(super) fn has_stopped(&self) -> bool {
        self.alive.strong_count() == 0
    }

    pub(super) fn kept(&self) -> Kept {
        Kept {
            cluster: self.cluster.clone(),
            driver: self.driver.clone(),
            connection: self.connection.clone(),
        }
    }
}

/// An observer of one driver's own.
struct Relay(Arc<dyn Observer>);

impl Observer for Relay {
    fn note(&self, cluster: &Cluster, note: &Note) {
        self.0.note(cluster, note);
    }
}
