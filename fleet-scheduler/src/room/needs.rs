//! What one replica asks for, by the numbers of a fleet's resources.

use std::{collections::HashMap, sync::Arc};

use fleet_core::Resources;

/// What one replica asks for, by the numbers of a fleet's resources. Amounts of 0 are left out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    parts: Vec<(usize, i64)>,
    /// A resource that no cluster of the fleet has.
    unknown: Option<Arc<str>>,
}

impl Needs {
    pub(super) fn of(needs: &Resources, numbers: &HashMap<Arc<str>, usize>) -> Self {
        let mut compiled = Self::default();
        for (name, amount) in needs.iter().filter(|(_, amount)| *amount > 0) {
            match numbers.get(name) {
                Some(number) => compiled.parts.push((*number, amount)),
                None => compiled.unknown = Some(Arc::clone(name)),
            }
        }
        compiled
    }

    /// Whether it asks for nothing.
    pub fn is_nothing(&self) -> bool {
        self.parts.is_empty() && self.unknown.is_none()
    }

    /// A resource it asks for that no cluster has.
    pub fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }

    pub(super) fn parts(&self) -> &[(usize, i64)] {
        &self.parts
    }
}
