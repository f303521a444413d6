//! What a status sink promises.

use std::collections::BTreeMap;

use async_trait::async_trait;

use super::{Findings, Violation};
use crate::{
    edge::{Observed, Restored, StatusSink, Unread},
    words::{Capacity, ContactLimits, ContactStatus, Heard, Resources, Tick},
};

/// A store of what was observed, and the means to look at it anew.
#[async_trait]
pub trait StatusFixture: Send + Sync {
    /// A handle on the store that remembers nothing: what the next process would have.
    async fn open(&self) -> Box<dyn StatusSink>;
}

/// Runs the suite on a store in which nothing is.
///
/// The promises:
/// - `empty-at-first`: nothing stored is no cluster, and no error.
/// - `durable`: what was stored is there for the next process, all of it.
/// - `others-stay`: clusters that are not named stay as they are.
/// - `last-counts`: what is stored later replaces what was stored before.
/// - `forgotten`: a cluster that is forgotten is not there any more.
/// - `any-name`: whatever a cluster is called, it is told from others.
pub async fn status_sink(fixture: &dyn StatusFixture) -> Vec<Violation> {
    let mut suite = Suite {
        fixture,
        found: Findings::default(),
        expected: BTreeMap::new(),
    };
    suite.expect("empty-at-first").await;
    let [one, two] = [observed(1), observed(2)];
    suite.store("durable", [("eu-1", Some(one.clone()))]).await;
    suite.store("others-stay", [("eu-2", Some(two.clone()))]).await;
    suite.store("last-counts", [("eu-1", Some(two.clone()))]).await;
    let names = ["EU-1", "eu/1", "eu 1", "\u{e9}\u{fc}", ".."];
    suite
        .store("any-name", names.map(|name| (name, Some(one.clone()))))
        .await;
    suite
        .store("forgotten", [("eu-1", None), ("never-there", None)])
        .await;
    suite.found.0
}

/// Everything that can be observed.
fn observed(n: u64) -> Observed {
    let mut restored = Restored::new(100 + n, n, Tick(n));
    restored.confirmed = n > 1;
    let mut amounts = Resources::new();
    // Never negative: it cannot fail.
    drop(amounts.set("cpu", 1_000 + i64::from(n > 1)));
    drop(amounts.set("memory", i64::MAX));
    let mut capacity = Capacity::new(amounts.clone(), amounts, Tick(n));
    capacity.kinds = Some(["Pod.v1".to_owned()].into());
    Observed {
        contact: Some(ContactStatus::first(
            Heard::Answer,
            &ContactLimits::default(),
            Tick(n),
        )),
        id: Some(format!("uid-{n}").as_str().into()),
        revision: Some(u64::MAX - n),
        restored: Some(restored),
        capacity: Some(capacity),
        capacity_unread: Some(Unread::new(Tick(n), "no")),
    }
}

struct Suite<'a> {
    fixture: &'a dyn StatusFixture,
    found: Findings,
    expected: BTreeMap<String, Observed>,
}

impl Suite<'_> {
    async fn store<const N: usize>(&mut self, promise: &'static str, changed: [(&str, Option<Observed>); N]) {
        let changed = changed.map(|(name, observed)| (name.to_owned(), observed)).into();
        if let Err(unknown) = self.fixture.open().await.store(&changed).await {
            self.found.check(false, promise, || unknown.to_string());
        }
        for (name, observed) in changed {
            match observed {
                Some(observed) => drop(self.expected.insert(name, observed)),
                None => drop(self.expected.remove(&name)),
            }
        }
        self.expect(promise).await;
    }

    async fn expect(&mut self, promise: &'static str) {
        let found = self.fixture.open().await.load().await;
        let kept = found.as_ref().is_ok_and(|found| *found == self.expected);
        self.found.check(kept, promise, || {
            format!("{found:?} instead of {:?}", self.expected)
        });
    }
}
