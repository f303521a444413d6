//! There is nothing yet.

use crate::truth::{
    base::Base,
    case::{Ask, Class, Draft, Start},
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

    fn start(&self, _: &Base, _: u64) -> Start {
        Start::Absent
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(3));
        match ask.other() {
            Some(value) if ask.random.once_in(2) => draft.set(&ask.site.place, value),
            _ => draft.remove(&ask.site.place),
        }
        Some(draft)
    }
}
