//! How the elements of sets and keyed lists are named.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::FEW;
use crate::{
    PathElement, Scalar,
    document::{Kind, Node},
    schema::{Layer, ListKind, ListType},
};

/// The name of an element; an error when it cannot have one.
pub(crate) fn element_name(
    layer: &Layer,
    list: &ListType,
    item: Node<'_>,
) -> Result<PathElement, &'static str> {
    match &list.kind {
        ListKind::Atomic => Err("an element of a list that is replaced as a whole has no name"),
        ListKind::Set => match Scalar::from_node(item) {
            Some(Scalar::Null) => Err("a set may not hold null"),
            Some(scalar) => Ok(PathElement::Value(scalar)),
            None => Err("a set may hold scalars only"),
        },
        ListKind::Map(keys) => key_of(layer, list, keys, item).map(PathElement::ListKey),
    }
}

/// The key fields of an element. A key field that is absent takes the default of its schema; without one it is not
/// part of the name.
pub(crate) fn key_of(
    layer: &Layer,
    list: &ListType,
    keys: &[Arc<str>],
    item: Node<'_>,
) -> Result<BTreeMap<Arc<str>, Scalar>, &'static str> {
    if !item.is_map() {
        return Err("an element of a keyed list must be a mapping");
    }
    let mut fields = BTreeMap::new();
    for key in keys {
        let found = match item.get(key) {
            Some(value) => Some(Scalar::from_node(value).ok_or("a key field must be a scalar")?),
            None => default_of(layer, list, key),
        };
        if let Some(value) = found {
            fields.insert(key.clone(), value);
        }
    }
    if fields.is_empty() {
        return Err("an element without any of its key fields");
    }
    Ok(fields)
}

/// An error when an element cannot have a name: as [`element_name`], without making it.
pub(super) fn check_name(layer: &Layer, list: &ListType, item: Node<'_>) -> Result<(), &'static str> {
    let is_named = match &list.kind {
        ListKind::Atomic => false,
        ListKind::Set => !matches!(item.kind(), Kind::Map | Kind::List | Kind::Null),
        // One key that is there is enough, if none of the others is no scalar.
        ListKind::Map(keys) => {
            let mut found = keys.iter().filter_map(|key| item.get(key)).peekable();
            found.peek().is_some() && found.all(|value| !matches!(value.kind(), Kind::Map | Kind::List))
        }
    };
    if is_named {
        return Ok(());
    }
    element_name(layer, list, item).map(drop)
}

/// The position of the first element with the name of one before it.
pub(super) fn first_repeated(layer: &Layer, of: &ListType, list: Node<'_>) -> Option<usize> {
    if list.len() <= FEW {
        return list.items().enumerate().position(|(i, item)| {
            let mut before = list.items().take(i);
            before.any(|before| has_same_name(layer, of, before, item))
        });
    }
    let mut seen = BTreeSet::new();
    list.items()
        .position(|item| element_name(layer, of, item).is_ok_and(|name| !seen.insert(name)))
}

fn default_of(layer: &Layer, list: &ListType, key: &str) -> Option<Scalar> {
    let field = layer.get(list.element).map.as_ref()?.field(key)?;
    Scalar::from_node(field.default.as_ref()?.root())
}

/// The same elements in the same order, none of them twice.
pub(crate) fn is_aligned(layer: &Layer, of: &ListType, before: Node<'_>, after: Node<'_>) -> bool {
    before.len() == after.len()
        && before.len() <= FEW
        && before
            .items()
            .zip(after.items())
            .all(|(a, b)| has_same_name(layer, of, a, b))
        && before
            .items()
            .enumerate()
            .all(|(i, a)| before.items().take(i).all(|b| !has_same_name(layer, of, a, b)))
}

/// True when two elements have the same name. False when one of them cannot have a name.
fn has_same_name(layer: &Layer, list: &ListType, a: Node<'_>, b: Node<'_>) -> bool {
    match &list.kind {
        ListKind::Atomic => false,
        ListKind::Set => a == b && !matches!(a.kind(), Kind::Map | Kind::List | Kind::Null),
        ListKind::Map(keys) => {
            let mut any = false;
            let same = a.is_map()
                && b.is_map()
                && keys.iter().all(|key| match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => {
                        any = true;
                        a == b && !matches!(a.kind(), Kind::Map | Kind::List)
                    }
                    (None, None) => {
                        any |= default_of(layer, list, key).is_some();
                        true
                    }
                    (Some(value), None) | (None, Some(value)) => {
                        any = true;
                        default_of(layer, list, key)
                            .is_some_and(|default| Scalar::from_node(value) == Some(default))
                    }
                });
            same && any
        }
    }
}
