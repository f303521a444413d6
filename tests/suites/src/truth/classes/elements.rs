//! Lists whose elements have owners of their own.

use serde_json::Value;

use super::{by_others, is_editable, ours};
use crate::random::Random;
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, OURS, Start},
    edit::other,
    live::{Made, as_is},
    place::{Place, Step, get, get_mut, remove},
    schema::{ListSort, Sort},
    site::Site,
};

/// The list has elements that are told apart by keys, or by what they are.
pub(super) fn is_list(site: &Site) -> bool {
    !site.in_atomic && matches!(&site.sort, Sort::List(ListSort::Keyed(_) | ListSort::Set))
}

/// Another element for a list: one of it with another key.
pub(super) fn another(base: &Base, site: &Site, random: &mut Random) -> Option<Value> {
    let list = get(&base.document, &site.place)?.as_array()?;
    let at = random.below(list.len().max(1));
    let mut element = list.get(at)?.clone();
    let mut place = site.place.clone();
    place.push(Step::At(at));
    let Sort::List(sort) = &site.sort else { return None };
    match sort {
        ListSort::Set => Some(match element {
            Value::String(text) => Value::String(format!("{text}-{}", random.below(90) + 10)),
            Value::Number(number) => Value::from(number.as_i64()? + 100),
            _ => return None,
        }),
        ListSort::Keyed(_) => {
            let is_key = |key: &&Site| {
                key.is_key && key.place.len() == place.len() + 1 && key.place.starts_with(&place)
            };
            let keys: Vec<&Site> = base.sites.iter().filter(is_key).collect();
            let key = random.pick(&keys)?;
            let value = other(&base.document, key, random)?;
            element[key.name()] = value;
            // Names and numbers beside the key are often meant to differ too.
            for (name, value) in element.as_object_mut()? {
                if name == "name" && key.name() != "name" {
                    *value = Value::String(format!("n{}", random.below(9000)));
                } else if name == "hostPort" {
                    *value = Value::from(10_000 + random.below(9000));
                }
            }
            Some(element)
        }
        ListSort::Atomic => None,
    }
}

/// The list with one more element, always the same one for a salt.
fn extended(base: &Base, site: &Site, salt: u64) -> Option<Value> {
    let mut random = Random::of(salt, &site.path, 1);
    let mut list = get(&base.document, &site.place)?.clone();
    let more = another(base, site, &mut random)?;
    list.as_array_mut()?.push(more);
    Some(list)
}

/// All lists with one more element, those inside of others after them.
fn extensions(base: &Base, salt: u64) -> Vec<(Place, Value)> {
    let lists = base
        .sites
        .iter()
        .filter(|site| is_list(site) && !base.is_frozen(site));
    lists
        .filter_map(|site| Some((site.place.clone(), extended(base, site, salt)?)))
        .collect()
}

/// We, and somebody with one element more.
fn with_others(base: &Base, salt: u64) -> Start {
    let edits = extensions(base, salt);
    let made = by_others(salt.is_multiple_of(2), edits);
    Start::made([ours(base), made])
}

/// One more element, new or somebody's.
pub(super) struct Added;

impl Class for Added {
    fn name(&self) -> &'static str {
        "element added"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        is_list(site)
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        with_others(base, salt)
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        let (element, at_end) = match ask.edit_here() {
            Some(list) if !ask.random.once_in(6) => {
                (list.as_array()?.last()?.clone(), !ask.random.once_in(3))
            }
            None if ask.random.once_in(2) => return None,
            _ => (another(ask.base, ask.site, ask.random)?, false),
        };
        let list = get_mut(&mut draft.desired, &ask.site.place)?.as_array_mut()?;
        let at = if at_end {
            list.len()
        } else {
            ask.random.below(list.len() + 1)
        };
        list.insert(at, element);
        Some(draft)
    }
}

/// One element less, ours or shared.
pub(super) struct Removed;

impl Class for Removed {
    fn name(&self) -> &'static str {
        "element removed"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        is_list(site)
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        with_others(base, salt)
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        let list = get_mut(&mut draft.desired, &ask.site.place)?.as_array_mut()?;
        if list.is_empty() {
            return None;
        }
        list.remove(ask.random.below(list.len()));
        if list.is_empty() && ask.random.once_in(2) {
            remove(&mut draft.desired, &ask.site.place);
        }
        Some(draft)
    }
}

