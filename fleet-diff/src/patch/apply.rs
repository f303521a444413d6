//! What a JSON patch makes of a value, as API servers see it (`evanphx/json-patch` v4, `patch.go`): not all of it is in the
//! standard. A `replace` need not find a key, a `test` for null passes where nothing is, positions may count from the end
//! of a list, and a `test` of a text with certain characters never passes.

use json_patch::{
    PatchOperation,
    jsonptr::{Pointer, Token},
};
use serde_json::Value;

/// An operation that does not fit: the pointer, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) pointer: String,
    pub(crate) problem: &'static str,
}

type Fits<T> = Result<T, &'static str>;

const MISSING: &str = "is not there";
const NO_PLACE: &str = "is no place in a list";

/// Does all operations; after an error the value is of no use.
pub(crate) fn apply(value: &mut Value, patch: &[PatchOperation]) -> Result<(), Unfit> {
    for operation in patch {
        one(value, operation).map_err(|problem| Unfit {
            pointer: operation.path().to_string(),
            problem,
        })?;
    }
    Ok(())
}

fn one(value: &mut Value, operation: &PatchOperation) -> Fits<()> {
    match operation {
        PatchOperation::Add(add) => put(value, &add.path, add.value.clone()),
        PatchOperation::Remove(remove) => take(value, &remove.path).map(drop),
        PatchOperation::Replace(replace) => overwrite(value, &replace.path, replace.value.clone()),
        PatchOperation::Move(r#move) => {
            let moved = take(value, &r#move.from)?;
            put(value, &r#move.path, moved)
        }
        PatchOperation::Copy(copy) => {
            let copied = find(value, &copy.from)?.cloned().unwrap_or_default();
            put(value, &copy.path, copied)
        }
        PatchOperation::Test(test) => match find(value, &test.path)? {
            Some(found) if *found == test.value && can_pass(found) => Ok(()),
            None if test.value.is_null() => Ok(()),
            _ => Err("does not pass its test"),
        },
    }
}

/// Whether a test for this value can pass in a server at all: it compares bytes, its own in which these characters are
/// escaped, as Go does, with those that were sent, in which they are not.
pub(super) fn can_pass(value: &Value) -> bool {
    match value {
        Value::String(text) => !is_escaped_by_go(text),
        // Keys are compared as texts.
        Value::Object(map) => map.values().all(can_pass),
        Value::Array(items) => items.iter().all(can_pass),
        Value::Null | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether Go, and few others, would spell a text in JSON with escapes (`encoding/json`, `HTMLEscape`).
pub(crate) fn is_escaped_by_go(text: &str) -> bool {
    text.contains(['<', '>', '&', '\u{2028}', '\u{2029}'])
}

/// What holds the value that is pointed to, and the last step; none for the whole.
fn holder<'v, 'p>(value: &'v mut Value, pointer: &'p Pointer) -> Fits<Option<(&'v mut Value, Token<'p>)>> {
    let Some((outer, last)) = pointer.split_back() else {
        return Ok(None);
    };
    let mut at = value;
    for step in outer.tokens() {
        at = match at {
            Value::Object(map) => map.get_mut(&*step.decoded()).ok_or(MISSING)?,
            Value::Array(items) => {
                let position = position(&step, items.len(), items.len())?;
                items.get_mut(position).ok_or(MISSING)?
            }
            _ => return Err(MISSING),
        };
    }
    Ok(Some((at, last)))
}

/// A place among `count` elements; `limit` is the first that is none.
fn position(step: &Token<'_>, count: usize, limit: usize) -> Fits<usize> {
    let number: i64 = step.decoded().parse().map_err(|_| NO_PLACE)?;
    let position = match usize::try_from(number) {
        Ok(position) => position,
        Err(_) => usize::try_from(number.unsigned_abs())
            .ok()
            .and_then(|back| limit.checked_sub(back))
            .ok_or(NO_PLACE)?,
    };
    if position < limit && position <= count {
        Ok(position)
    } else {
        Err(NO_PLACE)
    }
}

/// The value that is pointed to, or nothing where a mapping has no such key.
fn find<'v>(value: &'v mut Value, pointer: &Pointer) -> Fits<Option<&'v Value>> {
    let Some((holder, last)) = holder(value, pointer)? else {
        // The holder is gone with its loan.
        return Err("must point into the object");
    };
    match holder {
        Value::Object(map) => Ok(map.get(&*last.decoded())),
        Value::Array(items) => {
            let position = position(&last, items.len(), items.len())?;
            Ok(items.get(position))
        }
        _ => Err(MISSING),
    }
}

fn put(value: &mut Value, pointer: &Pointer, new: Value) -> Fits<()> {
    let Some((holder, last)) = holder(value, pointer)? else {
        return Err("must point into the object");
    };
    match holder {
        Value::Object(map) => drop(map.insert(last.decoded().into_owned(), new)),
        Value::Array(items) if last.decoded() == "-" => items.push(new),
        Value::Array(items) => {
            let position = position(&last, items.len(), items.len() + 1)?;
            items.insert(position, new);
        }
        _ => return Err(MISSING),
    }
    Ok(())
}

fn take(value: &mut Value, pointer: &Pointer) -> Fits<Value> {
    let Some((holder, last)) = holder(value, pointer)? else {
        return Err("must point into the object");
    };
    match holder {
        Value::Object(map) => map.remove(&*last.decoded()).ok_or(MISSING),
        Value::Array(items) => {
            let position = position(&last, items.len(), items.len())?;
            Ok(items.remove(position))
        }
        _ => Err(MISSING),
    }
}

fn overwrite(value: &mut Value, pointer: &Pointer, new: Value) -> Fits<()> {
    let Some((holder, last)) = holder(value, pointer)? else {
        *value = new;
        return Ok(());
    };
    match holder {
        Value::Object(map) => drop(map.insert(last.decoded().into_owned(), new)),
        Value::Array(items) => {
            let position = position(&last, items.len(), items.len())?;
            items[position] = new;
        }
        _ => return Err(MISSING),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Against what `evanphx/json-patch` v4 makes of the same, where the standard leaves it open or says otherwise.
    #[test]
    fn operations_do_what_they_do_in_a_server() {
        let before = json!({"s": "a < b", "a": 1, "b": {"c": null}, "l": [1, 2, 3], "x~y/z": 0});
        let cases = [
            (
                json!({"op": "add", "path": "/l/-", "value": 4}),
                Ok(("/l", json!([1, 2, 3, 4]))),
            ),
            (
                json!({"op": "add", "path": "/l/0", "value": 0}),
                Ok(("/l", json!([0, 1, 2, 3]))),
            ),
            (
                json!({"op": "add", "path": "/l/3", "value": 4}),
                Ok(("/l", json!([1, 2, 3, 4]))),
            ),
            (json!({"op": "add", "path": "/l/4", "value": 4}), Err(NO_PLACE)),
            (
                json!({"op": "add", "path": "/l/-1", "value": 4}),
                Ok(("/l", json!([1, 2, 3, 4]))),
            ),
            (json!({"op": "add", "path": "/none/x", "value": 4}), Err(MISSING)),
            (json!({"op": "add", "path": "/a/x", "value": 4}), Err(MISSING)),
            (json!({"op": "remove", "path": "/l/1"}), Ok(("/l", json!([1, 3])))),
            (
                json!({"op": "remove", "path": "/l/-1"}),
                Ok(("/l", json!([1, 2]))),
            ),
            (json!({"op": "remove", "path": "/l/3"}), Err(NO_PLACE)),
            (json!({"op": "remove", "path": "/l/-4"}), Err(NO_PLACE)),
            (json!({"op": "remove", "path": "/none"}), Err(MISSING)),
            (
                json!({"op": "remove", "path": "/x~0y~1z"}),
                Ok(("/x~0y~1z", Value::Null)),
            ),
            (
                json!({"op": "replace", "path": "/none", "value": 5}),
                Ok(("/none", json!(5))),
            ),
            (
                json!({"op": "replace", "path": "/l/1", "value": 5}),
                Ok(("/l", json!([1, 5, 3]))),
            ),
            (
                json!({"op": "replace", "path": "/l/3", "value": 5}),
                Err(NO_PLACE),
            ),
            (
                json!({"op": "replace", "path": "", "value": {"q": 1}}),
                Ok(("/q", json!(1))),
            ),
            (
                json!({"op": "move", "from": "/a", "path": "/l/0"}),
                Ok(("/l", json!([1, 1, 2, 3]))),
            ),
            (json!({"op": "move", "from": "/none", "path": "/a"}), Err(MISSING)),
            (
                json!({"op": "copy", "from": "/l", "path": "/b/c"}),
                Ok(("/b/c", json!([1, 2, 3]))),
            ),
            (
                json!({"op": "copy", "from": "/none", "path": "/a"}),
                Ok(("/a", Value::Null)),
            ),
            (
                json!({"op": "test", "path": "/a", "value": 1}),
                Ok(("/a", json!(1))),
            ),
            (
                json!({"op": "test", "path": "/s", "value": "a < b"}),
                Err("does not pass its test"),
            ),
            (
                json!({"op": "test", "path": "/a", "value": 2}),
                Err("does not pass its test"),
            ),
            (
                json!({"op": "test", "path": "/none", "value": null}),
                Ok(("/a", json!(1))),
            ),
            (
                json!({"op": "test", "path": "/none", "value": 1}),
                Err("does not pass its test"),
            ),
            (
                json!({"op": "test", "path": "/l/9", "value": null}),
                Err(NO_PLACE),
            ),
        ];
        for (operation, expected) in cases {
            let patch: json_patch::Patch = serde_json::from_value(json!([operation])).unwrap();
            let mut value = before.clone();
            let found = apply(&mut value, &patch);
            match expected {
                Ok((pointer, expected)) => {
                    assert_eq!(found, Ok(()), "{operation}");
                    let found = value.pointer(pointer).cloned().unwrap_or_default();
                    assert_eq!(found, expected, "{operation}");
                }
                Err(problem) => {
                    let found = found.unwrap_err();
                    let pointer = operation["path"].as_str().unwrap();
                    assert_eq!(
                        (&*found.pointer, found.problem),
                        (pointer, problem),
                        "{operation}"
                    );
                }
            }
        }
    }
}
