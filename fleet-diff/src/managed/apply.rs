//! An apply, as the field manager of an API server carries it out (structured-merge-diff, `merge/update.go`, and
//! apimachinery, `pkg/util/managedfields/internal`).

use std::collections::BTreeSet;

use super::{
    entry::{Fields, ManagerKey, Managers},
    last_applied,
    remains::{self, Pruned},
    same::is_set_of,
    target::{Target, VersionError, identity},
};
use crate::{Document, FieldPath, FieldSet, typed};

/// One apply.
pub(crate) struct Apply<'a> {
    pub(crate) target: Target<'a>,
    pub(crate) config: &'a Document,
    pub(crate) manager: &'a str,
    pub(crate) force: bool,
    /// The time of the write, if it is to be written down.
    pub(crate) time: Option<&'a str>,
}

/// What came of it.
pub(crate) struct Applied<'n> {
    /// The merged object, before defaults; none when the merge changes nothing.
    pub(crate) merged: Option<Document>,
    pub(crate) managers: Managers<'n>,
    /// Somebody owns other fields than before, or we at another version.
    pub(crate) owners_change: bool,
    /// What is left of something that we no longer define: nobody has asked for it as it is now.
    pub(crate) remains: Option<FieldPath>,
}

#[derive(Debug)]
pub(crate) enum ApplyError {
    Conflicts(BTreeSet<(String, FieldPath)>),
    Version(VersionError),
}

impl From<VersionError> for ApplyError {
    fn from(error: VersionError) -> Self {
        Self::Version(error)
    }
}

pub(crate) fn apply<'n>(apply: &Apply<'n>, mut managers: Managers<'n>) -> Result<Applied<'n>, ApplyError> {
    let target = &apply.target;
    let live = target.before();
    let mut changed = false;
    if managers.is_empty() && target.live.is_some() {
        changed = target.own_what_is_there(&mut managers, apply.time);
    }
    changed |= target.reconcile(&mut managers)?;
    Run {
        apply,
        target,
        live: &live,
    }
    .apply(managers, changed)
}

struct Run<'r, 'a> {
    apply: &'r Apply<'a>,
    target: &'r Target<'a>,
    live: &'r Document,
}

