//! What a server makes of an object before it stores it: rewriting, defaults, and what it changes by itself.

mod custom;
mod decoded;
mod defaults;
mod duration;
mod gated;
mod native;
mod quantity;
mod same;
mod special;
mod tree;

pub(crate) use custom::store_custom;
pub(crate) use decoded::as_decoded;
pub(crate) use native::{InStorage, Stage, Status, store_native};
pub use quantity::{Quantity, QuantityError};
pub(crate) use same::is_same_at;
pub(crate) use tree::{Draft, Tree, View};