/// The same elements in another order.
pub(super) struct Reordered;

impl Class for Reordered {
    fn name(&self) -> &'static str {
        "elements reordered"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        is_list(site)
            && get(&base.document, &site.place)
                .and_then(Value::as_array)
                .is_some_and(|l| l.len() > 1)
    }

    fn salts(&self) -> u64 {
        3
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        match salt {
            // Others have all of it, in our order.
            0 => {
                let lists = base
                    .sites
                    .iter()
                    .filter(|site| is_list(site))
                    .map(|site| site.place.clone());
                let edits = as_is(&base.document, lists);
                Start::made([
                    ours(base),
                    Made::AppliedPart {
                        manager: APPLIER,
                        edits,
                    },
                ])
            }
            _ => with_others(base, salt - 1),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        let theirs = ask.edit_here().and_then(Value::as_array).cloned();
        let list = get_mut(&mut draft.desired, &ask.site.place)?.as_array_mut()?;
        if let Some(theirs) = theirs
            && ask.random.once_in(3)
        {
            *list = theirs;
        }
        match ask.random.below(6) {
            0 => list.reverse(),
            1 => list.rotate_left(1),
            2 => ask.random.shuffle(list),
            3 => {}
            // In order, but not all of it.
            4 => drop(list.remove(ask.random.below(list.len()))),
            _ if list.len() > 2 => list.swap(0, 1),
            _ => {}
        }
        Some(draft)
    }
}

/// A key that has a default is spelled out by some and left out by others.
pub(super) struct MissingKey;

impl MissingKey {
    /// The places of such keys.
    fn keys(base: &Base) -> Vec<Place> {
        let keys = base
            .sites
            .iter()
            .filter(|site| site.is_key && site.default.is_some() && !site.in_atomic);
        let is_default = |site: &&Site| get(&base.document, &site.place) == site.default.as_ref();
        keys.filter(is_default).map(|site| site.place.clone()).collect()
    }

    /// The list in which a place is, when such a key is beside it.
    fn element<'a>(keys: &'a [Place], site: &Site) -> Option<&'a Place> {
        keys.iter()
            .find(|key| site.place.starts_with(&key[..key.len() - 1]))
    }
}

impl Class for MissingKey {
    fn name(&self) -> &'static str {
        "missing key default"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        Self::element(&Self::keys(base), site).is_some()
    }

    fn salts(&self) -> u64 {
        4
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let mut document = base.document.clone();
        let keys = Self::keys(base);
        if salt.is_multiple_of(2) {
            for place in &keys {
                remove(&mut document, place);
            }
        }
        let elements = keys.iter().map(|key| key[..key.len() - 1].to_vec());
        let others = Made::AppliedPart {
            manager: APPLIER,
            edits: as_is(&base.document, elements),
        };
        let first = Made::Applied {
            manager: OURS,
            document,
        };
        Start::made([first].into_iter().chain((salt >= 2).then_some(others)))
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        let keys = Self::keys(ask.base);
        match ask.random.below(4) {
            // Something beside the key changes.
            0 | 1 if !ask.site.is_key && !ask.site.is_element() => match ask.other() {
                Some(value) if is_editable(ask.base, ask.site) => draft.set(&ask.site.place, value),
                _ if !ask.site.required => draft.remove(&ask.site.place),
                _ => {}
            },
            // An element comes, or goes.
            0 | 1 => {
                let element = Self::element(&keys, ask.site)?;
                let list = &element[..element.len() - 2];
                let site = ask.base.sites.iter().find(|site| site.place == list)?;
                if ask.random.once_in(2) {
                    let more = another(ask.base, site, ask.random)?;
                    get_mut(&mut draft.desired, list)?.as_array_mut()?.push(more);
                } else {
                    get_mut(&mut draft.desired, list)?.as_array_mut()?.pop();
                }
            }
            _ => {}
        }
        let mut left_out = keys.clone();
        if ask.salt.is_multiple_of(2) || ask.random.once_in(2) {
            let random = &mut *ask.random;
            left_out.retain(|_| random.once_in(3));
        }
        for place in &left_out {
            draft.remove(place);
        }
        Some(draft)
    }
}
