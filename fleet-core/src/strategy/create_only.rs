//! The strategy that makes what is missing and leaves alone what is there.

use super::{ApplyStrategy, History, Manner, Next, ServerSideApply, Work};

/// Creates, adopts and deletes; what an object became after it was made is nobody's business but its owner's. For what
/// is handed to others once it is there: a first password, a scaffold, a Job's definition.
#[derive(Clone, Copy, Debug, Default)]
pub struct CreateOnly;

impl ApplyStrategy for CreateOnly {
    fn id(&self) -> &'static str {
        "create-only"
    }

    fn manner(&self) -> Manner {
        Manner::Once
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        ServerSideApply.next(work, history)
    }
}
