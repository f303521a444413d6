//! What is to run somewhere, and what it asks for.

use std::{collections::BTreeSet, fmt, sync::Arc};

use fleet_core::{Millis, Resources, Tick};
use serde::{Deserialize, Serialize};

use super::{ClusterSelector, Target, Toleration};
use crate::file::{kinds, optional_moment, span};

/// A workload's name, unique in the fleet, such as `shop/web`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WorkloadId(Arc<str>);

impl WorkloadId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: Into<Arc<str>>> From<T> for WorkloadId {
    fn from(name: T) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for WorkloadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Something that runs on clusters: what it needs, where it may be, and what may be done with it.
///
/// ```
/// # use fleet_scheduler::Workload;
/// let web: Workload = serde_json::from_str(r#"{
///     "name": "shop/web",
///     "needs": {"cpu": "500m", "memory": "1Gi"},
///     "targets": [
///         {"where": {"matchLabels": {"tier": "prod"}}, "replicas": 12, "spread": [{"over": "region", "min": 2}]},
///         {"clusters": ["lab-1"], "each": 1}
///     ]
/// }"#)?;
/// assert_eq!(web.targets.len(), 2);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Workload {
    /// Its name, unique in the fleet.
    pub name: WorkloadId,
    /// Says which way dividers that look at it break ties, as the preset for Karmada does; all else breaks them by names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// Which of two goes first, and which may push the other out. Default: 0.
    #[serde(default)]
    pub priority: i32,
    /// Whether it may push out what has a lower priority, where nothing is free.
    #[serde(default)]
    pub preempts: bool,
    /// What one replica asks for. Beside it, a replica takes a slot for a pod of clusters that say how many `pods` they
    /// carry; what is several pods names how many here, and what is none names 0.
    #[serde(default, skip_serializing_if = "Resources::is_empty")]
    pub needs: Resources,
    /// The kinds its objects are of, as `Kind.version.group`, or `Kind.version` in the core group; a cluster that is known not
    /// to serve one does not fit.
    #[serde(
        default,
        deserialize_with = "kinds",
        skip_serializing_if = "BTreeSet::is_empty"
    )]
    pub kinds: BTreeSet<String>,
    /// The taints it bears.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tolerations: Vec<Toleration>,
    /// Where it is to run. Each target is decided for itself; one that cannot be met stops no other.
    pub targets: Vec<Target>,
    /// Clusters it would rather be on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<Preference>,
    /// Workloads it runs beside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Relation>,
    /// Workloads it keeps away from. Whoever comes later heeds it: it goes nowhere where these are, nor do these come to
    /// where it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<Relation>,
    /// Data it works on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub data: Vec<Data>,
    /// What it is, in case its cluster is lost.
    #[serde(default)]
    pub nature: Nature,
    /// What happens when a cluster it runs on is lost, or leaves.
    #[serde(default)]
    pub lost: LostPolicy,
    /// What moving it costs, and how often that may be.
    #[serde(default)]
    pub moves: MovePolicy,
    /// It ends by itself: once it has, it frees its place and is not run again.
    #[serde(default)]
    pub completes: bool,
    /// What else must be free, so that everything fits still when something vanishes.
    #[serde(default)]
    pub survives: Survives,
    /// From then on it runs nowhere. In files a time like `2026-11-27T19:04:00Z`, or milliseconds since 1970.
    #[serde(
        default,
        deserialize_with = "optional_moment",
        skip_serializing_if = "Option::is_none"
    )]
    pub expires: Option<Tick>,
    /// Workloads that keep away from it, as the planner knows them: it does not come to where they are.
    #[serde(skip)]
    pub(crate) shunned_by: Vec<Relation>,
}

impl Workload {
    /// A workload that needs nothing, at these targets.
    pub fn new(name: impl Into<WorkloadId>, targets: impl IntoIterator<Item = Target>) -> Self {
        Self {
            name: name.into(),
            uid: String::new(),
            priority: 0,
            preempts: false,
            needs: Resources::new(),
            kinds: BTreeSet::new(),
            tolerations: Vec::new(),
            targets: targets.into_iter().collect(),
            prefer: Vec::new(),
            beside: Vec::new(),
            apart: Vec::new(),
            data: Vec::new(),
            nature: Nature::default(),
            lost: LostPolicy::default(),
            moves: MovePolicy::default(),
            completes: false,
            survives: Survives::default(),
            expires: None,
            shunned_by: Vec::new(),
        }
    }

