//! The reconcile engine: events in, commands out.
//!
//! [`Engine::step`] is the whole interface. The engine reads no clock, does no I/O and draws no random numbers: the
//! same events at the same ticks give the same commands. One object's event costs O(log n).
//!
//! ```text
//!   inventory ─┐
//!   ledger ────┤           ┌─ decide (pure, one object) ─┐
//!   discovery ─┼─▶ slots ──┤   judge: would it change?   ├─▶ write-ahead ─▶ strategy ─▶ commands
//!   listings ──┤           └─ deletes: permission, budget┘
//!   watches ───┘
//! ```
//!
//! Where things are: `event` is the interface, `options` what an embedder chooses, `slot` what is known of one
//! object, `decide` the next step for it, `consider` carries that step out, `resting` sees to what brings back an
//! object that nothing is to be done for, `intake` and `inventory` take events in, `writes` runs strategies,
//! `namespaces` wakes what waits for one, `ledger` keeps the record, `deletes` guards deletes, `token` is what a person
//! confirms with, `contest` notices other writers, `report` tells how things stand.
//!
//! What happens next is never chosen by the code or the words of a [`Reason`]: those are for people and for programs
//! outside. What waits says what for, and what is blocked says what ends that (`slot::Awaited`, `slot::Recheck`).

mod consider;
mod contest;
mod decide;
mod deletes;
mod event;
mod intake;
mod inventory;
mod ledger;
mod namespaces;
mod options;
mod report;
mod resting;
mod slot;
mod token;
mod unserved;
mod writes;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use fleet_diff::{GroupKind, Gvk, ObjectKey};

pub use event::{CallId, Command, Container, Event};
pub use options::{Adoption, Approval, DeleteBudget, EngineOptions, GUARDED_KINDS, Limits};
pub use report::Status;

use deletes::{Deletes, Standstill};
use inventory::InventoryState;
use ledger::LedgerState;
use namespaces::Away;
use slot::{Class, Slot};

use crate::{
    edge::{DeletePolicy, GuardsOnly, Note},
    judge::{Judge, ServerJudge},
    marks::Marks,
    strategy::{ApplyStrategy, ServerSideApply},
    words::{KindMap, Millis, Reason, Target, Tick, Uid},
};

/// The opinions an engine is built with.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parts {
    /// What would applying an object do?
    pub judge: Arc<dyn Judge>,
    /// Which requests carry out a change?
    pub strategy: Arc<dyn ApplyStrategy>,
    /// May this object be deleted?
    pub deletes: Arc<dyn DeletePolicy>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            judge: Arc::new(ServerJudge),
            strategy: Arc::new(ServerSideApply),
            deletes: Arc::new(GuardsOnly),
        }
    }
}

impl Parts {
    /// With this strategy.
    #[must_use]
    pub fn strategy(mut self, strategy: impl ApplyStrategy) -> Self {
        self.strategy = Arc::new(strategy);
        self
    }

    /// With this say in deletes.
    #[must_use]
    pub fn deletes(mut self, policy: impl DeletePolicy) -> Self {
        self.deletes = Arc::new(policy);
        self
    }

    /// With this judge.
    #[must_use]
    pub fn judge(mut self, judge: impl Judge) -> Self {
        self.judge = Arc::new(judge);
        self
    }
}

/// Makes one target what its inventory says. See the module's page.
pub struct Engine {
    target: Target,
    marks: Marks,
    parts: Parts,
    options: EngineOptions,

    inventory: InventoryState,
    ledger: LedgerState,
    kinds: Option<KindMap>,
    listings: BTreeMap<GroupKind, Listing>,
    watches: BTreeMap<Gvk, Watch>,
    /// How often a watch of any kind has begun.
    epochs: u64,
    gone_kinds: BTreeMap<GroupKind, GoneKind>,
    /// Marked objects that no ledger entry and no definition speaks of.
    strays: BTreeMap<ObjectKey, Uid>,

