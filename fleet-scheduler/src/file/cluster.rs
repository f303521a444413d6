//! One cluster as people write it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use fleet_core::{
    Capacity, Cluster, ClusterId, ContactLimits, ContactState, ContactStatus, Heard, LifeCycle, Maintenance,
    Resources, Taint, TaintEffect, Tick,
};
use serde::{Deserialize, Deserializer, de};

use super::{kinds::optional_kinds, optional_moment};
use crate::model::ClusterInfo;

/// One cluster as people write it: what a registry declares and what was observed, side by side. Everything but the
/// name may be left out.
///
/// Amounts are quantities of Kubernetes; times are RFC 3339, or milliseconds. Without `allocatable` nothing is known of
/// what it can carry, and only what needs nothing fits.
///
/// ```
/// use fleet_core::TaintEffect;
/// use fleet_scheduler::{ClusterInfo, WrittenCluster};
///
/// let written: WrittenCluster = serde_json::from_str(r#"{
///     "name": "eu-1",
///     "labels": {"region": "eu", "tier": "prod"},
///     "properties": {"gpu-memory-gb": "40"},
///     "cost": {"cpu": 30},
///     "taints": [{"key": "gpu", "effect": "NoSchedule"}],
///     "lifeCycle": "ready",
///     "allocatable": {"cpu": "64", "memory": "256Gi"},
///     "requested": {"cpu": "12500m", "memory": "80Gi"},
///     "largestGap": {"cpu": "8", "memory": "32Gi"},
///     "kinds": ["Deployment.v1.apps", "Service.v1"],
///     "version": "1.36.3",
///     "observedAt": "2026-11-27T19:00:00Z",
///     "contact": {"state": "online", "since": "2026-11-01T00:00:00Z"}
/// }"#)?;
/// let cluster: ClusterInfo = written.into();
/// assert_eq!(cluster.cluster.taints[0].effect, TaintEffect::NoSchedule);
/// assert_eq!(cluster.capacity.unwrap().requested.get("cpu"), 12_500);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct WrittenCluster {
    /// Its name, unique in the fleet.
    pub name: String,
    /// The UID of its `kube-system` namespace. Plays no part in decisions.
    pub uid: Option<String>,
    /// Labels for selecting and grouping.
    pub labels: BTreeMap<String, String>,
    /// Facts for policies.
    pub properties: BTreeMap<String, String>,
    /// Cost in whole units the fleet has agreed on, by what it buys; below 0: a gain.
    pub cost: BTreeMap<String, i64>,
    /// What keeps workloads away that do not tolerate it: `key`, `value`, `effect`, and `since` when.
    #[serde(deserialize_with = "taints")]
    pub taints: Vec<Taint>,
    /// Where in its life it is. Default: ready.
    pub life_cycle: LifeCycle,
    /// Why nothing is written to it for now. Default: it is not paused.
    pub paused: Option<String>,
    /// When it may be written to. Plays no part in decisions.
    pub maintenance: Maintenance,
    /// What its schedulable, ready nodes offer together.
    pub allocatable: Option<Resources>,
    /// What all pods on them ask for.
    pub requested: Resources,
    /// The largest single gap on a node, by resource. Default: not known.
    pub largest_gap: Resources,
    /// The kinds it serves, as `Kind.version.group`, or `Kind.version` in the core group. Default: not known.
    #[serde(deserialize_with = "optional_kinds")]
    pub kinds: Option<BTreeSet<String>>,
    /// The version of its API server.
    pub version: Option<String>,
    /// When `requested` was so: what was decided clearly before counts as being in it. Default: long ago, so that
    /// nothing that was decided is in it.
    #[serde(deserialize_with = "optional_moment")]
    pub observed_at: Option<Tick>,
    /// How contact stands: `online`, `degraded`, `unreachable` or `lost`, or the same as `state` with `since` when;
    /// without `since`, for ever. Default: not known, which counts as online.
    #[serde(deserialize_with = "contact")]
    pub contact: Option<ContactStatus>,
}

impl From<WrittenCluster> for ClusterInfo {
    fn from(written: WrittenCluster) -> Self {
        let observed = written.allocatable.is_some() || written.kinds.is_some() || written.version.is_some();
        let mut capacity = Capacity::new(
            written.allocatable.unwrap_or_default(),
            written.requested,
            written.observed_at.unwrap_or_default(),
        );
        capacity.largest_gap = written.largest_gap;
        capacity.kinds = written.kinds;
        capacity.version = written.version;
        let mut cluster = Cluster::new(written.name)
            .life_cycle(written.life_cycle)
            .expect_id(written.uid.as_deref().map(ClusterId::from));
        cluster.labels = written.labels;
        cluster.properties = written.properties;
        cluster.cost = written.cost;
        cluster.taints = written.taints;
        cluster.paused = written.paused;
        cluster.maintenance = written.maintenance;
        Self {
            cluster,
            capacity: observed.then_some(capacity),
            contact: written.contact,
        }
    }
}

fn taints<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Taint>, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Written {
        key: String,
        #[serde(default)]
        value: String,
        effect: TaintEffect,
        #[serde(default, deserialize_with = "optional_moment")]
        since: Option<Tick>,
    }
    let written = Vec::<Written>::deserialize(deserializer)?;
    let taint = |one: Written| {
        let mut taint = Taint::new(one.key, one.value, one.effect);
        taint.since = one.since;
        taint
    };
    Ok(written.into_iter().map(taint).collect())
}

fn contact<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ContactStatus>, D::Error> {
    struct Contacts;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Written {
        state: ContactState,
        #[serde(default, deserialize_with = "optional_moment")]
        since: Option<Tick>,
        #[serde(default, deserialize_with = "optional_moment")]
        silent_since: Option<Tick>,
        #[serde(default, deserialize_with = "optional_moment")]
        answers_since: Option<Tick>,
    }

    impl<'de> de::Visitor<'de> for Contacts {
        type Value = Option<ContactStatus>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("online, degraded, unreachable or lost, or a mapping with state and since")
        }

        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_str<E: de::Error>(self, state: &str) -> Result<Self::Value, E> {
            let state = ContactState::deserialize(de::value::StrDeserializer::new(state))?;
            Ok(Some(status(state, Tick(0))))
        }

        fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            let written = Written::deserialize(de::value::MapAccessDeserializer::new(map))?;
            let mut status = status(written.state, written.since.unwrap_or_default());
            (status.silent_since, status.answers_since) = (written.silent_since, written.answers_since);
            Ok(Some(status))
        }
    }

    deserializer.deserialize_any(Contacts)
}

/// Contact that stands so since then.
fn status(state: ContactState, since: Tick) -> ContactStatus {
    let mut status = ContactStatus::first(Heard::Answer, &ContactLimits::default(), since);
    status.state = state;
    status.answers_since = None;
    status
}
