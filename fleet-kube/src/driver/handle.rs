//! Talking to a running driver.

use std::time::Duration;

use fleet_core::{Event, Plan, Reason, Snapshot, Status};
use tokio::{
    sync::{mpsc, oneshot, watch},
    task::JoinHandle,
    time::timeout,
};

use super::Input;

/// How far a driver is; small enough to be told at each step.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Progress {
    /// Nothing is under way, and nothing more will be done without news.
    pub settled: bool,
    /// Deletes that were granted are not done, and worth waiting for: see [`fleet_core::Engine::is_deleting`].
    pub deleting: bool,
    /// It cannot go on by itself, and why.
    pub stuck: Option<String>,
    /// Its ledger is known.
    pub ready: bool,
    /// Nothing is written, as far as that is known: it is paused or vetoed, or no window is open.
    pub on_hold: bool,
}

/// Why a driver has not done everything that can be done.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Unsettled {
    /// Not within this time.
    Late(String),
    /// It cannot go on by itself.
    Stuck(String),
    /// It does not run any more.
    Stopped,
}

impl From<Unsettled> for Reason {
    fn from(why: Unsettled) -> Self {
        match why {
            Unsettled::Late(limit) => Self::new("not-converged", format!("not done within {limit}")),
            Unsettled::Stuck(why) => Self::new("stuck", why),
            Unsettled::Stopped => Self::new("stopped", "the driver has stopped"),
        }
    }
}

/// A running driver. Dropping the handle stops it: requests under way are abandoned, and the next process looks at
/// their outcome.
pub struct DriverHandle {
    inputs: mpsc::Sender<Input>,
    progress: watch::Receiver<Progress>,
    task: JoinHandle<()>,
}

impl DriverHandle {
    pub(super) fn new(
        inputs: mpsc::Sender<Input>,
        progress: watch::Receiver<Progress>,
        task: JoinHandle<()>,
    ) -> Self {
        Self {
            inputs,
            progress,
            task,
        }
    }

    /// Hands over an inventory source's answer.
    pub async fn inventory(&self, snapshot: Snapshot) {
        self.say(Input::Event(Event::Inventory(snapshot))).await;
    }

    /// Confirms what a plan's token covers.
    pub async fn confirm(&self, token: String) {
        self.say(Input::Event(Event::Confirm(token))).await;
    }

    /// Nothing is written from now on, for this reason, or everything again. A veto of the cluster's own people goes before.
    pub async fn hold(&self, reason: Option<Reason>) {
        self.say(Input::Hold(reason)).await;
    }

    /// Whether the cluster is the one it was may have been settled.
    pub(crate) async fn look_again(&self) {
        self.say(Input::Event(Event::Time)).await;
    }

    /// Plans everything again.
    pub async fn replan(&self) {
        self.say(Input::Event(Event::Replan)).await;
    }

    async fn say(&self, input: Input) {
        // A driver that has stopped hears nothing; `status` says so.
        drop(self.inputs.send(input).await);
    }

    /// How the target stands; none when the driver has stopped.
    pub async fn status(&self) -> Option<Status> {
        let (reply, answer) = oneshot::channel();
        self.say(Input::Status(reply)).await;
        answer.await.ok()
    }

    /// What is planned, under way, blocked or refused; none when the driver has stopped.
    pub async fn plan(&self) -> Option<Plan> {
        let (reply, answer) = oneshot::channel();
        self.say(Input::Plan(reply)).await;
        answer.await.ok()
    }

    /// How far it is, now.
    pub fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }

    /// Waits until it has done everything that can be done, at most `limit`. Deletes under way are waited for as long
    /// as they get on; what is still held after that is no failure, and shown by [`Status::deleting`].
    ///
    /// # Errors
    /// When it is stuck, stopped, or not done in time.
    pub async fn settled(&self, limit: Duration) -> Result<(), Reason> {
        Ok(self.until_settled(limit).await?)
    }

    /// The same, with an error to decide by.
    pub(crate) async fn until_settled(&self, limit: Duration) -> Result<(), Unsettled> {
        let mut progress = self.progress.clone();
        let done = timeout(
            limit,
            progress.wait_for(|p| p.settled && !p.deleting || p.stuck.is_some()),
        )
        .await;
        match done {
            Err(_) if self.progress().settled => Ok(()),
            Err(_) => Err(Unsettled::Late(format!("{} s", limit.as_secs()))),
            Ok(Err(_)) => Err(Unsettled::Stopped),
            Ok(Ok(p)) => match &p.stuck {
                Some(why) => Err(Unsettled::Stuck(why.clone())),
                None => Ok(()),
            },
        }
    }
}

impl Drop for DriverHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}
