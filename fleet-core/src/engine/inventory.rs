//! From an inventory's objects to slots: scope, default namespace, class, duplicates.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_diff::{GroupKind, Node, Object, ObjectKey};

use super::{
    Command, Engine,
    kinds::{Listing, ListingStage},
    options::{Adoption, Posture, RECREATE_ALLOWED, RUNNING_KINDS, is_never_recreated},
    slot::{Class, Desired},
    unserved,
};
use crate::{
    edge::Note,
    strategy::{ApplyStrategy, Manner},
    words::{KindInfo, Known, Reason, Revision, Snapshot},
};

/// What the inventory source said.
#[derive(Default)]
pub(super) struct InventoryState {
    /// The last definite answer.
    pub(super) known: Option<Known>,
    /// Why the last answer was not definite.
    pub(super) unknown: Option<Reason>,
    /// Listed objects whose kind the cluster does not know, by identity as written.
    pub(super) unmapped: BTreeMap<ObjectKey, Reason>,
    /// Their kinds: nothing of these is deleted.
    pub(super) unmapped_kinds: BTreeSet<GroupKind>,
    /// Listed CRs waiting for a CRD of this inventory, by CRD.
    pub(super) awaiting: BTreeMap<ObjectKey, BTreeSet<ObjectKey>>,
}

impl InventoryState {
    /// The last answer was definite.
    pub(super) fn is_known(&self) -> bool {
        self.unknown.is_none() && self.known.is_some()
    }

    pub(super) fn revision(&self) -> Option<&Revision> {
        self.known.as_ref().map(Known::revision)
    }
}

impl Engine {
    pub(super) fn take_inventory(&mut self, snapshot: Snapshot, out: &mut Vec<Command>) {
        match snapshot {
            Err(unknown) if self.options.switches.unknown_changes_nothing => {
                let reason = Reason::new("inventory-unknown", unknown.message());
                if self.inventory.unknown.as_ref() != Some(&reason) {
                    self.inventory.unknown = Some(reason.clone());
                    Self::report(Note::InventoryUnknown { reason }, out);
                    self.wake_unlisted();
                }
            }
            Err(_) => self.take_known(Known::Empty("unknown".into()), out),
            Ok(known) => self.take_known(known, out),
        }
    }

    fn take_known(&mut self, known: Known, out: &mut Vec<Command>) {
        let was_unknown = self.inventory.unknown.take().is_some();
        if !was_unknown && self.inventory.known.as_ref() == Some(&known) {
            return;
        }
        let news = self.inventory.revision() != Some(known.revision());
        if news {
            let (revision, objects) = (known.revision().clone(), known.objects().len());
            Self::report(Note::Revision { revision, objects }, out);
        }
        self.inventory.known = Some(known);
        self.converged = false;
        self.deletes.start_over();
        self.map_inventory();
        self.wake_unlisted();
    }

