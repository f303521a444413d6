//! Classes that are the default: an admission plugin of every server names them in a new object that names none
//! (`plugin/pkg/admission/storage/storageclass/setdefault` and `network/defaultingressclass` of Kubernetes).

use serde_json::{Value, json};

use super::Hook;
use crate::{Node, Object};

struct Class {
    group: &'static str,
    kind: &'static str,
    /// The annotations that make one the default.
    marks: &'static [&'static str],
    /// Group and plural of what gets it, the field it is written to, and the annotation that older ones have instead.
    of: [&'static str; 2],
    named_by: &'static [&'static [&'static str]],
}

const CLASSES: [Class; 2] = [
    Class {
        group: "storage.k8s.io",
        kind: "StorageClass",
        marks: &[
            "storageclass.kubernetes.io/is-default-class",
            "storageclass.beta.kubernetes.io/is-default-class",
        ],
        of: ["", "persistentvolumeclaims"],
        named_by: &[
            &["spec", "storageClassName"],
            &[
                "metadata",
                "annotations",
                "volume.beta.kubernetes.io/storage-class",
            ],
        ],
    },
    Class {
        group: "networking.k8s.io",
        kind: "IngressClass",
        marks: &["ingressclass.kubernetes.io/is-default-class"],
        of: ["networking.k8s.io", "ingresses"],
        named_by: &[
            &["spec", "ingressClassName"],
            &["metadata", "annotations", "kubernetes.io/ingress.class"],
        ],
    },
];

/// What the default classes among the objects are written into.
pub(super) fn hooks(objects: &[&Object]) -> impl Iterator<Item = Hook> {
    objects.iter().filter_map(|object| {
        let gvk = object.gvk();
        let class = CLASSES
            .iter()
            .find(|class| class.group == gvk.group() && class.kind == gvk.kind())?;
        let is_marked = |mark: &&str| {
            let annotation = object.root().at(&["metadata", "annotations", mark]);
            annotation.and_then(Node::as_str) == Some("true")
        };
        class.marks.iter().any(is_marked).then(|| Hook {
            name: format!("{} {}, the default one,", class.kind, object.key().name()),
            rules: vec![
                json!({"operations": ["CREATE"], "apiGroups": [class.of[0]], "resources": [class.of[1]]}),
            ],
            object_selector: Value::Null,
            namespace_selector: Value::Null,
            only_without: class.named_by,
        })
    })
}
