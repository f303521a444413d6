//! Carries out the commands of one engine against one cluster.
//!
//! The driver decides nothing: it sends what the engine says, watches what the engine names, and brings back what
//! happened. One driver runs one target; drivers share nothing but what belongs to their cluster.

mod carry_out;
mod clock;
mod handle;
mod holds;
mod survey;
mod types;
mod watches;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use fleet_core::{
    Cluster, Command, Engine, Event, FleetBudget, Gvk, Ledger, Note, Observer, Plan, Reason, Spent, Status,
    Tick,
};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::{AbortHandle, JoinSet},
    time::{Instant, sleep_until},
};

pub use clock::Clock;
pub(crate) use handle::Unsettled;
pub use handle::{DriverHandle, Progress};

use holds::Holds;
pub use holds::RESTORED;

use crate::{connection::Connection, windows::Windows};

/// Events of watches waiting to be taken in; a watch that shows more waits.
const WATCH_QUEUE: usize = 1024;
/// Inputs from outside waiting to be taken in.
const INPUT_QUEUE: usize = 64;

/// What a driver is made of.
pub struct DriverParts {
    /// The cluster, as the registry knows it.
    pub cluster: Cluster,
    /// The connection, under the target's identity.
    pub connection: Connection,
    /// Where the target's ledger is.
    pub ledger: Arc<dyn Ledger>,
    /// Who hears what happens.
    pub observer: Arc<dyn Observer>,
    /// The fleet's budget of deletes.
    pub budget: Arc<Mutex<FleetBudget>>,
    /// The clock.
    pub clock: Clock,
    /// Why nothing is written at first: see [`DriverHandle::hold`].
    pub hold: Option<Reason>,
}

/// Something said to a driver from outside.
enum Input {
    Event(Event),
    Status(oneshot::Sender<Status>),
    Plan(oneshot::Sender<Plan>),
    /// Why nothing is to be written, as whoever runs the driver says.
    Hold(Option<Reason>),
    /// The same, as the cluster's own people say.
    Veto(Option<Reason>),
}

struct Driver {
    parts: DriverParts,
    engine: Engine,
    tasks: JoinSet<Option<Event>>,
    watches: BTreeMap<Gvk, AbortHandle>,
    watching: JoinSet<()>,
    shown: mpsc::Sender<Event>,
    wake: Option<Tick>,
    types: types::Learning,
    holds: Holds,
    progress: watch::Sender<Progress>,
    /// What the fleet's budget heard last.
    spending: Option<(u32, Vec<Spent>)>,
}

/// Waits for a moment; for ever without one.
async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Runs `engine` until its handle is dropped or stopped. Nothing is read or written before the first event.
pub fn spawn(engine: Engine, parts: DriverParts) -> DriverHandle {
    let (inputs, received) = mpsc::channel(INPUT_QUEUE);
    let (shown, events) = mpsc::channel(WATCH_QUEUE);
    let told = inputs.downgrade();
    let mut holds = Holds::new(parts.hold.clone(), Windows::new(&parts.cluster.maintenance));
    holds.doubt = parts.connection.doubt();
    holds.now(parts.clock.now());
    let first = Progress {
        on_hold: holds.why().is_some(),
        ..Progress::default()
    };
    let (progress, seen) = watch::channel(first);
    let driver = Driver {
        parts,
        engine,
        tasks: JoinSet::new(),
        watches: BTreeMap::new(),
        watching: JoinSet::new(),
        shown,
        wake: None,
        types: types::Learning::default(),
        holds,
        progress,
        spending: None,
    };
    let task = tokio::spawn(driver.run(received, events, told));
    DriverHandle::new(inputs, seen, task)
}

impl Driver {
    async fn run(
        mut self,
        mut inputs: mpsc::Receiver<Input>,
        mut events: mpsc::Receiver<Event>,
        told: mpsc::WeakSender<Input>,
    ) {
        self.hold();
        self.watch_for_veto(told);
        self.take(Event::Time);
        self.spawn_discovery_watch();
        loop {
            let at = |tick: Option<Tick>| tick.map(|at| self.parts.clock.instant(at));
            let (alarm, turn) = (reached(at(self.wake)), reached(at(self.holds.turns())));
            tokio::select! {
                biased;
                input = inputs.recv() => match input {
                    Some(Input::Event(event)) => self.take(event),
                    Some(Input::Status(reply)) => drop(reply.send(self.engine.status())),
                    Some(Input::Plan(reply)) => drop(reply.send(self.engine.plan())),
                    Some(Input::Hold(reason)) => {
                        self.holds.outside = reason;
                        self.hold();
                    }
                    Some(Input::Veto(reason)) => {
                        self.holds.veto = Some(reason);
                        self.hold();
                    }
                    None => return,
                },
                Some(done) = self.tasks.join_next(), if !self.tasks.is_empty() => match done {
                    Ok(Some(event)) => {
                        if matches!(event, Event::Types(_)) {
                            self.types.learnt();
                        }
                        self.take(event);
                    }
                    Ok(None) => {}
                    Err(error) => self.note(&Note::Remark {
                        reason: Reason::new("bug", format!("a task of the driver failed: {error}")),
                    }),
                },
                Some(event) = events.recv() => self.take(event),
                () = self.types.is_due() => self.learn_types(),
                () = alarm => {
                    self.wake = None;
                    self.take(Event::Time);
                }
                () = turn => self.hold(),
            }
        }
    }

    /// Tells the engine whether something may be written.
    fn hold(&mut self) {
        self.holds.doubt = self.parts.connection.doubt();
        let reason = self.holds.now(self.parts.clock.now());
        self.take(Event::Hold(reason));
    }

    fn take(&mut self, event: Event) {
        let now = self.parts.clock.now();
        let mut commands = Vec::new();
        if matches!(event, Event::Kinds(_)) {
            // Definitions changed, perhaps only in their schemas.
            self.types.stale();
        }
        let doubt = self.parts.connection.doubt();
        if self.holds.doubt != doubt {
            self.holds.doubt = doubt;
            let reason = self.holds.now(now);
            self.engine.step(Event::Hold(reason), now, &mut commands);
        }
        self.engine.step(event, now, &mut commands);
        for command in commands {
            self.carry_out(command);
        }
        self.tell_spending();
        self.tell_progress();
    }

    fn tell_progress(&mut self) {
        let next = Progress {
            settled: self.engine.is_settled(),
            deleting: self.engine.is_deleting(),
            stuck: self.engine.why_stuck().map(ToString::to_string),
            ready: self.engine.knows_ledger(),
            on_hold: self.holds.why().is_some(),
        };
        self.progress.send_if_modified(|progress| {
            let changed = *progress != next;
            if changed {
                *progress = next;
            }
            changed
        });
    }

    /// The fleet's budget hears of every change of what this target owns and has spent.
    fn tell_spending(&mut self) {
        if !self.engine.knows_ledger() {
            return;
        }
        let (owned, window) = self.engine.spending();
        let is_known = |(known_owned, known_window): &(u32, Vec<Spent>)| {
            *known_owned == owned && known_window.as_slice() == window
        };
        if self.spending.as_ref().is_some_and(is_known) {
            return;
        }
        let mut budget = self.parts.budget.lock().unwrap_or_else(PoisonError::into_inner);
        budget.observe(self.engine.target(), owned, window);
        drop(budget);
        self.spending = Some((owned, window.to_vec()));
    }

    fn note(&self, note: &Note) {
        self.parts.observer.note(&self.parts.cluster, note);
    }

    /// What happens to every command: see the submodule.
    fn carry_out(&mut self, command: Command) {
        carry_out::carry_out(self, command);
    }
}
