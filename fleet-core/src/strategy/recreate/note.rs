//! What the ledger remembers of a recreation.

use fleet_diff::Digest;
use serde::{Deserialize, Serialize};

use super::Recreation;
use crate::{
    edge::Fault,
    words::{Live, Tick, Uid},
};

/// How far a recreation is. Each is recorded before the requests of it are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    /// The copy is being made.
    Copying,
    /// The copy is there: the object is deleted, and made anew.
    Replacing,
    /// The new object was refused: the old one is made again.
    Restoring,
    /// The old one is there again, and gets its owners back.
    Returning,
    /// Nothing needs the copy any more.
    Discarding,
    /// The old one is there again, and this definition is not tried again.
    Failed,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    #[serde(rename = "s")]
    pub(super) step: Step,
    /// The object that is replaced.
    #[serde(rename = "u")]
    pub(super) uid: Uid,
    /// The copy's name.
    #[serde(rename = "c")]
    pub(super) copy: String,
    /// Digest of what is in it, status aside.
    #[serde(rename = "d")]
    pub(super) digest: String,
    /// Digest of the definition it is done for.
    #[serde(rename = "o")]
    pub(super) of: String,
    /// Since when it is under way.
    #[serde(rename = "t")]
    pub(super) since: Tick,
    /// Why the new object was refused. No value of a Secret is in it.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(super) why: Option<String>,
}

/// Most bytes kept of a refusal.
const WHY_BYTES_MAX: usize = 300;

impl Note {
    pub(super) fn begin(work: &Recreation, live: &Live, definition: &Digest) -> Self {
        Self {
            step: Step::Copying,
            uid: live.uid().clone(),
            copy: super::copy::name(live),
            digest: super::copy::digest(live.object()),
            of: definition.to_string(),
            since: work.now,
            why: None,
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn at(&self, step: Step) -> Self {
        Self { step, ..self.clone() }
    }

    pub(super) fn because(mut self, fault: &Fault) -> Self {
        let mut why = fault.to_string();
        if let Some(end) = (0..=WHY_BYTES_MAX).rev().find(|end| why.is_char_boundary(*end)) {
            why.truncate(end);
        }
        self.why = Some(why);
        self
    }

    pub(super) fn is_of(&self, definition: Option<&Digest>) -> bool {
        definition.is_some_and(|digest| digest.to_string() == self.of)
    }

    /// Why this definition is not tried again.
    pub(super) fn failure_of(&self, definition: &Digest) -> Option<String> {
        (self.step == Step::Failed && self.is_of(Some(definition)))
            .then(|| self.why.clone().unwrap_or_default())
    }

    pub(super) fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
