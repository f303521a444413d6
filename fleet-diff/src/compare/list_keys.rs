//! Which fields tell the elements of a list apart.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;

use crate::{Node, PathElement, Scalar, document::Builder};

/// Key fields by the name of the list, where the general order below would pick others than the API server.
///
/// From the `listMapKey` markers of the built-in types (`k8s.io/api`, `k8s.io/apimachinery`). A name may stand for
/// several lists: `ports` of a container, of a Service and of an `EndpointSlice`.
const BY_LIST_NAME: &[(&str, &[&[&str]])] = &[
    (
        "ports",
        &[
            &["containerPort", "protocol"],
            &["port", "protocol"],
            &["containerPort"],
            &["port"],
        ],
    ),
    ("volumeMounts", &[&["mountPath"]]),
    ("volumeDevices", &[&["devicePath"]]),
    ("ownerReferences", &[&["uid"]]),
    ("conditions", &[&["type"]]),
    ("hostAliases", &[&["ip"]]),
    ("podIPs", &[&["ip"]]),
    (
        "topologySpreadConstraints",
        &[&["topologyKey", "whenUnsatisfiable"]],
    ),
];

/// Key fields to try on any other list, in this order.
///
/// All key sets that occur as `listMapKey` or `patchMergeKey` markers in the built-in types, plus `key`, which tells
/// label selector requirements and tolerations apart. Custom resources follow the same habits.
const ON_ANY_LIST: &[&[&str]] = &[
    &["name"],
    &["containerPort", "protocol"],
    &["port", "protocol"],
    &["port"],
    &["mountPath"],
    &["type"],
    &["key"],
    &["uid"],
    &["ip"],
    &["topologyKey", "whenUnsatisfiable"],
    &["devicePath"],
];

/// What the elements of two lists are called, when the same fields name every element of both uniquely. `list` is the
/// last step of the path to them.
pub(crate) fn names(
    list: Option<&PathElement>,
    before: Node<'_>,
    after: Node<'_>,
) -> Option<(Vec<PathElement>, Vec<PathElement>)> {
    let list_name = match list {
        Some(PathElement::Key(name)) => Some(&**name),
        _ => None,
    };
    let special = BY_LIST_NAME
        .iter()
        .filter(|(name, _)| Some(*name) == list_name)
        .flat_map(|(_, candidates)| candidates.iter());
    special
        .chain(ON_ANY_LIST)
        .find_map(|fields| Some((unique_names(before, fields)?, unique_names(after, fields)?)))
}

/// [`names`] of two lists of `serde_json` values.
pub(crate) fn names_in_json(
    list: Option<&PathElement>,
    before: &[Value],
    after: &[Value],
) -> Option<(Vec<PathElement>, Vec<PathElement>)> {
    let document = |items: &[Value]| {
        let mut out = Builder::new();
        out.begin();
        for item in items {
            out.json(item);
        }
        out.end_list();
        out.finish()
    };
    names(list, document(before).root(), document(after).root())
}

fn unique_names(list: Node<'_>, fields: &[&str]) -> Option<Vec<PathElement>> {
    let fields: Vec<Arc<str>> = fields.iter().map(|field| Arc::from(*field)).collect();
    let names: Vec<PathElement> = list
        .items()
        .map(|item| name(item, &fields))
        .collect::<Option<_>>()?;
    let distinct: BTreeSet<&PathElement> = names.iter().collect();
    (distinct.len() == names.len()).then_some(names)
}

fn name(item: Node<'_>, fields: &[Arc<str>]) -> Option<PathElement> {
    let mut key = BTreeMap::new();
    for field in fields {
        let scalar = Scalar::from_node(item.get(field)?)?;
        if !matches!(scalar, Scalar::Text(_) | Scalar::Integer(_) | Scalar::Bool(_)) {
            return None;
        }
        key.insert(field.clone(), scalar);
    }
    Some(PathElement::ListKey(key))
}
