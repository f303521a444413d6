//! What was sent, as a server's own types hold it before it is stored: who looks at owners then sees lists that are empty
//! and not absent. In lists that are one value it sees more, as Go compares those structure by structure
//! (structured-merge-diff, `value/listreflect.go`): what is empty and otherwise left out, and quantities that are parsed
//! to other structures or not said at all.

use super::{
    quantity::is_one_value,
    tree::{Draft, Tree},
};
use crate::{
    Document,
    document::{Kind, Node},
    schema::{KindSchema, Layer, ListKind, MapType, Stored, TypeId},
};

/// The object as it was decoded: `stored` is what becomes of it. None when they are the same.
pub(crate) fn as_decoded(kind: KindSchema<'_>, stored: &Document, sent: Node<'_>) -> Option<Document> {
    if !kind.native {
        return None;
    }
    let walk = Walk { layer: kind.layer };
    let decoded = walk.value(kind.root, stored.root(), sent, Within::Fields)?;
    match decoded {
        Tree::Map(draft) => Some(draft.finish(stored)),
        _ => None,
    }
}

struct Walk<'s> {
    layer: &'s Layer,
}

/// What a value is in, as far as comparing goes.
#[derive(Clone, Copy, PartialEq)]
enum Within {
    Fields,
    /// A mapping that is one field. Its lists are compared by Go.
    Leaf,
    /// A list that Go compares.
    List,
}

impl Walk<'_> {
    /// The decoded form of a value, where it differs from the stored one.
    fn value<'n>(&self, id: TypeId, stored: Node<'n>, sent: Node<'n>, within: Within) -> Option<Tree<'n>> {
        let of = self.layer.get(id);
        match (stored.kind(), sent.kind()) {
            (Kind::Map, Kind::Map) => {
                let map = of.map.as_ref()?;
                self.map(map, stored, sent, within).map(Tree::Map)
            }
            (Kind::List, Kind::List) if stored.len() == sent.len() => {
                let list = of.list.as_ref()?;
                let is_leaf = within != Within::Fields || list.kind == ListKind::Atomic;
                let within = if is_leaf { Within::List } else { Within::Fields };
                self.list(list.element, stored, sent, within)
            }
            _ => None,
        }
    }

    fn list<'n>(
        &self,
        element: TypeId,
        stored: Node<'n>,
        sent: Node<'n>,
        within: Within,
    ) -> Option<Tree<'n>> {
        let mut changed = false;
        let items = stored.items().zip(sent.items()).map(|(stored, sent)| {
            let decoded = self.value(element, stored, sent, within);
            changed |= decoded.is_some();
            decoded.unwrap_or(Tree::Node(stored))
        });
        let items: Vec<Tree<'n>> = items.collect();
        changed.then_some(Tree::List(items))
    }

    fn map<'n>(&self, of: &MapType, stored: Node<'n>, sent: Node<'n>, within: Within) -> Option<Draft<'n>> {
        let within = match within {
            Within::Fields if of.atomic => Within::Leaf,
            within => within,
        };
        let by_go = within == Within::List;
        let mut changes: Vec<(&str, Option<Tree<'n>>)> = Vec::new();
        for (key, stored) in stored.entries() {
            let Some(id) = of.of(key) else { continue };
            let said = sent.get(key).filter(|said| !said.is_null());
            let pointer = of.field(key).is_some_and(|field| field.form.pointer);
            let is_quantity = self.layer.get(id).stored == Stored::Quantity;
            match said {
                None if by_go && is_quantity && !pointer && stored.as_str() == Some("0") => {
                    changes.push((key, None));
                }
                Some(said) if by_go && is_quantity && !is_same_quantity(stored, said) => {
                    changes.push((key, Some(Tree::Node(said))));
                }
                Some(said) if stored.is_null() && self.is_empty(id, said) => {
                    changes.push((key, Some(Tree::Node(said))));
                }
                Some(said) => {
                    if let Some(decoded) = self.value(id, stored, said, within) {
                        changes.push((key, Some(decoded)));
                    }
                }
                None => {}
            }
        }
        if by_go {
            let absent = sent.entries().filter(|(key, said)| {
                stored.get(key).is_none() && of.of(key).is_some_and(|id| self.is_empty(id, *said))
            });
            changes.extend(absent.map(|(key, said)| (key, Some(Tree::Node(said)))));
        }
        if changes.is_empty() {
            return None;
        }
        let mut draft = Draft::of(stored);
        for (key, value) in changes {
            match value {
                Some(value) => draft.put(key, value),
                None => drop(draft.remove(key)),
            }
        }
        Some(draft)
    }

    /// A list or mapping that is there and has nothing in it.
    fn is_empty(&self, id: TypeId, said: Node<'_>) -> bool {
        let holds = matches!(self.layer.get(id).stored, Stored::List | Stored::Map);
        holds && matches!(said.kind(), Kind::List | Kind::Map) && said.is_empty()
    }
}

/// Whether a quantity that was sent is to Go what is stored of it.
fn is_same_quantity(stored: Node<'_>, said: Node<'_>) -> bool {
    let Some(stored) = stored.as_str() else {
        return true;
    };
    match said.kind() {
        Kind::Text => said.as_str().is_none_or(|said| is_one_value(stored, said)),
        Kind::Number => is_one_value(stored, &said.to_string()),
        _ => true,
    }
}
