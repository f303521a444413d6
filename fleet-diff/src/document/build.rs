//! Makes documents.

use std::cell::Cell;

use serde_json::Value;

use super::{Document, Node, Number, Slot, Tag, long_name, order, read_name, texts::Texts};

/// Writes one document from the inside out.
///
/// A builder [based on](Builder::based_on) a document takes parts of it over without copying them, so that a small
/// change of a large document costs little.
pub(crate) struct Builder<'b> {
    base: Option<&'b Document>,
    parts: Box<Parts>,
    name: u32,
    too_large: bool,
}

/// What a document is made of.
#[derive(Default)]
struct Parts {
    slots: Vec<Slot>,
    texts: Texts,
    /// Children of the containers that are still open.
    stack: Vec<Slot>,
    /// Where the children of each open container begin in the stack, and the container's own name.
    open: Vec<(usize, u32)>,
}

thread_local! {
    /// Of the document made last, for the next one.
    static SPARE: Cell<Option<Box<Parts>>> = const { Cell::new(None) };
}

/// Not kept beyond this, in bytes.
const SPARE_MAX: usize = 1 << 20;

impl Parts {
    fn spare() -> Box<Self> {
        SPARE.try_with(Cell::take).ok().flatten().unwrap_or_default()
    }

    fn give_back(mut self: Box<Self>) {
        let slots = self.slots.capacity() + self.stack.capacity();
        if slots * size_of::<Slot>() + self.texts.capacity() > SPARE_MAX {
            return;
        }
        self.slots.clear();
        self.stack.clear();
        self.open.clear();
        self.texts.clear();
        // A thread that is ending keeps nothing.
        let _ = SPARE.try_with(|spare| spare.set(Some(self)));
    }
}

/// A value that was built, not yet placed anywhere.
#[derive(Clone, Copy)]
pub(crate) struct Part(Slot);

impl<'b> Builder<'b> {
    pub(crate) fn new() -> Self {
        Self {
            base: None,
            parts: Parts::spare(),
            name: Slot::NAMELESS,
            too_large: false,
        }
    }

    pub(crate) fn based_on(base: &'b Document) -> Self {
        Self::with_slots(base, base.slots.len())
    }

    /// For a document whose root is to be replaced: the root's entries may be taken over, the root itself may not.
    pub(crate) fn reopening(base: &'b Document) -> Self {
        let root = base.root().slot();
        let children = root.at as usize..base.slots.len().saturating_sub(1);
        let is_last = matches!(root.tag(), Tag::List | Tag::Map) && children.len() == root.len();
        Self::with_slots(base, if is_last { children.start } else { base.slots.len() })
    }

    fn with_slots(base: &'b Document, slots: usize) -> Self {
        let mut new = Self::new();
        new.base = Some(base);
        new.parts.slots.extend_from_slice(&base.slots[..slots]);
        new.parts.texts.text.push_str(&base.text);
        new
    }

    /// The key of the next value.
    pub(crate) fn key(&mut self, key: &str) {
        let short = Slot::short_name(key);
        let at = match short {
            Some(_) => self.parts.texts.place(key),
            None => self.parts.texts.place(&long_name(key)),
        };
        self.name = match at {
            Some(at) if at < Slot::TEXT_MAX => (at << Slot::NAME_LEN_BITS) | short.unwrap_or(Slot::LONG_NAME),
            _ => {
                self.too_large = true;
                0
            }
        };
    }

    fn push(&mut self, mut slot: Slot) {
        slot.name = std::mem::replace(&mut self.name, Slot::NAMELESS);
        self.parts.stack.push(slot);
    }

    pub(crate) fn null(&mut self) {
        self.push(Slot::new(0, Tag::Null, 0, 0));
    }

    pub(crate) fn bool(&mut self, value: bool) {
        self.push(Slot::new(0, if value { Tag::True } else { Tag::False }, 0, 0));
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.long(Tag::Text, text);
    }

    pub(crate) fn integer(&mut self, value: i128) {
        match i64::try_from(value)
            .ok()
            .and_then(|value| Slot::integer(0, value))
        {
            Some(slot) => self.push(slot),
            None => self.long(Tag::Wide, &value.to_string()),
        }
    }

    /// A number that is not finite becomes `null`, as JSON has no such numbers.
    pub(crate) fn float(&mut self, value: f64) {
        match serde_json::Number::from_f64(value) {
            Some(number) => self.long(Tag::Float, &number.to_string()),
            None => self.null(),
        }
    }

    fn long(&mut self, tag: Tag, text: &str) {
        let at = self.parts.texts.place(text).filter(|at| *at < Slot::TEXT_MAX);
        self.too_large |= at.is_none() || text.len() > Slot::MAX_LEN;
        self.push(Slot::new(0, tag, text.len(), at.unwrap_or(0) as usize));
    }

    pub(crate) fn begin(&mut self) {
        let name = std::mem::replace(&mut self.name, Slot::NAMELESS);
        self.parts.open.push((self.parts.stack.len(), name));
    }

    pub(crate) fn end_list(&mut self) {
        self.end(Tag::List);
    }

