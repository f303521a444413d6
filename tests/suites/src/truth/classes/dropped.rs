//! A definition does not list any more what it listed, or never did.

use super::{by_others, edits, fixed, is_editable, ours};
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, EDITOR, OURS, Start},
    edit::other,
    live::{Edit, Made, as_is},
    place::{Place, get, remove, set},
    site::Site,
};

fn may_go(site: &Site) -> bool {
    !site.required && !site.is_key && !site.is_element()
}

/// Nobody else has it.
pub(super) struct Own;

impl Class for Own {
    fn name(&self) -> &'static str {
        "dropped own field"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        may_go(site)
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let others = Made::Edited {
            manager: EDITOR,
            edits: edits(base, salt, "beside", 1),
        };
        Start::made([ours(base)].into_iter().chain((salt == 1).then_some(others)))
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        // Of what was spelled out, defaults come back.
        let defaults: Vec<&Site> = ask
            .base
            .sites
            .iter()
            .filter(|site| site.is_default && may_go(site))
            .collect();
        if defaults.is_empty() && ask.random.once_in(3) {
            return None;
        }
        let site = match ask.random.pick(&defaults) {
            Some(site) if !ask.random.once_in(8) => site,
            _ => ask.site,
        };
        if ask.base.is_frozen(site) && !ask.base.is_frozen(ask.site) {
            return None;
        }
        let mut draft = ask.draft().at(&site.path);
        draft.remove(&site.place);
        // What others wrote beside is none of our business.
        for (_, place, value) in ask.edits() {
            if get(&draft.desired, place).is_some() {
                draft.set(place, value.clone());
            }
        }
        Some(draft.forced(ask.random.once_in(2)))
    }
}

/// Others apply it too, or a part of it.
pub(super) struct Shared;

impl Shared {
    /// The places others apply too: about half of all.
    fn theirs(base: &Base, salt: u64) -> Vec<Edit> {
        let mut random = fixed(base, salt, "shared");
        let leaves = base
            .sites
            .iter()
            .filter(|site| site.is_leaf() && !site.in_atomic || site.is_whole());
        let places: Vec<Place> = leaves
            .filter(|_| random.once_in(2))
            .map(|site| site.place.clone())
            .collect();
        as_is(&base.document, places)
    }
}

impl Class for Shared {
    fn name(&self) -> &'static str {
        "dropped shared field"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        may_go(site) && !site.in_atomic && !base.is_full
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        Start::made([
            ours(base),
            Made::AppliedPart {
                manager: APPLIER,
                edits: Self::theirs(base, salt),
            },
        ])
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let is_shared = ask
            .edits()
            .iter()
            .any(|(_, place, _)| place.starts_with(&ask.site.place));
        if !is_shared {
            return None;
        }
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        draft.remove(&ask.site.place);
        // And something that only we have, or all of us.
        if ask.random.once_in(2) {
            let droppable: Vec<&Site> = ask
                .base
                .sites
                .iter()
                .filter(|site| {
                    let is_theirs = ask.edits().iter().any(|(_, place, _)| *place == site.place);
                    may_go(site)
                        && !is_theirs
                        && is_editable(ask.base, site)
                        && !site.place.starts_with(&ask.site.place)
                })
                .collect();
            let site = ask.random.pick(&droppable)?;
            draft.remove(&site.place);
        }
        Some(draft)
    }
}

/// It is not ours: it never was, or somebody took it.
pub(super) struct Foreign;

impl Foreign {
    /// What is others': about a third of what may go.
    fn theirs(base: &Base, salt: u64) -> Vec<&Site> {
        let mut random = fixed(base, salt, "foreign");
        let may = base
            .sites
            .iter()
            .filter(|site| may_go(site) && !site.in_atomic && is_plain(site) && !base.is_frozen(site));
        may.filter(|_| random.once_in(3)).collect()
    }
}

/// A leaf, or something that is owned as a whole.
fn is_plain(site: &Site) -> bool {
    site.is_leaf() || site.is_whole()
}

impl Class for Foreign {
    fn name(&self) -> &'static str {
        "dropped foreign field"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        may_go(site) && !site.in_atomic && is_plain(site) && !base.is_frozen(site)
    }

    fn salts(&self) -> u64 {
        4
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let theirs = Self::theirs(base, salt);
        if salt.is_multiple_of(2) {
            // They add what we leave out.
            let edits = as_is(&base.document, theirs.iter().map(|site| site.place.clone()));
            let mut document = base.document.clone();
            for site in &theirs {
                remove(&mut document, &site.place);
            }
            let made = by_others(salt == 0, edits);
            return Start::made([
                Made::Applied {
                    manager: OURS,
                    document,
                },
                made,
            ]);
        }
        // They take what we had.
        let mut random = fixed(base, salt, "taken");
        let edits: Vec<Edit> = theirs
            .iter()
            .filter_map(|site| Some((site.place.clone(), other(&base.document, site, &mut random)?)))
            .collect();
        let made = by_others(salt == 1, edits);
        Start::made([ours(base), made])
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let places: Vec<Place> = ask.edits().iter().map(|(_, place, _)| place.clone()).collect();
        let dropped = ask.random.pick(&places)?.clone();
        let site = ask.base.sites.iter().find(|site| site.place == dropped)?;
        let mut draft = ask.draft().at(&site.path).forced(ask.random.once_in(2));
        for (_, place, value) in ask.live?.edits.iter().rev() {
            if *place == dropped || ask.random.once_in(2) {
                remove(&mut draft.desired, place);
            } else {
                set(&mut draft.desired, place, value.clone());
            }
        }
        if ask.random.once_in(2) {
            let places: Vec<&Place> = places.iter().collect();
            let leaf = ask.leaf_beside(&places)?.clone();
            let value = other(&ask.base.document, &leaf, ask.random)?;
            draft.set(&leaf.place, value);
        }
        Some(draft)
    }
}
