//! Decisions without what secrets hold.

use std::collections::BTreeSet;

use super::{Decision, FieldVerdict};
use crate::{
    Conflict, Document, Doubt, FieldChange, FieldPath, FieldSet, PathElement, Refusal,
    document::{Builder, Node},
    masked_fields, masked_value,
    render::{HIDDEN, masked_changes},
    rules::Applicable,
    schema::{Layer, ListKind, TypeId},
    typed::{self, Shape},
};

impl Decision<'_> {
    /// Hides in changes of the object what a Secret holds and what a rule calls sensitive.
    pub fn masked(&self, changes: Vec<FieldChange>) -> Vec<FieldChange> {
        let key = self.document().key();
        masked_changes(key, changes, |path| self.rules().hides_part_of(path))
    }

    pub(super) fn hidden_fields(&self) -> Vec<FieldVerdict> {
        let rules = self.rules();
        let key = self.document().key();
        let fields = masked_fields(key, self.fields(), |path| rules.hides_part_of(path));
        if !rules.hide_something() {
            return fields;
        }
        let mut seen = BTreeSet::new();
        let shown = fields.into_iter().map(|field| FieldVerdict {
            path: shown_path(rules, &field.path),
            ..field
        });
        shown
            .filter(|field| seen.insert((field.path.clone(), field.verdict)))
            .collect()
    }

    pub(super) fn hidden_conflicts(&self) -> Vec<Conflict> {
        let mut conflicts = self.conflicts().to_vec();
        if self.rules().hide_something() {
            for conflict in &mut conflicts {
                conflict.path = shown_path(self.rules(), &conflict.path);
            }
            conflicts.dedup();
        }
        conflicts
    }

    pub(super) fn hidden_prediction(&self) -> Option<Document> {
        let object = self.predicted()?;
        if object.is_secret() {
            let hidden = masked_value(object.key(), object.root().to_json());
            return Some(Document::from_json(&hidden));
        }
        if !self.rules().hide_something() {
            return Some(object.document().clone());
        }
        let kind = self.kind();
        let mut walk = Walk {
            layer: kind.layer,
            rules: self.rules(),
            out: Builder::new(),
        };
        walk.value(kind.root, object.root(), &FieldPath::root());
        Some(walk.out.finish())
    }

    /// Paths in it may name elements by their values.
    pub(super) fn hidden_refusal(&self) -> Option<Refusal> {
        let refusal = self.refusal()?.clone();
        Some(if self.hides() {
            Refusal {
                path: without_elements(&refusal.path),
                ..refusal
            }
        } else {
            refusal
        })
    }

    pub(super) fn hidden_doubt(&self) -> Option<Doubt> {
        let doubt = self.doubt()?.clone();
        if !self.hides() {
            return Some(doubt);
        }
        Some(match doubt {
            Doubt::LiveDoesNotFitSchema(path) => Doubt::LiveDoesNotFitSchema(without_elements(&path)),
            Doubt::ValidationRule(path) => Doubt::ValidationRule(without_elements(&path)),
            Doubt::Spelling(path) => Doubt::Spelling(without_elements(&path)),
            Doubt::Remains(path) => Doubt::Remains(without_elements(&path)),
            Doubt::Required(path) => Doubt::Required(without_elements(&path)),
            other => other,
        })
    }

    /// Something of this object is hidden.
    fn hides(&self) -> bool {
        self.document().is_secret() || self.rules().hide_something()
    }
}

/// A path as far as the first element of a list.
fn without_elements(path: &str) -> String {
    path.split('[').next().unwrap_or("").to_owned()
}

/// The path up to the first element that is named by what is hidden.
fn shown_path(rules: &Applicable, path: &FieldPath) -> FieldPath {
    let elements = path.elements();
    let named_by_hidden = |depth: &usize| {
        let element = FieldPath::new(elements[..=*depth].iter().cloned());
        match &elements[*depth] {
            PathElement::Key(_) => false,
            PathElement::ListKey(fields) => {
                let mut keys = fields.keys();
                rules.hides(&element)
                    || keys.any(|key| rules.hides(&element.child(PathElement::Key(key.clone()))))
            }
            PathElement::Value(_) | PathElement::Index(_) => rules.hides(&element),
        }
    };
    match (0..elements.len()).find(named_by_hidden) {
        Some(depth) => FieldPath::new(elements[..depth].iter().cloned()),
        None => path.clone(),
    }
}

/// Writes an object without what sensitive rules hide in it.
struct Walk<'s> {
    layer: &'s Layer,
    rules: &'s Applicable,
    out: Builder<'static>,
}

impl Walk<'_> {
    fn value(&mut self, id: TypeId, value: Node<'_>, path: &FieldPath) {
        if self.rules.hides(path) {
            return self.out.text(HIDDEN);
        }
        match typed::shape(self.layer, id, Some(value)) {
            _ if *path == FieldPath::keys(["metadata", "managedFields"]) => self.managers(value),
            Shape::Map(of) if value.is_map() => {
                self.out.begin();
                for (key, inner) in value.entries() {
                    self.out.key(key);
                    let id = of.of(key).unwrap_or(TypeId::DEDUCED);
                    self.value(id, inner, &path.child(PathElement::key(key)));
                }
                self.out.end_map();
            }
            Shape::List(of) if value.is_list() && of.kind != ListKind::Atomic => {
                self.out.begin();
                for item in value.items() {
                    match typed::element_name(self.layer, of, item) {
                        Ok(name) => self.value(of.element, item, &path.child(name)),
                        Err(_) => self.whole(item, path),
                    }
                }
                self.out.end_list();
            }
            _ => self.whole(value, path),
        }
    }

    /// What has no names inside is hidden as a whole.
    fn whole(&mut self, value: Node<'_>, path: &FieldPath) {
        if !value.is_empty() && self.rules.hides_part_of(path) {
            self.out.text(HIDDEN);
        } else {
            self.out.node(value);
        }
    }

    /// Names of fields may be values.
    fn managers(&mut self, entries: Node<'_>) {
        self.out.begin();
        for entry in entries.items() {
            self.out.begin();
            for (key, value) in entry.entries() {
                self.out.key(key);
                match (key, FieldSet::from_node(value)) {
                    ("fieldsV1", Ok(fields)) => {
                        let shown: FieldSet =
                            fields.iter().map(|path| shown_path(self.rules, &path)).collect();
                        shown.write(&mut self.out);
                    }
                    ("fieldsV1", Err(_)) => self.out.text(HIDDEN),
                    _ => self.out.node(value),
                }
            }
            self.out.end_map();
        }
        self.out.end_list();
    }
}
