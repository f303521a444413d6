//! What a server would answer to what is no apply.

use std::fmt;

use json_patch::Patch;
use serde_json::Value;

use super::{Prediction, Step, sent};
use crate::{Admission, Object, Schemas, patch};

/// One write that is no apply: an update or a creation, a JSON patch, or a merge patch.
///
/// [`predict`](Self::predict) is about what is *sent*: servers drop what the schema does not know, fill in defaults, keep
/// what the endpoint does not write, and refuse what must not change. Where the object is known *as it was stored* after
/// somebody wrote it, [`Update`](crate::Update) says who owns what of it, and nothing has to be predicted.
///
/// ```
/// use fleet_diff::{FieldPath, Object, Prediction, Schemas, Write, managers_of};
/// use serde_json::json;
///
/// let schemas = Schemas::builtin();
/// let settings = Object::from_json(json!({
///     "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings"},
///     "data": {"mode": "fast"},
/// }))?;
/// let Prediction::Object(live) = Write::update(&settings, "kubectl-create", &schemas).predict() else {
///     panic!("nothing is in its way");
/// };
/// let patch = json!({"data": {"mode": "slow"}});
/// let Prediction::Object(after) = Write::merge_patch(&patch, "editor", &schemas).to(Some(&live)).predict() else {
///     panic!("nothing is in its way");
/// };
/// assert_eq!(after.root().at(&["data", "mode"]).and_then(|mode| mode.as_str()), Some("slow"));
/// assert_eq!(managers_of(&after, &FieldPath::keys(["data", "mode"]))[0].name, "editor");
/// # Ok::<(), fleet_diff::ObjectError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Write<'a> {
    pub(super) sent: Sent<'a>,
    pub(super) live: Option<&'a Object>,
    pub(super) manager: &'a str,
    pub(super) schemas: &'a Schemas,
    pub(super) subresource: &'a str,
    pub(super) time: Option<&'a str>,
    pub(super) admission: Option<&'a Admission>,
    pub(super) regardless: bool,
}

/// What is sent.
#[derive(Clone, Copy)]
pub(super) enum Sent<'a> {
    Object(&'a Object),
    JsonPatch(&'a Patch),
    MergePatch(&'a Value),
}

impl<'a> Write<'a> {
    /// A whole object, sent as an update (`PUT`) of what [`to`](Self::to) says is there, or as a creation (`POST`) where
    /// nothing is.
    ///
    /// An update replaces everything: what is not sent goes, or falls back to its default. A `resourceVersion` or `uid`
    /// that is not the live object's is a [conflict](crate::Refusal::is_conflict); kinds that servers do not update
    /// without a `resourceVersion` need one. Entries in `managedFields` that are sent and can be read count in place of
    /// those of the live object; `[{}]`, and of built-in kinds `[]`, drops them all (apimachinery, `managedfields/internal/fieldmanager.go`,
    /// `decodeLiveOrNew`). Unknown fields are dropped, as without `fieldValidation=Strict`.
    pub fn update(sent: &'a Object, manager: &'a str, schemas: &'a Schemas) -> Self {
        Self::of(Sent::Object(sent), manager, schemas)
    }

    /// A JSON patch of what [`to`](Self::to) says is there, at the version it was read at. A test that fails is a refusal
    /// that names its pointer.
    pub fn json_patch(patch: &'a Patch, manager: &'a str, schemas: &'a Schemas) -> Self {
        Self::of(Sent::JsonPatch(patch), manager, schemas)
    }

    /// A merge patch (RFC 7386) of what [`to`](Self::to) says is there, at the version it was read at.
    pub fn merge_patch(patch: &'a Value, manager: &'a str, schemas: &'a Schemas) -> Self {
        Self::of(Sent::MergePatch(patch), manager, schemas)
    }

    fn of(sent: Sent<'a>, manager: &'a str, schemas: &'a Schemas) -> Self {
        Self {
            sent,
            live: None,
            manager,
            schemas,
            subresource: "",
            time: None,
            admission: None,
            regardless: false,
        }
    }

    /// The object as it is now; none when it is absent. Patches of nothing are refused.
    #[must_use]
    pub fn to(self, live: Option<&'a Object>) -> Self {
        Self { live, ..self }
    }

    /// The subresource that is written to, of which only `status` is known.
    #[must_use]
    pub fn through(self, subresource: &'a str) -> Self {
        Self { subresource, ..self }
    }

    /// The time to write into the writer's entry of `managedFields`, as the server would write it
    /// (`2020-01-01T00:00:00Z`). Without one, an entry that is written gets none.
    #[must_use]
    pub fn at(self, time: &'a str) -> Self {
        Self {
            time: Some(time),
            ..self
        }
    }

    /// What may change the object on its way into the cluster; without this nothing.
    #[must_use]
    pub fn admitted_by(self, admission: &'a Admission) -> Self {
        Self {
            admission: Some(admission),
            ..self
        }
    }

    /// As [`Apply::regardless_of_doubt`](crate::Apply::regardless_of_doubt).
    #[must_use]
    pub fn regardless_of_doubt(self, regardless: bool) -> Self {
        Self { regardless, ..self }
    }

    /// What the server would answer to this write as a dry run: never [conflicts](Prediction::Conflicts) about fields,
    /// which only an apply has. When nothing would change, the object is the live one as it was.
    pub fn predict(&self) -> Prediction {
        match self.foresee() {
            Ok(object) => Prediction::Object(object),
            Err(early) => early,
        }
    }

    pub(super) fn is_patch(&self) -> bool {
        !matches!(self.sent, Sent::Object(_))
    }

    fn foresee(&self) -> Step<Object> {
        match self.sent {
            Sent::Object(object) => sent::predict(self, object),
            Sent::JsonPatch(_) | Sent::MergePatch(_) => sent::predict(self, &self.patched()?),
        }
    }

    /// What a patch makes of the live object.
    fn patched(&self) -> Step<Object> {
        let refused = |path: &str, problem: &str| Prediction::refused(path.to_owned(), problem);
        let Some(live) = self.live else {
            return Err(refused("", "is not there, and a patch makes none"));
        };
        let mut value = live.to_json();
        match self.sent {
            Sent::Object(_) => {}
            Sent::JsonPatch(patch) if patch.len() > MOST_OPERATIONS => {
                return Err(refused("", "must not be patched by so many operations at once"));
            }
            Sent::JsonPatch(patch) => patch::apply(&mut value, patch)
                .map_err(|unfit| refused(&format!("the patch's {}", unfit.pointer), unfit.problem))?,
            Sent::MergePatch(patch) if !patch.is_object() => {
                return Err(refused("", "must be patched by a mapping"));
            }
            Sent::MergePatch(patch) => patch::merge(&mut value, patch),
        }
        Object::from_json(value).map_err(|error| refused("", &format!("would be none: {error}")))
    }
}

/// Of a JSON patch (apiserver, `endpoints/handlers/patch.go`, `maxJSONPatchOperations`).
const MOST_OPERATIONS: usize = 10_000;

impl fmt::Debug for Write<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.sent {
            Sent::Object(_) => "update",
            Sent::JsonPatch(_) => "JSON patch",
            Sent::MergePatch(_) => "merge patch",
        };
        write!(f, "Write({what} of {:?} as {})", self.live, self.manager)
    }
}
