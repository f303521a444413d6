//! Sets of fields.

mod algebra;
mod codec;

use std::fmt;

pub use codec::FieldsError;
pub(crate) use codec::{element_of, escaped, name_of};

use crate::{FieldPath, PathElement};

/// A set of fields, as the API server keeps one for each field manager.
///
/// A field in the set stands for itself, not for what is inside it: `.spec` and `.spec.replicas` are two members.
/// The order is the server's: keys of mappings, then list elements by key fields, by value and by position.
///
/// ```
/// use fleet_diff::{FieldPath, FieldSet};
///
/// let ours = FieldSet::from_fields_v1(&r#"{"f:spec":{"f:replicas":{},"f:paused":{}}}"#.parse()?)?;
/// let theirs: FieldSet = [FieldPath::keys(["spec", "replicas"])].into_iter().collect();
/// assert_eq!(ours.difference(&theirs).to_string(), ".spec.paused");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct FieldSet {
    /// Sorted by element; each is a member or has members inside it, or both.
    entries: Vec<Entry>,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) element: PathElement,
    pub(crate) member: bool,
    pub(crate) inside: FieldSet,
}

impl Entry {
    fn is_needed(&self) -> bool {
        self.member || !self.inside.is_empty()
    }
}

impl FieldSet {
    /// No fields.
    pub fn new() -> Self {
        Self::default()
    }

    pub(crate) const fn empty() -> Self {
        Self { entries: Vec::new() }
    }

    /// True when no field is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many fields are in it.
    pub fn len(&self) -> usize {
        self.entries
            .iter()
            .map(|entry| usize::from(entry.member) + entry.inside.len())
            .sum()
    }

    /// Adds a field. The whole object is no field: the empty path adds nothing.
    pub fn insert(&mut self, path: &FieldPath) {
        self.insert_elements(path.elements());
    }

    pub(crate) fn insert_elements(&mut self, path: &[PathElement]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let entry = self.entry(first);
        if rest.is_empty() {
            entry.member = true;
        } else {
            entry.inside.insert_elements(rest);
        }
    }

    /// True when this very field is in it. A field is not in it only because one around it is: see
    /// [`covers`](Self::covers).
    pub fn contains(&self, path: &FieldPath) -> bool {
        let mut set = self;
        let Some((last, outer)) = path.elements().split_last() else {
            return false;
        };
        for element in outer {
            match set.inside(element) {
                Some(inside) => set = inside,
                None => return false,
            }
        }
        set.find(last).is_some_and(|entry| entry.member)
    }

    /// True when this field or one around it is in it.
    pub fn covers(&self, path: &FieldPath) -> bool {
        self.covers_elements(path.elements())
    }

    fn covers_elements(&self, path: &[PathElement]) -> bool {
        let mut set = self;
        for element in path {
            match set.find(element) {
                Some(entry) if entry.member => return true,
                Some(entry) => set = &entry.inside,
                None => return false,
            }
        }
        false
    }

    /// True when somebody who owns these fields owns this one: it is in it itself, or inside a field that is in it as a
    /// whole. An element of a list that is in it along with some of its fields says nothing about its other fields.
    pub(crate) fn owns(&self, path: &[PathElement]) -> bool {
        let mut set = self;
        for (i, element) in path.iter().enumerate() {
            match set.find(element) {
                Some(entry) if entry.inside.is_empty() || i + 1 == path.len() => return entry.member,
                Some(entry) => set = &entry.inside,
                None => return false,
            }
        }
        false
    }

    /// What is in it inside this element.
    pub fn inside(&self, element: &PathElement) -> Option<&FieldSet> {
        self.find(element).map(|entry| &entry.inside)
    }

    /// All fields in the server's order: a field before what is inside it.
    pub fn iter(&self) -> impl Iterator<Item = FieldPath> + '_ {
        let mut found = Vec::new();
        self.collect_into(&mut Vec::new(), &mut found);
        found.into_iter()
    }

    fn collect_into(&self, path: &mut Vec<PathElement>, found: &mut Vec<FieldPath>) {
        for entry in &self.entries {
            path.push(entry.element.clone());
            if entry.member {
                found.push(FieldPath::new(path.iter().cloned()));
            }
            entry.inside.collect_into(path, found);
            path.pop();
        }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn find(&self, element: &PathElement) -> Option<&Entry> {
        let at = self
            .entries
            .binary_search_by(|entry| entry.element.cmp(element))
            .ok()?;
        self.entries.get(at)
    }

    fn entry(&mut self, element: &PathElement) -> &mut Entry {
        let at = match self.entries.last() {
            Some(last) if last.element < *element => Err(self.entries.len()),
            None => Err(0),
            _ => self.entries.binary_search_by(|entry| entry.element.cmp(element)),
        };
        let at = at.unwrap_or_else(|at| {
            let entry = Entry {
                element: element.clone(),
                member: false,
                inside: FieldSet::new(),
            };
            self.entries.insert(at, entry);
            at
        });
        &mut self.entries[at]
    }

    /// Adds an element with everything inside it; an entry with neither is left out.
    pub(crate) fn add(&mut self, element: PathElement, member: bool, inside: FieldSet) {
        let entry = Entry {
            element,
            member,
            inside,
        };
        if !entry.is_needed() {
            return;
        }
        match self.entries.last() {
            Some(last) if last.element >= entry.element => {
                let known = self.entry(&entry.element);
                known.member |= entry.member;
                known.inside = if known.inside.is_empty() {
                    entry.inside
                } else {
                    known.inside.union(&entry.inside)
                };
            }
            _ => self.entries.push(entry),
        }
    }
}

impl FromIterator<FieldPath> for FieldSet {
    fn from_iter<I: IntoIterator<Item = FieldPath>>(paths: I) -> Self {
        let mut set = Self::new();
        paths.into_iter().for_each(|path| set.insert(&path));
        set
    }
}

/// One field a line, as the server writes paths in conflicts.
impl fmt::Display for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, path) in self.iter().enumerate() {
            write!(f, "{}{path}", if i == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
