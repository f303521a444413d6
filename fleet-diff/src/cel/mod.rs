//! Conditions in the Common Expression Language, CEL (github.com/google/cel-spec), the one that Kubernetes uses.
//!
//! An implementation of our own, for two reasons that no crate met when it was written: what an expression costs is
//! bounded, whoever wrote it, and no error holds a value of an object.
//!
//! # What is bounded
//!
//! - A text has at most [`Condition::LENGTH_MAX`] bytes, and is nested at most [`Condition::DEPTH_MAX`] levels deep, in its
//!   text and in its syntax tree: no text overflows the stack.
//! - An evaluation takes at most [`Condition::STEPS_MAX`] steps. A step is one operation, one element of a list that is
//!   gone through, or eight bytes of a text that is compared, searched or made. Nothing is made without steps, so
//!   memory is bounded as well. What takes more is an error, which no `||` and no `exists` passes over.
//!
//! # What there is of the language
//!
//! All operators, `? :`, indexes, literals of lists and mappings, `has`, `all`, `exists`, `exists_one`, `filter`, `map`
//! (with two and three arguments), `size`, `startsWith`, `endsWith`, `contains`, `string`, `int`, `uint`, `double`, `dyn`;
//! errors that the other side of `&&` and `||` makes up for; numbers of different types that compare by value. Left out:
//! bytes, times and durations, regular expressions (`matches`), types as values, and optional values. What is not there
//! is refused when the text is compiled.

mod eval;
mod functions;
mod lex;
mod meter;
mod parse;
mod syntax;
mod value;

use std::{fmt, sync::Arc};

use crate::document::Node;
use syntax::Expr;

/// An expression that is true or false of some values. Compiled once; cheap to clone.
///
/// ```
/// use fleet_diff::{Condition, Document};
///
/// let condition = Condition::new("self.spec.replicas > 1 && self.metadata.name.startsWith('web')", &["self"])?;
/// let object: Document = r#"{"metadata": {"name": "web-1"}, "spec": {"replicas": 3}}"#.parse()?;
/// assert_eq!(condition.holds(&[Some(object.root())]), Ok(true));
///
/// let error = Condition::new("self.spec.replicas >", &["self"]).unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 21: the expression ends early");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Condition {
    text: Arc<str>,
    expr: Arc<Expr>,
}

/// Why a text is no condition. It may quote the text, which is part of rules, not of objects.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct ConditionError {
    line: usize,
    column: usize,
    problem: String,
}

impl ConditionError {
    /// The line in the text, counted from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column in the line, in characters counted from 1.
    pub fn column(&self) -> usize {
        self.column
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

/// Why it cannot be said whether a condition holds. It names what stands in the condition, never a value of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvaluationError {
    /// A field is not there.
    #[error("there is no field `{0}`")]
    NoField(Arc<str>),
    /// An index, or a key that was worked out, is not there.
    #[error("an index or key is not there")]
    NoElement,
    /// An operation does not take values of such types.
    #[error("`{0}` does not take values of such types")]
    WrongType(Arc<str>),
    /// A number is out of range, or divided by zero.
    #[error("a number is out of range in `{0}`")]
    Arithmetic(Arc<str>),
    /// A key stands twice in a mapping that is made, or is no text, integer or truth value.
    #[error("a mapping has a key twice, or a key that cannot be one")]
    BadKey,
    /// The result is neither true nor false.
    #[error("the result is neither true nor false")]
    NoTruthValue,
    /// It takes more than [`Condition::STEPS_MAX`] steps.
    #[error("it takes more than {} steps", Condition::STEPS_MAX)]
    TooManySteps,
}

impl EvaluationError {
    /// Something that the condition asks about is not there (yet).
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::NoField(_) | Self::NoElement)
    }
}

impl Condition {
    /// Longest text. In bytes.
    pub const LENGTH_MAX: usize = 4096;
    /// How deep a text may be nested. A chain of `&&` or of `||` is one level.
    pub const DEPTH_MAX: usize = 48;
    /// Most steps of one evaluation.
    pub const STEPS_MAX: u32 = 200_000;

    /// Compiles a text that speaks of these variables.
    ///
    /// # Errors
    /// When the text is no expression, names something else, uses something of the language that is not there, or
    /// exceeds a limit.
    pub fn new(text: &str, variables: &[&str]) -> Result<Self, ConditionError> {
        Ok(Self {
            expr: Arc::new(parse::parse(text, variables)?),
            text: text.into(),
        })
    }

    /// Whether it holds for these values, in the order of its variables; what is none, or left out, is `null`.
    ///
    /// # Errors
    /// When it cannot be said.
    pub fn holds(&self, values: &[Option<Node<'_>>]) -> Result<bool, EvaluationError> {
        eval::truth(&self.expr, values)
    }

    /// The text it was compiled from.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// The same text. What variables it is about is known where it stands.
impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Condition {}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Condition({:?})", self.text)
    }
}
