//! When single rows count, and how objects are read for it.

use crate::document::Node;

pub(super) fn text<'v>(value: Node<'v>, path: &[&str]) -> &'v str {
    value.at(path).and_then(Node::as_str).unwrap_or("")
}

pub(super) fn is_true(value: Node<'_>, path: &[&str]) -> bool {
    value.at(path).and_then(Node::as_bool) == Some(true)
}

pub(super) fn is_immutable(live: Node<'_>, _: Node<'_>) -> bool {
    is_true(live, &["immutable"])
}

/// A range may get one of the other family beside it.
pub(super) fn is_no_second_family(live: Node<'_>, new: Node<'_>) -> bool {
    fn ranges(of: Node<'_>) -> Option<Node<'_>> {
        of.at(&["spec", "cidrs"])
    }
    let count = |of| ranges(of).map_or(0, Node::len);
    let first = |of| ranges(of).and_then(|ranges| ranges.item(0)?.as_str());
    !(count(live) == 1 && count(new) == 2 && first(live) == first(new))
}

/// Completions of an indexed Job may change together with its parallelism.
pub(super) fn is_not_elastic(_: Node<'_>, new: Node<'_>) -> bool {
    let spec = |field: &str| new.at(&["spec", field]);
    text(new, &["spec", "completionMode"]) != "Indexed" || spec("completions") != spec("parallelism")
}

pub(super) fn is_running(live: Node<'_>, _: Node<'_>) -> bool {
    !is_true(live, &["spec", "suspend"])
}

pub(super) fn is_suspended(live: Node<'_>, new: Node<'_>) -> bool {
    !is_running(live, new)
}

/// A version in which objects are stored must stay in the definition.
pub(super) fn drops_stored_version(live: Node<'_>, new: Node<'_>) -> bool {
    let mut stored = live
        .at(&["status", "storedVersions"])
        .into_iter()
        .flat_map(Node::items);
    stored.any(|stored| {
        let mut versions = new.at(&["spec", "versions"]).into_iter().flat_map(Node::items);
        !versions.any(|version| version.get("name") == Some(stored))
    })
}

pub(super) fn was_established(live: Node<'_>, _: Node<'_>) -> bool {
    is_established(live)
}

/// A CRD that is or was served: some of it is fixed then.
pub(crate) fn is_established(live: Node<'_>) -> bool {
    let mut conditions = live
        .at(&["status", "conditions"])
        .into_iter()
        .flat_map(Node::items);
    conditions.any(|c| text(c, &["type"]) == "Established" && text(c, &["status"]) == "True")
}
