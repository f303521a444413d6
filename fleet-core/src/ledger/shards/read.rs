//! What stored blobs mean.

use std::collections::BTreeMap;

use super::{
    Blob, BlobName, Prefix, State,
    blob::{Head, Owner, Shard},
};
use crate::words::Reason;

/// The meaning of all blobs of one target.
///
/// # Errors
/// Why they cannot be believed.
pub(super) fn state(owner: &Owner, blobs: &BTreeMap<BlobName, Blob>) -> Result<State, Reason> {
    let Some(head) = blobs.get(&BlobName::Head) else {
        return match blobs.keys().next() {
            None => Ok(State::Absent { begun: None }),
            Some(other) => Err(missing("head").with("found", other)),
        };
    };
    let head = Head::parse(head, owner)?;
    if head.begun.is_some() {
        return Ok(State::Absent { begun: head.begun });
    }
    let mut shards: BTreeMap<Prefix, Shard> = BTreeMap::new();
    let mut covered = 0;
    for blob in blobs.values() {
        let BlobName::Shard(prefix) = blob.name else {
            continue;
        };
        // The order of names puts the parts of a shard right after it.
        match shards.last_key_value() {
            Some((above, shard)) if above.is_above(prefix) => {
                if shard.split.is_some() {
                    continue;
                }
                let message = format!(
                    "the ledger contradicts itself: `{}` lies inside `s{above}`",
                    blob.name
                );
                return Err(Reason::new("ledger-contradiction", message).with("blob", blob.name));
            }
            _ if covered < prefix.start() => return Err(gap(covered)),
            _ => {}
        }
        shards.insert(prefix, Shard::parse(blob, owner, prefix)?);
        covered = prefix.end();
    }
    if covered <= u128::from(u64::MAX) {
        return Err(gap(covered));
    }
    Ok(State::Known { head, shards })
}

fn gap(from: u128) -> Reason {
    missing("a shard").with("from-hash", format!("{from:016x}"))
}

fn missing(what: &'static str) -> Reason {
    Reason::new("ledger-incomplete", format!("{what} of the ledger is missing")).with("missing", what)
}
