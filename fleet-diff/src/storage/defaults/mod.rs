//! Defaults that API servers fill in by code (`SetDefaults_…` in `pkg/apis/*/*/defaults.go`), by the type they belong
//! to. Defaults that stand in a schema are not repeated here.

mod computed;
mod constant;
mod pods;

use serde_json::Value;

use super::tree::{Draft, View};
use constant::CONSTANT;

/// Fills in what the type of this name has defaults for. The struct is in its stored form: what is empty is left out.
pub(super) fn apply(
    type_name: &str,
    map: &mut Draft<'_>,
    is_pointer: &dyn Fn(&str) -> bool,
    gate: &dyn Fn(&str) -> bool,
) {
    let name = short(type_name);
    if let Ok(at) = CONSTANT.binary_search_by(|(known, _)| (*known).cmp(name)) {
        for (field, value) in CONSTANT[at].1 {
            let zero = || !is_pointer(field) && map.get(field).and_then(View::as_i64) == Some(0);
            if (is_unset(map, field) || zero()) && is_on(name, field, gate) {
                map.set(field, value.to_json());
            }
        }
    }
    computed::apply(name, map, gate);
}

/// Some fields have their default only where a feature gate is on.
fn is_on(type_name: &str, field: &str, gate: &dyn Fn(&str) -> bool) -> bool {
    match (type_name, field) {
        ("storage.v1.CSIDriverSpec", "seLinuxMount") => gate("SELinuxMountReadWriteOncePod"),
        ("storage.v1.CSIDriverSpec", "preventPodSchedulingIfMissing") => gate("VolumeLimitScaling"),
        _ => true,
    }
}

/// Without the prefix that all API types have.
fn short(type_name: &str) -> &str {
    type_name
        .strip_prefix("io.k8s.api.")
        .or_else(|| type_name.strip_prefix("io.k8s."))
        .unwrap_or(type_name)
}

/// Absent, null or an empty text. The number 0 is no such thing here: where Go cannot tell it from absent, the stored form
/// leaves it out.
fn is_unset(map: &Draft<'_>, field: &str) -> bool {
    map.get(field)
        .is_none_or(|value| value.is_null() || value.as_str() == Some(""))
}

/// Sets a field of an inner mapping, which is made when it is not there.
fn default(map: &mut Draft<'_>, inner: &str, field: &str, value: Value) {
    let known = map.at(&[inner, field]);
    if known.is_none_or(|known| known.is_null() || known.as_str() == Some(""))
        && let Some(inner) = map.inner(inner)
    {
        inner.set(field, value);
    }
}

fn inherit_labels(map: &mut Draft<'_>, own: Value) {
    if map
        .at(&["metadata", "labels"])
        .is_none_or(|labels| labels.len() == 0)
        && own.as_object().is_some_and(|own| !own.is_empty())
        && let Some(metadata) = map.inner("metadata")
    {
        metadata.set("labels", own);
    }
}
