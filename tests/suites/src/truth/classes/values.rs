//! Values with several spellings, and those that say nothing.

use serde_json::{Value, json};

use super::{edits, ours};
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, EDITOR, Start},
    edit::{other, same_quantity},
    live::{Edit, Made, as_is},
    place::get,
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

    fn salts(&self) -> u64 {
        3
    }

    fn frozen_once_in(&self) -> u64 {
        4
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        start_of_sort(base, salt, &Sort::Quantity, "quantity")
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(!ask.random.once_in(4));
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
        let now = get(&draft.desired, &ask.site.place)?.clone();
        let value = if ask.base.is_frozen(ask.site) || !ask.random.once_in(3) {
            same_quantity(&now, ask.random)?
        } else {
            ask.other()?
        };
        draft.set(&ask.site.place, value);
        Some(draft)
    }
}

/// Numbers, texts of numbers, and other texts.
pub(super) struct IntOrString;

impl Class for IntOrString {
    fn name(&self) -> &'static str {
        "int-or-string"
    }

    fn wants(&self, base: &Base, _: &Site) -> bool {
        // What is edited beside it counts too.
        base.sites
            .iter()
            .any(|site| site.sort == Sort::IntOrString && !base.is_frozen(site))
    }

    fn salts(&self) -> u64 {
        3
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        start_of_sort(base, salt, &Sort::IntOrString, "int")
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let is_one = |site: &&Site| site.sort == Sort::IntOrString && !ask.base.is_frozen(site);
        let all: Vec<&Site> = ask.base.sites.iter().filter(is_one).collect();
        let site = if is_one(&ask.site) {
            ask.site
        } else {
            ask.random.pick(&all)?
        };
        let mut draft = ask.draft().forced(!ask.random.once_in(3)).at(&site.path);
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
        let now = get(&draft.desired, &site.place)?.clone();
        match (ask.random.below(5), &now) {
            (0, Value::Number(number)) => draft.set(&site.place, json!(number.to_string())),
            (0, Value::String(text)) => match text.parse::<i64>() {
                Ok(number) => draft.set(&site.place, json!(number)),
                Err(_) => draft.set(&site.place, json!(8087)),
            },
            (1, _) => {
                let value = other(&draft.desired, site, ask.random)?;
                draft.set(&site.place, value);
            }
            (2, _) if !site.required => draft.remove(&site.place),
            (3, _) => {
                let leaf = ask.leaf_beside(&[&site.place])?.clone();
                let value = other(&ask.base.document, &leaf, ask.random)?;
                draft.set(&leaf.place, value);
                draft = draft.at(&leaf.path);
            }
            _ => {}
        }
        Some(draft)
    }
}

/// A field is null.
pub(super) struct Null;

impl Class for Null {
    fn name(&self) -> &'static str {
        "null"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        !site.is_element() && !site.is_key
    }

    fn wants_absent(&self, base: &Base, site: &Site) -> bool {
        self.wants(base, site)
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        with_one_edit(base, salt)
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
        // Most of these change nothing.
        let is_there = get(&ask.base.document, &ask.site.place).is_some();
        if !is_there && ask.random.once_in(3) {
            return None;
        }
        draft.set(&ask.site.place, Value::Null);
        Some(draft)
    }
}

/// A field is an empty list, mapping or text.
pub(super) struct Empty;

fn empty(sort: &Sort) -> Option<Value> {
    match sort {
        Sort::Text | Sort::Bytes => Some(json!("")),
        Sort::Mapping { .. } => Some(json!({})),
        Sort::List(_) => Some(json!([])),
        _ => None,
    }
}

impl Class for Empty {
    fn name(&self) -> &'static str {
        "empty"
    }

    fn wants(&self, _: &Base, site: &Site) -> bool {
        !site.is_element() && !site.is_key && empty(&site.sort).is_some()
    }

    fn wants_absent(&self, base: &Base, site: &Site) -> bool {
        self.wants(base, site)
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        with_one_edit(base, salt)
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(ask.random.once_in(2));
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
        draft.set(&ask.site.place, empty(&ask.site.sort)?);
        Some(draft)
    }
}

/// We, and half of the time somebody who has edited two places.
fn with_one_edit(base: &Base, salt: u64) -> Start {
    let edits = edits(base, salt, "some", 2);
    Start::made(
        [ours(base)]
            .into_iter()
            .chain((salt == 1).then_some(Made::Edited {
                manager: EDITOR,
                edits,
            })),
    )
}

/// Values of one sort: ours alone, ours and an applier's, or changed by an editor.
fn start_of_sort(base: &Base, salt: u64, sort: &Sort, seed: &str) -> Start {
    let all = base
        .sites
        .iter()
        .filter(|site| site.sort == *sort && !site.in_atomic);
    let made = match salt {
        0 => None,
        1 => Some(Made::AppliedPart {
            manager: APPLIER,
            edits: as_is(&base.document, all.map(|site| site.place.clone())),
        }),
        _ => {
            let mut random = super::fixed(base, salt, seed);
            let change = |site: &Site| Some((site.place.clone(), other(&base.document, site, &mut random)?));
            let edits: Vec<Edit> = all
                .filter(|site| !base.is_frozen(site))
                .filter_map(change)
                .take(3)
                .collect();
            Some(Made::Edited {
                manager: EDITOR,
                edits,
            })
        }
    };
    Start::made([ours(base)].into_iter().chain(made))
}
