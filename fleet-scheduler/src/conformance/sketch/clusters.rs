//! Clusters that are drawn.

use std::collections::BTreeSet;

use fleet_core::{
    Capacity, Cluster, ContactLimits, ContactState, ContactStatus, Heard, LifeCycle, Resources, Taint,
    TaintEffect, Tick,
};

use super::NOW;
use crate::{
    conformance::{Dice, Suite},
    model::ClusterInfo,
};

/// The kinds that clusters may serve.
pub(super) const KINDS: [&str; 3] = ["Deployment.v1.apps", "Job.v1.batch", "RayJob.v1.ray.io"];
/// The keys of taints.
pub(super) const TAINTS: [&str; 3] = ["dedicated", "flaky", "nvidia.com/gpu"];

/// A cluster as there might be one; its name comes later.
pub(super) fn draw(suite: &Suite, dice: &mut Dice) -> ClusterInfo {
    let mut cluster = Cluster::new("");
    for (key, values) in &suite.labels {
        if let Some(value) = dice.maybe(75, values) {
            cluster = cluster.label(key, value);
        }
    }
    for (key, values) in &suite.properties {
        if let Some(value) = dice.maybe(60, values) {
            cluster = cluster.property(key, value);
        }
    }
    for of in ["replica", "cpu", "memory", "nvidia.com/gpu-hour"] {
        if dice.chance(60) {
            cluster = cluster.cost(of, i64::from(dice.signed(40)) + 20);
        }
    }
    for _ in 0..2 {
        if dice.chance(25) {
            cluster = cluster.taint(taint(dice));
        }
    }
    cluster.life_cycle = match dice.below(10) {
        0 => dice.pick(&[LifeCycle::Joining, LifeCycle::Leaving]),
        1 => LifeCycle::Cordoned,
        2 => LifeCycle::Draining,
        _ => LifeCycle::Ready,
    };
    cluster.paused = dice.maybe(5, &["maintenance".to_owned()]);
    let mut info = ClusterInfo::new(cluster);
    if dice.chance(30) {
        info.contact = Some(contact(dice));
    }
    if dice.chance(90) {
        info.capacity = Some(capacity(suite, dice));
    }
    info
}

fn taint(dice: &mut Dice) -> Taint {
    let effects = [
        TaintEffect::PreferNoSchedule,
        TaintEffect::NoSchedule,
        TaintEffect::NoExecute,
    ];
    let taint = Taint::new(dice.pick(&TAINTS), dice.pick(&["", "yes"]), dice.pick(&effects));
    match dice.chance(60) {
        true => taint.since(Tick(NOW.0 - dice.number(600_000))),
        false => taint,
    }
}

fn contact(dice: &mut Dice) -> ContactStatus {
    let mut contact = ContactStatus::first(Heard::Answer, &ContactLimits::default(), NOW);
    contact.state = dice.pick(&[
        ContactState::Online,
        ContactState::Degraded,
        ContactState::Unreachable,
        ContactState::Lost,
    ]);
    contact.since = Tick(NOW.0 - dice.number(3_600_000));
    contact
}

fn capacity(suite: &Suite, dice: &mut Dice) -> Capacity {
    let (mut offered, mut requested, mut gap) = (Resources::new(), Resources::new(), Resources::new());
    let says_gap = dice.chance(30);
    for name in &suite.resources {
        if !dice.chance(85) {
            continue;
        }
        let scale = scale(name);
        let amount = dice.number(64);
        let set = |to: &mut Resources, amount: u64| {
            // What is drawn is small, and never negative.
            let _ = to.set(name, i64::try_from(amount).unwrap_or(0) * scale);
        };
        set(&mut offered, amount);
        // Sometimes more is asked for than is offered.
        set(&mut requested, dice.number(amount + 2));
        if says_gap {
            set(&mut gap, dice.number(16));
        }
    }
    let mut capacity = Capacity::new(offered, requested, Tick(NOW.0 - dice.number(600_000)));
    capacity.largest_gap = gap;
    if dice.chance(50) {
        let kinds = KINDS.iter().filter(|_| dice.chance(70));
        capacity.kinds = Some(kinds.map(|kind| (*kind).to_owned()).collect::<BTreeSet<_>>());
    }
    capacity
}

/// Makes a cluster one that most things fit on.
pub(super) fn ease(info: &mut ClusterInfo, suite: &Suite, dice: &mut Dice) {
    if dice.chance(80) {
        (info.cluster.life_cycle, info.cluster.paused) = (LifeCycle::Ready, None);
    }
    if dice.chance(60) {
        info.cluster.taints.clear();
    }
    if dice.chance(80) {
        let mut capacity = capacity(suite, dice);
        (capacity.largest_gap, capacity.kinds) = (Resources::new(), None);
        for name in &suite.resources {
            let offered = i64::try_from(16 + dice.number(48)).unwrap_or(0) * scale(name);
            // What is drawn is small, and never negative.
            let _ = capacity.allocatable.set(name, offered);
            let _ = capacity.requested.set(name, offered / 8);
        }
        info.capacity = Some(capacity);
    }
}

/// How much of a resource one is.
pub(super) fn scale(resource: &str) -> i64 {
    match resource {
        "cpu" => 1_000,
        _ if resource.contains("memory") || resource.contains("storage") => 1 << 30,
        _ => 1,
    }
}
