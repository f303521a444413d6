//! How a question is put: by applying a definition, or in another way.

use serde_json::{Value, json};

use super::{
    place::{Place, get, remove, set},
    server::Write,
};

/// How something is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Way {
    /// Server-side apply.
    #[default]
    Apply,
    /// `POST`.
    Create,
    /// `PUT`.
    Update,
    /// A JSON patch.
    JsonPatch,
    /// A merge patch.
    MergePatch,
}

impl Way {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Apply, "applied"),
        (Self::Create, "created"),
        (Self::Update, "updated"),
        (Self::JsonPatch, "json-patched"),
        (Self::MergePatch, "merge-patched"),
    ];

    /// A word for it.
    pub fn as_str(self) -> &'static str {
        let known = Self::ALL.iter().find(|(way, _)| *way == self);
        known.map_or("written", |(_, word)| word)
    }

    /// From the word.
    pub(super) fn of(word: &str) -> Option<Self> {
        let known = Self::ALL.iter().find(|(_, known)| *known == word);
        known.map(|(way, _)| *way)
    }

    /// The request.
    pub(super) fn write(self, manager: &str, force: bool, subresource: Option<&'static str>) -> Write {
        let manager = manager.to_owned();
        match self {
            Self::Apply => Write::Apply {
                manager,
                force,
                subresource,
            },
            Self::Create => Write::Create { manager },
            Self::Update => Write::Put { manager, subresource },
            Self::JsonPatch => Write::Patch { manager, subresource },
            Self::MergePatch => Write::Merge { manager, subresource },
        }
    }
}

/// What is done to what is sent beside the edits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Tweak {
    #[default]
    Nothing,
    /// Nothing in it says which state of the object it was made from.
    Bare,
    /// Nobody is to be an owner.
    Disowned,
    /// As well, by an empty list.
    Emptied,
    /// One entry of `managedFields` is left out.
    EntryLess,
    /// One entry of `managedFields` is somebody else's.
    Renamed,
    /// `managedFields` cannot be read.
    Unreadable,
    /// It was made from another state of the object.
    Stale,
    /// It is of another object of that name.
    OtherUid,
    /// It has fields that nobody knows.
    Unknown,
    /// It says other things of what servers choose.
    Chosen,
    /// Of a JSON patch: a test fails.
    WrongTest,
    /// Of a JSON patch: nothing is tested.
    Untested,
    /// Of a JSON patch: a label comes from a name, and one is moved.
    Copied,
}

/// How a question is put.
#[derive(Clone, Debug, Default)]
pub(super) struct Form {
    pub(super) way: Way,
    pub(super) subresource: Option<&'static str>,
    /// The definition is sent in place of the object, not the object with edits.
    pub(super) whole: bool,
    pub(super) tweak: Tweak,
}

/// What is edited: a value for a place, or nothing there.
pub(super) type Change = (Place, Option<Value>);

impl Form {
    /// What is sent: of the object as it is, or the definition under its name.
    pub(super) fn body(&self, live: &Value, definition: &Value, changes: &[Change]) -> Value {
        let mut after = if self.whole {
            let mut after = definition.clone();
            for name in ["resourceVersion", "uid", "creationTimestamp", "managedFields"] {
                if let Some(value) = live["metadata"].get(name) {
                    after["metadata"][name] = value.clone();
                }
            }
            after
        } else {
            let mut after = live.clone();
            for (place, value) in changes {
                match value {
                    Some(value) => drop(set(&mut after, place, value.clone())),
                    None => drop(remove(&mut after, place)),
                }
            }
            after
        };
        self.tweak(&mut after);
        match self.way {
            Way::Apply | Way::Create => definition.clone(),
            Way::Update => after,
            Way::MergePatch => fleet_diff::merge_patch(live, &after),
            Way::JsonPatch => self.operations(live, &after),
        }
    }

    fn tweak(&self, after: &mut Value) {
        let Some(metadata) = after.get_mut("metadata").and_then(Value::as_object_mut) else {
            return;
        };
        match self.tweak {
            Tweak::Bare => {
                for name in [
                    "resourceVersion",
                    "uid",
                    "creationTimestamp",
                    "managedFields",
                    "generation",
                ] {
                    metadata.remove(name);
                }
            }
            Tweak::Disowned => drop(metadata.insert("managedFields".to_owned(), json!([{}]))),
            Tweak::Emptied => drop(metadata.insert("managedFields".to_owned(), json!([]))),
            Tweak::EntryLess | Tweak::Renamed | Tweak::Unreadable => {
                let entries = metadata.get_mut("managedFields").and_then(Value::as_array_mut);
                if let Some(entries) = entries.filter(|entries| !entries.is_empty()) {
                    match self.tweak {
                        Tweak::EntryLess => drop(entries.remove(0)),
                        Tweak::Renamed => entries[0]["manager"] = json!("renamed"),
                        _ => entries[0]["operation"] = json!("Guess"),
                    }
                }
            }
            Tweak::Stale => drop(metadata.insert("resourceVersion".to_owned(), json!("1"))),
            Tweak::OtherUid => {
                metadata.insert("uid".to_owned(), json!("11111111-2222-3333-4444-777777777777"));
            }
            Tweak::Chosen => {
                metadata.insert("creationTimestamp".to_owned(), json!("2001-02-03T04:05:06Z"));
                metadata.insert("generation".to_owned(), json!(7));
            }
            Tweak::Unknown => {
                metadata.insert("unheardOf".to_owned(), json!({"a": 1}));
                after["unheardOf"] = json!(["x"]);
            }
            Tweak::Nothing | Tweak::WrongTest | Tweak::Untested | Tweak::Copied => {}
        }
    }

    fn operations(&self, live: &Value, after: &Value) -> Value {
        let mut operations = match serde_json::to_value(fleet_diff::json_patch(live, after)) {
            Ok(Value::Array(operations)) => operations,
            _ => Vec::new(),
        };
        let test = |path: &str, value: Value| json!({"op": "test", "path": path, "value": value});
        match self.tweak {
            Tweak::WrongTest => operations.push(test("/metadata/name", json!("another"))),
            Tweak::Untested => operations.retain(|operation| operation["op"] != "test"),
            Tweak::Copied => {
                let labels = |name: &str| format!("/metadata/labels/example.net~1{name}");
                if get(after, &super::place::fields(&["metadata", "labels"])).is_none() {
                    operations.push(json!({"op": "add", "path": "/metadata/labels", "value": {}}));
                }
                operations.extend([
                    test("/metadata/nothing", Value::Null),
                    json!({"op": "copy", "from": "/metadata/name", "path": labels("copied")}),
                    json!({"op": "replace", "path": labels("new"), "value": "x"}),
                    json!({"op": "move", "from": labels("new"), "path": labels("moved")}),
                ]);
            }
            _ => {}
        }
        Value::Array(operations)
    }
}
