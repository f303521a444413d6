//! What a manager wrote last time, where `managedFields` does not say so.

use std::{borrow::Cow, fmt};

use super::write::{OwnersError, read, with_managers};
use crate::{
    Document, FieldSet, Object,
    managed::{Fields, ManagerKey, Managers, Owned},
};

/// The fields one manager wrote last time, and the API version their paths are written in.
///
/// Server-side apply leaves this in `managedFields`. Other ways to write do not: there, the entry of an update has what
/// was *changed*, which is less than what was meant (fields that were right already) and more (what the server filled
/// in). Who writes by updates or patches keeps this text on the object instead, and from it
/// [`as_applied`](Self::as_applied) makes the object on which [`Apply`](crate::Apply) computes the same change that
/// server-side apply would make.
///
/// ```
/// use fleet_diff::{Apply, FieldPath, Memory, Object, Prediction, Schemas, managers_of};
/// use serde_json::json;
///
/// let object = |data| Object::from_json(json!({"apiVersion": "v1", "kind": "ConfigMap",
///     "metadata": {"namespace": "shop", "name": "settings"}, "data": data}));
/// let schemas = Schemas::builtin();
/// let (before, now) = (object(json!({"a": "1", "b": "2"}))?, object(json!({"a": "1"}))?);
/// let Prediction::Object(applied) = Apply::new(&before, "fleet", &schemas).predict() else { panic!("it is new") };
/// let memory = Memory::of(&applied, "fleet")?.expect("it applied something");
///
/// // What an update made of the first definition, and what becomes of it by the second.
/// let live = Memory::parse(&memory.to_string())?.as_applied(&before, "fleet")?;
/// let Prediction::Object(after) = Apply::new(&now, "fleet", &schemas).to(Some(&live)).predict() else {
///     panic!("nothing is in its way")
/// };
/// assert!(after.root().at(&["data", "b"]).is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Memory {
    version: String,
    fields: FieldSet,
}

/// Why a text is no memory.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an API version and a set of fields: {0}")]
pub struct MemoryError(String);

impl Memory {
    /// What `manager` applied, by the object's `managedFields`. None when it applied nothing.
    ///
    /// # Errors
    /// When the entries cannot be read.
    pub fn of(object: &Object, manager: &str) -> Result<Option<Self>, OwnersError> {
        let managers = read(object)?;
        let owned = managers.get(&ManagerKey::applied(manager));
        Ok(owned.map(|owned| Self {
            version: owned.version.to_string(),
            fields: owned.fields.to_set().into_owned(),
        }))
    }

    /// From its text: the API version, a space, and the fields as `FieldsV1`.
    ///
    /// # Errors
    /// When it is not such a text.
    pub fn parse(text: &str) -> Result<Self, MemoryError> {
        let (version, fields) = text
            .split_once(' ')
            .filter(|(version, _)| !version.is_empty())
            .ok_or_else(|| MemoryError("there is no space in it".to_owned()))?;
        let document: Document = fields
            .parse()
            .map_err(|error: crate::DocumentError| MemoryError(error.to_string()))?;
        let fields = FieldSet::from_fields_v1(&document).map_err(|error| MemoryError(error.to_string()))?;
        Ok(Self {
            version: version.to_owned(),
            fields,
        })
    }

    /// The fields.
    pub fn fields(&self) -> &FieldSet {
        &self.fields
    }

    /// The object as if `manager` had applied these fields, and written nothing else.
    ///
    /// # Errors
    /// When its entries cannot be read.
    pub fn as_applied(&self, live: &Object, manager: &str) -> Result<Object, OwnersError> {
        let mut managers = read(live)?;
        drop_updates(&mut managers, manager);
        let owned = Owned {
            version: Cow::Borrowed(&self.version),
            time: None,
            fields: Fields::Set(self.fields.clone()),
        };
        managers.set(ManagerKey::applied(manager), owned);
        with_managers(live, &managers)
    }
}

impl fmt::Display for Memory {
    /// Its text, see [`parse`](Self::parse).
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = self.fields.to_fields_v1().root().to_json();
        write!(f, "{} {fields}", self.version)
    }
}

/// The object without what its entries say that `manager` wrote by updates and patches of the object itself, and the
/// fields they said so of.
///
/// # Errors
/// When its entries cannot be read.
pub fn without_updates(live: &Object, manager: &str) -> Result<(Object, FieldSet), OwnersError> {
    let mut managers = read(live)?;
    let written = drop_updates(&mut managers, manager);
    Ok((with_managers(live, &managers)?, written))
}

fn drop_updates(managers: &mut Managers<'_>, manager: &str) -> FieldSet {
    let is_own = |key: &&ManagerKey<'_>| key.name == manager && !key.applied && key.subresource.is_empty();
    let own: Vec<ManagerKey<'_>> = managers
        .iter()
        .map(|(key, _)| key)
        .filter(is_own)
        .cloned()
        .collect();
    let mut written = FieldSet::new();
    for key in own {
        if let Some(owned) = managers.remove(&key) {
            written = written.union(&owned.fields.to_set());
        }
    }
    written
}