    slots: BTreeMap<ObjectKey, Slot>,
    dirty: BTreeSet<ObjectKey>,
    /// How many of them are in the ledger.
    owned: usize,
    /// Objects blocked, refused or waiting.
    held_back: BTreeSet<ObjectKey>,
    /// Objects whose next step waits for a free place in flight.
    starved: BTreeSet<ObjectKey>,
    /// Listed objects not at rest, by class.
    restless: BTreeMap<Class, BTreeSet<ObjectKey>>,
    /// Objects whose write waits for an earlier class.
    gated: BTreeMap<Class, BTreeSet<ObjectKey>>,
    /// Objects to be looked at at a given time.
    timers: BTreeSet<(Tick, ObjectKey)>,
    /// Objects refused once in this pass, to be tried once more at its end.
    second_try: BTreeSet<ObjectKey>,
    /// Namespaces that are absent or being deleted.
    namespaces_away: BTreeMap<String, Away>,
    deletes: Deletes,
    /// Granted deletes that are not done.
    standstill: Option<Standstill>,

    calls: BTreeMap<CallId, Call>,
    next_call: u64,
    in_flight: usize,
    /// No new requests before this: the cluster does not answer.
    paused_until: Option<Tick>,
    unanswered: u32,
    /// Answers about objects so far.
    answers: u64,
    /// The starved object that was fed last: the next one is the next by key, so that none starves the others.
    fed: Option<ObjectKey>,
    discover_at: Option<Tick>,
    awaiting_since: Option<Tick>,
    awaited_too_long: bool,
    watched: BTreeSet<Gvk>,
    /// What is to be watched may have changed.
    watches_stale: bool,
    converged: bool,
    wake_at: Option<Tick>,
}

/// What a command's result is for.
#[derive(Clone, Debug)]
enum Call {
    /// A read or a judge's question about an object.
    Ask(ObjectKey),
    /// A write of an object.
    Write(ObjectKey),
    List(GroupKind),
    Sweep,
    Survey(ObjectKey),
    KindGone(GroupKind),
    Record,
    Rebuild,
    Reserve,
}

/// The listing of a kind.
struct Listing {
    stage: ListingStage,
    /// Failures in a row, and why: until it succeeds nothing of this kind is deleted.
    failed: Option<(u32, Reason)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ListingStage {
    Wanted,
    Pending,
    Done,
    RetryAt(Tick),
}

impl Listing {
    const WANTED: Self = Self {
        stage: ListingStage::Wanted,
        failed: None,
    };

    /// Its first try is under way: worth waiting for.
    fn is_coming(&self) -> bool {
        self.failed.is_none() && matches!(self.stage, ListingStage::Wanted | ListingStage::Pending)
    }

    fn due(&self) -> Option<Tick> {
        match self.stage {
            ListingStage::RetryAt(at) => Some(at),
            _ => None,
        }
    }
}

/// The watch of a kind.
#[derive(Default)]
struct Watch {
    /// Greater than that of every watch that began before, also of one that was given up meanwhile.
    epoch: u64,
    synced: bool,
    /// Since when something waits for it to show everything.
    awaited_since: Option<Tick>,
}

/// A kind that discovery no longer names.
#[derive(Default)]
struct GoneKind {
    /// The question under way.
    asked: Option<CallId>,
    /// Whether it is gone, or why the last question failed; it counts until there is a new answer.
    answer: Option<Result<bool, Reason>>,
    /// When to ask again.
    again_at: Option<Tick>,
}

impl Engine {
    /// An engine that knows nothing yet. Its first step asks for the ledger and the discovery.
    pub fn new(target: Target, parts: Parts, options: EngineOptions) -> Self {
        let marks = Marks::new(&options.domain, &target);
        Self {
            target,
            marks,
            parts,
            options,
            inventory: InventoryState::default(),
            ledger: LedgerState::default(),
            kinds: None,
            listings: BTreeMap::new(),
            watches: BTreeMap::new(),
            epochs: 0,
            gone_kinds: BTreeMap::new(),
            strays: BTreeMap::new(),
            slots: BTreeMap::new(),
            dirty: BTreeSet::new(),
            owned: 0,
            held_back: BTreeSet::new(),
            starved: BTreeSet::new(),
            restless: Class::ALL
                .into_iter()
                .map(|class| (class, BTreeSet::new()))
                .collect(),
            gated: Class::ALL
                .into_iter()
                .map(|class| (class, BTreeSet::new()))
                .collect(),
            timers: BTreeSet::new(),
            second_try: BTreeSet::new(),
            namespaces_away: BTreeMap::new(),
            deletes: Deletes::default(),
            standstill: None,
            calls: BTreeMap::new(),
            next_call: 0,
            in_flight: 0,
            paused_until: None,
            unanswered: 0,
            answers: 0,
            fed: None,
            discover_at: Some(Tick(0)),
            awaiting_since: None,
            awaited_too_long: false,
            watched: BTreeSet::new(),
            watches_stale: true,
            converged: false,
            wake_at: None,
        }
    }

