//! What a ledger promises.

use async_trait::async_trait;
use fleet_diff::{Digest, ObjectKey};

use super::{Findings, Violation};
use crate::{
    edge::{Fault, Remedy},
    ledger::{Entry, EntryState, Ledger, LedgerAnswer, LedgerContent, LedgerWrite, Spent},
    words::{InventoryId, Target, Tick},
};

/// A store of ledgers, and the means to look at it anew and to damage it.
#[async_trait]
pub trait LedgerFixture: Send + Sync {
    /// A handle on the store that remembers nothing: what the next process would have.
    async fn open(&self) -> Box<dyn Ledger>;

    /// Damages what is stored for the target so that it cannot be believed. False if nothing can do that.
    async fn damage(&self, target: &Target) -> bool;
}

/// Runs the suite with a target for which nothing is stored.
///
/// The promises:
/// - `absent-at-first`: nothing stored is answered as absent, not as empty.
/// - `durable`: what was recorded is there for the next process: every entry as it was, and the window.
/// - `in-order`: several writes to one key in one record: the last one counts.
/// - `complete`: thousands of entries, too.
/// - `nothing-lost`: two handles on one target: each record succeeds and keeps what the other recorded, or fails
///   with [`Remedy::Conflict`]; after reading again it succeeds.
/// - `targets-apart`: another inventory in the same cluster has a ledger of its own.
/// - `damage-is-loss`: what was damaged is answered as lost, never as absent or known; recording fails then, except
///   after [`LedgerWrite::Clear`], which starts anew.
pub async fn ledger(fixture: &dyn LedgerFixture, target: &Target) -> Vec<Violation> {
    let mut suite = Suite {
        fixture,
        target,
        found: Findings::default(),
        expected: LedgerContent::default(),
    };
    suite.absent().await;
    suite.records().await;
    suite.many().await;
    suite.two_handles().await;
    suite.other_target().await;
    suite.damage().await;
    suite.found.0
}

struct Suite<'a> {
    fixture: &'a dyn LedgerFixture,
    target: &'a Target,
    found: Findings,
    expected: LedgerContent,
}

type Loaded = Result<LedgerAnswer, Fault>;

fn key(n: usize) -> ObjectKey {
    ObjectKey::new(
        "example.com",
        "Settings",
        Some("conformance"),
        &format!("settings-{n}"),
    )
}

fn entry(n: usize, version: &str) -> Entry {
    let mut entry = Entry::new(key(n), version);
    match n % 3 {
        0 => {}
        1 => {
            entry.state = EntryState::Owned;
            entry.uid = Some(format!("0d3c4a7e-0000-4000-8000-{n:012}").as_str().into());
            entry.finished = Some(Digest::of_bytes(version.as_bytes()));
        }
        _ => {
            entry.state = EntryState::Deleting;
            entry.note = Some("{\"step\": \"über \\ \u{1f6a2}\"}".into());
        }
    }
    entry
}

fn describe(loaded: &Loaded) -> String {
    match loaded {
        Ok(LedgerAnswer::Known(content)) => {
            format!(
                "known: {} entries, window of {}",
                content.entries.len(),
                content.window.len()
            )
        }
        Ok(LedgerAnswer::Absent) => "absent".to_owned(),
        Ok(LedgerAnswer::Lost(reason)) => format!("lost: {reason}"),
        Err(fault) => format!("failed: {fault}"),
    }
}

