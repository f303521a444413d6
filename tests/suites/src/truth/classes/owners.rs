//! Others have changed what we listed.

use super::{edits, ours, start};
use crate::truth::{
    base::Base,
    case::{APPLIER, Class, Draft, EDITOR, Start},
    edit::other,
    live::{Live, Made},
    place::set,
    random::Random,
    site::Site,
};

/// Places that one of the others edits.
const PLACES: usize = 8;

fn one_other(base: &Base, salt: u64) -> Option<Start> {
    let edits = edits(base, salt, "one", PLACES);
    let made = if salt % 2 == 0 {
        Made::Edited {
            manager: EDITOR,
            edits,
        }
    } else {
        Made::AppliedPart {
            manager: APPLIER,
            edits,
        }
    };
    start([ours(base), made])
}

/// A definition that agrees with what others wrote, at all places or at all but some, and itself changes something or
/// not. The path is the first place where it does not agree.
fn against(base: &Base, site: &Site, live: &Live, random: &mut Random) -> Option<Draft> {
    let mut desired = base.document.clone();
    let theirs: Vec<_> = live
        .edits
        .iter()
        .filter(|(_, place, _)| *place != site.place)
        .collect();
    // One in three is against them at some places, the others only agree.
    let disagrees = random.once_in(3);
    for (_, place, value) in theirs {
        if !disagrees || random.once_in(2) {
            set(&mut desired, place, value.clone());
        }
    }
    let is_theirs = live.edits.iter().find(|(_, place, _)| *place == site.place);
    match is_theirs {
        Some((_, place, value)) if !disagrees => drop(set(&mut desired, place, value.clone())),
        Some(_) => {}
        None if random.once_in(2) => {
            let value = other(&base.document, site, random)?;
            set(&mut desired, &site.place, value);
        }
        None => {}
    }
    Some(Draft::new(desired, site))
}

/// One manager is in the way, or has the same.
pub(super) struct Conflict;

impl Class for Conflict {
    fn name(&self) -> &'static str {
        "conflict, 1 manager"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        site.is_leaf() && !site.in_atomic && !site.is_key && !base.is_frozen(site)
    }

    fn start(&self, base: &Base, _: &Site, salt: u64) -> Option<Start> {
        one_other(base, salt)
    }

    fn draft(&self, base: &Base, site: &Site, live: Option<&Live>, random: &mut Random) -> Option<Draft> {
        against(base, site, live?, random)
    }
}

/// The same by force.
pub(super) struct Force;

impl Class for Force {
    fn name(&self) -> &'static str {
        "force"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        Conflict.wants(base, site)
    }

    fn start(&self, base: &Base, _: &Site, salt: u64) -> Option<Start> {
        one_other(base, salt)
    }

    fn draft(&self, base: &Base, site: &Site, live: Option<&Live>, random: &mut Random) -> Option<Draft> {
        Some(against(base, site, live?, random)?.forced(true))
    }
}
