//! Is it still the cluster it was, and at no earlier state?
//!
//! After an interruption it may be another cluster that answers under the same address, or the same one restored from a
//! backup: its ledger is an old one then, and nothing of what a driver knows is so. Neither shows in a request that
//! writes, and a watch that goes on from a later state is shown nothing. So the first write after an interruption, and the
//! first watch that goes on, are preceded by two reads, and while there is doubt nothing is written.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use fleet_core::{ClusterId, Fault, GroupKind, Remedy};
use serde::Deserialize;

use super::{Call, Connection, Verb};
use crate::ledger::LEDGER_NAMESPACE;

/// What speaks against writing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Doubt {
    /// Another cluster answers.
    Another(ClusterId),
    /// The state went back.
    WentBack { from: u64, to: u64 },
}

/// Revisions are those of the core group without its events: other servers count on their own, and events often have a store
/// of their own.
#[derive(Debug, Default)]
pub(super) struct Guard {
    on: AtomicBool,
    state: Mutex<State>,
    /// One check at a time.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    highest: u64,
    /// How many interruptions there had been when it was checked last; none: never.
    checked: Option<u64>,
    /// The label of config maps that forbid every write.
    veto: String,
    /// There was one at the last check. Whoever watches them may not know of it yet.
    vetoed: bool,
    doubt: Option<Doubt>,
}

