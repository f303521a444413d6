//! There is nothing yet.

use crate::truth::{
    base::Base,
    case::{Class, Draft, Start},
    edit::other,
    live::Live,
    place::{remove, set},
    random::Random,
    site::Site,
};

/// Objects are created, each with something changed in its definition.
pub(super) struct Create;

impl Class for Create {
    fn name(&self) -> &'static str {
        "create"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        !site.required
    }

    fn start(&self, _: &Base, _: &Site, _: u64) -> Option<Start> {
        Some(Start::Absent)
    }

    fn draft(&self, base: &Base, site: &Site, _: Option<&Live>, random: &mut Random) -> Option<Draft> {
        let mut desired = base.document.clone();
        match other(&desired, site, random) {
            Some(value) if random.once_in(2) => drop(set(&mut desired, &site.place, value)),
            _ => drop(remove(&mut desired, &site.place)?),
        }
        Some(Draft::new(desired, site).forced(random.once_in(3)))
    }
}
