//! Owners have written at another version than is asked at.

use super::{edits, ours};
use crate::truth::{
    base::Base,
    case::{APPLIER, Ask, Class, Draft, EDITOR, Start},
    edit::other,
    live::Made,
    site::Site,
};

/// See the module's page.
pub(super) struct Versions;

impl Class for Versions {
    fn name(&self) -> &'static str {
        "another API version"
    }

    fn wants(&self, base: &Base, site: &Site) -> bool {
        base.has_versions && !site.is_element() && !site.is_key
    }

    /// Only the server can convert built-in kinds.
    fn can_be_told(&self) -> bool {
        false
    }

    fn salts(&self) -> u64 {
        4
    }

    fn start(&self, base: &Base, salt: u64) -> Start {
        let other_version = |manager| Made::EditedAtOther { manager, salt };
        let edited = Made::Edited {
            manager: EDITOR,
            edits: edits(base, salt, "here", 2),
        };
        let applied = Made::AppliedPart {
            manager: APPLIER,
            edits: edits(base, salt, "here", 3),
        };
        match salt {
            0 => Start::made([ours(base)]),
            1 => Start::made([ours(base), other_version(EDITOR)]),
            2 => Start::made([ours(base), edited]),
            _ => Start::made([ours(base), applied]),
        }
    }

    fn draft(&self, ask: &mut Ask<'_>) -> Option<Draft> {
        let live = ask.live?;
        // Most of what is said of these at one version cannot be said at the other.
        if ask.base.kind == "Pipeline.versions.example.net" && !ask.random.once_in(3) {
            return None;
        }
        // Those who come from another version, or who stay while others have been there.
        if ask.salt == 1 && ask.random.once_in(2) {
            let mut draft = ask.draft().forced(ask.random.once_in(2));
            if ask.random.once_in(2) {
                let value = ask.other()?;
                draft.set(&ask.site.place, value);
            }
            return Some(draft);
        }
        let there = ask.random.pick(&live.others)?;
        let sites: Vec<&Site> = there
            .sites
            .iter()
            .filter(|site| !site.is_element() && !site.is_key && site.path != ".metadata.uid")
            .collect();
        let same: Vec<&Site> = sites
            .iter()
            .filter(|site| site.path == ask.site.path)
            .copied()
            .collect();
        let site = match ask.random.pick(&same) {
            Some(site) => *site,
            None => *ask.random.pick(&sites)?,
        };
        let mut draft = ask.draft().at(&site.path).forced(ask.random.once_in(2));
        draft.desired = there.document.clone();
        match ask.random.below(4) {
            0 | 1 => match other(&there.document, site, ask.random) {
                Some(value) => draft.set(&site.place, value),
                None if !site.required => draft.remove(&site.place),
                None => {}
            },
            2 if !site.required => draft.remove(&site.place),
            _ => {}
        }
        Some(draft)
    }
}
