//! What of a layer is worth keeping.

use std::{cmp::Reverse, collections::HashMap};

use crate::schema::{Layer, Type, TypeId};

/// The kinds that the server serves, and the types they reach; not lists of objects, options and answers. Types are
/// numbered anew, those that are used most first, whatever their order was.
pub(super) fn reduced(layer: &Layer) -> Layer {
    let served = layer.kinds.iter().filter(|(_, kind)| kind.namespaced.is_some());
    let mut reached = Reached {
        layer,
        order: Vec::new(),
        uses: HashMap::new(),
    };
    served.clone().for_each(|(_, kind)| reached.visit(kind.root));
    let Reached { mut order, uses, .. } = reached;
    order.sort_by_key(|id| Reverse(uses[id]));
    let fixed = [TypeId::UNTYPED, TypeId::DEDUCED];
    let numbers: HashMap<TypeId, TypeId> = fixed
        .iter()
        .chain(&order)
        .copied()
        .zip((0..).map(TypeId))
        .collect();
    let types = order.iter().map(|id| with_numbers(layer.get(*id), &numbers));
    let names = layer
        .names
        .iter()
        .filter_map(|(name, id)| Some((name.clone(), *numbers.get(id)?)));
    let named = names.clone().map(|(name, id)| (id, name));
    Layer {
        types: [Type::untyped(), Type::deduced()]
            .into_iter()
            .chain(types)
            .collect(),
        names: names.clone().collect(),
        named: named.collect(),
        kinds: served
            .map(|(gvk, kind)| {
                let mut kind = kind.clone();
                kind.root = numbers[&kind.root];
                (gvk.clone(), kind)
            })
            .collect(),
        gates: layer.gates.clone(),
        told: layer.told,
    }
}

struct Reached<'l> {
    layer: &'l Layer,
    /// In the order of their first use.
    order: Vec<TypeId>,
    uses: HashMap<TypeId, usize>,
}

impl Reached<'_> {
    fn visit(&mut self, id: TypeId) {
        if id == TypeId::UNTYPED || id == TypeId::DEDUCED {
            return;
        }
        let uses = self.uses.entry(id).or_default();
        *uses += 1;
        if *uses > 1 {
            return;
        }
        self.order.push(id);
        let of = self.layer.get(id);
        if let Some(list) = &of.list {
            self.visit(list.element);
        }
        if let Some(map) = &of.map {
            map.element.into_iter().for_each(|element| self.visit(element));
            map.fields.iter().for_each(|field| self.visit(field.of));
        }
    }
}

fn with_numbers(of: &Type, numbers: &HashMap<TypeId, TypeId>) -> Type {
    let mut of = of.clone();
    if let Some(list) = &mut of.list {
        list.element = numbers[&list.element];
    }
    if let Some(map) = &mut of.map {
        map.element = map.element.map(|element| numbers[&element]);
        map.fields
            .iter_mut()
            .for_each(|field| field.of = numbers[&field.of]);
    }
    of
}
