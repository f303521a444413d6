//! Hints of change, for those who listen.

use std::{
    collections::BTreeSet,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, Weak},
    task::{Context, Poll, Waker},
};

use futures_core::Stream;

use super::lock;
use crate::edge::{Changed, Changes};

/// Passes hints of change on to any number of listeners: what a source needs to implement `changes`.
///
/// Hints that nobody has taken yet are joined, so a slow listener holds at most one for each cluster. Clones
/// share their listeners.
///
/// ```
/// use fleet_core::{Changed, Hints};
///
/// let hints = Hints::new();
/// let changes = hints.subscribe(); // a stream, kept by the driver
/// hints.tell(&Changed::Cluster("eu-1".into()));
/// # drop(changes);
/// ```
#[derive(Clone, Default)]
pub struct Hints(Arc<Mutex<Vec<Weak<Mutex<Inbox>>>>>);

#[derive(Default)]
struct Inbox {
    all: bool,
    clusters: BTreeSet<String>,
    waker: Option<Waker>,
    closed: bool,
}

impl Hints {
    /// Nobody listens yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A stream of everything told from now on. It ends when all clones of the sender are gone.
    pub fn subscribe(&self) -> Changes {
        let inbox = Arc::default();
        lock(&self.0).push(Arc::downgrade(&inbox));
        Box::pin(Listener(inbox))
    }

    /// Tells all listeners.
    pub fn tell(&self, changed: &Changed) {
        self.each(|inbox| match changed {
            Changed::Cluster(name) => {
                inbox.clusters.insert(name.clone());
            }
            Changed::All => inbox.all = true,
        });
    }

    fn each(&self, change: impl Fn(&mut Inbox)) {
        lock(&self.0).retain(|inbox| {
            let Some(inbox) = inbox.upgrade() else {
                return false;
            };
            let mut inbox = lock(&inbox);
            change(&mut inbox);
            if let Some(waker) = inbox.waker.take() {
                waker.wake();
            }
            true
        });
    }
}

impl fmt::Debug for Hints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hints({} listeners)", lock(&self.0).len())
    }
}

impl Drop for Hints {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            self.each(|inbox| inbox.closed = true);
        }
    }
}

struct Listener(Arc<Mutex<Inbox>>);

impl Stream for Listener {
    type Item = Changed;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Changed>> {
        let mut inbox = lock(&self.0);
        if std::mem::take(&mut inbox.all) {
            inbox.clusters.clear();
            return Poll::Ready(Some(Changed::All));
        }
        if let Some(name) = inbox.clusters.pop_first() {
            return Poll::Ready(Some(Changed::Cluster(name)));
        }
        if inbox.closed {
            return Poll::Ready(None);
        }
        inbox.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(changes: &mut Changes) -> Poll<Option<Changed>> {
        changes
            .as_mut()
            .poll_next(&mut Context::from_waker(Waker::noop()))
    }

    fn cluster(name: &str) -> Changed {
        Changed::Cluster(name.into())
    }

    #[test]
    fn hints_are_joined_until_somebody_takes_them() {
        let hints = Hints::new();
        hints.tell(&cluster("early"));
        let mut changes = hints.subscribe();
        assert_eq!(take(&mut changes), Poll::Pending);
        for name in ["b", "a", "b"] {
            hints.tell(&cluster(name));
        }
        assert_eq!(take(&mut changes), Poll::Ready(Some(cluster("a"))));
        hints.tell(&Changed::All);
        assert_eq!(take(&mut changes), Poll::Ready(Some(Changed::All)));
        assert_eq!(take(&mut changes), Poll::Pending);
    }

    #[test]
    fn the_stream_ends_with_its_last_sender() {
        let hints = Hints::new();
        let mut changes = hints.subscribe();
        drop(hints.clone());
        assert_eq!(take(&mut changes), Poll::Pending);
        drop(hints);
        assert_eq!(take(&mut changes), Poll::Ready(None));
    }

    #[test]
    fn a_waiting_listener_is_woken() {
        struct Flag(Mutex<bool>);
        impl std::task::Wake for Flag {
            fn wake(self: Arc<Self>) {
                *lock(&self.0) = true;
            }
        }
        let flag = Arc::new(Flag(Mutex::new(false)));
        let hints = Hints::new();
        let mut changes = hints.subscribe();
        let waker = Waker::from(flag.clone());
        assert!(
            changes
                .as_mut()
                .poll_next(&mut Context::from_waker(&waker))
                .is_pending()
        );
        hints.tell(&Changed::All);
        assert!(*lock(&flag.0));
    }
}
