//! What a server makes of an object before it stores it: rewriting, defaults, and what it changes by itself.

mod custom;
mod defaults;
mod duration;
mod gated;
mod native;
mod quantity;
mod special;

pub(crate) use custom::store_custom;
pub(crate) use native::{Unstorable, store_metadata, store_native};
pub use quantity::{Quantity, QuantityError};
