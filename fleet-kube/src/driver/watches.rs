//! Watches: those the engine names, and one that notices new kinds.

use std::{collections::BTreeSet, pin::pin, time::Duration};

use fleet_core::{Cluster, Event, Fault, GroupKind, Gvk, Note, Observer, Reason, Remedy};
use futures_util::StreamExt;
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout_at},
};

use super::Driver;
use crate::connection::{Connection, WatchEvent};

/// Discovery is read again at most this often on account of changed CRDs and APIServices.
const DISCOVERY_EVERY: Duration = Duration::from_secs(2);

impl Driver {
    /// Watches exactly these kinds.
    pub(super) fn watch(&mut self, gvks: BTreeSet<Gvk>) {
        self.watches.retain(|gvk, task| {
            let keep = gvks.contains(gvk);
            if !keep {
                task.abort();
            }
            keep
        });
        let selector = self.engine.marks().selector();
        for gvk in gvks {
            if self.watches.contains_key(&gvk) {
                continue;
            }
            let task = follow(Follower {
                connection: self.parts.connection.clone(),
                observer: self.parts.observer.clone(),
                cluster: self.parts.cluster.clone(),
                gvk: gvk.clone(),
                selector: selector.clone(),
                shown: self.shown.clone(),
            });
            self.watches.insert(gvk, self.watching.spawn(task));
        }
    }

    /// Reads discovery again when a CRD or an APIService changes.
    pub(super) fn spawn_discovery_watch(&mut self) {
        for (group, kind) in [
            ("apiextensions.k8s.io", "CustomResourceDefinition"),
            ("apiregistration.k8s.io", "APIService"),
        ] {
            let (connection, shown) = (self.parts.connection.clone(), self.shown.clone());
            let gvk = GroupKind::new(group, kind).at("v1");
            self.watching
                .spawn(async move { rediscover(connection, gvk, shown).await });
        }
    }
}

struct Follower {
    connection: Connection,
    observer: std::sync::Arc<dyn Observer>,
    cluster: Cluster,
    gvk: Gvk,
    selector: String,
    shown: mpsc::Sender<Event>,
}

async fn follow(follower: Follower) {
    let Follower {
        connection,
        observer,
        cluster,
        gvk,
        selector,
        shown,
    } = follower;
    let mut stream = pin!(connection.watch(&gvk, None, Some(&selector)));
    // A first interruption is often over before anybody can read about it.
    let mut losses = 0u32;
    while let Some(event) = stream.next().await {
        let event = match event {
            WatchEvent::Reset => Event::WatchReset(gvk.clone()),
            WatchEvent::Seen(live) => Event::Seen(live),
            WatchEvent::Gone { key, uid, .. } => Event::Left { key, uid },
            WatchEvent::Synced => {
                losses = 0;
                Event::WatchSynced(gvk.clone())
            }
            WatchEvent::Lost(fault) => {
                losses += 1;
                if losses == 2 || (losses == 1 && fault.remedy == Remedy::Unreachable) {
                    observer.note(&cluster, &interrupted(&gvk, &fault));
                }
                if fault.remedy != Remedy::KindUnknown {
                    continue;
                }
                // The kind is gone, or was never there: its CRD's watch reads discovery again as well.
                match connection.discover().await {
                    Ok(kinds) => Event::Kinds(kinds),
                    Err(_) => continue,
                }
            }
            _ => {
                losses = 0;
                continue;
            }
        };
        if shown.send(event).await.is_err() {
            return;
        }
    }
}

async fn rediscover(connection: Connection, gvk: Gvk, shown: mpsc::Sender<Event>) {
    let mut stream = pin!(connection.watch(&gvk, None, None).filter(|event| {
        // What is there at first was read by the first discovery.
        std::future::ready(matches!(
            event,
            WatchEvent::Seen(_) | WatchEvent::Gone { .. } | WatchEvent::Synced
        ))
    }));
    let mut synced = false;
    let mut next = Instant::now();
    while let Some(event) = stream.next().await {
        let again = synced;
        synced |= matches!(event, WatchEvent::Synced);
        if !again {
            continue;
        }
        // The first change is answered at once, and once more when it has been quiet for a while: discovery follows
        // its definitions with a delay of its own.
        let mut last = false;
        loop {
            sleep_until(next).await;
            if let Ok(kinds) = connection.discover().await
                && shown.send(Event::Kinds(kinds)).await.is_err()
            {
                return;
            }
            next = Instant::now() + DISCOVERY_EVERY;
            match timeout_at(next, stream.next()).await {
                Ok(Some(_)) => last = false,
                Ok(None) => return,
                Err(_) if last => break,
                Err(_) => last = true,
            }
        }
    }
}

fn interrupted(gvk: &Gvk, fault: &Fault) -> Note {
    let reason = Reason::new(
        "watch-interrupted",
        format!("the watch of {} is interrupted: {fault}", gvk.group_kind()),
    );
    Note::Contact {
        online: fault.remedy != Remedy::Unreachable,
        reason,
    }
}
