//! An apply, as the field manager of an API server carries it out (structured-merge-diff, `merge/update.go`, and
//! apimachinery, `pkg/util/managedfields/internal`).

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    last_applied,
    entry::{Fields, ManagerKey, Managers, Owned},
    same::is_set_of,
    zero::empty_object,
};
use crate::{
    Document, FieldPath, FieldSet, Gvk,
    schema::KindSchema,
    typed::{self, Duplicates, Misfit},
};

/// One apply.
pub(crate) struct Apply<'a> {
    pub(crate) kind: KindSchema<'a>,
    pub(crate) gvk: &'a Gvk,
    /// None: the object is created.
    pub(crate) live: Option<&'a Document>,
    pub(crate) config: &'a Document,
    pub(crate) manager: &'a str,
    pub(crate) force: bool,
    /// Fields that this endpoint does not write, whatever is applied.
    pub(crate) reset: &'a FieldSet,
    /// What is to be done with an entry at another API version.
    pub(crate) version: &'a dyn Fn(&str) -> OtherVersion<'a>,
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

/// What came of it.
pub(crate) struct Applied<'n> {
    /// The merged object, before defaults; none when the merge changes nothing.
    pub(crate) merged: Option<Document>,
    pub(crate) managers: Managers<'n>,
    /// Somebody owns other fields than before, or we at another version.
    pub(crate) owners_change: bool,
}

#[derive(Debug)]
pub(crate) enum ApplyError {
    Conflicts(BTreeSet<(String, FieldPath)>),
    /// An entry at this version cannot be converted here.
    OtherVersion(String),
    /// At another version, at which fields are owned, the object has a field that there is not.
    NotAtOtherVersion(Misfit),
}

pub(crate) fn apply<'n>(apply: &Apply<'n>, mut managers: Managers<'n>) -> Result<Applied<'n>, ApplyError> {
    let empty;
    let version = apply.gvk.api_version();
    let live = match apply.live {
        Some(live) => live,
        None => {
            empty = empty_object(apply.kind, apply.gvk);
            &empty
        }
    };
    let run = Run { apply, version: &version, live };
    let mut changed = false;
    if managers.is_empty() && apply.live.is_some() {
        changed = run.own_what_is_there(&mut managers);
    }
    changed |= run.reconcile(&mut managers)?;
    run.apply(managers, changed)
}

struct Run<'r, 'a> {
    apply: &'r Apply<'a>,
    version: &'r str,
    live: &'r Document,
}

