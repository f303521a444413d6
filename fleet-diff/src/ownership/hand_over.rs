//! Ownership that passes from one name to another without any field being written.
//!
//! A server takes the new list when it is written with the object, by a patch of `metadata.managedFields` with a test
//! of `resourceVersion` for instance.

use std::{borrow::Cow, collections::BTreeSet};

use super::write::{OwnersError, read, with_managers};
use crate::{
    Object, Schemas,
    managed::{Fields, ManagerKey, Managers, OtherVersion, Owned},
    predict::other_version,
};

/// Gives what the managers `from` own by client-side apply, or by other updates of the object itself, to the
/// server-side applies of `to`: what `to` then no longer applies is removed, as if it had applied it before.
/// None when none of them owns anything.
///
/// The rule is client-go's (`util/csaupgrade`): each of them in turn hands its entry at the API version of `to`'s
/// entry to it, and its other entries go. Without an entry of `to`, the first becomes it.
///
/// ```
/// use fleet_diff::{FieldPath, Object, managers_of, migrate_updates};
/// use serde_json::json;
///
/// let live = Object::from_json(json!({
///     "apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
///     "metadata": {"name": "settings", "managedFields": [
///         {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1",
///          "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:a": {}}}},
///     ]},
/// }))?;
/// let after = migrate_updates(&live, &["kubectl-client-side-apply"], "fleet")?.expect("there is something to migrate");
/// let owner = &managers_of(&after, &FieldPath::keys(["data", "a"]))[0];
/// assert_eq!((&*owner.name, &*owner.operation), ("fleet", "Apply"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the entries cannot be read.
pub fn migrate_updates(live: &Object, from: &[&str], to: &str) -> Result<Option<Object>, OwnersError> {
    let mut managers = read(live)?;
    let ours = ManagerKey::applied(to);
    let names: BTreeSet<&str> = from.iter().copied().collect();
    let mut changed = false;
    for name in names {
        let mut theirs: Vec<ManagerKey<'_>> = Vec::new();
        // In the order of the object's entries, which is that of their times.
        for key in managers.in_order() {
            if key.name == name && !key.applied && key.subresource.is_empty() {
                theirs.push(key.clone());
            }
        }
        let Some(first) = theirs.first() else { continue };
        changed = true;
        if managers.get(&ours).is_none() {
            managers.rename(first, ours.clone());
        }
        let version = managers.get(&ours).map(|owned| owned.version.to_string());
        for key in theirs {
            if let Some(owned) = managers.remove(&key)
                && Some(&*owned.version) == version.as_deref()
            {
                add(&mut managers, ours.clone(), owned);
            }
        }
    }
    changed.then(|| with_managers(live, &managers)).transpose()
}

/// Gives all that the manager `from` owns to `to`, by whatever way it wrote. None when it owns nothing.
///
/// # Errors
/// When the entries cannot be read, or when both applied at different API versions.
pub fn rename_manager(live: &Object, from: &str, to: &str) -> Result<Option<Object>, OwnersError> {
    let mut managers = read(live)?;
    let theirs: Vec<ManagerKey<'_>> = managers
        .iter()
        .map(|(key, _)| key.clone())
        .filter(|key| key.name == from)
        .collect();
    if theirs.is_empty() || from == to {
        return Ok(None);
    }
    for key in theirs {
        let ours = key.of(to);
        let Some(owned) = managers.remove(&key) else {
            continue;
        };
        if managers
            .get(&ours)
            .is_some_and(|ours| ours.version != owned.version)
        {
            return Err(OwnersError::OtherVersion(owned.version.to_string()));
        }
        add(&mut managers, ours, owned);
    }
    with_managers(live, &managers).map(Some)
}

/// Repairs entries at API versions that no longer exist, as the removal of a version from a CRD leaves them behind:
/// servers then refuse every write to the object. Those of custom resources pass to the version that the object was
/// read at; those of built-in kinds go, as a server drops them itself. None when there are none.
///
/// `schemas` must know every version that is served.
///
/// # Errors
/// When the entries cannot be read.
pub fn repair_versions(live: &Object, schemas: &Schemas) -> Result<Option<Object>, OwnersError> {
    let mut managers = read(live)?;
    let gvk = live.gvk();
    let now = gvk.api_version();
    let is_gone = |version: &str| {
        version != now
            && crate::Gvk::from_api_version(version, gvk.kind()).is_none_or(|gvk| !schemas.knows(&gvk))
    };
    let gone: Vec<ManagerKey<'_>> = managers
        .iter()
        .filter(|(_, owned)| is_gone(&owned.version))
        .map(|(key, _)| key.clone())
        .collect();
    if gone.is_empty() {
        return Ok(None);
    }
    for key in gone {
        let Some(owned) = managers.remove(&key) else {
            continue;
        };
        if !matches!(other_version(schemas, gvk, &owned.version), OtherVersion::Gone) {
            let owned = Owned {
                version: Cow::Owned(now.clone()),
                ..owned
            };
            add(&mut managers, key.at(&now), owned);
        }
    }
    with_managers(live, &managers).map(Some)
}

/// Adds to what an entry owns.
fn add<'n>(managers: &mut Managers<'n>, key: ManagerKey<'n>, owned: Owned<'n>) {
    let owned = match managers.get(&key) {
        None => owned,
        Some(before) => Owned {
            version: before.version.clone(),
            time: before.time.clone().max(owned.time),
            fields: Fields::Set(before.fields.to_set().union(&owned.fields.to_set())),
        },
    };
    managers.set(key, owned);
}
