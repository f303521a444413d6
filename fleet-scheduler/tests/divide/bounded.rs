use fleet_scheduler::divide::{
    Division, DomainLimit, Holder, Level, Limit, Party, Skew, Spread, Ties, bounded, by_capacity, webster,
};
use proptest::prelude::*;

use super::model::{self, NAMES, Node};

fn region() -> Level<'static> {
    Level::new("region")
}

/// Two clusters in `eu`, one in `us`.
fn three() -> [Party<'static>; 3] {
    [("a", "eu"), ("b", "eu"), ("c", "us")].map(|(name, region)| Party::new(name).domains([region]))
}

fn check(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64, expect: &[u64]) -> Division {
    let division = bounded(parties, spread, replicas).expect("valid input");
    assert_eq!(
        division.replicas, expect,
        "{replicas} over {parties:?} in {spread:?}"
    );
    assert_eq!(division.placed() + division.shortfall, replicas);
    division
}

fn unmet(division: &Division) -> Vec<(Holder, u64, Limit)> {
    division
        .unmet
        .iter()
        .map(|unmet| (unmet.holder.clone(), unmet.missing, unmet.limit))
        .collect()
}

#[test]
fn limits_of_clusters() {
    let none = Spread::none();
    let parties = [
        Party::new("a").max(2),
        Party::new("b").min(3),
        Party::new("c").weight(5).capacity(6),
    ];
    let division = check(&parties, &none, 20, &[2, 12, 6]);
    assert_eq!(division.limits, [Some(Limit::Max), None, Some(Limit::Capacity)]);
    check(&parties, &none, 3, &[0, 3, 0]);
    check(&parties, &none, 4, &[0, 3, 1]);
    // Fewer replicas than minimums: by weight, and the total is what is missing.
    let needy = [Party::new("a").min(4), Party::new("b").min(4).weight(2)];
    let division = check(&needy, &none, 3, &[1, 2]);
    let total = |i, missing| (Holder::Party(i), missing, Limit::Total);
    assert_eq!(unmet(&division), [total(0, 3), total(1, 2)]);
    // Without weight there is the minimum and no more.
    let idle = [Party::new("a").weight(0).min(2), Party::new("b").weight(0)];
    let division = check(&idle, &none, 5, &[2, 0]);
    assert_eq!(
        (division.shortfall, &division.limits[..]),
        (3, &[Some(Limit::Weight); 2][..])
    );
    let division = check(&[Party::new("a").min(3).capacity(1)], &none, 5, &[1]);
    assert_eq!(unmet(&division), [(Holder::Party(0), 2, Limit::Capacity)]);
    check(&[], &none, 5, &[]);
}

#[test]
fn domains_have_limits() {
    let parties = three();
    // By domain first: a region's weight is the sum of its clusters'.
    check(&parties, &Spread::none().level(region()), 6, &[2, 2, 2]);
    let division = check(&parties, &Spread::none().level(region().max(3)), 9, &[2, 1, 3]);
    assert_eq!(division.limits, [Some(Limit::DomainMax { depth: 1 }); 3]);
    let only_eu = Spread::none()
        .level(region())
        .domain(DomainLimit::new(["eu"]).max(1));
    check(&parties, &only_eu, 9, &[1, 0, 8]);
    let least = Spread::none().level(region().min(2));
    check(&parties, &least, 4, &[1, 1, 2]);
    check(&parties, &least, 3, &[1, 1, 1]);
    // A minimum that no cluster can hold, and one of a domain that does not exist.
    let full = [
        Party::new("a").domains(["eu"]).capacity(1),
        Party::new("c").domains(["us"]),
    ];
    let spread = Spread::none()
        .level(region())
        .domain(DomainLimit::new(["eu"]).min(3));
    let spread = spread.domain(DomainLimit::new(["ap"]).min(2));
    let division = check(&full, &spread, 5, &[1, 4]);
    let domain = |name: &str, missing| (Holder::Domain(vec![name.into()]), missing, Limit::Members);
    assert_eq!(unmet(&division), [domain("ap", 2), domain("eu", 2)]);
}

