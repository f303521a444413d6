//! Moves: when they are worth it, how many there may be, and how they are done.

mod budget;
mod cause;
mod gate;
mod storm;
mod worth;

pub use budget::{Budgets, Move, MoveLog, Rate};
pub use cause::Cause;
pub use gate::{Consent, MoveGate, Step};
pub(crate) use storm::Storm;
pub use storm::StormBreaker;
pub use worth::{Calm, Rebalancer, StayPut, Worth};
