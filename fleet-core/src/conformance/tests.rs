//! The suites accept what keeps the promises, and find each broken one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Mutex,
};

use super::*;
use crate::{
    Cluster, ClusterId, Fault, Inventory, InventoryId, InventorySource, Known, Ledger, LedgerAnswer,
    LedgerContent, LedgerWrite, MemoryLedger, MemorySource, MemoryStatus, Observed, Snapshot, StatusSink,
    Target, Unknown, async_trait,
    edge::{Changed, Changes},
};

/// A way to be wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Flaw {
    None,
    UnknownIsEmpty,
    ForgetsOne,
    Stale,
    OneRevision,
    Restless,
    EmptyIsUnknown,
    Tells,
    HintsEnd,
    HintsElsewhere,
}

struct Flawed {
    flaw: Flaw,
    truth: MemorySource,
    first: Mutex<Option<Known>>,
    asked: Mutex<usize>,
}

#[async_trait]
impl InventorySource for Flawed {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let answer = self.truth.snapshot(cluster).await;
        *self.asked.lock().unwrap() += 1;
        let asked = *self.asked.lock().unwrap();
        let with_revision = |known: &Known, revision: &str| match known {
            Known::Objects(i) => Inventory::new(revision, i.objects().to_vec()).unwrap().snapshot(),
            Known::Empty(_) => Ok(Known::Empty(revision.into())),
        };
        match (self.flaw, &answer) {
            (Flaw::UnknownIsEmpty, Err(_)) => Ok(Known::Empty("0".into())),
            (Flaw::ForgetsOne, Ok(Known::Objects(i))) => {
                Inventory::with_content_revision(i.objects()[1..].to_vec())?.snapshot()
            }
            (Flaw::Stale, Ok(known)) => Ok(self.first.lock().unwrap().get_or_insert(known.clone()).clone()),
            (Flaw::OneRevision, Ok(known)) => with_revision(known, "latest"),
            (Flaw::Restless, Ok(known)) => with_revision(known, &asked.to_string()),
            (Flaw::EmptyIsUnknown, Ok(Known::Empty(_))) => Err(Unknown::because("no objects")),
            (Flaw::Tells, Err(_)) => Err(Unknown::because("cannot parse `password: bm90LWZvci1sb2dz`")),
            _ => answer,
        }
    }

    fn changes(&self) -> Changes {
        let hints = crate::Hints::new();
        match self.flaw {
            Flaw::HintsEnd => hints.subscribe(),
            Flaw::HintsElsewhere => {
                let changes = hints.subscribe();
                hints.tell(&Changed::Cluster("elsewhere".into()));
                std::mem::forget(hints);
                changes
            }
            _ => self.truth.changes(),
        }
    }
}

#[async_trait]
impl InventoryFixture for Flawed {
    fn source(&self) -> &dyn InventorySource {
        self
    }

    async fn publish(&self, cluster: &Cluster, known: Known) {
        self.truth.set(&cluster.name, Ok(known));
    }

    async fn break_source(&self, cluster: &Cluster) {
        self.truth.set_unknown(&cluster.name, "broken");
    }
}

fn promises(violations: &[Violation]) -> BTreeSet<&'static str> {
    violations.iter().map(|violation| violation.promise).collect()
}

#[tokio::test]
async fn the_inventory_suite_finds_each_flaw() {
    let cases: [(Flaw, &[&str]); 10] = [
        (Flaw::None, &[]),
        (
            Flaw::UnknownIsEmpty,
            &["broken-is-unknown", "unheard-of-is-unknown"],
        ),
        (Flaw::ForgetsOne, &["complete"]),
        (
            Flaw::Stale,
            &["complete", "empty-is-meant", "revision-names-content"],
        ),
        (Flaw::OneRevision, &["revision-names-content"]),
        (Flaw::Restless, &["settled"]),
        (Flaw::EmptyIsUnknown, &["empty-is-meant"]),
        (Flaw::Tells, &["reason-without-content"]),
        (Flaw::HintsEnd, &["hints-go-on"]),
        (Flaw::HintsElsewhere, &["hints-go-on"]),
    ];
    for (flaw, expect) in cases {
        let (truth, first, asked) = (MemorySource::new(), Mutex::default(), Mutex::default());
        let fixture = Flawed {
            flaw,
            truth,
            first,
            asked,
        };
        let violations = inventory_source(&fixture, &Cluster::new("eu-1")).await;
        assert_eq!(
            promises(&violations),
            expect.iter().copied().collect(),
            "{flaw:?}: {violations:#?}"
        );
    }
}

/// A way for a ledger to be wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
enum LedgerFlaw {
    None,
    AbsentIsEmpty,
    ForgetsTheWindow,
    LimitedTo1000,
    Backwards,
    OneForAll,
    LossIsAbsent,
    LastWriterWins,
}

#[derive(Clone)]
struct FlawedLedger {
    flaw: LedgerFlaw,
    truth: MemoryLedger,
    cache: std::sync::Arc<Mutex<Option<LedgerContent>>>,
}

#[async_trait]
impl Ledger for FlawedLedger {
    async fn load(&self, target: &Target) -> Result<LedgerAnswer, Fault> {
        let mut answer = self.truth.load(&self.target(target)).await?;
        match (self.flaw, &mut answer) {
            (LedgerFlaw::AbsentIsEmpty, LedgerAnswer::Absent) => {
                answer = LedgerAnswer::Known(LedgerContent::default());
            }
            (LedgerFlaw::LossIsAbsent, LedgerAnswer::Lost(_)) => answer = LedgerAnswer::Absent,
            (LedgerFlaw::LimitedTo1000, LedgerAnswer::Known(content)) => {
                content.entries = std::mem::take(&mut content.entries)
                    .into_iter()
                    .take(1000)
                    .collect();
            }
            (LedgerFlaw::ForgetsTheWindow, LedgerAnswer::Known(content)) => content.window.clear(),
            (LedgerFlaw::LastWriterWins, LedgerAnswer::Known(content)) => {
                *self.cache.lock().unwrap() = Some(content.clone());
            }
            _ => {}
        }
        Ok(answer)
    }

