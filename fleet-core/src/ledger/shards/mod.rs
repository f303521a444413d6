//! How a ledger is stored in several blobs of limited size, for those who write a [`Ledger`](crate::Ledger). Start
//! with [`Shards`].

mod blob;
mod prefix;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;

pub use blob::{Blob, BlobName, BlobVersion, FORMAT};
pub use prefix::{ParsePrefixError, Prefix, key_hash};
pub use write::{ShardRequest, ShardWrites};

use super::{LedgerAnswer, LedgerContent, LedgerWrite};
use crate::{
    edge::Fault,
    words::{Reason, Target},
};
use blob::{Head, Owner, Shard};

/// Largest text of one blob, in bytes, unless told otherwise. Writing one object's entry rewrites its shard: at
/// this size that costs a few milliseconds, at ten times this size a hundred.
pub const SHARD_BYTES_MAX: usize = 64 << 10;

/// The layout of a ledger that is stored in several blobs: what is stored where, which requests carry out a
/// record, and what the stored blobs mean. It does no I/O: a store reads all blobs of a target into
/// [`Shards::read`], and sends the requests of [`Shards::write`] one after the other.
///
/// A shard holds the entries whose key hashes to its [`Prefix`]; together the shards hold every key exactly once.
/// At first there is one shard for all. A shard that would become too large is split into longer prefixes; they
/// are never joined again, because each such step would be one more state that a crash can leave behind, and an
/// empty shard costs nothing to keep. The head holds the deletes of the rolling window.
///
/// # Crashes
///
/// Each request changes one blob, on the condition that nobody else changed it. Between any two of them the
/// stored blobs mean what they meant before the record, or that with the record done for some of its keys:
///
/// - A shard is replaced as a whole.
/// - A split marks the shard, writes its parts complete, and then deletes the shard. While the shard is there it
///   counts and its parts do not, so nothing that was removed comes back out of it; the delete is the moment at
///   which the parts count, all at once. The next record finishes what a crash left.
/// - The first record does the same with the head: until its mark is gone, there is no ledger. So a head without
///   mark and without shards is a loss, never an empty ledger.
///
/// Two writers at once are not supported, but noticed: each request names the version it was read at, or must
/// create; marks change with every attempt. The worst that two writers leave behind is a ledger that answers
/// `Lost`.
///
/// # Using it
///
/// ```
/// use std::collections::BTreeMap;
///
/// use fleet_core::{ClusterId, Entry, InventoryId, LedgerAnswer, LedgerWrite, Target};
/// use fleet_core::shards::{Blob, BlobName, ShardRequest, Shards};
///
/// let target = Target::new(ClusterId::new("c-1"), InventoryId::new("fleet")?);
/// let mut stored: BTreeMap<BlobName, String> = BTreeMap::new();
///
/// let shards = Shards::read(&target, Shards::BYTES_MAX, Vec::new());
/// assert_eq!(shards.answer(), LedgerAnswer::Absent);
///
/// let entry = Entry::new("apps/Deployment/shop/web".parse()?, "v1");
/// let mut writes = shards.write(&[LedgerWrite::Put(entry.clone())])?;
/// while let Some(request) = writes.next_request() {
///     match request {
///         ShardRequest::Create { name, text } => stored.insert(name, text.to_owned()),
///         ShardRequest::Replace { name, text, .. } => stored.insert(name, text.to_owned()),
///         ShardRequest::Delete { name, .. } => stored.remove(&name),
///     };
///     writes.done("the version the store gave it");
/// }
///
/// let blobs = stored.into_iter().map(|(name, text)| Blob::new(name, "its version", text));
/// let LedgerAnswer::Known(content) = Shards::read(&target, Shards::BYTES_MAX, blobs).answer() else { panic!() };
/// assert_eq!(content.entries[&entry.key], entry);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Shards {
    owner: Owner,
    bytes_max: usize,
    /// Every blob that is stored, those that do not count too.
    versions: BTreeMap<BlobName, BlobVersion>,
    state: State,
}

/// What the stored blobs mean.
enum State {
    /// No ledger. A mark if the first record was begun and not finished.
    Absent { begun: Option<u32> },
    /// A complete ledger: the shards tile the space of hashes.
    Known {
        head: Head,
        shards: BTreeMap<Prefix, Shard>,
    },
    /// Not to be believed.
    Lost(Reason),
}

impl Shards {
    /// Largest text of one blob, in bytes: [`SHARD_BYTES_MAX`].
    pub const BYTES_MAX: usize = SHARD_BYTES_MAX;

    /// What `blobs`, which must be all that the store holds for `target`, mean. Blobs written from here on have at
    /// most `bytes_max` bytes; those read may be larger.
    pub fn read(target: &Target, bytes_max: usize, blobs: impl IntoIterator<Item = Blob>) -> Self {
        let owner = Owner::of(target);
        let blobs: BTreeMap<BlobName, Blob> = blobs.into_iter().map(|blob| (blob.name, blob)).collect();
        let state = read::state(&owner, &blobs).unwrap_or_else(State::Lost);
        let versions = blobs
            .into_values()
            .map(|blob| (blob.name, blob.version))
            .collect();
        Self {
            owner,
            bytes_max,
            versions,
            state,
        }
    }

    /// The ledger's answer.
    pub fn answer(&self) -> LedgerAnswer {
        match &self.state {
            State::Absent { .. } => LedgerAnswer::Absent,
            State::Lost(reason) => LedgerAnswer::Lost(reason.clone()),
            State::Known { head, shards } => {
                let entries = shards.values().flat_map(|shard| &shard.entries);
                let entries = entries.map(|(key, entry)| (key.clone(), entry.clone())).collect();
                LedgerAnswer::Known(LedgerContent {
                    entries,
                    window: head.window.clone(),
                })
            }
        }
    }

    /// The requests that record `writes`, in their order: one for each blob that changes, and some more for a
    /// split. None when nothing changes. If a request fails, everything here is out of date: read again.
    ///
    /// # Errors
    /// [`Remedy::Conflict`](crate::Remedy) when the ledger is lost and `writes` has no [`LedgerWrite::Clear`];
    /// [`Remedy::Invalid`](crate::Remedy) when an entry alone is too large for a blob. Nothing was sent then.
    pub fn write(self, writes: &[LedgerWrite]) -> Result<ShardWrites, Fault> {
        ShardWrites::plan(self, writes)
    }
}
