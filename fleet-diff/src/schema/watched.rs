//! Rules in schemas of custom resources that compare a value with the one before.

use std::collections::BTreeSet;

use super::{KindSchema, Layer, TypeId};
use crate::document::{Node, Zipped, zip};

/// The first value that changes although a rule of its schema, or of one around it, looks at the old one.
pub(crate) fn watched_change(kind: KindSchema<'_>, before: Node<'_>, after: Node<'_>) -> Option<String> {
    if kind.native || kind.deduced {
        return None;
    }
    find(kind.layer, kind.root, before, after)
}

fn find(layer: &Layer, id: TypeId, before: Node<'_>, after: Node<'_>) -> Option<String> {
    if before == after {
        return None;
    }
    let of = layer.get(id);
    if of.custom.watches_changes {
        return Some(String::new());
    }
    if let Some(map) = &of.map {
        let mut found = None;
        zip(before.values(), after.values(), |pair| {
            if let Zipped::Both(before, after) = pair
                && found.is_none()
                && let Some(id) = map.of(before.key())
            {
                found = find(layer, id, before, after).map(|inner| format!(".{}{inner}", before.key()));
            }
        });
        return found;
    }
    let list = of.list.as_ref()?;
    // Which elements the server compares depends on their keys; any of them may be meant.
    let watched = reaches_watched(layer, list.element);
    watched.then(|| "[*]".to_owned())
}

/// Whether a value of this type may have a rule inside it.
fn reaches_watched(layer: &Layer, id: TypeId) -> bool {
    let (mut seen, mut next) = (BTreeSet::new(), vec![id]);
    while let Some(id) = next.pop() {
        if !seen.insert(id) {
            continue;
        }
        let of = layer.get(id);
        if of.custom.watches_changes {
            return true;
        }
        let maps = of.map.iter();
        next.extend(maps.flat_map(|map| map.fields.iter().map(|field| field.of).chain(map.element)));
        next.extend(of.list.iter().map(|list| list.element));
    }
    false
}