    async fn record(&self, target: &Target, writes: &[LedgerWrite]) -> Result<(), Fault> {
        let target = self.target(target);
        if self.flaw == LedgerFlaw::LastWriterWins
            && let Some(content) = &mut *self.cache.lock().unwrap()
        {
            for write in writes {
                content.apply(write);
            }
            self.truth.set(&target, LedgerAnswer::Known(content.clone()));
            return Ok(());
        }
        match self.flaw {
            LedgerFlaw::Backwards => {
                let writes: Vec<LedgerWrite> = writes.iter().rev().cloned().collect();
                self.truth.record(&target, &writes).await
            }
            _ => self.truth.record(&target, writes).await,
        }
    }
}

impl FlawedLedger {
    fn target(&self, target: &Target) -> Target {
        let mut target = target.clone();
        if self.flaw == LedgerFlaw::OneForAll {
            target.inventory = InventoryId::new("all").unwrap();
        }
        target
    }
}

#[async_trait]
impl LedgerFixture for FlawedLedger {
    async fn open(&self) -> Box<dyn Ledger> {
        Box::new(Self {
            cache: std::sync::Arc::default(),
            ..self.clone()
        })
    }

    async fn damage(&self, target: &Target) -> bool {
        self.truth.lose(&self.target(target), "damaged");
        true
    }
}

#[tokio::test]
async fn the_ledger_suite_finds_each_flaw() {
    let cases: [(LedgerFlaw, &[&str]); 8] = [
        (LedgerFlaw::None, &[]),
        (LedgerFlaw::AbsentIsEmpty, &["absent-at-first", "targets-apart"]),
        (LedgerFlaw::ForgetsTheWindow, &["durable"]),
        (LedgerFlaw::LimitedTo1000, &["complete"]),
        (LedgerFlaw::Backwards, &["damage-is-loss", "in-order"]),
        (LedgerFlaw::OneForAll, &["targets-apart"]),
        (LedgerFlaw::LossIsAbsent, &["damage-is-loss"]),
        (LedgerFlaw::LastWriterWins, &["nothing-lost"]),
    ];
    for (flaw, expect) in cases {
        let fixture = FlawedLedger {
            flaw,
            truth: MemoryLedger::new(),
            cache: std::sync::Arc::default(),
        };
        let target = Target::new(ClusterId::new("c"), InventoryId::new("fleet").unwrap());
        let violations = ledger(&fixture, &target).await;
        assert_eq!(
            promises(&violations),
            expect.iter().copied().collect(),
            "{flaw:?}: {violations:#?}"
        );
    }
}

/// A way for a status sink to be wrong.
#[derive(Clone, Copy, PartialEq, Debug)]
enum StatusFlaw {
    None,
    Forgetful,
    OnlyTheLast,
    FirstCounts,
    NeverForgets,
    LowerCase,
}

#[derive(Clone)]
struct FlawedStatus {
    flaw: StatusFlaw,
    truth: MemoryStatus,
}

#[async_trait]
impl StatusSink for FlawedStatus {
    async fn load(&self) -> Result<BTreeMap<String, Observed>, Unknown> {
        match self.flaw {
            StatusFlaw::Forgetful => Ok(BTreeMap::new()),
            _ => self.truth.load().await,
        }
    }

    async fn store(&self, changed: &BTreeMap<String, Option<Observed>>) -> Result<(), Unknown> {
        let before = self.truth.load().await?;
        let mut changed = changed.clone();
        match self.flaw {
            StatusFlaw::OnlyTheLast => {
                let others = before.into_keys().filter(|name| !changed.contains_key(name));
                let others: Vec<String> = others.collect();
                changed.extend(others.into_iter().map(|name| (name, None)));
            }
            StatusFlaw::FirstCounts => {
                changed.retain(|name, new| new.is_none() || !before.contains_key(name));
            }
            StatusFlaw::NeverForgets => changed.retain(|_, new| new.is_some()),
            StatusFlaw::LowerCase => {
                changed = changed
                    .into_iter()
                    .map(|(name, new)| (name.to_lowercase(), new))
                    .collect();
            }
            StatusFlaw::None | StatusFlaw::Forgetful => {}
        }
        self.truth.store(&changed).await
    }
}

#[async_trait]
impl StatusFixture for FlawedStatus {
    async fn open(&self) -> Box<dyn StatusSink> {
        Box::new(self.clone())
    }
}

#[tokio::test]
async fn each_flaw_of_a_status_sink_is_found() {
    let cases: [(StatusFlaw, &[&str]); 6] = [
        (StatusFlaw::None, &[]),
        (
            StatusFlaw::Forgetful,
            &["durable", "others-stay", "last-counts", "any-name", "forgotten"],
        ),
        (
            StatusFlaw::OnlyTheLast,
            &["others-stay", "last-counts", "any-name", "forgotten"],
        ),
        (StatusFlaw::FirstCounts, &["last-counts", "any-name"]),
        (StatusFlaw::NeverForgets, &["forgotten"]),
        (StatusFlaw::LowerCase, &["any-name", "forgotten"]),
    ];
    for (flaw, expect) in cases {
        let truth = MemoryStatus::default();
        let violations = status_sink(&FlawedStatus { flaw, truth }).await;
        assert_eq!(
            promises(&violations),
            expect.iter().copied().collect(),
            "{flaw:?}: {violations:#?}"
        );
    }
}
