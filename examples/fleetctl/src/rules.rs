//! Whose fields are whose.

use std::path::Path;

use fleet_core::RULES_ANNOTATION;
use fleet_diff::{RuleSet, Rules};

use crate::diff::files;

/// `builtin`, `none`, or a file with rules over the built-in ones; and over all those in annotations of definitions.
pub(crate) fn read(path: &Path) -> Result<Rules, String> {
    let rules = match path.to_str() {
        Some("builtin") => Rules::builtin(),
        Some("none") => return Ok(Rules::none()),
        _ => RuleSet::from_yaml(&files::text(path)?)
            .map(|rules| Rules::builtin().with(rules))
            .map_err(|error| files::wrong(path, &error.to_string()))?,
    };
    Ok(rules.from_annotation(RULES_ANNOTATION))
}
