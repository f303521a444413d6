//! Where everything is, kept from one run to the next.

use std::{
    collections::BTreeMap,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

use fleet_core::Tick;
use fleet_scheduler::{MoveLog, Placements, Replacement};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{inputs::fields, read::Text};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// Where everything is, and the moves that still count.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub(super) version: u32,
    /// For when it was decided; older files do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Tick>,
    pub(super) placements: Placements,
    #[serde(default)]
    pub(super) moves: MoveLog,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) approved: Approved,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) replacements: Vec<Replacement>,
}

/// Proposals that were carried out: their tokens, and when.
pub(crate) type Approved = BTreeMap<String, Tick>;

/// How many of them are remembered.
const APPROVED_MAX: usize = 1000;

/// With these, too; the oldest are forgotten.
pub(super) fn remember(
    mut approved: Approved,
    tokens: impl IntoIterator<Item = String>,
    now: Tick,
) -> Approved {
    for token in tokens {
        approved.entry(token).or_insert(now);
    }
    while approved.len() > APPROVED_MAX {
        let Some(oldest) = approved
            .iter()
            .min_by_key(|(_, at)| **at)
            .map(|(token, _)| token.clone())
        else {
            break;
        };
        approved.remove(&oldest);
    }
    approved
}

impl State {
    /// From a file that `--save` or `--output json` wrote.
    ///
    /// # Errors
    /// When it is not whole: from less than what is placed, nothing may be decided.
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let text = Text::open(path)?;
        let mut documents = text.documents()?;
        let (Some(document), true) = (documents.pop(), documents.is_empty()) else {
            return Err(text.wrong("is not one document, as --save writes it"));
        };
        let Value::Object(mut map) = document.value else {
            return Err(text.wrong("is not a mapping, as --save writes it"));
        };
        // Output for programs has more in it.
        let value = fields(
            &mut map,
            &["version", "at", "placements", "moves", "approved", "replacements"],
        );
        let state: Self = text.parse(document.line, &[], 0, value)?;
        if state.version != VERSION {
            return Err(text.wrong(&format!("is of version {}, not {VERSION}", state.version)));
        }
        Ok(state)
    }

    /// Replaces the file as a whole.
    pub(super) fn write(&self, path: &Path) -> Result<(), String> {
        let wrong = |error: std::io::Error| format!("{}: cannot be written: {error}", path.display());
        let mut text = serde_json::to_string_pretty(self).map_err(|error| wrong(error.into()))?;
        text.push('\n');
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let new = PathBuf::from(name);
        let replaced = fs::File::create(&new)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, path));
        if replaced.is_err() {
            // It may never have been made.
            let _ = fs::remove_file(&new);
        }
        replaced.map_err(wrong)
    }
}
