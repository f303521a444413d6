//! Brings a set of fields in line with a schema that has changed since the set was written.

use super::{Shape, shape};
use crate::{
    FieldSet, PathElement,
    document::Node,
    schema::{Layer, ListKind, MapType, ScalarType, TypeId},
};

/// Where the schema now says that a list or mapping is one field, a manager of parts of it owns all of it. None when
/// nothing changes. The other way round the server changes nothing (structured-merge-diff,
/// `typed/reconcile_schema.go`).
pub(crate) fn reconcile(layer: &Layer, id: TypeId, set: &FieldSet) -> Option<FieldSet> {
    let mut walk = Walk {
        layer,
        path: Vec::new(),
        whole: FieldSet::new(),
    };
    walk.of(id, Some(set), false);
    if walk.whole.is_empty() {
        return None;
    }
    Some(set.recursive_difference(&walk.whole).union(&walk.whole))
}

/// False when nothing changes for sure; looks at a set in `FieldsV1` form without making a set of it.
pub(crate) fn may_need_reconciling(layer: &Layer, id: TypeId, fields: Node<'_>) -> bool {
    let (map, list) = match shape(layer, id, None) {
        Shape::Map(of) if of.atomic => return true,
        Shape::List(of) if of.kind == ListKind::Atomic => return true,
        Shape::Map(of) => (Some(of), None),
        Shape::List(of) => (None, Some(of)),
        Shape::Scalar(_) | Shape::Nothing => return false,
    };
    let mut known = map.map(MapType::in_order);
    fields.values().filter(|inner| !inner.is_empty()).any(|inner| {
        let field = known.as_mut().and_then(|known| known.named(inner));
        let element = match (map, list) {
            (Some(map), _) => field.map(|field| field.of).or(map.element),
            (None, list) => list.map(|list| list.element),
        };
        // An element of a list may be a leaf with nothing in it but itself.
        let only_itself = inner.len() == 1 && inner.get(".").is_some();
        element
            .is_some_and(|id| id != TypeId::DEDUCED && !only_itself && may_need_reconciling(layer, id, inner))
    })
}

struct Walk<'s> {
    layer: &'s Layer,
    path: Vec<PathElement>,
    /// What is one field now.
    whole: FieldSet,
}

impl Walk<'_> {
    fn of(&mut self, id: TypeId, set: Option<&FieldSet>, is_whole: bool) {
        match shape(self.layer, id, None) {
            Shape::Scalar(_) | Shape::Nothing => {}
            Shape::List(of) => {
                if !is_whole && of.kind == ListKind::Atomic {
                    return self.whole.insert_elements(&self.path);
                }
                for entry in set.into_iter().flat_map(FieldSet::entries) {
                    self.inside(entry, of.element);
                }
            }
            Shape::Map(of) => {
                if self.is_deduced(of) {
                    return;
                }
                if !is_whole && of.atomic {
                    if set.is_some_and(|set| !set.is_empty()) {
                        self.whole.insert_elements(&self.path);
                    }
                    return;
                }
                for entry in set.into_iter().flat_map(FieldSet::entries) {
                    let inner = match &entry.element {
                        PathElement::Key(key) => of.of(key),
                        _ => of.element,
                    };
                    if let Some(inner) = inner {
                        self.inside(entry, inner);
                    }
                }
            }
        }
    }

    fn inside(&mut self, entry: &crate::set::Entry, id: TypeId) {
        let has_children = !entry.inside.is_empty();
        self.path.push(entry.element.clone());
        self.of(
            id,
            has_children.then_some(&entry.inside),
            entry.member && !has_children,
        );
        self.path.pop();
    }

    /// A mapping of which only the keys are known to be free: such schemas cannot say what is one field.
    fn is_deduced(&self, of: &MapType) -> bool {
        let element = of.element;
        of.fields.is_empty()
            && element
                .is_some_and(|id| id == TypeId::DEDUCED || self.layer.get(id).scalar == Some(ScalarType::Any))
    }
}
