//! The object that is written to, and what every write does to its owners first and last.

use std::{borrow::Cow, collections::BTreeMap, sync::LazyLock};

use super::{
    entry::{Fields, ManagerKey, Managers, Owned},
    zero::empty_object,
};
use crate::{
    Document, FieldPath, FieldSet, Gvk,
    schema::KindSchema,
    typed::{self, Duplicates, Misfit},
};

/// What is written to, by which endpoint.
pub(crate) struct Target<'a> {
    pub(crate) kind: KindSchema<'a>,
    pub(crate) gvk: &'a Gvk,
    /// `apiVersion` of the request.
    pub(crate) version: &'a str,
    /// None: the object is created.
    pub(crate) live: Option<&'a Document>,
    /// Fields that this endpoint does not write, whatever is sent.
    pub(crate) reset: &'a FieldSet,
    /// What is to be done with an entry at another API version.
    pub(crate) other: &'a dyn Fn(&str) -> OtherVersion<'a>,
}

/// What the server does with paths of another API version.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OtherVersion<'a> {
    /// Objects are the same at both versions but for the version itself; this is their type there.
    Same(KindSchema<'a>),
    /// It no longer exists; the entry is dropped.
    Gone,
    /// Only the server can convert it.
    Unknown,
}

/// Why owners cannot be followed to another version.
#[derive(Debug)]
pub(crate) enum VersionError {
    /// An entry at this version cannot be converted here.
    Unknown(String),
    /// At another version, at which fields are owned, the object has a field that there is not.
    DoesNotFit(Misfit),
}

/// What a write changes, at each version that somebody owns fields at.
pub(crate) struct Changes(BTreeMap<String, Change>);

pub(crate) struct Change {
    /// Modified and added.
    pub(crate) written: FieldSet,
    pub(crate) removed: FieldSet,
}

impl<'a> Target<'a> {
    /// The object before the write.
    pub(crate) fn before(&self) -> Cow<'a, Document> {
        match self.live {
            Some(live) => Cow::Borrowed(live),
            None => Cow::Owned(empty_object(self.kind, self.gvk)),
        }
    }

    pub(crate) fn owned<'n>(&self, time: Option<Cow<'n, str>>, fields: FieldSet) -> Owned<'n> {
        Owned {
            version: Cow::Owned(self.version.to_owned()),
            time,
            fields: Fields::Set(fields),
        }
    }

    /// Fields nobody owns when an object is first applied to belong to a manager of their own.
    pub(crate) fn own_what_is_there(&self, managers: &mut Managers<'a>, time: Option<&'a str>) -> bool {
        let Some(live) = self.live else { return false };
        let empty = empty_object(self.kind, self.gvk);
        let found = typed::compare(self.kind.layer, self.kind.root, empty.root(), live.root());
        let fields = found
            .modified
            .union(&found.added)
            .recursive_difference(self.reset);
        let fields = fields.difference(identity());
        if fields.is_empty() {
            return false;
        }
        managers.set(
            ManagerKey::updated("before-first-apply", self.version),
            self.owned(time.map(Cow::Borrowed), fields),
        );
        true
    }

    /// Brings entries in line with the types of today: versions that are gone, lists and mappings that have come to be
    /// kept whole or no longer are. True when somebody comes to own other fields.
    pub(crate) fn reconcile(&self, managers: &mut Managers<'_>) -> Result<bool, VersionError> {
        let live = self.before();
        let mut gone = Vec::new();
        for (key, owned) in managers.iter() {
            if owned.version != self.version {
                match (self.other)(&owned.version) {
                    OtherVersion::Same(kind) => fits(kind, &live)?,
                    OtherVersion::Gone => gone.push(key.clone()),
                    OtherVersion::Unknown => return Err(VersionError::Unknown(owned.version.to_string())),
                }
            }
        }
        for key in &gone {
            managers.remove(key);
        }
        let mut changed = !gone.is_empty();
        managers.change(|_, owned| {
            let kind = self.kind_at(&owned.version).unwrap_or(self.kind);
            if let Fields::Raw(node) = &owned.fields
                && !typed::may_need_reconciling(kind.layer, kind.root, *node)
            {
                return;
            }
            let set = owned.fields.to_set();
            if let Some(fields) = typed::reconcile(kind.layer, kind.root, &set) {
                changed = true;
                owned.fields = Fields::Set(fields);
            }
        });
        Ok(changed)
    }

    /// The type at another version.
    fn kind_at(&self, version: &str) -> Option<KindSchema<'_>> {
        if version == self.version {
            return None;
        }
        match (self.other)(version) {
            OtherVersion::Same(kind) => Some(kind),
            OtherVersion::Gone | OtherVersion::Unknown => None,
        }
    }

    /// What changes from before to after. `compare` may use that the one was made from the other.
    pub(crate) fn changes(
        &self,
        managers: &Managers<'_>,
        compare: typed::Compare,
        before: &Document,
        after: &Document,
    ) -> Result<Changes, VersionError> {
        let change = |kind: KindSchema<'_>| {
            let found = compare(kind.layer, kind.root, before.root(), after.root());
            Change {
                written: found
                    .modified
                    .union(&found.added)
                    .recursive_difference(self.reset),
                removed: found.removed.recursive_difference(self.reset),
            }
        };
        let mut versions = BTreeMap::from([(self.version.to_owned(), change(self.kind))]);
        for (_, owned) in managers.iter() {
            if let Some(kind) = self.kind_at(&owned.version) {
                fits(kind, after)?;
                versions
                    .entry(owned.version.to_string())
                    .or_insert_with(|| change(kind));
            }
        }
        Ok(Changes(versions))
    }
}

impl Changes {
    pub(crate) fn at(&self, version: &str) -> Option<&Change> {
        self.0.get(version)
    }

    /// Everybody but `writer` loses what was changed. True when somebody does.
    pub(crate) fn take_away(&self, managers: &mut Managers<'_>, writer: Option<&ManagerKey<'_>>) -> bool {
        let mut taken = false;
        managers.change(|key, owned| {
            if let (true, Some(change)) = (writer != Some(key), self.at(&owned.version)) {
                let lost = owned.fields.intersection(&change.written);
                let lost = lost.union(&owned.fields.intersection(&change.removed));
                if !lost.is_empty() {
                    taken = true;
                    owned.fields = Fields::Set(owned.fields.to_set().difference(&lost));
                }
            }
        });
        taken
    }
}

/// An object that others own fields of at another version must be one there too.
fn fits(kind: KindSchema<'_>, object: &Document) -> Result<(), VersionError> {
    typed::validate(kind.layer, kind.root, object.root(), Duplicates::Refused)
        .map_err(VersionError::DoesNotFit)
}

/// What is inside metadata and belongs to nobody.
pub(super) const IDENTITY: [&str; 9] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "clusterName",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Fields that no manager owns (`managedfields/internal/stripmeta.go`).
pub(super) fn identity() -> &'static FieldSet {
    static FIELDS: LazyLock<FieldSet> = LazyLock::new(|| {
        let top = ["apiVersion", "kind", "metadata"].map(|key| FieldPath::keys([key]));
        let inside = IDENTITY.map(|key| FieldPath::keys(["metadata", key]));
        top.into_iter().chain(inside).collect()
    });
    &FIELDS
}
