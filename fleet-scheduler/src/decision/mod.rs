//! What was decided, and why, as data.

mod invalid;
mod limit;
mod outcome;
mod unmet;

pub use invalid::{InvalidSelector, InvalidWorkload};
pub use limit::Limit;
pub use outcome::{Decision, OldCopies, Outcome, Proposal, TargetDecision, Wait, WaitOn};
pub use unmet::{Limited, Unmet};
