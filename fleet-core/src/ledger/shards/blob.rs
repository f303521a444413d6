//! The text of blobs: compact JSON, one format number.

use std::{collections::BTreeMap, fmt, str::FromStr};

use fleet_diff::{DigestBuilder, ObjectKey};
use serde::{Deserialize, Serialize};

use super::{
    super::{Entry, Spent},
    Prefix, key_hash,
};
use crate::words::{Reason, Scope, Target, text_newtype};

/// The format written, and the newest one read.
pub const FORMAT: u32 = 1;

text_newtype! {
    /// What a store calls one state of one blob, such as a resourceVersion: opaque, new with each write.
    BlobVersion
}

/// Names one blob of a ledger. Printed as `head`, or as `s` and the prefix's bits; a store puts its own name
/// before that.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum BlobName {
    /// The head: deletes of the rolling window.
    Head,
    /// The shard of a prefix.
    Shard(Prefix),
}

impl fmt::Display for BlobName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Head => f.write_str("head"),
            Self::Shard(prefix) => write!(f, "s{prefix}"),
        }
    }
}

impl FromStr for BlobName {
    type Err = super::ParsePrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix('s') {
            _ if text == "head" => Ok(Self::Head),
            Some(bits) => bits.parse().map(Self::Shard),
            None => Err(super::ParsePrefixError),
        }
    }
}

/// One stored blob, as read.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Blob {
    /// Its name.
    pub name: BlobName,
    /// The state it is in.
    pub version: BlobVersion,
    /// Its content.
    pub text: String,
}

impl Blob {
    /// From its parts.
    pub fn new(name: BlobName, version: impl Into<BlobVersion>, text: impl Into<String>) -> Self {
        Self {
            name,
            version: version.into(),
            text: text.into(),
        }
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Blob({} at {}, {} bytes)",
            self.name,
            self.version,
            self.text.len()
        )
    }
}

/// What every blob says first: whose it is.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Owner {
    cluster: String,
    inventory: String,
    scope: String,
}

impl Owner {
    pub(super) fn of(target: &Target) -> Self {
        let scope = match &target.scope {
            Scope::Cluster => "cluster".to_owned(),
            // By digest: a list of namespaces can be long, and every blob names its scope.
            Scope::Namespaces(set) => {
                let list = set
                    .iter()
                    .fold(DigestBuilder::new(), |list, namespace| list.text(namespace));
                format!("namespaces {}", list.finish())
            }
        };
        Self {
            cluster: target.cluster.to_string(),
            inventory: target.inventory.to_string(),
            scope,
        }
    }

    fn check(&self, found: &Self) -> Result<(), Reason> {
        let pairs = [
            ("cluster", &self.cluster, &found.cluster),
            ("inventory", &self.inventory, &found.inventory),
            ("scope", &self.scope, &found.scope),
        ];
        match pairs.into_iter().find(|(_, expected, found)| expected != found) {
            None => Ok(()),
            Some((what, expected, found)) => {
                let message = format!("the ledger is of another {what}: `{found}`, not `{expected}`");
                Err(Reason::new("ledger-of-another-target", message)
                    .with("found", found)
                    .with("expected", expected))
            }
        }
    }
}

/// The head's content.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Head {
    /// Set while the shards are being written for the first time: until it is gone, they do not count. A number
    /// that differs from the one before.
    pub(super) begun: Option<u32>,
    pub(super) window: Vec<Spent>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct HeadText {
    format: u32,
    cluster: String,
    inventory: String,
    scope: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    begun: Option<u32>,
    window: Vec<Spent>,
}

/// A shard's content.
#[derive(Clone, PartialEq, Eq, Default)]
pub(super) struct Shard {
    /// Set while the shard is being split: until it is deleted, it counts and its parts do not. A number that
    /// differs from the one before.
    pub(super) split: Option<u32>,
    pub(super) entries: BTreeMap<ObjectKey, Entry>,
}

/// Room for the mark of a split in a shard's text, in bytes.
pub(super) const MARK_BYTES: usize = r#""split":4294967295,"#.len();

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ShardText<E> {
    format: u32,
    cluster: String,
    inventory: String,
    scope: String,
    prefix: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    split: Option<u32>,
    entries: Vec<E>,
}

impl Head {
    pub(super) fn text(&self, owner: &Owner) -> String {
        let Owner {
            cluster,
            inventory,
            scope,
        } = owner.clone();
        let (begun, window) = (self.begun, self.window.clone());
        json(&HeadText {
            format: FORMAT,
            cluster,
            inventory,
            scope,
            begun,
            window,
        })
    }

    pub(super) fn parse(blob: &Blob, owner: &Owner) -> Result<Self, Reason> {
        let HeadText {
            cluster,
            inventory,
            scope,
            begun,
            window,
            ..
        } = parse(blob)?;
        owner.check(&Owner {
            cluster,
            inventory,
            scope,
        })?;
        Ok(Self { begun, window })
    }

    /// The window as it is stored: when it would not fit into a blob, the oldest deletes are counted with the
    /// ones after them, so they leave the window later, never earlier.
    pub(super) fn fit_window(mut window: Vec<Spent>, owner: &Owner, bytes_max: usize) -> Vec<Spent> {
        loop {
            let head = Self {
                begun: Some(u32::MAX),
                window,
            };
            let fits = head.text(owner).len() <= bytes_max;
            window = head.window;
            if fits || window.len() < 2 {
                return window;
            }
            window = window.chunks(2).map(join).collect();
        }
    }
}

