//! Whose fields are whose.

use std::path::Path;

use fleet_core::LocalJudge;
use fleet_diff::{RuleSet, Rules};

use crate::diff::files;

/// `builtin`, `none`, or a file with rules over the built-in ones; and over all those in annotations of definitions.
pub(crate) fn read(path: &Path) -> Result<Rules, String> {
    match path.to_str() {
        Some("builtin") => Ok(LocalJudge::usual_rules()),
        Some("none") => Ok(Rules::none()),
        _ => RuleSet::from_yaml(&files::text(path)?)
            .map(|rules| LocalJudge::usual_rules().with(rules))
            .map_err(|error| files::wrong(path, &error.to_string())),
    }
}