    /// Sets what one replica asks for.
    #[must_use]
    pub fn needs(mut self, needs: Resources) -> Self {
        self.needs = needs;
        self
    }

    /// Sets which goes first.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Bears this.
    #[must_use]
    pub fn tolerate(mut self, toleration: Toleration) -> Self {
        self.tolerations.push(toleration);
        self
    }

    /// Would rather be there.
    #[must_use]
    pub fn prefer(mut self, selector: ClusterSelector, weight: i32) -> Self {
        self.prefer.push(Preference { selector, weight });
        self
    }

    /// Must run on a cluster where that one runs.
    #[must_use]
    pub fn beside(mut self, workload: impl Into<WorkloadId>) -> Self {
        self.beside.push(Relation::required(workload));
        self
    }

    /// Must not run on a cluster where that one runs.
    #[must_use]
    pub fn apart(mut self, workload: impl Into<WorkloadId>) -> Self {
        self.apart.push(Relation::required(workload));
        self
    }

    /// Works on this data, and must be where it is.
    #[must_use]
    pub fn data(mut self, data: Data) -> Self {
        self.data.push(data);
        self
    }

    /// Says what happens when its cluster is lost.
    #[must_use]
    pub fn lost(mut self, policy: LostPolicy) -> Self {
        self.lost = policy;
        self
    }

    /// Says what it is.
    #[must_use]
    pub fn nature(mut self, nature: Nature) -> Self {
        self.nature = nature;
        self
    }

    /// Says what moving it costs.
    #[must_use]
    pub fn moves(mut self, moves: MovePolicy) -> Self {
        self.moves = moves;
        self
    }

    /// Which way dividers that look at it break ties.
    #[must_use]
    pub fn uid(mut self, uid: impl Into<String>) -> Self {
        self.uid = uid.into();
        self
    }

    /// May push out what has a lower priority, where nothing is free.
    #[must_use]
    pub fn preempts(mut self) -> Self {
        self.preempts = true;
        self
    }

    /// The kinds its objects are of, as `Kind.version.group`.
    #[must_use]
    pub fn kinds(mut self, kinds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.kinds.extend(kinds.into_iter().map(Into::into));
        self
    }

    /// Ends by itself.
    #[must_use]
    pub fn completes(mut self) -> Self {
        self.completes = true;
        self
    }

    /// Says what may vanish with room left for it elsewhere.
    #[must_use]
    pub fn survives(mut self, survives: Survives) -> Self {
        self.survives = survives;
        self
    }

    /// From then on it runs nowhere.
    #[must_use]
    pub fn expires(mut self, at: Tick) -> Self {
        self.expires = Some(at);
        self
    }

    /// Runs beside another, in the way that this says.
    #[must_use]
    pub fn beside_as(mut self, relation: Relation) -> Self {
        self.beside.push(relation);
        self
    }

    /// Keeps away from another, in the way that this says.
    #[must_use]
    pub fn apart_as(mut self, relation: Relation) -> Self {
        self.apart.push(relation);
        self
    }

    /// The workloads whose places its own depends on.
    pub(crate) fn related(&self) -> impl Iterator<Item = &WorkloadId> {
        let followed = match &self.lost {
            LostPolicy::Follow(other) => Some(other),
            _ => None,
        };
        let relations = self.beside.iter().chain(&self.apart);
        relations.map(|relation| &relation.workload).chain(followed)
    }
}

/// Clusters a workload would rather be on, or not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Preference {
    /// Which.
    #[serde(rename = "where")]
    pub selector: ClusterSelector,
    /// How much; below 0: rather not. From -100 to 100. Weights count against each other when a place is chosen: the
    /// only preference there is decides as much with 1 as with 100. What a better place is worth to what runs already, they
    /// say in points ([`Worth::preference`](crate::Worth)).
    pub weight: i32,
}

impl Preference {
    /// The greatest weight there may be, either way.
    pub const MOST: i32 = 100;
}

/// Another workload it runs beside, or keeps away from.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Relation {
    /// Which.
    pub workload: WorkloadId,
    /// In the same domain of this label; none: on the same cluster.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Rather than must.
    #[serde(default)]
    pub preferred: bool,
}

