//! Workloads that are drawn.

use fleet_core::{Millis, Resources, TaintEffect};

use super::{CLUSTERS, VARIANTS, WORKLOADS, clusters, world::drawn_name};
use crate::{
    conformance::{Dice, Suite},
    model::{
        Bound, ClusterSelector, Data, DivideBy, Fact, LostPolicy, MovePolicy, Nature, Operator, Preference,
        Relation, Requirement, Spread, Take, Target, Toleration, Workload,
    },
};

/// What the workload of a number is called.
pub(super) fn name(at: usize) -> String {
    format!("team/w{at:02}")
}

/// How many replicas one unit of a target is.
pub(in crate::conformance) fn unit(target: &Target) -> u64 {
    match &target.take {
        Take::Each { replicas, .. } => (*replicas).max(1),
        Take::Divided { .. } => 1,
    }
}

/// A workload as there might be one; its name comes later.
pub(super) fn draw(suite: &Suite, dice: &mut Dice) -> Workload {
    let targets: Vec<Target> = (0..=dice.below(2)).map(|at| target(at, suite, dice)).collect();
    let mut workload = Workload::new("", targets);
    workload.needs = needs(suite, dice);
    workload.tolerations = tolerations(dice);
    workload.prefer = preferences(suite, dice);
    workload.beside = relations(dice, 15);
    workload.apart = relations(dice, 25);
    workload.data = data(suite, dice);
    workload.kinds = dice
        .maybe(40, &clusters::KINDS)
        .map(str::to_owned)
        .into_iter()
        .collect();
    rest(&mut workload, dice);
    alone(&mut workload);
    workload
}

/// Of a singleton there is one: what is drawn with more is something else of which there must never be two.
pub(super) fn alone(workload: &mut Workload) {
    let is_one = match workload.targets.as_slice() {
        [target] => match &target.take {
            Take::Divided { replicas, .. } => *replicas <= 1,
            Take::Each { replicas, clusters } => *replicas <= 1 && *clusters == Some(1),
        },
        _ => false,
    };
    if workload.nature == Nature::Singleton && !is_one {
        workload.nature = Nature::Stateful;
    }
}

/// The same workload but for one thing.
pub(super) fn variant(base: &Workload, suite: &Suite, dice: &mut Dice) -> Workload {
    let other = draw(suite, dice);
    let mut workload = base.clone();
    workload.name = other.name;
    match dice.below(10) {
        0 => workload.needs = other.needs,
        1 => workload.tolerations = other.tolerations,
        2 => workload.prefer = other.prefer,
        3 => workload.beside = other.beside,
        4 => workload.apart = other.apart,
        5 => workload.data = other.data,
        6 => workload.kinds = other.kinds,
        7 => workload.targets = other.targets,
        8 => {
            (workload.priority, workload.preempts) = (other.priority, other.preempts);
            (workload.nature, workload.lost, workload.moves) = (other.nature, other.lost, other.moves);
        }
        _ => (workload.uid, workload.completes) = (other.uid, !base.completes),
    }
    alone(&mut workload);
    workload
}

/// Makes a workload one that has several clusters to choose from.
pub(super) fn ease(workload: &mut Workload, dice: &mut Dice) {
    for target in &mut workload.targets {
        target.clusters.clear();
        if dice.chance(60) {
            target.groups.clear();
        }
    }
    if dice.chance(60) {
        workload.data.clear();
        workload.beside.retain(|relation| relation.preferred);
    }
}

/// What no constraint is about.
fn rest(workload: &mut Workload, dice: &mut Dice) {
    workload.uid = dice.pick(&["", "3f0e", "b7c1"]).into();
    workload.priority = dice.signed(2);
    workload.completes = dice.chance(30);
    workload.nature = dice.pick(&[
        Nature::Stateless,
        Nature::Stateless,
        Nature::Singleton,
        Nature::Stateful,
    ]);
    workload.lost = match dice.below(3) {
        0 => LostPolicy::Hold,
        1 => LostPolicy::Shrink,
        _ => LostPolicy::Respin {
            after: Millis::from_mins(dice.number(20)),
        },
    };
    workload.moves = MovePolicy::default().price(dice.number(40));
}

