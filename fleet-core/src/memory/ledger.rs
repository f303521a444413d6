//! A ledger that forgets everything with its process.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::lock;
use crate::{
    edge::{Fault, Remedy},
    ledger::{Ledger, LedgerAnswer, LedgerContent, LedgerWrite},
    words::{Reason, Target},
};

/// Keeps the ledgers of any number of targets in memory. Clones share them, so a test can stop one engine and
/// start another on the same record. Not durable: for tests, and for plans that write nothing.
#[derive(Clone, Debug, Default)]
pub struct MemoryLedger(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    targets: BTreeMap<Target, LedgerAnswer>,
    records: usize,
}

impl MemoryLedger {
    /// Absent for every target.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is recorded for the target.
    pub fn answer(&self, target: &Target) -> LedgerAnswer {
        lock(&self.0)
            .targets
            .get(target)
            .cloned()
            .unwrap_or(LedgerAnswer::Absent)
    }

    /// Sets what is recorded for the target.
    pub fn set(&self, target: &Target, answer: LedgerAnswer) {
        lock(&self.0).targets.insert(target.clone(), answer);
    }

    /// Loses the target's ledger.
    pub fn lose(&self, target: &Target, why: impl Into<String>) {
        self.set(target, LedgerAnswer::Lost(Reason::new("ledger-lost", why)));
    }

    /// How often something was recorded, over all targets.
    pub fn records(&self) -> usize {
        lock(&self.0).records
    }
}

#[async_trait]
impl Ledger for MemoryLedger {
    async fn load(&self, target: &Target) -> Result<LedgerAnswer, Fault> {
        Ok(self.answer(target))
    }

    async fn record(&self, target: &Target, writes: &[LedgerWrite]) -> Result<(), Fault> {
        let mut content = match self.answer(target) {
            LedgerAnswer::Known(content) => content,
            LedgerAnswer::Lost(reason) if !writes.contains(&LedgerWrite::Clear) => {
                let message = format!("nothing can be recorded in a lost ledger: {reason}");
                return Err(Fault::new(Remedy::Conflict, message));
            }
            LedgerAnswer::Absent | LedgerAnswer::Lost(_) => LedgerContent::default(),
        };
        for write in writes {
            content.apply(write);
        }
        let mut state = lock(&self.0);
        state.records += 1;
        state.targets.insert(target.clone(), LedgerAnswer::Known(content));
        Ok(())
    }
}
