//! Definitions that use much of what built-in kinds have.

use serde_json::Value;

/// All of them.
pub(super) fn documents() -> Vec<Value> {
    Vec::new()
}
