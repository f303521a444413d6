//! What of volumes and claims may still change (`pkg/apis/core/validation`, `ValidatePersistentVolumeClaimUpdate` and
//! `ValidatePersistentVolumeUpdate`).

use serde_json::Value;

use super::{is_same, when::text};
use crate::{Quantity, document::Node};

/// A class of attributes, once given, stays.
pub(super) fn loses_class(_: Node<'_>, new: Node<'_>) -> bool {
    text(new, &["spec", "volumeAttributesClassName"]).is_empty()
}

/// It stays as soon as the volume has it.
pub(super) fn loses_class_in_force(live: Node<'_>, new: Node<'_>) -> bool {
    loses_class(live, new) && live.at(&["status", "currentVolumeAttributesClassName"]).is_some()
}

/// An expansion that failed may be taken back as long as the volume still grows.
pub(super) fn is_within_capacity(live: Node<'_>, new: Node<'_>) -> bool {
    let size = |of, path: &[&str]| text(of, path).parse::<Quantity>().ok();
    let capacity = size(live, &["status", "capacity", "storage"]);
    let asked = size(new, &["spec", "resources", "requests", "storage"]);
    matches!((asked, capacity), (Some(asked), Some(capacity)) if asked <= capacity)
}

/// Labels of nodes that got another name may get it in an affinity too.
pub(super) fn is_no_new_label(live: Node<'_>, new: Node<'_>) -> bool {
    const RENAMED: [(&str, &str); 5] = [
        (
            "failure-domain.beta.kubernetes.io/zone",
            "topology.kubernetes.io/zone",
        ),
        (
            "failure-domain.beta.kubernetes.io/region",
            "topology.kubernetes.io/region",
        ),
        ("beta.kubernetes.io/os", "kubernetes.io/os"),
        ("beta.kubernetes.io/arch", "kubernetes.io/arch"),
        (
            "beta.kubernetes.io/instance-type",
            "node.kubernetes.io/instance-type",
        ),
    ];
    fn renamed(old: &mut Value, new: &Value) {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => {
                old.iter_mut()
                    .for_each(|(key, old)| renamed(old, new.get(key).unwrap_or(&Value::Null)));
            }
            (Value::Array(old), Value::Array(new)) => {
                old.iter_mut().zip(new).for_each(|(old, new)| renamed(old, new));
            }
            (Value::String(old), Value::String(new))
                if RENAMED.iter().any(|(from, to)| old == from && new == to) =>
            {
                new.clone_into(old);
            }
            _ => {}
        }
    }
    let affinity = |of: Node<'_>| {
        of.at(&["spec", "nodeAffinity"])
            .map_or(Value::Null, Node::to_json)
    };
    let (mut old, new) = (affinity(live), affinity(new));
    renamed(&mut old, &new);
    !is_same(&old, &new)
}

pub(super) fn is_unbound(live: Node<'_>, _: Node<'_>) -> bool {
    text(live, &["status", "phase"]) != "Bound"
}
