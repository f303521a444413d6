//! What may be done with a field, and whose it is.
//!
//! Facts are what servers do; all of them hold. Intents are opinions: of those that mean a field, one counts.

mod applicable;
mod builtin;
mod facts;
mod intent;
mod layers;
mod pattern;
mod rule;
mod server;
mod set;

pub(crate) use applicable::Applicable;
pub(crate) use facts::{Broken, Fact, broken, is_established, is_same, loses_node_selector, may_be_broken};
pub use intent::{Intent, Sharing};
pub use layers::{FieldIntentRules, Rules};
pub use pattern::{PathPattern, glob};
pub use rule::{Kinds, Rule};
pub(crate) use server::set_by_server;
pub use set::{RuleError, RuleSet};
