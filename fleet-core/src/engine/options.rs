//! What an embedder chooses.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::{Digest, GroupKind, ObjectKey};
use serde::{Deserialize, Serialize};

use crate::{
    Switches,
    edge::Propagation,
    hand_over::Predecessor,
    marks::DEFAULT_DOMAIN,
    words::{DriftRule, LifeCycle, Millis, Scope},
};

/// Whether an engine may write.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum Approval {
    /// Reads and dry runs only: the plan is made and nothing is carried out.
    Never,
    /// The plan is carried out, within budgets and permissions.
    #[default]
    Auto,
}

/// What a cluster is there for now: where in its life it is said to be ([`LifeCycle`]), and what becomes of ours when it
/// leaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Posture {
    /// Everything listed is made and kept.
    #[default]
    Serving,
    /// What is there is kept, and what is new is not made.
    Cordoned,
    /// What runs pods is deleted, within the usual budgets; the rest is kept.
    Draining,
    /// Everything of ours is let go of: it stays, without our marks and without a record.
    Orphaning,
    /// Everything of ours is deleted, within the usual budgets.
    Clearing,
}

impl Posture {
    /// What follows from a cluster's life-cycle; `clears` says what becomes of ours when it leaves. A cluster that joins is
    /// served like any other, once it is no longer held back ([`Event::Hold`](crate::Event::Hold)).
    pub fn of(life_cycle: LifeCycle, clears: bool) -> Self {
        match life_cycle {
            LifeCycle::Joining | LifeCycle::Ready => Self::Serving,
            LifeCycle::Cordoned => Self::Cordoned,
            LifeCycle::Draining => Self::Draining,
            LifeCycle::Leaving if clears => Self::Clearing,
            LifeCycle::Leaving => Self::Orphaning,
        }
    }
}

/// What becomes of an object that waits for another to be healthy, by a wave or by `depends-on`, for too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Unhealthy {
    /// It is not written until the other one is healthy.
    #[default]
    Stop,
    /// It is written.
    GoOn,
}

/// Kinds that run pods, and what makes more of them.
pub(super) const RUNNING_KINDS: [(&str, &str); 9] = [
    ("", "Pod"),
    ("", "ReplicationController"),
    ("apps", "Deployment"),
    ("apps", "ReplicaSet"),
    ("apps", "StatefulSet"),
    ("apps", "DaemonSet"),
    ("batch", "Job"),
    ("batch", "CronJob"),
    ("autoscaling", "HorizontalPodAutoscaler"),
];

/// What happens to an object that exists and is not ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Adoption {
    /// It is left alone and reported.
    #[default]
    Refuse,
    /// It is taken over if it already is what its definition says.
    AdoptEqual,
    /// It is taken over. Fields its definition does not list stay as they are.
    Adopt,
    /// It is taken over from whoever manages it now, of [`EngineOptions::predecessors`]: their fields become ours, so that
    /// those our definition does not list go, and their marks go. Where nobody of them manages it, as `Adopt`.
    TakeOver,
}

impl Adoption {
    /// From the text of an annotation.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refuse),
            "adopt-equal" => Some(Self::AdoptEqual),
            "adopt" => Some(Self::Adopt),
            "take-over" => Some(Self::TakeOver),
            _ => None,
        }
    }
}

/// Kinds whose deletes need a permission of their own, by group and kind, whatever [`EngineOptions::guarded`] adds.
pub const GUARDED_KINDS: [(&str, &str); 5] = [
    ("", "Namespace"),
    ("", "PersistentVolume"),
    ("", "PersistentVolumeClaim"),
    ("apps", "StatefulSet"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
];

/// What the annotation of a definition says that allows to make its object again.
pub(super) const RECREATE_ALLOWED: &str = "allow";

/// Kinds that hold others, which would go with them.
pub(super) fn is_never_recreated(kind: &GroupKind) -> bool {
    matches!(
        (kind.group(), kind.kind()),
        ("", "Namespace") | ("apiextensions.k8s.io", "CustomResourceDefinition")
    )
}

/// How many deletes a rolling window allows: as many as `count` and `percent` both allow, but never fewer than
/// `floor`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct DeleteBudget {
    /// Most deletes in a window.
    pub count: u32,
    /// Most deletes in a window, in percent of what is owned.
    pub percent: u32,
    /// Always allowed in a window, whatever `percent` says.
    pub floor: u32,
    /// Length of the window.
    pub window: Millis,
}

impl Default for DeleteBudget {
    fn default() -> Self {
        Self {
            count: 100,
            percent: 20,
            floor: 10,
            window: Millis::from_mins(60),
        }
    }
}

impl DeleteBudget {
    /// At most `count` and `percent` of what is owned, but never fewer than `floor`, in an hour.
    pub fn new(count: u32, percent: u32, floor: u32) -> Self {
        Self {
            count,
            percent,
            floor,
            ..Self::default()
        }
    }

    /// A budget that never refuses.
    pub fn unlimited() -> Self {
        Self {
            count: u32::MAX,
            percent: 100,
            floor: u32::MAX,
            window: Millis::from_mins(60),
        }
    }

    /// Deletes allowed in one window when `owned` objects are owned.
    pub fn allowed(&self, owned: u32) -> u32 {
        let share = u64::from(owned) * u64::from(self.percent) / 100;
        self.count
            .min(u32::try_from(share).unwrap_or(u32::MAX))
            .max(self.floor)
    }
}

