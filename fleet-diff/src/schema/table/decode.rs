//! Reads a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{MAGIC, bits, bits::ListBits, bytes::Bytes};
use crate::{
    Document, FieldSet, GroupKind, SchemaError,
    schema::{Conversion, Field, Fields, KindEntry, Layer, ListKind, ListType, MapType, Type, TypeId},
};

type Read<T> = Result<T, SchemaError>;
type ByName = BTreeMap<Arc<str>, TypeId>;
type Names = BTreeMap<TypeId, Arc<str>>;

/// The layer that was written. The time it takes and the memory it fills are within a fixed multiple of the bytes.
///
/// # Errors
/// When the bytes are no table of this version of the format. Bytes that were damaged may still be a table.
pub(in crate::schema) fn decode(bytes: &[u8]) -> Read<Layer> {
    let mut bytes = Bytes::new(bytes);
    if bytes.take(MAGIC.len())? != MAGIC {
        return Err(bytes.error("is no table of this version"));
    }
    let told = match bytes.number()? {
        0 => false,
        1 => true,
        _ => return Err(bytes.error("an unknown flag")),
    };
    let words = bytes.words()?;
    let defaults = documents(&mut bytes)?.into_iter().map(Arc::new).collect();
    let sets = sets(&mut bytes)?;
    let count = bytes.count()?;
    let mut table = Table {
        bytes,
        words,
        defaults,
        types: count + 2,
    };
    let mut types = Vec::with_capacity(table.types);
    types.extend([Type::untyped(), Type::deduced()]);
    for _ in 0..count {
        types.push(table.one_type()?);
    }
    let (names, named) = table.names()?;
    let kinds = table.kinds(&sets)?;
    let gates = table.gates()?;
    table.bytes.end()?;
    Ok(Layer {
        types,
        names,
        named,
        kinds,
        gates,
        told,
    })
}

fn documents(bytes: &mut Bytes<'_>) -> Read<Vec<Document>> {
    let count = bytes.count()?;
    let mut documents = Vec::with_capacity(count);
    for _ in 0..count {
        let document = bytes.text()?.parse();
        documents.push(document.map_err(|_| bytes.error("a value is not JSON"))?);
    }
    Ok(documents)
}

fn sets(bytes: &mut Bytes<'_>) -> Read<Vec<Arc<FieldSet>>> {
    let documents = documents(bytes)?;
    let sets = documents
        .iter()
        .map(|document| FieldSet::from_fields_v1(document).map(Arc::new));
    sets.collect::<Result<_, _>>()
        .map_err(|_| bytes.error("a value is no set of fields"))
}

struct Table<'a> {
    bytes: Bytes<'a>,
    words: Vec<Arc<str>>,
    defaults: Vec<Arc<Document>>,
    /// How many types there are, with the two that are always there.
    types: usize,
}

