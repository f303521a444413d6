//! What a server answered to the cases: `recorded/VERSION.json`.
//!
//! Those who record include this file too.
#![allow(dead_code, reason = "each reader uses its part")]

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use json_patch::Patch;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All answers of servers of one version, by the titles of cases.
pub(crate) type Recording = BTreeMap<String, Recorded>;

/// What is known of a case.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recorded {
    /// What the server had been told, as a digest.
    pub(crate) input: String,
    /// The object as it was; null when there was none.
    pub(crate) live: Value,
    /// The answer to a dry run of the apply.
    pub(crate) answer: Answer,
    /// What the rules leave of the definition, where that is something else, and the answer to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sent: Option<Sent>,
}

/// A document that was sent in place of the definition.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sent {
    pub(crate) document: Value,
    pub(crate) answer: Answer,
}

/// An answer to a dry run.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// The object as it would be, as changes of the one there was.
    Changed { patch: Patch },
    /// The object as it would be, where there was none.
    Created { object: Value },
    /// Managers and the fields that they would lose.
    Conflicts { conflicts: Vec<(String, String)> },
    /// The server would not do it.
    Refused { status: u16, message: String },
}

impl Answer {
    /// The object as it would be.
    pub(crate) fn object(&self, live: &Value) -> Option<Value> {
        match self {
            Self::Changed { patch } => {
                let mut object = live.clone();
                json_patch::patch(&mut object, patch).expect("a patch of the live object");
                Some(object)
            }
            Self::Created { object } => Some(object.clone()),
            _ => None,
        }
    }
}

/// Reads a recording.
pub(crate) fn read(path: &Path) -> Recording {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A recording as text: whatever may change by itself on a line of its own.
pub(crate) fn text(recording: &Recording) -> String {
    let mut text = "{\n".to_owned();
    for (i, (title, recorded)) in recording.iter().enumerate() {
        let comma = if i == 0 { "" } else { ",\n" };
        let _ = writeln!(text, "{comma}{}: {{", Value::from(title.as_str()));
        let _ = writeln!(
            text,
            "  \"input\": \"{}\",\n  \"live\": {},",
            recorded.input, recorded.live
        );
        let _ = write!(text, "  \"answer\": {}", answer(&recorded.answer));
        if let Some(sent) = &recorded.sent {
            let _ = write!(
                text,
                ",\n  \"sent\": {{\n  \"document\": {},\n  \"answer\": {}}}",
                sent.document,
                answer(&sent.answer)
            );
        }
        text.push_str("\n}");
    }
    text.push_str("\n}\n");
    text
}

fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Changed { patch } if !patch.0.is_empty() => {
            let steps: Vec<String> = patch.0.iter().map(|step| format!("    {}", line(step))).collect();
            format!("{{\"patch\": [\n{}\n  ]}}", steps.join(",\n"))
        }
        other => line(other),
    }
}

fn line(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("JSON")
}
