//! Makes documents.

use std::collections::HashMap;

use serde_json::Value;

use super::{Document, Node, Number, Slot, Tag, push_name, read_name};

/// Writes one document from the inside out.
///
/// A builder [based on](Builder::based_on) a document takes parts of it over without copying them, so that a small
/// change of a large document costs little.
pub(crate) struct Builder<'b> {
    base: Option<&'b Document>,
    slots: Vec<Slot>,
    text: String,
    /// Children of the containers that are still open.
    stack: Vec<Slot>,
    /// Where the children of each open container begin in the stack, and the container's own name.
    open: Vec<(usize, u32)>,
    name: u32,
    names: HashMap<u64, u32, std::hash::BuildHasherDefault<Plain>>,
    too_large: bool,
}

/// A value that was built, not yet placed anywhere.
#[derive(Clone, Copy)]
pub(crate) struct Part(Slot);

impl<'b> Builder<'b> {
    pub(crate) fn new() -> Self {
        Self {
            base: None,
            slots: Vec::new(),
            text: String::new(),
            stack: Vec::new(),
            open: Vec::new(),
            name: Slot::NAMELESS,
            names: HashMap::default(),
            too_large: false,
        }
    }

    pub(crate) fn based_on(base: &'b Document) -> Self {
        Self {
            base: Some(base),
            slots: base.slots.to_vec(),
            text: base.text.to_string(),
            ..Self::new()
        }
    }

    /// The key of the next value.
    pub(crate) fn key(&mut self, key: &str) {
        let hash = hash(key);
        if let Some(at) = self.names.get(&hash)
            && read_name(&self.text, *at) == key
        {
            self.name = *at;
            return;
        }
        self.name = self.place(self.text.len());
        push_name(&mut self.text, key);
        self.names.insert(hash, self.name);
    }

    fn place(&mut self, at: usize) -> u32 {
        u32::try_from(at).ok().filter(|at| *at != u32::MAX).unwrap_or_else(|| {
            self.too_large = true;
            0
        })
    }

    fn push(&mut self, mut slot: Slot) {
        slot.name = std::mem::replace(&mut self.name, Slot::NAMELESS);
        self.stack.push(slot);
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
        match i64::try_from(value).ok().and_then(|value| Slot::integer(0, value)) {
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
        let at = self.text.len();
        self.place(at + text.len());
        self.too_large |= text.len() > Slot::MAX_LEN;
        self.push(Slot::new(0, tag, text.len(), at));
        self.text.push_str(text);
    }

    pub(crate) fn begin(&mut self) {
        let name = std::mem::replace(&mut self.name, Slot::NAMELESS);
        self.open.push((self.stack.len(), name));
    }

    pub(crate) fn end_list(&mut self) {
        self.end(Tag::List);
    }

    /// Sorts the entries by key; of equal keys the last one stays.
    pub(crate) fn end_map(&mut self) {
        let start = self.open.last().map_or(0, |(start, _)| *start);
        let text = &self.text;
        let entries = &mut self.stack[start..];
        let key = |slot: &Slot| read_name(text, slot.name);
        if !entries.is_sorted_by(|a, b| key(a) < key(b)) {
            entries.sort_by(|a, b| key(a).cmp(key(b)));
            let mut kept = start;
            for i in start..self.stack.len() {
                let next = self.stack.get(i + 1);
                if next.is_none_or(|next| key(next) != key(&self.stack[i])) {
                    self.stack[kept] = self.stack[i];
                    kept += 1;
                }
            }
            self.stack.truncate(kept);
        }
        self.end(Tag::Map);
    }

    fn end(&mut self, tag: Tag) {
        let (start, name) = self.open.pop().unwrap_or((0, Slot::NAMELESS));
        let (at, len) = (self.slots.len(), self.stack.len() - start);
        self.place(at + len);
        self.too_large |= len > Slot::MAX_LEN;
        self.slots.extend_from_slice(&self.stack[start..]);
        self.stack.truncate(start);
        self.name = name;
        self.push(Slot::new(0, tag, len, at));
    }

    /// Gives up the container that is open.
    pub(crate) fn abandon(&mut self) {
        if let Some((start, name)) = self.open.pop() {
            self.stack.truncate(start);
            self.name = name;
        }
    }

    /// How many children the open container has so far.
    pub(crate) fn children(&self) -> usize {
        self.stack.len() - self.open.last().map_or(0, |(start, _)| *start)
    }

    /// A value of any document.
    pub(crate) fn node(&mut self, node: Node<'_>) {
        if self.base.is_some_and(|base| std::ptr::eq(base, node.document())) {
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

    /// An entry of the base, with the key it has there.
    pub(crate) fn kept(&mut self, node: Node<'_>) {
        debug_assert!(self.base.is_some_and(|base| std::ptr::eq(base, node.document())));
        self.stack.push(node.slot());
    }

    /// A value that was built before, under the key that this entry of the base has.
    pub(crate) fn part_as(&mut self, node: Node<'_>, part: Part) {
        self.stack.push(Slot { name: node.slot().name, ..part.0 });
    }

    /// An entry of a mapping of any document, with its key.
    pub(crate) fn entry(&mut self, key: &str, node: Node<'_>) {
        if self.base.is_some_and(|base| std::ptr::eq(base, node.document()))
            && node.slot().name != Slot::NAMELESS
            && read_name(&self.text, node.slot().name) == key
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
                items.iter().for_each(|item| self.json(item));
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
        self.stack.pop().map(Part)
    }

    /// Places a value that was built before.
    pub(crate) fn part(&mut self, part: Part) {
        self.push(part.0);
    }

    /// True when something did not fit: more than 256 MiB in one text or mapping, or 4 GiB in all.
    pub(crate) fn is_too_large(&self) -> bool {
        self.too_large
    }

    /// The document whose root is the last value that was written; `null` when there is none.
    pub(crate) fn finish(mut self) -> Document {
        let root = self.stack.pop().unwrap_or(Slot::new(0, Tag::Null, 0, 0));
        self.slots.push(Slot { name: Slot::NAMELESS, ..root });
        Document {
            slots: self.slots.into_boxed_slice(),
            text: self.text.into_boxed_str(),
        }
    }
}

/// FNV-1a, folded by eight bytes: keys are short and collisions are checked.
fn hash(key: &str) -> u64 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64 ^ key.len() as u64;
    for chunk in key.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        state = (state ^ u64::from_le_bytes(word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        state ^= state >> 29;
    }
    state
}

/// The key of the table is a hash already.
#[derive(Default)]
pub(crate) struct Plain(u64);

impl std::hash::Hasher for Plain {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = value;
    }
}
