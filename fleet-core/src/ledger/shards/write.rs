//! From a record to requests, in an order that a crash cannot harm.

use std::{
    collections::{BTreeMap, VecDeque},
    mem,
};

use fleet_diff::ObjectKey;

use super::{
    BlobName, BlobVersion, Prefix, Shards, State,
    blob::{Head, MARK_BYTES, Shard, entry_bytes},
    key_hash,
};
use crate::{
    edge::{Fault, Remedy},
    ledger::{Entry, LedgerContent, LedgerWrite, Spent},
};

/// One request to the store, which must know all kinds of them. It must change nothing when its condition does not
/// hold.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ShardRequest<'a> {
    /// Store a blob that must not exist yet.
    Create {
        /// Its name.
        name: BlobName,
        /// Its content.
        text: &'a str,
    },
    /// Replace a blob, which must still be in this state.
    Replace {
        /// Its name.
        name: BlobName,
        /// Its new content.
        text: &'a str,
        /// The state.
        version: &'a BlobVersion,
    },
    /// Delete a blob, which must still be in this state.
    Delete {
        /// Its name.
        name: BlobName,
        /// The state.
        version: &'a BlobVersion,
    },
}

/// The requests of one record. Send [`ShardWrites::next_request`], tell [`ShardWrites::done`], until there is none,
/// then take the new [`Shards`] from [`ShardWrites::finish`]. After a failure drop it and read the ledger again.
pub struct ShardWrites {
    steps: VecDeque<Step>,
    after: Shards,
}

enum Step {
    Put(BlobName, String),
    Delete(BlobName),
}

impl Step {
    fn name(&self) -> BlobName {
        match self {
            Self::Put(name, _) | Self::Delete(name) => *name,
        }
    }
}

impl ShardWrites {
    /// The request to send now; the same until [`ShardWrites::done`] is told.
    pub fn next_request(&self) -> Option<ShardRequest<'_>> {
        let step = self.steps.front()?;
        let version = self.after.versions.get(&step.name());
        Some(match (step, version) {
            (Step::Put(name, text), None) => ShardRequest::Create { name: *name, text },
            (Step::Put(name, text), Some(version)) => ShardRequest::Replace {
                name: *name,
                text,
                version,
            },
            (Step::Delete(name), Some(version)) => ShardRequest::Delete { name: *name, version },
            // Never: only stored blobs are deleted. `finish` would say that something is left to do.
            (Step::Delete(_), None) => return None,
        })
    }

    /// The request was carried out, and the blob is now in this state. For a delete the state is ignored.
    pub fn done(&mut self, version: impl Into<BlobVersion>) {
        match self.steps.pop_front() {
            Some(Step::Put(name, _)) => {
                self.after.versions.insert(name, version.into());
            }
            Some(Step::Delete(name)) => {
                self.after.versions.remove(&name);
            }
            None => {}
        }
    }

    /// What is stored now; none while requests are left.
    pub fn finish(self) -> Option<Shards> {
        self.steps.is_empty().then_some(self.after)
    }

    pub(super) fn plan(mut before: Shards, writes: &[LedgerWrite]) -> Result<Self, Fault> {
        let clear = writes
            .iter()
            .rposition(|write| matches!(write, LedgerWrite::Clear));
        let writes = clear.map_or(writes, |at| &writes[at + 1..]);
        let state = mem::replace(&mut before.state, State::Absent { begun: None });
        let mut plan = Plan {
            after: before,
            steps: VecDeque::new(),
        };
        plan.after.state = match state {
            State::Known { head, shards } if clear.is_none() => plan.update(head, shards, writes)?,
            State::Lost(reason) if clear.is_none() => {
                let message = format!("nothing can be recorded in a lost ledger: {reason}");
                return Err(Fault::new(Remedy::Conflict, message));
            }
            State::Absent { begun } => plan.begin(begun, writes)?,
            State::Known { .. } | State::Lost(_) => plan.begin(None, writes)?,
        };
        Ok(Self {
            steps: plan.steps,
            after: plan.after,
        })
    }
}

