//! Deletes: permissions, containers, budgets, confirmation, order.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::{DigestBuilder, ObjectKey};

use super::{
    Approval, Call, CallId, Command, Container, Engine,
    slot::{Class, Outcome, Slot},
};
use crate::{
    edge::{Fault, Note},
    ledger::{EntryState, Spent},
    plan::{Action, Change},
    strategy::Work,
    words::{LiveMeta, Millis, Reason, Revision, Tick, Uid},
};

/// Kinds whose deletes need a permission of their own, whatever the user adds.
const GUARDED: [(&str, &str); 5] = [
    ("", "Namespace"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("apps", "StatefulSet"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
];

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

/// Deletes of the present plan.
#[derive(Default)]
pub(super) struct Deletes {
    /// Owned, not listed, there, and ours: to be deleted.
    candidates: BTreeMap<ObjectKey, Uid>,
    /// Not listed, and not decided yet.
    pub(super) undecided: BTreeSet<ObjectKey>,
    surveys: BTreeMap<ObjectKey, Survey>,
    /// Granted, recorded, and not gone yet.
    leaving: BTreeMap<Class, BTreeSet<ObjectKey>>,
    /// Those of them that wait for others to go first.
    waiting: BTreeMap<Class, BTreeSet<ObjectKey>>,
    reserving: Option<(CallId, u32)>,
    pub(super) held: Option<Held>,
    offered: Option<String>,
    confirmed: Option<Confirmed>,
}

enum Survey {
    Asked,
    Known { at: Tick, result: Result<u32, Reason> },
}

/// Deletes that wait for a person, or for a budget.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) reason: Reason,
    pub(super) token: Option<String>,
    keys: BTreeSet<ObjectKey>,
    until: Option<Tick>,
}

/// What a person confirmed.
struct Confirmed {
    objects: BTreeSet<(ObjectKey, Uid)>,
    revision: Option<Revision>,
    until: Tick,
}

impl Deletes {
    /// A new plan: what was arranged for the old one is off.
    pub(super) fn start_over(&mut self) {
        self.candidates.clear();
        self.surveys.clear();
        self.reserving = None;
        self.held = None;
    }

    /// The object is decided anew.
    pub(super) fn withdraw(&mut self, key: &ObjectKey) {
        self.candidates.remove(key);
    }

    /// The object is gone, or let go.
    pub(super) fn left(&mut self, key: &ObjectKey) {
        for set in self.leaving.values_mut().chain(self.waiting.values_mut()) {
            set.remove(key);
        }
    }

    /// Nothing is being arranged or carried out.
    pub(super) fn is_quiet(&self) -> bool {
        self.undecided.is_empty()
            && self.reserving.is_none()
            && self.leaving.values().all(BTreeSet::is_empty)
            && !self.surveys.values().any(|s| matches!(s, Survey::Asked))
    }

    pub(super) fn due(&self) -> Option<Tick> {
        self.held.as_ref().and_then(|held| held.until)
    }
}

impl Engine {
    /// Ours, there, and not listed any more.
    pub(super) fn remove(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let Some(seen) = slot.seen() else { return };
        let uid = seen.uid.clone();
        let version = seen.version.clone();
        let approved = slot.approved;
        self.mark_resting(key, true);
        if self.ledger.is_pending(key) {
            // Its intent is on the way to the ledger.
            return;
        }
        if !approved {
            self.deletes.candidates.insert(key.clone(), uid);
            return;
        }
        let class = Class::of(key);
        self.deletes.leaving.entry(class).or_default().insert(key.clone());
        let earlier_go = self
            .deletes
            .leaving
            .iter()
            .any(|(other, set)| *other > class && !set.is_empty());
        if earlier_go || self.is_writing() {
            self.deletes.waiting.entry(class).or_default().insert(key.clone());
            return;
        }
        if let Some(container) = self.container(key) {
            match self.survey(key, container, now, out) {
                None => return,
                Some(Err(reason)) => {
                    self.deletes.left(key);
                    if let Some(slot) = self.slots.get_mut(key) {
                        slot.approved = false;
                    }
                    return self.rest(key, Outcome::Blocked(reason), now, out);
                }
                Some(Ok(_)) => {}
            }
        }
        let Some(kinds) = &self.kinds else { return };
        let Some(gvk) = self
            .slots
            .get(key)
            .and_then(|slot| super::slot::read_gvk(key, slot, kinds))
        else {
            return;
        };
        let reason = self.reason("unlisted", "it was managed and is no longer listed");
        let change = Change::new(key.clone(), Action::Delete, Some(uid.clone()), reason);
        let propagation = self.options.propagation;
        self.start(
            key,
            Work::Delete {
                key: key.clone(),
                gvk,
                uid,
                version,
                propagation,
            },
            change,
            now,
            out,
        );
    }

    /// Once every object is decided: permissions, contents, budget, reservation. True if something moved.
    pub(super) fn arrange_deletes(&mut self, now: Tick, out: &mut Vec<Command>) -> bool {
        if self.wake_leaving() {
            return true;
        }
        let writing = self.is_writing();
        let known = self.inventory.is_known() || !self.options.switches.unknown_changes_nothing;
        if !known
            || !self.is_informed()
            || writing
            || !self.deletes.undecided.is_empty()
            || self.deletes.reserving.is_some()
        {
            return false;
        }
        if self.deletes.candidates.is_empty() {
            self.deletes.held = None;
            return false;
        }
        if self
            .deletes
            .held
            .as_ref()
            .is_some_and(|held| held.until.is_some_and(|until| until <= now))
        {
            self.deletes.held = None;
        }
        let Some(total) = self.weigh(now, out) else {
            return false;
        };
        if total == 0 || self.deletes.candidates.is_empty() {
            return true;
        }
        self.spend(total, now, out)
    }

    /// Some listed object is not at rest.
    pub(super) fn is_writing(&self) -> bool {
        self.restless.values().any(|set| !set.is_empty())
    }

    /// Deletes whose turn has come: gates first, then the rest, CRDs, namespaces.
    fn wake_leaving(&mut self) -> bool {
        if self.is_writing() {
            return false;
        }
        let mut moved = false;
        for class in Class::ALL.into_iter().rev() {
            let turn = self.deletes.waiting.remove(&class).unwrap_or_default();
            moved |= !turn.is_empty();
            self.dirty.extend(turn);
            if self
                .deletes
                .leaving
                .get(&class)
                .is_some_and(|set| !set.is_empty())
            {
                break;
            }
        }
        moved
    }

    /// The weight of all candidates that may be deleted at all; none while contents are being listed.
    fn weigh(&mut self, now: Tick, out: &mut Vec<Command>) -> Option<u32> {
        let keys: Vec<ObjectKey> = self.deletes.candidates.keys().cloned().collect();
        let mut total = 0u32;
        let mut waiting = false;
        for key in keys {
            if let Some(reason) = self.why_not_deleted(&key) {
                self.deletes.candidates.remove(&key);
                self.rest(&key, Outcome::Blocked(reason), now, out);
                continue;
            }
            let Some(container) = self.container(&key) else {
                total = total.saturating_add(1);
                continue;
            };
            match self.survey(&key, container, now, out) {
                None => waiting = true,
                Some(Ok(weight)) => total = total.saturating_add(weight),
                Some(Err(reason)) => {
                    self.deletes.candidates.remove(&key);
                    self.rest(&key, Outcome::Blocked(reason), now, out);
                }
            }
        }
        (!waiting).then_some(total)
    }

    fn why_not_deleted(&self, key: &ObjectKey) -> Option<Reason> {
        if key.is("", "Namespace") && (key.name() == "default" || key.name().starts_with("kube-")) {
            return Some(Reason::new(
                "never-deleted",
                "namespaces `default` and `kube-*` are never deleted",
            ));
        }
        if let Some(uid) = self.deletes.candidates.get(key)
            && let Err(reason) = self.parts.deletes.may_delete(key, uid)
        {
            return Some(reason);
        }
        if !self.options.switches.containers {
            return None;
        }
        let kind = key.group_kind();
        let guarded = GUARDED.iter().any(|(g, k)| key.is(g, k)) || self.options.guarded.contains(kind);
        let permitted = self.options.permitted_kinds.contains(kind) || self.options.permitted.contains(key);
        (guarded && !permitted).then(|| {
            Reason::new(
                "permission-needed",
                format!("deleting a {kind} needs a permission of its own"),
            )
        })
    }

    /// What goes with the object, if anything does.
    fn container(&self, key: &ObjectKey) -> Option<Container> {
        if !self.options.switches.containers {
            return None;
        }
        if key.is("", "Namespace") {
            return Some(Container::Namespace(key.name().to_owned()));
        }
        if Class::of(key) == Class::Definitions {
            let (plural, group) = key.name().split_once('.')?;
            let kinds = self.kinds.as_ref()?;
            let kind = kinds
                .kinds
                .iter()
                .find(|(gk, info)| gk.group() == group && info.plural == plural)?;
            return Some(Container::Kind(kind.0.clone()));
        }
        None
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

    pub(super) fn take_survey(&mut self, call: CallId, result: Result<Vec<LiveMeta>, Fault>, now: Tick) {
        let Some(Call::Survey(key)) = self.end_call(call) else {
            return;
        };
        if !self.deletes.surveys.contains_key(&key) {
            return;
        }
        let result = match result {
            Ok(metas) => self.assess(&key, &metas),
            Err(fault) => Err(Reason::new(
                "contents-unknown",
                format!("what it holds cannot be listed: {fault}"),
            )),
        };
        self.deletes
            .surveys
            .insert(key.clone(), Survey::Known { at: now, result });
        self.dirty.insert(key);
    }

    /// Everything inside must be ours and not listed, owned by such an object, or made by the cluster itself.
    fn assess(&self, key: &ObjectKey, metas: &[LiveMeta]) -> Result<u32, Reason> {
        let leaving = |meta: &LiveMeta| {
            let slot = self.slots.get(&meta.key);
            slot.is_some_and(|slot| slot.desired.is_none() && owns(slot, &meta.uid))
        };
        let mut going: BTreeSet<&Uid> = metas.iter().filter(|m| leaving(m)).map(|m| &m.uid).collect();
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
            let listed = self
                .slots
                .get(&first.key)
                .is_some_and(|slot| slot.desired.is_some());
            let whose = if listed { "still listed" } else { "not ours" };
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
            .filter(|m| !leaving(m) && !is_cluster_made(&m.key))
            .count();
        Ok(u32::try_from(inside).unwrap_or(u32::MAX).saturating_add(1))
    }

    fn spend(&mut self, total: u32, now: Tick, out: &mut Vec<Command>) -> bool {
        let budget = self.options.budget;
        let spent: u32 = self.window(now).iter().map(|s| s.count).sum();
        let owned =
            u32::try_from(self.slots.values().filter(|s| s.entry.is_some()).count()).unwrap_or(u32::MAX);
        let allowed = budget.allowed(owned);
        let confirmed = self.is_confirmed(now);
        if self.options.switches.budgets && !confirmed && spent.saturating_add(total) > allowed {
            let message = format!(
                "{total} deletes planned and {spent} done in the last {}: {allowed} are allowed",
                budget.window
            );
            let reason = Reason::new("over-budget", message)
                .with("planned", total)
                .with("spent", spent)
                .with("allowed", allowed);
            let oldest = self
                .ledger
                .window
                .first()
                .map(|s| s.at + budget.window + Millis(1));
            return self.hold(reason, oldest, now, out);
        }
        if self.options.approval == Approval::Never {
            return self.plan_deletes(now, out);
        }
        if self.deletes.held.is_some() {
            return false;
        }
        let call = self.new_call(Call::Reserve);
        self.deletes.reserving = Some((call, total));
        out.push(Command::Reserve {
            call,
            count: total,
            owned,
            confirmed,
        });
        false
    }

    /// Deletes of the rolling window, as recorded.
    fn window(&self, now: Tick) -> Vec<Spent> {
        let window = self.options.budget.window;
        self.ledger
            .window
            .iter()
            .filter(|s| now.since(s.at) < window)
            .copied()
            .collect()
    }

    fn plan_deletes(&mut self, now: Tick, out: &mut Vec<Command>) -> bool {
        let candidates: Vec<(ObjectKey, Uid)> = self.deletes.candidates.clone().into_iter().collect();
        for (key, uid) in candidates {
            let mut change = Change::new(
                key.clone(),
                Action::Delete,
                Some(uid),
                self.reason("unlisted", "it was managed and is no longer listed"),
            );
            if let Some(Survey::Known {
                result: Ok(weight), ..
            }) = self.deletes.surveys.get(&key)
            {
                change.weight = *weight;
            }
            self.rest(&key, Outcome::Planned(Box::new(change)), now, out);
        }
        false
    }

    /// Stops all deletes of the plan, and says what would let them go.
    fn hold(&mut self, reason: Reason, until: Option<Tick>, now: Tick, out: &mut Vec<Command>) -> bool {
        let keys: BTreeSet<ObjectKey> = self.deletes.candidates.keys().cloned().collect();
        if self
            .deletes
            .held
            .as_ref()
            .is_some_and(|held| held.keys == keys && held.until.is_none_or(|at| at > now))
        {
            return false;
        }
        if self.deletes.offered.take().is_some() {
            let reason = Reason::new(
                "token-refused",
                "the token does not cover these deletes, or is out of date",
            );
            self.report(Note::Remark { reason }, out);
        }
        let token = self.token(now + self.options.limits.token_life);
        let reason = reason.with("token", &token);
        if self.options.approval == Approval::Never {
            self.plan_deletes(now, out);
        } else {
            for key in &keys {
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.outcome = Outcome::Blocked(reason.clone());
                }
            }
        }
        self.report(
            Note::DeletesHeld {
                count: keys.len(),
                reason: reason.clone(),
            },
            out,
        );
        self.deletes.held = Some(Held {
            reason,
            token: Some(token),
            keys,
            until,
        });
        false
    }

    pub(super) fn take_reserved(
        &mut self,
        call: CallId,
        result: Result<Tick, Reason>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let Some(Call::Reserve) = self.end_call(call) else {
            return;
        };
        let Some((_, total)) = self.deletes.reserving.take_if(|(id, _)| *id == call) else {
            return;
        };
        match result {
            Ok(until) if until > now => {
                let mut window = self.window(now);
                window.push(Spent::new(now, total));
                self.record_window(window);
                self.deletes.held = None;
                for key in std::mem::take(&mut self.deletes.candidates).into_keys() {
                    let entry = self.slots.get(&key).and_then(|slot| slot.entry.clone());
                    if let Some(mut entry) = entry {
                        entry.state = EntryState::Deleting;
                        self.record_ahead(&key, entry, now);
                    }
                }
            }
            Ok(_) => {}
            Err(reason) => {
                self.hold(reason, Some(now + Millis::from_secs(60)), now, out);
            }
        }
    }

    /// What a person confirms: these objects, of this inventory, until then.
    fn token(&self, until: Tick) -> String {
        let start = DigestBuilder::new()
            .text("deletes")
            .text(&self.target.to_string())
            .text(self.inventory.revision().map_or("", Revision::as_str))
            .text(&(until.0 / 1000).to_string());
        let all = self
            .deletes
            .candidates
            .iter()
            .fold(start, |b, (key, uid)| b.text(&key.to_path()).text(uid.as_str()));
        format!("{:x}-{}", until.0 / 1000, all.finish().short())
    }

    pub(super) fn take_confirmation(&mut self, token: &str) {
        // Looked at when deletes are arranged: at once if they are held, otherwise when every object is decided.
        self.deletes.offered = Some(token.to_owned());
        self.deletes.held = None;
        self.converged = false;
    }

    /// Whether the token a person gave covers exactly the deletes of this plan.
    fn check_offer(&mut self, now: Tick) -> bool {
        let Some(token) = &self.deletes.offered else {
            return false;
        };
        let seconds = token
            .split_once('-')
            .and_then(|(until, _)| u64::from_str_radix(until, 16).ok());
        let until = Tick(seconds.unwrap_or(0).saturating_mul(1000));
        if until <= now || *token != self.token(until) {
            return false;
        }
        let objects = self.deletes.candidates.clone().into_iter().collect();
        self.deletes.confirmed = Some(Confirmed {
            objects,
            revision: self.inventory.revision().cloned(),
            until,
        });
        self.deletes.offered = None;
        true
    }

    /// Whether a person confirmed all of these deletes: what is done drops out, what is new is not covered.
    fn is_confirmed(&mut self, now: Tick) -> bool {
        let covers = |c: &Confirmed, revision: Option<&Revision>, candidates: &BTreeMap<ObjectKey, Uid>| {
            c.until > now
                && c.revision.as_ref() == revision
                && candidates
                    .iter()
                    .all(|(key, uid)| c.objects.contains(&(key.clone(), uid.clone())))
        };
        let covered = self
            .deletes
            .confirmed
            .as_ref()
            .is_some_and(|c| covers(c, self.inventory.revision(), &self.deletes.candidates));
        covered || self.check_offer(now)
    }
}

/// Whether the ledger says that the object with this UID is ours.
fn owns(slot: &Slot, uid: &Uid) -> bool {
    slot.entry
        .as_ref()
        .is_some_and(|entry| entry.uid.as_ref().is_none_or(|known| known == uid))
}

fn is_cluster_made(key: &ObjectKey) -> bool {
    CLUSTER_MADE
        .iter()
        .any(|(group, kind, name)| key.is(group, kind) && name.is_none_or(|n| n == key.name()))
}
