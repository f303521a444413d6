//! Rules in files: whose fields are whose, and what is healthy.

use std::path::Path;

use fleet_core::{LocalJudge, health::HealthRules};
use fleet_diff::{ReadLimits, RuleSet, Rules, read_values};

use crate::diff::files;

/// `builtin`, `none`, or a file, whose text is asked for, with rules over the built-in ones; and over all those in
/// annotations of definitions.
pub(crate) fn fields(
    path: &Path,
    text: impl FnOnce(&Path) -> Result<String, String>,
) -> Result<Rules, String> {
    match path.to_str() {
        Some("builtin") => Ok(LocalJudge::usual_rules()),
        Some("none") => Ok(Rules::none()),
        _ => RuleSet::from_yaml(&said(path, text(path)?)?)
            .map(|rules| LocalJudge::usual_rules().with(rules))
            .map_err(|error| files::wrong(path, &error.to_string())),
    }
}

/// Rules for health over the built-in ones, from the text of a file.
pub(crate) fn health(path: &Path, text: String) -> Result<HealthRules, String> {
    HealthRules::from_yaml(&said(path, text)?).map_err(|error| files::wrong(path, &error.to_string()))
}

/// The text, unless nothing is said in it: somebody may be about to write it.
fn said(path: &Path, text: String) -> Result<String, String> {
    match read_values(&text, &ReadLimits::default()) {
        Ok(values) if values.is_empty() => Err(files::wrong(path, "is empty; write `[]` for no rules")),
        _ => Ok(text),
    }
}
