//! Reading files that are lists of things, with the line of what is wrong.

use granit_parser::{Event, Parser, Span, StrInput};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{ReadError, ReadLimits, compose, read_values};

/// What is wrong with a file that should be a list. It may quote ids and fields of it, not the values of others.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ListError {
    /// The text cannot be read at all.
    #[error(transparent)]
    Unreadable(#[from] ReadError),
    /// An element is not what it should be.
    #[error("line {line}: {}{problem}", Named(.id))]
    Element {
        /// The line, counted from 1.
        line: usize,
        /// The element's `id`, if it has one.
        id: Option<String>,
        /// What is wrong with it.
        problem: String,
    },
}

struct Named<'a>(&'a Option<String>);

impl std::fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_ref().map_or(Ok(()), |id| write!(f, "`{id}`: "))
    }
}

/// Reads a list of rules, or the like, of any sort: a list, or a mapping with a list of this name; in several
/// documents, one after the other. `part` may say which field of an element that cannot be used is at fault, for its
/// line.
///
/// # Errors
/// When the text cannot be read, is no such list, or an element is not what it should be.
pub fn read_list<T: DeserializeOwned>(
    text: &str,
    limits: &ReadLimits,
    name: &str,
    part: impl Fn(&Value) -> Option<&'static str>,
) -> Result<Vec<T>, ListError> {
    let mut read = Vec::new();
    for document in read_values(text, limits)? {
        let (list, mut way) = match document.value {
            Value::Object(mut map) if map.contains_key(name) => {
                (map.remove(name).unwrap_or_default(), vec![Step::Key(name)])
            }
            other => (other, Vec::new()),
        };
        let Value::Array(elements) = list else {
            return Err(ListError::Element {
                line: document.line,
                id: None,
                problem: "expected a list".into(),
            });
        };
        let depth = way.len();
        for (i, element) in elements.into_iter().enumerate() {
            let id = element.get("id").and_then(Value::as_str).map(str::to_owned);
            let part = part(&element);
            match serde_json::from_value(element) {
                Ok(element) => read.push(element),
                Err(error) => {
                    way.truncate(depth);
                    way.push(Step::Item(i));
                    way.extend(part.map(Step::Key));
                    return Err(ListError::Element {
                        line: line_of(text, limits, document.line, &way).unwrap_or(document.line),
                        id,
                        problem: error.to_string(),
                    });
                }
            }
        }
    }
    Ok(read)
}

/// From a value to one inside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// Of a mapping: what this key has.
    Key(&'a str),
    /// Of a list: the element at this place, counted from 0.
    Item(usize),
}

/// The line of what lies on this way in the document that begins on this line ([`LocatedValue::line`]), so that an
/// error about a value can say where it stands. Where the way leads nowhere, it is followed as far as it goes.
///
/// ```
/// use fleet_diff::{ReadLimits, Step, line_within};
///
/// let text = "clusters:\n- name: a\n- name: b\n  labels:\n    region: eu\n";
/// let line = |way: &[Step<'_>]| line_within(text, &ReadLimits::default(), 1, way);
/// assert_eq!(line(&[Step::Key("clusters"), Step::Item(1), Step::Key("labels"), Step::Key("region")]), 5);
/// assert_eq!(line(&[Step::Key("clusters"), Step::Item(1), Step::Key("taints")]), 3);
/// ```
///
/// [`LocatedValue::line`]: super::LocatedValue::line
pub fn line_within(text: &str, limits: &ReadLimits, document: usize, way: &[Step<'_>]) -> usize {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    (0..=way.len())
        .rev()
        .find_map(|steps| line_of(text, limits, document, &way[..steps]))
        .unwrap_or(document)
}

/// The line of what lies on this way, if that can be told.
fn line_of(text: &str, limits: &ReadLimits, document: usize, way: &[Step<'_>]) -> Option<usize> {
    let mut finder = Finder {
        events: compose::parser(text, limits),
    };
    loop {
        let (event, span) = finder.next()?;
        if matches!(event, Event::DocumentStart(..)) {
            let (event, span) = finder.next()?;
            if span.start.line() == document {
                return finder.line(&event, span, way);
            }
            finder.skip(&event)?;
        } else if matches!(event, Event::StreamEnd) || span.start.line() > document {
            return None;
        }
    }
}

struct Finder<'t> {
    events: Parser<'t, StrInput<'t>>,
}

impl<'t> Finder<'t> {
    fn next(&mut self) -> Option<(Event<'t>, Span)> {
        self.events.next_event()?.ok()
    }

    /// Of the node that begins with this event.
    fn line(&mut self, event: &Event<'t>, span: Span, way: &[Step<'_>]) -> Option<usize> {
        let Some((step, rest)) = way.split_first() else {
            return Some(span.start.line());
        };
        match (step, event) {
            (Step::Item(place), Event::SequenceStart(..)) => {
                for _ in 0..*place {
                    let (item, _) = self.next()?;
                    self.skip(&item)?;
                }
                let (item, span) = self.next()?;
                self.line(&item, span, rest)
            }
            (Step::Key(name), Event::MappingStart(..)) => loop {
                let (key, _) = self.next()?;
                let (is_end, is_meant) = match &key {
                    Event::MappingEnd => (true, false),
                    Event::Scalar(text, ..) => (false, text == name),
                    _ => (false, false),
                };
                if is_end {
                    return None;
                }
                self.skip(&key)?;
                let (value, span) = self.next()?;
                if is_meant {
                    return self.line(&value, span, rest);
                }
                self.skip(&value)?;
            },
            _ => None,
        }
    }

    /// The rest of the node that began with this event.
    fn skip(&mut self, event: &Event<'t>) -> Option<()> {
        let change = |event: &Event<'_>| match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => 1,
            Event::SequenceEnd | Event::MappingEnd => -1,
            _ => 0,
        };
        let mut depth = change(event);
        while depth > 0 {
            depth += change(&self.next()?.0);
        }
        Some(())
    }
}
