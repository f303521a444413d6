//! Deletes: permissions, containers, budgets, confirmation, order.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::ObjectKey;

use super::{
    Approval, Call, CallId, Command, Container, Engine,
    slot::{Class, Outcome, Slot},
    token::{Offers, confirmation_token},
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
    /// The candidates changed since they were last arranged.
    fresh: bool,
    /// Not listed, and not decided yet.
    pub(super) undecided: BTreeSet<ObjectKey>,
    surveys: BTreeMap<ObjectKey, Survey>,
    /// What was found in containers to go with an object of ours: its owner may be gone before it.
    going_along: BTreeSet<Uid>,
    /// Granted, recorded, and not gone yet.
    leaving: BTreeMap<Class, Leaving>,
    reserving: Option<Reserving>,
    pub(super) held: Option<Held>,
    /// Tokens that persons gave.
    pub(super) offers: Offers,
    confirmed: Option<Confirmed>,
}

/// Granted deletes of one class; each object is in one of the sets.
#[derive(Default)]
struct Leaving {
    /// Being deleted now.
    active: BTreeSet<ObjectKey>,
    /// Wait for later classes to go first.
    waiting: BTreeSet<ObjectKey>,
    /// Deleted, and waiting for finalizers.
    lingering: BTreeSet<ObjectKey>,
    /// Refused, and to be tried again now and then.
    aside: BTreeSet<ObjectKey>,
}

/// How many granted deletes are not done, by what they wait for.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Unfinished {
    active: usize,
    waiting: usize,
    lingering: usize,
    aside: usize,
    /// It has been so for too long.
    pub(super) overdue: bool,
}

impl Unfinished {
    pub(super) fn is_same(self, other: &Self) -> bool {
        Self {
            overdue: false,
            ..self
        } == *other
    }

    /// Something is on its way that nobody refused.
    pub(super) fn goes_on(self) -> bool {
        self.active + self.lingering > 0 || self.waiting > 0 && self.aside == 0
    }
}

impl Leaving {
    fn is_empty(&self) -> bool {
        self.active.is_empty()
            && self.waiting.is_empty()
            && self.lingering.is_empty()
            && self.aside.is_empty()
    }

    fn remove(&mut self, key: &ObjectKey) {
        for set in [
            &mut self.active,
            &mut self.waiting,
            &mut self.lingering,
            &mut self.aside,
        ] {
            set.remove(key);
        }
    }
}

/// A reservation under way.
struct Reserving {
    call: CallId,
    /// What it is for, and how much that counts.
    objects: BTreeMap<ObjectKey, Uid>,
    total: u32,
    /// No answer until then is a refusal.
    until: Tick,
}

