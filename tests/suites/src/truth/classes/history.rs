//! Objects whose beginnings are not of server-side apply.

use serde_json::Value;

use super::{edits, is_editable};
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, EDITOR, OURS, Start},
    edit::other,
    live::Made,
    place::get,
    site::Site,
};

/// Whatever happens to an object with a history; a value changes so many times in five.
fn change(ask: &mut Ask<'_>, in_five: usize) -> Option<Draft> {
    let mut draft = ask.draft();
    // Half of the time nothing of what others did is against it.
    if !ask.random.once_in(3) {
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
    }
    match ask.random.below(5) {
        turn if turn < in_five => {
            let value = other(&ask.base.document, ask.site, ask.random)?;
            draft.set(&ask.site.place, value);
        }
        _ if ask.random.once_in(4) && !ask.site.required => draft.remove(&ask.site.place),
        _ => {}
    }
    Some(draft)
}

fn wants(site: &Site) -> bool {
    !site.is_element() && !site.is_key && (site.is_leaf() || !site.required)
}

/// kubectl created it by client-side apply, and left its annotation.
pub(super) struct LastApplied;

impl Class for LastApplied {
    fn name(&self) -> &'static str {
        "last-applied"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        wants(site)
    }

    fn salts(&self) -> u64 {
        4
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let document = base.document.clone();
        let created = Made::KubectlCreated {
            document: document.clone(),
        };
        let edited = Made::Edited {
            manager: EDITOR,
            edits: edits(base, salt, "after", 4),
        };
        let applied = Made::Applied {
            manager: "kubectl",
            document,
        };
        match salt {
            0 => Start::made([created]),
            1 => Start::made([created, edited]),
            2 => Start::made([created, applied]),
            _ => Start::made([created, applied, edited]),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = change(ask, 2)?;
        draft = draft.by(if ask.random.once_in(3) { OURS } else { "kubectl" });
        let forced = ask.random.once_in(if draft.manager == OURS { 2 } else { 5 });
        if ask.random.once_in(6) {
            // The annotation is listed too.
            let name = "kubectl.kubernetes.io/last-applied-configuration";
            let live = ask.live?.object["metadata"]["annotations"].get(name)?.clone();
            draft.desired["metadata"]["annotations"][name] = if ask.random.once_in(2) {
                live
            } else {
                Value::String("{}".to_owned())
            };
        }
        Some(draft.forced(forced))
    }
}

/// Nobody is recorded as the owner of anything, or only updates are.
pub(super) struct Unowned;

impl Class for Unowned {
    fn name(&self) -> &'static str {
        "never applied"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        wants(site) && !base.is_frozen(site)
    }

    fn salts(&self) -> u64 {
        4
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let document = base.document.clone();
        let created = Made::Created {
            manager: EDITOR,
            document,
        };
        let edited = Made::Edited {
            manager: "second-editor",
            edits: edits(base, salt, "after", 3),
        };
        match salt {
            0 => Start::made([created]),
            1 => Start::made([created, edited]),
            2 => Start::made([created, Made::Disowned]),
            _ => Start::made([created, Made::Disowned, edited]),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = change(ask, 3)?.forced(!ask.random.once_in(3));
        // Some know only a part of it.
        if ask.random.once_in(4) {
            draft = draft.by(APPLIER);
            let sites: Vec<&Site> = ask
                .base
                .sites
                .iter()
                .filter(|site| is_editable(ask.base, site))
                .collect();
            let droppable = sites
                .iter()
                .filter(|site| !site.required && get(&draft.desired, &site.place).is_some());
            let places: Vec<_> = droppable.map(|site| site.place.clone()).collect();
            for place in places.iter().rev() {
                if ask.random.once_in(3) {
                    draft.remove(place);
                }
            }
        }
        Some(draft)
    }
}
