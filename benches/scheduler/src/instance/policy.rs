//! Policies: what is asked of clusters, apart from how much.

use std::collections::BTreeSet;

use fleet_core::TaintEffect;
use fleet_scheduler::{
    Bound, ClusterSelector, Data, DivideBy, Fact, Operator, Preference, Requirement, Spread, Target,
    Toleration,
};

use super::clusters::{
    DATASETS, DEDICATED, EXTRA_KINDS, KINDS, PROVIDER, PROVIDERS, Place, REGION, TAINTS, TIERS, ZONE,
};
use crate::random::Random;

/// What is asked of clusters, apart from how much: a constraint set.
#[derive(Clone, Debug)]
pub(super) struct Policy {
    /// Of a divided target, the number of replicas is set later.
    pub(super) target: Target,
    pub(super) tolerations: Vec<Toleration>,
    pub(super) kinds: BTreeSet<String>,
    pub(super) prefer: Vec<Preference>,
    pub(super) data: Vec<Data>,
}

/// How wide a policy's clusters are.
#[derive(Clone, Copy)]
enum Scope {
    Fleet,
    Provider,
    Regions,
}

impl Policy {
    pub(super) fn new(places: &[Place], random: &mut Random) -> Self {
        let scope = random.weighted(&[(5, Scope::Fleet), (3, Scope::Provider), (2, Scope::Regions)]);
        let kinds = match random.percent(40) {
            true => [*random.pick(&EXTRA_KINDS)]
                .iter()
                .chain(&KINDS)
                .map(|kind| (*kind).to_owned())
                .collect(),
            false => BTreeSet::new(),
        };
        Self {
            target: target(places, scope, random),
            tolerations: tolerations(random),
            kinds,
            prefer: preferences(places, random),
            data: data(scope, random),
        }
    }

    /// All that filters look at, as text.
    pub(super) fn constraints(&self) -> String {
        constraints(&self.target, &self.tolerations, &self.kinds, &self.data)
    }
}

/// All that filters look at in a workload that depends on no other, as text.
pub(super) fn constraints(
    target: &Target,
    tolerations: &[Toleration],
    kinds: &BTreeSet<String>,
    data: &[Data],
) -> String {
    let Target {
        clusters,
        groups,
        spread,
        ..
    } = target;
    let over: Vec<&str> = spread.iter().map(|spread| &*spread.over).collect();
    let required: Vec<&Data> = data.iter().filter(|data| !data.preferred).collect();
    format!("{clusters:?} {groups:?} {over:?} {tolerations:?} {kinds:?} {required:?}")
}

fn target(places: &[Place], scope: Scope, random: &mut Random) -> Target {
    let share = random.below(1000);
    if share < 30 {
        let count = random.within(2, 6);
        let names: BTreeSet<String> = (0..count)
            .map(|_| random.pick(places).cluster.name.clone())
            .collect();
        return Target::each(1).on(names);
    }
    let groups = groups(places, scope, random);
    let within = |target: Target| groups.into_iter().fold(target, Target::within);
    // On every cluster: a few on all of a tier, more on all of some regions.
    if share < 35 {
        return Target::each(1).within(ClusterSelector::label("tier", *random.pick(&TIERS)));
    }
    if share < 70 {
        let group = regions(places, random).and(label("tier", Operator::In, &["prod"]));
        return Target::each(random.within(1, 2)).within(group);
    }
    if share < 140 {
        return spread(within(Target::some(random.count(2, 8))), scope, random);
    }
    let by = random.weighted(&[
        (35, DivideBy::Fewest),
        (25, DivideBy::Weight),
        (20, DivideBy::Capacity),
        (20, DivideBy::Cost),
    ]);
    let mut target = spread(within(Target::replicas(1).divided_by(by)), scope, random);
    if random.percent(30) {
        let min = random.count(1, 3);
        target = target.over_clusters(Some(min), random.percent(50).then(|| min + random.count(3, 12)));
    }
    if by == DivideBy::Weight && random.percent(50) {
        for provider in PROVIDERS {
            let bound = Bound::of(ClusterSelector::label(PROVIDER, provider)).weight(random.within(1, 5));
            target = target.bound(bound);
        }
    } else if random.percent(15) {
        let small = Requirement::new(Fact::Property, "nodes", Operator::Le, ["16"]);
        let bound = Bound::of(ClusterSelector::everything().and(small));
        target = target.bound(bound.max(random.within(2, 8)));
    }
    target
}

