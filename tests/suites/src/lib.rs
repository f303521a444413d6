//! What the suites share: fleets over real control planes.

mod bed;
mod desk;
pub mod kill;
mod last_moment;
pub mod manifests;
pub mod proxy;
mod random;
pub mod rows;
mod served;
pub mod truth;

pub use bed::{Bed, Notes, Settable, clean, on_runtime};
pub use desk::{Desk, program, texts};
pub use last_moment::LastMoment;
