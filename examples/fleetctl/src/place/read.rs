//! Reading files of clusters and workloads, so that every mistake has its file, its line and its path.

use std::{
    cell::Cell,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use fleet_diff::{LocatedValue, ReadError, ReadLimits, Step, line_within, read_values};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::words::words;
use crate::diff::files::{self, FILE_BYTES_MAX};

/// The name of standard input on the command line.
const STDIN: &str = "-";

/// A text and the file it is from.
pub(super) struct Text {
    path: PathBuf,
    content: String,
    /// How many lines may still be looked for.
    lines: Cell<usize>,
}

/// How many lines are looked for in one file: each is looked for from its beginning.
const LINES_MAX: usize = 100;

impl Text {
    /// Reads a file, or standard input.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let read = if path == Path::new(STDIN) {
            standard_input()
        } else {
            files::text(path)
        };
        Ok(Self {
            path: path.to_owned(),
            content: read?,
            lines: Cell::new(LINES_MAX),
        })
    }

    /// Its documents that are not empty.
    pub(super) fn documents(&self) -> Result<Vec<LocatedValue>, String> {
        read_values(&self.content, &limits()).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &ReadError) -> String {
        let column = error
            .column()
            .map_or(String::new(), |column| format!("{column}:"));
        format!("{}:{}:{column} {}", self.name(), error.line(), error.reason())
    }

    /// A value of a document as what it should be. `way` leads to the value, in front of which the first `added` steps
    /// were put by us.
    pub(super) fn parse<T: DeserializeOwned>(
        &self,
        document: usize,
        way: &[Step<'_>],
        added: usize,
        value: Value,
    ) -> Result<T, Mistake> {
        serde_path_to_error::deserialize(value).map_err(|error| {
            let inner = error.path().iter().filter_map(|segment| match segment {
                Segment::Seq { index } => Some(Step::Item(*index)),
                Segment::Map { key } => Some(Step::Key(key)),
                Segment::Enum { .. } | Segment::Unknown => None,
            });
            let way: Vec<Step<'_>> = way.iter().copied().chain(inner.skip(added)).collect();
            let why = error.inner().to_string();
            let mut mistake = self.mistake(document, &way, "");
            mistake.why = words(&self.as_written(&why, mistake.line));
            // An unknown field is named by what is wrong with it already.
            if let [before @ .., Step::Key(field)] = way.as_slice()
                && why.starts_with(&format!("unknown field `{field}`"))
            {
                mistake.path = path(before);
            }
            mistake
        })
    }

    /// The same error with a number as it is written on its line: whole numbers too large for any type come as floating
    /// point.
    fn as_written(&self, error: &str, line: usize) -> String {
        let as_written = || {
            let (before, rest) = error.split_once("floating point `")?;
            let (number, after) = rest.split_once('`')?;
            let value: f64 = number.parse().ok()?;
            let line = self.content.lines().nth(line.checked_sub(1)?)?;
            let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
            let is_same = |word: &&str| {
                word.parse()
                    .is_ok_and(|other: f64| other.to_bits() == value.to_bits())
            };
            let written = words.find(is_same)?;
            Some(format!("{before}floating point `{written}`{after}"))
        };
        as_written().unwrap_or_else(|| error.to_owned())
    }

    /// What is wrong at a place of a document. After many, only the document's line is told.
    pub(super) fn mistake(&self, document: usize, way: &[Step<'_>], why: impl Into<String>) -> Mistake {
        let line = match self.lines.get().checked_sub(1) {
            None => document,
            Some(rest) => {
                self.lines.set(rest);
                line_within(&self.content, &limits(), document, way)
            }
        };
        Mistake {
            file: self.name(),
            line,
            path: path(way),
            why: why.into(),
        }
    }

    /// What is wrong with all of it.
    pub(super) fn wrong(&self, why: &str) -> String {
        format!("{}: {why}", self.name())
    }

    /// As people call it.
    pub(super) fn name(&self) -> String {
        if self.path == Path::new(STDIN) {
            "standard input".to_owned()
        } else {
            self.path.display().to_string()
        }
    }
}

/// What is wrong at one place of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Mistake {
    pub(super) file: String,
    pub(super) line: usize,
    /// Such as `clusters[3].labels.region`; may be empty.
    pub(super) path: String,
    pub(super) why: String,
}

impl Mistake {
    /// Without the file and the line.
    pub(super) fn message(&self) -> String {
        if self.path.is_empty() {
            self.why.clone()
        } else {
            format!("{}: {}", self.path, self.why)
        }
    }
}

impl From<Mistake> for String {
    fn from(mistake: Mistake) -> Self {
        format!("{}:{}: {}", mistake.file, mistake.line, mistake.message())
    }
}

fn path(way: &[Step<'_>]) -> String {
    let is_plain = |key: &str| {
        !key.is_empty()
            && key
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let steps = way.iter().enumerate().map(|(at, step)| match step {
        Step::Item(place) => format!("[{place}]"),
        Step::Key(key) if !is_plain(key) => format!("[{key:?}]"),
        Step::Key(key) if at == 0 => (*key).to_owned(),
        Step::Key(key) => format!(".{key}"),
    });
    steps.collect()
}

fn standard_input() -> Result<String, String> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(FILE_BYTES_MAX)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    io::stdin()
        .lock()
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("standard input: cannot be read: {error}"))?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(format!("standard input: is larger than {FILE_BYTES_MAX} bytes"));
    }
    String::from_utf8(bytes).map_err(|_| "standard input: is not UTF-8".to_owned())
}

fn limits() -> ReadLimits {
    let mut limits = ReadLimits::default();
    limits.max_bytes = FILE_BYTES_MAX;
    // A hundred thousand clusters with everything said of them.
    limits.max_nodes = 10_000_000;
    limits
}
