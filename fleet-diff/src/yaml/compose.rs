//! From parser events to JSON values.

use std::collections::{BTreeMap, BTreeSet};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Value};

use super::{
    LocatedValue, ReadError, ReadLimits, ReadProblem,
    error::from_scan,
    scalar::{COMPLEX_KEY, Resolved, key_of, plain, tagged},
};

const MERGE_TAG: &str = "tag:yaml.org,2002:merge";
const MERGE_NEEDS_MAPPINGS: &str = "`<<` needs a mapping, or a list of mappings";
const ALIAS_INSIDE_ITSELF: &str = "an alias stands inside the value it refers to";

/// All documents of a text that are not empty.
pub(super) fn documents(text: &str, limits: &ReadLimits) -> Result<Vec<LocatedValue>, ReadError> {
    let mut composer = Composer::new(text, limits);
    let mut found = Vec::new();
    let mut count = 0;
    loop {
        let (event, span) = composer.next()?;
        match event {
            Event::StreamEnd => return Ok(found),
            Event::DocumentStart(..) => {
                count += 1;
                within(count, limits.max_objects, "documents").map_err(|r| ReadError::at(&span.start, r))?;
                composer.anchors.clear();
                let (event, span) = composer.next()?;
                let value = composer.node(event, span, 0)?.value;
                if !value.is_null() {
                    found.push(LocatedValue {
                        value,
                        line: span.start.line(),
                    });
                }
            }
            _ => {}
        }
    }
}

/// Reads as libyaml does, and so Kubernetes.
pub(super) fn parser<'t>(text: &'t str, limits: &ReadLimits) -> Parser<'t, StrInput<'t>> {
    let mut options = granit_parser::options! {
        // As libyaml, and so Kubernetes, reads them.
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        // One more: nodes are counted here, with a better message.
        flow_nesting_limit: limits.depth() + 1,
        block_nesting_limit: limits.depth() + 1,
    };
    options.set_emit_comments(false);
    Parser::new_from_str_with_options(text, options)
}

/// A composed node: its value and what a copy of it costs.
#[derive(Clone, Default)]
struct Node {
    value: Value,
    /// Itself and everything inside it.
    nodes: usize,
    /// Text inside it, keys included, in bytes.
    bytes: usize,
    /// Levels of mappings and lists, itself included.
    levels: usize,
}

struct Composer<'t> {
    events: Parser<'t, StrInput<'t>>,
    limits: &'t ReadLimits,
    /// By the parser's number of the anchor. Absent while the anchored node is still being read.
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    copied_bytes: usize,
    aliases: usize,
}