/// A grant whose intents are not recorded yet.
#[derive(Clone, Copy)]
pub(super) struct Grant {
    /// When it was given, and where its deletes stand in the window.
    pub(super) at: Tick,
    /// Intents that are recorded later do not count.
    pub(super) until: Tick,
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
        self.going_along.clear();
        self.reserving = None;
        self.held = None;
        self.fresh = true;
    }

    /// The object is decided anew.
    pub(super) fn withdraw(&mut self, key: &ObjectKey) {
        self.fresh |= self.candidates.remove(key).is_some();
    }

    fn propose(&mut self, key: &ObjectKey, uid: Uid) {
        if self.candidates.get(key) != Some(&uid) {
            self.candidates.insert(key.clone(), uid);
            self.fresh = true;
        }
    }

    /// The object is gone, or let go, or stays.
    pub(super) fn left(&mut self, key: &ObjectKey) {
        self.leaving.entry(Class::of(key)).or_default().remove(key);
        self.surveys.remove(key);
    }

    /// It cannot be deleted for now: it is quiet, and still holds back what goes after it.
    pub(super) fn set_aside(&mut self, key: &ObjectKey) {
        let leaving = self.leaving.entry(Class::of(key)).or_default();
        if leaving.active.remove(key) {
            leaving.aside.insert(key.clone());
        }
    }

    /// It is deleted and held by its finalizers.
    pub(super) fn linger(&mut self, key: &ObjectKey) {
        let leaving = self.leaving.entry(Class::of(key)).or_default();
        leaving.remove(key);
        leaving.lingering.insert(key.clone());
    }

    /// Nothing is being arranged or carried out. What waits for finalizers, and what waits for that, is quiet.
    pub(super) fn is_quiet(&self) -> bool {
        self.undecided.is_empty()
            && self.reserving.is_none()
            && self.leaving.values().all(|leaving| leaving.active.is_empty())
            && !self.is_surveying()
    }

    fn is_surveying(&self) -> bool {
        self.surveys.values().any(|s| matches!(s, Survey::Asked))
    }

    pub(super) fn unfinished(&self) -> Unfinished {
        let mut sum = Unfinished::default();
        for leaving in self.leaving.values() {
            sum.active += leaving.active.len();
            sum.waiting += leaving.waiting.len();
            sum.lingering += leaving.lingering.len();
            sum.aside += leaving.aside.len();
        }
        sum
    }

    pub(super) fn due(&self) -> Option<Tick> {
        let held = self.held.as_ref().and_then(|held| held.until);
        let reserving = self.reserving.as_ref().map(|reserving| reserving.until);
        [held, reserving].into_iter().flatten().min()
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
            self.deletes.withdraw(key);
            return;
        }
        if !approved {
            self.deletes.propose(key, uid);
            return;
        }
        self.deletes.withdraw(key);
        // A permission may have been withdrawn since the intent was recorded.
        if let Some(reason) = self.why_not_deleted(key, &uid) {
            return self.keep(key, reason, now, out);
        }
        // What only shows a plan holds nothing back and waits for nothing.
        if self.options.approval == Approval::Auto && !self.takes_its_turn(key, now, out) {
            return;
        }
        let weight = match self.container(key) {
            Ok(None) => 1,
            Ok(Some(container)) => match self.survey(key, container, now, out) {
                None => return,
                Some(Err(reason)) => return self.keep(key, reason, now, out),
                Some(Ok(weight)) => weight,
            },
            Err(reason) => return self.keep(key, reason, now, out),
        };
        let Some(kinds) = &self.kinds else { return };
        let Some(gvk) = self
            .slots
            .get(key)
            .and_then(|slot| super::slot::read_gvk(key, slot, kinds))
        else {
            return;
        };
        let reason = self.reason("unlisted", "it was managed and is no longer listed");
        let mut change = Change::new(key.clone(), Action::Delete, Some(uid.clone()), reason);
        change.weight = weight;
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

    /// Whether a granted delete goes now: later classes go first, and all writes before any.
    fn takes_its_turn(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) -> bool {
        let class = Class::of(key);
        let later_go = self
            .deletes
            .leaving
            .iter()
            .any(|(other, leaving)| *other > class && !leaving.is_empty());
        let must_wait = later_go || self.is_writing();
        let leaving = self.deletes.leaving.entry(class).or_default();
        leaving.remove(key);
        if must_wait {
            leaving.waiting.insert(key.clone());
            let reason = Reason::new("later", "it is deleted once what goes before it is gone");
            self.rest(key, Outcome::Waiting(reason), now, out);
        } else {
            leaving.active.insert(key.clone());
        }
        !must_wait
    }

    /// A delete that was granted turns out not to be possible now.
    fn keep(&mut self, key: &ObjectKey, reason: Reason, now: Tick, out: &mut Vec<Command>) {
        self.deletes.left(key);
        if let Some(slot) = self.slots.get_mut(key) {
            slot.approved = false;
        }
        self.rest(key, Outcome::Blocked(reason), now, out);
    }

    /// Once every object is decided: permissions, contents, budget, reservation. True if something moved.
    pub(super) fn arrange_deletes(&mut self, now: Tick, out: &mut Vec<Command>) -> bool {
        if self.wake_leaving() {
            return true;
        }
        let known = self.inventory.is_known() || !self.options.switches.unknown_changes_nothing;
        if !known
            || !self.is_informed()
            || self.is_writing()
            || !self.deletes.undecided.is_empty()
            || self.deletes.reserving.is_some()
            || self.deletes.is_surveying()
        {
            return false;
        }
        if self.deletes.candidates.is_empty() {
            self.deletes.held = None;
            return false;
        }
        let held_until = self.deletes.held.as_ref().map(|held| held.until);
        if held_until.flatten().is_some_and(|until| until <= now) {
            self.deletes.held = None;
            self.deletes.fresh = true;
        }
        if !self.deletes.fresh {
            return false;
        }
        let Some(total) = self.weigh(now, out) else {
            return false;
        };
        self.deletes.fresh = false;
        if !self.dirty.is_empty() || self.deletes.candidates.is_empty() {
            self.deletes.fresh = true;
            return true;
        }
        self.spend(total, now, out);
        false
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
        for leaving in self.deletes.leaving.values_mut().rev() {
            let turn = std::mem::take(&mut leaving.waiting);
            moved |= !turn.is_empty();
            let busy = !leaving.is_empty() || !turn.is_empty();
            self.dirty.extend(turn);
            if busy {
                break;
            }
        }
        moved
    }

    /// The weight of all candidates that may be deleted at all; none while contents are being listed.
    fn weigh(&mut self, now: Tick, out: &mut Vec<Command>) -> Option<u32> {
        let candidates: Vec<(ObjectKey, Uid)> = self.deletes.candidates.clone().into_iter().collect();
        let mut total = 0u32;
        let mut waiting = false;
        for (key, uid) in candidates {
            let slot = self.slots.get(&key);
            if slot.is_some_and(|slot| self.is_same_elsewhere(&key, slot, &uid)) {
                // Known only now: it is listed under another group.
                self.deletes.withdraw(&key);
                self.dirty.insert(key);
                continue;
            }
            let weight = match self.why_not_deleted(&key, &uid) {
                Some(reason) => Some(Err(reason)),
                None => match self.container(&key) {
                    Ok(None) => Some(Ok(1)),
                    Ok(Some(container)) => self.survey(&key, container, now, out),
                    Err(reason) => Some(Err(reason)),
                },
            };
            match weight {
                None => waiting = true,
                Some(Ok(weight)) => total = total.saturating_add(weight),
                Some(Err(reason)) => {
                    self.deletes.withdraw(&key);
                    self.deletes.surveys.remove(&key);
                    self.rest(&key, Outcome::Blocked(reason), now, out);
                }
            }
        }
        (!waiting).then_some(total)
    }

    fn why_not_deleted(&self, key: &ObjectKey, uid: &Uid) -> Option<Reason> {
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
        let guarded = GUARDED.iter().any(|(g, k)| key.is(g, k)) || self.options.guarded.contains(kind);
        let permitted = self.options.permitted_kinds.contains(kind) || self.options.permitted.contains(key);
        (guarded && !permitted).then(|| {
            Reason::new(
                "permission-needed",
                format!("deleting a {kind} needs a permission of its own"),
            )
        })
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

    pub(super) fn take_survey(&mut self, call: CallId, result: Result<Vec<LiveMeta>, Fault>, now: Tick) {
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
        let leaving = |meta: &LiveMeta| {
            let slot = self.slots.get(&meta.key);
            slot.is_some_and(|slot| slot.desired.is_none() && self.is_going(&meta.key, slot, &meta.uid))
        };
        let mut going: BTreeSet<&Uid> = metas
            .iter()
            .filter(|m| leaving(m) || self.deletes.going_along.contains(&m.uid))
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
        let inside = metas.iter().filter(|m| !leaving(m) && !is_cluster_made(&m.key));
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

    fn spend(&mut self, total: u32, now: Tick, out: &mut Vec<Command>) {
        let budget = self.options.budget;
        let window = self.window(now);
        let spent: u32 = window.iter().map(|s| s.count).sum();
        let owned = u32::try_from(self.owned).unwrap_or(u32::MAX);
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
            let oldest = window.first().map(|s| s.at + budget.window + Millis(1));
            return self.hold(reason, oldest, now, out);
        }
        if self.options.approval == Approval::Never {
            return self.plan_deletes(now, out);
        }
        if self.deletes.held.is_some() && !confirmed {
            return;
        }
        let call = self.new_call(Call::Reserve);
        self.deletes.reserving = Some(Reserving {
            call,
            objects: self.deletes.candidates.clone(),
            total,
            until: now + self.options.limits.reserve_max,
        });
        out.push(Command::Reserve {
            call,
            count: total,
            owned,
            confirmed,
        });
    }

    /// Deletes of the rolling window, as recorded.
    pub(super) fn window(&self, now: Tick) -> Vec<Spent> {
        let window = self.options.budget.window;
        self.ledger
            .intended_window()
            .iter()
            .filter(|s| now.since(s.at) < window)
            .copied()
            .collect()
    }

    fn plan_deletes(&mut self, now: Tick, out: &mut Vec<Command>) {
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
    }

    /// Stops all deletes of the plan, and says what would let them go.
    fn hold(&mut self, reason: Reason, until: Option<Tick>, now: Tick, out: &mut Vec<Command>) {
        let keys: BTreeSet<ObjectKey> = self.deletes.candidates.keys().cloned().collect();
        if self
            .deletes
            .held
            .as_ref()
            .is_some_and(|held| held.keys == keys && held.until.is_none_or(|at| at > now))
        {
            return;
        }
        if self.deletes.offers.are_refused(now) {
            let reason = Reason::new(
                "token-refused",
                "no token that was given covers these deletes, or it is out of date",
            );
            Self::report(Note::Remark { reason }, out);
        }
        // No token is shown that is out of date.
        let life = now + self.options.limits.token_life;
        let until = Some(until.unwrap_or(life).min(life));
        let token = self.token(life);
        let reason = reason.with("token", &token);
        if self.options.approval == Approval::Never {
            self.plan_deletes(now, out);
        } else {
            for key in &keys {
                self.set_outcome(key, Outcome::Blocked(reason.clone()));
            }
        }
        Self::report(
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
        let Some(reserved) = self.deletes.reserving.take_if(|r| r.call == call) else {
            return;
        };
        match result {
            Ok(until) if until > now => {
                let mut window = self.window(now);
                window.push(Spent::new(now, reserved.total));
                self.record_window(window);
                self.ledger.grants.push(Grant { at: now, until });
                self.deletes.held = None;
                // Contents are looked at again just before each delete.
                self.deletes.surveys.clear();
                for (key, uid) in reserved.objects {
                    if self.deletes.candidates.get(&key) != Some(&uid) {
                        continue;
                    }
                    let durable = self.slots.get(&key).and_then(|slot| slot.entry.as_ref());
                    let entry = self.ledger.intended(&key, durable).cloned();
                    if let Some(mut entry) = entry {
                        entry.state = EntryState::Deleting;
                        self.record_ahead(&key, entry, now);
                    }
                    self.deletes.withdraw(&key);
                }
            }
            Ok(_) => {
                let reason = Reason::new(
                    "grant-expired",
                    "the grant of deletes was out of date when it arrived",
                );
                self.refuse_reservation(reason, now, out);
            }
            Err(reason) => self.refuse_reservation(reason, now, out),
        }
    }

    /// No answer to a reservation is a refusal.
    pub(super) fn refuse_overdue_reservation(&mut self, now: Tick, out: &mut Vec<Command>) {
        let overdue = self.deletes.reserving.take_if(|r| r.until <= now);
        if let Some(reserving) = overdue {
            self.end_call(reserving.call);
            let message = format!("nobody answered within {}", self.options.limits.reserve_max);
            self.refuse_reservation(Reason::new("no-grant", message), now, out);
        }
    }

    fn refuse_reservation(&mut self, reason: Reason, now: Tick, out: &mut Vec<Command>) {
        self.hold(reason, Some(now + self.options.limits.reserve_again), now, out);
    }

    /// Intents were recorded after the grant had run out: nothing is deleted by them, and nothing was spent.
    pub(super) fn grants_expired(&mut self, given: &[Tick], out: &mut Vec<Command>) {
        let reason = Reason::new(
            "grant-expired",
            "the grant of deletes ran out before it could be recorded",
        );
        Self::report(Note::Remark { reason }, out);
        let window = self
            .ledger
            .window
            .iter()
            .filter(|s| !given.contains(&s.at))
            .copied()
            .collect();
        self.record_window(window);
    }

    /// What a person confirms: these objects, of this inventory, until then.
    fn token(&self, until: Tick) -> String {
        let revision = self.inventory.revision().map_or("", Revision::as_str);
        confirmation_token("deletes", &self.target, revision, &self.deletes.candidates, until)
    }

    pub(super) fn take_confirmation(&mut self, token: &str, now: Tick, out: &mut Vec<Command>) {
        // Looked at when deletes are arranged: at once if they are held, otherwise when every object is decided.
        self.deletes.offers.add(token);
        if self.confirm_rebuild(now, out) {
            return;
        }
        self.deletes.held = None;
        self.deletes.fresh = true;
        self.converged = false;
    }

    /// Whether a token that a person gave covers exactly the deletes of this plan.
    fn check_offers(&mut self, now: Tick) -> bool {
        let latest = now + self.options.limits.token_life;
        let fits = |token: &str, until: Tick| until <= latest && token == self.token(until);
        let Some((token, until)) = self.deletes.offers.find(now, fits) else {
            return false;
        };
        let objects = self.deletes.candidates.clone().into_iter().collect();
        self.deletes.confirmed = Some(Confirmed {
            objects,
            revision: self.inventory.revision().cloned(),
            until,
        });
        self.deletes.offers.accept(&token);
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
        covered || self.check_offers(now)
    }
}

fn is_cluster_made(key: &ObjectKey) -> bool {
    CLUSTER_MADE
        .iter()
        .any(|(group, kind, name)| key.is(group, kind) && name.is_none_or(|n| n == key.name()))
}
