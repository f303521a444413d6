//! Union, intersection and differences, each in one pass over both sets.

use std::cmp::Ordering;

use super::{Entry, FieldSet};

/// One element of either set.
enum Pair<'a> {
    Left(&'a Entry),
    Right(&'a Entry),
    Both(&'a Entry, &'a Entry),
}

fn pairs<'a>(left: &'a FieldSet, right: &'a FieldSet) -> impl Iterator<Item = Pair<'a>> {
    let (mut left, mut right) = (left.entries.iter().peekable(), right.entries.iter().peekable());
    std::iter::from_fn(move || {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.element.cmp(&b.element),
        };
        match order {
            Ordering::Less => left.next().map(Pair::Left),
            Ordering::Greater => right.next().map(Pair::Right),
            Ordering::Equal => left.next().zip(right.next()).map(|(a, b)| Pair::Both(a, b)),
        }
    })
}

fn collect(entries: impl Iterator<Item = Entry>) -> FieldSet {
    FieldSet {
        entries: entries.filter(Entry::is_needed).collect(),
    }
}

impl FieldSet {
    /// The fields in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        collect(pairs(self, other).map(|pair| match pair {
            Pair::Left(entry) | Pair::Right(entry) => entry.clone(),
            Pair::Both(a, b) => Entry {
                element: a.element.clone(),
                member: a.member || b.member,
                inside: a.inside.union(&b.inside),
            },
        }))
    }

    /// The fields in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        collect(pairs(self, other).filter_map(|pair| match pair {
            Pair::Left(_) | Pair::Right(_) => None,
            Pair::Both(a, b) => Some(Entry {
                element: a.element.clone(),
                member: a.member && b.member,
                inside: a.inside.intersection(&b.inside),
            }),
        }))
    }

    /// The fields that are here and not in `other`. What is inside a field of `other` stays.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        collect(pairs(self, other).filter_map(|pair| match pair {
            Pair::Left(entry) => Some(entry.clone()),
            Pair::Right(_) => None,
            Pair::Both(a, b) => Some(Entry {
                element: a.element.clone(),
                member: a.member && !b.member,
                inside: a.inside.difference(&b.inside),
            }),
        }))
    }

    /// The fields that are here, not in `other`, and not inside a field of `other`.
    #[must_use]
    pub fn recursive_difference(&self, other: &Self) -> Self {
        collect(pairs(self, other).filter_map(|pair| match pair {
            Pair::Left(entry) => Some(entry.clone()),
            Pair::Both(a, b) if !b.member => Some(Entry {
                element: a.element.clone(),
                member: a.member,
                inside: a.inside.recursive_difference(&b.inside),
            }),
            Pair::Right(_) | Pair::Both(..) => None,
        }))
    }

    /// True when every field here is in `other` too.
    pub fn is_subset(&self, other: &Self) -> bool {
        pairs(self, other).all(|pair| match pair {
            Pair::Left(_) => false,
            Pair::Right(_) => true,
            Pair::Both(a, b) => (b.member || !a.member) && a.inside.is_subset(&b.inside),
        })
    }

    /// The fields with nothing of this set inside them.
    #[must_use]
    pub fn leaves(&self) -> Self {
        collect(self.entries.iter().map(|entry| Entry {
            element: entry.element.clone(),
            member: entry.member && entry.inside.is_empty(),
            inside: entry.inside.leaves(),
        }))
    }
}