/// Limits of one engine; each has a unit in its name or type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Limits {
    /// Requests about objects under way at once.
    pub in_flight: usize,
    /// Tries of one request the cluster could not answer, before the object is set aside like a refused one.
    pub transient_tries: u32,
    /// Wait after a first failure of that kind; doubles up to `retry_max`.
    pub retry_first: Millis,
    /// Longest such wait.
    pub retry_max: Millis,
    /// Wait before a refused or foreign object is looked at again, after the second refusal; doubles.
    pub refused_first: Millis,
    /// Longest such wait.
    pub refused_max: Millis,
    /// How often an object being deleted is looked at, beside its watch.
    pub deletion_look: Millis,
    /// How long a one-time pass waits for deletes that are granted and not done, after the last one that was: see
    /// [`Engine::is_deleting`](crate::Engine::is_deleting).
    pub deletion_wait: Millis,
    /// How long a new CRD may take to be established before the rest stops waiting for it.
    pub established_max: Millis,
    /// After a CRD was changed: how long until its custom resources are compared again, by the new schema.
    pub schema_lag: Millis,
    /// Longest time UIDs stay unrecorded while a pass is busy.
    pub ledger_lag_max: Millis,
    /// Longest time write-ahead entries wait for listings that are under way, to be recorded with theirs.
    pub ledger_gather_max: Millis,
    /// Repairs of one field against one manager before it is contested.
    pub contest_repairs: usize,
    /// The time in which they must fall; and how long nobody must have rewritten a contested field before it is
    /// repaired once more. That doubles each time the field is contested again, up to `contest_max`.
    pub contest_window: Millis,
    /// Longest such wait.
    pub contest_max: Millis,
    /// How long a plan's token is good for.
    pub token_life: Millis,
    /// Longest wait for the answer to a reservation of deletes; no answer counts as refused.
    pub reserve_max: Millis,
    /// Wait after a refused reservation before it is asked for again.
    pub reserve_again: Millis,
    /// Longest wait for objects of earlier waves, or named by `depends-on`, to be healthy once they are as defined.
    pub health_max: Millis,
    /// The same for objects that others only seem to need: the backend of a webhook, say.
    pub backend_max: Millis,
    /// Longest wait for a watch to show what a listing has found, before it is read by name.
    pub watch_max: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight: 32,
            transient_tries: 6,
            retry_first: Millis(250),
            retry_max: Millis::from_secs(30),
            refused_first: Millis::from_secs(30),
            refused_max: Millis::from_mins(15),
            deletion_look: Millis::from_secs(5),
            deletion_wait: Millis::from_secs(60),
            established_max: Millis::from_secs(30),
            schema_lag: Millis::from_secs(1),
            ledger_lag_max: Millis::from_secs(60),
            ledger_gather_max: Millis(200),
            contest_repairs: 3,
            contest_window: Millis::from_mins(10),
            contest_max: Millis::from_mins(24 * 60),
            token_life: Millis::from_mins(60),
            reserve_max: Millis::from_secs(30),
            reserve_again: Millis::from_secs(60),
            health_max: Millis::from_mins(5),
            backend_max: super::ordering::BACKEND_MAX,
            watch_max: Millis::from_secs(30),
        }
    }
}

/// What an embedder chooses for one engine.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct EngineOptions {
    /// The domain of marks and annotations, a DNS name.
    pub domain: String,
    /// Namespace of namespaced objects whose definition names none.
    pub default_namespace: String,
    /// What the engine's parts go by, where that is read again: other rules want another engine.
    pub rules: Option<Digest>,
    /// The part of the cluster the inventory may speak about.
    pub scope: Scope,
    /// May it write?
    pub approval: Approval,
    /// What the cluster is there for now.
    pub posture: Posture,
    /// When the cluster leaves, ours is deleted instead of let go of.
    pub clears: bool,
    /// Objects that exist and are not ours.
    pub adoption: Adoption,
    /// Who may have managed what is taken over.
    pub predecessors: Vec<Predecessor>,
    /// Kinds whose deletes need a permission, beside [`GUARDED_KINDS`].
    pub guarded: BTreeSet<GroupKind>,
    /// Guarded kinds that may be deleted.
    pub permitted_kinds: BTreeSet<GroupKind>,
    /// Single guarded objects that may be deleted.
    pub permitted: BTreeSet<ObjectKey>,
    /// What becomes of what waits too long for the health of others.
    pub unhealthy: Unhealthy,
    /// What is done about drift: the first rule that is about a field counts, and without one it is repaired.
    pub drift: Vec<DriftRule>,
    /// Strategies of kinds, by their names; a definition's own choice goes before.
    pub strategies: BTreeMap<GroupKind, String>,
    /// Kinds whose objects may be deleted and made again where they cannot be changed, beside single ones that allow it
    /// by their annotation. Guarded kinds need the permission to be deleted too.
    pub recreate: BTreeSet<GroupKind>,
    /// Namespace of the copies of cluster-scoped objects while they are made again; copies of others are beside them.
    pub copies_namespace: String,
    /// Budget of deletes.
    pub budget: DeleteBudget,
    /// What deletes do to dependents.
    pub propagation: Propagation,
    /// Limits.
    pub limits: Limits,
    /// Guards, all on.
    pub switches: Switches,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            domain: DEFAULT_DOMAIN.to_owned(),
            default_namespace: "default".to_owned(),
            rules: None,
            scope: Scope::Cluster,
            approval: Approval::Auto,
            posture: Posture::Serving,
            clears: false,
            adoption: Adoption::Refuse,
            predecessors: Predecessor::builtin(),
            guarded: BTreeSet::new(),
            permitted_kinds: BTreeSet::new(),
            permitted: BTreeSet::new(),
            unhealthy: Unhealthy::Stop,
            drift: Vec::new(),
            strategies: BTreeMap::new(),
            recreate: BTreeSet::new(),
            copies_namespace: "fleet-system".to_owned(),
            budget: DeleteBudget::default(),
            propagation: Propagation::Background,
            limits: Limits::default(),
            switches: Switches::default(),
        }
    }
}