    /// Sorts the entries by key; of equal keys the last one stays.
    pub(crate) fn end_map(&mut self) {
        let start = self.parts.open.last().map_or(0, |(start, _)| *start);
        let Parts { texts, stack, .. } = &mut *self.parts;
        let key = |slot: &Slot| read_name(&texts.text, slot.name);
        let entries = &mut stack[start..];
        if !entries.is_sorted_by(|a, b| order(key(a), key(b)).is_lt()) {
            entries.sort_by(|a, b| order(key(a), key(b)));
            let mut kept = start;
            for i in start..stack.len() {
                let next = stack.get(i + 1);
                if next.is_none_or(|next| key(next) != key(&stack[i])) {
                    stack[kept] = stack[i];
                    kept += 1;
                }
            }
            stack.truncate(kept);
        }
        self.end(Tag::Map);
    }

    fn end(&mut self, tag: Tag) {
        let Parts {
            slots, stack, open, ..
        } = &mut *self.parts;
        let (start, name) = open.pop().unwrap_or((0, Slot::NAMELESS));
        let (at, len) = (slots.len(), stack.len() - start);
        self.too_large |= len > Slot::MAX_LEN || u32::try_from(at + len).is_err();
        slots.extend_from_slice(&stack[start..]);
        stack.truncate(start);
        self.name = name;
        self.push(Slot::new(0, tag, len, at));
    }

    /// Gives up the container that is open.
    pub(crate) fn abandon(&mut self) {
        if let Some((start, name)) = self.parts.open.pop() {
            self.parts.stack.truncate(start);
            self.name = name;
        }
    }

    /// How many children the open container has so far.
    pub(crate) fn children(&self) -> usize {
        self.parts.stack.len() - self.parts.open.last().map_or(0, |(start, _)| *start)
    }

    /// A value of any document.
    pub(crate) fn node(&mut self, node: Node<'_>) {
        if self.is_of_base(node) {
            return self.push(node.slot());
        }
        match node.slot().tag() {
            Tag::Null => self.null(),
            Tag::False => self.bool(false),
            Tag::True => self.bool(true),
            Tag::Text => self.text(node.as_str().unwrap_or("")),
            Tag::Integer => self.push(node.slot()),
            Tag::Wide | Tag::Float => match node.as_number() {
                Some(Number::Integer(i)) => self.integer(i),
                Some(Number::Float(f)) => self.float(f),
                None => self.null(),
            },
            Tag::List => {
                self.begin();
                node.items().for_each(|item| self.node(item));
                self.end_list();
            }
            Tag::Map => {
                self.begin();
                for (key, value) in node.entries() {
                    self.key(key);
                    self.node(value);
                }
                self.end_map();
            }
        }
    }

    /// The key of the next value: the one of this node, which comes from a mapping.
    pub(crate) fn same_key(&mut self, node: Node<'_>) {
        if self.is_of_base(node) {
            self.name = node.slot().name;
        } else {
            self.key(node.key());
        }
    }

    /// All entries of a mapping of any document but those with these keys.
    pub(crate) fn entries_without(&mut self, map: Node<'_>, left_out: &[&str]) {
        for (key, value) in map.entries().filter(|(key, _)| !left_out.contains(key)) {
            self.entry(key, value);
        }
    }

    fn is_of_base(&self, node: Node<'_>) -> bool {
        self.base.is_some_and(|base| std::ptr::eq(base, node.document()))
    }

    /// An entry of the base, with the key it has there.
    pub(crate) fn kept(&mut self, node: Node<'_>) {
        debug_assert!(self.is_of_base(node));
        self.parts.stack.push(node.slot());
    }

    /// A value that was built before, under the key that this entry of the base has.
    pub(crate) fn part_as(&mut self, node: Node<'_>, part: Part) {
        self.parts.stack.push(Slot {
            name: node.slot().name,
            ..part.0
        });
    }

    /// An entry of a mapping of any document, with its key.
    pub(crate) fn entry(&mut self, key: &str, node: Node<'_>) {
        if self.is_of_base(node)
            && node.slot().name != Slot::NAMELESS
            && read_name(&self.parts.texts.text, node.slot().name) == key
        {
            self.name = node.slot().name;
        } else {
            self.key(key);
        }
        self.node(node);
    }

    pub(crate) fn json(&mut self, value: &Value) {
        match value {
            Value::Null => self.null(),
            Value::Bool(b) => self.bool(*b),
            Value::Number(n) => match n.as_i128() {
                Some(i) => self.integer(i),
                None => self.float(n.as_f64().unwrap_or(0.0)),
            },
            Value::String(s) => self.text(s),
            Value::Array(items) => {
                self.begin();
                for item in items {
                    self.json(item);
                }
                self.end_list();
            }
            Value::Object(map) => {
                self.begin();
                for (key, value) in map {
                    self.key(key);
                    self.json(value);
                }
                self.end_map();
            }
        }
    }

    /// Takes the value that was written last out again, to be placed later or never.
    pub(crate) fn take(&mut self) -> Option<Part> {
        self.parts.stack.pop().map(Part)
    }

    /// Places a value that was built before.
    pub(crate) fn part(&mut self, part: Part) {
        self.push(part.0);
    }

    /// True when something did not fit: more than 64 MiB of text, or 4 GiB in all.
    pub(crate) fn is_too_large(&self) -> bool {
        self.too_large
    }

    /// The document whose root is the last value that was written; `null` when there is none, or when something did
    /// not fit.
    pub(crate) fn finish(mut self) -> Document {
        let root = self.parts.stack.pop().filter(|_| !self.too_large);
        let document = root.map_or_else(Document::null, |root| {
            self.parts.slots.push(Slot {
                name: Slot::NAMELESS,
                ..root
            });
            Document {
                slots: self.parts.slots.as_slice().into(),
                text: self.parts.texts.text.as_str().into(),
            }
        });
        self.parts.give_back();
        document
    }
}