impl<'n> Run<'_, 'n> {
    fn apply(&self, mut managers: Managers<'n>, changed: bool) -> Result<Applied<'n>, ApplyError> {
        let (kind, config) = (self.target.kind, self.apply.config);
        let merged = typed::merge(kind.layer, kind.root, self.live, config);
        let ours = ManagerKey::applied(self.apply.manager);
        let before = managers.get(&ours);
        let same = before.is_some_and(|before| match &before.fields {
            Fields::Raw(node) => is_set_of(kind.layer, kind.root, *node, config.root(), self.target.reset),
            Fields::Set(_) => false,
        });
        let at_version = before.is_none_or(|before| before.version == self.target.version);
        let mut owners_change = changed || !at_version;
        let (mut pruned, mut remains) = (None, None);
        if !same || !at_version {
            let fields = typed::field_set(kind.layer, kind.root, config.root());
            let fields = fields.recursive_difference(self.target.reset);
            let before = before.map(|before| {
                let set = before.fields.to_set().into_owned();
                (set, before.version.clone(), before.time.clone())
            });
            let time = before.as_ref().and_then(|(_, _, time)| time.clone());
            managers.set(ours.clone(), self.target.owned(time, fields));
            if let Some((before, version, _)) = before.as_ref().filter(|(before, ..)| !before.is_empty()) {
                let merged = merged.as_ref().unwrap_or(self.live);
                if let Some((without, gone, before)) = self.prune(merged, &managers, &ours, (before, version))
                {
                    let pruning = Pruned {
                        before: &before,
                        gone: &gone,
                        object: without.root(),
                        config: config.root(),
                    };
                    remains = remains::of(kind.layer, kind.root, &pruning);
                    pruned = Some(without);
                }
            }
            let was = before.map(|(before, ..)| before).unwrap_or_default();
            managers.change(|key, owned| {
                if *key == ours {
                    let fields = owned.fields.to_set().difference(identity());
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
            owners_change |= self.settle(&mut managers, &ours, merged)?;
        }
        // As on the server, a write has a time when it changes the object; what passes to or from others has none.
        if let Some(time) = self.apply.time
            && merged
                .as_ref()
                .is_some_and(|merged| merged.root() != self.live.root())
        {
            managers.change(|key, owned| {
                if *key == ours {
                    owned.time = Some(time.into());
                }
            });
        }
        managers.drop_empty();
        Ok(Applied {
            merged,
            managers,
            owners_change,
            remains,
        })
    }

    /// Fields that we applied last time and not now go, unless somebody else owns them too.
    /// None when nothing goes; otherwise what is left, the fields that went, and what was ours.
    fn prune(
        &self,
        merged: &Document,
        managers: &Managers<'n>,
        ours: &ManagerKey<'n>,
        (before, version): (&FieldSet, &str),
    ) -> Option<(Document, FieldSet, FieldSet)> {
        let kind = self.target.kind;
        let now = managers.get(ours).map(|owned| owned.fields.to_set());
        if now.as_ref().is_some_and(|now| before.is_subset(now)) {
            return None;
        }
        let named = |set: &FieldSet| typed::named_fields_as_members(kind.layer, Some(kind.root), set);
        let lost = |pruned: &Document| typed::lost(kind.layer, kind.root, merged.root(), pruned.root());
        let before = named(before);
        let mut pruned = typed::remove(kind.layer, kind.root, merged, &before);
        // What anybody owns, our new configuration included, comes back: mostly that is all but a few fields. It does so
        // for one version after the other, beginning with the one of what was ours; what comes back at one without what
        // is around it goes again at the next.
        let mut versions: Vec<&str> = managers.iter().map(|(_, owned)| &*owned.version).collect();
        versions.sort_unstable_by_key(|other| (*other != version, *other));
        versions.dedup();
        for version in versions {
            let owned = managers.iter().filter(|(_, owned)| *owned.version == *version);
            let gone = owned.fold(lost(&pruned), |gone, (_, owned)| {
                if gone.is_empty() {
                    gone
                } else {
                    gone.difference(&named(&owned.fields.to_set()))
                }
            });
            pruned = typed::remove(kind.layer, kind.root, merged, &gone);
        }
        // So does what went along but was not ours.
        let gone = lost(&pruned).intersection(&before);
        Some((typed::remove(kind.layer, kind.root, merged, &gone), gone, before))
    }

    /// Who loses what by the change; conflicts unless forced.
    fn settle(
        &self,
        managers: &mut Managers<'n>,
        ours: &ManagerKey<'n>,
        merged: &Document,
    ) -> Result<bool, ApplyError> {
        let changes = self
            .target
            .changes(managers, typed::compare_based, self.live, merged)?;
        // Fields that the last client-side apply set are taken over without a conflict.
        let allowed = (self.apply.manager == last_applied::MANAGER && !self.apply.force)
            .then(|| last_applied::still_applied(self.target.kind, self.target.gvk, self.live))
            .flatten();
        let mut conflicts = BTreeSet::new();
        for (key, owned) in managers.iter().filter(|(key, _)| *key != ours) {
            let Some(change) = changes.at(&owned.version) else {
                continue;
            };
            let lost = owned.fields.intersection(&change.written);
            let lost = match &allowed {
                Some(allowed) => lost.difference(allowed),
                None => lost,
            };
            conflicts.extend(lost.iter().map(|path| (key.name.to_string(), path)));
        }
        if !conflicts.is_empty() && !self.apply.force {
            return Err(ApplyError::Conflicts(conflicts));
        }
        Ok(changes.take_away(managers, Some(ours)))
    }
}
