//! What may be done with a field, and whose it is.
//!
//! Facts are what servers do; all of them hold. Intents are opinions: of those that mean a field, one counts.

mod builtin;
mod facts;
mod intent;
mod pattern;
mod server;

pub(crate) use facts::{Broken, Fact, broken, is_established, is_same, loses_node_selector, may_be_broken};
pub(crate) use intent::Applicable;
pub use intent::{FieldIntentRules, Intent, Kinds, Rule, RuleError, RuleSet, Rules, Sharing};
pub use pattern::PathPattern;
pub(crate) use pattern::glob;
pub(crate) use server::set_by_server;
