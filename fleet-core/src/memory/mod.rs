//! Implementations that live in memory, for tests and for embedders that hold everything themselves.

mod faulty;
mod hints;
mod ledger;
mod registry;
mod source;
mod status;

pub use faulty::{Call, FaultMoment, Faulty, Injection};
pub use hints::Hints;
pub use ledger::MemoryLedger;
pub use registry::MemoryRegistry;
pub use source::MemorySource;
pub use status::MemoryStatus;

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks; what a panicking holder left behind is whole, because nothing here panics half-way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
