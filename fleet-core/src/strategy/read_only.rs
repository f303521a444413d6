//! The strategy that writes nothing.

use super::{ApplyStrategy, History, Next, Work};
use crate::words::Reason;

/// Declines every write: the engine sees, judges and reports, and the cluster stays as it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReadOnly;

impl ApplyStrategy for ReadOnly {
    fn id(&self) -> &'static str {
        "read-only"
    }

    fn next(&self, _: &Work, _: History<'_>) -> Next {
        Next::Declined(Reason::new(
            "read-only",
            "the strategy is read-only: differences are reported, not written",
        ))
    }
}
