//! Why a text cannot be read.

use std::fmt;

use granit_parser::{ErrorKind, Marker, ScanError};

use crate::ObjectError;

/// Why a text cannot be read, and where.
///
/// Neither the message nor `Debug` quotes the text: a Secret may stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    line: usize,
    column: Option<usize>,
    reason: ReadProblem,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadProblem {
    /// The text is neither YAML nor JSON.
    #[error("not valid YAML: {0}")]
    Syntax(&'static str),
    /// The text is not JSON, where it must be.
    #[error("not valid JSON: {0}")]
    NotJson(&'static str),
    /// It is valid YAML that cannot be written as JSON, or only by guessing.
    #[error("{0}")]
    Unsupported(&'static str),
    /// A mapping has a key twice. Kubernetes' own readers take the last one.
    #[error("this key is already in the mapping")]
    DuplicateKey,
    /// A limit of [`crate::ReadLimits`] was reached.
    #[error("too much: more than {limit} {unit}")]
    TooMuch {
        /// What is limited, such as `bytes`.
        unit: &'static str,
        /// The limit.
        limit: usize,
    },
    /// A document, or an element of a list of objects, is not a Kubernetes object.
    #[error("{}{error}", Place(.item))]
    NotAnObject {
        /// Positions in the lists around it, counted from 0, outermost first; empty for a document itself.
        item: Vec<usize>,
        /// What it lacks.
        error: ObjectError,
    },
}

struct Place<'a>(&'a [usize]);

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, position) in self.0.iter().enumerate() {
            write!(f, "{}items[{position}]", if depth == 0 { "" } else { "." })?;
        }
        f.write_str(if self.0.is_empty() { "" } else { ": " })
    }
}

impl ReadError {
    pub(super) fn new(line: usize, column: Option<usize>, reason: ReadProblem) -> Self {
        Self { line, column, reason }
    }

    pub(super) fn at(marker: &Marker, reason: ReadProblem) -> Self {
        Self::new(marker.line(), Some(marker.col() + 1), reason)
    }

    /// The line, counted from 1. For a document that is not an object, its first line.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, in characters counted from 1, where it is known.
    pub fn column(&self) -> Option<usize> {
        self.column
    }

    /// What is wrong.
    pub fn reason(&self) -> &ReadProblem {
        &self.reason
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for ReadError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.reason {
            ReadProblem::NotAnObject { error, .. } => Some(error),
            _ => None,
        }
    }
}

/// The parser's error in words of ours: its own may quote the text.
pub(super) fn from_scan(error: &ScanError, max_depth: usize) -> ReadError {
    use ErrorKind as E;
    let text = match error.kind() {
        E::RecursionLimitExceeded => {
            let reason = ReadProblem::TooMuch {
                unit: "levels of nesting",
                limit: max_depth,
            };
            return ReadError::at(error.marker(), reason);
        }
        E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnclosedFlowCollection { .. } => "a `[` or `{` is not closed",
        E::MisplacedFlowCollectionEnd | E::MismatchedFlowCollectionEnd { .. } => {
            "a `]` or `}` does not match what was opened"
        }
        E::ExpectedFlowMappingSeparator | E::ExpectedFlowSequenceSeparator => {
            "expected `,` or the closing bracket"
        }
        E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar => "a quoted text is not closed",
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            "something follows a quoted text"
        }
        E::UnknownQuotedScalarEscape
        | E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => "a quoted text has an unknown escape after `\\`",
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabAtBlockScalarStart
        | E::TabInIndentation
        | E::TabInPlainScalar => "a tab stands where only spaces may",
        E::InvalidIndentation
        | E::InvalidQuotedScalarIndent
        | E::InvalidFlowScalarIndent
        | E::InvalidBlockScalarIndent => "the indentation does not fit",
        E::ZeroBlockScalarIndent | E::InvalidBlockScalarHeader => {
            "a block of text has a wrong header after `|` or `>`"
        }
        E::UnknownAnchor => "an alias refers to an anchor that is not defined before it",
        E::MissingAnchorOrAliasName => "an anchor or alias has no name",
        E::MappingValueNotAllowed | E::InvalidColonPlacement | E::InvalidMappingValueWhitespace => {
            "a `:` stands where no value may begin"
        }
        E::SimpleKeyExpected | E::InvalidSimpleKey | E::ExpectedBlockMappingKey | E::MappingKeyNotAllowed => {
            "expected a key followed by `:`"
        }
        E::ExpectedBlockSequenceEntry | E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => {
            "a list element stands in a wrong place"
        }
        E::UnexpectedCharacter { .. } => "a text may not begin with this character: quote it",
        E::CommentNotSeparated | E::CommentInterceptedScalar => "a comment stands in a wrong place",
        E::BomInsideDocument => "a byte-order mark stands inside a document",
        E::InvalidDocumentEnd | E::ExpectedDocumentStart | E::MissingDocumentEndBeforeDirective => {
            "a document does not begin or end as expected"
        }
        E::UnexpectedEof | E::UnexpectedEofBlockSequence | E::UnexpectedEofBlockMapping => {
            "the text ends too early"
        }
        _ => "a character stands in a wrong place",
    };
    ReadError::at(error.marker(), ReadProblem::Syntax(text))
}
