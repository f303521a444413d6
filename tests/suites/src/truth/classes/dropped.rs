//! A definition does not list any more what it listed.

use super::{ours, start};
use crate::truth::{
    base::Base,
    case::{Class, Draft, Start},
    live::Live,
    place::remove,
    random::Random,
    site::Site,
};

/// Nobody else has it.
pub(super) struct Own;

impl Class for Own {
    fn name(&self) -> &'static str {
        "dropped own field"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        !site.required && !site.is_element() && !base.is_frozen(site)
    }

    fn start(&self, base: &Base, _: &Site, _: u64) -> Option<Start> {
        start([ours(base)])
    }

    fn draft(&self, base: &Base, site: &Site, _: Option<&Live>, random: &mut Random) -> Option<Draft> {
        let mut desired = base.document.clone();
        remove(&mut desired, &site.place)?;
        Some(Draft::new(desired, site).forced(random.once_in(2)))
    }
}
