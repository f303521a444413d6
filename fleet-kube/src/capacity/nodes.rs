//! Nodes, as far as they matter here.

use std::collections::BTreeSet;

use serde::{Deserialize, de::IgnoredAny};

use super::amounts::{Amounts, or_default};

#[derive(Deserialize)]
pub(super) struct Node {
    pub(super) metadata: Meta,
    #[serde(default)]
    spec: Spec,
    #[serde(default)]
    pub(super) status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) name: String,
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Spec {
    unschedulable: bool,
    #[serde(deserialize_with = "or_default")]
    taints: Vec<Taint>,
}

#[derive(Deserialize)]
struct Taint {
    key: String,
    effect: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Status {
    #[serde(deserialize_with = "or_default")]
    pub(super) allocatable: Amounts,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
}

#[derive(Deserialize)]
struct Condition {
    r#type: String,
    status: String,
}

impl Node {
    /// Whether a pod that tolerates taints of these keys, and no others, may come: the node is ready, neither cordoned nor
    /// on its way out, and no other taint keeps pods away.
    pub(super) fn takes_pods(&self, tolerated: &BTreeSet<String>) -> bool {
        let is_ready = |condition: &Condition| condition.r#type == "Ready" && condition.status == "True";
        let keeps_away = |taint: &Taint| {
            matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute") && !tolerated.contains(&taint.key)
        };
        self.status.conditions.iter().any(is_ready)
            && !self.spec.unschedulable
            && self.metadata.deletion_timestamp.is_none()
            && !self.spec.taints.iter().any(keeps_away)
    }
}