fn join(pair: &[Spent]) -> Spent {
    let at = pair.iter().map(|spent| spent.at).max().unwrap_or_default();
    Spent::new(
        at,
        pair.iter()
            .fold(0, |count, spent| spent.count.saturating_add(count)),
    )
}

impl Shard {
    pub(super) fn text(&self, owner: &Owner, prefix: Prefix) -> String {
        let Owner {
            cluster,
            inventory,
            scope,
        } = owner.clone();
        let (prefix, split) = (prefix.to_string(), self.split);
        let entries = self.entries.values().collect::<Vec<&Entry>>();
        json(&ShardText {
            format: FORMAT,
            cluster,
            inventory,
            scope,
            prefix,
            split,
            entries,
        })
    }

    pub(super) fn parse(blob: &Blob, owner: &Owner, prefix: Prefix) -> Result<Self, Reason> {
        let text: ShardText<Entry> = parse(blob)?;
        owner.check(&Owner {
            cluster: text.cluster,
            inventory: text.inventory,
            scope: text.scope,
        })?;
        if text.prefix != prefix.to_string() {
            return Err(unreadable(blob, "it holds another shard's content"));
        }
        let count = text.entries.len();
        let entries: BTreeMap<ObjectKey, Entry> = text
            .entries
            .into_iter()
            .map(|entry| (entry.key.clone(), entry))
            .collect();
        if entries.len() != count {
            return Err(unreadable(blob, "it lists an object twice"));
        }
        if !entries.keys().all(|key| prefix.contains(key_hash(key))) {
            return Err(unreadable(blob, "it lists an object of another shard"));
        }
        Ok(Self {
            split: text.split,
            entries,
        })
    }
}

/// Bytes an entry takes in a shard, its comma included.
pub(super) fn entry_bytes(entry: &Entry) -> usize {
    json(entry).len() + 1
}

fn json(value: &impl Serialize) -> String {
    // Structs of texts, numbers and lists cannot fail; an empty text would be read as unreadable.
    serde_json::to_string(value).unwrap_or_default()
}

fn parse<T: for<'de> Deserialize<'de>>(blob: &Blob) -> Result<T, Reason> {
    #[derive(Deserialize)]
    struct Peek {
        format: u32,
    }
    let Peek { format } = serde_json::from_str(&blob.text).map_err(|e| unreadable(blob, &place(&e)))?;
    if format > FORMAT {
        let message =
            format!("the ledger was written by a newer version: format {format}, known up to {FORMAT}");
        return Err(Reason::new("ledger-format-unknown", message)
            .with("blob", blob.name)
            .with("format", format));
    }
    serde_json::from_str(&blob.text).map_err(|e| unreadable(blob, &place(&e)))
}

/// Where parsing failed; the parser's own words may quote content.
fn place(error: &serde_json::Error) -> String {
    format!("wrong at line {} column {}", error.line(), error.column())
}

fn unreadable(blob: &Blob, why: &str) -> Reason {
    let message = format!("`{}` of the ledger cannot be read: {why}", blob.name);
    Reason::new("ledger-unreadable", message).with("blob", blob.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ClusterId, InventoryId, Tick};

    fn target() -> Target {
        Target::new(ClusterId::new("c-1"), InventoryId::new("fleet").unwrap())
    }

    #[test]
    fn names_print_and_parse() {
        for text in ["head", "s", "s0", "s0110"] {
            assert_eq!(text.parse::<BlobName>().unwrap().to_string(), text);
        }
        for bad in ["", "h", "heads", "t0", "s2"] {
            assert!(bad.parse::<BlobName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn stored_texts_stay_readable() {
        let owner = Owner::of(&target());
        let prefix = Prefix::ROOT;
        let key: ObjectKey = "apps/Deployment/shop/web".parse().unwrap();
        let shard = Shard {
            split: None,
            entries: BTreeMap::from([(key.clone(), Entry::new(key, "v1"))]),
        };
        let text = concat!(
            r#"{"format":1,"cluster":"c-1","inventory":"fleet","scope":"cluster","prefix":"","#,
            r#""entries":[{"k":"apps/Deployment/shop/web","v":"v1","s":"w"}]}"#
        );
        assert_eq!(shard.text(&owner, prefix), text);
        let blob = Blob::new(BlobName::Shard(prefix), "1", text);
        assert!(Shard::parse(&blob, &owner, prefix).unwrap() == shard);

        let head = Head {
            begun: Some(3),
            window: vec![Spent::new(Tick(7), 2)],
        };
        let text = r#"{"format":1,"cluster":"c-1","inventory":"fleet","scope":"cluster","begun":3,"window":[{"t":7,"n":2}]}"#;
        assert_eq!(head.text(&owner), text);
        assert!(Head::parse(&Blob::new(BlobName::Head, "1", text), &owner).unwrap() == head);
    }

    #[test]
    fn a_window_too_long_is_joined_and_never_shortened() {
        let owner = Owner::of(&target());
        let window: Vec<Spent> = (0..100).map(|i| Spent::new(Tick(i), 1)).collect();
        let fitted = Head::fit_window(window.clone(), &owner, 500);
        assert!(
            Head {
                begun: None,
                window: fitted.clone()
            }
            .text(&owner)
            .len()
                <= 500
        );
        assert_eq!(fitted.iter().map(|s| s.count).sum::<u32>(), 100);
        for spent in &window {
            let left = |list: &[Spent]| {
                list.iter()
                    .filter(|s| s.at >= spent.at)
                    .map(|s| s.count)
                    .sum::<u32>()
            };
            assert!(left(&fitted) >= left(&window), "nothing leaves the window early");
        }
        assert_eq!(Head::fit_window(window.clone(), &owner, 64 << 10), window);
    }
}