impl Relation {
    /// On the same cluster, and it must be so.
    pub fn required(workload: impl Into<WorkloadId>) -> Self {
        Self {
            workload: workload.into(),
            over: None,
            preferred: false,
        }
    }

    /// In the same domain of this label rather than on the same cluster.
    #[must_use]
    pub fn over(mut self, label: impl Into<String>) -> Self {
        self.over = Some(label.into());
        self
    }

    /// Rather than must.
    #[must_use]
    pub fn preferred(mut self) -> Self {
        self.preferred = true;
        self
    }
}

/// Data a workload works on, by a name that [`FleetView::data`](crate::FleetView::data) says the clusters of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Data {
    /// Which.
    pub name: String,
    /// Rather than must.
    #[serde(default)]
    pub preferred: bool,
}

impl Data {
    /// It must run where this data is.
    pub fn required(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            preferred: false,
        }
    }

    /// Rather than must.
    #[must_use]
    pub fn preferred(mut self) -> Self {
        self.preferred = true;
        self
    }
}

/// What a workload is, in case its cluster cannot be asked any more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Nature {
    /// Two copies too many do no harm.
    #[default]
    Stateless,
    /// There must never be two of it: it is started elsewhere only when the old copy is known to be stopped, or a person
    /// says so. One replica in all, or none, is asked for.
    Singleton,
    /// Each replica has state where it runs, and there must never be two of the same one: each is started elsewhere only
    /// when the old copy is known to be stopped, or a person says so. There may be any number of them.
    Stateful,
}

impl Nature {
    /// Whether a second copy may do harm.
    pub fn is_fenced(self) -> bool {
        !matches!(self, Self::Stateless)
    }
}

/// What happens with the replicas on a cluster that is lost, or that left. In files: `hold`, `shrink`,
/// `{respin: {after: 10m}}` or `{follow: shop/db}`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum LostPolicy {
    /// They are started elsewhere after this time.
    Respin {
        /// How long the cluster must have been lost. In files a span such as `10m`, or milliseconds.
        #[serde(serialize_with = "span::serialize")]
        after: Millis,
    },
    /// A proposal waits for a person; until then nothing changes.
    #[default]
    Hold,
    /// There are fewer of them until the cluster is back.
    Shrink,
    /// They go where this workload goes.
    Follow(WorkloadId),
}

/// What moving a workload costs, and how often that may be.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct MovePolicy {
    /// What moving one replica costs, in the unit of costs: less gain than that moves nothing. What is divided by weight or
    /// capacity has no gain in that unit: see [`Calm::tolerance`](crate::Calm::tolerance).
    pub price: u64,
    /// How many of its replicas may move within `per`. None: no limit of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// The time that `limit` is for. In files a span such as `1h`, or milliseconds.
    #[serde(with = "span")]
    pub per: Millis,
    /// It never moves because another place is better; only when it cannot stay.
    pub pinned: bool,
    /// Its old copies stop at once when new ones start elsewhere, as with the order `stop-first` of other systems: fewer may
    /// run for a while, and no room for both is needed. Else they stop once as many are healthy elsewhere.
    pub stop_first: bool,
}

impl Default for MovePolicy {
    fn default() -> Self {
        Self {
            price: 10,
            limit: None,
            per: Millis::from_mins(60),
            pinned: false,
            stop_first: false,
        }
    }
}

impl MovePolicy {
    /// What moving one replica costs.
    #[must_use]
    pub fn price(mut self, price: u64) -> Self {
        self.price = price;
        self
    }

    /// At most so many replicas in so long.
    #[must_use]
    pub fn at_most(mut self, limit: u64, per: Millis) -> Self {
        (self.limit, self.per) = (Some(limit), per);
        self
    }

    /// The old copies stop before the new ones run.
    #[must_use]
    pub fn stop_first(mut self) -> Self {
        self.stop_first = true;
        self
    }

    /// Never moves because another place is better.
    #[must_use]
    pub fn pinned(mut self) -> Self {
        self.pinned = true;
        self
    }
}

/// What may vanish with room left for it elsewhere (N-1). In files: `nothing`, `any-cluster` or `{any-domain: LABEL}`. Targets
/// that are on each cluster have nowhere else to go: no room is kept for them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Survives {
    /// No room is kept.
    #[default]
    Nothing,
    /// Any one cluster.
    AnyCluster,
    /// Any one domain of this label.
    AnyDomain(String),
}