impl Guard {
    fn with<T>(&self, action: impl FnOnce(&mut State) -> T) -> T {
        action(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A state of the cluster was shown. False when it is earlier than `before`, where the same watch was.
    pub(super) fn saw(&self, kind: &GroupKind, version: &str, before: Option<&str>) -> bool {
        let Ok(revision) = version.parse::<u64>() else {
            return true;
        };
        let before = before.and_then(|before| before.parse::<u64>().ok());
        if before.is_some_and(|before| revision < before) {
            self.with(|state| state.checked = None);
            return false;
        }
        if kind.group().is_empty() && kind.kind() != "Event" {
            self.with(|state| state.highest = state.highest.max(revision));
        }
        true
    }
}

impl Connection {
    /// From now on writes are sent only while it is certainly the same cluster, at no earlier state than `revision`, the
    /// highest that was seen of it, and than any this connection sees. `doubt` is what is known already, `veto` the label of
    /// config maps that forbid every write.
    pub(crate) fn guard(&self, revision: Option<u64>, doubt: Option<Doubt>, veto: &str) {
        let guard = &self.shared.guard;
        guard.on.store(true, Ordering::Relaxed);
        let interruptions = self.shared.contact.interruptions();
        guard.with(|state| {
            // Which cluster it is was read a moment ago.
            state.checked = revision.is_none().then_some(interruptions);
            state.highest = state.highest.max(revision.unwrap_or(0));
            state.doubt = doubt;
            veto.clone_into(&mut state.veto);
        });
    }

    /// What speaks against writing, as far as it is known.
    pub(crate) fn doubt(&self) -> Option<Doubt> {
        self.shared.guard.with(|state| state.doubt.clone())
    }

    /// The state went back, and that is right: it goes on from there.
    pub(crate) fn go_on_from(&self, revision: u64) {
        self.shared.guard.with(|state| {
            if matches!(state.doubt, Some(Doubt::WentBack { .. })) {
                (state.highest, state.doubt, state.checked) = (revision, None, None);
            }
        });
    }

    /// The highest revision seen; none before the first.
    pub(crate) fn revision(&self) -> Option<u64> {
        let highest = self.shared.guard.with(|state| state.highest);
        (highest > 0).then_some(highest)
    }

    /// As [`check_same`](Self::check_same), before a write: nor after an interruption in which its people forbade that.
    ///
    /// # Errors
    /// When it is not so, or that cannot be found out.
    pub(crate) async fn check_write(&self) -> Result<(), Fault> {
        self.check_same().await?;
        self.shared.guard.with(|state| {
            if !std::mem::take(&mut state.vetoed) {
                return Ok(());
            }
            // It may be over at the next write.
            state.checked = None;
            let message = format!("a config map with the label {} forbids every write", state.veto);
            Err(Fault::new(Remedy::Policy, message))
        })
    }

    /// Makes sure that it is the same cluster at no earlier state, where that may have changed.
    ///
    /// # Errors
    /// When it is not, or that cannot be found out.
    pub(crate) async fn check_same(&self) -> Result<(), Fault> {
        let guard = &self.shared.guard;
        if !guard.on.load(Ordering::Relaxed) {
            return Ok(());
        }
        let interruptions = || self.shared.contact.interruptions();
        let known = || {
            guard.with(|state| match &state.doubt {
                Some(doubt) => Some(Err(refused(doubt))),
                None => (state.checked == Some(interruptions())).then_some(Ok(())),
            })
        };
        if let Some(known) = known() {
            return known;
        }
        let _turn = guard.turn.lock().await;
        if let Some(known) = known() {
            return known;
        }
        let before = interruptions();
        // What others see meanwhile may be later than what is read here.
        let highest = guard.with(|state| state.highest);
        let id = self.read_cluster_id().await?;
        let (revision, vetoed) = if id == self.shared.cluster {
            self.read_revision().await?
        } else {
            (None, false)
        };
        guard.with(|state| {
            if id != self.shared.cluster {
                state.doubt = Some(Doubt::Another(id));
            } else if let Some(to) = revision.filter(|revision| *revision < highest) {
                state.doubt = Some(Doubt::WentBack { from: highest, to });
            }
            state.highest = state.highest.max(revision.unwrap_or(0));
            state.checked = Some(before);
            state.vetoed = vetoed;
            state.doubt.as_ref().map_or(Ok(()), |doubt| Err(refused(doubt)))
        })
    }

    /// The revision of the cluster's state now, none where that may not be read, or is no number; and whether its people
    /// forbid every write.
    async fn read_revision(&self) -> Result<(Option<u64>, bool), Fault> {
        #[derive(Deserialize)]
        struct List {
            metadata: Meta,
            #[serde(default)]
            items: Vec<serde::de::IgnoredAny>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Meta {
            resource_version: String,
        }
        // A label's key has nothing that would have to be encoded.
        let veto = self.shared.guard.with(|state| state.veto.clone());
        let path = format!("/api/v1/namespaces/{LEDGER_NAMESPACE}/configmaps?limit=1&labelSelector={veto}");
        match self.fetch(&Call::get(Verb::List, path)).await {
            Ok(body) => {
                let list: Option<List> = serde_json::from_slice(&body).ok();
                let vetoed = list.as_ref().is_some_and(|list| !list.items.is_empty());
                Ok((
                    list.and_then(|list| list.metadata.resource_version.parse().ok()),
                    vetoed,
                ))
            }
            Err(fault) if fault.remedy == Remedy::Forbidden => Ok((None, false)),
            Err(fault) => Err(fault),
        }
    }
}

fn refused(doubt: &Doubt) -> Fault {
    let message = match doubt {
        Doubt::Another(id) => format!("another cluster answers now ({id}): nothing is written to it"),
        Doubt::WentBack { from, to } => {
            format!("the cluster's state went back from revision {from} to {to}: nothing is written to it")
        }
    };
    Fault::new(Remedy::Policy, message)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use fleet_core::{Answer, ObjectKey, Propagation, Request, Uid};
    use kube::{Client, client::Body};
    use serde_json::json;

    use super::*;
    use crate::ConnectionOptions;

    const VETO_KEY: &str = "fleet.internal/veto";

    /// What a cluster answers just now, and what it was asked.
    #[derive(Clone)]
    struct Server {
        uid: &'static str,
        revision: &'static str,
        vetoed: bool,
        /// Of lists.
        status: u16,
        reads: usize,
        writes: usize,
    }

    #[derive(Clone)]
    struct Rig {
        server: Arc<Mutex<Server>>,
        connection: Connection,
    }

    impl Rig {
        async fn new() -> Self {
            let server = Arc::new(Mutex::new(Server {
                uid: "one",
                revision: "100",
                vetoed: false,
                status: 200,
                reads: 0,
                writes: 0,
            }));
            let state = server.clone();
            let service = tower::service_fn(move |request: http::Request<Body>| {
                let (status, body) = state.lock().unwrap().answer(&request);
                let body = Body::from(body.to_string().into_bytes());
                let response = http::Response::builder().status(status).body(body).unwrap();
                async move { Ok::<_, std::io::Error>(response) }
            });
            let options = ConnectionOptions::default().retry_time(Duration::ZERO);
            let connection = Connection::over(Client::new(service, "default"), options)
                .await
                .unwrap();
            server.lock().unwrap().reads = 0;
            Self { server, connection }
        }

        fn set(&self, change: impl FnOnce(&mut Server)) {
            change(&mut self.server.lock().unwrap());
        }

        /// Whether something may be written, and how many reads it took to find out.
        async fn check(&self) -> (bool, usize) {
            let before = self.server.lock().unwrap().reads;
            let may = self.connection.check_same().await.is_ok();
            (may, self.server.lock().unwrap().reads - before)
        }

        fn interrupt(&self) {
            self.connection.shared.contact.interrupted();
        }

        /// Tries to write; true when the server got it.
        async fn write(&self) -> bool {
            let gvk = GroupKind::new("", "ConfigMap").at("v1");
            let request = Request::Delete {
                key: ObjectKey::new("", "ConfigMap", Some("default"), "a"),
                gvk,
                uid: Uid::new("1"),
                version: None,
                propagation: Propagation::Background,
            };
            let before = self.server.lock().unwrap().writes;
            let answer = self.connection.execute(&request).await;
            let sent = self.server.lock().unwrap().writes > before;
            assert_eq!(matches!(answer, Answer::NotSent(_)), !sent, "{answer:?}");
            sent
        }
    }

    impl Server {
        fn answer(&mut self, request: &http::Request<Body>) -> (u16, serde_json::Value) {
            if request.method() != http::Method::GET {
                self.writes += 1;
                return (
                    404,
                    json!({"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}),
                );
            }
            self.reads += 1;
            match request.uri().path() {
                "/version" => (200, json!({"major": "1", "minor": "36", "gitVersion": "v1.36.0"})),
                "/api/v1/namespaces/kube-system" => (200, json!({"metadata": {"uid": self.uid}})),
                "/api/v1/namespaces/fleet-system/configmaps" if self.status == 200 => (
                    200,
                    json!({
                        "metadata": {"resourceVersion": self.revision},
                        "items": if self.vetoed { json!([{"metadata": {"name": "no"}}]) } else { json!([]) },
                    }),
                ),
                _ => (
                    self.status,
                    json!({"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": self.status}),
                ),
            }
        }
    }

    #[tokio::test]
    async fn only_an_interruption_costs_reads() {
        let rig = Rig::new().await;
        rig.interrupt();
        assert_eq!(rig.check().await, (true, 0), "nobody asked for a guard");
        rig.connection.guard(None, None, VETO_KEY);
        assert_eq!((rig.check().await, rig.check().await), ((true, 0), (true, 0)));
        rig.interrupt();
        assert_eq!((rig.check().await, rig.check().await), ((true, 2), (true, 0)));
        assert_eq!(rig.connection.revision(), Some(100));
    }

    #[tokio::test]
    async fn another_cluster_gets_no_write() {
        let rig = Rig::new().await;
        rig.connection.guard(None, None, VETO_KEY);
        assert!(rig.write().await);
        rig.set(|server| server.uid = "two");
        rig.interrupt();
        assert!(!rig.write().await);
        assert_eq!(
            rig.connection.doubt(),
            Some(Doubt::Another(ClusterId::from("two")))
        );
        // No confirmation makes one cluster another.
        rig.connection.go_on_from(1);
        assert!(!rig.write().await);
    }

    #[tokio::test]
    async fn a_state_that_went_back_gets_no_write_until_it_may_go_on() {
        for (seen, now, went_back) in [
            (100, "100", false),
            (99, "100", false),
            (101, "100", true),
            (9, "10", false),
            (100, "99", true),
            (100, "x", false),
        ] {
            let rig = Rig::new().await;
            rig.set(|server| server.revision = now);
            rig.connection.guard(Some(seen), None, VETO_KEY);
            assert_eq!(rig.write().await, !went_back, "{seen} {now}");
            if went_back {
                let to = now.parse().unwrap();
                assert_eq!(rig.connection.doubt(), Some(Doubt::WentBack { from: seen, to }));
                // Time alone settles nothing.
                rig.set(|server| server.revision = "1000");
                rig.interrupt();
                assert!(!rig.write().await);
                rig.connection.go_on_from(to);
                assert!(rig.write().await);
            }
        }
        // What the last process left open stays open.
        let rig = Rig::new().await;
        rig.connection
            .guard(Some(7), Some(Doubt::WentBack { from: 9, to: 7 }), VETO_KEY);
        assert!(!rig.write().await);
    }

    #[tokio::test]
    async fn what_this_connection_saw_counts() {
        let rig = Rig::new().await;
        rig.connection.guard(None, None, VETO_KEY);
        let (guard, map) = (&rig.connection.shared.guard, GroupKind::new("", "ConfigMap"));
        // Others count on their own.
        for kind in [
            GroupKind::new("metrics.example.com", "Thing"),
            GroupKind::new("", "Event"),
        ] {
            assert!(guard.saw(&kind, "5000", None));
        }
        rig.interrupt();
        assert!(rig.write().await);
        assert!(guard.saw(&map, "150", Some("149")));
        rig.interrupt();
        assert!(!rig.write().await);
        // A watch that is shown an earlier state has it looked at without any interruption.
        let rig = Rig::new().await;
        rig.connection.guard(None, None, VETO_KEY);
        assert!(!rig.connection.shared.guard.saw(&map, "90", Some("99")));
        assert_eq!(rig.check().await, (true, 2));
    }

    #[tokio::test]
    async fn what_may_not_be_read_is_not_compared_and_what_cannot_be_read_holds() {
        for (status, may) in [(403, true), (500, false)] {
            let rig = Rig::new().await;
            rig.connection.guard(Some(1000), None, VETO_KEY);
            rig.set(|server| server.status = status);
            assert_eq!(rig.write().await, may, "{status}");
            assert_eq!(rig.connection.doubt(), None);
        }
    }

    #[tokio::test]
    async fn a_veto_from_during_an_interruption_counts_before_its_watch_shows_it() {
        let rig = Rig::new().await;
        rig.connection.guard(None, None, VETO_KEY);
        assert!(rig.write().await);
        rig.set(|server| server.vetoed = true);
        assert!(rig.write().await, "that is the watch's to tell");
        rig.interrupt();
        assert!(!rig.write().await);
        assert!(
            rig.connection.check_same().await.is_ok(),
            "what only reads goes on"
        );
        assert!(!rig.write().await);
        rig.set(|server| server.vetoed = false);
        assert!(rig.write().await);
    }
}
