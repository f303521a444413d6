//! Why nothing may be written: what whoever runs the driver says, and what the cluster's own people say.

use std::pin::pin;

use fleet_core::{GroupKind, Live, Node, Reason, Remedy, STARTING, Tick, VETO};
use futures_util::StreamExt;
use tokio::sync::mpsc;

use super::{Driver, Input};
use crate::{
    connection::{Doubt, WatchEvent},
    ledger::LEDGER_NAMESPACE,
    windows::{Standing, Windows},
};

/// The code of the reason for a hold because the cluster's state went back.
pub const RESTORED: &str = "restored-backup";

/// What is known of it.
#[derive(Default)]
pub(super) struct Holds {
    /// What whoever runs the driver says.
    pub(super) outside: Option<Reason>,
    /// What the cluster's people say; none until that is known.
    pub(super) veto: Option<Option<Reason>>,
    /// Whether the cluster is the one it was, as its connection says.
    pub(super) doubt: Option<Doubt>,
    windows: Windows,
    /// How it stands with them, until that changes.
    standing: Option<Standing>,
}

impl Holds {
    pub(super) fn new(outside: Option<Reason>, windows: Windows) -> Self {
        Self {
            outside,
            windows,
            ..Self::default()
        }
    }

    /// A veto goes before everything else.
    pub(super) fn now(&mut self, now: Tick) -> Option<Reason> {
        if self.turns().is_none_or(|turns| turns <= now) {
            self.standing = Some(self.windows.at(now));
        }
        match &self.veto {
            Some(_) => self.why(),
            None => Some(Reason::new(
                STARTING,
                "it is not known yet whether the cluster vetoes writes",
            )),
        }
    }

    /// When a window opens or closes next, if one does.
    pub(super) fn turns(&self) -> Option<Tick> {
        self.standing.as_ref()?.until
    }

    /// Why nothing is written, as far as it is known.
    pub(super) fn why(&self) -> Option<Reason> {
        let window = || self.standing.as_ref()?.hold.clone();
        let veto = self.veto.clone().flatten();
        let doubt = || self.doubt.as_ref().map(in_doubt);
        veto.or_else(doubt)
            .or_else(|| self.outside.clone())
            .or_else(window)
    }
}

impl Driver {
    /// Watches the config maps by which the cluster's people forbid every write: those in the ledger's namespace that bear
    /// the veto label, whatever its value. A cluster in which they may not be read has no veto.
    pub(super) fn watch_for_veto(&mut self, told: mpsc::WeakSender<Input>) {
        let connection = self.parts.connection.clone();
        let selector = self.engine.marks().veto_key().to_owned();
        self.watching.spawn(async move {
            let gvk = GroupKind::new("", "ConfigMap").at("v1");
            let mut stream = pin!(connection.watch(&gvk, Some(LEDGER_NAMESPACE), Some(&selector)));
            let mut seen: Vec<Live> = Vec::new();
            let mut synced = false;
            while let Some(event) = stream.next().await {
                match event {
                    WatchEvent::Reset => {
                        seen.clear();
                        synced = false;
                    }
                    WatchEvent::Seen(live) => {
                        seen.retain(|other| other.uid() != live.uid());
                        seen.push(live);
                    }
                    WatchEvent::Gone { uid, .. } => seen.retain(|other| *other.uid() != uid),
                    WatchEvent::Synced => synced = true,
                    WatchEvent::Lost(fault) if fault.remedy == Remedy::Forbidden => synced = true,
                    WatchEvent::Lost(_) | WatchEvent::Resumed => continue,
                }
                let Some(told) = told.upgrade().filter(|_| synced) else {
                    continue;
                };
                if told.send(Input::Veto(seen.first().map(veto))).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn in_doubt(doubt: &Doubt) -> Reason {
    match doubt {
        Doubt::Another(id) => {
            let message = format!("another cluster answers under this one's address ({id})");
            Reason::new("another-cluster", message).with("now", id)
        }
        Doubt::WentBack { from, to } => {
            let message = format!(
                "the cluster was restored from a backup: its state went back from revision {from} to {to}, and with it the record of what is ours. Look at the plan: what was deleted since the backup is back, and would be deleted again; what was made since then is made again. Nothing is written until somebody confirms that"
            );
            Reason::new(RESTORED, message).with("from", from).with("to", to)
        }
    }
}

fn veto(map: &Live) -> Reason {
    let why = map.object().root().at(&["data", "reason"]).and_then(Node::as_str);
    let name = map.key().name();
    let message = match why {
        Some(why) => format!("the cluster's own people forbid every write (config map {name}): {why}"),
        None => format!("the cluster's own people forbid every write (config map {name})"),
    };
    Reason::new(VETO, message)
}