    /// The target.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The marks it sets.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Takes one event in, and appends what is to be done to `out`.
    pub fn step(&mut self, event: Event, now: Tick, out: &mut Vec<Command>) {
        match event {
            Event::Inventory(snapshot) => self.take_inventory(snapshot, out),
            Event::Ledger(answer) => self.take_ledger(answer, now, out),
            Event::Kinds(kinds) => self.take_kinds(kinds),
            Event::Listed(call, result) => self.take_listing(call, result, now),
            Event::Swept(call, result) => self.take_sweep(call, result, now, out),
            Event::Surveyed(call, result) => self.take_survey(call, result, now),
            Event::KindGone(call, result) => self.take_kind_gone(call, &result, now),
            Event::WatchReset(gvk) => self.watch_reset(gvk),
            Event::Seen(live) => self.take_seen(live, out),
            Event::Left { key, uid } => self.take_left(&key, &uid),
            Event::WatchSynced(gvk) => self.watch_synced(&gvk),
            Event::Answered(call, answer) => self.take_answer(call, answer, now, out),
            Event::Recorded(call, result) => self.take_recorded(call, result, now, out),
            Event::Reserved(call, result) => self.take_reserved(call, result, now, out),
            Event::Confirm(token) => self.take_confirmation(&token, now, out),
            Event::Replan => self.replan(),
            Event::Time => {}
        }
        self.settle(now, out);
    }

    /// Does everything that can be done now.
    fn settle(&mut self, now: Tick, out: &mut Vec<Command>) {
        self.take_due(now, out);
        self.ask_for_inputs(now, out);
        // Until everything a decision needs is there, what is to be looked at stays to be looked at.
        while self.is_informed() {
            self.feed_starved();
            while let Some(key) = self.next_dirty() {
                self.consider(&key, now, out);
            }
            let moved = self.open_gates() || self.arrange_deletes(now, out) || self.retry_refused();
            let hungry = !self.starved.is_empty() && self.room() > 0;
            if !moved && !hungry && self.dirty.is_empty() {
                break;
            }
        }
        if self.discover_at.is_some_and(|at| at <= now) {
            self.ask_for_inputs(now, out);
        }
        self.flush_ledger(now, out);
        self.follow_deletes(now);
        self.announce(out);
        self.set_alarm(now, out);
    }

    /// The next object to be looked at: always the first by key, so that the same events give the same commands.
    fn next_dirty(&mut self) -> Option<ObjectKey> {
        #[cfg(feature = "testing")]
        if !self.options.switches.ordered {
            use std::hash::{BuildHasher, RandomState};
            let random = RandomState::new();
            let key = self
                .dirty
                .iter()
                .min_by_key(|key| random.hash_one(key))
                .cloned()?;
            return self.dirty.take(&key);
        }
        self.dirty.pop_first()
    }

    /// Everything that waits for time to pass and whose time has come.
    fn take_due(&mut self, now: Tick, out: &mut Vec<Command>) {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        while let Some((at, key)) = self.timers.first().cloned() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            if let Some(slot) = self.slots.get_mut(&key) {
                if let Some(trouble) = slot.trouble.take_if(|t| t.until <= now)
                    && trouble.look
                    && !slot.is_busy()
                {
                    slot.look_again();
                }
                self.dirty.insert(key);
            }
        }
        for listing in self.listings.values_mut() {
            if listing.due().is_some_and(|at| at <= now) {
                listing.stage = ListingStage::Wanted;
            }
        }
        self.refuse_overdue_reservation(now, out);
        let again = |state: &GoneKind| state.again_at.is_some_and(|at| at <= now);
        let kinds = self.gone_kinds.iter().filter(|(_, state)| again(state));
        let kinds: Vec<GroupKind> = kinds.map(|(kind, _)| kind.clone()).collect();
        for kind in kinds {
            if self.of_kind(&kind).next().is_some() {
                self.ask_kind_gone(kind, out);
            } else {
                self.gone_kinds.remove(&kind);
            }
        }
    }

