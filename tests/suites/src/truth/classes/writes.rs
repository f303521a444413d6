//! Written in other ways than by applying.

use serde_json::{Value, json};

use super::{by_others, edits, ours};
use crate::truth::{
    base::Base,
    case::{Ask, Class, Draft, EDITOR, OURS, PATCHER, Start},
    live::Made,
    place::fields,
    site::Site,
    way::{Tweak, Way},
};

/// Objects are updated or patched by somebody.
pub(super) struct Writes {
    name: &'static str,
    way: Way,
}

pub(super) const UPDATE: Writes = Writes {
    name: "update",
    way: Way::Update,
};
pub(super) const JSON_PATCH: Writes = Writes {
    name: "json-patch",
    way: Way::JsonPatch,
};
pub(super) const MERGE_PATCH: Writes = Writes {
    name: "merge-patch",
    way: Way::MergePatch,
};

/// Who writes: somebody new, somebody who wrote before, or we.
fn writer(ask: &mut Ask<'_>) -> &'static str {
    let writers = [PATCHER, EDITOR, OURS];
    writers[ask.random.below(writers.len())]
}

/// One of so many questions has a tweak.
const TWEAKED: usize = 3;

fn tweak(way: Way, ask: &mut Ask<'_>) -> Tweak {
    const EVERYWHERE: [Tweak; 9] = [
        Tweak::Bare,
        Tweak::Disowned,
        Tweak::Emptied,
        Tweak::EntryLess,
        Tweak::Renamed,
        Tweak::Unreadable,
        Tweak::Unknown,
        Tweak::Chosen,
        Tweak::Nothing,
    ];
    const REFUSED: [Tweak; 2] = [Tweak::Stale, Tweak::OtherUid];
    const PATCHED: [Tweak; 3] = [Tweak::Untested, Tweak::Copied, Tweak::Untested];
    if ask.random.once_in(40) {
        let is_patch = way == Way::JsonPatch && ask.random.once_in(2);
        return match is_patch {
            true => Tweak::WrongTest,
            false => REFUSED[ask.random.below(REFUSED.len())],
        };
    }
    if !ask.random.once_in(TWEAKED) {
        return Tweak::Nothing;
    }
    if way == Way::JsonPatch && ask.random.once_in(2) {
        return PATCHED[ask.random.below(PATCHED.len())];
    }
    EVERYWHERE[ask.random.below(EVERYWHERE.len())]
}

impl Class for Writes {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        !site.is_key
    }

    fn salts(&self) -> u64 {
        5
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let created = Made::Created {
            manager: EDITOR,
            document: base.document.clone(),
        };
        match salt {
            0 => Start::made([ours(base)]),
            1 => Start::made([ours(base), by_others(true, edits(base, salt, "some", 3))]),
            2 => Start::made([ours(base), by_others(false, edits(base, salt, "some", 3))]),
            3 => Start::made([created]),
            _ => Start::made([ours(base), Made::Disowned]),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let whole = ask.random.once_in(if self.way == Way::Update { 3 } else { 8 });
        let mut draft = ask.draft().by(writer(ask));
        let change = ask.random.below(9);
        match change {
            0..=2 => match ask.other() {
                Some(value) => draft.set(&ask.site.place, value),
                None => {
                    let leaf = ask.leaf_beside(&[])?.clone();
                    let value = super::other(&ask.base.document, &leaf, ask.random)?;
                    draft.set(&leaf.place, value);
                    draft = draft.at(&leaf.path);
                }
            },
            3 | 4 if !ask.site.required => draft.remove(&ask.site.place),
            5 => draft.set(
                &fields(&["metadata", "annotations", "example.net/new"]),
                json!("new"),
            ),
            _ => {}
        }
        let tweak = tweak(self.way, ask);
        Some(draft.put_as(self.way, whole, tweak))
    }
}

/// What is new is created by `POST`.
pub(super) struct Post;

impl Class for Post {
    fn name(&self) -> &'static str {
        "post"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        !site.required
    }

    fn start(&self, _: &Base, _: u64) -> Start {
        Start::Absent
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().by(writer(ask));
        match ask.other() {
            Some(value) if ask.random.once_in(2) => draft.set(&ask.site.place, value),
            _ => draft.remove(&ask.site.place),
        }
        Some(draft.put_as(Way::Create, true, Tweak::Nothing))
    }
}

/// The status is written, by an update or a patch.
pub(super) struct StatusWritten;

impl StatusWritten {
    /// The status that a controller would write, a bit differently.
    fn status(base: &Base, ask: &mut Ask<'_>) -> Option<Value> {
        let mut status = base.status.clone()?;
        match ask.random.below(4) {
            0 => drop(status.as_object_mut()?.remove("conditions")),
            1 => {
                if let Some(condition) = status.pointer_mut("/conditions/0/reason") {
                    *condition = json!("Otherwise");
                }
            }
            _ => {}
        }
        Some(status)
    }
}

impl Class for StatusWritten {
    fn name(&self) -> &'static str {
        "status written"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        base.status.is_some() && super::is_editable(base, site)
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let status = json!({"status": base.status});
        let written = Made::Merged {
            manager: "controller",
            subresource: Some("status"),
            patch: status.clone(),
        };
        let applied = Made::StatusApplied {
            manager: "status-applier",
            patch: status,
        };
        Start::made([ours(base), if salt == 0 { written } else { applied }])
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        // Of some kinds the server took none.
        let owners = ask.live?.object["metadata"]["managedFields"].as_array()?;
        if !owners.iter().any(|owner| owner["subresource"] == "status") {
            return None;
        }
        let mut draft = ask.draft().by(if ask.random.once_in(2) {
            "controller"
        } else {
            PATCHER
        });
        // What else is sent is not written, or only metadata.
        match ask.random.below(5) {
            0 => {
                let value = ask.other()?;
                draft.set(&ask.site.place, value);
            }
            1 => draft.set(
                &fields(&["metadata", "labels", "example.net/status"]),
                json!("new"),
            ),
            _ => {}
        }
        match ask.random.below(6) {
            // Of these it says when, to the second.
            0 if ask.base.kind != "PersistentVolume" => draft.unsent(&fields(&["status"]), None),
            1 | 2 => {}
            _ => {
                let status = Self::status(ask.base, ask)?;
                draft.unsent(&fields(&["status"]), Some(status));
            }
        }
        let ways = [Way::Update, Way::JsonPatch, Way::MergePatch];
        let way = ways[ask.random.below(ways.len())];
        Some(draft.put_as(way, false, Tweak::Nothing).through("status"))
    }
}
