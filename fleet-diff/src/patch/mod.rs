//! Changes as patches.

mod json;
mod merge;

pub use json::json_patch;
pub use merge::merge_patch;
