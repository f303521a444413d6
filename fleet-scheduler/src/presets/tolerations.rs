//! Tolerations as Kubernetes' and Open Cluster Management's objects have them.

use fleet_core::TaintEffect;
use serde::{Deserialize, Deserializer, de::Error};

use crate::model::Toleration;

#[derive(Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[derive(Default)]
struct Written {
    key: String,
    operator: Operator,
    value: String,
    effect: Option<Effect>,
    toleration_seconds: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Deserialize)]
enum Operator {
    #[default]
    #[serde(alias = "")]
    Equal,
    Exists,
}

#[derive(Clone, Copy, Deserialize)]
enum Effect {
    #[serde(rename = "")]
    Any,
    #[serde(alias = "NoSelectIfNew")]
    NoSchedule,
    #[serde(alias = "NoSelect")]
    NoExecute,
    #[serde(alias = "PreferNoSelect")]
    PreferNoSchedule,
}

/// Reads a list of them.
pub(super) fn read<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Toleration>, D::Error> {
    let written = Vec::<Written>::deserialize(from)?;
    written.into_iter().map(toleration).collect()
}

fn toleration<E: Error>(written: Written) -> Result<Toleration, E> {
    let exists = written.operator == Operator::Exists;
    if written.key.is_empty() && !exists {
        return Err(E::custom("a toleration without a key needs the operator Exists"));
    }
    if exists && !written.value.is_empty() {
        return Err(E::custom("a toleration with the operator Exists has no value"));
    }
    let mut toleration = Toleration::everything();
    toleration.key = (!written.key.is_empty()).then_some(written.key);
    toleration.value = (!exists).then_some(written.value);
    toleration.effect = match written.effect {
        None | Some(Effect::Any) => None,
        Some(Effect::NoSchedule) => Some(TaintEffect::NoSchedule),
        Some(Effect::NoExecute) => Some(TaintEffect::NoExecute),
        Some(Effect::PreferNoSchedule) => Some(TaintEffect::PreferNoSchedule),
    };
    toleration.seconds = written
        .toleration_seconds
        .map(|seconds| u64::try_from(seconds).unwrap_or(0));
    Ok(toleration)
}
