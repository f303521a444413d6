//! What is placed for the least cost.

use std::collections::BTreeMap;

use fleet_core::{Capacity, Cluster, Resources, Tick};
use fleet_scheduler::*;
use proptest::prelude::*;

/// A cluster `region-number` that offers so many cores, each replica of one core at this cost.
fn cluster(name: &str, cores: u64, cost: i64) -> ClusterInfo {
    let region = name.split('-').next().unwrap();
    let offers = Resources::new().with("cpu", &cores.to_string()).unwrap();
    let declared = Cluster::new(name).label("region", region).cost("replica", cost);
    ClusterInfo::new(declared).capacity(Capacity::new(offers, Resources::new(), Tick(1)))
}

fn place(clusters: Vec<ClusterInfo>, target: Target) -> BTreeMap<String, u64> {
    let fleet = FleetView::new(clusters).unwrap();
    let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
    let needs = Resources::new().with("cpu", "1").unwrap();
    planner.set(Workload::new("web", [target.divided_by(DivideBy::Cost)]).needs(needs));
    planner.decide(&Facts::none(), Tick(10));
    let placement = planner.table().placement(&"web".into());
    let active = placement.active().into_iter();
    active.map(|(name, count)| (name.to_owned(), count)).collect()
}

#[test]
fn the_cheapest_domains_and_clusters_that_carry_it_are_taken() {
    let check = |clusters: &[(&str, u64, i64)], target: Target, expected: &[(&str, u64)]| {
        let fleet = clusters
            .iter()
            .map(|(name, cores, cost)| cluster(name, *cores, *cost));
        let expected: BTreeMap<String, u64> = expected
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        assert_eq!(place(fleet.collect(), target.clone()), expected, "{target:?}");
    };
    let regions = || Spread::over("region");
    // The best cluster of a region says little of what the region costs.
    let two = [("eu-1", 1, 1), ("eu-2", 10, 100), ("us-1", 10, 10)];
    check(&two, Target::replicas(5).spread(regions().max(1)), &[("us-1", 5)]);
    check(&two, Target::replicas(1).spread(regions().max(1)), &[("eu-1", 1)]);
    check(&two, Target::replicas(5), &[("eu-1", 1), ("us-1", 4)]);
    check(
        &two,
        Target::replicas(5).over_clusters(None, Some(1)),
        &[("us-1", 5)],
    );
    // The cheapest that carries it, not the largest.
    let sizes = [
        ("eu-1", 1, 1),
        ("eu-2", 30, 100),
        ("us-1", 10, 10),
        ("us-2", 20, 20),
    ];
    check(
        &sizes,
        Target::replicas(5).over_clusters(None, Some(1)),
        &[("us-1", 5)],
    );
    check(
        &sizes,
        Target::replicas(15).over_clusters(None, Some(1)),
        &[("us-2", 15)],
    );
    check(
        &sizes,
        Target::replicas(25).over_clusters(None, Some(1)),
        &[("eu-2", 25)],
    );
    // Domains may not differ by much: the dearer one gets as few as may be.
    let even = |skew| Target::replicas(6).spread(regions().skew(skew));
    check(&two[1..], even(1), &[("eu-2", 3), ("us-1", 3)]);
    check(&two[1..], even(2), &[("eu-2", 2), ("us-1", 4)]);
    check(&two[1..], even(4), &[("eu-2", 1), ("us-1", 5)]);
    check(&two, even(4), &[("eu-1", 1), ("us-1", 5)]);
    // What has no place is told.
    let two_even = Target::replicas(6).spread(regions().min(2).skew(1));
    check(
        &[("eu-1", 1, 1), ("us-1", 9, 9)],
        two_even,
        &[("eu-1", 1), ("us-1", 2)],
    );
    // Where all domains may be taken, they are filled by cost, whichever must have something.
    let zones = [("a-1", 100, 1000), ("b-1", 90, 1), ("c-1", 60, 2)];
    check(
        &zones,
        Target::replicas(100).spread(regions()),
        &[("b-1", 90), ("c-1", 10)],
    );
    check(
        &zones,
        Target::replicas(200).spread(regions().min(2)),
        &[("a-1", 50), ("b-1", 90), ("c-1", 60)],
    );
    let three = [("a-1", 1000, 1), ("b-1", 1000, 2), ("c-1", 1000, 100)];
    let wide = Target::replicas(300).spread(regions().min(3).skew(100));
    check(&three, wide, &[("a-1", 134), ("b-1", 132), ("c-1", 34)]);
    // A negative cost is a gain.
    let gain = [("eu-1", 3, 0), ("us-1", 2, -5)];
    check(&gain, Target::replicas(4), &[("eu-1", 2), ("us-1", 2)]);
}

/// The least cost of so many replicas on clusters of domains, none of which has so many more than another: by trying
/// everything.
fn least(domains: &[Vec<(u64, i64)>], replicas: u64, skew: u64) -> Option<i64> {
    fn fill(domain: &[(u64, i64)], count: u64) -> Option<i64> {
        let mut all: Vec<i64> = Vec::new();
        for (cores, cost) in domain {
            all.extend(std::iter::repeat_n(*cost, usize::try_from(*cores).unwrap()));
        }
        all.sort_unstable();
        let count = usize::try_from(count).unwrap();
        (all.len() >= count).then(|| all[..count].iter().sum())
    }
    fn go(domains: &[Vec<(u64, i64)>], rest: u64, low: u64, high: u64) -> Option<i64> {
        let Some((first, others)) = domains.split_first() else {
            return (rest == 0).then_some(0);
        };
        let counts = low..=high.min(rest);
        counts
            .filter_map(|count| Some(fill(first, count)? + go(others, rest - count, low, high)?))
            .min()
    }
    (0..=replicas)
        .filter_map(|low| go(domains, replicas, low, low + skew))
        .min()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn where_domains_may_not_differ_by_much_it_costs_the_least(
        domains in prop::collection::vec((1_i64..50, prop::collection::vec((1_u64..4, -9_i64..50), 0..3)), 1..4),
        replicas in 1_u64..12,
        skew in 1_u64..4,
    ) {
        // One cluster of each domain carries everything, so that no domain is left out.
        let domains: Vec<Vec<(u64, i64)>> = domains.into_iter().map(|(dear, mut others)| {
            others.push((12, dear));
            others
        }).collect();
        let named = |(region, clusters): (usize, &Vec<(u64, i64)>)| {
            let named = clusters.iter().enumerate();
            named.map(|(at, (cores, cost))| cluster(&format!("r{region}-{at}"), *cores, *cost)).collect::<Vec<_>>()
        };
        let fleet: Vec<ClusterInfo> = domains.iter().enumerate().flat_map(named).collect();
        let costs: BTreeMap<String, i64> = fleet.iter()
            .map(|info| (info.name().to_owned(), info.cluster.cost["replica"])).collect();
        let placed = place(fleet, Target::replicas(replicas).spread(Spread::over("region").skew(skew)));
        prop_assert_eq!(placed.values().sum::<u64>(), replicas);
        let cost: i64 = placed.iter().map(|(name, count)| costs[name] * i64::try_from(*count).unwrap()).sum();
        prop_assert_eq!(Some(cost), least(&domains, replicas, skew), "{:?}", placed);
    }
}
