//! Many questions, a line each.

use std::io::{self, BufRead, BufReader, Read, Write};

use fleet_diff::{Document, FieldSet, Object, ReadLimits, Report, read_json};
use serde::Serialize;
use serde_json::{Map, Value};

use super::{Knowledge, Question, code, worse};
use crate::{DONE, FAILED, args::DiffArgs, commands::Done};

/// The longest line, in bytes: two of the largest objects that a server takes, and more.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much is read at once, in bytes.
const READ_BYTES: usize = 256 * 1024;

/// A line that cannot be answered.
#[derive(Serialize)]
struct Broken {
    error: String,
    /// Counted from 1.
    line: usize,
}

/// Answers every line of `input` with a line of `output`, at once.
pub(super) fn run(knowledge: &Knowledge, args: &DiffArgs, input: impl Read, mut output: impl Write) -> Done {
    let mut lines = Lines {
        input: BufReader::with_capacity(READ_BYTES, input),
        line: Vec::new(),
    };
    let mut answer = Vec::new();
    let mut worst = DONE;
    for line in 1.. {
        let Some(text) = lines.next()? else { break };
        answer.clear();
        let found = match text.and_then(|text| question(text, args)) {
            Ok(question) => question
                .checked(&knowledge.schemas)
                .map(|question| knowledge.answer(&question)),
            Err(error) => Err(error),
        };
        worst = worse(worst, write(found, line, &mut answer)?);
        answer.push(b'\n');
        output.write_all(&answer)?;
        output.flush()?;
    }
    Ok(worst)
}

fn write(found: Result<Report, String>, line: usize, answer: &mut Vec<u8>) -> serde_json::Result<u8> {
    match found {
        Ok(report) => {
            serde_json::to_writer(answer, &report)?;
            Ok(code(&report))
        }
        Err(error) => {
            serde_json::to_writer(answer, &Broken { error, line })?;
            Ok(FAILED)
        }
    }
}

/// The question that a line asks. What the line does not say, the command line does.
fn question(text: &str, args: &DiffArgs) -> Result<Question, String> {
    let mut limits = ReadLimits::default();
    limits.max_bytes = LINE_BYTES_MAX;
    let value = read_json(text, &limits).map_err(|error| {
        let column = error
            .column()
            .map_or(String::new(), |column| format!("column {column}: "));
        format!("{column}{}", error.reason())
    })?;
    let Value::Object(mut map) = value else {
        return Err("not a mapping with `desired` and `live`".to_owned());
    };
    let desired = given(&mut map, "desired").ok_or("`desired` is missing")?;
    let object = |field: &str, value| Object::from_json(value).map_err(|error| format!("`{field}`: {error}"));
    Ok(Question {
        desired: object("desired", desired)?,
        live: given(&mut map, "live")
            .map(|live| object("live", live))
            .transpose()?,
        manager: match given(&mut map, "manager") {
            None => args.manager.clone(),
            Some(Value::String(manager)) => manager,
            Some(_) => return Err("`manager` is not a text".to_owned()),
        },
        force: match given(&mut map, "force") {
            None => args.force,
            Some(Value::Bool(force)) => force,
            Some(_) => return Err("`force` is neither true nor false".to_owned()),
        },
        memory: given(&mut map, "memory")
            .map(|memory| fields(&memory))
            .transpose()?,
    })
}

/// What is there and not null.
fn given(map: &mut Map<String, Value>, key: &str) -> Option<Value> {
    map.get_mut(key).map(Value::take).filter(|value| !value.is_null())
}

/// The names in a set may be values: the error does not tell where it is wrong.
fn fields(memory: &Value) -> Result<FieldSet, String> {
    let set = FieldSet::from_fields_v1(&Document::from_json(memory));
    set.map_err(|_| "`memory` is not a FieldsV1 set".to_owned())
}

/// Lines of limited length.
struct Lines<R> {
    input: BufReader<R>,
    line: Vec<u8>,
}

impl<R: Read> Lines<R> {
    /// The next line, if there is one; an error inside when it is not text, or too long.
    fn next(&mut self) -> io::Result<Option<Result<&str, String>>> {
        self.line.clear();
        let limit = u64::try_from(LINE_BYTES_MAX)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        let read = self
            .input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(None);
        }
        if self.line.last() == Some(&b'\n') {
            self.line.pop();
        } else if read > LINE_BYTES_MAX {
            self.input.skip_until(b'\n')?;
            return Ok(Some(Err(format!("longer than {LINE_BYTES_MAX} bytes"))));
        }
        let text = std::str::from_utf8(&self.line);
        Ok(Some(text.map_err(|error| {
            format!("column {}: not UTF-8", error.valid_up_to() + 1)
        })))
    }
}
