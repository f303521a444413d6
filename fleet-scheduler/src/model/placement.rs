//! What runs where, as it was decided before.

use std::collections::BTreeMap;

use fleet_core::{Resources, Tick};
use serde::{Deserialize, Serialize};

use super::{Nature, WorkloadId};
use crate::divide::MAX_REPLICAS;

/// What was decided before, by workload.
pub type Placements = BTreeMap<WorkloadId, Placement>;

/// Where one workload runs, by target and cluster.
///
/// What is read from a file is checked: see [`InvalidPlacement`].
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Written")]
#[non_exhaustive]
pub struct Placement {
    /// By the target's name, then by the cluster's.
    pub targets: BTreeMap<String, BTreeMap<String, Assignment>>,
    /// It has run to its end, since then: it is not started again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Tick>,
    /// What one of its replicas asked for when this was decided: so it takes its room even where nothing else is known of
    /// the workload.
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub needs: Resources,
    /// What one of its replicas asked for by what was observed of its clusters, where it asks for more since.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed: Option<Resources>,
    /// Its clusters that are not in the fleet, and since when they are missed.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub missed: BTreeMap<String, Tick>,
    /// What it was when this was decided: where there must never be two, it is there until it is known to be stopped, even
    /// where nothing else is known of the workload.
    #[serde(skip_serializing_if = "is_default")]
    pub nature: Nature,
}

/// As it is written.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    targets: BTreeMap<String, BTreeMap<String, Assignment>>,
    finished: Option<Tick>,
    needs: Resources,
    observed: Option<Resources>,
    missed: BTreeMap<String, Tick>,
    nature: Nature,
}

/// Why a placement cannot have been decided by anybody.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPlacement {
    /// More replicas than can be decided on, in all.
    #[error("more replicas than {MAX_REPLICAS}, the most that can be decided on")]
    TooMany,
    /// More that are going, held or seen than there are.
    #[error("{going} going and {held} held of {replicas} replicas on cluster {cluster}, {seen} of them seen")]
    MoreThanThere {
        /// Where.
        cluster: String,
        /// How many there are.
        replicas: u64,
        /// How many of them are going.
        going: u64,
        /// How many of them are held.
        held: u64,
        /// How many of them were seen.
        seen: u64,
    },
}

impl TryFrom<Written> for Placement {
    type Error = InvalidPlacement;

    fn try_from(written: Written) -> Result<Self, InvalidPlacement> {
        let mut sum = 0_u64;
        for (cluster, assignment) in written.targets.values().flatten() {
            if assignment.sound() != *assignment {
                let Assignment {
                    replicas,
                    going,
                    held,
                    seen,
                    ..
                } = *assignment;
                return Err(InvalidPlacement::MoreThanThere {
                    cluster: cluster.clone(),
                    replicas,
                    going,
                    held,
                    seen,
                });
            }
            sum = sum.saturating_add(assignment.replicas);
            if sum > MAX_REPLICAS {
                return Err(InvalidPlacement::TooMany);
            }
        }
        Ok(Self {
            targets: written.targets,
            finished: written.finished,
            needs: written.needs,
            observed: written.observed,
            missed: written.missed,
            nature: written.nature,
        })
    }
}