#[test]
fn skew_is_held() {
    let parties = three();
    let hard = Spread::none().level(region().skew(Skew::hard(1)));
    check(&parties, &hard, 7, &[2, 2, 3]);
    let mut full = three();
    full[2].capacity = Some(1);
    let division = check(&full, &hard, 7, &[1, 1, 1]);
    assert_eq!(division.shortfall, 4);
    let skew = Some(Limit::Skew { depth: 1 });
    assert_eq!(division.limits, [skew, skew, Some(Limit::Capacity)]);
    let soft = Spread::none().level(region().skew(Skew::soft(1)));
    check(&full, &soft, 7, &[3, 3, 1]);
    // A region that may have nothing by policy does not count.
    full[2] = Party::new("c").domains(["us"]).max(0);
    check(&full, &hard, 7, &[4, 3, 0]);
    // Between clusters.
    let weights = [Party::new("a").weight(9), Party::new("b")];
    check(&weights, &Spread::none().clusters(Skew::hard(2)), 8, &[5, 3]);
}

#[test]
fn minimums_give_way_to_skew() {
    let mut parties = three();
    parties[2].min = 4;
    let hard = Spread::none().level(region().skew(Skew::hard(1)));
    // The other region gets what it must have so that this one may reach its minimum.
    check(&parties, &hard, 7, &[2, 1, 4]);
    let division = check(&parties, &hard, 4, &[1, 1, 2]);
    assert_eq!(unmet(&division), [(Holder::Party(2), 2, Limit::Total)]);
    parties[0].max = Some(1);
    parties[1].max = Some(0);
    let division = check(&parties, &hard, 9, &[1, 0, 2]);
    assert_eq!(
        unmet(&division),
        [(Holder::Party(2), 2, Limit::Skew { depth: 1 })]
    );
}

#[test]
fn the_innermost_limit_is_named() {
    let skewed = || Spread::none().clusters(Skew::hard(1));
    let domain = |name: &str, missing, limit| vec![(Holder::Domain(vec![name.into()]), missing, limit)];
    let mut parties =
        [("a", "eu"), ("b", "eu")].map(|(name, region)| Party::new(name).domains([region, name]));
    parties[1].capacity = Some(1);
    // Clusters that wait for a full one leave nobody in the region who could take more.
    let division = check(&parties, &skewed().level(region().min(5)), 9, &[2, 1]);
    assert_eq!(
        division.limits,
        [Some(Limit::Skew { depth: 2 }), Some(Limit::Capacity)]
    );
    assert_eq!(unmet(&division), domain("eu", 2, Limit::Members));
    // So do zones that are full.
    let zones = Spread::none()
        .level(region().min(5))
        .level(Level::new("zone").max(1));
    let division = check(&parties, &zones, 9, &[1, 1]);
    assert_eq!(
        division.limits,
        [Some(Limit::DomainMax { depth: 2 }), Some(Limit::Capacity)]
    );
    assert_eq!(unmet(&division), domain("eu", 3, Limit::Members));
    // A skew inside comes before the maximum around it.
    let division = check(&parties, &skewed().level(region().max(3)), 9, &[2, 1]);
    assert_eq!(division.limits[0], Some(Limit::Skew { depth: 2 }));
    // What limits a region's members comes before what limits the region.
    let both = [
        Party::new("a").domains(["eu"]).capacity(1),
        Party::new("b").domains(["us"]).capacity(0),
    ];
    let spread = || Spread::none().level(region().skew(Skew::hard(1)));
    let division = check(
        &both,
        &spread().domain(DomainLimit::new(["eu"]).min(3)),
        9,
        &[1, 0],
    );
    assert_eq!(unmet(&division), domain("eu", 2, Limit::Members));
    let mut open = both;
    open[0].capacity = None;
    let division = check(
        &open,
        &spread().domain(DomainLimit::new(["eu"]).min(3)),
        9,
        &[1, 0],
    );
    assert_eq!(unmet(&division), domain("eu", 2, Limit::Skew { depth: 1 }));
    // A zone's minimum that its region's maximum does not allow.
    let narrow = Spread::none().level(region().max(1)).level(Level::new("zone"));
    let division = check(
        &parties,
        &narrow.domain(DomainLimit::new(["eu", "a"]).min(4)),
        9,
        &[1, 0],
    );
    let zone = Holder::Domain(vec!["eu".into(), "a".into()]);
    assert_eq!(unmet(&division), [(zone, 3, Limit::DomainMax { depth: 1 })]);
}

