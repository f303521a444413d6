//! Custom resources: stored as JSON, with what their schema drops and fills in.

use std::cell::Cell;

use super::{
    native::{InStorage, Status, Unstorable, store_metadata, store_struct},
    tree::{Draft, Tree, View},
};
use crate::{
    Document,
    document::{Kind, Node},
    schema::{KindSchema, Layer, MapType, Type, TypeId},
};

/// The object as the server holds it: nulls that the schema does not allow take the default, what is absent too
/// (apiextensions-apiserver, `pkg/apiserver/schema/defaulting`), and metadata is the server's own type. What was taken
/// over from `base` is in that form already.
///
/// An error names a field that is null and must not be.
pub(crate) fn store_custom<'n>(
    kind: KindSchema<'n>,
    object: Node<'n>,
    base: Option<&'n Document>,
    status: Status<'n>,
) -> Result<InStorage<'n>, Unstorable> {
    let mut draft = Draft::of(object);
    // Before defaults: a status may have some.
    if status != Status::Written {
        draft.remove("status");
    }
    if let Status::Kept(live) = status
        && let Some(status) = live.root().get("status")
    {
        draft.put("status", Tree::Node(status));
    }
    let metadata = store_metadata(kind, object.get("metadata"))?;
    draft.put("metadata", metadata);
    let Some(map) = kind.layer.get(kind.root).map.as_ref().filter(|_| !kind.deduced) else {
        return Ok(InStorage {
            draft,
            empty: None,
            is_prepared: false,
        });
    };
    Walk {
        layer: kind.layer,
        base,
        depth: Cell::new(0),
    }
    .members(map, &mut draft, "metadata")?;
    Ok(InStorage {
        draft,
        empty: None,
        is_prepared: false,
    })
}

struct Walk<'s, 'l> {
    layer: &'s Layer,
    base: Option<&'l Document>,
    depth: Cell<usize>,
}

/// Types of CRDs do not hold themselves; those of an OpenAPI document may, and have defaults that hold them again.
const DEEPEST: usize = 128;

impl<'s> Walk<'s, '_> {
    fn value(&self, id: TypeId, node: Node<'s>) -> Result<Option<Tree<'s>>, Unstorable> {
        let depth = self.depth.get();
        if depth > DEEPEST {
            return Err(Unstorable::deep());
        }
        self.depth.set(depth + 1);
        let stored = self.shallow(id, node);
        self.depth.set(depth);
        stored
    }

    /// The value in its stored form; none when that is what it is.
    fn shallow(&self, id: TypeId, node: Node<'s>) -> Result<Option<Tree<'s>>, Unstorable> {
        let of = self.layer.get(id);
        if self.base.is_some_and(|base| node.is_container_of(base)) {
            return Ok(None);
        }
        match node.kind() {
            Kind::Map => {
                let mut draft = Draft::of(node);
                if of.custom.embedded {
                    named(node)?;
                }
                if of.custom.embedded
                    && let Some(field) = of.map.as_ref().and_then(|map| map.field("metadata"))
                    && let Some(metadata) = node.get("metadata")
                {
                    let stored = store_struct(self.layer, field.of, Some(metadata))?;
                    draft.put("metadata", stored);
                }
                if let Some(map) = &of.map {
                    self.members(map, &mut draft, if of.custom.embedded { "metadata" } else { "" })?;
                }
                Ok(Some(Tree::Map(draft)))
            }
            Kind::List => {
                let Some(list) = &of.list else { return Ok(None) };
                let mut items = Vec::with_capacity(node.len());
                for (i, item) in node.items().enumerate() {
                    let stored = self
                        .value(list.element, item)
                        .map_err(|wrong| wrong.within(&format!("[{i}]")))?;
                    items.push(stored.unwrap_or(Tree::Node(item)));
                }
                Ok(Some(Tree::List(items)))
            }
            Kind::Null if !of.custom.nullable && !takes_anything(of) => Err(Unstorable::null()),
            _ => Ok(None),
        }
    }

    /// Fills the members of a mapping in; the one named `done` is in its stored form already.
    fn members(&self, of: &'s MapType, draft: &mut Draft<'s>, done: &str) -> Result<(), Unstorable> {
        // A null where any type would do is dropped: removed fields leave such behind (seen on servers).
        for field in of.fields.iter().filter(|field| field.default.is_none()) {
            let kind = self.layer.get(field.of);
            if takes_anything(kind)
                && !kind.custom.nullable
                && draft.get(&field.name).is_some_and(View::is_null)
            {
                draft.remove(&field.name);
            }
        }
        for field in of.fields.iter().filter(|field| *field.name != *done) {
            let Some(default) = &field.default else { continue };
            let nullable = self.layer.get(field.of).custom.nullable;
            match draft.get(&field.name) {
                None => {}
                Some(value) if value.is_null() && !nullable => {}
                Some(_) => continue,
            }
            draft.put(&field.name, Tree::Node(default.root()));
        }
        let absent = of
            .fields
            .iter()
            .find(|field| field.required && !draft.contains(&field.name));
        if let Some(field) = absent {
            return Err(Unstorable::absent().within(&format!(".{}", field.name)));
        }
        let keys: Vec<String> = draft
            .keys()
            .filter(|key| *key != done)
            .map(str::to_owned)
            .collect();
        for key in keys {
            if let (Some(id), Some(super::tree::View::Node(node))) = (of.of(&key), draft.get(&key)) {
                let stored = self
                    .value(id, node)
                    .map_err(|wrong| wrong.within(&format!(".{key}")))?;
                if let Some(stored) = stored {
                    draft.put(&key, stored);
                }
            }
        }
        Ok(())
    }
}

/// An embedded resource says what it is (apiextensions-apiserver, `pkg/apiserver/schema/objectmeta/validation.go`).
fn named(embedded: Node<'_>) -> Result<(), Unstorable> {
    let says = |field: &str| {
        let text = embedded.get(field).and_then(Node::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    match ["apiVersion", "kind"].into_iter().find(|field| !says(field)) {
        Some(field) => Err(Unstorable::absent().within(&format!(".{field}"))),
        None => Ok(()),
    }
}

/// No `type` in the schema: null is a value like others.
fn takes_anything(of: &Type) -> bool {
    of.scalar.is_some() && of.map.is_some() && !of.custom.int_or_string
}
