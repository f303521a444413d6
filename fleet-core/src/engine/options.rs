//! What an embedder chooses.

use std::collections::BTreeSet;

use fleet_diff::{GroupKind, ObjectKey};
use serde::{Deserialize, Serialize};

use crate::{
    Switches,
    edge::Propagation,
    marks::DEFAULT_DOMAIN,
    words::{Millis, Scope},
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
}

impl Adoption {
    /// From the text of an annotation.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "refuse" => Some(Self::Refuse),
            "adopt-equal" => Some(Self::AdoptEqual),
            "adopt" => Some(Self::Adopt),
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
    /// The part of the cluster the inventory may speak about.
    pub scope: Scope,
    /// May it write?
    pub approval: Approval,
    /// Objects that exist and are not ours.
    pub adoption: Adoption,
    /// Kinds whose deletes need a permission, beside [`GUARDED_KINDS`].
    pub guarded: BTreeSet<GroupKind>,
    /// Guarded kinds that may be deleted.
    pub permitted_kinds: BTreeSet<GroupKind>,
    /// Single guarded objects that may be deleted.
    pub permitted: BTreeSet<ObjectKey>,
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
            scope: Scope::Cluster,
            approval: Approval::Auto,
            adoption: Adoption::Refuse,
            guarded: BTreeSet::new(),
            permitted_kinds: BTreeSet::new(),
            permitted: BTreeSet::new(),
            budget: DeleteBudget::default(),
            propagation: Propagation::Background,
            limits: Limits::default(),
            switches: Switches::default(),
        }
    }
}
