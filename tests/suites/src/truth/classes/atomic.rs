//! What has one owner as a whole.

use serde_json::Value;

use super::{fixed, ours};
use crate::random::Random;
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, EDITOR, Start},
    edit::other,
    live::{Edit, Made, as_is},
    place::{get, get_mut},
    site::Site,
};

/// It is replaced, or applied by several.
pub(super) struct Atomic;

/// The whole with something changed inside.
fn changed(base: &Base, site: &Site, random: &mut Random) -> Option<Value> {
    let mut whole = get(&base.document, &site.place)?.clone();
    let inside: Vec<&Site> = base
        .sites
        .iter()
        .filter(|leaf| {
            leaf.is_leaf() && leaf.place.len() > site.place.len() && leaf.place.starts_with(&site.place)
        })
        .collect();
    let choice = random.below(4);
    match (&mut whole, choice) {
        (Value::Array(list), 0) if list.len() > 1 => list.reverse(),
        (Value::Array(list), 1) if list.len() > 1 => drop(list.remove(random.below(list.len()))),
        (Value::Array(list), 2) if list.iter().all(Value::is_string) => {
            list.push(Value::String("more".to_owned()));
        }
        _ => {
            let leaf = random.pick(&inside)?;
            let value = other(&base.document, leaf, random)?;
            *get_mut(&mut whole, &leaf.place[site.place.len()..])? = value;
        }
    }
    Some(whole)
}

impl Class for Atomic {
    fn name(&self) -> &'static str {
        "atomic replaced"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        site.is_whole()
            && !site.in_atomic
            && get(&base.document, &site.place).is_some_and(|v| *v != Value::Array(Vec::new()))
    }

    fn salts(&self) -> u64 {
        3
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let wholes = || {
            base.sites
                .iter()
                .filter(|site| self.wants(base, site) && !base.is_frozen(site))
        };
        let mut random = fixed(base, salt, "whole");
        let made = match salt {
            0 => None,
            1 => {
                let edits = as_is(&base.document, wholes().map(|site| site.place.clone()));
                Some(Made::AppliedPart {
                    manager: APPLIER,
                    edits,
                })
            }
            _ => {
                let change = |site: &Site| Some((site.place.clone(), changed(base, site, &mut random)?));
                let edits: Vec<Edit> = wholes().filter_map(change).collect();
                Some(Made::Edited {
                    manager: EDITOR,
                    edits,
                })
            }
        };
        Start::made([ours(base)].into_iter().chain(made))
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(!ask.random.once_in(3));
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
        if !ask.random.once_in(3) {
            let value = changed(ask.base, ask.site, ask.random)?;
            draft.set(&ask.site.place, value);
        } else if ask.random.once_in(3)
            && let Some(Value::Object(map)) = get_mut(&mut draft.desired, &ask.site.place)
            && map.len() > 1
        {
            let names: Vec<String> = map.keys().cloned().collect();
            map.remove(ask.random.pick(&names)?);
        }
        Some(draft)
    }
}
