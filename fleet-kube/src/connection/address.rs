//! URLs of objects and collections.

use std::fmt::Write as _;

use fleet_core::{Fault, Gvk, KindInfo, KindMap, ObjectKey, Remedy};

/// The entry for a kind at a version, or what is wrong with asking for it.
pub(crate) fn resource<'a>(kinds: &'a KindMap, gvk: &Gvk) -> Result<&'a KindInfo, Fault> {
    let unknown = |message: String| Fault::new(Remedy::KindUnknown, message);
    match kinds.get(gvk.group_kind()) {
        Some(info) if info.serves(gvk.version()) => Ok(info),
        Some(info) => {
            let served = info.versions.join(", ");
            Err(unknown(format!(
                "the cluster serves {} at {served}, not at {}",
                gvk.group_kind(),
                gvk.version()
            )))
        }
        None if kinds.is_complete(gvk.group()) => Err(unknown(format!(
            "the cluster does not serve {}",
            gvk.group_kind()
        ))),
        // Not unknown: nobody may conclude that there is nothing of this kind.
        None => Err(Fault::new(
            Remedy::Retry,
            format!("the cluster cannot say whether it serves {}", gvk.group_kind()),
        )),
    }
}

/// The path of one object.
pub(crate) fn object_path(kinds: &KindMap, gvk: &Gvk, key: &ObjectKey) -> Result<String, Fault> {
    let info = resource(kinds, gvk)?;
    if info.namespaced && key.namespace().is_none() {
        return Err(Fault::new(Remedy::Invalid, format!("{key} needs a namespace")));
    }
    // A gateway that tidies paths would turn these into the address of something larger.
    if [Some(key.name()), key.namespace()]
        .into_iter()
        .flatten()
        .any(|name| matches!(name, "." | ".."))
    {
        return Err(Fault::new(
            Remedy::Invalid,
            format!("{key} cannot be a name in Kubernetes"),
        ));
    }
    let mut path = collection(info, gvk, key.namespace());
    path.push('/');
    push_segment(&mut path, key.name());
    Ok(path)
}

/// The path that an object of this key is made at.
pub(crate) fn new_object_path(kinds: &KindMap, gvk: &Gvk, key: &ObjectKey) -> Result<String, Fault> {
    object_path(kinds, gvk, key)?;
    collection_path(kinds, gvk, key.namespace())
}

/// The path of all objects of a kind, in one namespace or in all.
pub(crate) fn collection_path(kinds: &KindMap, gvk: &Gvk, namespace: Option<&str>) -> Result<String, Fault> {
    Ok(collection(resource(kinds, gvk)?, gvk, namespace))
}

fn collection(info: &KindInfo, gvk: &Gvk, namespace: Option<&str>) -> String {
    let mut path = String::with_capacity(96);
    path.push_str(if gvk.group().is_empty() { "/api" } else { "/apis/" });
    push_segment(&mut path, gvk.group());
    path.push('/');
    push_segment(&mut path, gvk.version());
    if let Some(namespace) = namespace.filter(|_| info.namespaced) {
        path.push_str("/namespaces/");
        push_segment(&mut path, namespace);
    }
    path.push('/');
    push_segment(&mut path, &info.plural);
    path
}

/// A query under construction.
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn new() -> Self {
        Self(String::new())
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push(if self.0.is_empty() { '?' } else { '&' });
        self.0.push_str(name);
        self.0.push('=');
        push_segment(&mut self.0, value);
        self
    }

    /// Adds a parameter if there is a value.
    pub(crate) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Behind a path.
    pub(crate) fn after(self, mut path: String) -> String {
        path.push_str(&self.0);
        path
    }
}

/// Adds a text so that it is one segment of a path, or one value of a query.
fn push_segment(path: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                path.push(char::from(byte));
            }
            // Writing to a `String` cannot fail.
            _ => drop(write!(path, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet_core::GroupKind;

    fn kinds() -> KindMap {
        let mut map = KindMap::default();
        let versions = |list: &[&str]| list.iter().map(|v| (*v).to_owned()).collect::<Vec<_>>();
        let mut add =
            |group: &str, kind: &str, info: KindInfo| map.kinds.insert(GroupKind::new(group, kind), info);
        add(
            "",
            "ConfigMap",
            KindInfo::new("configmaps", true, versions(&["v1"])),
        );
        add(
            "",
            "Namespace",
            KindInfo::new("namespaces", false, versions(&["v1"])),
        );
        add(
            "rbac.authorization.k8s.io",
            "ClusterRole",
            KindInfo::new("clusterroles", false, versions(&["v1"])),
        );
        add(
            "apps",
            "Deployment",
            KindInfo::new("deployments", true, versions(&["v1", "v1beta1"])),
        );
        map.incomplete.insert("metrics.k8s.io".to_owned());
        map
    }

    #[test]
    fn paths() {
        let cases = [
            (
                "v1",
                "ConfigMap",
                Some("a"),
                "b",
                Ok("/api/v1/namespaces/a/configmaps/b"),
            ),
            (
                "v1",
                "ConfigMap",
                None,
                "b",
                Err((Remedy::Invalid, "ConfigMap b needs a namespace")),
            ),
            ("v1", "Namespace", None, "b", Ok("/api/v1/namespaces/b")),
            ("v1", "Namespace", Some("x"), "b", Ok("/api/v1/namespaces/b")),
            (
                "apps/v1beta1",
                "Deployment",
                Some("a"),
                "b",
                Ok("/apis/apps/v1beta1/namespaces/a/deployments/b"),
            ),
            (
                "apps/v2",
                "Deployment",
                Some("a"),
                "b",
                Err((Remedy::KindUnknown, "at v1, v1beta1, not at v2")),
            ),
            (
                "v1",
                "ConfigMap",
                Some("a"),
                "..",
                Err((Remedy::Invalid, "cannot be a name")),
            ),
            (
                "v1",
                "ConfigMap",
                Some(".."),
                "a",
                Err((Remedy::Invalid, "cannot be a name")),
            ),
            (
                "apps/v1",
                "Deploy",
                Some("a"),
                "b",
                Err((Remedy::KindUnknown, "does not serve Deploy.apps")),
            ),
            (
                "metrics.k8s.io/v1",
                "PodMetrics",
                Some("a"),
                "b",
                Err((Remedy::Retry, "cannot say")),
            ),
            (
                "rbac.authorization.k8s.io/v1",
                "ClusterRole",
                None,
                "system:a b?/ü",
                Ok("/apis/rbac.authorization.k8s.io/v1/clusterroles/system:a%20b%3F%2F%C3%BC"),
            ),
        ];
        for (api_version, kind, namespace, name, expect) in cases {
            let gvk = Gvk::from_api_version(api_version, kind).unwrap();
            let key = ObjectKey::of(gvk.group_kind().clone(), namespace, name);
            match (object_path(&kinds(), &gvk, &key), expect) {
                (Ok(path), Ok(expect)) => assert_eq!(path, expect),
                (Err(fault), Err((remedy, words))) => {
                    assert!(fault.remedy == remedy && fault.message.contains(words), "{fault}");
                }
                (got, expect) => panic!("{got:?} instead of {expect:?}"),
            }
        }
    }

    #[test]
    fn queries() {
        let query = Query::new()
            .with("a", "x/y=z")
            .with_some("b", None)
            .with_some("c", Some("1"));
        assert_eq!(query.after("/p".to_owned()), "/p?a=x%2Fy%3Dz&c=1");
    }
}
