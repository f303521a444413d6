//! Addresses of resources.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Path<'p> {
    Place(Place),
    /// Anything else, such as discovery.
    Other(&'p str),
}

/// A resource, a collection of it, or one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) group: String,
    pub(crate) version: String,
    /// Plural.
    pub(crate) resource: String,
    pub(crate) namespace: Option<String>,
    pub(crate) name: Option<String>,
    pub(crate) subresource: Option<String>,
}

impl<'p> Path<'p> {
    /// Reads a path.
    pub(crate) fn of(path: &'p str) -> Self {
        let parts: Vec<Cow<'_, str>> = path
            .trim_start_matches('/')
            .split('/')
            .map(|part| percent_decode_str(part).decode_utf8_lossy())
            .collect();
        let parts: Vec<&str> = parts.iter().map(|part| &**part).collect();
        let (group, version, rest) = match parts[..] {
            ["api", version, ref rest @ ..] => ("", version, rest),
            ["apis", group, version, ref rest @ ..] => (group, version, rest),
            _ => return Self::Other(path),
        };
        let place = |namespace: Option<&str>, rest: &[&str]| {
            let (resource, name, subresource) = match *rest {
                [resource] => (resource, None, None),
                [resource, name] => (resource, Some(name), None),
                [resource, name, ref sub @ ..] => (resource, Some(name), Some(sub.join("/"))),
                [] => return None,
            };
            let is_empty = resource.is_empty() || name == Some("");
            (!is_empty).then(|| Place {
                group: group.to_owned(),
                version: version.to_owned(),
                resource: resource.to_owned(),
                namespace: namespace.map(str::to_owned),
                name: name.map(str::to_owned),
                subresource,
            })
        };
        let found = match *rest {
            // A namespace's own subresources are no resources inside it.
            ["namespaces", _, "status" | "finalize"] => place(None, rest),
            ["namespaces", namespace, ref inside @ ..] if !inside.is_empty() => {
                place(Some(namespace), inside)
            }
            _ => place(None, rest),
        };
        found.map_or(Self::Other(path), Self::Place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let cases: [(&str, Option<[&str; 6]>); 10] = [
            ("/api/v1/namespaces", Some(["", "v1", "namespaces", "", "", ""])),
            (
                "/api/v1/namespaces/a",
                Some(["", "v1", "namespaces", "", "a", ""]),
            ),
            (
                "/api/v1/namespaces/a/status",
                Some(["", "v1", "namespaces", "", "a", "status"]),
            ),
            ("/api/v1/namespaces/a/pods", Some(["", "v1", "pods", "a", "", ""])),
            (
                "/apis/apps/v1/namespaces/a/deployments/b/scale",
                Some(["apps", "v1", "deployments", "a", "b", "scale"]),
            ),
            (
                "/apis/apps/v1/deployments",
                Some(["apps", "v1", "deployments", "", "", ""]),
            ),
            (
                "/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Aa%20b",
                Some([
                    "rbac.authorization.k8s.io",
                    "v1",
                    "clusterroles",
                    "",
                    "system:a b",
                    "",
                ]),
            ),
            ("/apis/apps/v1", None),
            ("/apis", None),
            ("/version", None),
        ];
        for (path, expected) in cases {
            let found = match Path::of(path) {
                Path::Other(_) => None,
                Path::Place(place) => Some([
                    place.group,
                    place.version,
                    place.resource,
                    place.namespace.unwrap_or_default(),
                    place.name.unwrap_or_default(),
                    place.subresource.unwrap_or_default(),
                ]),
            };
            assert_eq!(found, expected.map(|parts| parts.map(str::to_owned)), "{path}");
        }
    }
}
