//! `/version`.

use serde_json::{Value, json};

/// `Info` of `k8s.io/apimachinery/pkg/version`. What is of a build is as in a build that nobody has stamped; the program
/// that answers was made by no Go.
pub(super) fn info(git_version: &str) -> Value {
    let mut numbers = git_version.trim_start_matches('v').split('.');
    let (major, minor) = (numbers.next().unwrap_or(""), numbers.next().unwrap_or(""));
    // Servers are made to follow the minor version before.
    let before = minor.parse().unwrap_or(1_u32).saturating_sub(1).to_string();
    json!({
        "major": major, "minor": minor, "emulationMajor": major, "emulationMinor": minor,
        "minCompatibilityMajor": major, "minCompatibilityMinor": before,
        "gitVersion": git_version, "gitCommit": "$Format:%H$", "gitTreeState": "", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "", "compiler": "gc", "platform": "linux/amd64",
    })
}
