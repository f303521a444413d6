//! Changes as patches, and what patches make of a value.

mod apply;
mod json;
mod merge;

pub(crate) use apply::{apply, is_escaped_by_go};
pub use json::json_patch;
pub(crate) use merge::merge;
pub use merge::merge_patch;
