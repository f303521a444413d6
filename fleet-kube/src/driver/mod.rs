//! Carries out the commands of one engine against one cluster.
//!
//! The driver decides nothing: it sends what the engine says, watches what the engine names, and brings back what
//! happened. One driver runs one target; drivers share nothing but what belongs to their cluster.

mod carry_out;
mod clock;
mod handle;
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
    time::sleep_until,
};

pub use clock::Clock;
pub(crate) use handle::Unsettled;
pub use handle::{DriverHandle, Progress};

use crate::connection::Connection;

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
}

/// Something said to a driver from outside.
enum Input {
    Event(Event),
    Status(oneshot::Sender<Status>),
    Plan(oneshot::Sender<Plan>),
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
    progress: watch::Sender<Progress>,
    /// What the fleet's budget heard last.
    spending: Option<(u32, Vec<Spent>)>,
}

/// Runs `engine` until its handle is dropped or stopped. Nothing is read or written before the first event.
pub fn spawn(engine: Engine, parts: DriverParts) -> DriverHandle {
    let (inputs, received) = mpsc::channel(INPUT_QUEUE);
    let (shown, events) = mpsc::channel(WATCH_QUEUE);
    let (progress, seen) = watch::channel(Progress::default());
    let driver = Driver {
        parts,
        engine,
        tasks: JoinSet::new(),
        watches: BTreeMap::new(),
        watching: JoinSet::new(),
        shown,
        wake: None,
        types: types::Learning::default(),
        progress,
        spending: None,
    };
    let task = tokio::spawn(driver.run(received, events));
    DriverHandle::new(inputs, seen, task)
}

impl Driver {
    async fn run(mut self, mut inputs: mpsc::Receiver<Input>, mut events: mpsc::Receiver<Event>) {
        self.take(Event::Time);
        self.spawn_discovery_watch();
        loop {
            let wake = self.wake.map(|at| self.parts.clock.instant(at));
            let alarm = async {
                match wake {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                input = inputs.recv() => match input {
                    Some(Input::Event(event)) => self.take(event),
                    Some(Input::Status(reply)) => drop(reply.send(self.engine.status())),
                    Some(Input::Plan(reply)) => drop(reply.send(self.engine.plan())),
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
            }
        }
    }

    fn take(&mut self, event: Event) {
        let now = self.parts.clock.now();
        let mut commands = Vec::new();
        if matches!(event, Event::Kinds(_)) {
            // Definitions changed, perhaps only in their schemas.
            self.types.stale();
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
