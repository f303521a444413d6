//! JSON of others inside built-in kinds (`RawExtension`): servers keep it as it was spelled, and compare it so.

use crate::{
    Gvk,
    document::{Kind, Node},
    patch::is_escaped_by_go,
};

/// Where it is. `*` is every element of a list.
const RAW: &[(&str, &str, &[&str])] = &[
    ("apps", "ControllerRevision", &["data"]),
    (
        "resource.k8s.io",
        "DeviceClass",
        &["spec", "config", "*", "opaque", "parameters"],
    ),
    (
        "resource.k8s.io",
        "ResourceClaim",
        &["spec", "devices", "config", "*", "opaque", "parameters"],
    ),
    (
        "resource.k8s.io",
        "ResourceClaim",
        &[
            "status",
            "allocation",
            "devices",
            "config",
            "*",
            "opaque",
            "parameters",
        ],
    ),
    (
        "resource.k8s.io",
        "ResourceClaim",
        &["status", "devices", "*", "data"],
    ),
    (
        "resource.k8s.io",
        "ResourceClaimTemplate",
        &["spec", "spec", "devices", "config", "*", "opaque", "parameters"],
    ),
];

/// The first such JSON with a text that has two spellings, which read back are one: Go escapes `<`, `>` and `&`, others
/// do not. A server that is sent the other one takes it for a change.
pub(in super::super) fn has_two_spellings(live: Node<'_>, gvk: &Gvk) -> Option<String> {
    let raw = RAW
        .iter()
        .filter(|(group, kind, _)| (*group, *kind) == (gvk.group(), gvk.kind()));
    raw.map(|(.., path)| *path)
        .find(|path| any(live, path))
        .map(|path| format!(".{}", path.join(".").replace(".*", "[*]")))
}

fn any(of: Node<'_>, path: &[&str]) -> bool {
    match path {
        [] => has_escaped(of),
        ["*", rest @ ..] => of.items().any(|item| any(item, rest)),
        [key, rest @ ..] => of.get(key).is_some_and(|inner| any(inner, rest)),
    }
}

fn has_escaped(of: Node<'_>) -> bool {
    match of.kind() {
        Kind::Text => of.as_str().is_some_and(is_escaped_by_go),
        Kind::Map => of
            .entries()
            .any(|(key, inner)| is_escaped_by_go(key) || has_escaped(inner)),
        Kind::List => of.items().any(has_escaped),
        _ => false,
    }
}
