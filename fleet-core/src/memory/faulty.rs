//! A wrapper that records calls and makes them fail.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::lock;
use crate::{
    edge::{Changes, ClusterRegistry, Fault, InventorySource, Remedy},
    ledger::{Ledger, LedgerAnswer, LedgerWrite},
    words::{Cluster, Snapshot, Target, Unknown},
};

/// Wraps an [`InventorySource`], a [`ClusterRegistry`] or a [`Ledger`]: remembers the calls, and makes them fail
/// when told to. Clones share what they remember and what they were told.
///
/// ```
/// use fleet_core::{Cluster, Faulty, Injection, InventorySource, MemorySource};
///
/// # async fn example() {
/// let source = Faulty::new(MemorySource::new());
/// source.inject(Injection::before("the disk is on fire").times(1));
/// let why = source.snapshot(&Cluster::new("eu-1")).await.unwrap_err();
/// assert_eq!(why.message(), "the disk is on fire");
/// assert!(source.calls()[0].failed);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Faulty<S> {
    inner: S,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    calls: VecDeque<Call>,
    injections: Vec<Injection>,
}

/// One call that went through a [`Faulty`].
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Call {
    /// The method's name.
    pub method: &'static str,
    /// The cluster's name or the target; empty for a registry.
    pub about: String,
    /// Whether a failure was injected.
    pub failed: bool,
}

/// When an injected failure strikes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FaultMoment {
    /// Before the call: nothing happens inside.
    Before,
    /// After the call was carried out: its answer is lost.
    After,
}

/// A failure to inject.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Injection {
    /// When it strikes.
    pub moment: FaultMoment,
    /// The message of the failure.
    pub message: Arc<str>,
    /// For a ledger: what the caller is told to do.
    pub remedy: Remedy,
    /// How many calls still fail; none: all.
    pub times: Option<usize>,
    /// Only calls of this method.
    pub method: Option<&'static str>,
    /// Only calls about this cluster (by name) or target.
    pub about: Option<String>,
}

impl Injection {
    /// Every call fails without being carried out.
    pub fn before(message: impl Into<Arc<str>>) -> Self {
        let (moment, remedy) = (FaultMoment::Before, Remedy::Unreachable);
        Self {
            moment,
            message: message.into(),
            remedy,
            times: None,
            method: None,
            about: None,
        }
    }

    /// Every call is carried out and fails all the same: for a ledger, "maybe recorded".
    pub fn after(message: impl Into<Arc<str>>) -> Self {
        Self {
            moment: FaultMoment::After,
            ..Self::before(message)
        }
    }

    /// Only so many calls.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Only calls of this method, such as `record`.
    #[must_use]
    pub fn method(mut self, method: &'static str) -> Self {
        self.method = Some(method);
        self
    }

    /// Only calls about this cluster (by name) or target (as printed).
    #[must_use]
    pub fn about(mut self, about: impl Into<String>) -> Self {
        self.about = Some(about.into());
        self
    }

    /// What a ledger's caller is told to do.
    #[must_use]
    pub fn remedy(mut self, remedy: Remedy) -> Self {
        self.remedy = remedy;
        self
    }

    fn strikes(&self, method: &str, about: &str) -> bool {
        self.times != Some(0)
            && self.method.is_none_or(|wanted| wanted == method)
            && self.about.as_deref().is_none_or(|wanted| wanted == about)
    }

    fn fault(&self) -> Fault {
        Fault::new(self.remedy, self.message.clone())
    }

    fn unknown(&self) -> Unknown {
        Unknown::because(self.message.clone())
    }
}

/// Most calls remembered; older ones are forgotten.
const CALLS_MAX: usize = 10_000;

impl<S> Faulty<S> {
    /// Passes everything through until told otherwise.
    pub fn new(inner: S) -> Self {
        Self {
            inner,
            state: Arc::default(),
        }
    }

    /// What is inside.
    pub fn inner(&self) -> &S {
        &self.inner
    }

    /// Adds a failure. Of several that fit a call, the first added strikes.
    pub fn inject(&self, injection: Injection) {
        lock(&self.state).injections.push(injection);
    }

    /// Removes all failures.
    pub fn mend(&self) {
        lock(&self.state).injections.clear();
    }

