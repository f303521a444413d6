//! Entries of a ledger.

use std::collections::BTreeMap;

use fleet_diff::{Digest, ObjectKey};
use serde::{Deserialize, Serialize};

use crate::words::{Reason, Tick, Uid};

/// What the ledger says of one object. It holds no content, no field sets and no inventory revision.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Entry {
    /// The object.
    #[serde(rename = "k")]
    pub key: ObjectKey,
    /// The last API version we wrote it at.
    #[serde(rename = "v")]
    pub version: String,
    /// How far we are with it.
    #[serde(rename = "s")]
    pub state: EntryState,
    /// Its UID; none until the server's answer to our create was recorded.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Uid>,
    /// For objects that end by themselves: the definition that has finished.
    #[serde(
        rename = "f",
        default,
        skip_serializing_if = "Option::is_none",
        with = "digest_text"
    )]
    pub finished: Option<Digest>,
    /// It has finished by failing.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Where drift may be left alone: the definition it was in sync with last.
    #[serde(
        rename = "d",
        default,
        skip_serializing_if = "Option::is_none",
        with = "digest_text"
    )]
    pub synced: Option<Digest>,
    /// The apply strategy's own note: opaque, small, never a body.
    #[serde(rename = "n", default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Entry {
    /// An object about to be created or adopted.
    pub fn new(key: ObjectKey, version: impl Into<String>) -> Self {
        Self {
            key,
            version: version.into(),
            state: EntryState::Writing,
            uid: None,
            finished: None,
            failed: false,
            synced: None,
            note: None,
        }
    }
}

/// How far we are with an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum EntryState {
    /// Recorded before its first write; it may or may not be there.
    #[serde(rename = "w")]
    Writing,
    /// Ours, and its UID is known.
    #[serde(rename = "o")]
    Owned,
    /// Its delete is decided and may have been sent.
    #[serde(rename = "d")]
    Deleting,
}

/// One change of a ledger.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LedgerWrite {
    /// Sets the entry of its key.
    Put(Entry),
    /// Removes an entry.
    Remove(ObjectKey),
    /// Sets the deletes of the rolling window.
    Window(Vec<Spent>),
    /// Forgets everything, also what cannot be read: the first write of a ledger that is built anew after it was
    /// lost. Until all writes of its record are stored, there is no ledger.
    Clear,
}

/// Deletes spent at one moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spent {
    /// When they were decided.
    #[serde(rename = "t")]
    pub at: Tick,
    /// How many objects, contents of containers counted.
    #[serde(rename = "n")]
    pub count: u32,
}

impl Spent {
    /// `count` deletes decided at `at`.
    pub fn new(at: Tick, count: u32) -> Self {
        Self { at, count }
    }
}

/// All a ledger holds for a target.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct LedgerContent {
    /// Entries by key.
    pub entries: BTreeMap<ObjectKey, Entry>,
    /// Deletes of the rolling window, oldest first.
    pub window: Vec<Spent>,
}

impl LedgerContent {
    /// Carries out one change.
    pub fn apply(&mut self, write: &LedgerWrite) {
        match write {
            LedgerWrite::Put(entry) => {
                self.entries.insert(entry.key.clone(), entry.clone());
            }
            LedgerWrite::Remove(key) => {
                self.entries.remove(key);
            }
            LedgerWrite::Window(window) => self.window.clone_from(window),
            LedgerWrite::Clear => *self = Self::default(),
        }
    }
}

/// What a ledger answers.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LedgerAnswer {
    /// It is there, and complete.
    Known(LedgerContent),
    /// There is none. Whether there never was one is decided by looking for our marks.
    Absent,
    /// There is one and it cannot be believed: parts are missing or unreadable, or it names another cluster or
    /// inventory.
    Lost(Reason),
}

mod digest_text {
    use fleet_diff::Digest;
    use serde::{Deserialize, Deserializer, Serializer, de::Error as _};

    #[allow(
        clippy::ref_option,
        reason = "serde's `with` dictates the reference to an Option"
    )]
    pub(super) fn serialize<S: Serializer>(
        digest: &Option<Digest>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match digest {
            Some(digest) => serializer.collect_str(digest),
            None => serializer.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Digest>, D::Error> {
        let text = String::deserialize(deserializer)?;
        Digest::parse(&text)
            .map(Some)
            .ok_or_else(|| D::Error::custom("not a digest"))
    }
}