impl Table<'_> {
    fn one_type(&mut self) -> Read<Type> {
        let bits = self.bytes.number()?;
        let bits = bits::read_type(bits).ok_or_else(|| self.bytes.error("an unknown type"))?;
        let list = match bits.list {
            ListBits::None => None,
            kind => {
                let element = self.reference()?;
                let kind = match kind {
                    ListBits::Set => ListKind::Set,
                    ListBits::Map => ListKind::Map(self.ascending()?.into()),
                    _ => ListKind::Atomic,
                };
                Some(ListType { element, kind })
            }
        };
        let map = match bits.map {
            None => None,
            Some(map) => {
                let element = if map.has_element {
                    Some(self.reference()?)
                } else {
                    None
                };
                Some(MapType {
                    fields: self.fields()?,
                    element,
                    atomic: map.atomic,
                })
            }
        };
        Ok(Type {
            scalar: bits.scalar,
            list,
            map,
            stored: bits.stored,
            custom: bits.custom,
        })
    }

    fn fields(&mut self) -> Read<Fields> {
        let count = self.bytes.count()?;
        let mut fields = Vec::with_capacity(count);
        let mut word = None;
        for _ in 0..count {
            let name = self.next_word(&mut word)?;
            let number = self.bytes.number()?;
            let of = self.type_id(number >> bits::FIELD)?;
            let said = bits::read_field(number & ((1 << bits::FIELD) - 1));
            let said = said.ok_or_else(|| self.bytes.error("an unknown form of a field"))?;
            let default = if said.has_default {
                Some(self.default()?)
            } else {
                None
            };
            fields.push(Field {
                name,
                of,
                default,
                form: said.form,
                required: said.required,
            });
        }
        Ok(fields.into())
    }

    /// Types by name, and names by type.
    fn names(&mut self) -> Read<(ByName, Names)> {
        let count = self.bytes.count()?;
        let mut names = Vec::with_capacity(count);
        let mut word = None;
        for _ in 0..count {
            let name = self.next_word(&mut word)?;
            names.push((name, self.reference()?));
        }
        let named: BTreeMap<_, _> = names.iter().map(|(name, id)| (*id, name.clone())).collect();
        if named.len() < names.len() {
            return Err(self.bytes.error("a type has two names"));
        }
        Ok((names.into_iter().collect(), named))
    }

    fn kinds(&mut self, sets: &[Arc<FieldSet>]) -> Read<BTreeMap<crate::Gvk, KindEntry>> {
        let mut kinds = BTreeMap::new();
        for _ in 0..self.bytes.count()? {
            let (group, version, kind) = (self.word()?, self.word()?, self.word()?);
            let root = self.reference()?;
            let bits = self.bytes.number()?;
            let bits = bits::read_kind(bits);
            let (native, namespaced) = bits.ok_or_else(|| self.bytes.error("an unknown flag of a kind"))?;
            let resets = sets.get(self.bytes.number()? as usize);
            let resets = resets.ok_or_else(|| self.bytes.error("there is no such set of fields"))?;
            let entry = KindEntry {
                root,
                native,
                resets: resets.clone(),
                namespaced,
                conversion: Conversion::of(native),
            };
            if kinds
                .insert(GroupKind::new(group, kind).at(version), entry)
                .is_some()
            {
                return Err(self.bytes.error("a kind occurs twice"));
            }
        }
        Ok(kinds)
    }

    fn gates(&mut self) -> Read<BTreeSet<Arc<str>>> {
        Ok(self.ascending()?.into_iter().collect())
    }

    /// A list of words in ascending order.
    fn ascending(&mut self) -> Read<Vec<Arc<str>>> {
        let count = self.bytes.count()?;
        let mut words = Vec::with_capacity(count);
        let mut word = None;
        for _ in 0..count {
            words.push(self.next_word(&mut word)?);
        }
        Ok(words)
    }

    /// A word after the one at this position, written as the distance.
    fn next_word(&mut self, at: &mut Option<usize>) -> Read<Arc<str>> {
        let next = at.map_or(0, |at| at + 1) + self.bytes.number()? as usize;
        *at = Some(next);
        self.word_at(next)
    }

    fn word(&mut self) -> Read<Arc<str>> {
        let at = self.bytes.number()? as usize;
        self.word_at(at)
    }

    fn word_at(&self, at: usize) -> Read<Arc<str>> {
        let word = self.words.get(at).cloned();
        word.ok_or_else(|| self.bytes.error("there is no such word"))
    }

    fn default(&mut self) -> Read<Arc<Document>> {
        let default = self.defaults.get(self.bytes.number()? as usize).cloned();
        default.ok_or_else(|| self.bytes.error("there is no such default"))
    }

    fn reference(&mut self) -> Read<TypeId> {
        let id = self.bytes.number()?;
        self.type_id(id)
    }

    fn type_id(&self, id: u32) -> Read<TypeId> {
        if (id as usize) < self.types {
            Ok(TypeId(id))
        } else {
            Err(self.bytes.error("there is no such type"))
        }
    }
}
