//! What a cluster can carry.

use std::collections::BTreeMap;

use fleet_core::{Capacity, Observed, Unread, amount};
use fleet_kube::{Outcome, utc};
use serde::Serialize;

use super::{DIM, count, line, paint, warn};

/// How a cluster stands, and what is known of what it can carry.
#[derive(Serialize)]
pub(crate) struct Stands<'a> {
    #[serde(flatten)]
    pub(crate) outcome: &'a Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capacity: Option<Capacity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) capacity_unread: Option<Unread>,
}

impl<'a> Stands<'a> {
    /// All of them.
    pub(crate) fn of(outcomes: &'a [Outcome], mut observed: BTreeMap<String, Observed>) -> Vec<Self> {
        let stands = outcomes.iter().map(|outcome| {
            let observed = observed.remove(&outcome.cluster).unwrap_or_default();
            Self {
                outcome,
                capacity: observed.capacity,
                capacity_unread: observed.capacity_unread,
            }
        });
        stands.collect()
    }
}

/// Some lines; none where nothing is known.
pub(super) fn capacity(out: &mut String, stands: &Stands<'_>) {
    if let Some(capacity) = &stands.capacity {
        let nodes = match capacity.nodes_left_out {
            0 => count(capacity.nodes as usize, "node"),
            others => format!(
                "{}, and {others} that take no pods",
                count(capacity.nodes as usize, "node")
            ),
        };
        let version = capacity
            .version
            .as_ref()
            .map(|version| format!("version {version}, "));
        let kinds = capacity
            .kinds
            .as_ref()
            .map(|kinds| format!("{}, ", count(kinds.len(), "kind")));
        let served = version.unwrap_or_default() + &kinds.unwrap_or_default();
        line(
            out,
            format!(
                "{served}{nodes} {}",
                paint(DIM, &format!("(at {})", utc(capacity.observed_at)))
            ),
        );
        for (name, offered) in capacity.allocatable.iter() {
            let (taken, gap) = (capacity.requested.get(name), capacity.largest_gap.get(name));
            if offered == 0 && taken == 0 {
                continue;
            }
            let [taken, offered, gap] = [taken, offered, gap].map(|some| rounded(name, some));
            line(
                out,
                format!("  {name}: {taken} of {offered} asked for; {gap} free on one node"),
            );
        }
    }
    if let Some(Unread { since, why, .. }) = &stands.capacity_unread {
        let words = format!("what it can carry cannot be read since {}: {why}", utc(*since));
        line(out, warn(&words));
    }
}

/// As people read it: bytes with one digit behind the point, rounded down, unless the exact amount is short.
fn rounded(resource: &str, some: i64) -> String {
    const UNITS: [&str; 6] = ["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
    let exact = amount(resource, some);
    let is_bytes = amount(resource, 1024).ends_with("Ki");
    if !is_bytes || exact.len() <= 5 {
        return exact;
    }
    let (mut tenths, mut unit) = (i128::from(some) * 10, "");
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        (tenths, unit) = (tenths / 1024, next);
    }
    match tenths % 10 {
        0 => format!("{}{unit}", tenths / 10),
        tenth => format!("{}.{tenth}{unit}", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_short() {
        for (resource, some, expect) in [
            ("cpu", 1_500, "1500m"),
            ("cpu", 12_000, "12"),
            ("memory", 2 << 30, "2Gi"),
            ("memory", 16_391_532 << 10, "15.6Gi"),
            ("memory", 1_000, "1000"),
            ("memory", 1_100_000, "1Mi"),
            ("ephemeral-storage", 101_234_567_890, "94.2Gi"),
            ("memory", i64::MAX, "7.9Ei"),
            ("pods", 1_000_000, "1000000"),
        ] {
            assert_eq!(rounded(resource, some), expect, "{some}");
        }
    }
}
