//! What makes of objects what they ask for: a small part of kube-controller-manager, and of the API server's own loops.
//!
//! All work in [`Server::step`], one round for each call, so that those who watch see what is in between.

mod autoscalers;
mod daemon_sets;
mod definitions;
mod deployments;
mod edit;
mod endpoint_slices;
mod garbage;
mod jobs;
mod namespaces;
mod own;
mod pods;
mod replica_sets;
mod stateful_sets;
mod volumes;

use jiff::Timestamp;

use crate::{server::Server, status::Status};

/// Of the last round.
#[derive(Debug, Default)]
pub(crate) struct Round {
    /// What every controller has seen.
    seen: u64,
    /// What each has seen and done.
    done: [u64; CONTROLLERS.len()],
    /// Something was deleted since.
    pub(crate) garbage: bool,
}

/// One loop: what it does, and the resources that it looks at; none where it looks at everything.
struct Controller {
    run: fn(&mut Server, Timestamp) -> Result<(), Status>,
    looks_at: &'static [(&'static str, &'static str)],
}

const fn controller(
    run: fn(&mut Server, Timestamp) -> Result<(), Status>,
    looks_at: &'static [(&'static str, &'static str)],
) -> Controller {
    Controller { run, looks_at }
}

const PODS: (&str, &str) = ("", "pods");
const CLAIMS: (&str, &str) = ("", "persistentvolumeclaims");
const REPLICA_SETS: (&str, &str) = ("apps", "replicasets");

/// The API server's own, and those of kube-controller-manager and kubelets, in the order of their work in a round.
const CONTROLLERS: [Controller; 13] = [
    controller(Server::establish, &[]),
    controller(Server::empty_namespaces, &[]),
    controller(
        Server::furnish_namespaces,
        &[("", "namespaces"), ("", "serviceaccounts"), ("", "configmaps")],
    ),
    controller(Server::run_autoscalers, &[]),
    controller(Server::run_deployments, &[("apps", "deployments"), REPLICA_SETS]),
    controller(Server::run_replica_sets, &[REPLICA_SETS, PODS]),
    controller(
        Server::run_stateful_sets,
        &[
            ("apps", "statefulsets"),
            ("apps", "controllerrevisions"),
            PODS,
            CLAIMS,
        ],
    ),
    controller(
        Server::run_daemon_sets,
        &[("apps", "daemonsets"), ("apps", "controllerrevisions")],
    ),
    controller(Server::run_jobs, &[("batch", "jobs"), PODS]),
    controller(Server::run_pods, &[PODS]),
    controller(
        Server::run_endpoint_slices,
        &[("", "services"), ("discovery.k8s.io", "endpointslices"), PODS],
    ),
    controller(Server::run_volumes, &[("", "persistentvolumes"), CLAIMS, PODS]),
    controller(Server::collect_garbage, &[]),
];

/// Of them, the API server's own, which are there without any other.
const OWN: usize = 1;

/// Rounds after which [`Server::settle`] no longer waits for the end.
const ROUNDS_MAX: usize = 1000;

impl Server {
    /// Lets the controllers do what is next to do, once each. False when there was nothing.
    pub fn step(&mut self, now: Timestamp) -> bool {
        if self.round.seen == self.store.revision() {
            return false;
        }
        let before = self.store.revision();
        let count = if self.settings.controllers {
            CONTROLLERS.len()
        } else {
            OWN
        };
        for (at, controller) in CONTROLLERS.iter().enumerate().take(count) {
            let (now_at, done) = (self.store.revision(), self.round.done[at]);
            let mut changed = controller
                .looks_at
                .iter()
                .map(|(group, plural)| self.store.changed(group, plural));
            let is_idle = !controller.looks_at.is_empty() && changed.all(|changed| changed <= done);
            // What one cannot do now it tries again when something happens.
            if !is_idle && (controller.run)(self, now).is_ok() {
                self.round.done[at] = now_at;
            }
        }
        self.round.seen = before;
        before != self.store.revision()
    }

    /// When there is something to do or to say although nothing is asked: for [`step`](Self::step) and
    /// [`events`](Self::events). None when all is quiet.
    pub fn next_wake(&self, now: Timestamp) -> Option<Timestamp> {
        if self.round.seen != self.store.revision() {
            return Some(now);
        }
        self.next_word()
    }

    /// Steps until nothing is left to do.
    pub fn settle(&mut self, now: Timestamp) {
        for _ in 0..ROUNDS_MAX {
            if !self.step(now) {
                return;
            }
        }
    }
}
