//! What was decided, and why, as data.

mod invalid;
mod limit;
mod outcome;
mod unmet;

pub use invalid::InvalidWorkload;
pub use limit::Limit;
pub use outcome::{Decision, Outcome, Proposal, TargetDecision, Wait};
pub use unmet::{Limited, Unmet};