fn target(at: usize, suite: &Suite, dice: &mut Dice) -> Target {
    let mut target = match dice.below(5) {
        0 => Target::each(1 + dice.number(2)),
        1 => Target::some(1 + u32::try_from(dice.below(4)).unwrap_or(0)),
        _ => divided(dice),
    };
    target.name = format!("t{}", at + 1);
    if dice.chance(30) {
        target.groups.push(selector(suite, dice));
    } else if dice.chance(15) {
        let count = 1 + dice.below(4);
        target.clusters = (0..count).map(|_| drawn_name(dice.below(CLUSTERS))).collect();
        target.clusters.sort();
        target.clusters.dedup();
    }
    if dice.chance(30) {
        let over = dice.pick(&["region", "zone"]);
        let mut spread = Spread::over(over);
        spread.min = dice.maybe(40, &[1, 2]);
        spread.max = dice.maybe(30, &[2, 3]);
        spread.skew = dice.maybe(20, &[1, 2]);
        target.spread.push(spread);
    }
    target
}

fn divided(dice: &mut Dice) -> Target {
    let by = dice.pick(&[
        DivideBy::Fewest,
        DivideBy::Weight,
        DivideBy::Capacity,
        DivideBy::Cost,
    ]);
    let mut target = Target::replicas(1 + dice.number(24)).divided_by(by);
    if dice.chance(25) {
        let min = dice.maybe(50, &[1, 2]);
        target = target.over_clusters(min, dice.maybe(60, &[2, 3, 4]));
    }
    if dice.chance(25) {
        let mut bound = Bound::cluster(drawn_name(dice.below(CLUSTERS))).weight(dice.number(5));
        bound.min = dice.number(2);
        bound.max = dice.maybe(50, &[2, 5]);
        target = target.bound(bound);
    }
    target
}

fn needs(suite: &Suite, dice: &mut Dice) -> Resources {
    let mut needs = Resources::new();
    for name in &suite.resources {
        let percent = if name == "cpu" { 90 } else { 40 };
        if dice.chance(percent) {
            let amount = i64::try_from(1 + dice.number(3)).unwrap_or(1) * clusters::scale(name);
            // What is drawn is never negative.
            let _ = needs.set(name, amount);
        }
    }
    needs
}

fn tolerations(dice: &mut Dice) -> Vec<Toleration> {
    let mut list = Vec::new();
    for key in clusters::TAINTS {
        if dice.chance(35) {
            let mut toleration = Toleration::of(key);
            toleration.effect = dice.maybe(30, &[TaintEffect::NoExecute, TaintEffect::NoSchedule]);
            toleration.seconds = dice.maybe(40, &[30, 300, 1_200]);
            list.push(toleration);
        }
    }
    list
}

fn selector(suite: &Suite, dice: &mut Dice) -> ClusterSelector {
    let labels: Vec<(&String, &Vec<String>)> = suite.labels.iter().collect();
    let (key, values) = dice.pick(&labels);
    let requirement = match (dice.below(3), values.is_empty()) {
        (0, _) | (_, true) => Requirement::new(Fact::Label, key, Operator::Exists, Vec::<String>::new()),
        (1, _) => Requirement::new(Fact::Label, key, Operator::NotIn, [dice.pick(values)]),
        _ => Requirement::new(Fact::Label, key, Operator::In, [dice.pick(values)]),
    };
    ClusterSelector::everything().and(requirement)
}

fn preferences(suite: &Suite, dice: &mut Dice) -> Vec<Preference> {
    let count = dice.below(3);
    let one = |_| Preference {
        selector: selector(suite, dice),
        weight: dice.signed(100),
    };
    (0..count).map(one).collect()
}

fn relations(dice: &mut Dice, percent: usize) -> Vec<Relation> {
    let mut list = Vec::new();
    if dice.chance(percent) {
        let mut relation = Relation::required(name(dice.below(WORKLOADS * (VARIANTS + 1))));
        relation.over = dice.maybe(40, &["region".to_owned(), "zone".to_owned()]);
        relation.preferred = dice.chance(50);
        list.push(relation);
    }
    list
}

fn data(suite: &Suite, dice: &mut Dice) -> Vec<Data> {
    let mut list = Vec::new();
    for name in &suite.data {
        if dice.chance(25) {
            let mut data = Data::required(name);
            data.preferred = dice.chance(50);
            list.push(data);
        }
    }
    list
}