impl Suite<'_> {
    /// Records through `ledger`, and compares what the next process finds.
    async fn record(&mut self, ledger: &dyn Ledger, promise: &'static str, writes: &[LedgerWrite]) {
        let recorded = ledger.record(self.target, writes).await;
        self.found.check(recorded.is_ok(), promise, || {
            format!("recording failed: {recorded:?}")
        });
        for write in writes {
            self.expected.apply(write);
        }
        self.compare(promise).await;
    }

    async fn compare(&mut self, promise: &'static str) {
        let loaded = self.fixture.open().await.load(self.target).await;
        let same = matches!(&loaded, Ok(LedgerAnswer::Known(content)) if *content == self.expected);
        let expected = self.expected.entries.len();
        self.found.check(same, promise, || {
            format!("{}; {expected} entries were recorded", describe(&loaded))
        });
        // What is wrong now is not counted again at the next step.
        if let Ok(LedgerAnswer::Known(content)) = loaded {
            self.expected = content;
        }
    }

    async fn absent(&mut self) {
        let loaded = self.fixture.open().await.load(self.target).await;
        self.found.check(
            matches!(loaded, Ok(LedgerAnswer::Absent)),
            "absent-at-first",
            || describe(&loaded),
        );
    }

    async fn records(&mut self) {
        let ledger = self.fixture.open().await;
        // Without loading first: a new ledger may be recorded straight away.
        let puts: Vec<LedgerWrite> = (0..3).map(|n| LedgerWrite::Put(entry(n, "v1"))).collect();
        self.record(&*ledger, "durable", &puts).await;
        let window = vec![Spent::new(Tick(1), 2), Spent::new(Tick(1_790_000_000_000), 40)];
        let writes = [
            LedgerWrite::Window(window),
            LedgerWrite::Remove(key(0)),
            LedgerWrite::Remove(key(77)),
        ];
        self.record(&*ledger, "durable", &writes).await;
        let writes = [
            LedgerWrite::Remove(key(1)),
            LedgerWrite::Put(entry(1, "v2")),
            LedgerWrite::Put(entry(2, "v2")),
            LedgerWrite::Put(entry(2, "v3")),
            LedgerWrite::Put(entry(5, "v1")),
            LedgerWrite::Remove(key(5)),
        ];
        self.record(&*ledger, "in-order", &writes).await;
        self.record(&*ledger, "durable", &[]).await;
    }

    async fn many(&mut self) {
        let ledger = self.fixture.open().await;
        let puts: Vec<LedgerWrite> = (0..3000).map(|n| LedgerWrite::Put(entry(n, "v1"))).collect();
        self.record(&*ledger, "complete", &puts).await;
        let removes: Vec<LedgerWrite> = (100..3000).map(|n| LedgerWrite::Remove(key(n))).collect();
        self.record(&*ledger, "complete", &removes).await;
        self.record(&*ledger, "complete", &[LedgerWrite::Put(entry(100, "v1"))])
            .await;
    }

    async fn two_handles(&mut self) {
        let (one, other) = (self.fixture.open().await, self.fixture.open().await);
        for handle in [&one, &other] {
            let loaded = handle.load(self.target).await;
            self.found.check(
                matches!(loaded, Ok(LedgerAnswer::Known(_))),
                "nothing-lost",
                || describe(&loaded),
            );
        }
        for n in 0..8 {
            let handle = if n % 2 == 0 { &one } else { &other };
            let put = [LedgerWrite::Put(entry(4000 + n, "v1"))];
            let first = handle.record(self.target, &put).await;
            if let Err(fault) = first {
                self.found
                    .check(fault.remedy == Remedy::Conflict, "nothing-lost", || {
                        format!("failed: {fault}")
                    });
                let loaded = handle.load(self.target).await;
                self.found
                    .check(loaded.is_ok(), "nothing-lost", || describe(&loaded));
                self.record(&**handle, "nothing-lost", &put).await;
            } else {
                self.expected.apply(&put[0]);
                self.compare("nothing-lost").await;
            }
        }
    }

    async fn other_target(&mut self) {
        let mut name = format!("{}-2", self.target.inventory);
        if name.len() > InventoryId::LENGTH_MAX {
            "other".clone_into(&mut name);
        }
        let Ok(inventory) = InventoryId::new(&name) else {
            return;
        };
        let mut other = self.target.clone();
        other.inventory = inventory;
        let ledger = self.fixture.open().await;
        let loaded = ledger.load(&other).await;
        self.found.check(
            matches!(loaded, Ok(LedgerAnswer::Absent)),
            "targets-apart",
            || describe(&loaded),
        );
        let recorded = ledger.record(&other, &[LedgerWrite::Put(entry(0, "v1"))]).await;
        self.found
            .check(recorded.is_ok(), "targets-apart", || format!("{recorded:?}"));
        self.compare("targets-apart").await;
    }

    async fn damage(&mut self) {
        if !self.fixture.damage(self.target).await {
            return;
        }
        let ledger = self.fixture.open().await;
        let loaded = ledger.load(self.target).await;
        self.found.check(
            matches!(loaded, Ok(LedgerAnswer::Lost(_))),
            "damage-is-loss",
            || describe(&loaded),
        );
        let put = LedgerWrite::Put(entry(1, "v1"));
        let recorded = ledger.record(self.target, std::slice::from_ref(&put)).await;
        self.found.check(recorded.is_err(), "damage-is-loss", || {
            "recorded as if nothing had happened".to_owned()
        });
        self.record(&*ledger, "damage-is-loss", &[LedgerWrite::Clear, put])
            .await;
    }
}
