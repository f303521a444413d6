//! Learns the types that the engine's judge needs, and learns them anew when they may have changed.

use std::{collections::BTreeSet, pin::pin, sync::Arc};

use fleet_core::{Event, Gvk, Note, Reason};
use futures_util::StreamExt;
use tokio::sync::Notify;

use super::Driver;
use crate::connection::{Connection, WatchEvent, mutating_kinds};

/// How far it is.
#[derive(Default)]
pub(super) struct Learning {
    wanted: BTreeSet<Gvk>,
    /// A read is under way.
    busy: bool,
    /// What is known may have changed since the last read began.
    due: Arc<Notify>,
    watched: bool,
}

impl Learning {
    /// What is known may have changed.
    pub(super) fn stale(&self) {
        if !self.wanted.is_empty() {
            self.due.notify_one();
        }
    }

    /// A read is done.
    pub(super) fn learnt(&mut self) {
        self.busy = false;
    }

    /// When a read is to begin; never while one is under way.
    pub(super) async fn is_due(&self) {
        if self.busy {
            return std::future::pending().await;
        }
        self.due.notified().await;
    }
}

impl Driver {
    /// Learns the types of these kinds from now on.
    pub(super) fn want_types(&mut self, wanted: BTreeSet<Gvk>) {
        self.types.wanted = wanted;
        self.types.due.notify_one();
        if !std::mem::replace(&mut self.types.watched, true) {
            self.watch_admission();
        }
    }

    pub(super) fn learn_types(&mut self) {
        self.types.busy = true;
        let connection = self.parts.connection.clone();
        let (observer, cluster) = (self.parts.observer.clone(), self.parts.cluster.clone());
        let wanted = self.types.wanted.clone();
        self.tasks.spawn(async move {
            let kinds = connection.kinds();
            let (types, faults) = connection.learn_types(&wanted, &kinds).await;
            for fault in faults {
                let message = format!("what its objects look like is asked of the server each time: {fault}");
                observer.note(
                    &cluster,
                    &Note::Remark {
                        reason: Reason::new("types-unknown", message),
                    },
                );
            }
            Some(Event::Types(types))
        });
    }

    fn watch_admission(&mut self) {
        let kinds = self.parts.connection.kinds();
        for kind in mutating_kinds() {
            if let Some(gvk) = kinds.version_for(&kind, None) {
                let (connection, due) = (self.parts.connection.clone(), self.types.due.clone());
                self.watching.spawn(tell_changes(connection, gvk, due));
            }
        }
    }
}

async fn tell_changes(connection: Connection, gvk: Gvk, due: Arc<Notify>) {
    let mut stream = pin!(connection.watch(&gvk, None, None));
    // What is there at first is read anyway.
    let mut synced = false;
    while let Some(event) = stream.next().await {
        match event {
            WatchEvent::Synced if !synced => synced = true,
            WatchEvent::Synced | WatchEvent::Seen(_) | WatchEvent::Gone { .. } if synced => due.notify_one(),
            _ => {}
        }
    }
}
