//! The classes of questions, a few to a file.

mod atomic;
mod create;
mod custom;
mod dropped;
mod duplicates;
mod elements;
mod history;
mod labels;
mod owners;
mod subresources;
mod values;
mod versions;
mod writes;

use serde_json::Value;

use super::{
    base::Base,
    case::{APPLIER, Class, EDITOR, OURS},
    edit::other,
    live::{Edit, Made},
    site::Site,
};
use crate::random::Random;

/// All of them, in the order of the table.
pub(super) const ALL: [&dyn Class; 33] = [
    &create::Create,
    &elements::Added,
    &elements::Removed,
    &elements::Reordered,
    &elements::MissingKey,
    &duplicates::Duplicates,
    &atomic::Atomic,
    &dropped::Own,
    &dropped::Shared,
    &dropped::Foreign,
    &owners::ONE,
    &owners::THREE,
    &owners::FORCE,
    &values::Null,
    &values::Empty,
    &values::Quantity,
    &values::IntOrString,
    &labels::Labels,
    &subresources::Scale,
    &subresources::Status,
    &history::LastApplied,
    &versions::Versions,
    &custom::Defaults,
    &custom::Unknown,
    &custom::Evolved,
    &custom::Mutated,
    &owners::NEWCOMER,
    &history::Unowned,
    &writes::UPDATE,
    &writes::JSON_PATCH,
    &writes::MERGE_PATCH,
    &writes::Post,
    &writes::StatusWritten,
];

/// Its objects are made before its schemas change.
pub(super) const EVOLVED: custom::Evolved = custom::Evolved;

/// The definition, applied by us.
fn ours(base: &Base) -> Made {
    Made::Applied {
        manager: OURS,
        document: base.document.clone(),
    }
}

/// Others write this: one who edits the object, or one who applies a part of it.
fn by_others(edited: bool, edits: Vec<Edit>) -> Made {
    if edited {
        Made::Edited {
            manager: EDITOR,
            edits,
        }
    } else {
        Made::AppliedPart {
            manager: APPLIER,
            edits,
        }
    }
}

/// Others may edit it: it has an owner of its own and is no key.
pub(super) fn is_editable(base: &Base, site: &Site) -> bool {
    site.is_leaf() && !site.in_atomic && !site.is_key && !base.is_frozen(site)
}

/// Random numbers that are always the same for a base, a salt and a word.
fn fixed(base: &Base, salt: u64, word: &str) -> Random {
    Random::of(salt, word, base.id)
}

/// Other values at some of the places that others may edit, always the same ones for a base and a salt.
fn edits(base: &Base, salt: u64, who: &str, at_most: usize) -> Vec<Edit> {
    let mut random = fixed(base, salt, who);
    let mut places: Vec<&Site> = base.sites.iter().filter(|site| is_editable(base, site)).collect();
    random.shuffle(&mut places);
    // Something is left to us.
    let at_most = at_most.min(places.len().div_ceil(2));
    let edit = |site: &Site, value: Value| (site.place.clone(), value);
    places
        .into_iter()
        .filter_map(|site| Some(edit(site, other(&base.document, site, &mut random)?)))
        .take(at_most)
        .collect()
}
