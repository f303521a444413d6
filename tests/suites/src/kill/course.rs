//! The course of one case: base, the pass that is disturbed, the run after it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fleet_core::ObjectKey;
use fleet_harness::AuditEvent;

use super::{
    cases::{Case, Disturbance},
    inventories::Inventories,
    lab::Lab,
    look::{State, look, uids},
    process::Ran,
    rules::{Done, KillAt, Replace},
};
use crate::proxy::PassAll;

/// Tries of a case whose write does not come: how records are batched differs a little from run to run.
const TRIES: usize = 3;

/// What happened in a case.
pub(super) struct Course {
    pub(super) case: Case,
    /// None when the write did not come.
    pub(super) scene: Option<Scene>,
    /// Writes of passes that ended before the write came.
    pub(super) missed: Vec<usize>,
    pub(super) took: Duration,
}

/// What there was to be seen.
pub(super) struct Scene {
    pub(super) tag: String,
    pub(super) inventories: Inventories,
    /// UIDs of what is listed throughout, before the pass.
    pub(super) before: BTreeMap<ObjectKey, String>,
    /// The run after the pass.
    pub(super) next: Ran,
    /// After it, or why it cannot be seen.
    pub(super) after: Result<State, String>,
    /// Requests since the pass began, those of other cases among them.
    pub(super) audit: Vec<AuditEvent>,
    /// For an object that somebody replaced: its UID since then, or what was wrong by then.
    pub(super) replaced: Option<Result<String, String>>,
}

impl Course {
    pub(super) async fn run(lab: &Lab, case: Case) -> Self {
        let begin = Instant::now();
        let mut missed = Vec::new();
        let mut scene = None;
        while scene.is_none() && missed.len() < TRIES {
            match Scene::play(lab, case).await {
                Ok(played) => scene = Some(played),
                Err(writes) => missed.push(writes),
            }
        }
        Self {
            case,
            scene,
            missed,
            took: begin.elapsed(),
        }
    }
}

impl Scene {
    /// An error when the pass ended before the write came, with the number of its writes.
    async fn play(lab: &Lab, case: Case) -> Result<Self, usize> {
        let tag = lab.next_tag();
        let inventories = Inventories::new(&tag);
        lab.undisturbed(&tag, &inventories.base).await;
        let before = uids(lab, &inventories.throughout()).await;
        let mark = lab.plane.audit_mark().expect("a log");
        let replaced = Done::default();
        let (run, a) = (&lab.launcher, &inventories.a);
        let pass = match case.disturbance {
            Disturbance::Kill(at, moment) => run.run(&tag, a, KillAt(at, moment), case.without).await,
            Disturbance::Replaced(when) => {
                let rule = Replace::new(lab, &tag, when, replaced.clone());
                run.run(&tag, a, rule, case.without).await
            }
        };
        let replaced = replaced.lock().expect("not poisoned").take();
        if pass.code.is_some() && replaced.is_none() {
            lab.tidy(&tag).await;
            return Err(pass.writes);
        }
        let next = run.run(&tag, &inventories.b, PassAll, case.without).await;
        let after = look(lab, &tag).await;
        lab.tidy(&tag).await;
        Ok(Self {
            tag,
            inventories,
            before,
            next,
            after,
            audit: lab.plane.audit_since(mark).expect("a log"),
            replaced,
        })
    }
}
