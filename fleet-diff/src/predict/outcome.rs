//! What a prediction says.

use std::{collections::BTreeSet, fmt};

use serde::Serialize;

use crate::{
    FieldPath, Gvk, Object,
    rules::{Broken, Fact},
};

/// What the server would answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prediction {
    /// The object as it would be, `metadata.managedFields` included.
    Object(Object),
    /// The apply takes fields from others and is not forced. At least one.
    Conflicts(Vec<Conflict>),
    /// The server would refuse it.
    Refused(Refusal),
    /// It would change fields that no server lets change. At least one.
    Blocked(Vec<Blocked>),
    /// It cannot be said without asking.
    Unsure(Doubt),
}

/// A field that cannot be changed in place.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blocked {
    /// The field.
    pub path: FieldPath,
    /// The id of the rule that says so, such as `deployment/selector`.
    pub rule: &'static str,
    /// It may change, but only to a larger quantity.
    pub grow_only: bool,
}

/// A field that somebody else owns with another value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Conflict {
    /// Who owns it.
    pub manager: String,
    /// The field.
    pub path: FieldPath,
}

/// Why the server would refuse the object. Never quotes a value.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The field, in the server's form; empty for the whole object.
    pub path: String,
    /// What is wrong with it, such as `is not a field of its schema`.
    pub problem: String,
}

/// What is said of a field whose value says that another object is meant, or another state of it.
const CONFLICT: &str = "is in conflict with the object, which is another or has changed";

impl Refusal {
    /// What was sent is about another object or another state of it, which a server answers with 409.
    pub fn is_conflict(&self) -> bool {
        self.problem == CONFLICT
    }
}

/// Why it cannot be said without asking.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Doubt {
    /// The live object was read at another API version than the desired one is written in.
    LiveAtOtherVersion,
    /// The live object has something at this path that the schema does not know.
    LiveDoesNotFitSchema(String),
    /// `metadata.managedFields` of the live object cannot be read.
    ManagedFields(String),
    /// A manager owns fields at this API version, and only the server can convert them.
    OtherVersion(String),
    /// A webhook converts what is written at this version to the one that is stored.
    Conversion(String),
    /// Only an OpenAPI document describes this kind: it does not say how its server stores what is written.
    Storage(Gvk),
    /// Admission plugins of the server fill in what depends on the cluster.
    Admission,
    /// This webhook or policy may change what is written.
    Mutates(String),
    /// Nothing is known of the fields of this kind.
    NoSchema(Gvk),
    /// This was defined, is defined no longer, and a part of it stays as others own that; whether the server minds, its
    /// validation knows.
    Remains(String),
    /// A field that the schema requires, or that has a default, would be empty here; whether the server minds, its
    /// validation knows.
    Required(String),
    /// A rule in the schema of a custom resource compares with the old value here, and rules are not evaluated.
    ValidationRule(String),
    /// Here the object holds JSON of others with a text that can be spelled in two ways. Servers keep it as it was spelled
    /// and take the other for a change, and what is read does not say which it was.
    Spelling(String),
    /// What is written through this subresource is not known, or whether there is one.
    Subresource(String),
    /// The answer would be no object.
    NoObject(String),
}

impl Prediction {
    pub(crate) fn refused(path: String, problem: impl Into<String>) -> Self {
        Self::Refused(Refusal {
            path,
            problem: problem.into(),
        })
    }

    pub(super) fn conflict(path: &str) -> Self {
        Self::refused(path.to_owned(), CONFLICT)
    }

    pub(super) fn unsure(doubt: Doubt) -> Self {
        Self::Unsure(doubt)
    }

    pub(super) fn blocked(found: Vec<Broken>) -> Self {
        let blocked = |broken: Broken| Blocked {
            path: broken.path,
            rule: broken.rule,
            grow_only: broken.fact == Fact::GrowOnly,
        };
        Self::Blocked(found.into_iter().map(blocked).collect())
    }

    pub(super) fn conflicts(found: BTreeSet<(String, FieldPath)>) -> Self {
        Self::Conflicts(
            found
                .into_iter()
                .map(|(manager, path)| Conflict { manager, path })
                .collect(),
        )
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.manager, self.path)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.path {
            "" => write!(f, "the object {}", self.problem),
            path => write!(f, "{path} {}", self.problem),
        }
    }
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LiveAtOtherVersion => f.write_str("the live object was read at another API version"),
            Self::LiveDoesNotFitSchema(path) => {
                write!(f, "the schema does not know {path} of the live object")
            }
            Self::ManagedFields(problem) => write!(f, "metadata.managedFields cannot be read: {problem}"),
            Self::OtherVersion(version) => write!(
                f,
                "fields are owned at {version}, which only the server can convert"
            ),
            Self::Conversion(version) => write!(f, "a webhook converts what is written at {version}"),
            Self::Storage(gvk) => write!(f, "how the server of {gvk} stores what is written is not known"),
            Self::Admission => f.write_str("admission in the server fills in what depends on the cluster"),
            Self::Mutates(hook) => write!(f, "the mutating {hook} may change what is written"),
            Self::NoSchema(gvk) => write!(f, "no schema of {gvk} is known"),
            Self::Remains(path) => write!(
                f,
                "others own a part of {path}, which nobody defines as it would be then"
            ),
            Self::Required(field) => write!(f, "{field} would be empty, which its validation may refuse"),
            Self::ValidationRule(path) => {
                write!(
                    f,
                    "a rule in the schema compares {path} with its old value, and only the server evaluates it"
                )
            }
            Self::Spelling(path) => {
                write!(f, "how the text in {path} is spelled, only the server knows")
            }
            Self::Subresource(name) => {
                write!(f, "what is written through the subresource {name} is not known")
            }
            Self::NoObject(problem) => write!(f, "the answer would be no object: {problem}"),
        }
    }
}
