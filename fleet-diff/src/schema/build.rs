//! Makes a table of types, each different type once.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    sync::Arc,
};

use super::{KindEntry, Layer, Type, TypeId};
use crate::Gvk;

/// In names of types that are merged otherwise than their own schema says, before how they are.
pub(super) const MERGED: char = '#';

pub(super) struct Types {
    all: Vec<Type>,
    known: HashMap<Type, TypeId>,
    names: BTreeMap<Arc<str>, TypeId>,
    kinds: BTreeMap<Gvk, KindEntry>,
    gates: BTreeSet<Arc<str>>,
    told: bool,
    is_named: HashSet<TypeId>,
    /// Named types that are merged otherwise than their own schema says: the type, the one it stands for, and whether
    /// it is replaced as a whole.
    overrides: Vec<(TypeId, TypeId, bool)>,
}

impl Default for Types {
    fn default() -> Self {
        let (untyped, deduced) = (Type::untyped(), Type::deduced());
        let known = [
            (untyped.clone(), TypeId::UNTYPED),
            (deduced.clone(), TypeId::DEDUCED),
        ];
        Self {
            all: vec![untyped, deduced],
            known: known.into(),
            names: BTreeMap::new(),
            kinds: BTreeMap::new(),
            gates: BTreeSet::new(),
            told: false,
            is_named: HashSet::new(),
            overrides: Vec::new(),
        }
    }
}

impl Types {
    pub(super) fn add(&mut self, of: Type) -> TypeId {
        if let Some(id) = self.known.get(&of) {
            return *id;
        }
        let id = self.next();
        self.known.insert(of.clone(), id);
        self.all.push(of);
        id
    }

    /// A type that is referred to by name, perhaps before it is known.
    pub(super) fn named(&mut self, name: &str) -> TypeId {
        if let Some(id) = self.names.get(name) {
            return *id;
        }
        let id = self.next();
        self.all.push(Type::deduced());
        self.names.insert(name.into(), id);
        self.is_named.insert(id);
        id
    }

    pub(super) fn is_named(&self, id: TypeId) -> bool {
        self.is_named.contains(&id)
    }

    /// A named type with another way to merge its mapping.
    pub(super) fn overridden(&mut self, name: &str, id: TypeId, atomic: bool) -> TypeId {
        let own = self.named(&format!(
            "{name}{MERGED}{}",
            if atomic { "atomic" } else { "granular" }
        ));
        self.overrides.push((own, id, atomic));
        own
    }

    pub(super) fn define(&mut self, id: TypeId, of: Type) {
        if let Some(slot) = self.all.get_mut(id.0 as usize) {
            *slot = of;
        }
    }

    pub(super) fn get(&self, id: TypeId) -> &Type {
        &self.all[id.0 as usize]
    }

    pub(super) fn kind(&mut self, gvk: Gvk, kind: KindEntry) {
        self.kinds.insert(gvk, kind);
    }

    pub(super) fn gate(&mut self, name: &str) {
        self.gates.insert(name.into());
    }

    /// The layer has facts about the Go types of its own.
    pub(super) fn told(&mut self) {
        self.told = true;
    }

    fn next(&self) -> TypeId {
        TypeId(u32::try_from(self.all.len()).unwrap_or(u32::MAX))
    }

    /// Takes a type of another layer over, with everything it refers to.
    pub(super) fn import(&mut self, from: &Layer, id: TypeId) -> TypeId {
        self.import_into(from, id, &mut HashMap::new())
    }

    fn import_into(&mut self, from: &Layer, id: TypeId, done: &mut HashMap<TypeId, TypeId>) -> TypeId {
        if id == TypeId::UNTYPED || id == TypeId::DEDUCED {
            return id;
        }
        if let Some(known) = done.get(&id) {
            return *known;
        }
        let own = self.next();
        self.all.push(Type::deduced());
        done.insert(id, own);
        let mut of = from.get(id).clone();
        if let Some(list) = &mut of.list {
            list.element = self.import_into(from, list.element, done);
        }
        if let Some(map) = &mut of.map {
            map.element = map.element.map(|element| self.import_into(from, element, done));
            for field in &mut map.fields {
                field.of = self.import_into(from, field.of, done);
            }
        }
        self.define(own, of);
        own
    }

    pub(super) fn finish(mut self) -> Layer {
        for (own, id, atomic) in std::mem::take(&mut self.overrides) {
            let mut of = self.get(id).clone();
            if let Some(map) = &mut of.map {
                map.atomic = atomic;
            }
            self.define(own, of);
        }
        let named = self.names.iter().map(|(name, id)| (*id, name.clone())).collect();
        Layer {
            types: self.all,
            names: self.names,
            named,
            kinds: self.kinds,
            gates: self.gates,
            told: self.told,
        }
    }
}
