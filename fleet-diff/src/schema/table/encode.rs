//! Writes a table.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    MAGIC,
    bits::{self, write as bits_of},
    bytes::write as put,
};
use crate::{
    Document, FieldSet,
    schema::{Field, Layer, ListKind, Type, TypeId},
};

/// The layer as bytes; the same layer always as the same bytes.
pub(super) fn encode(layer: &Layer) -> Vec<u8> {
    let (words, defaults, sets) = (words(layer), defaults(layer), sets(layer));
    let mut out = MAGIC.to_vec();
    put::number(&mut out, u32::from(layer.told));
    put::words(&mut out, &words.iter().copied().collect::<Vec<_>>());
    for texts in [&defaults, &sets] {
        put::count(&mut out, texts.len());
        for text in texts {
            put::text(&mut out, text);
        }
    }
    let mut writer = Writer {
        out,
        words: positions(words),
        defaults: positions(defaults),
        sets: positions(sets),
    };
    writer.layer(layer);
    writer.out
}

fn positions<T: Ord>(of: BTreeSet<T>) -> BTreeMap<T, usize> {
    of.into_iter().zip(0..).collect()
}

fn words(layer: &Layer) -> BTreeSet<&str> {
    let mut words: BTreeSet<&str> = layer
        .names
        .keys()
        .chain(&layer.gates)
        .map(|word| &**word)
        .collect();
    for gvk in layer.kinds.keys() {
        words.extend([gvk.group(), gvk.version(), gvk.kind()]);
    }
    for of in &layer.types {
        if let Some(ListKind::Map(keys)) = of.list.as_ref().map(|list| &list.kind) {
            words.extend(keys.iter().map(|key| &**key));
        }
        words.extend(fields(of).map(|field| &*field.name));
    }
    words
}

fn defaults(layer: &Layer) -> BTreeSet<String> {
    let fields = layer.types.iter().flat_map(fields);
    fields
        .filter_map(|field| Some(json(field.default.as_ref()?)))
        .collect()
}

fn sets(layer: &Layer) -> BTreeSet<String> {
    layer.kinds.values().map(|kind| set(&kind.resets)).collect()
}

fn fields(of: &Type) -> impl Iterator<Item = &Field> {
    of.map.iter().flat_map(|map| &map.fields)
}

fn json(document: &Document) -> String {
    document.root().to_string()
}

fn set(fields: &FieldSet) -> String {
    json(&fields.to_fields_v1())
}

struct Writer<'l> {
    out: Vec<u8>,
    words: BTreeMap<&'l str, usize>,
    defaults: BTreeMap<String, usize>,
    sets: BTreeMap<String, usize>,
}

impl Writer<'_> {
    fn layer(&mut self, layer: &Layer) {
        let types = layer.types.get(2..).unwrap_or_default();
        self.count(types.len());
        for of in types {
            self.one_type(of);
        }
        self.count(layer.names.len());
        let mut next = 0;
        for (name, id) in &layer.names {
            self.next_word(&mut next, name);
            self.reference(*id);
        }
        self.count(layer.kinds.len());
        for (gvk, kind) in &layer.kinds {
            for word in [gvk.group(), gvk.version(), gvk.kind()] {
                self.count(self.words[word]);
            }
            self.reference(kind.root);
            put::number(&mut self.out, bits_of::kind_bits(kind.native, kind.namespaced));
            self.count(self.sets[&set(&kind.resets)]);
        }
        self.ascending(layer.gates.iter().map(|gate| &**gate));
    }

    fn one_type(&mut self, of: &Type) {
        put::number(&mut self.out, bits_of::type_bits(of));
        if let Some(list) = &of.list {
            self.reference(list.element);
            if let ListKind::Map(keys) = &list.kind {
                self.ascending(keys.iter().map(|key| &**key));
            }
        }
        if let Some(map) = &of.map {
            if let Some(element) = map.element {
                self.reference(element);
            }
            self.count(map.fields.len());
            let mut next = 0;
            for field in &map.fields {
                self.next_word(&mut next, &field.name);
                let said = bits_of::field_bits(bits::FieldBits {
                    form: field.form,
                    has_default: field.default.is_some(),
                    required: field.required,
                });
                put::number(&mut self.out, (field.of.0 << bits::FIELD) | said);
                if let Some(default) = &field.default {
                    self.count(self.defaults[&json(default)]);
                }
            }
        }
    }

    fn ascending<'w>(&mut self, words: impl ExactSizeIterator<Item = &'w str>) {
        self.count(words.len());
        let mut next = 0;
        words.for_each(|word| self.next_word(&mut next, word));
    }

    /// The distance from the word that may be next.
    fn next_word(&mut self, next: &mut usize, word: &str) {
        let at = self.words[word];
        self.count(at.saturating_sub(*next));
        *next = at + 1;
    }

    fn reference(&mut self, id: TypeId) {
        put::number(&mut self.out, id.0);
    }

    fn count(&mut self, count: usize) {
        put::count(&mut self.out, count);
    }
}
