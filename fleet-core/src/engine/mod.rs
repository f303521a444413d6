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
//! Where things are: `event` is the interface, `options` what an embedder chooses; `intake` and `inventory` take events
//! in. `slot` is what is known of one object, `kinds` of whole kinds, `unserved` why a kind holds something up. `decide`
//! is the next step for an object and `consider` sees to it: `judging` hears the judge, `changes` says what is to be
//! done, `writes` runs strategies, `recreating` makes objects again, `contest` notices other writers, `drift`
//! leaves alone what they changed, `deletes` guards deletes, `ledger` keeps the record.
//! `resting` sees to what brings back an object that nothing is to be done for, `hold` is about times in which nothing is written, `namespaces` wakes what waits for one,
//! `alarms` what waits for time. `calls` are commands that are waited for, `token` is what a person confirms with,
//! `report` tells how things stand.
//!
//! What happens next is never chosen by the code or the words of a [`Reason`]: those are for people and for programs
//! outside. What waits says what for, and what is blocked says what ends that (`slot::Awaited`, `slot::Recheck`).

mod alarms;
mod calls;
mod changes;
mod consider;
mod contest;
mod decide;
mod deletes;
mod drift;
mod event;
mod hold;
mod intake;
mod inventory;
mod judging;
mod kinds;
mod ledger;
mod namespaces;
mod options;
mod ordering;
mod recreating;
mod report;
mod resting;
mod slot;
mod token;
mod types;
mod unserved;
mod writes;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_diff::{GroupKind, Gvk, ObjectKey};

pub use event::{CallId, Command, Container, Event};
pub use hold::{STARTING, VETO};
pub use options::{
    Adoption, Approval, DeleteBudget, EngineOptions, GUARDED_KINDS, Limits, Posture, Unhealthy,
};
pub use report::{Drifted, Status};

use calls::Call;
use deletes::{Deletes, Standstill};
use inventory::InventoryState;
pub use judging::Judgements;
use kinds::{GoneKind, Listing, Watch};
use ledger::LedgerState;
use namespaces::Away;
use ordering::Ordering;
use recreating::ReservingOne;
use slot::{Class, Slot};
use types::Types;

use crate::{
    edge::{DeletePolicy, GuardsOnly, Note},
    health::{BuiltinHealth, Health},
    judge::{Judge, LocalJudge},
    marks::Marks,
    strategy::{ApplyStrategy, Recreate, Strategies},
    words::{KindMap, Reason, Target, Tick, Uid},
};

/// The opinions an engine is built with.
#[derive(Clone)]
#[non_exhaustive]
pub struct Parts {
    /// What would applying an object do?
    pub judge: Arc<dyn Judge>,
    /// Which requests carry out a change?
    pub strategies: Strategies,
    /// How an object is made again that cannot be changed.
    pub recreate: Arc<dyn ApplyStrategy>,
    /// Is an object healthy that others wait for?
    pub health: Arc<dyn Health>,
    /// May this object be deleted?
    pub deletes: Arc<dyn DeletePolicy>,
}

impl Default for Parts {
    fn default() -> Self {
        Self {
            judge: Arc::new(LocalJudge::default()),
            strategies: Strategies::default(),
            recreate: Arc::new(Recreate::default()),
            health: Arc::new(BuiltinHealth),
            deletes: Arc::new(GuardsOnly),
        }
    }
}

impl Parts {
    /// With this strategy where nothing else is chosen.
    #[must_use]
    pub fn strategy(mut self, strategy: impl ApplyStrategy) -> Self {
        self.strategies = self.strategies.usually(strategy);
        self
    }

    /// With these strategies to choose from.
    #[must_use]
    pub fn strategies(mut self, strategies: Strategies) -> Self {
        self.strategies = strategies;
        self
    }

    /// With this way to make objects again, for which it gets [`Work::Recreate`](crate::Work::Recreate).
    #[must_use]
    pub fn recreate(mut self, strategy: impl ApplyStrategy) -> Self {
        self.recreate = Arc::new(strategy);
        self
    }

    /// With this say in what is healthy.
    #[must_use]
    pub fn health(mut self, health: impl Health + 'static) -> Self {
        self.health = Arc::new(health);
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
    types: Types,
    listings: BTreeMap<GroupKind, Listing>,
    watches: BTreeMap<Gvk, Watch>,
    /// How often a watch of any kind has begun.
    epochs: u64,
    gone_kinds: BTreeMap<GroupKind, GoneKind>,
    /// Marked objects that no ledger entry and no definition speaks of.
    strays: BTreeMap<ObjectKey, Uid>,

    slots: BTreeMap<ObjectKey, Slot>,
    order: Ordering,
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
    reserving_one: Option<ReservingOne>,
    /// Why nothing is written now.
    hold: Option<Reason>,
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
    judgements: Judgements,
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
            types: Types::default(),
            listings: BTreeMap::new(),
            watches: BTreeMap::new(),
            epochs: 0,
            gone_kinds: BTreeMap::new(),
            strays: BTreeMap::new(),
            slots: BTreeMap::new(),
            order: Ordering::default(),
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
            reserving_one: None,
            hold: None,
            standstill: None,
            calls: BTreeMap::new(),
            next_call: 0,
            in_flight: 0,
            paused_until: None,
            unanswered: 0,
            answers: 0,
            judgements: Judgements::default(),
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
            Event::Types(types) => self.types.take(types, &mut self.slots, &mut self.dirty),
            Event::Listed(call, result) => self.take_listing(call, result, now),
            Event::Swept(call, result) => self.take_sweep(call, result, now, out),
            Event::Surveyed(call, result) => self.take_survey(call, result, now),
            Event::KindGone(call, result) => self.take_kind_gone(call, &result, now),
            Event::WatchReset(gvk) => self.watch_reset(gvk),
            Event::Seen(live) => self.take_seen(live, now, out),
            Event::Left { key, uid } => self.take_left(&key, &uid),
            Event::WatchSynced(gvk) => self.watch_synced(&gvk),
            Event::Answered(call, answer) => self.take_answer(call, answer, now, out),
            Event::Recorded(call, result) => self.take_recorded(call, result, now, out),
            Event::Reserved(call, result) => self.take_reserved(call, result, now, out),
            Event::Confirm(token) => self.take_confirmation(&token, now, out),
            Event::Hold(hold) => self.take_hold(hold, now, out),
            Event::Replan => self.replan(),
            Event::Time => {}
        }
        self.settle(now, out);
    }

    /// Does everything that can be done now.
    fn settle(&mut self, now: Tick, out: &mut Vec<Command>) {
        self.take_due(now, out);
        self.ask_for_inputs(now, out);
        self.find_order(now);
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
            self.find_order(now);
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

    fn report(note: Note, out: &mut Vec<Command>) {
        out.push(Command::Report(note));
    }
}