    /// The calls so far, oldest first; at most the last 10,000.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.state).calls.iter().cloned().collect()
    }

    /// Remembers a call and finds the failure that strikes it.
    fn note(&self, method: &'static str, about: String) -> Option<Injection> {
        let mut state = lock(&self.state);
        let injection = state
            .injections
            .iter_mut()
            .find(|injection| injection.strikes(method, &about));
        let injection = injection.map(|injection| {
            injection.times = injection.times.map(|times| times - 1);
            injection.clone()
        });
        if state.calls.len() == CALLS_MAX {
            state.calls.pop_front();
        }
        state.calls.push_back(Call {
            method,
            about,
            failed: injection.is_some(),
        });
        injection
    }
}

/// Carries out `call` unless `injection` strikes before it, and puts `fail` in place of its answer.
async fn through<T, E>(
    injection: Option<Injection>,
    fail: fn(&Injection) -> E,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    match injection {
        None => call.await,
        Some(injection) => {
            if injection.moment == FaultMoment::After {
                call.await?;
            }
            Err(fail(&injection))
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: InventorySource> InventorySource for Faulty<S> {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let injection = self.note("snapshot", cluster.name.clone());
        through(injection, Injection::unknown, self.inner.snapshot(cluster)).await
    }

    fn changes(&self) -> Changes {
        self.inner.changes()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: ClusterRegistry> ClusterRegistry for Faulty<S> {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        let injection = self.note("clusters", String::new());
        through(injection, Injection::unknown, self.inner.clusters()).await
    }

    fn changes(&self) -> Changes {
        self.inner.changes()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Ledger> Ledger for Faulty<S> {
    async fn load(&self, target: &Target) -> Result<LedgerAnswer, Fault> {
        let injection = self.note("load", target.to_string());
        through(injection, Injection::fault, self.inner.load(target)).await
    }

    async fn record(&self, target: &Target, writes: &[LedgerWrite]) -> Result<(), Fault> {
        let injection = self.note("record", target.to_string());
        through(injection, Injection::fault, self.inner.record(target, writes)).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClusterId, Entry, InventoryId, MemoryLedger, MemoryRegistry, MemorySource};

    #[tokio::test]
    async fn failures_strike_where_and_as_often_as_told() {
        let source = Faulty::new(MemorySource::new());
        for name in ["a", "b"] {
            source.inner().set_empty(name);
        }
        source.inject(Injection::before("no").about("a").times(2));
        let mut outcomes = Vec::new();
        for name in ["b", "a", "a", "a"] {
            outcomes.push(source.snapshot(&Cluster::new(name)).await.is_ok());
        }
        assert_eq!(outcomes, [true, false, false, true]);
        let failed: Vec<bool> = source.calls().iter().map(|call| call.failed).collect();
        assert_eq!(failed, [false, true, true, false]);
    }

    #[tokio::test]
    async fn a_lost_answer_leaves_the_record_behind() {
        let target = Target::new(ClusterId::new("c"), InventoryId::new("fleet").unwrap());
        let ledger = Faulty::new(MemoryLedger::new());
        let put = [LedgerWrite::Put(Entry::new(
            "/Namespace//a".parse().unwrap(),
            "v1",
        ))];
        ledger.inject(Injection::before("not sent").method("record").times(1));
        ledger.inject(
            Injection::after("timed out")
                .method("record")
                .times(1)
                .remedy(Remedy::Retry),
        );
        assert!(ledger.record(&target, &put).await.is_err());
        assert_eq!(ledger.load(&target).await.unwrap(), LedgerAnswer::Absent);
        assert_eq!(
            ledger.record(&target, &put).await.unwrap_err().remedy,
            Remedy::Retry
        );
        assert!(matches!(
            ledger.load(&target).await.unwrap(),
            LedgerAnswer::Known(_)
        ));
    }

    #[tokio::test]
    async fn mending_ends_it() {
        let registry = Faulty::new(MemoryRegistry::new([Cluster::new("a")]));
        registry.inject(Injection::before("no"));
        assert!(registry.clusters().await.is_err());
        registry.mend();
        assert_eq!(registry.clusters().await.unwrap().len(), 1);
    }
}
