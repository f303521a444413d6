//! What do we own in a target?

mod entry;
pub mod shards;

pub use entry::{Entry, EntryState, LedgerAnswer, LedgerContent, LedgerWrite, Spent};

use async_trait::async_trait;

use crate::{edge::Fault, words::Target};

/// Remembers what a target owns. Durable when `record` returns.
///
/// A ledger is written before the cluster is: an object's entry before its first write, the intent to delete
/// before the delete. An entry goes only when the object is confirmed gone, or let go on purpose.
#[async_trait]
pub trait Ledger: Send + Sync + 'static {
    /// Everything recorded for the target.
    ///
    /// # Errors
    /// When the store cannot be read; that says nothing about what it holds.
    async fn load(&self, target: &Target) -> Result<LedgerAnswer, Fault>;

    /// Records all writes, in their order.
    ///
    /// # Errors
    /// "Maybe recorded": the caller reads again before it relies on either. [`Remedy::Conflict`](crate::Remedy)
    /// means that another writer was there.
    async fn record(&self, target: &Target, writes: &[LedgerWrite]) -> Result<(), Fault>;
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: Ledger + ?Sized> Ledger for $pointer {
            async fn load(&self, target: &Target) -> Result<LedgerAnswer, Fault> {
                (**self).load(target).await
            }

            async fn record(&self, target: &Target, writes: &[LedgerWrite]) -> Result<(), Fault> {
                (**self).record(target, writes).await
            }
        }
    )*};
}
forward!(Box<T>, std::sync::Arc<T>);