/// A workload's replicas on a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Assignment {
    /// How many are to be there.
    pub replicas: u64,
    /// How many of them do not count any more: others stand in for them, or will, and they go once these are healthy
    /// and the cluster is in contact.
    #[serde(default, skip_serializing_if = "is_none")]
    pub going: u64,
    /// How many of them are not started yet: what they stand in for must be stopped first, because there must never be
    /// two of it.
    #[serde(default, skip_serializing_if = "is_none")]
    pub held: u64,
    /// How many of them were in what the cluster said of its use when the others were started.
    #[serde(default, skip_serializing_if = "is_none")]
    pub seen: u64,
    /// Since when it is so: what a cluster says of its use counts all of them once it is clearly later.
    #[serde(default)]
    pub since: Tick,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_none(going: &u64) -> bool {
    *going == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_default(nature: &Nature) -> bool {
    *nature == Nature::default()
}

impl Assignment {
    /// So many since then, and all of them count.
    pub fn new(replicas: u64, since: Tick) -> Self {
        Self {
            replicas,
            going: 0,
            held: 0,
            seen: 0,
            since,
        }
    }

    /// So many of them are going.
    #[must_use]
    pub fn going(mut self, going: u64) -> Self {
        self.going = going.min(self.replicas);
        self
    }

    /// So many of them are not started yet.
    #[must_use]
    pub fn held(mut self, held: u64) -> Self {
        self.held = held.min(self.active());
        self
    }

    /// How many are to run there now: those that are held do not, nor do those that are going where there must never be
    /// two.
    pub fn runs(&self, nature: Nature) -> u64 {
        let going = if nature.is_fenced() { self.going } else { 0 };
        self.replicas.saturating_sub(going).saturating_sub(self.held)
    }

    /// Without more that are going, held or seen than there are: it may have been written by hand.
    pub(crate) fn sound(self) -> Self {
        let going = self.going.min(self.replicas);
        let held = self.held.min(self.replicas - going);
        Self {
            going,
            held,
            seen: self.seen.min(self.replicas - held),
            ..self
        }
    }

    /// Where nothing was observed: their cluster is not in the fleet, and may come back with what was observed before.
    pub(crate) fn unseen(self) -> Self {
        Self { seen: 0, ..self }
    }

    /// How many of them are started, those that are going too.
    pub(crate) fn started(&self) -> u64 {
        self.replicas.saturating_sub(self.held)
    }

    /// How many of them are in what a cluster says of its use, if that counts all that were started until `since` or not.
    pub(crate) fn seen_if(&self, counts: bool) -> u64 {
        match counts {
            true => self.started(),
            false => self.seen.min(self.started()),
        }
    }

    /// This, after another one: what was seen of that is seen now, too, as far as it is still there. Of those that have
    /// ended it is not known whether they are in what was said.
    pub(crate) fn after(self, before: &Self, counts: bool) -> Self {
        let unseen = before.started() - before.seen_if(counts);
        let unseen = unseen.saturating_add(self.started().saturating_sub(before.started()));
        Self {
            seen: self.started().saturating_sub(unseen),
            ..self
        }
    }

    /// How many of them count.
    pub fn active(&self) -> u64 {
        self.replicas.saturating_sub(self.going)
    }
}

impl Placement {
    /// Nowhere.
    pub fn nowhere() -> Self {
        Self::default()
    }

    /// With these replicas of a target on a cluster.
    #[must_use]
    pub fn with(mut self, target: &str, cluster: &str, assignment: Assignment) -> Self {
        let clusters = self.targets.entry(target.to_owned()).or_default();
        clusters.insert(cluster.to_owned(), assignment);
        self
    }

    /// All replicas that are on a cluster, those that are going too.
    pub fn on(&self, cluster: &str) -> u64 {
        let on = self.targets.values().filter_map(|clusters| clusters.get(cluster));
        on.fold(0, |sum, assignment| sum.saturating_add(assignment.replicas))
    }

    /// Whether some replicas are going, or wait for others to be stopped.
    pub fn is_moving(&self) -> bool {
        let mut all = self.targets.values().flat_map(BTreeMap::values);
        all.any(|one| one.going > 0 || one.held > 0)
    }

    /// The clusters with replicas that count, and how many, over all targets.
    pub fn active(&self) -> BTreeMap<&str, u64> {
        let mut active = BTreeMap::new();
        for (cluster, assignment) in self.targets.values().flatten() {
            if assignment.active() > 0 {
                let sum: &mut u64 = active.entry(cluster.as_str()).or_default();
                *sum = sum.saturating_add(assignment.active());
            }
        }
        active
    }
}