#[test]
fn in_proportion_to_capacity() {
    let parties = [
        Party::new("a").capacity(10),
        Party::new("b").capacity(30),
        Party::new("c").capacity(0),
    ];
    assert_eq!(
        by_capacity(&parties, &Spread::none(), 8).expect("valid").replicas,
        [2, 6, 0]
    );
    let division = by_capacity(&parties, &Spread::none(), 50).expect("valid");
    assert_eq!(
        (&division.replicas[..], division.shortfall),
        (&[10, 30, 0][..], 10)
    );
    let unknown = [Party::new("a"), Party::new("b").capacity(4)];
    assert_eq!(
        by_capacity(&unknown, &Spread::none(), 8).expect("valid").replicas,
        [5, 3]
    );
}

/// Every limit that must hold, in a tree of the model with these counts in it.
fn held(node: &Node, parties: &[Party<'_>], counts: &[u64]) -> Result<u64, TestCaseError> {
    if let Some(i) = node.party {
        let most = [parties[i].max, parties[i].capacity, parties[i].limit];
        prop_assert!(most.into_iter().flatten().all(|most| counts[i] <= most));
        prop_assert!(parties[i].weight > 0 || counts[i] <= parties[i].min);
        return Ok(counts[i]);
    }
    let inside: Result<Vec<u64>, _> = node
        .children
        .iter()
        .map(|child| held(child, parties, counts))
        .collect();
    let inside = inside?;
    let total = inside.iter().sum();
    prop_assert!(total <= node.max);
    if let Some(skew) = node.skew {
        let most = *inside.iter().max().expect("no domain is empty");
        for (child, count) in node.children.iter().zip(&inside) {
            let full = !skew.full_counts && *count == child.usable;
            prop_assert!(!child.eligible || full || most <= count + skew.most);
        }
    }
    Ok(total)
}

/// What is missing to the minimums in a tree with these counts in it.
fn missing(node: &Node, counts: &[u64], missed: &mut Vec<u64>) -> u64 {
    let count = match node.party {
        Some(i) => counts[i],
        None => node
            .children
            .iter()
            .map(|child| missing(child, counts, missed))
            .sum(),
    };
    missed.extend(node.min.checked_sub(count).filter(|missing| *missing > 0));
    count
}

/// By trying all answers that hold every limit, for small input: how many can be placed, and whether all can be with
/// all minimums reached.
fn feasible(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64) -> (u64, bool) {
    let root = Node::root(parties, spread, false);
    let mut counts = vec![0; parties.len()];
    let (mut most, mut all_minimums) = (0, false);
    loop {
        let total: u64 = counts.iter().sum();
        if total <= replicas && held(&root, parties, &counts).is_ok() {
            let mut missed = Vec::new();
            missing(&root, &counts, &mut missed);
            most = most.max(total);
            all_minimums |= total == replicas && missed.is_empty();
        }
        let Some(next) = counts.iter().position(|count| *count < replicas) else {
            return (most, all_minimums);
        };
        counts[..next].fill(0);
        counts[next] += 1;
    }
}

/// Whether any party is in the domain, or it is a party.
fn present(holder: &Holder, parties: &[Party<'_>]) -> bool {
    match holder {
        Holder::Party(_) => true,
        Holder::Domain(path) => parties
            .iter()
            .any(|party| party.domains.iter().zip(path).all(|(a, b)| a == b)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn equals_one_by_one(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        replicas in 0..90u64,
    ) {
        let division = bounded(&parties, &spread, replicas).expect("valid input");
        prop_assert_eq!(&division.replicas, &model::bounded(&parties, &spread, replicas));
        prop_assert_eq!(division.placed() + division.shortfall, replicas);
        let root = Node::root(&parties, &spread, false);
        held(&root, &parties, &division.replicas)?;
        let mut missed = Vec::new();
        missing(&root, &division.replicas, &mut missed);
        let unmet = division.unmet.iter().filter(|unmet| present(&unmet.holder, &parties));
        let mut reported: Vec<u64> = unmet.map(|unmet| unmet.missing).collect();
        missed.sort_unstable();
        reported.sort_unstable();
        prop_assert_eq!(reported, missed);
    }

    #[test]
    fn limits_are_named_exactly_where_there_are_some(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        replicas in 0..90u64,
    ) {
        let division = bounded(&parties, &spread, replicas).expect("valid input");
        let root = Node::root(&parties, &spread, false);
        for i in 0..parties.len() {
            let mut more = division.replicas.clone();
            more[i] += 1;
            let free = held(&root, &parties, &more).is_ok();
            prop_assert_eq!(division.limits[i].is_none(), free, "{} of {:?}", i, division);
        }
        prop_assert!(division.shortfall == 0 || division.limits.iter().all(Option::is_some), "{:?}", division);
    }

    #[test]
    fn is_house_monotone(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        replicas in 0..90u64,
    ) {
        let some = bounded(&parties, &spread, replicas).expect("valid input").replicas;
        let more = bounded(&parties, &spread, replicas + 1).expect("valid input").replicas;
        prop_assert!(some.iter().zip(&more).all(|(some, more)| some <= more), "{:?} {:?}", some, more);
    }

    #[test]
    fn order_of_input_is_irrelevant(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        replicas in 0..60u64,
        by in 0..8usize,
    ) {
        let mut straight = bounded(&parties, &spread, replicas).expect("valid input");
        let mut turned = parties.clone();
        turned.rotate_left(by % parties.len());
        straight.replicas.rotate_left(by % parties.len());
        straight.limits.rotate_left(by % parties.len());
        let answer = bounded(&turned, &spread, replicas).expect("valid input");
        prop_assert_eq!((answer.replicas, answer.limits), (straight.replicas, straight.limits));
    }

    #[test]
    fn renaming_clusters_in_order_changes_nothing(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        replicas in 0..60u64,
    ) {
        let names = ["k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8"];
        let mut renamed = parties.clone();
        renamed.iter_mut().zip(names).for_each(|(party, name)| party.name = name);
        prop_assert_eq!(bounded(&renamed, &spread, replicas), bounded(&parties, &spread, replicas));
    }

    #[test]
    fn without_limits_it_is_webster(
        weights in prop::collection::vec(any::<u64>(), 1..8),
        replicas in 0..1_000_000u64,
    ) {
        let named = NAMES.iter().zip(&weights);
        let parties: Vec<_> = named.map(|(name, weight)| Party::new(name).weight(*weight)).collect();
        let plain = webster(&parties, replicas, Ties::default()).expect("valid input").replicas;
        prop_assert_eq!(bounded(&parties, &Spread::none(), replicas).expect("valid input").replicas, plain);
    }

    #[test]
    fn capacities_as_weights_are_not_exceeded(
        caps in prop::collection::vec(0..100_000u64, 1..8),
        part in 0..=100u64,
    ) {
        let all: Vec<_> = NAMES.iter().zip(&caps).map(|(name, cap)| Party::new(name).capacity(*cap)).collect();
        let replicas = caps.iter().sum::<u64>() * part / 100;
        let division = by_capacity(&all, &Spread::none(), replicas).expect("valid input");
        let votes: Vec<_> = NAMES.iter().zip(&caps).map(|(name, cap)| Party::new(name).weight(*cap)).collect();
        prop_assert_eq!(division.replicas, webster(&votes, replicas, Ties::default()).expect("valid input").replicas);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn places_all_that_can_be_placed(
        parties in model::parties(4, 4),
        spread in model::spread(4),
        replicas in 0..6u64,
    ) {
        let mut spread = spread;
        let skews = spread.levels.iter_mut().map(|level| &mut level.skew).chain([&mut spread.clusters]);
        skews.flatten().for_each(|skew| skew.full_counts = true);
        let division = bounded(&parties, &spread, replicas).expect("valid input");
        let (most, all_minimums) = feasible(&parties, &spread, replicas);
        prop_assert_eq!(division.placed(), most);
        let missed = division.unmet.iter().any(|unmet| present(&unmet.holder, &parties));
        prop_assert!(!(all_minimums && missed), "{:?}", division);
    }

    #[test]
    fn a_soft_skew_leaves_nothing_unplaced(
        parties in model::parties(4, 4),
        spread in model::spread(4),
        replicas in 0..6u64,
    ) {
        let mut soft = spread;
        let skews = soft.levels.iter_mut().map(|level| &mut level.skew).chain([&mut soft.clusters]);
        skews.flatten().for_each(|skew| skew.full_counts = false);
        let mut none = soft.clone();
        none.levels.iter_mut().map(|level| &mut level.skew).chain([&mut none.clusters]).for_each(|skew| *skew = None);
        let division = bounded(&parties, &soft, replicas).expect("valid input");
        prop_assert_eq!(division.placed(), feasible(&parties, &none, replicas).0);
    }
}
