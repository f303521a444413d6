//! What a server would answer to a write.

mod apply;
mod chosen;
mod course;
mod kinds;
mod outcome;
mod refused;
mod sent;
mod status;
mod validity;
mod write;

pub use apply::Apply;
pub(crate) use apply::{Foreseen, stored_form};
pub(crate) use chosen::is_chosen;
pub use chosen::{CHOSEN, comparable};
pub(crate) use course::other_version;
pub(crate) use kinds::emptied_data;
pub use outcome::{Blocked, Conflict, Doubt, Prediction, Refusal};
pub use write::Write;

/// Answers that come before the end are errors here.
pub(crate) type Step<T> = Result<T, Prediction>;
