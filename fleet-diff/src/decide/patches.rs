//! What is to be done, as patches: for those who do not apply.

use json_patch::Patch;
use serde_json::Value;

use super::action::Decision;
use crate::{FieldPath, Object, json_patch, merge_patch};

impl Decision<'_> {
    /// The JSON patch that makes the live object the predicted one, [`removals`](Self::removals) included, with a test
    /// of every value that it replaces or removes; see [`json_patch`](crate::json_patch). Empty when nothing changes.
    ///
    /// It leaves out the owners, which the server writes itself: who patches owns what changed as an update's manager.
    /// None when there is no live object, or when it is not known what it becomes.
    pub fn json_patch(&self) -> Option<Patch> {
        let (before, after) = self.before_and_after()?;
        Some(json_patch(&before, &after))
    }

    /// The same as a merge patch, which tests nothing: see [`merge_patch`](crate::merge_patch).
    pub fn merge_patch(&self) -> Option<Value> {
        let (before, after) = self.before_and_after()?;
        Some(merge_patch(&before, &after))
    }

    /// The JSON patch that removes what [`removals`](Self::removals) names from the object as it is after the apply, with
    /// a test of everything it removes. None when there is nothing to remove.
    pub fn removal_patch(&self) -> Option<Patch> {
        let after = self.predicted().filter(|_| self.removals().next().is_some())?;
        Some(json_patch(
            &without_owners(self.before_removal()?)?,
            &without_owners(after)?,
        ))
    }

    fn before_and_after(&self) -> Option<(Value, Value)> {
        Some((without_owners(self.live()?)?, without_owners(self.predicted()?)?))
    }
}

fn without_owners(object: &Object) -> Option<Value> {
    let owners = FieldPath::keys(["metadata", "managedFields"]);
    object.without([&owners]).map(|object| object.to_json()).ok()
}
