//! Somebody else is there at the last moment: after a change was decided, before its request is sent.

use std::sync::{Arc, Mutex};

use fleet_core::{ApplyStrategy, History, Next, ServerSideApply, Work};

type Deed = Box<dyn FnOnce() + Send>;

/// Server-side apply, and what happens once just before the first change of a kind. Clones share that.
#[derive(Clone)]
pub struct LastMoment {
    before: fn(&Work) -> bool,
    then: Arc<Mutex<Option<Deed>>>,
}

impl LastMoment {
    /// Before the first work that is so; nothing happens until it is told what.
    pub fn before(work: fn(&Work) -> bool) -> Self {
        Self {
            before: work,
            then: Arc::default(),
        }
    }

    /// Next time, this happens.
    pub fn set(&self, then: impl FnOnce() + Send + 'static) {
        *self.then.lock().expect("not poisoned") = Some(Box::new(then));
    }

    /// It has happened, or was never set.
    pub fn is_over(&self) -> bool {
        self.then.lock().expect("not poisoned").is_none()
    }
}

impl ApplyStrategy for LastMoment {
    fn id(&self) -> &'static str {
        ServerSideApply.id()
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        let mut waiting = self.then.lock().expect("not poisoned");
        if (self.before)(work)
            && history.since.is_empty()
            && let Some(then) = waiting.take()
        {
            then();
        }
        ServerSideApply.next(work, history)
    }
}