    /// Objects that are owned and not listed depend on whether the inventory is known.
    fn wake_unlisted(&mut self) {
        let unlisted = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.desired.is_none())
            .map(|(key, _)| key.clone());
        self.dirty.extend(unlisted);
    }

    /// Gives every listed object its key, now that kinds may be known, and updates the slots that differ.
    pub(super) fn map_inventory(&mut self) {
        let (Some(known), Some(_)) = (&self.inventory.known, &self.kinds) else {
            return;
        };
        let mut objects: Vec<Object> = known.objects().to_vec();
        objects.retain(|object| self.is_served(object));
        let coming = kinds_of_definitions(&objects);
        let mut wanted: BTreeMap<ObjectKey, Desired> = BTreeMap::new();
        let unmapped: Vec<ObjectKey> = self.inventory.unmapped.keys().cloned().collect();
        self.inventory.unmapped.clear();
        self.inventory.unmapped_kinds.clear();
        self.inventory.awaiting.clear();
        for object in objects {
            match self.map_object(&object, &coming) {
                Ok(desired) if self.is_other_version(&desired) => {}
                Ok(desired) => {
                    let key = desired.object.key().clone();
                    if let Some(crd) = &desired.awaits {
                        self.inventory
                            .awaiting
                            .entry(crd.clone())
                            .or_default()
                            .insert(key.clone());
                    }
                    if let Some(twin) = wanted.get_mut(&key) {
                        let reason = Reason::new(
                            "listed-twice",
                            format!(
                                "{key} is listed twice: once with and once without its namespace, or at two API versions"
                            ),
                        );
                        twin.blocked = Some(reason);
                    } else {
                        wanted.insert(key, desired);
                    }
                }
                Err(reason) => {
                    self.inventory
                        .unmapped_kinds
                        .insert(object.gvk().group_kind().clone());
                    self.inventory.unmapped.insert(object.key().clone(), reason);
                }
            }
        }
        self.order.is_stale |= !self.inventory.unmapped.keys().eq(&unmapped);
        self.replace_desired(wanted);
    }

    /// Whether the cluster is there for it now. What is not served counts as not listed.
    fn is_served(&self, object: &Object) -> bool {
        let kind = object.gvk().group_kind();
        let runs = || RUNNING_KINDS.contains(&(kind.group(), kind.kind()));
        match self.options.posture {
            Posture::Serving | Posture::Cordoned => true,
            Posture::Draining => !runs(),
            Posture::Orphaning | Posture::Clearing => false,
        }
    }

    /// Only with rule 5 off: what is recorded at another API version is taken as another object.
    fn is_other_version(&self, desired: &Desired) -> bool {
        let entry = || self.slots.get(desired.object.key())?.entry.as_ref();
        !self.options.switches.version_free_identity
            && entry().is_some_and(|entry| entry.version != desired.object.gvk().version())
    }

    fn map_object(
        &self,
        object: &Object,
        coming: &BTreeMap<GroupKind, (ObjectKey, KindInfo)>,
    ) -> Result<Desired, Reason> {
        let kind = object.gvk().group_kind();
        let kinds = self.kinds.as_ref();
        let served = kinds.and_then(|kinds| kinds.get(kind));
        let version = object.gvk().version();
        let (info, awaits) = match (served, coming.get(kind)) {
            // Served, and at this version only when its CRD of this inventory is written.
            (Some(now), Some((crd, then))) if !now.serves(version) && then.serves(version) => {
                (now, Some(crd.clone()))
            }
            (Some(info), _) => (info, None),
            (None, Some((crd, info))) => (info, Some(crd.clone())),
            (None, None) => {
                return Err(if kinds.is_none_or(|k| k.is_complete(kind.group())) {
                    unserved::undefined(kind)
                } else {
                    unserved::undiscovered(kind.group())
                });
            }
        };
        let namespace = info
            .namespaced
            .then(|| object.namespace().unwrap_or(&self.options.default_namespace));
        let object = object.with_namespace(namespace);
        let take_from = object.annotation(self.marks.take_from_key()).map(str::to_owned);
        let strategy = self.strategy_of(&object);
        let blocked = match &strategy {
            Ok(strategy) => self.why_not_written(&object, info, awaits.is_some(), strategy.manner()),
            Err(reason) => Some(reason.clone()),
        };
        let strategy = strategy.unwrap_or(self.parts.strategies.usual());
        let adoption = object
            .annotation(self.marks.adopt_key())
            .and_then(Adoption::parse)
            .unwrap_or(self.options.adoption);
        Ok(Desired {
            object,
            adoption,
            take_from,
            strategy: strategy.clone(),
            blocked,
            awaits,
        })
    }

    /// How an object is written: as its annotation says, then as the options say of its kind.
    fn strategy_of(&self, object: &Object) -> Result<&Arc<dyn ApplyStrategy>, Reason> {
        let strategies = &self.parts.strategies;
        let chosen = object.annotation(self.marks.strategy_key()).or_else(|| {
            self.options
                .strategies
                .get(object.gvk().group_kind())
                .map(String::as_str)
        });
        let Some(id) = chosen else {
            return Ok(strategies.usual());
        };
        strategies.get(id).ok_or_else(|| {
            let known: Vec<&str> = strategies.ids().collect();
            let message = format!(
                "there is no apply strategy {id:?}; there are {}",
                known.join(", ")
            );
            Reason::new("unknown-strategy", message)
        })
    }

    /// Why it cannot be written at all.
    fn why_not_written(
        &self,
        object: &Object,
        info: &KindInfo,
        awaited: bool,
        manner: Manner,
    ) -> Option<Reason> {
        if !self.options.scope.contains(object.namespace()) {
            return Some(Reason::new("out-of-scope", "it lies outside the target's scope"));
        }
        let version = object.gvk().version();
        if !info.serves(version) && !awaited {
            return Some(unserved::at_other_versions(
                object.gvk().group_kind(),
                version,
                info,
            ));
        }
        if let Some(reason) = self.why_no_recreation(object, manner) {
            return Some(reason);
        }
        match object.annotation(self.marks.adopt_key()) {
            Some(text) if Adoption::parse(text).is_none() => {
                let message = format!(
                    "annotation {} must be refuse, adopt-equal, adopt or take-over",
                    self.marks.adopt_key()
                );
                Some(Reason::new("bad-annotation", message))
            }
            _ => None,
        }
    }

    /// What contradicts the annotation that allows to make an object again.
    fn why_no_recreation(&self, object: &Object, manner: Manner) -> Option<Reason> {
        let key = self.marks.recreate_key();
        let text = object.annotation(key)?;
        let message = if text != RECREATE_ALLOWED {
            format!("annotation {key} must be {RECREATE_ALLOWED}")
        } else if is_never_recreated(object.gvk().group_kind()) {
            let kind = object.gvk().kind();
            format!("annotation {key}: a {kind} is never made again, for everything in it would go")
        } else if manner == Manner::Once {
            format!("annotation {key} contradicts its strategy, which leaves it as it is once it is there")
        } else {
            return None;
        };
        Some(Reason::new("bad-annotation", message))
    }

    fn replace_desired(&mut self, mut wanted: BTreeMap<ObjectKey, Desired>) {
        self.watches_stale = true;
        let dropped: Vec<ObjectKey> = self
            .slots
            .iter()
            .filter(|(key, slot)| slot.desired.is_some() && !wanted.contains_key(*key))
            .map(|(key, _)| key.clone())
            .collect();
        let mut changed = !dropped.is_empty();
        for key in dropped {
            if let Some(slot) = self.slots.get_mut(&key) {
                slot.former = slot.desired.take().map(|desired| desired.object);
                slot.settled = None;
                slot.fresh_start();
                self.mark_resting(&key, true);
                self.dirty.insert(key);
            }
        }
        let mut unseen: BTreeMap<GroupKind, usize> = BTreeMap::new();
        while let Some((key, desired)) = wanted.pop_first() {
            let slot = self.slots.entry(key.clone()).or_default();
            let same = slot.desired.as_ref().is_some_and(|old| {
                old.object == desired.object
                    && old.blocked == desired.blocked
                    && old.awaits == desired.awaits
                    && old.adoption == desired.adoption
                    && old.take_from == desired.take_from
                    && Arc::ptr_eq(&old.strategy, &desired.strategy)
            });
            if same {
                continue;
            }
            changed = true;
            let content = slot
                .desired
                .as_ref()
                .is_none_or(|old| old.object != desired.object);
            let version_moved = slot
                .wanted_version()
                .is_some_and(|v| v != desired.object.gvk().version());
            slot.desired = Some(desired);
            slot.former = None;
            if content {
                slot.exchanges.clear();
                slot.forget_contests();
                slot.approved = false;
            }
            if version_moved && !matches!(slot.sight, super::slot::Sight::Absent) {
                // What was seen at another API version cannot be compared with this definition.
                slot.look_again();
            }
            slot.fresh_start();
            if matches!(slot.sight, super::slot::Sight::Unknown) {
                *unseen.entry(key.group_kind().clone()).or_default() += 1;
            }
            self.strays.remove(&key);
            self.deletes.done_with(&key);
            self.mark_resting(&key, false);
            self.dirty.insert(key);
        }
        self.order.is_stale |= changed;
        // One listing beats reading many new objects one by one.
        for (kind, count) in unseen {
            if count > 1 {
                self.list_again(kind);
            } else {
                self.listings.entry(kind).or_insert(Listing::WANTED);
            }
        }
    }

    /// Lists a kind (again). What failed before still counts as failed until it succeeds.
    pub(super) fn list_again(&mut self, kind: GroupKind) {
        self.listings.entry(kind).or_insert(Listing::WANTED).stage = ListingStage::Wanted;
    }
}

/// Kinds that CRDs of the inventory will define, with the CRD's key.
pub(super) fn kinds_of_definitions(objects: &[Object]) -> BTreeMap<GroupKind, (ObjectKey, KindInfo)> {
    let definitions = objects
        .iter()
        .filter(|o| Class::of(o.key()) == Class::Definitions);
    definitions
        .filter_map(|crd| {
            let spec = crd.root().get("spec")?;
            let text = |keys: &[&str]| spec.at(keys).and_then(Node::as_str);
            let kind = GroupKind::new(text(&["group"])?, text(&["names", "kind"])?);
            let versions = spec.get("versions").filter(|versions| versions.is_list())?;
            let served = versions
                .items()
                .filter(|version| version.get("served").and_then(Node::as_bool) == Some(true))
                .filter_map(|version| version.get("name")?.as_str())
                .map(str::to_owned);
            let info = KindInfo::new(
                text(&["names", "plural"])?,
                text(&["scope"])? == "Namespaced",
                served,
            );
            // A CRD is cluster-scoped: a namespace written in its definition is not part of its identity.
            Some((kind, (crd.with_namespace(None).key().clone(), info)))
        })
        .collect()
}
