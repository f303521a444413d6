//! Names of kinds and of objects.

use std::{cmp::Ordering, fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use super::known;

/// API group and kind; the core group is the empty text.
///
/// Printed as Kubernetes does: `Deployment.apps`, and `ConfigMap` for the core group.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct GroupKind(Arc<KindParts>);

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct KindParts {
    group: Arc<str>,
    kind: Arc<str>,
}

impl Ord for GroupKind {
    fn cmp(&self, other: &Self) -> Ordering {
        // Most keys that are compared have the very same kind.
        if Arc::ptr_eq(&self.0, &other.0) {
            return Ordering::Equal;
        }
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for GroupKind {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl GroupKind {
    /// From group (empty for core) and kind.
    pub fn new(group: impl Into<Arc<str>>, kind: impl Into<Arc<str>>) -> Self {
        Self(Arc::new(KindParts {
            group: group.into(),
            kind: kind.into(),
        }))
    }

    /// The API group; empty for core.
    pub fn group(&self) -> &str {
        &self.0.group
    }

    /// The kind, such as `Deployment`.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }

    /// With a version.
    pub fn at(&self, version: impl Into<Arc<str>>) -> Gvk {
        Gvk(Arc::new(GvkParts {
            group_kind: self.clone(),
            version: version.into(),
        }))
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())?;
        if self.group().is_empty() {
            Ok(())
        } else {
            write!(f, ".{}", self.group())
        }
    }
}

impl fmt::Debug for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// API group, version and kind.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gvk(Arc<GvkParts>);

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
struct GvkParts {
    group_kind: GroupKind,
    version: Arc<str>,
}

impl Gvk {
    /// From `apiVersion` (`v1`, `apps/v1`) and `kind`; `None` when the former has not that form.
    pub fn from_api_version(api_version: &str, kind: &str) -> Option<Self> {
        let (group, version) = split_api_version(api_version)?;
        Some(GroupKind::new(group, kind).at(version))
    }

    /// As [`from_api_version`](Self::from_api_version), sharing the texts of what this thread has met before.
    pub(super) fn shared(api_version: &str, kind: &str) -> Option<Self> {
        let (group, version) = split_api_version(api_version)?;
        Some(known::gvk(group, version, kind))
    }

    /// The API group; empty for core.
    pub fn group(&self) -> &str {
        self.group_kind().group()
    }

    /// The version, such as `v1`.
    pub fn version(&self) -> &str {
        &self.0.version
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        self.group_kind().kind()
    }

    /// Group and kind without the version.
    pub fn group_kind(&self) -> &GroupKind {
        &self.0.group_kind
    }

    /// As written in an object: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group().is_empty() {
            self.version().to_owned()
        } else {
            format!("{}/{}", self.group(), self.version())
        }
    }
}

fn split_api_version(api_version: &str) -> Option<(&str, &str)> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let ok =
        !version.is_empty() && !version.contains('/') && (!group.is_empty() || !api_version.contains('/'));
    ok.then_some((group, version))
}

impl fmt::Display for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.api_version(), self.kind())
    }
}

impl fmt::Debug for Gvk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An object's identity inside one cluster: group, kind, namespace (none when cluster-scoped) and name.
///
/// The version is not part of it: the same object at another version is the same object. People see
/// `Deployment.apps shop/web`; stored and sent as data it is `apps/Deployment/shop/web`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Arc<KeyParts>);

#[derive(PartialEq, Eq, Hash)]
struct KeyParts {
    group_kind: GroupKind,
    /// The namespace, empty when there is none, and the name.
    text: Box<str>,
    namespace_len: usize,
}

impl KeyParts {
    /// Namespace and name.
    fn names(&self) -> (&str, &str) {
        self.text.split_at(self.namespace_len)
    }
}

impl Ord for KeyParts {
    fn cmp(&self, other: &Self) -> Ordering {
        let kinds = self.group_kind.cmp(&other.group_kind);
        kinds.then_with(|| self.names().cmp(&other.names()))
    }
}

