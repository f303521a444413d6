//! What others added where a rule says that there is nothing but ours.

use std::cell::OnceCell;

use super::action::Decision;
use crate::{FieldPath, FieldSet, Intent, Object, Update, Verdict, path::Finder, typed};

/// The fields to remove, each the outermost one that is foreign as a whole, and by which rule.
pub(super) fn removals(decision: &Decision<'_>) -> Vec<(FieldPath, String)> {
    let rules = decision.rules();
    if !rules.have(&Intent::RemoveForeign) {
        return Vec::new();
    }
    let Some(predicted) = decision.predicted() else {
        return Vec::new();
    };
    let desired = decision.document().root();
    let kind = decision.kind();
    let leaves = typed::field_set(kind.layer, kind.root, predicted.root()).leaves();
    let fresh = decision.fresh();
    let sides = decision.sides(fresh.as_ref());
    let (defined, after) = (Finder::new(desired), Finder::new(predicted.root()));
    let is_foreign = |path: &FieldPath| {
        matches!(
            decision.undefined(path, after.find(path), &sides),
            Verdict::Foreign | Verdict::ForeignUnknownWriter
        )
    };
    let names = OnceCell::new();
    let is_defined = |path: &FieldPath| {
        let named = |element: &FieldPath| {
            names
                .get_or_init(|| typed::field_set(kind.layer, kind.root, desired))
                .contains(element)
        };
        defined.find_named(path, named).is_some()
    };
    let mut found: Vec<(FieldPath, String)> = Vec::new();
    let mut kept: Vec<FieldPath> = Vec::new();
    for path in leaves.iter() {
        if is_defined(&path) {
            continue;
        }
        match rules
            .of(&path)
            .filter(|rule| rule.intent == Intent::RemoveForeign)
        {
            Some(rule) if is_foreign(&path) => found.push((path, rule.id.to_string())),
            _ => kept.push(path),
        }
    }
    for (path, _) in &mut found {
        *path = outermost(path, &is_defined, &kept);
    }
    found.dedup_by(|a, b| a.0 == b.0);
    found
}

/// The outermost field around a path that the definition does not have and that holds nothing that stays.
fn outermost(path: &FieldPath, is_defined: &impl Fn(&FieldPath) -> bool, kept: &[FieldPath]) -> FieldPath {
    let elements = path.elements();
    (1..elements.len())
        .map(|len| FieldPath::new(elements[..len].iter().cloned()))
        .find(|outer| !is_defined(outer) && !kept.iter().any(|path| path.starts_with(outer)))
        .unwrap_or_else(|| path.clone())
}

impl Decision<'_> {
    /// What others added and a rule removes ([`Intent::RemoveForeign`]), which no apply can: it takes a patch of its
    /// own, [`removal_patch`](Self::removal_patch).
    pub fn removals(&self) -> impl Iterator<Item = &FieldPath> {
        self.removed.iter().map(|(path, _)| path)
    }
}

/// The object without these fields.
pub(super) fn without(
    object: &Object,
    removed: &[(FieldPath, String)],
    decision: &Decision<'_>,
) -> Option<Object> {
    let kind = decision.kind();
    let fields: FieldSet = removed.iter().map(|(path, _)| path.clone()).collect();
    let rest = typed::remove(kind.layer, kind.root, object.document(), &fields);
    let rest = Object::from_document(rest).ok()?;
    Update::new(&rest, decision.manager(), decision.schemas())
        .of(Some(object))
        .owners()
        .ok()
}
