//! What is done about fields that somebody changed although their definition did not.

use fleet_diff::{FieldPath, Kinds, Object, PathPattern, glob};
use serde::{Deserialize, Serialize};

/// What is done about a field that was as defined, whose definition is the same, and that is different now.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DriftPolicy {
    /// It is written again.
    #[default]
    Repair,
    /// It is left as it is until the object's definition changes, and reported.
    Report,
    /// It is left as it is until the object's definition changes.
    Tolerate,
}

/// Which drift a policy is for. What is left out means any.
///
/// ```
/// use fleet_core::{DriftPolicy, DriftRule};
///
/// let rule: DriftRule = serde_json::from_str(
///     r#"{"on": {"kinds": ["Deployment"]}, "fields": [".spec.template"], "writer": "kubectl-*", "policy": "report"}"#,
/// )?;
/// assert_eq!(rule.policy, DriftPolicy::Report);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[non_exhaustive]
pub struct DriftRule {
    /// Which objects.
    pub on: Kinds,
    /// Which of their fields.
    pub fields: Vec<PathPattern>,
    /// The field manager that changed it; `*` stands for any text. Who removed a field, or changed it under no name, is no
    /// manager: only rules without a writer are about that.
    pub writer: Option<String>,
    /// What is done.
    pub policy: DriftPolicy,
}

impl DriftRule {
    /// Whether it is about this field of an object, as this manager left it.
    pub fn is_about(&self, definition: &Object, path: &FieldPath, writer: Option<&str>) -> bool {
        let writer = match (&self.writer, writer) {
            (None, _) => true,
            (Some(pattern), Some(writer)) => glob(pattern, writer),
            (Some(_), None) => false,
        };
        writer
            && self.on.has(definition)
            && (self.fields.is_empty() || self.fields.iter().any(|pattern| pattern.covers(path)))
    }
}