impl PartialOrd for KeyParts {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl ObjectKey {
    /// From its parts; an empty namespace is none.
    pub fn new(group: &str, kind: &str, namespace: Option<&str>, name: &str) -> Self {
        Self::of(known::group_kind(group, kind), namespace, name)
    }

    /// Like [`ObjectKey::new`], sharing the kind's texts.
    pub fn of(group_kind: GroupKind, namespace: Option<&str>, name: &str) -> Self {
        let namespace = namespace.unwrap_or("");
        Self(Arc::new(KeyParts {
            group_kind,
            text: [namespace, name].concat().into(),
            namespace_len: namespace.len(),
        }))
    }

    /// Group and kind.
    pub fn group_kind(&self) -> &GroupKind {
        &self.0.group_kind
    }

    /// The API group; empty for core.
    pub fn group(&self) -> &str {
        self.0.group_kind.group()
    }

    /// The kind.
    pub fn kind(&self) -> &str {
        self.0.group_kind.kind()
    }

    /// The namespace, none for a cluster-scoped object.
    pub fn namespace(&self) -> Option<&str> {
        Some(self.0.names().0).filter(|namespace| !namespace.is_empty())
    }

    /// The name.
    pub fn name(&self) -> &str {
        self.0.names().1
    }

    /// True for this group (empty for core) and kind.
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.group() == group && self.kind() == kind
    }

    /// True for a core `Secret`.
    pub fn is_secret(&self) -> bool {
        self.is("", "Secret")
    }

    /// Bytes on the heap, without what is shared with other keys of the kind.
    pub(super) fn heap_size(&self) -> usize {
        super::ARC_SIZE + size_of::<KeyParts>() + self.0.text.len()
    }

    /// The form for storing: `group/Kind/namespace/name`, empty parts left empty.
    pub fn to_path(&self) -> String {
        format!(
            "{}/{}/{}/{}",
            self.group(),
            self.kind(),
            self.namespace().unwrap_or(""),
            self.name()
        )
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.namespace() {
            Some(ns) => write!(f, "{} {ns}/{}", self.group_kind(), self.name()),
            None => write!(f, "{} {}", self.group_kind(), self.name()),
        }
    }
}

impl fmt::Debug for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not `group/Kind/namespace/name`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an object key: expected `group/Kind/namespace/name`")]
pub struct ParseKeyError;

impl FromStr for ObjectKey {
    type Err = ParseKeyError;

    fn from_str(text: &str) -> Result<Self, ParseKeyError> {
        let parts: Vec<&str> = text.split('/').collect();
        let [group, kind, namespace, name] = parts[..] else {
            return Err(ParseKeyError);
        };
        if kind.is_empty() || name.is_empty() {
            return Err(ParseKeyError);
        }
        Ok(Self::new(group, kind, Some(namespace), name))
    }
}

impl Serialize for ObjectKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_path())
    }
}

impl<'de> Deserialize<'de> for ObjectKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_print_for_people_and_for_storage() {
        let cases = [
            (
                ObjectKey::new("apps", "Deployment", Some("shop"), "web"),
                "Deployment.apps shop/web",
                "apps/Deployment/shop/web",
            ),
            (
                ObjectKey::new("", "Namespace", None, "shop"),
                "Namespace shop",
                "/Namespace//shop",
            ),
        ];
        for (key, people, stored) in cases {
            assert_eq!(
                (key.to_string().as_str(), key.to_path().as_str()),
                (people, stored)
            );
            assert_eq!(stored.parse::<ObjectKey>().unwrap(), key);
            assert_eq!(
                serde_json::from_str::<ObjectKey>(&serde_json::to_string(&key).unwrap()).unwrap(),
                key
            );
        }
        for bad in ["", "a/b/c", "a//c/d", "a/b/c/", "a/b/c/d/e"] {
            assert!(bad.parse::<ObjectKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn api_versions() {
        for good in ["v1", "apps/v1"] {
            assert_eq!(Gvk::from_api_version(good, "X").unwrap().api_version(), good);
        }
        for bad in ["", "/v1", "apps/", "a/b/c"] {
            assert!(Gvk::from_api_version(bad, "X").is_none(), "{bad}");
        }
    }
}
