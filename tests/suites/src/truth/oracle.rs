//! What is tested: a prediction of what a server would answer to a dry run.

use std::collections::BTreeSet;

use serde_json::Value;

/// What would a server answer if this definition were applied?
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The object as it is; `None` when there is none.
    pub live: Option<&'a Value>,
    /// The definition.
    pub desired: &'a Value,
    /// Who applies.
    pub manager: &'a str,
    /// Whether fields of others are taken.
    pub force: bool,
}

/// Who is in the way, and where: the path as the server prints it.
pub type Conflicts = BTreeSet<(String, String)>;

/// A prediction.
#[derive(Clone, PartialEq, Debug)]
pub enum Predicted {
    /// The whole object, `managedFields` included.
    Object(Value),
    /// These conflicts.
    Conflicts(Conflicts),
    /// The server refuses, and why.
    Blocked(String),
    /// It cannot be told, and why.
    Unsure(String),
}

/// Predicts.
pub trait Predictor: Sync {
    /// What the server would answer.
    fn predict(&self, question: &Question<'_>) -> Predicted;
}

/// Knows nothing.
pub struct AlwaysUnsure;

impl Predictor for AlwaysUnsure {
    fn predict(&self, _: &Question<'_>) -> Predicted {
        Predicted::Unsure("nothing is predicted".to_owned())
    }
}