impl<'t> Composer<'t> {
    fn new(text: &'t str, limits: &'t ReadLimits) -> Self {
        Self {
            events: parser(text, limits),
            limits,
            anchors: BTreeMap::new(),
            nodes: 0,
            copied_bytes: 0,
            aliases: 0,
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), ReadError> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => Err(from_scan(&error, self.limits.depth())),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// The node that begins with `event`; `depth` is the number of collections around it.
    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, ReadError> {
        let at = span.start;
        let (node, anchor) = match event {
            Event::Alias(anchor) => return self.alias(anchor, at, depth),
            Event::Scalar(text, style, anchor, tag) => {
                self.count(at)?;
                let value = resolve(&text, style, tag.as_deref()).and_then(Resolved::into_value);
                let value = value.map_err(|reason| unsupported(at, reason))?;
                let node = Node {
                    bytes: value.as_str().map_or(0, str::len),
                    value,
                    nodes: 1,
                    levels: 0,
                };
                (node, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.count(at)?;
                (self.list(at, depth)?, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.count(at)?;
                (self.mapping(at, depth)?, anchor)
            }
            // No other event begins a node.
            _ => return Err(ReadError::at(&at, ReadProblem::Syntax("expected a value"))),
        };
        if anchor != 0 {
            self.remember(anchor, &node, at)?;
        }
        Ok(node)
    }

    fn list(&mut self, at: Marker, depth: usize) -> Result<Node, ReadError> {
        self.check_depth(depth + 1, at)?;
        let mut list = Vec::new();
        let mut whole = Node {
            nodes: 1,
            ..Node::default()
        };
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                break;
            }
            let item = self.node(event, span, depth + 1)?;
            list.push(whole.take_in(item));
        }
        whole.levels += 1;
        whole.value = Value::Array(list);
        Ok(whole)
    }

    fn mapping(&mut self, at: Marker, depth: usize) -> Result<Node, ReadError> {
        self.check_depth(depth + 1, at)?;
        let mut map = Map::new();
        let mut merged = BTreeSet::new();
        let mut whole = Node {
            nodes: 1,
            ..Node::default()
        };
        loop {
            let (event, key_span) = self.next()?;
            let key_at = key_span.start;
            if matches!(event, Event::MappingEnd) {
                break;
            }
            if is_merge_key(&event) {
                self.count(key_at)?;
                for source in self.merge_sources(depth)? {
                    for (key, value) in whole.take_in_map(source) {
                        // Later entries win, whichever way they came, as in the Go library.
                        if !map.contains_key(&key) {
                            merged.insert(key.clone());
                        }
                        map.insert(key, value);
                    }
                }
                continue;
            }
            let key = self.key(event, key_at)?;
            whole.nodes += 1;
            whole.bytes += key.len();
            if map.contains_key(&key) && !merged.remove(&key) {
                return Err(ReadError::at(&key_at, ReadProblem::DuplicateKey));
            }
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            map.insert(key, whole.take_in(value));
        }
        whole.levels += 1;
        whole.value = Value::Object(map);
        Ok(whole)
    }

    fn key(&mut self, event: Event<'t>, at: Marker) -> Result<String, ReadError> {
        let key = match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.count(at)?;
                let resolved = || resolve(&text, style, tag.as_deref());
                let key = resolved().and_then(Resolved::into_key);
                if anchor != 0 && key.is_ok() {
                    let value = resolved().and_then(Resolved::into_value);
                    let value = value.map_err(|reason| unsupported(at, reason))?;
                    let node = Node {
                        bytes: value.as_str().map_or(0, str::len),
                        value,
                        nodes: 1,
                        levels: 0,
                    };
                    self.remember(anchor, &node, at)?;
                }
                key
            }
            Event::Alias(anchor) => key_of(&self.alias(anchor, at, 0)?.value),
            _ => Err(COMPLEX_KEY),
        };
        key.map_err(|reason| unsupported(at, reason))
    }

    /// What `<<` refers to, in the order in which it is to be taken in: of several sources the first one wins.
    fn merge_sources(&mut self, depth: usize) -> Result<Vec<Node>, ReadError> {
        let (event, span) = self.next()?;
        let refuse = |at: Marker| Err(unsupported(at, MERGE_NEEDS_MAPPINGS));
        let mut sources = Vec::new();
        if matches!(event, Event::SequenceStart(..)) {
            self.count(span.start)?;
            self.check_depth(depth + 2, span.start)?;
            loop {
                let (event, span) = self.next()?;
                if matches!(event, Event::SequenceEnd) {
                    break;
                }
                let source = self.node(event, span, depth + 2)?;
                if !source.value.is_object() {
                    return refuse(span.start);
                }
                sources.push(source);
            }
            sources.reverse();
        } else {
            let source = self.node(event, span, depth + 1)?;
            if !source.value.is_object() {
                return refuse(span.start);
            }
            sources.push(source);
        }
        Ok(sources)
    }

    fn alias(&mut self, anchor: usize, at: Marker, depth: usize) -> Result<Node, ReadError> {
        self.aliases += 1;
        within(self.aliases, self.limits.max_aliases, "aliases").map_err(|r| ReadError::at(&at, r))?;
        let Some(node) = self.anchors.get(&anchor) else {
            return Err(unsupported(at, ALIAS_INSIDE_ITSELF));
        };
        let (nodes, bytes, levels) = (node.nodes, node.bytes, node.levels);
        self.check_depth(depth + levels, at)?;
        self.count_copy(nodes, bytes, at)?;
        Ok(self.anchors.get(&anchor).cloned().unwrap_or_default())
    }

    fn remember(&mut self, anchor: usize, node: &Node, at: Marker) -> Result<(), ReadError> {
        self.count_copy(node.nodes, node.bytes, at)?;
        self.anchors.insert(anchor, node.clone());
        Ok(())
    }

    fn count(&mut self, at: Marker) -> Result<(), ReadError> {
        self.count_copy(1, 0, at)
    }

    fn count_copy(&mut self, nodes: usize, bytes: usize, at: Marker) -> Result<(), ReadError> {
        self.nodes += nodes;
        self.copied_bytes += bytes;
        within(self.nodes, self.limits.max_nodes, "nodes")
            .and_then(|()| {
                within(
                    self.copied_bytes,
                    self.limits.max_bytes,
                    "bytes copied by aliases",
                )
            })
            .map_err(|reason| ReadError::at(&at, reason))
    }

    fn check_depth(&self, depth: usize, at: Marker) -> Result<(), ReadError> {
        within(depth, self.limits.depth(), "levels of nesting").map_err(|reason| ReadError::at(&at, reason))
    }
}

impl Node {
    /// Counts a child in and gives its value.
    fn take_in(&mut self, child: Self) -> Value {
        self.nodes += child.nodes;
        self.bytes += child.bytes;
        self.levels = self.levels.max(child.levels);
        child.value
    }

    /// Counts a mapping that is merged in and gives its entries.
    fn take_in_map(&mut self, source: Self) -> Map<String, Value> {
        let levels = source.levels.saturating_sub(1);
        match self.take_in(Self { levels, ..source }) {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}

fn within(count: usize, limit: usize, unit: &'static str) -> Result<(), ReadProblem> {
    if count > limit {
        return Err(ReadProblem::TooMuch { unit, limit });
    }
    Ok(())
}

fn unsupported(at: Marker, reason: &'static str) -> ReadError {
    ReadError::at(&at, ReadProblem::Unsupported(reason))
}

fn resolve<'e>(text: &'e str, style: ScalarStyle, tag: Option<&Tag>) -> Result<Resolved<'e>, &'static str> {
    match tag {
        Some(tag) => tagged(&full_name(tag), text),
        None if style == ScalarStyle::Plain => Ok(plain(text)),
        None => Ok(Resolved::Text(text)),
    }
}

fn full_name(tag: &Tag) -> String {
    format!("{}{}", tag.handle(), tag.suffix())
}

fn is_merge_key(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, style, _, tag) if text == "<<" => match tag {
            None => *style == ScalarStyle::Plain,
            Some(tag) => full_name(tag) == MERGE_TAG,
        },
        _ => false,
    }
}