/// Up to three groups, each wider than the one before.
fn groups(places: &[Place], scope: Scope, random: &mut Random) -> Vec<ClusterSelector> {
    let scoped = match scope {
        Scope::Fleet => ClusterSelector::everything(),
        Scope::Provider => ClusterSelector::label(PROVIDER, *random.pick(&PROVIDERS)),
        Scope::Regions => regions(places, random),
    };
    let tier = match random.below(4) {
        0 => label("tier", Operator::In, &["prod"]),
        1 => label("tier", Operator::In, &["prod", "stage"]),
        2 => label("tier", Operator::NotIn, &["stage"]),
        _ => label("tier", Operator::NotIn, &["test"]),
    };
    let mut narrow = scoped.clone().and(tier);
    if random.percent(30) {
        narrow = narrow.and(label("arch", Operator::In, &["amd64"]));
    }
    if random.percent(40) {
        let minor = random.within(30, 33).to_string();
        narrow = narrow.and(Requirement::new(Fact::Property, "minor", Operator::Ge, [minor]));
    }
    if random.percent(20) {
        let nodes = (1 << random.within(2, 4)).to_string();
        narrow = narrow.and(Requirement::new(Fact::Property, "nodes", Operator::Gt, [nodes]));
    }
    match random.below(100) {
        0..10 => Vec::new(),
        10..70 => vec![narrow],
        70..95 => vec![narrow, scoped],
        _ => vec![narrow, scoped, ClusterSelector::everything()],
    }
}

/// Two to four regions.
fn regions(places: &[Place], random: &mut Random) -> ClusterSelector {
    let count = random.within(2, 4);
    let names: Vec<&str> = (0..count)
        .map(|_| random.pick(places).cluster.labels[REGION].as_str())
        .collect();
    ClusterSelector::everything().and(label(REGION, Operator::In, &names))
}

fn label(key: &str, operator: Operator, values: &[&str]) -> Requirement {
    Requirement::new(Fact::Label, key, operator, values.iter().copied())
}

/// Over nested domains that the scope has more than one of.
fn spread(mut target: Target, scope: Scope, random: &mut Random) -> Target {
    if random.percent(45) {
        return target;
    }
    let levels: &[&str] = match scope {
        Scope::Fleet => &[PROVIDER, REGION, ZONE],
        Scope::Provider => &[REGION, ZONE],
        Scope::Regions => &[ZONE],
    };
    let depth = random.place(levels.len()) + 1;
    for level in &levels[..depth] {
        let mut spread = Spread::over(*level);
        if *level != ZONE || depth == 1 {
            spread = spread.min(2);
        }
        if random.percent(40) {
            spread = spread.max(random.count(2, 4));
        }
        if random.percent(25) {
            spread = spread.skew(random.within(1, 4));
        }
        target = target.spread(spread);
    }
    target
}

fn tolerations(random: &mut Random) -> Vec<Toleration> {
    let count = random.weighted(&[(50, 0), (25, 1), (15, 2), (10, 4)]);
    (0..count)
        .map(|_| {
            let mut toleration = Toleration::of(*random.pick(&TAINTS));
            if toleration.key.as_deref() == Some("dedicated") {
                toleration.value = Some((*random.pick(&DEDICATED)).to_owned());
            }
            if random.percent(30) {
                toleration = toleration.effect(TaintEffect::NoSchedule);
            }
            match random.percent(25) {
                true => toleration.seconds(random.within(600, 36_000)),
                false => toleration,
            }
        })
        .collect()
}

fn preferences(places: &[Place], random: &mut Random) -> Vec<Preference> {
    let count = random.weighted(&[(60, 0), (20, 1), (15, 2), (5, 3)]);
    (0..count)
        .map(|_| Preference {
            selector: match random.below(3) {
                0 => ClusterSelector::label(PROVIDER, *random.pick(&PROVIDERS)),
                1 => regions(places, random),
                _ => ClusterSelector::label("arch", "arm64"),
            },
            weight: i32::try_from(random.within(0, 150)).unwrap_or(0) - 50,
        })
        .collect()
}

fn data(scope: Scope, random: &mut Random) -> Vec<Data> {
    if random.percent(92) {
        return Vec::new();
    }
    let mut data = Data::required(format!("set-{}", random.below(DATASETS)));
    // Where few clusters are meant, none of them may have it.
    data.preferred = !matches!(scope, Scope::Fleet) || random.percent(50);
    vec![data]
}
