//! Lists whose elements have owners of their own.

use serde_json::Value;

use super::{ours, start};
use crate::truth::{
    base::Base,
    case::{APPLIER, Class, Draft, EDITOR, Start},
    edit::other,
    live::{Live, Made},
    place::{get, get_mut, remove},
    random::Random,
    schema::{ListSort, Sort},
    site::Site,
};

/// The list has elements that are told apart by keys, or by what they are.
fn is_list(site: &Site) -> bool {
    !site.in_atomic && matches!(&site.sort, Sort::List(ListSort::Keyed(_) | ListSort::Set))
}

/// Another element for a list: one of it with another key.
fn another(base: &Base, site: &Site, random: &mut Random) -> Option<Value> {
    let list = get(&base.document, &site.place)?.as_array()?;
    let at = random.below(list.len().max(1));
    let mut element = list.get(at)?.clone();
    let mut place = site.place.clone();
    place.push(crate::truth::place::Step::At(at));
    let Sort::List(sort) = &site.sort else { return None };
    match sort {
        ListSort::Set => {
            let text = element.as_str()?;
            Some(Value::String(format!("{text}-{}", random.below(90) + 10)))
        }
        ListSort::Keyed(_) => {
            let keys: Vec<&Site> = base
                .sites
                .iter()
                .filter(|key| {
                    key.is_key && key.place.len() == place.len() + 1 && key.place.starts_with(&place)
                })
                .collect();
            let key = random.pick(&keys)?;
            let value = other(&base.document, key, random)?;
            let name = key.name().to_owned();
            element[name] = value;
            Some(element)
        }
        ListSort::Atomic => None,
    }
}

/// A list like that with one more element, always the same one for a salt.
fn extended(base: &Base, site: &Site, salt: u64) -> Option<Value> {
    let mut random = Random::of(salt, &site.path, 1);
    let mut list = get(&base.document, &site.place)?.clone();
    let more = another(base, site, &mut random)?;
    list.as_array_mut()?.push(more);
    Some(list)
}

/// We, and somebody with one element more.
fn with_others(base: &Base, site: &Site, salt: u64) -> Option<Start> {
    let list = extended(base, site, salt)?;
    let edits = vec![(site.place.clone(), list)];
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

/// One more element, new or somebody's.
pub(super) struct Added;

impl Class for Added {
    fn name(&self) -> &'static str {
        "element added"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        is_list(site) && !base.is_frozen(site)
    }

    fn start(&self, base: &Base, site: &Site, salt: u64) -> Option<Start> {
        with_others(base, site, salt)
    }

    fn draft(&self, base: &Base, site: &Site, live: Option<&Live>, random: &mut Random) -> Option<Draft> {
        let mut desired = base.document.clone();
        let theirs = live?.edits.iter().find(|(_, place, _)| *place == site.place);
        let element = match theirs {
            Some((_, _, list)) if random.once_in(2) => list.as_array()?.last()?.clone(),
            _ => another(base, site, random)?,
        };
        let list = get_mut(&mut desired, &site.place)?.as_array_mut()?;
        let at = random.below(list.len() + 1);
        list.insert(at, element);
        Some(Draft::new(desired, site).forced(random.once_in(2)))
    }
}

/// One element less, ours or shared.
pub(super) struct Removed;

impl Class for Removed {
    fn name(&self) -> &'static str {
        "element removed"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        is_list(site) && !base.is_frozen(site)
    }

    fn start(&self, base: &Base, site: &Site, salt: u64) -> Option<Start> {
        with_others(base, site, salt)
    }

    fn draft(&self, base: &Base, site: &Site, _: Option<&Live>, random: &mut Random) -> Option<Draft> {
        let mut desired = base.document.clone();
        let list = get_mut(&mut desired, &site.place)?.as_array_mut()?;
        if list.is_empty() {
            return None;
        }
        let at = random.below(list.len());
        list.remove(at);
        if list.is_empty() && random.once_in(2) {
            remove(&mut desired, &site.place);
        }
        Some(Draft::new(desired, site).forced(random.once_in(2)))
    }
}
