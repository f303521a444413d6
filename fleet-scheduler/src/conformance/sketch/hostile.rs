//! Fleets and workloads that somebody has drawn to make a part fall over.

use fleet_core::{Capacity, Cluster, Resources, Taint, TaintEffect, Tick};

use super::{Drawn, Naming, Placed, Sketch, clusters, workloads};
use crate::{
    conformance::{Dice, Suite},
    divide::MAX_REPLICAS,
    model::{Bound, ClusterInfo, Preference, Spread, Target, Toleration, Workload},
};

const NUMBERS: [i64; 7] = [i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX];
const AMOUNTS: [i64; 5] = [0, 1, 999, i64::MAX - 1, i64::MAX];
const MOMENTS: [u64; 4] = [0, 1, u64::MAX - 1, u64::MAX];
const WORDS: [&str; 5] = [
    "",
    " ",
    "ß…\u{202e}",
    "-9223372036854775808",
    "99999999999999999999",
];

impl Sketch {
    /// A hostile one; the first has no cluster at all, the second a single one.
    pub(in crate::conformance) fn hostile(suite: &Suite, dice: &mut Dice, at: usize) -> Self {
        let count = if at < 2 { at } else { 2 + dice.below(4) };
        let drawn = |dice: &mut Dice| Drawn {
            info: cluster(suite, dice),
            is_brought: false,
        };
        let now = Tick(dice.pick(&MOMENTS));
        let mut sketch = Self {
            clusters: (0..count).map(|_| Some(drawn(dice))).collect(),
            workloads: (0..6).map(|_| workload(suite, dice)).collect(),
            placed: Vec::new(),
            data: Vec::new(),
            scores: Vec::new(),
            now,
            naming: Naming::AsDrawn,
        };
        sketch.name_workloads();
        for cluster in 0..count {
            for name in &suite.data {
                sketch
                    .data
                    .push((name.clone(), cluster, Tick(dice.pick(&MOMENTS))));
            }
            for name in &suite.scores {
                let (score, until) = (dice.pick(&NUMBERS), Tick(dice.pick(&MOMENTS)));
                sketch.scores.push((name.clone(), cluster, score, until));
            }
            for workload in 0..sketch.workloads.len() {
                if dice.chance(30) {
                    sketch.placed.push(Placed {
                        workload,
                        target: 0,
                        cluster,
                        units: dice.pick(&[1, MAX_REPLICAS, u64::MAX - 1, u64::MAX]),
                        since: Tick(dice.pick(&MOMENTS)),
                    });
                }
            }
        }
        sketch
    }
}

fn cluster(suite: &Suite, dice: &mut Dice) -> ClusterInfo {
    let mut info = clusters::draw(suite, dice);
    let mut cluster: Cluster = info.cluster.clone();
    for key in suite.labels.keys() {
        if dice.chance(50) {
            cluster = cluster.label(key, dice.pick(&WORDS));
        }
    }
    for key in suite.properties.keys() {
        if dice.chance(50) {
            cluster = cluster.property(key, dice.pick(&WORDS));
        }
    }
    for of in ["replica", "cpu", "memory"] {
        cluster = cluster.cost(of, dice.pick(&NUMBERS));
    }
    let taint = Taint::new(dice.pick(&WORDS), dice.pick(&WORDS), TaintEffect::NoExecute);
    cluster = cluster.taint(taint.since(Tick(dice.pick(&MOMENTS))));
    info.cluster = cluster;
    let moment = Tick(dice.pick(&MOMENTS));
    info.capacity = Some(Capacity::new(amounts(suite, dice), amounts(suite, dice), moment));
    info
}

fn workload(suite: &Suite, dice: &mut Dice) -> Workload {
    let mut workload = workloads::draw(suite, dice);
    workload.needs = amounts(suite, dice);
    workload.priority = dice.pick(&[i32::MIN, i32::MAX]);
    let mut toleration = Toleration::everything();
    toleration.seconds = Some(dice.pick(&[0, 1, u64::MAX]));
    workload.tolerations.push(toleration);
    for preference in &mut workload.prefer {
        preference.weight = dice.pick(&[-Preference::MOST, Preference::MOST]);
    }
    workload.moves.price = dice.pick(&[0, u64::MAX]);
    workload.targets = match dice.below(4) {
        0 => Vec::new(),
        1 => vec![Target::each(dice.pick(&[0, 1, MAX_REPLICAS, u64::MAX]))],
        2 => vec![
            Target::replicas(dice.pick(&[0, MAX_REPLICAS, u64::MAX])).spread(Spread::over("").min(u32::MAX)),
        ],
        _ => vec![
            Target::replicas(MAX_REPLICAS)
                .over_clusters(Some(u32::MAX), Some(0))
                .bound(
                    Bound::of(crate::ClusterSelector::everything())
                        .weight(u64::MAX)
                        .min(u64::MAX),
                ),
        ],
    };
    workloads::alone(&mut workload);
    workload
}

fn amounts(suite: &Suite, dice: &mut Dice) -> Resources {
    let mut amounts = Resources::new();
    for name in &suite.resources {
        // None of these is negative.
        let _ = amounts.set(name, dice.pick(&AMOUNTS));
    }
    amounts
}
