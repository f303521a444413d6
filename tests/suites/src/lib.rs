//! What the suites share: fleets over clusters of either kind.

pub mod alike;
mod bed;
mod desk;
mod hand;
pub mod kill;
mod kinds;
mod last_moment;
pub mod manifests;
pub mod proxy;
mod random;
pub mod rows;
mod served;
pub mod truth;
pub mod ways;

pub use bed::{Bed, Notes, Settable, clean, on_runtime};
pub use desk::{Desk, program, texts};
pub use hand::Hand;
pub use kinds::on_kind;
pub use last_moment::LastMoment;
