//! What a workload bears of clusters' taints.

use fleet_core::{Millis, Taint, TaintEffect, Tick};
use serde::{Deserialize, Serialize};

/// Bears taints, as a pod's toleration does.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Toleration {
    /// Of this key. None: of every key.
    pub key: Option<String>,
    /// With this value. None: whatever the value.
    pub value: Option<String>,
    /// With this effect. None: whatever the effect.
    pub effect: Option<TaintEffect>,
    /// For so long after the taint came. None: for ever. With it, only taints of the effect `NoExecute` are borne, as in
    /// Kubernetes, and, unless a policy says otherwise, only by what is there ([`LastingTaints`](crate::LastingTaints)).
    /// Of several tolerations that match, the longest counts.
    pub seconds: Option<u64>,
}

impl Toleration {
    /// Bears every taint of this key, for ever.
    pub fn of(key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..Self::default()
        }
    }

    /// Bears everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Only this effect.
    #[must_use]
    pub fn effect(mut self, effect: TaintEffect) -> Self {
        self.effect = Some(effect);
        self
    }

    /// Only for so long after the taint came.
    #[must_use]
    pub fn seconds(mut self, seconds: u64) -> Self {
        self.seconds = Some(seconds);
        self
    }

    fn is_for(&self, taint: &Taint) -> bool {
        self.key.as_ref().is_none_or(|key| *key == taint.key)
            && self.value.as_ref().is_none_or(|value| *value == taint.value)
            && self.effect.is_none_or(|effect| effect == taint.effect)
            && (self.seconds.is_none() || taint.effect == TaintEffect::NoExecute)
    }
}

/// How long a taint is borne.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tolerated {
    /// Not, or no longer.
    No,
    /// Up to and without this moment.
    Until(Tick),
    /// For ever.
    Always,
}

/// How long these tolerations bear a taint; the longest of them counts. A taint without a time is borne for ever by one
/// with seconds: when it came is not known.
pub fn tolerated(taint: &Taint, by: &[Toleration], now: Tick) -> Tolerated {
    let until = |toleration: &Toleration| match (toleration.seconds, taint.since) {
        (Some(seconds), Some(since)) => match since + Millis(seconds.saturating_mul(1000)) {
            end if end > now => Tolerated::Until(end),
            _ => Tolerated::No,
        },
        _ => Tolerated::Always,
    };
    by.iter()
        .filter(|toleration| toleration.is_for(taint))
        .map(until)
        .max()
        .unwrap_or(Tolerated::No)
}
