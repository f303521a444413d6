//! Kinds that this thread has met. Objects are many and kinds are few: so they share the texts.

use std::cell::RefCell;

use super::{GroupKind, Gvk};

/// More than clusters have. Then it begins anew: kinds may be anything that stands in a file.
const KINDS_MAX: usize = 512;
const VERSIONS_MAX: usize = 16;

thread_local! {
    /// The one met last comes first.
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

struct Known {
    group_kind: GroupKind,
    versions: Vec<Gvk>,
}

pub(super) fn group_kind(group: &str, kind: &str) -> GroupKind {
    with(group, kind, |known| known.group_kind.clone())
}

pub(super) fn gvk(group: &str, version: &str, kind: &str) -> Gvk {
    with(group, kind, |known| {
        let found = known.versions.iter().find(|gvk| gvk.version() == version);
        found.cloned().unwrap_or_else(|| {
            let gvk = known.group_kind.at(version);
            known.versions.truncate(VERSIONS_MAX - 1);
            known.versions.push(gvk.clone());
            gvk
        })
    })
}

fn with<T>(group: &str, kind: &str, then: impl FnOnce(&mut Known) -> T) -> T {
    let new = || Known {
        group_kind: GroupKind::new(group, kind),
        versions: Vec::new(),
    };
    let is_meant = |known: &Known| known.group_kind.kind() == kind && known.group_kind.group() == group;
    KNOWN.with_borrow_mut(|all| {
        let at = all.iter().position(is_meant).unwrap_or_else(|| {
            all.truncate(KINDS_MAX - 1);
            all.push(new());
            all.len() - 1
        });
        all.swap(0, at);
        then(&mut all[0])
    })
}
