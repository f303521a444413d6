//! Others have changed what we listed, or we come later than they.

use super::{edits, is_editable, ours};
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, EDITOR, OURS, PATCHER, SECOND_APPLIER, Start},
    edit::other,
    live::Made,
    place::{Place, get},
    site::Site,
};

/// Places that each of the others edits.
const PLACES: usize = 8;

/// A definition is against what others wrote at some places, or agrees with them at all places, or changes something of
/// our own.
pub(super) struct Against {
    name: &'static str,
    others: usize,
    force: bool,
    /// The definition was never applied by who asks.
    is_new: bool,
}

pub(super) const ONE: Against = Against {
    name: "conflict with 1 manager",
    others: 1,
    force: false,
    is_new: false,
};
pub(super) const THREE: Against = Against {
    name: "conflict with 3 managers",
    others: 3,
    force: false,
    is_new: false,
};
pub(super) const FORCE: Against = Against {
    name: "force",
    others: 2,
    force: true,
    is_new: false,
};
pub(super) const NEWCOMER: Against = Against {
    name: "newcomer",
    others: 1,
    force: false,
    is_new: true,
};

impl Against {
    fn others(&self, base: &Base, salt: u64) -> Vec<Made> {
        let by = |manager, edits| Made::Edited { manager, edits };
        let applied = |manager, edits| Made::AppliedPart { manager, edits };
        let all = edits(base, salt, self.name, PLACES * self.others);
        let part = |number: usize| {
            let parts = all.chunks(all.len().div_ceil(self.others).max(1));
            parts.skip(number).take(1).flatten().cloned().collect::<Vec<_>>()
        };
        match (self.others, salt % 2) {
            (1, 0) => vec![by(EDITOR, part(0))],
            (1, _) => vec![applied(APPLIER, part(0))],
            (2, 0) => vec![by(EDITOR, part(0)), applied(APPLIER, part(1))],
            (2, _) => vec![applied(APPLIER, part(0)), applied(SECOND_APPLIER, part(1))],
            // Two of them have the same.
            (_, 0) => vec![
                applied(APPLIER, part(0)),
                applied(SECOND_APPLIER, part(0)),
                by(EDITOR, part(1)),
                by(PATCHER, part(2)),
            ],
            (_, _) => vec![
                by(EDITOR, part(0)),
                applied(APPLIER, part(1)),
                by(PATCHER, part(2)),
            ],
        }
    }
}

impl Class for Against {
    fn name(&self) -> &'static str {
        self.name
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        let enough = base
            .sites
            .iter()
            .filter(|site| is_editable(base, site))
            .nth(2 * self.others);
        site.is_leaf() && !site.in_atomic && !site.is_key && enough.is_some()
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let first = if self.is_new {
            Made::Applied {
                manager: APPLIER,
                document: base.document.clone(),
            }
        } else {
            ours(base)
        };
        let others = self.others(base, salt);
        Start::made([first].into_iter().chain(others))
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let theirs: Vec<(Place, serde_json::Value)> = ask
            .edits()
            .iter()
            .map(|(_, place, value)| (place.clone(), value.clone()))
            .collect();
        let mut draft = ask
            .draft()
            .by(OURS)
            .forced(self.force || self.is_new && ask.random.once_in(3));
        for (place, value) in &theirs {
            draft.set(place, value.clone());
        }
        let original = |place: &Place| get(&ask.base.document, place).cloned();
        // Of one mind with three, something still changes more often.
        let (against, of_one_mind) = match self.others {
            2 => (4, 14),
            3 => (6, 16),
            _ => (6, 15),
        };
        match ask.random.below(20) {
            // Against them, here or there.
            turn if turn < against => {
                let at = match theirs.iter().find(|(place, _)| *place == ask.site.place) {
                    Some((place, _)) => place,
                    None => &ask.random.pick(&theirs)?.0,
                };
                let site = ask.base.sites.iter().find(|site| site.place == *at)?;
                let value = if ask.random.once_in(2) {
                    original(at)?
                } else {
                    other(&draft.desired, site, ask.random)?
                };
                draft.set(at, value);
                draft = draft.at(&site.path);
                for (place, _) in &theirs {
                    if ask.random.once_in(if self.others == 1 { 3 } else { 2 }) {
                        draft.set(place, original(place)?);
                    }
                }
            }
            // Of one mind.
            turn if turn < of_one_mind => {}
            // Something of our own.
            _ => {
                let places: Vec<&Place> = theirs.iter().map(|(place, _)| place).collect();
                let here = is_editable(ask.base, ask.site) || ask.base.is_frozen(ask.site);
                let site = if here && !places.contains(&&ask.site.place) {
                    ask.site.clone()
                } else {
                    ask.leaf_beside(&places)?.clone()
                };
                let value = other(&ask.base.document, &site, ask.random)?;
                draft.set(&site.place, value);
                draft = draft.at(&site.path);
            }
        }
        Some(draft)
    }
}
