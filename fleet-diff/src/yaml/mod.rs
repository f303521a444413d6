//! Reading objects from YAML and JSON, as Kubernetes' own tools read them.

mod base64;
mod compose;
mod error;
mod json;
mod limits;
mod listed;
mod lists;
mod scalar;

use serde_json::Value;

pub use error::{ReadError, ReadProblem};
pub use limits::ReadLimits;
pub use listed::{ListError, Step, line_within, read_list};

use crate::Object;

/// An object and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
    /// The object.
    pub object: Object,
    /// The line its document begins on, counted from 1: that of the first key, not of `---` or a comment before it.
    pub line: usize,
}

/// A value and where it stands. It has no `Debug`, as it may be a Secret.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct LocatedValue {
    /// The value, never null.
    pub value: Value,
    /// The line its document begins on, counted from 1.
    pub line: usize,
}

/// Reads all objects of a text: YAML documents, or JSON documents one after the other.
///
/// YAML means what it means to `kubectl`: `0644` is 420, `yes`, `y` and `on` are true, dates stay texts, a whole number
/// is an integer however it is written (`1.0`, `1e3`), numbers beyond 64 bits lose precision, numbers and booleans as
/// keys become texts, `<<` merges, later entries winning. On purpose it refuses what `kubectl` reads in a way that is
/// hardly meant: a key that is twice in a mapping (`kubectl` takes the last one), `!!binary` content that is not text
/// (`kubectl` damages it), Unicode line separators, and anything that follows a document without a `---`. It accepts
/// some things that `kubectl` refuses, such as tabs where they cannot be mistaken for indentation.
///
/// Empty documents are passed over. Lists (`kind: List`, or any kind ending in `List` with `items`, at `apiVersion: v1`
/// or without a name) are replaced by their elements, nested ones too; elements of a typed list that say no kind get
/// the list's.
///
/// # Errors
/// When the text is not YAML, exceeds a limit, holds a value JSON does not have (`.inf`, a mapping as key), or a
/// document is not an object. Errors never quote the text.
///
/// ```
/// use fleet_diff::{ReadLimits, read_objects};
///
/// let text = "
/// apiVersion: v1
/// kind: ConfigMap
/// metadata: {name: a}
/// ---
/// ## nothing here
/// ---
/// apiVersion: v1
/// kind: List
/// items:
/// - {apiVersion: v1, kind: Secret, metadata: {name: b}}
/// ";
/// let found = read_objects(text, &ReadLimits::default())?;
/// assert_eq!(found[0].object.key().to_string(), "ConfigMap a");
/// assert_eq!((found[1].object.name(), found[1].line), ("b", 8));
///
/// let error = read_objects("a: 1\na: 2", &ReadLimits::default()).unwrap_err();
/// assert_eq!(error.to_string(), "line 2, column 1: this key is already in the mapping");
/// # Ok::<(), fleet_diff::ReadError>(())
/// ```
pub fn read_objects(text: &str, limits: &ReadLimits) -> Result<Vec<Located>, ReadError> {
    let mut objects = lists::Objects::new(limits);
    for document in read_values(text, limits)? {
        objects.add_document(document)?;
    }
    Ok(objects.into_found())
}

/// Reads all documents of a text as plain values, for files that are not objects. Otherwise as [`read_objects`].
///
/// # Errors
/// As [`read_objects`], except that any value will do.
pub fn read_values(text: &str, limits: &ReadLimits) -> Result<Vec<LocatedValue>, ReadError> {
    within(text, limits)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // JSON is nearly YAML, but not quite: escapes of half characters, keys of any length.
    if text.trim_start().starts_with(['{', '['])
        && let Some(documents) = json::documents(text, limits)
    {
        return documents;
    }
    refuse_line_separators(text)?;
    compose::documents(text, limits)
}

/// Reads one JSON value, such as a line of a stream, and nothing else. Otherwise as [`read_values`].
///
/// # Errors
/// When the text is not one JSON value, has a key twice in a mapping, or exceeds a limit. Errors never quote the text.
///
/// ```
/// use fleet_diff::{ReadLimits, read_json};
///
/// assert!(read_json(r#"{"a": [1]}"#, &ReadLimits::default()).is_ok());
/// let error = read_json(r#"{"a": [1], "a": 2}"#, &ReadLimits::default()).unwrap_err();
/// assert_eq!(error.to_string(), "line 1, column 14: this key is already in the mapping");
/// ```
pub fn read_json(text: &str, limits: &ReadLimits) -> Result<Value, ReadError> {
    within(text, limits)?;
    json::document(text, limits)
}

fn within(text: &str, limits: &ReadLimits) -> Result<(), ReadError> {
    if text.len() <= limits.max_bytes {
        return Ok(());
    }
    let reason = ReadProblem::TooMuch {
        unit: "bytes",
        limit: limits.max_bytes,
    };
    Err(ReadError::new(1, None, reason))
}

/// Whether these characters end a line depends on the version of YAML: `kubectl` and other tools read different values.
fn refuse_line_separators(text: &str) -> Result<(), ReadError> {
    let Some(at) = text.find(['\u{85}', '\u{2028}', '\u{2029}']) else {
        return Ok(());
    };
    let before = &text[..at];
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
    let reason = "a Unicode line separator stands here: write it as an escape in a quoted text";
    Err(ReadError::new(
        line,
        Some(column),
        ReadProblem::Unsupported(reason),
    ))
}
