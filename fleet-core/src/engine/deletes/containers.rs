//! What may not be deleted: without a permission of its own, or because of what would go with it.

use std::collections::BTreeSet;

use fleet_diff::ObjectKey;

use super::Survey;
use crate::{
    edge::Fault,
    engine::{
        CallId, Command, Container, Engine, GUARDED_KINDS,
        calls::Call,
        slot::{Class, Slot},
    },
    ledger::EntryState,
    words::{LiveMeta, Millis, Reason, Tick, Uid},
};

/// What a cluster makes itself in every namespace, by group, kind and (if it is always the same) name. Endpoints of a
/// Service are judged by the Service of their name.
const CLUSTER_MADE: [(&str, &str, Option<&str>); 4] = [
    ("", "ServiceAccount", Some("default")),
    ("", "ConfigMap", Some("kube-root-ca.crt")),
    ("", "Event", None),
    ("events.k8s.io", "Event", None),
];

/// How long the contents of a container, once listed, are believed.
const SURVEY_LIFE: Millis = Millis::from_secs(30);

impl Engine {
    /// Why the object may not be deleted, whatever it holds.
    pub(in crate::engine) fn why_not_deleted(&self, key: &ObjectKey, uid: &Uid) -> Option<Reason> {
        if !self.options.switches.containers {
            return None;
        }
        if key.is("", "Namespace") && (key.name() == "default" || key.name().starts_with("kube-")) {
            return Some(Reason::new(
                "never-deleted",
                "namespaces `default` and `kube-*` are never deleted",
            ));
        }
        if let Err(reason) = self.parts.deletes.may_delete(key, uid) {
            return Some(reason);
        }
        let kind = key.group_kind();
        let guarded = GUARDED_KINDS.iter().any(|(g, k)| key.is(g, k)) || self.options.guarded.contains(kind);
        let permitted = self.options.permitted_kinds.contains(kind) || self.options.permitted.contains(key);
        (guarded && !permitted).then(|| {
            Reason::new(
                "permission-needed",
                format!("deleting a {kind} needs a permission of its own"),
            )
        })
    }

    /// How many deletes the object counts for, with what goes along; or why it must stay on account of what it holds.
    /// None while that is being listed.
    pub(super) fn weight(
        &mut self,
        key: &ObjectKey,
        now: Tick,
        out: &mut Vec<Command>,
    ) -> Option<Result<u32, Reason>> {
        match self.container(key) {
            Ok(None) => Some(Ok(1)),
            Ok(Some(container)) => self.survey(key, container, now, out),
            Err(reason) => Some(Err(reason)),
        }
    }

    /// What goes with the object, if anything does. An error where that cannot be said.
    fn container(&self, key: &ObjectKey) -> Result<Option<Container>, Reason> {
        if !self.options.switches.containers {
            return Ok(None);
        }
        let kinds = self.kinds.as_ref();
        let unknown = |why: String| {
            Reason::new(
                "contents-unknown",
                format!("what it holds cannot be listed: {why}"),
            )
        };
        if key.is("", "Namespace") {
            let dead = kinds.and_then(|kinds| kinds.incomplete.first());
            return match dead {
                Some(group) => Err(unknown(format!("discovery of group {group} is incomplete"))),
                None => Ok(Some(Container::Namespace(key.name().to_owned()))),
            };
        }
        if Class::of(key) == Class::Definitions {
            let (plural, group) = key.name().split_once('.').unwrap_or((key.name(), ""));
            let mut served = kinds.iter().flat_map(|kinds| &kinds.kinds);
            let kind = served.find(|(gk, info)| gk.group() == group && info.plural == plural);
            let established = self
                .slots
                .get(key)
                .and_then(|slot| slot.seen())
                .is_some_and(|seen| seen.established);
            return match kind {
                Some((kind, _)) => Ok(Some(Container::Kind(kind.clone()))),
                // A definition that never became established defines nothing.
                None if !established => Ok(None),
                None => Err(unknown(format!("{plural} of group {group} are not served"))),
            };
        }
        Ok(None)
    }

    /// What is known of a container's contents: how many deletes it counts for, or why it must stay. None while it
    /// is being listed.
    fn survey(
        &mut self,
        key: &ObjectKey,
        container: Container,
        now: Tick,
        out: &mut Vec<Command>,
    ) -> Option<Result<u32, Reason>> {
        match self.deletes.surveys.get(key) {
            Some(Survey::Asked) => None,
            Some(Survey::Known { at, result }) if now.since(*at) <= SURVEY_LIFE => Some(result.clone()),
            _ => {
                self.deletes.surveys.insert(key.clone(), Survey::Asked);
                let call = self.new_call(Call::Survey(key.clone()));
                out.push(Command::Survey { call, container });
                None
            }
        }
    }

