//! JSON patches (RFC 6902) that only fit what was read.

use std::collections::BTreeMap;

use json_patch::{
    AddOperation, Patch, PatchOperation, RemoveOperation, ReplaceOperation, TestOperation,
    jsonptr::PointerBuf,
};
use serde_json::{Map, Value};

use super::apply::can_pass;
use crate::compare::names_in_json;

/// The patch that makes `after` of `before`: no operation for what is equal, list elements matched by name, and a test
/// of every value that is replaced or removed, so that it fails on anything else than what was read.
///
/// A key that is added cannot be tested to be absent, and what holds a text with `<`, `>` or `&` is not tested: API servers
/// compare such texts in two spellings, and no test of them passes there. To be safe from that, test the
/// `resourceVersion` too.
///
/// ```
/// use serde_json::json;
///
/// let before = json!({"spec": {"containers": [{"name": "log", "image": "l:1"}, {"name": "web", "image": "w:1"}]}});
/// let after = json!({"spec": {"containers": [{"name": "web", "image": "w:2"}]}});
/// let patch = fleet_diff::json_patch(&before, &after);
/// assert_eq!(serde_json::to_value(&patch)?, json!([
///     {"op": "test", "path": "/spec/containers/0", "value": {"name": "log", "image": "l:1"}},
///     {"op": "remove", "path": "/spec/containers/0"},
///     {"op": "test", "path": "/spec/containers/0/image", "value": "w:1"},
///     {"op": "replace", "path": "/spec/containers/0/image", "value": "w:2"},
/// ]));
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn json_patch(before: &Value, after: &Value) -> Patch {
    let mut walk = Walk {
        at: PointerBuf::new(),
        last: None,
        operations: Vec::new(),
    };
    walk.values(before, after);
    Patch(walk.operations)
}

struct Walk {
    at: PointerBuf,
    /// The key that led here; it says how elements of a list are named.
    last: Option<String>,
    operations: Vec<PatchOperation>,
}

impl Walk {
    fn values(&mut self, before: &Value, after: &Value) {
        match (before, after) {
            _ if before == after => {}
            (Value::Object(before), Value::Object(after)) => self.mappings(before, after),
            (Value::Array(before), Value::Array(after)) => self.lists(before, after),
            _ => self.replace(before, after),
        }
    }

    fn mappings(&mut self, before: &Map<String, Value>, after: &Map<String, Value>) {
        for (key, old) in before {
            self.inside(key, |walk| match after.get(key) {
                Some(new) => walk.values(old, new),
                None => walk.remove(old),
            });
        }
        for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
            self.inside(key, |walk| walk.add(new));
        }
    }

    fn lists(&mut self, before: &[Value], after: &[Value]) {
        let list = self.last.as_deref().map(crate::PathElement::key);
        let Some((old, new)) = names_in_json(list.as_ref(), before, after) else {
            if before.len() == after.len() {
                return before.iter().zip(after).enumerate().for_each(|(i, (old, new))| {
                    self.inside(&i.to_string(), |walk| walk.values(old, new));
                });
            }
            return self.replace(&before.into(), &after.into());
        };
        let place_of = |names: &[crate::PathElement]| -> BTreeMap<crate::PathElement, usize> {
            names.iter().cloned().zip(0..).collect()
        };
        let (was, is) = (place_of(&old), place_of(&new));
        let place = |name: &crate::PathElement| is.get(name).copied();
        let places: Vec<usize> = old.iter().filter_map(place).collect();
        if !places.is_sorted() {
            return self.replace(&before.into(), &after.into());
        }
        for (i, name) in old
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, name)| place(name).is_none())
        {
            debug_assert!(!is.contains_key(name));
            self.inside(&i.to_string(), |walk| walk.remove(&before[i]));
        }
        for (i, name) in new.iter().enumerate() {
            if !was.contains_key(name) {
                self.inside(&i.to_string(), |walk| walk.add(&after[i]));
            }
        }
        for (i, name) in new.iter().enumerate() {
            if let Some(was) = was.get(name) {
                self.inside(&i.to_string(), |walk| walk.values(&before[*was], &after[i]));
            }
        }
    }

    fn inside(&mut self, step: &str, act: impl FnOnce(&mut Self)) {
        let outer = self.last.replace(step.to_owned());
        self.at.push_back(step);
        act(self);
        self.at.pop_back();
        self.last = outer;
    }

    fn test(&mut self, value: &Value) {
        if !can_pass(value) {
            return;
        }
        let path = self.at.clone();
        self.operations.push(PatchOperation::Test(TestOperation {
            path,
            value: value.clone(),
        }));
    }

    fn add(&mut self, value: &Value) {
        let path = self.at.clone();
        self.operations.push(PatchOperation::Add(AddOperation {
            path,
            value: value.clone(),
        }));
    }

    fn remove(&mut self, old: &Value) {
        self.test(old);
        let path = self.at.clone();
        self.operations
            .push(PatchOperation::Remove(RemoveOperation { path }));
    }

    fn replace(&mut self, old: &Value, new: &Value) {
        self.test(old);
        let path = self.at.clone();
        self.operations.push(PatchOperation::Replace(ReplaceOperation {
            path,
            value: new.clone(),
        }));
    }
}
