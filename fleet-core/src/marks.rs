//! The marks that say whose an object is.

use std::sync::Arc;

use fleet_diff::{FieldPath, Object, ObjectError, ObjectKey};

use crate::words::Target;

/// The domain under which marks are set, when the embedding platform passes none.
pub const DEFAULT_DOMAIN: &str = "fleet.internal";

/// Names and values of the marks of one target.
///
/// Two marks are set on each object: an owner label, by which watches select, and an annotation that names the
/// target and the object itself. Controllers copy labels to objects of their own making, so only the annotation
/// proves anything, and only when it refers to the very object it is found on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Marks {
    label: Arc<str>,
    annotation: Arc<str>,
    adopt: Arc<str>,
    take_from: Arc<str>,
    on_delete: Arc<str>,
    memory: Arc<str>,
    strategy: Arc<str>,
    recreate: Arc<str>,
    copy: Arc<str>,
    veto: Arc<str>,
    owner: Arc<str>,
    cluster: Arc<str>,
    manager: Arc<str>,
}

/// What an object's marks say to one target.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MarkState {
    /// The annotation names this target and this object.
    Ours,
    /// The annotation names something else: another target, or it was copied from another object.
    Other,
    /// No annotation of this domain.
    None,
}

impl Marks {
    /// The marks of `target` under `domain` (a DNS name, such as `delivery.example.com`).
    pub fn new(domain: &str, target: &Target) -> Self {
        let inventory = target.inventory.as_str();
        Self {
            label: format!("{domain}/owner").into(),
            annotation: format!("{domain}/object").into(),
            adopt: format!("{domain}/adopt").into(),
            take_from: format!("{domain}/take-over-from").into(),
            on_delete: format!("{domain}/on-delete").into(),
            memory: format!("{domain}/fields").into(),
            strategy: format!("{domain}/strategy").into(),
            recreate: format!("{domain}/recreate").into(),
            copy: format!("{domain}/copy").into(),
            veto: format!("{domain}/veto").into(),
            owner: inventory.into(),
            cluster: target.cluster.as_str().into(),
            manager: format!("fleet-{inventory}").into(),
        }
    }

    /// The owner label's key.
    pub fn label_key(&self) -> &str {
        &self.label
    }

    /// The owner label's value.
    pub fn label_value(&self) -> &str {
        &self.owner
    }

    /// The label selector for everything that bears the owner label.
    pub fn selector(&self) -> String {
        format!("{}={}", self.label, self.owner)
    }

    /// The key of the annotation that proves ownership.
    pub fn annotation_key(&self) -> &str {
        &self.annotation
    }

    /// The annotation by which one object chooses its adoption policy.
    pub fn adopt_key(&self) -> &str {
        &self.adopt
    }

    /// The annotation by which a definition names the inventory that it may be taken over from.
    pub fn take_from_key(&self) -> &str {
        &self.take_from
    }

    /// The annotation by which a live object says `orphan`: let go instead of deleted.
    pub fn on_delete_key(&self) -> &str {
        &self.on_delete
    }

    /// The annotation in which strategies that make the merge themselves keep which fields they wrote: see
    /// [`Memory`](fleet_diff::Memory).
    pub fn memory_key(&self) -> &str {
        &self.memory
    }

    /// The annotation by which one object chooses its apply strategy.
    pub fn strategy_key(&self) -> &str {
        &self.strategy
    }

    /// The annotation by which a definition says `allow`: its object may be deleted and made again where it cannot be
    /// changed.
    pub fn recreate_key(&self) -> &str {
        &self.recreate
    }

    /// The label of Secrets that hold copies of objects while these are made again.
    pub fn copy_key(&self) -> &str {
        &self.copy
    }

    /// The label of a config map by which a cluster's own people forbid every write: see [`VETO`](crate::VETO).
    pub fn veto_key(&self) -> &str {
        &self.veto
    }

    /// The field manager's name; it contains the inventory id.
    pub fn manager(&self) -> &str {
        &self.manager
    }

    /// The annotation's value for an object.
    pub fn annotation_value(&self, key: &ObjectKey) -> String {
        format!("{}:{}:{}", self.cluster, self.owner, key.to_path())
    }

    /// The object with both marks set.
    #[must_use]
    pub fn mark(&self, object: &Object) -> Object {
        let value = self.annotation_value(object.key());
        object.with_marks(
            [(&*self.label, &*self.owner)],
            [(&*self.annotation, value.as_str())],
        )
    }

    /// The object without our marks and memory.
    ///
    /// # Errors
    /// When the rest is no object.
    pub(crate) fn unmark(&self, object: &Object) -> Result<Object, ObjectError> {
        let field = |part: &str, key: &str| FieldPath::keys(["metadata", part, key]);
        object.without(&[
            field("labels", &self.label),
            field("annotations", &self.annotation),
            field("annotations", &self.memory),
        ])
    }

    /// The smallest document that claims `object`: identity and marks, nothing else.
    pub fn claim(&self, object: &Object) -> Object {
        self.mark(&object.bare())
    }

    /// What the annotation's value says about `key`.
    pub fn read_value(&self, key: &ObjectKey, annotation: Option<&str>) -> MarkState {
        match annotation {
            None => MarkState::None,
            Some(value) if value == self.annotation_value(key) => MarkState::Ours,
            Some(_) => MarkState::Other,
        }
    }

    /// The inventory that the object's annotation names, if it names this cluster and this very object.
    pub fn named_by<'a>(&self, object: &'a Object) -> Option<&'a str> {
        let value = object.annotation(&self.annotation)?;
        let rest = value.strip_prefix(&*self.cluster)?.strip_prefix(':')?;
        rest.strip_suffix(&object.key().to_path())?.strip_suffix(':')
    }

    /// What an object's marks say.
    pub fn read(&self, object: &Object) -> MarkState {
        self.read_value(object.key(), object.annotation(&self.annotation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::InventoryId;
    use serde_json::json;

    fn marks(cluster: &str, inventory: &str) -> Marks {
        Marks::new(
            DEFAULT_DOMAIN,
            &Target::new(cluster.into(), InventoryId::new(inventory).unwrap()),
        )
    }

    #[test]
    fn marks_count_only_on_their_own_object_and_target() {
        let service = Object::from_json(
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "a", "name": "web"}}),
        )
        .unwrap();
        let ours = marks("c1", "fleet");
        let marked = ours.mark(&service);
        assert_eq!(ours.read(&marked), MarkState::Ours);
        assert_eq!(ours.read(&service), MarkState::None);
        assert_eq!(
            marks("c2", "fleet").read(&marked),
            MarkState::Other,
            "restored into another cluster"
        );
        assert_eq!(marks("c1", "other").read(&marked), MarkState::Other);
        let copied = marked.with_namespace(Some("b"));
        assert_eq!(ours.read(&copied), MarkState::Other, "copied to another object");
        assert_eq!(marks("c1", "other").named_by(&marked), Some("fleet"));
        assert_eq!(marks("c2", "fleet").named_by(&marked), None);
        assert_eq!(ours.named_by(&copied), None);
        assert_eq!(ours.named_by(&service), None);
    }

    #[test]
    fn a_claim_is_identity_and_marks() {
        let map = Object::from_json(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"x": "y"}}, "data": {"k": "v"}})).unwrap();
        let claim = marks("c", "fleet").claim(&map);
        assert!(claim.root().get("data").is_none() && claim.label("x").is_none());
        assert_eq!(claim.label("fleet.internal/owner"), Some("fleet"));
    }
}