    pub(in crate::engine) fn take_survey(
        &mut self,
        call: CallId,
        result: Result<Vec<LiveMeta>, Fault>,
        now: Tick,
    ) {
        let Some(Call::Survey(key)) = self.end_call(call) else {
            return;
        };
        if !self.deletes.surveys.contains_key(&key) {
            return;
        }
        let result = match result {
            Ok(metas) => self.assess(&key, &metas).map(|(weight, along)| {
                self.deletes.going_along.extend(along);
                weight
            }),
            Err(fault) => Err(Reason::new(
                "contents-unknown",
                format!("what it holds cannot be listed: {fault}"),
            )),
        };
        self.deletes
            .surveys
            .insert(key.clone(), Survey::Known { at: now, result });
        self.deletes.fresh = true;
        self.dirty.insert(key);
    }

    /// Everything inside must be about to be deleted itself, owned by such an object, or made by the cluster. How
    /// much the container counts for, and what goes along with others.
    fn assess(&self, key: &ObjectKey, metas: &[LiveMeta]) -> Result<(u32, Vec<Uid>), Reason> {
        let goes_itself = |meta: &LiveMeta| {
            let slot = self.slots.get(&meta.key);
            slot.is_some_and(|slot| slot.desired.is_none() && self.is_going(&meta.key, slot, &meta.uid))
        };
        let mut going: BTreeSet<&Uid> = metas
            .iter()
            .filter(|m| goes_itself(m) || self.deletes.going_along.contains(&m.uid))
            .map(|m| &m.uid)
            .collect();
        let services: BTreeSet<&ObjectKey> = metas
            .iter()
            .filter(|m| m.key.is("", "Service") && going.contains(&m.uid))
            .map(|m| &m.key)
            .collect();
        let endpoints = |meta: &LiveMeta| {
            meta.key.is("", "Endpoints")
                && services
                    .iter()
                    .any(|s| s.namespace() == meta.key.namespace() && s.name() == meta.key.name())
        };
        loop {
            let before = going.len();
            going.extend(
                metas
                    .iter()
                    .filter(|m| m.owners.iter().any(|uid| going.contains(uid)))
                    .map(|m| &m.uid)
                    .collect::<Vec<_>>(),
            );
            if going.len() == before {
                break;
            }
        }
        let foreign: Vec<&LiveMeta> = metas
            .iter()
            .filter(|m| !going.contains(&m.uid) && !is_cluster_made(&m.key) && !endpoints(m))
            .collect();
        if let Some(first) = foreign.first() {
            let whose = match self.slots.get(&first.key) {
                Some(slot) if slot.desired.is_some() => "still listed",
                Some(slot) if slot.entry.is_some() => "ours, and not to be deleted now",
                _ => "not ours",
            };
            let message = format!(
                "{key} holds {} objects that must stay, such as {} ({whose})",
                foreign.len(),
                first.key
            );
            return Err(Reason::new("container-not-empty", message).with("holds", foreign.len()));
        }
        // Objects of our own inside are counted by themselves; the rest go with the container.
        let inside = metas
            .iter()
            .filter(|m| !goes_itself(m) && !is_cluster_made(&m.key));
        let along: Vec<Uid> = inside.map(|m| m.uid.clone()).collect();
        let weight = u32::try_from(along.len()).unwrap_or(u32::MAX).saturating_add(1);
        Ok((weight, along))
    }

    /// Whether this object is to be deleted in this plan, or is being deleted. A recorded intent alone proves
    /// nothing: its permission may have been withdrawn, or its grant have run out.
    fn is_going(&self, key: &ObjectKey, slot: &Slot, uid: &Uid) -> bool {
        let entry = self.ledger.intended(key, slot.entry.as_ref());
        let ours = entry.is_some_and(|entry| entry.uid.as_ref().is_none_or(|known| known == uid));
        let being_recorded =
            || self.ledger.is_pending(key) && entry.is_some_and(|entry| entry.state == EntryState::Deleting);
        let decided = || {
            (self.deletes.candidates.contains_key(key) || slot.approved || being_recorded())
                && self.why_not_deleted(key, uid).is_none()
        };
        ours && (slot.seen().is_some_and(|seen| seen.deleting.is_some()) || decided())
    }
}

fn is_cluster_made(key: &ObjectKey) -> bool {
    CLUSTER_MADE
        .iter()
        .any(|(group, kind, name)| key.is(group, kind) && name.is_none_or(|n| n == key.name()))
}