    fn replan(&mut self) {
        self.ledger.reread_if_lost();
        for (key, slot) in &mut self.slots {
            slot.fresh_start();
            slot.forget_contests();
            self.dirty.insert(key.clone());
        }
        self.deletes.start_over();
        self.converged = false;
    }

    fn new_call(&mut self, call: Call) -> CallId {
        self.next_call += 1;
        let id = CallId(self.next_call);
        if matches!(call, Call::Ask(_) | Call::Write(_)) {
            self.in_flight += 1;
        }
        self.calls.insert(id, call);
        id
    }

    /// The call a result belongs to, if it is still waited for.
    fn end_call(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        if matches!(call, Call::Ask(_) | Call::Write(_)) {
            self.in_flight -= 1;
        }
        Some(call)
    }

    /// How many more requests about objects may be sent now. After a silence one goes first, to see.
    fn room(&self) -> usize {
        if !self.options.switches.limits {
            return usize::MAX;
        }
        let most = match self.unanswered {
            0 => self.options.limits.in_flight.max(1),
            _ => 1,
        };
        if self.paused_until.is_some() {
            0
        } else {
            most.saturating_sub(self.in_flight)
        }
    }

    fn has_room(&self) -> bool {
        self.room() > 0
    }

    fn feed_starved(&mut self) {
        for _ in 0..self.room() {
            let behind = |fed| {
                self.starved
                    .range((Bound::Excluded(fed), Bound::Unbounded))
                    .next()
            };
            let next = self.fed.as_ref().and_then(behind);
            let Some(key) = next.or_else(|| self.starved.first()).cloned() else {
                break;
            };
            self.starved.remove(&key);
            self.fed = Some(key.clone());
            self.dirty.insert(key);
        }
    }

    /// Wakes the engine at the earliest moment at which something is due.
    fn set_alarm(&mut self, now: Tick, out: &mut Vec<Command>) {
        let mut due: Vec<Tick> = Vec::new();
        due.extend(self.timers.first().map(|(at, _)| *at));
        due.extend(self.paused_until);
        due.extend(self.discover_at.filter(|at| *at > now));
        due.extend(self.ledger.due());
        due.extend(self.deletes.due());
        due.extend(self.worth_waiting_until());
        due.extend(self.listings.values().filter_map(Listing::due));
        due.extend(self.gone_kinds.values().filter_map(|state| state.again_at));
        let next = due.into_iter().min();
        if next != self.wake_at {
            self.wake_at = next;
            out.extend(next.map(Command::WakeAt));
        } else if next.is_some_and(|at| at <= now) {
            // The alarm went off and its cause is still there: never sleep for ever on it.
            let again = now + Millis(100);
            self.wake_at = Some(again);
            out.push(Command::WakeAt(again));
        }
    }

    /// Exponential wait: `first` after one failure, doubled for each more, at most `max`.
    fn backoff(first: Millis, max: Millis, failures: u32) -> Millis {
        let factor = 1u64 << failures.saturating_sub(1).min(20);
        Millis(first.0.saturating_mul(factor).min(max.0))
    }

    fn report(note: Note, out: &mut Vec<Command>) {
        out.push(Command::Report(note));
    }

    /// Objects of one kind.
    fn of_kind(&self, kind: &GroupKind) -> impl Iterator<Item = (&ObjectKey, &Slot)> {
        let all = self.slots.range(ObjectKey::of(kind.clone(), None, "")..);
        all.take_while(move |(key, _)| key.group_kind() == kind)
    }

    /// Objects of one kind are to be looked at.
    fn wake_kind(&mut self, kind: &GroupKind) {
        let keys: Vec<ObjectKey> = self.of_kind(kind).map(|(key, _)| key.clone()).collect();
        self.dirty.extend(keys);
    }
}

/// Objects of one kind.
fn of_kind_mut<'a>(
    slots: &'a mut BTreeMap<ObjectKey, Slot>,
    kind: &'a GroupKind,
) -> impl Iterator<Item = (&'a ObjectKey, &'a mut Slot)> {
    let all = slots.range_mut(ObjectKey::of(kind.clone(), None, "")..);
    all.take_while(move |(key, _)| key.group_kind() == kind)
}