impl<'n> Run<'_, 'n> {
    /// Fields nobody owns when an object is first applied to belong to a manager of their own.
    fn own_what_is_there(&self, managers: &mut Managers<'n>) -> bool {
        let kind = self.apply.kind;
        let empty = empty_object(kind, self.apply.gvk);
        let found = typed::compare(kind.layer, kind.root, empty.root(), self.live.root());
        let fields = found.modified.union(&found.added).recursive_difference(self.apply.reset);
        let fields = fields.difference(&identity());
        if fields.is_empty() {
            return false;
        }
        managers.set(ManagerKey::updated("before-first-apply", self.version), self.owned(None, fields));
        true
    }

    fn owned(&self, time: Option<Cow<'n, str>>, fields: FieldSet) -> Owned<'n> {
        Owned { version: Cow::Owned(self.version.to_owned()), time, fields: Fields::Set(fields) }
    }

    /// True when somebody comes to own other fields.
    fn reconcile(&self, managers: &mut Managers<'n>) -> Result<bool, ApplyError> {
        let kind = self.apply.kind;
        let mut gone = Vec::new();
        for (key, owned) in managers.iter() {
            if owned.version != self.version {
                match (self.apply.version)(&owned.version) {
                    OtherVersion::Same(kind) => fits(kind, self.live)?,
                    OtherVersion::Gone => gone.push(key.clone()),
                    OtherVersion::Unknown => return Err(ApplyError::OtherVersion(owned.version.to_string())),
                }
            }
        }
        gone.iter().for_each(|key| managers.remove(key));
        let mut changed = !gone.is_empty();
        managers.change(|_, owned| {
            let kind = self.kind_at(&owned.version).unwrap_or(kind);
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
        match (self.apply.version)(version) {
            OtherVersion::Same(kind) => Some(kind),
            OtherVersion::Gone | OtherVersion::Unknown => None,
        }
    }

    fn apply(&self, mut managers: Managers<'n>, changed: bool) -> Result<Applied<'n>, ApplyError> {
        let (kind, config) = (self.apply.kind, self.apply.config);
        let merged = typed::merge(kind.layer, kind.root, self.live, config);
        let ours = ManagerKey::applied(self.apply.manager);
        let before = managers.get(&ours);
        let same = before.is_some_and(|before| match &before.fields {
            Fields::Raw(node) => is_set_of(kind.layer, kind.root, *node, config.root(), self.apply.reset),
            Fields::Set(_) => false,
        });
        let at_version = before.is_none_or(|before| before.version == self.version);
        let mut owners_change = changed || !at_version;
        let mut pruned = None;
        if !same || !at_version {
            let fields = typed::field_set(kind.layer, kind.root, config.root());
            let fields = fields.recursive_difference(self.apply.reset);
            let before = before.map(|before| (before.fields.to_set().into_owned(), before.time.clone()));
            let time = before.as_ref().and_then(|(_, time)| time.clone());
            managers.set(ours.clone(), self.owned(time, fields));
            if let Some((before, _)) = before.as_ref().filter(|(before, _)| !before.is_empty()) {
                pruned = self.prune(merged.as_ref().unwrap_or(self.live), &managers, &ours, before);
            }
            let was = before.map(|(before, _)| before).unwrap_or_default();
            managers.change(|key, owned| {
                if *key == ours {
                    let fields = owned.fields.to_set().difference(&identity());
                    owners_change |= fields != was;
                    owned.fields = Fields::Set(fields);
                }
            });
        }
        let merged = match (pruned, merged) {
            (Some(pruned), _) => (pruned.root() != self.live.root()).then_some(pruned),
            (None, merged) => merged,
        };
        if let Some(merged) = &merged {
            for (_, owned) in managers.iter() {
                if let Some(kind) = self.kind_at(&owned.version) {
                    fits(kind, merged)?;
                }
            }
            owners_change |= self.settle(&mut managers, &ours, merged)?;
        }
        managers.drop_empty();
        Ok(Applied { merged, managers, owners_change })
    }

    /// Fields that we applied last time and not now go, unless somebody else owns them too.
    /// None when nothing goes.
    fn prune(
        &self,
        merged: &Document,
        managers: &Managers<'n>,
        ours: &ManagerKey,
        before: &FieldSet,
    ) -> Option<Document> {
        let kind = self.apply.kind;
        let now = managers.get(ours).map(|owned| owned.fields.to_set());
        if now.is_some_and(|now| before.is_subset(&now)) {
            return None;
        }
        let named = |set: &FieldSet| typed::named_fields_as_members(kind.layer, Some(kind.root), set);
        let fields = |of: &Document| named(&typed::field_set(kind.layer, kind.root, of.root()));
        let before = named(before);
        let all = fields(merged);
        let pruned = typed::remove(kind.layer, kind.root, merged, &before);
        // What anybody owns, our new configuration included, comes back.
        let owned = managers.iter().fold(FieldSet::new(), |all, (_, owned)| all.union(&owned.fields.to_set()));
        let gone = all.difference(&fields(&pruned).union(&named(&owned)));
        let pruned = typed::remove(kind.layer, kind.root, merged, &gone);
        // So does what went along but was not ours.
        let gone = all.difference(&fields(&pruned)).intersection(&before);
        Some(typed::remove(kind.layer, kind.root, merged, &gone))
    }

    /// Who loses what by the change; conflicts unless forced.
    fn settle(
        &self,
        managers: &mut Managers<'n>,
        ours: &ManagerKey,
        merged: &Document,
    ) -> Result<bool, ApplyError> {
        let mut versions = BTreeMap::from([(self.version.to_owned(), self.change(self.apply.kind, merged))]);
        for (_, owned) in managers.iter() {
            if let Some(kind) = self.kind_at(&owned.version) {
                versions.entry(owned.version.to_string()).or_insert_with(|| self.change(kind, merged));
            }
        }
        if versions.values().all(|change| change.written.is_empty() && change.removed.is_empty()) {
            return Ok(false);
        }
        let change = |owned: &Owned<'_>| versions.get(&*owned.version);
        // Fields that the last client-side apply set are taken over without a conflict.
        let allowed = (self.apply.manager == last_applied::MANAGER && !self.apply.force)
            .then(|| last_applied::still_applied(self.apply.kind, self.apply.gvk, self.live))
            .flatten();
        let mut conflicts = BTreeSet::new();
        for (key, owned) in managers.iter().filter(|(key, _)| *key != ours) {
            let Some(change) = change(owned) else { continue };
            let lost = owned.fields.intersection(&change.written);
            let lost = allowed.as_ref().map_or(lost.clone(), |allowed| lost.difference(allowed));
            conflicts.extend(lost.iter().map(|path| (key.name.clone(), path)));
        }
        if !conflicts.is_empty() && !self.apply.force {
            return Err(ApplyError::Conflicts(conflicts));
        }
        let mut changed = false;
        managers.change(|key, owned| {
            if let (true, Some(change)) = (key != ours, versions.get(&*owned.version)) {
                let lost = owned.fields.intersection(&change.written.union(&change.removed));
                if !lost.is_empty() {
                    changed = true;
                    owned.fields = Fields::Set(owned.fields.to_set().difference(&lost));
                }
            }
        });
        Ok(changed)
    }
}

/// The fields that an apply changes.
struct Change {
    written: FieldSet,
    removed: FieldSet,
}

impl Run<'_, '_> {
    fn change(&self, kind: KindSchema<'_>, merged: &Document) -> Change {
        let found = typed::compare_based(kind.layer, kind.root, self.live.root(), merged.root());
        let reset = self.apply.reset;
        Change {
            written: found.modified.union(&found.added).recursive_difference(reset),
            removed: found.removed.recursive_difference(reset),
        }
    }
}

/// An object that others own fields of at another version must be one there too.
fn fits(kind: KindSchema<'_>, object: &Document) -> Result<(), ApplyError> {
    typed::validate(kind.layer, kind.root, object.root(), Duplicates::Refused).map_err(ApplyError::NotAtOtherVersion)
}

/// What is inside metadata and belongs to nobody.
pub(super) const IDENTITY: [&str; 9] = [
    "name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields",
    "resourceVersion",
];

/// Fields that no manager owns (`managedfields/internal/stripmeta.go`).
fn identity() -> FieldSet {
    let top = ["apiVersion", "kind", "metadata"].map(|key| FieldPath::keys([key]));
    let inside = IDENTITY.map(|key| FieldPath::keys(["metadata", key]));
    top.into_iter().chain(inside).collect()
}
