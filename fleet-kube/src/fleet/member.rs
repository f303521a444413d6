//! One connected cluster of a fleet.

use std::{
    sync::{Arc, Mutex, Weak},
    time::Duration,
};

use fleet_core::{
    Cluster, ClusterId, DeleteBudget, Engine, EngineOptions, FleetBudget, LifeCycle, Note, Observer, Reason,
    Silent, Target,
};
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
    /// Why nothing is written to it any more, by what the registry says since it was connected to.
    pub(super) tightened: Option<Reason>,
    /// Only its driver holds the other end.
    alive: Weak<dyn Observer>,
}

/// Why nothing is written to a cluster, by what the registry says of it.
fn why_on_hold(cluster: &Cluster) -> Option<Reason> {
    if let Some(why) = &cluster.paused {
        return Some(Reason::new("paused", format!("the cluster is paused: {why}")));
    }
    (cluster.life_cycle == LifeCycle::Joining).then(|| {
        let message =
            "the cluster joins: what would be done is planned, and nothing is written until it is ready";
        Reason::new("joining", message)
    })
}

/// Why less may be written to a cluster than before, by what the registry says of it now. What a stage of its life
/// permits beside others cannot be compared, and nor can windows: nothing is written until they are taken over.
fn why_tighter(before: &Cluster, id: &ClusterId, now: &Cluster) -> Option<Reason> {
    let pending = |what: &str| {
        let message = format!(
            "{what}, which is taken over with the next connection to it: nothing is written until then"
        );
        Reason::new("registry-changed", message)
    };
    if let Some(reason) = why_on_hold(now) {
        return Some(reason);
    }
    if let Some(expected) = now.expected_id.as_ref().filter(|expected| *expected != id) {
        return Some(pending(&format!(
            "this is cluster {id}, and the registry expects {expected} now"
        )));
    }
    let stages = (before.life_cycle, now.life_cycle);
    let is_bound = !matches!(stages.1, LifeCycle::Ready) || stages.0 > LifeCycle::Cordoned;
    if stages.0 != stages.1 && is_bound {
        return Some(pending(&format!("the cluster is {} now", now.life_cycle)));
    }
    let is_other = before.maintenance != now.maintenance && !now.maintenance.is_always();
    is_other.then(|| pending("the cluster's maintenance windows changed"))
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
        let engine = Engine::new(target, (fleet.parts)(&options), options.clone());
        let observer: Arc<dyn Observer> = Arc::new(Relay(observer));
        let alive = Arc::downgrade(&observer);
        let parts = DriverParts {
            cluster: cluster.clone(),
            connection: connection.clone(),
            ledger,
            observer,
            budget,
            clock: fleet.clock,
            hold: why_on_hold(cluster),
        };
        Self {
            cluster: cluster.clone(),
            driver: Arc::new(spawn(engine, parts)),
            connection,
            options,
            tightened: None,
            alive,
        }
    }

    /// Takes over at once what the registry forbids since; what it permits waits for another connection.
    pub(super) async fn tighten(&mut self, said: &Cluster) {
        if let Some(reason) = why_tighter(&self.cluster, self.connection.cluster(), said) {
            self.hold(reason).await;
        }
    }

    /// Nothing is written by this driver any more.
    pub(super) async fn hold(&mut self, reason: Reason) {
        self.driver.hold(Some(reason.clone())).await;
        self.tightened = Some(reason);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_forbids_counts_at_once_and_what_permits_does_not() {
        let id = ClusterId::from("u-1");
        let plain = || Cluster::new("a");
        let at = |stage| {
            let mut cluster = plain();
            cluster.life_cycle = stage;
            cluster
        };
        let mut paused = plain();
        paused.paused = Some("x".to_owned());
        let mut windows = plain();
        windows.maintenance.windows = vec![fleet_core::Window::default()];
        let changed = Some("registry-changed");
        for (before, now, expect) in [
            (plain(), plain(), None),
            (plain(), plain().label("a", "b"), None),
            (plain(), paused.clone(), Some("paused")),
            (paused.clone(), plain(), None),
            (plain(), at(LifeCycle::Joining), Some("joining")),
            (at(LifeCycle::Joining), plain(), None),
            (plain(), at(LifeCycle::Cordoned), changed),
            (at(LifeCycle::Cordoned), plain(), None),
            (at(LifeCycle::Draining), plain(), changed),
            (at(LifeCycle::Leaving), at(LifeCycle::Cordoned), changed),
            (plain(), windows.clone(), changed),
            (windows.clone(), windows.clone(), None),
            (windows, plain(), None),
            (plain(), plain().expect_id(Some("u-1".into())), None),
            (plain(), plain().expect_id(Some("u-2".into())), changed),
        ] {
            let why = why_tighter(&before, &id, &now).map(|reason| reason.code);
            assert_eq!(why.as_deref(), expect, "{before:?} {now:?}");
        }
    }
}
