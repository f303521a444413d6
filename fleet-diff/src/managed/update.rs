//! Who owns what after an update: anything that is no apply, a creation and a patch included (structured-merge-diff,
//! `merge/update.go`, and apimachinery, `pkg/util/managedfields/internal`).

use std::{borrow::Cow, collections::BTreeMap};

use super::{
    entry::{Fields, ManagerKey, Managers, Owned},
    target::{Target, VersionError, identity},
};
use crate::{Document, FieldSet, typed};

/// More entries of updates than these are put together, the oldest first.
const MOST_UPDATES: usize = 10;
const ANCIENT: &str = "ancient-changes";

/// One update.
pub(crate) struct Update<'a> {
    pub(crate) target: Target<'a>,
    /// The object as it is stored.
    pub(crate) written: &'a Document,
    pub(crate) manager: &'a str,
    /// Empty for the object itself.
    pub(crate) subresource: &'a str,
    pub(crate) time: Option<&'a str>,
}

pub(crate) fn update<'n>(
    update: &Update<'n>,
    mut managers: Managers<'n>,
) -> Result<Managers<'n>, VersionError> {
    let target = &update.target;
    if managers.is_empty() && target.live.is_some() {
        // Nobody applies this object: the server does not begin to watch over it.
        return Ok(managers);
    }
    let before = target.before();
    target.reconcile(&mut managers)?;
    let ours = ManagerKey::wrote(update.manager, target.version, update.subresource);
    let changes = target.changes(&managers, typed::compare, &before, update.written)?;
    changes.take_away(&mut managers, None);
    let kept = managers
        .get(&ours)
        .map(|owned| owned.fields.to_set().into_owned())
        .unwrap_or_default();
    let written = changes.at(target.version).map(|change| &change.written);
    let fields = written.map_or(FieldSet::new(), |written| written.difference(identity()));
    // A new time says that something was written, though it was ours before.
    let time = match managers.get(&ours) {
        Some(was) if fields.is_empty() => was.time.clone(),
        _ => update.time.map(Cow::Borrowed),
    };
    let fields = fields.union(&kept);
    managers.set(ours, target.owned(time, fields));
    managers.drop_empty();
    cap(&mut managers);
    Ok(managers)
}

/// Puts entries of updates together by version, the oldest first, until there are few enough
/// (`managedfields/internal/capmanagers.go`).
fn cap(managers: &mut Managers<'_>) {
    let mut updates: Vec<_> = managers
        .iter()
        .filter(|(key, _)| !key.applied)
        .map(|(key, owned)| (owned.time.clone(), key.clone()))
        .collect();
    let mut left = updates.len();
    if left <= MOST_UPDATES {
        return;
    }
    updates.sort();
    let mut first = BTreeMap::new();
    for (time, key) in updates {
        if left <= MOST_UPDATES {
            break;
        }
        let Some(version) = managers.get(&key).map(|owned| owned.version.to_string()) else {
            continue;
        };
        let Some(first) = first.get(&version) else {
            first.insert(version, key);
            continue;
        };
        let bucket = ManagerKey::updated(ANCIENT, &version);
        if managers.get(&bucket).is_none() {
            managers.rename(first, bucket.clone());
        }
        let fields = managers
            .remove(&key)
            .map(|owned| owned.fields.to_set().into_owned())
            .unwrap_or_default();
        let together = managers
            .get(&bucket)
            .map(|owned| owned.fields.to_set().union(&fields))
            .unwrap_or(fields);
        managers.set(
            bucket,
            Owned {
                version: Cow::Owned(version),
                time,
                fields: Fields::Set(together),
            },
        );
        left -= 1;
    }
}
