//! What API servers refuse to change, by kind: [`rows`] has the table, the other files when a row of it counts.

mod pods;
mod rows;
mod services;
mod volumes;
mod when;

use std::sync::LazyLock;

use serde_json::Value;

use super::pattern::PathPattern;
use crate::{FieldPath, FieldSet, Gvk, Quantity, document::Node};
use rows::{ROWS, Row};

pub(crate) use pods::loses_node_selector;
pub(crate) use when::is_established;

/// A change that a server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) rule: &'static str,
    pub(crate) fact: Fact,
    pub(crate) path: FieldPath,
}

/// What may not happen to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// Nothing: the object must be made again.
    Immutable,
    /// Nothing once it has a value.
    WriteOnce,
    /// It may only grow, as a quantity.
    GrowOnly,
}

struct Compiled {
    row: &'static Row,
    path: PathPattern,
    except: Vec<PathPattern>,
}

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let compile = |row| compile(row).expect("the table's own patterns are tested");
    ROWS.iter().map(compile).collect()
});

fn compile(row: &'static Row) -> Result<Compiled, crate::PathError> {
    let except = row
        .except
        .iter()
        .map(|path| path.parse())
        .collect::<Result<_, _>>()?;
    Ok(Compiled {
        row,
        path: row.path.parse()?,
        except,
    })
}

/// False when nothing differs that a row of the table means. Much quicker than finding all that differs.
pub(crate) fn may_be_broken(gvk: &Gvk, live: Node<'_>, new: Node<'_>) -> bool {
    COMPILED
        .iter()
        .filter(|c| c.row.group == gvk.group() && c.row.kind == gvk.kind())
        .any(|c| c.path.may_differ(live, new))
}

/// Whether two values of a field are the same to a server.
pub(crate) type Same<'a> = &'a dyn Fn(&FieldPath, Node<'_>, Node<'_>) -> bool;

/// The changes among these that a server refuses. `changed` are the fields that differ between both objects.
pub(crate) fn broken(
    gvk: &Gvk,
    changed: &FieldSet,
    live: Node<'_>,
    new: Node<'_>,
    same: Same<'_>,
) -> Vec<Broken> {
    let rows = COMPILED
        .iter()
        .filter(|c| c.row.group == gvk.group() && c.row.kind == gvk.kind());
    let mut found = Vec::new();
    for compiled in rows.filter(|c| (c.row.when)(live, new)) {
        let hit = changed.iter().find(|path| {
            let meant = compiled.path.covers(path) && !is_excepted(compiled, path, live);
            meant && really_changed(path, live, new, same) && forbids(compiled, path, live, new)
        });
        if let Some(path) = hit {
            found.push(Broken {
                rule: compiled.row.id,
                fact: compiled.row.fact,
                path,
            });
        }
    }
    found
}

/// A field around an exception changes along with it: it says nothing by itself. A list does: by its order.
fn is_excepted(compiled: &Compiled, path: &FieldPath, live: Node<'_>) -> bool {
    let is_list = path.find(live).is_some_and(Node::is_list);
    compiled
        .except
        .iter()
        .any(|except| except.covers(path) || (!is_list && except.is_inside(path)))
}

fn really_changed(path: &FieldPath, live: Node<'_>, new: Node<'_>, same: Same<'_>) -> bool {
    match (path.find(live), path.find(new)) {
        (Some(a), Some(b)) => !same(path, a, b),
        (None, None) => false,
        _ => true,
    }
}

fn forbids(compiled: &Compiled, path: &FieldPath, live: Node<'_>, new: Node<'_>) -> bool {
    match compiled.row.fact {
        Fact::Immutable => true,
        Fact::WriteOnce => {
            let meant = FieldPath::new(path.elements().iter().take(compiled.path.len()).cloned());
            meant.find(live).is_some_and(|value| !is_empty(&value.to_json()))
        }
        Fact::GrowOnly => {
            let quantity = |of| path.find(of).and_then(Node::as_str)?.parse::<Quantity>().ok();
            matches!((quantity(live), quantity(new)), (Some(before), Some(after)) if after < before)
        }
    }
}

/// Equal as the server compares stored forms: quantities by value.
pub(crate) fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::String(a), Value::String(b)) => {
            a == b || matches!((a.parse::<Quantity>(), b.parse::<Quantity>()), (Ok(a), Ok(b)) if a == b)
        }
        _ => a == b,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_readable() {
        let mut ids = BTreeSet::new();
        for row in ROWS {
            assert!(ids.insert(row.id), "{} twice", row.id);
            compile(row).unwrap_or_else(|error| panic!("{}: {error}", row.id));
        }
    }
}
