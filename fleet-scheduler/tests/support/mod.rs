//! What several test binaries share; each uses a part of it.
#![allow(dead_code)]

pub(crate) mod exact;
