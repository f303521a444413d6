//! Values with several spellings, and the small mappings that everybody writes to.

use serde_json::json;

use super::{edits, ours, start};
use crate::truth::{
    base::Base,
    case::{APPLIER, Class, Draft, EDITOR, Start},
    edit::{other, same_quantity},
    live::{Live, Made},
    place::{get, remove, set},
    random::Random,
    schema::Sort,
    site::Site,
};

/// Quantities in other words, and other quantities.
pub(super) struct Quantity;

impl Class for Quantity {
    fn name(&self) -> &'static str {
        "quantity"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        site.sort == Sort::Quantity
    }

    fn start(&self, base: &Base, _: &Site, salt: u64) -> Option<Start> {
        let editor = Made::Edited {
            manager: EDITOR,
            edits: edits(base, 0, "quantity", 2),
        };
        start([ours(base)].into_iter().chain((salt % 2 == 1).then_some(editor)))
    }

    fn draft(&self, base: &Base, site: &Site, _: Option<&Live>, random: &mut Random) -> Option<Draft> {
        let mut desired = base.document.clone();
        let now = get(&desired, &site.place)?;
        let value = if base.is_frozen(site) || random.once_in(2) {
            same_quantity(now, random)?
        } else {
            other(&desired, site, random)?
        };
        set(&mut desired, &site.place, value);
        Some(Draft::new(desired, site).forced(random.once_in(2)))
    }
}

/// Labels and annotations, of objects and of templates.
pub(super) struct Labels;

impl Class for Labels {
    fn name(&self) -> &'static str {
        "labels and annotations"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        matches!(site.name(), "labels" | "annotations")
            && site.path.ends_with(&format!("metadata.{}", site.name()))
            && !base.is_frozen(site)
    }

    fn start(&self, base: &Base, site: &Site, salt: u64) -> Option<Start> {
        let mut theirs = get(&base.document, &site.place)?.clone();
        theirs["example.net/theirs"] = json!("theirs");
        theirs["example.net/shared"] = json!("");
        let edits = vec![(site.place.clone(), theirs)];
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

    fn draft(&self, base: &Base, site: &Site, _: Option<&Live>, random: &mut Random) -> Option<Draft> {
        let mut desired = base.document.clone();
        let mut place = site.place.clone();
        let names: Vec<String> = get(&desired, &place)?.as_object()?.keys().cloned().collect();
        let mut at = |name: &str| {
            place.truncate(site.place.len());
            place.push(crate::truth::place::Step::Field(name.to_owned()));
            place.clone()
        };
        match random.below(6) {
            0 => drop(set(&mut desired, &at("example.net/new"), json!("new"))),
            1 => drop(set(&mut desired, &at("example.net/theirs"), json!("theirs"))),
            2 => drop(set(&mut desired, &at("example.net/shared"), json!("ours"))),
            3 => drop(set(&mut desired, &at(random.pick(&names)?), json!("changed"))),
            4 => drop(remove(&mut desired, &at(random.pick(&names)?))),
            _ => {}
        }
        Some(Draft::new(desired, site).forced(random.once_in(2)))
    }
}
