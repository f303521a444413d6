//! What annotations say of order.

use std::sync::Arc;

use fleet_diff::{Node, Object, ObjectKey};

use crate::words::Reason;

/// Most references in one annotation `depends-on`.
pub const REFERENCES_MAX: usize = 256;

/// Why the order an object asks for cannot be kept. It is not applied then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderFault {
    /// The wave is no integer.
    #[error("annotation {annotation} is no whole number from -2147483648 to 2147483647")]
    Wave {
        /// The annotation's key.
        annotation: Arc<str>,
    },
    /// A reference cannot be read.
    #[error(
        "annotation {annotation}: its reference {position} is not `group/Kind/namespace/name` (parts that it has not are left empty)"
    )]
    Unreadable {
        /// The annotation's key.
        annotation: Arc<str>,
        /// Which one, counted from 1.
        position: usize,
    },
    /// More references than [`REFERENCES_MAX`].
    #[error("annotation {annotation} has more than {REFERENCES_MAX} references")]
    TooMany {
        /// The annotation's key.
        annotation: Arc<str>,
    },
    /// What is referred to is not listed.
    #[error("annotation {annotation}: {on} is not listed in this inventory")]
    NotListed {
        /// The annotation's key.
        annotation: Arc<str>,
        /// What is referred to.
        on: ObjectKey,
    },
    /// It refers to itself.
    #[error("annotation {annotation} refers to the object itself")]
    Itself {
        /// The annotation's key.
        annotation: Arc<str>,
    },
}

impl OrderFault {
    /// As a reason: `bad-order`.
    pub fn reason(&self) -> Reason {
        Reason::new("bad-order", self.to_string())
    }
}

/// The keys of the annotations.
pub(super) struct Annotations {
    depends_on: Arc<str>,
    wave: Arc<str>,
}

impl Annotations {
    pub(super) fn of(domain: &str) -> Self {
        Self {
            depends_on: format!("{domain}/depends-on").into(),
            wave: format!("{domain}/wave").into(),
        }
    }

    /// The wave, if one is given.
    pub(super) fn wave(&self, object: &Object) -> Result<Option<i32>, OrderFault> {
        let Some(value) = annotation(object, &self.wave) else {
            return Ok(None);
        };
        let number = value.as_str().and_then(|text| text.trim().parse().ok());
        number.map(Some).ok_or_else(|| OrderFault::Wave {
            annotation: self.wave.clone(),
        })
    }

    /// What it depends on, separated by commas or line ends.
    pub(super) fn depends_on(&self, object: &Object) -> Result<Vec<ObjectKey>, OrderFault> {
        let Some(value) = annotation(object, &self.depends_on) else {
            return Ok(Vec::new());
        };
        let unreadable = |position| OrderFault::Unreadable {
            annotation: self.depends_on.clone(),
            position,
        };
        let text = value.as_str().ok_or_else(|| unreadable(1))?;
        let parts = text
            .split([',', '\n'])
            .map(str::trim)
            .filter(|part| !part.is_empty());
        let mut keys = Vec::new();
        for (i, part) in parts.enumerate() {
            if i == REFERENCES_MAX {
                let annotation = self.depends_on.clone();
                return Err(OrderFault::TooMany { annotation });
            }
            keys.push(part.parse().map_err(|_| unreadable(i + 1))?);
        }
        Ok(keys)
    }

    pub(super) fn not_listed(&self, on: ObjectKey) -> OrderFault {
        OrderFault::NotListed {
            annotation: self.depends_on.clone(),
            on,
        }
    }

    pub(super) fn itself(&self) -> OrderFault {
        OrderFault::Itself {
            annotation: self.depends_on.clone(),
        }
    }
}

/// As it is written: it need not be a text.
fn annotation<'a>(object: &'a Object, key: &str) -> Option<Node<'a>> {
    object.metadata().at(&["annotations", key])
}
