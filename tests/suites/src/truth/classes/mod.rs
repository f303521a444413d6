//! The classes of questions, a few to a file.

mod create;
mod dropped;
mod elements;
mod owners;
mod values;

use super::{
    base::Base,
    case::{Class, OURS, Start},
    live::{Made, Recipe},
    place::Place,
    random::Random,
    site::Site,
};

/// All of them, in the order of the table.
pub(super) fn all() -> Vec<Box<dyn Class>> {
    vec![
        Box::new(create::Create),
        Box::new(elements::Added),
        Box::new(elements::Removed),
        Box::new(dropped::Own),
        Box::new(owners::Conflict),
        Box::new(owners::Force),
        Box::new(values::Quantity),
        Box::new(values::Labels),
    ]
}

/// The definition, applied by us.
fn ours(base: &Base) -> Made {
    Made::Applied {
        manager: OURS,
        document: base.document.clone(),
    }
}

fn start(made: impl IntoIterator<Item = Made>) -> Option<Start> {
    Some(Start::Made(Recipe(made.into_iter().collect())))
}

/// Leaves that others may edit: none inside of what has one owner, no keys.
fn editable(base: &Base) -> Vec<&Site> {
    let is = |site: &&Site| site.is_leaf() && !site.in_atomic && !site.is_key && !base.is_frozen(site);
    base.sites.iter().filter(is).collect()
}

/// Other values at some of the places that others may edit, always the same ones for a base and a salt.
fn edits(base: &Base, salt: u64, who: &str, at_most: usize) -> Vec<(Place, serde_json::Value)> {
    let mut random = Random::of(
        salt,
        who,
        super::random::hash(base.document.to_string().as_bytes()),
    );
    let mut places = editable(base);
    random.shuffle(&mut places);
    places
        .into_iter()
        .filter_map(|site| {
            let value = super::edit::other(&base.document, site, &mut random)?;
            Some((site.place.clone(), value))
        })
        .take(at_most)
        .collect()
}
