//! Granted deletes that are not done: whether they get on, and how long they are worth waiting for.

use super::Deletes;
use crate::{engine::Engine, words::Tick};

/// How many granted deletes are not done, by what they wait for.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Unfinished {
    active: usize,
    waiting: usize,
    lingering: usize,
    aside: usize,
}

/// Granted deletes that are not done.
#[derive(Clone, Copy)]
pub(in crate::engine) struct Standstill {
    unfinished: Unfinished,
    /// Since when it is these.
    since: Tick,
    /// It has been so for too long.
    overdue: bool,
}

impl Unfinished {
    fn of(deletes: &Deletes) -> Self {
        let granted = &deletes.granted;
        Self {
            active: granted.active.len(),
            waiting: granted.waiting.len(),
            lingering: granted.lingering.len(),
            aside: granted.aside.len(),
        }
    }

    /// Something is on its way that nobody refused.
    fn goes_on(self) -> bool {
        self.active + self.lingering > 0 || self.waiting > 0 && self.aside == 0
    }
}

impl Engine {
    /// True while granted deletes are not done: what was deleted is held by its finalizers, or holds back what is
    /// deleted after it. [`Engine::is_settled`] may be true meanwhile, because only the cluster can go on. Who runs
    /// once and ends waits for this too; it turns false at the latest [`Limits::deletion_wait`] after the last
    /// progress, and at once when only refused deletes are left; it is never true where nothing is carried out.
    ///
    /// [`Limits::deletion_wait`]: crate::Limits::deletion_wait
    pub fn is_deleting(&self) -> bool {
        self.worth_waiting_until().is_some()
    }

    /// Until when unfinished deletes are worth waiting for.
    pub(in crate::engine) fn worth_waiting_until(&self) -> Option<Tick> {
        let standstill = self.standstill.as_ref()?;
        let wait = self.options.limits.deletion_wait;
        let carried_out = self.may_write();
        (carried_out && standstill.unfinished.goes_on() && !standstill.overdue)
            .then(|| standstill.since + wait)
    }

    /// Notices when deletes get on, and when they do not.
    pub(in crate::engine) fn follow_deletes(&mut self, now: Tick) {
        let unfinished = Unfinished::of(&self.deletes);
        let before = self.standstill.filter(|before| before.unfinished == unfinished);
        let since = before.map_or(now, |before| before.since);
        self.standstill = (unfinished != Unfinished::default()).then(|| Standstill {
            unfinished,
            since,
            overdue: before.is_some() && since + self.options.limits.deletion_wait <= now,
        });
    }
}