struct Plan {
    after: Shards,
    steps: VecDeque<Step>,
}

impl Plan {
    /// A ledger of `writes` alone. Until the head's mark is gone, whatever else is stored does not count.
    fn begin(&mut self, begun: Option<u32>, writes: &[LedgerWrite]) -> Result<State, Fault> {
        let mut content = LedgerContent::default();
        for write in writes {
            content.apply(write);
        }
        let shards = self.divide(vec![Prefix::ROOT], content.entries)?;
        let head = Head {
            begun: None,
            window: self.fit_window(content.window),
        };

        let marked = Head {
            begun: Some(next_mark(begun)),
            window: Vec::new(),
        };
        self.put_head(&marked);
        self.put_parts(Prefix::ROOT, &shards, true);
        self.put_head(&head);
        Ok(State::Known { head, shards })
    }

    /// The shards that `writes` touch, each once, and whatever a crash has left half done.
    fn update(
        &mut self,
        mut head: Head,
        mut shards: BTreeMap<Prefix, Shard>,
        writes: &[LedgerWrite],
    ) -> Result<State, Fault> {
        let mut window = None;
        let mut touched: BTreeMap<Prefix, Shard> = BTreeMap::new();
        for write in writes {
            let key = match write {
                LedgerWrite::Put(entry) => &entry.key,
                LedgerWrite::Remove(key) => key,
                LedgerWrite::Window(list) => {
                    window = Some(list);
                    continue;
                }
                LedgerWrite::Clear => continue,
            };
            let Some((prefix, shard)) = shards.range_mut(..=Prefix::of(key_hash(key))).next_back() else {
                continue;
            };
            touched.entry(*prefix).or_insert_with(|| shard.clone());
            match write {
                LedgerWrite::Put(entry) => shard.entries.insert(entry.key.clone(), entry.clone()),
                _ => shard.entries.remove(key),
            };
        }
        for (prefix, shard) in &shards {
            if shard.split.is_some() {
                touched.entry(*prefix).or_insert_with(|| shard.clone());
            }
        }

        if let Some(window) = window
            .map(|list| self.fit_window(list.clone()))
            .filter(|list| *list != head.window)
        {
            head.window = window;
            self.put_head(&head);
        }
        for (prefix, before) in touched {
            let Some(shard) = shards.get(&prefix) else {
                continue;
            };
            if *shard == before && shard.split.is_none() {
                continue;
            }
            let text = shard.text(&self.after.owner, prefix);
            let room = match shard.entries.len() {
                0 | 1 => 0,
                _ => shard.entries.values().map(room_for_uid).sum::<usize>(),
            };
            if shard.split.is_none() && text.len() + MARK_BYTES + room <= self.after.bytes_max {
                self.steps.push_back(Step::Put(BlobName::Shard(prefix), text));
            } else {
                let entries = shards.remove(&prefix).unwrap_or_default().entries;
                shards.extend(self.split(prefix, before, entries)?);
            }
        }
        Ok(State::Known { head, shards })
    }

    /// Replaces a shard by smaller ones that hold `entries`. Until the last request, `before` counts.
    fn split(
        &mut self,
        prefix: Prefix,
        mut before: Shard,
        entries: BTreeMap<ObjectKey, Entry>,
    ) -> Result<BTreeMap<Prefix, Shard>, Fault> {
        let halves = prefix
            .halves()
            .ok_or_else(|| too_large("too many keys of one hash"))?;
        let parts = self.divide(halves.to_vec(), entries)?;
        before.split = Some(next_mark(before.split));
        let marked = before.text(&self.after.owner, prefix);
        self.steps.push_back(Step::Put(BlobName::Shard(prefix), marked));
        self.put_parts(prefix, &parts, false);
        self.steps.push_back(Step::Delete(BlobName::Shard(prefix)));
        Ok(parts)
    }

