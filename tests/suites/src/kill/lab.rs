//! One control plane and everything cases need.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::atomic::{AtomicUsize, Ordering},
};

use fleet_core::ObjectKey;
use fleet_harness::{ControlPlane, Options, User};
use fleet_kube::{Connection, ConnectionOptions};
use futures_util::{Stream, StreamExt, stream};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::{Api, Client, api::DeleteParams};
use serde_json::Value;

use super::{
    cases::Case,
    check::{Contents, contents},
    course::Course,
    inventories::{Inventories, definitions, keys},
    look::look,
    process::{Launcher, Ran},
};
use crate::{Bed, proxy::PassAll};

/// Cases under way at once: much of their time they wait for finalizers.
const LANES: usize = 10;

/// See the module's page.
pub(super) struct Lab {
    pub(super) plane: ControlPlane,
    pub(super) launcher: Launcher,
    /// Reads ledgers, as an administrator.
    pub(super) connection: Connection,
    /// Everybody else who writes.
    pub(super) someone: Client,
    tags: AtomicUsize,
}

/// A and B without a kill.
pub(super) struct Reference {
    /// What the pass of A changed.
    pub(super) writes: usize,
    /// What is there after B.
    pub(super) contents: Contents,
}

impl Lab {
    /// Starts a control plane; `program` is the reconciler.
    pub(super) async fn start(program: &Path) -> Self {
        let plane = ControlPlane::start(Options::new("kill").audit(true).pods(false)).expect("a cluster");
        let bed = Bed::new([&plane]);
        let config = async |user| bed.config(plane.name(), user).await;
        let client = |config| Client::try_from(config).expect("a client");
        let launcher = Launcher::new(
            program,
            plane.access(User::Fleet),
            client(config(User::Fleet).await),
        );
        let someone = client(config(User::Someone).await);
        let connection = Connection::connect(config(User::Admin).await, ConnectionOptions::default()).await;
        Self {
            launcher,
            connection: connection.expect("a connection"),
            someone,
            plane,
            tags: AtomicUsize::new(0),
        }
    }

    /// Runs A and B without a kill.
    pub(super) async fn reference(&self) -> Reference {
        let tag = self.next_tag();
        let all = Inventories::new(&tag);
        self.undisturbed(&tag, &all.base).await;
        let pass = self.undisturbed(&tag, &all.a).await;
        self.undisturbed(&tag, &all.b).await;
        let state = look(self, &tag).await.expect("a state");
        let found: BTreeSet<ObjectKey> = state.objects.keys().cloned().collect();
        let listed: BTreeSet<ObjectKey> = keys(&all.b).into_iter().collect();
        assert_eq!(
            found, listed,
            "without a kill, what bears our mark is what B lists"
        );
        Reference {
            writes: pass.writes,
            contents: contents(&state, &tag),
        }
    }

    /// Runs these cases, a few at a time.
    pub(super) fn courses(&self, cases: Vec<Case>) -> impl Stream<Item = Course> {
        stream::iter(cases.into_iter().map(|case| Course::run(self, case))).buffer_unordered(LANES)
    }

    /// A run that nobody disturbs, with all guards.
    pub(super) async fn undisturbed(&self, tag: &str, inventory: &[Value]) -> Ran {
        let ran = self.launcher.run(tag, inventory, PassAll, None).await;
        assert_eq!(ran.code, Some(0), "{}", ran.output);
        ran
    }

    /// Deletes the definitions of a case: each would cost every later case requests. The rest may stay.
    pub(super) async fn tidy(&self, tag: &str) {
        let api: Api<CustomResourceDefinition> = Api::all(self.someone.clone());
        for name in definitions(tag) {
            // One of them is gone already, as B says.
            drop(api.delete(&name, &DeleteParams::default()).await);
        }
    }

    /// A name that no other case has, and that is part of no other word.
    pub(super) fn next_tag(&self) -> String {
        format!("pt{:04}", self.tags.fetch_add(1, Ordering::Relaxed))
    }
}
