//! What schemas of custom resources and policies do by themselves.

use serde_json::{Value, json};

use super::{by_others, edits, fixed, is_editable, ours};
use crate::truth::{
    base::{Base, MUTATED},
    case::{APPLIER, Ask, Class, Draft, EDITOR, OURS, Start},
    edit::other,
    live::{Edit, Made},
    own,
    place::{fields, get, get_mut, set},
    site::Site,
};

fn with_others(base: &Base, salt: u64, edits: Vec<Edit>) -> Start {
    match salt {
        0 => Start::made([ours(base)]),
        _ => Start::made([ours(base), by_others(salt == 1, edits)]),
    }
}

/// Fields for which the schema has values.
pub(super) struct Defaults;

impl Class for Defaults {
    fn name(&self) -> &'static str {
        "defaults of a CRD"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        !base.is_built_in() && site.default.is_some() && !site.is_key
    }

    fn wants_absent(&self, base: &Base, site: &Site) -> bool {
        self.wants(base, site) && !base.is_full
    }

    fn salts(&self) -> u64 {
        3
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        with_others(base, salt, edits(base, salt, "defaults", 5))
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(!ask.random.once_in(3));
        let agrees = !ask.random.once_in(4);
        for (_, place, value) in ask.edits().iter().filter(|_| agrees) {
            draft.set(place, value.clone());
        }
        let is_there = get(&ask.base.document, &ask.site.place).is_some();
        match ask.random.below(if ask.site.is_default { 4 } else { 5 }) {
            0 | 1 if is_there => draft.remove(&ask.site.place),
            2 => {
                // As if the default were there.
                let mut with_default = ask.base.document.clone();
                set(&mut with_default, &ask.site.place, ask.site.default.clone()?);
                let value = other(&with_default, ask.site, ask.random)?;
                draft.set(&ask.site.place, value);
            }
            4 => {}
            _ => draft.set(&ask.site.place, ask.site.default.clone()?),
        }
        Some(draft)
    }
}

/// Fields that no schema describes: kept where it says so, and refused elsewhere.
pub(super) struct Unknown;

impl Class for Unknown {
    fn name(&self) -> &'static str {
        "unknown fields of a CRD"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        !base.is_built_in() && site.is_deduced
    }

    fn salts(&self) -> u64 {
        3
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let mut random = fixed(base, salt, "unknown");
        let mut leaves: Vec<&Site> = base
            .sites
            .iter()
            .filter(|site| site.is_deduced && site.is_leaf() && !site.in_atomic)
            .collect();
        random.shuffle(&mut leaves);
        let change = |site: &&Site| Some((site.place.clone(), other(&base.document, site, &mut random)?));
        let edits = leaves.iter().filter_map(change).take(3).collect();
        with_others(base, salt, edits)
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(!ask.random.once_in(3));
        if !ask.random.once_in(3) {
            for (_, place, value) in ask.edits() {
                draft.set(place, value.clone());
            }
        }
        match ask.random.below(6) {
            0 | 1 => match ask.other() {
                Some(value) => draft.set(&ask.site.place, value),
                None => draft.remove(&ask.site.place),
            },
            2 => draft.remove(&ask.site.place),
            3 => {
                if let Some(Value::Object(map)) = get_mut(&mut draft.desired, &ask.site.place) {
                    map.insert("added".to_owned(), json!({"x": 1}));
                }
            }
            _ => {}
        }
        Some(draft)
    }
}

/// The schema has changed while there were objects: fields are pruned, defaults have come, lists are merged in another
/// way.
pub(crate) struct Evolved;

impl Class for Evolved {
    fn name(&self) -> &'static str {
        "schema changed"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        base.evolves && !base.is_full && !site.is_key
    }

    fn wants_absent(&self, base: &Base, site: &Site) -> bool {
        self.wants(base, site) && !site.path.starts_with(".metadata")
    }

    fn salts(&self) -> u64 {
        4
    }

    /// It must say the same before and after the change.
    fn start(&self, base: &Base, salt: u64) -> Start {
        let mut document = base.document.clone();
        own::with_what_goes(&mut document);
        let texts = |words: &[(&[&str], Value)]| -> Vec<Edit> {
            words
                .iter()
                .map(|(place, value)| (fields(place), value.clone()))
                .collect()
        };
        let edits = texts(&[
            (&["spec", "kept"], json!("theirs")),
            (&["spec", "nested", "count"], json!(9)),
            (&["spec", "goneMap", "more"], json!("theirs")),
            (&["spec", "granular", "b"], json!("theirs")),
            (&["spec", "free", "theirs"], json!("theirs")),
        ]);
        let first = Made::Applied {
            manager: OURS,
            document,
        };
        match salt {
            0 => Start::made([first]),
            1 => Start::made([
                first,
                Made::Edited {
                    manager: EDITOR,
                    edits,
                },
            ]),
            2 => Start::made([
                first,
                Made::AppliedPart {
                    manager: APPLIER,
                    edits,
                },
            ]),
            // It never said what goes.
            _ => Start::made([ours(base)]),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(!ask.random.once_in(3));
        if ask.random.once_in(2) {
            for (_, place, value) in ask.edits() {
                if get(&draft.desired, place).is_some() {
                    draft.set(place, value.clone());
                }
            }
        }
        let is_there = get(&ask.base.document, &ask.site.place).is_some();
        match ask.random.below(5) {
            0 if is_there => {
                let value = ask.other()?;
                draft.set(&ask.site.place, value);
            }
            1 if is_there && !ask.site.required => draft.remove(&ask.site.place),
            0..=2 if !is_there => draft.set(&ask.site.place, ask.site.default.clone()?),
            2 if ask.random.once_in(4) => draft.desired["spec"]["gone"] = json!("gone"),
            _ => {}
        }
        Some(draft)
    }
}

/// A policy changes everything that is written here.
pub(super) struct Mutated;

impl Class for Mutated {
    fn name(&self) -> &'static str {
        "mutating policy"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        base.can_be_mutated && is_editable(base, site)
    }

    fn namespace(&self) -> &'static str {
        MUTATED
    }

    fn can_be_told(&self) -> bool {
        false
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let edits = edits(base, salt, "mutated", 2);
        Start::made(
            [ours(base)]
                .into_iter()
                .chain((salt == 1).then_some(Made::Edited {
                    manager: EDITOR,
                    edits,
                })),
        )
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let mut draft = ask.draft().forced(!ask.random.once_in(4));
        for (_, place, value) in ask.edits() {
            draft.set(place, value.clone());
        }
        match ask.random.below(6) {
            0 => draft.desired["metadata"]["labels"]["example.net/mutated"] = json!("no"),
            1 => draft.desired["metadata"]["labels"]["example.net/mutated"] = json!("yes"),
            2 | 3 => {
                let value = ask.other()?;
                draft.set(&ask.site.place, value);
            }
            _ => {}
        }
        Some(draft)
    }
}
