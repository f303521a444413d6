//! The parts a scheduler is made of, and what they see.

mod basis;
mod candidate;
mod estimates;
mod estimator;
mod parts;
mod wish;
mod wrap;

pub use basis::{Basis, Key, Pass};
pub use candidate::{Candidate, Candidates};
pub use estimates::Estimates;
pub use estimator::{Estimate, Estimator, estimator_fn};
pub use parts::{Filter, MAX_SCORE, Scorer, filter_fn, min_max, scorer_fn};
pub use wish::{Divider, Ranked, Selected, Selector, Units, Wish};
pub use wrap::{AtMost, Named, OnlyWhen, Record, Recorded, Recorder};
