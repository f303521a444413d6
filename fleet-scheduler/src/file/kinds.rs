//! Kinds of objects as people write them, for `serde(deserialize_with)`.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, de::Error as _};

/// Kinds, each as `Kind.version.group`, or `Kind.version` in the core group.
pub(crate) fn kinds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<String>, D::Error> {
    let kinds = Vec::<Kind>::deserialize(deserializer)?;
    Ok(kinds.into_iter().map(|kind| kind.0).collect())
}

/// The same where it may be left out.
pub(super) fn optional_kinds<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<BTreeSet<String>>, D::Error> {
    let kinds = Option::<Vec<Kind>>::deserialize(deserializer)?;
    Ok(kinds.map(|kinds| kinds.into_iter().map(|kind| kind.0).collect()))
}

struct Kind(String);

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match is_kind(&text) {
            true => Ok(Self(text)),
            false => Err(D::Error::custom(format!(
                "`{text}` is not of the form Kind.version.group, such as Deployment.v1.apps, or Pod.v1 in the core group"
            ))),
        }
    }
}

/// Kinds begin with a capital letter by the conventions of Kubernetes: so the name of a resource is told from them. A
/// version may be any label by its rules, but the core group has none that does not look like one; and what looks like a
/// version is no group, so that the two cannot be swapped.
pub(crate) fn is_kind(text: &str) -> bool {
    let mut parts = text.split('.');
    let (kind, version) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let group: Vec<&str> = parts.collect();
    let is_kind = kind.starts_with(|c: char| c.is_ascii_uppercase())
        && kind.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    let is_group = match group.as_slice() {
        [] => looks_like_version(version),
        [only] => is_label(only) && !looks_like_version(only),
        labels => labels.iter().all(|label| is_label(label)),
    };
    is_kind && is_label(version) && is_group
}

/// `v1`, `v2beta1`
fn looks_like_version(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or("");
    number.starts_with(|c: char| c.is_ascii_digit())
}

/// A label of a domain name.
fn is_label(text: &str) -> bool {
    let is_end = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(is_end) && text.ends_with(is_end) && text.chars().all(|c| is_end(c) || c == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_a_version_and_perhaps_a_group() {
        for good in [
            "Pod.v1",
            "Deployment.v1.apps",
            "HorizontalPodAutoscaler.v2beta2.autoscaling",
            "NetworkPolicy.v1.networking.k8s.io",
            "IPAddress.v1.networking.k8s.io",
            "Widget.stable-2.example.com",
        ] {
            assert!(is_kind(good), "{good}");
        }
        for wrong in [
            "",
            ".",
            "Pod",
            "Pod.",
            "Pod.v1.",
            ".v1",
            "pod.v1",
            "deployments.v1.apps",
            "Deployment.apps",
            "Deployment.apps.v1",
            "apps/v1/Deployment",
            "apps/v1.Deployment",
            "v1.Pod",
            "Pod.V1",
            "Pod v1",
            "Deployment.v1.Apps",
            "Deployment.v1..apps",
            "Deployment.v1.apps ",
            "Deployment.v1.-apps",
        ] {
            assert!(!is_kind(wrong), "{wrong}");
        }
    }
}
