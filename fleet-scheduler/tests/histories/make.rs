//! Random clusters and workloads.

use std::collections::BTreeSet;

use fleet_core::{Capacity, Cluster, Millis, Resources, TaintEffect, Tick};
use fleet_scheduler::*;

use super::random::Random;

pub(super) const REGIONS: [&str; 3] = ["eu", "us", "ap"];
pub(super) const DATA: [&str; 2] = ["images", "logs"];
const KINDS: [&str; 2] = ["Widget.v1.example", "Widget.v2.example"];
pub(super) const TIERS: [&str; 2] = ["prod", "lab"];

pub(super) fn minutes(count: u64) -> Millis {
    Millis::from_mins(count)
}

pub(super) fn cpu(thousandths: i64) -> Resources {
    let mut cpu = Resources::new();
    cpu.set("cpu", thousandths).unwrap();
    cpu
}

pub(super) fn capacity(offered: i64, asked: i64, now: Tick) -> Capacity {
    Capacity::new(cpu(offered), cpu(asked), now)
}

/// What a cluster serves; none: that is not known.
pub(super) fn kinds(random: &mut Random) -> Option<BTreeSet<String>> {
    if random.chance(30) {
        return None;
    }
    let mut kinds = BTreeSet::from(["Pod.v1".to_owned()]);
    kinds.extend(
        KINDS
            .iter()
            .filter(|_| random.chance(70))
            .map(|kind| (*kind).to_owned()),
    );
    Some(kinds)
}

pub(super) fn cluster(name: &str, random: &mut Random) -> Cluster {
    Cluster::new(name)
        .label("region", random.pick(&REGIONS).unwrap())
        .label("tier", random.pick(&TIERS).unwrap())
        .cost("cpu", i64::try_from(random.below(60)).unwrap())
}

pub(super) fn options() -> PlannerOptions {
    let storm = StormBreaker::default().domain("region").trips(2, 50);
    let budgets = Budgets::new(Rate::new(14, minutes(60)), Rate::new(7, minutes(30)));
    PlannerOptions::default().storm(storm).budgets(budgets)
}

/// A workload that may name these others.
pub(super) fn workload(name: &str, others: &[WorkloadId], now: Tick, random: &mut Random) -> Workload {
    let nature = match random.below(10) {
        0 | 1 => Nature::Singleton,
        2 => Nature::Stateful,
        _ => Nature::Stateless,
    };
    let mut made = Workload::new(name, targets(nature, random)).nature(nature);
    if random.chance(90) {
        made = made.needs(cpu(i64::try_from(random.between(1, 8)).unwrap() * 250));
    }
    made.priority = i32::try_from(random.below(4)).unwrap();
    made.preempts = random.chance(25);
    made.completes = random.chance(10);
    if random.chance(15) {
        made = made.expires(now + minutes(random.between(10, 600)));
    }
    if random.chance(20) {
        made.kinds = [random.pick(&KINDS).unwrap().to_owned()].into();
    }
    if random.chance(15) {
        let data = Data::required(random.pick(&DATA).unwrap());
        made = made.data(if random.chance(30) { data.preferred() } else { data });
    }
    if random.chance(20) {
        made = made.tolerate(Toleration::of("t").seconds(random.between(0, 2_000)));
    }
    if random.chance(20) {
        made = made.prefer(ClusterSelector::label("tier", "lab"), 30);
    }
    if random.chance(30) {
        made = made.apart_or_beside(others, random);
    }
    made.lost = match random.below(5) {
        0 => LostPolicy::Hold,
        1 => LostPolicy::Shrink,
        2 => random.pick(others).map_or(LostPolicy::Hold, LostPolicy::Follow),
        _ => LostPolicy::Respin {
            after: minutes(random.below(3) * 10),
        },
    };
    let mut moves = MovePolicy::default().price(random.below(25));
    if random.chance(40) {
        moves = moves.at_most(random.between(0, 6), minutes(60));
    }
    moves.pinned = random.chance(10);
    moves.stop_first = random.chance(15);
    made.survives = match random.below(20) {
        0 => Survives::AnyCluster,
        1 => Survives::AnyDomain("region".into()),
        _ => Survives::Nothing,
    };
    made.moves(moves)
}

trait Relate {
    fn apart_or_beside(self, others: &[WorkloadId], random: &mut Random) -> Self;
}

impl Relate for Workload {
    fn apart_or_beside(self, others: &[WorkloadId], random: &mut Random) -> Self {
        let Some(other) = random.pick(others) else {
            return self;
        };
        match random.chance(50) {
            true => self.apart(other),
            false => self.beside(other),
        }
    }
}

/// What there must never be two of is divided; everything else may be of any form.
pub(super) fn targets(nature: Nature, random: &mut Random) -> Vec<Target> {
    match nature {
        Nature::Singleton => vec![within(Target::replicas(1), random)],
        Nature::Stateful => {
            let count = random.between(1, 2);
            (0..count).map(|_| divided(random)).collect()
        }
        _ => {
            let count = if random.chance(20) { 2 } else { 1 };
            (0..count)
                .map(|_| match random.below(6) {
                    0 => within(Target::each(random.between(0, 2)), random),
                    1 => within(each_of_some(random), random),
                    _ => divided(random),
                })
                .collect()
        }
    }
}

fn each_of_some(random: &mut Random) -> Target {
    let most = u32::try_from(random.between(1, 3)).unwrap();
    Target::each(random.between(1, 3)).over_clusters(None, Some(most))
}

fn divided(random: &mut Random) -> Target {
    let mut target = Target::replicas(random.between(0, 7));
    target = target.divided_by(match random.below(6) {
        0 | 1 => DivideBy::Weight,
        2 => DivideBy::Capacity,
        3 => DivideBy::Cost,
        _ => DivideBy::Fewest,
    });
    if random.chance(25) {
        target = target.bound(
            Bound::of(ClusterSelector::label("tier", "prod"))
                .weight(random.between(1, 3))
                .min(random.below(2))
                .max(random.between(2, 4)),
        );
    }
    if random.chance(20) {
        let mut spread = Spread::over("region").min(2);
        if random.chance(50) {
            spread = spread.skew(1);
        }
        target = target.spread(spread);
    }
    if random.chance(15) {
        target = target.over_clusters(Some(2), Some(3));
    }
    within(target, random)
}

fn within(target: Target, random: &mut Random) -> Target {
    match random.below(6) {
        0 => target.within(ClusterSelector::label("tier", "prod")),
        1 => target
            .within(ClusterSelector::label("tier", "prod"))
            .within(ClusterSelector::label("tier", "lab")),
        _ => target,
    }
}

pub(super) fn effect(random: &mut Random) -> TaintEffect {
    let effects = [
        TaintEffect::NoExecute,
        TaintEffect::NoSchedule,
        TaintEffect::PreferNoSchedule,
    ];
    random.pick(&effects).unwrap()
}
