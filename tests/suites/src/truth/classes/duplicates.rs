//! Lists with the same element twice, as updates can leave them and applies cannot.

use serde_json::Value;

use super::{elements::is_list, fixed, is_editable, ours};
use crate::truth::{
    base::Base,
    case::{Ask, Class, Draft, EDITOR, OURS, Start},
    edit::other,
    live::{Edit, Made},
    place::{Step, get, get_mut, remove},
    site::Site,
};

/// One definition in so many repeats an element itself, which is refused.
const REPEATED_ONCE_IN: usize = 14;

/// See the module's page.
pub(super) struct Duplicates;

impl Duplicates {
    /// Lists with an element twice, the second time with another value beside the key, or the same.
    fn repeated(base: &Base, salt: u64) -> Vec<Edit> {
        let mut random = fixed(base, salt, "twice");
        let lists = base
            .sites
            .iter()
            .filter(|site| is_list(site) && !base.is_frozen(site));
        let repeat = |site: &Site| {
            let mut list = get(&base.document, &site.place)?.clone();
            let all = list.as_array_mut()?;
            let at = random.below(all.len().max(1));
            let mut element = all.get(at)?.clone();
            let mut place = site.place.clone();
            place.push(Step::At(at));
            let leaf = base.sites.iter().find(|leaf| {
                leaf.place.starts_with(&place)
                    && leaf.is_leaf()
                    && !leaf.is_key
                    && leaf.place.len() == place.len() + 1
            });
            if let Some(leaf) = leaf.filter(|_| !random.once_in(3)) {
                element[leaf.name()] = other(&base.document, leaf, &mut random)?;
            }
            all.insert(random.below(all.len() + 1), element);
            Some((site.place.clone(), list))
        };
        // From the inside out, so that no place moves before it is used.
        let mut edits: Vec<Edit> = lists.filter_map(repeat).collect();
        edits.sort_by_key(|(place, _)| std::cmp::Reverse(place.len()));
        let innermost: Vec<Edit> = edits
            .iter()
            .filter(|(place, _)| {
                !edits
                    .iter()
                    .any(|(other, _)| other.len() > place.len() && other.starts_with(place))
            })
            .cloned()
            .collect();
        innermost
    }
}

impl Class for Duplicates {
    fn name(&self) -> &'static str {
        "duplicates"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        (is_list(site) || is_editable(base, site)) && base.sites.iter().any(is_list)
    }

    fn frozen_once_in(&self) -> u64 {
        u64::MAX
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let edits = Self::repeated(base, salt);
        if salt < 2 {
            return Start::made([
                ours(base),
                Made::Edited {
                    manager: EDITOR,
                    edits,
                },
            ]);
        }
        // The lists are all theirs.
        let mut document = base.document.clone();
        for (place, _) in &edits {
            remove(&mut document, place);
        }
        let first = Made::Applied {
            manager: OURS,
            document,
        };
        Start::made([
            first,
            Made::Edited {
                manager: EDITOR,
                edits,
            },
        ])
    }

    fn salts(&self) -> u64 {
        6
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        // The server may have taken none of it.
        let there: Vec<&(&str, _, Value)> = ask.edits().iter().collect();
        let (_, place, theirs) = *ask.random.pick(&there)?;
        let place = place.clone();
        let site = ask.base.sites.iter().find(|site| site.place == place)?;
        let mut draft = ask.draft().forced(!ask.random.once_in(3));
        if ask.random.once_in(REPEATED_ONCE_IN) {
            let theirs = theirs.clone();
            draft.set(&place, theirs);
            return Some(draft.at(&site.path));
        }
        let lists_are_ours = ask.salt < 2;
        if !lists_are_ours && !ask.random.once_in(3) {
            for (_, place, _) in ask.edits() {
                draft.remove(place);
            }
            if ask.random.once_in(3) && is_editable(ask.base, ask.site) {
                let value = ask.other()?;
                if get(&draft.desired, &ask.site.place).is_some() {
                    draft.set(&ask.site.place, value);
                }
            }
            return Some(draft);
        }
        match ask.random.below(5) {
            // An element that is there once or twice goes or comes.
            0 => {
                let list = get_mut(&mut draft.desired, &place)?.as_array_mut()?;
                list.remove(ask.random.below(list.len()));
                draft = draft.at(&site.path);
            }
            1 => {
                let element = super::elements::another(ask.base, site, ask.random)?;
                get_mut(&mut draft.desired, &place)?.as_array_mut()?.push(element);
                draft = draft.at(&site.path);
            }
            // Something else changes.
            2 if is_editable(ask.base, ask.site) => {
                let value = ask.other()?;
                draft.set(&ask.site.place, value);
            }
            // Nothing does.
            _ => {}
        }
        Some(draft)
    }
}
