//! The small mappings that everybody writes to.

use serde_json::{Value, json};

use super::{by_others, ours};
use crate::truth::{
    base::Base,
    case::{Ask, Class, Draft, Start},
    place::{Step, get},
    site::Site,
};

/// Labels and annotations, of objects and of templates.
pub(super) struct Labels;

fn is_one(site: &Site) -> bool {
    matches!(site.name(), "labels" | "annotations")
        && site.path.ends_with(&format!("metadata.{}", site.name()))
}

impl Class for Labels {
    fn name(&self) -> &'static str {
        "labels and annotations"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        is_one(site) && !site.in_atomic
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let with_theirs = |site: &Site| {
            let mut theirs = get(&base.document, &site.place)?.clone();
            theirs["example.net/theirs"] = json!("theirs");
            theirs["example.net/shared"] = json!("");
            Some((site.place.clone(), theirs))
        };
        let all = base
            .sites
            .iter()
            .filter(|site| self.wants(base, site) && !base.is_frozen(site));
        let edits = all.filter_map(with_theirs).collect();
        let made = by_others(salt.is_multiple_of(2), edits);
        Start::made([ours(base), made])
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        let names: Vec<String> = get(&draft.desired, &ask.site.place)?
            .as_object()?
            .keys()
            .cloned()
            .collect();
        let at = |name: &str| {
            let mut place = ask.site.place.clone();
            place.push(Step::Field(name.to_owned()));
            place
        };
        match ask.random.below(8) {
            0 => draft.set(&at("example.net/new"), json!("new")),
            1 => draft.set(&at("example.net/theirs"), json!("theirs")),
            2 => draft.set(&at("example.net/shared"), json!("ours")),
            3 => draft.set(&at(ask.random.pick(&names)?), json!("changed")),
            4 => draft.remove(&at(ask.random.pick(&names)?)),
            5 => draft.remove(&ask.site.place),
            6 => draft.set(&at("example.net/new"), Value::String(String::new())),
            _ => {}
        }
        Some(draft)
    }
}
