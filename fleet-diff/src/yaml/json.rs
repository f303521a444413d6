//! JSON documents, one after the other.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, error::Category};

use super::{LocatedValue, ReadError, ReadLimits, ReadProblem, scalar::number};

/// All documents of a text that holds nothing but JSON mappings and lists; `None` when it holds anything else.
pub(super) fn documents(text: &str, limits: &ReadLimits) -> Option<Result<Vec<LocatedValue>, ReadError>> {
    let mut state = State {
        limits,
        nodes: 0,
        problem: None,
    };
    let mut found = Vec::new();
    let (mut rest, mut line) = (text, 1);
    loop {
        let document = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        line += line_breaks(&rest[..rest.len() - document.len()]);
        if document.is_empty() {
            return Some(Ok(found));
        }
        if found.len() == limits.max_objects {
            let reason = ReadProblem::TooMuch {
                unit: "documents",
                limit: limits.max_objects,
            };
            return Some(Err(ReadError::new(line, None, reason)));
        }
        let length = collection_length(document)?;
        let text = &document[..length];
        match state.read(text) {
            Ok(value) => found.push(LocatedValue { value, line }),
            // Not for the syntax: then it would not be YAML either.
            Err(error) => {
                let reason = state.problem.take()?;
                let column = column(text, error.line(), error.column());
                return Some(Err(ReadError::new(line + error.line() - 1, Some(column), reason)));
            }
        }
        line += line_breaks(text);
        rest = &document[length..];
    }
}

/// The only value of a text.
pub(super) fn document(text: &str, limits: &ReadLimits) -> Result<Value, ReadError> {
    let mut state = State {
        limits,
        nodes: 0,
        problem: None,
    };
    state.read(text).map_err(|error| {
        let reason = state.problem.take().unwrap_or_else(|| not_json(&error));
        let column = column(text, error.line(), error.column());
        ReadError::new(error.line().max(1), Some(column), reason)
    })
}

/// In words of ours: those of the parser may quote the text.
fn not_json(error: &serde_json::Error) -> ReadProblem {
    ReadProblem::NotJson(match error.classify() {
        Category::Eof => "the text ends too early",
        _ if error.to_string().starts_with("trailing characters") => "something follows the value",
        _ if error.to_string().starts_with("recursion limit") => "it is nested too deeply",
        _ => "a character stands in a wrong place",
    })
}

fn line_breaks(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// A column in characters from one in bytes, both counted from 1.
fn column(text: &str, line: usize, bytes: usize) -> usize {
    let line = text.split('\n').nth(line.saturating_sub(1)).unwrap_or("");
    line.char_indices()
        .take_while(|(at, _)| *at < bytes)
        .count()
        .max(1)
}

/// The length of the mapping or list at the start of a text, in bytes; its content need not be right.
fn collection_length(text: &str) -> Option<usize> {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            // The first byte opened something, or there is nothing to read here.
            return (at > 0).then_some(at + 1);
        }
    }
    None
}

struct State<'l> {
    limits: &'l ReadLimits,
    nodes: usize,
    /// Why reading stopped, where it was not for the syntax.
    problem: Option<ReadProblem>,
}

impl State<'_> {
    fn read(&mut self, text: &str) -> Result<Value, serde_json::Error> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let seed = Seed {
            state: self,
            depth: 0,
        };
        let value = seed.deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    }

    fn refuse<E: serde::de::Error>(&mut self, problem: ReadProblem) -> E {
        self.problem = Some(problem);
        E::custom("refused")
    }

    fn count<E: serde::de::Error>(&mut self) -> Result<(), E> {
        self.nodes += 1;
        if self.nodes > self.limits.max_nodes {
            return Err(self.refuse(ReadProblem::TooMuch {
                unit: "nodes",
                limit: self.limits.max_nodes,
            }));
        }
        Ok(())
    }

    fn check_depth<E: serde::de::Error>(&mut self, depth: usize) -> Result<(), E> {
        let limit = self.limits.depth();
        if depth > limit {
            return Err(self.refuse(ReadProblem::TooMuch {
                unit: "levels of nesting",
                limit,
            }));
        }
        Ok(())
    }
}

/// Reads one value; unlike `serde_json::Value` it refuses a key that is there already.
struct Seed<'s, 'l> {
    state: &'s mut State<'l>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Seed<'_, '_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.state.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        number(value).ok_or_else(|| E::custom("not a JSON number"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = self.depth + 1;
        self.state.check_depth(depth)?;
        let mut list = Vec::new();
        while let Some(item) = access.next_element_seed(Seed {
            state: &mut *self.state,
            depth,
        })? {
            list.push(item);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let depth = self.depth + 1;
        self.state.check_depth(depth)?;
        let mut map = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.state.count()?;
            if map.contains_key(&key) {
                return Err(self.state.refuse(ReadProblem::DuplicateKey));
            }
            let value = access.next_value_seed(Seed {
                state: &mut *self.state,
                depth,
            })?;
            map.insert(key, value);
        }
        Ok(map.into())
    }
}