    /// Stores the parts of `above`, after deleting what an earlier attempt left inside it. Replacing would not do:
    /// a store may keep the version of a blob that is replaced by the same text, and whoever left it there could
    /// still change it.
    fn put_parts(&mut self, above: Prefix, parts: &BTreeMap<Prefix, Shard>, itself_too: bool) {
        for name in self.after.versions.keys() {
            let BlobName::Shard(prefix) = *name else { continue };
            if above.is_above(prefix) || (itself_too && above == prefix) {
                self.steps.push_back(Step::Delete(*name));
            }
        }
        for (prefix, shard) in parts {
            let text = shard.text(&self.after.owner, *prefix);
            self.steps.push_back(Step::Put(BlobName::Shard(*prefix), text));
        }
    }

    fn put_head(&mut self, head: &Head) {
        self.steps
            .push_back(Step::Put(BlobName::Head, head.text(&self.after.owner)));
    }

    fn fit_window(&self, window: Vec<Spent>) -> Vec<Spent> {
        Head::fit_window(window, &self.after.owner, self.after.bytes_max)
    }

    /// Divides `entries` between `prefixes` and, where they do not fit, between longer ones.
    fn divide(
        &self,
        prefixes: Vec<Prefix>,
        entries: BTreeMap<ObjectKey, Entry>,
    ) -> Result<BTreeMap<Prefix, Shard>, Fault> {
        let mut items: Vec<Item> = entries.into_values().map(Item::new).collect();
        items.sort_by_key(|item| item.hash);
        let (mut parts, mut left) = (BTreeMap::new(), prefixes);
        while let Some(prefix) = left.pop() {
            let start = items.partition_point(|item| u128::from(item.hash) < prefix.start());
            let end = items.partition_point(|item| u128::from(item.hash) < prefix.end());
            let inside = &items[start..end];
            let empty = Shard::default().text(&self.after.owner, prefix).len() + MARK_BYTES;
            let bytes = match inside {
                // There is no smaller shard than one of one entry.
                [item] => item.bytes,
                inside => inside
                    .iter()
                    .map(|item| item.bytes + room_for_uid(&item.entry))
                    .sum(),
            };
            if empty + bytes <= self.after.bytes_max {
                let entries = inside
                    .iter()
                    .map(|item| (item.entry.key.clone(), item.entry.clone()))
                    .collect();
                parts.insert(prefix, Shard { split: None, entries });
                continue;
            }
            match (inside, prefix.halves()) {
                ([], _) => return Err(too_large("not even an empty shard fits")),
                ([item], _) => {
                    return Err(too_large(&format!(
                        "the entry of {} does not fit",
                        item.entry.key
                    )));
                }
                (_, None) => return Err(too_large("too many keys of one hash")),
                (_, Some(halves)) => left.extend(halves),
            }
        }
        Ok(parts)
    }
}

/// What a UID adds to an entry, in bytes.
const UID_BYTES: usize = r#","u":"00000000-0000-0000-0000-000000000000""#.len();

struct Item {
    hash: u64,
    bytes: usize,
    entry: Entry,
}

impl Item {
    fn new(entry: Entry) -> Self {
        Self {
            hash: key_hash(&entry.key),
            bytes: entry_bytes(&entry),
            entry,
        }
    }
}

/// Almost every entry gets a UID soon: without room for them all shards would be split again then. In bytes.
fn room_for_uid(entry: &Entry) -> usize {
    if entry.uid.is_none() { UID_BYTES } else { 0 }
}

/// A mark that differs from the one before, so that a store gives the marked blob a new version.
fn next_mark(before: Option<u32>) -> u32 {
    before.map_or(1, |mark| mark.wrapping_add(1))
}

fn too_large(why: &str) -> Fault {
    Fault::new(
        Remedy::Invalid,
        format!("the ledger's shards are too small: {why}"),
    )
}
