//! Presets: the results that each system's documentation gives, published vectors, and laws.

#[path = "presets/mod.rs"]
mod presets;
