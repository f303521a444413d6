//! Counts and weights at the ends of their ranges. No method may take time in proportion to replicas: a billion would
//! then not finish here.

use fleet_scheduler::divide::{
    Level, MAX_REPLICAS, Mode, Party, Skew, Spread, Ties, aggregated, bounded, by_capacity, clusternet,
    karmada, largest_remainder,
    planner::{Planner, plan},
    steady, webster,
};

const BILLION: u64 = 1_000_000_000;
const REGIONS: [&str; 7] = ["r0", "r1", "r2", "r3", "r4", "r5", "r6"];

fn names() -> Vec<String> {
    (0..1000).map(|i| format!("c{i:05}")).collect()
}

/// Uneven weights, some of them huge, in seven regions; every third cluster has a capacity, every fifth a minimum.
fn fleet(names: &[String]) -> Vec<Party<'_>> {
    let weight = |i: usize| ((i as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (i % 40)).max(1);
    let capacity = |i: usize| i.is_multiple_of(3).then_some(BILLION / 500);
    let min = |i: usize| if i.is_multiple_of(5) { 1000 } else { 0 };
    let named = names.iter().map(|name| Party::new(name)).enumerate();
    named
        .map(|(i, party)| {
            party
                .weight(weight(i))
                .capacity(capacity(i))
                .min(min(i))
                .domains([REGIONS[i % 7]])
        })
        .collect()
}

#[test]
fn a_billion_replicas_over_a_thousand_clusters() {
    let names = names();
    let mut parties = fleet(&names);
    let none = Spread::none();
    let hard = Spread::none()
        .level(Level::new("region").skew(Skew::hard(3)))
        .clusters(Skew::soft(BILLION / 800));
    let soft = Spread::none().level(Level::new("region").max(BILLION / 4).skew(Skew::soft(1)));
    let mut answers = vec![
        webster(&parties, BILLION, Ties::NameDescending).expect("valid"),
        largest_remainder(&parties, BILLION).expect("valid"),
        aggregated(&parties, BILLION, Mode::Fresh).expect("valid"),
        clusternet::static_weight(&parties, BILLION).expect("valid"),
        clusternet::dynamic(&parties, BILLION).expect("valid"),
        karmada::dynamic_weight(&parties, BILLION, Mode::Fresh, Ties::default()).expect("fits"),
        karmada::aggregated(&parties, BILLION, Mode::Fresh, Ties::default()).expect("fits"),
        plan(&parties, BILLION, "", Planner::Kubefed { rebalance: false })
            .expect("valid")
            .division,
    ];
    for spread in [&none, &hard, &soft] {
        let first = bounded(&parties, spread, BILLION).expect("valid");
        answers.push(first.clone());
        answers.push(by_capacity(&parties, spread, BILLION).expect("valid"));
        let more = bounded(&parties, spread, BILLION + 1).expect("valid");
        assert!(
            first
                .replicas
                .iter()
                .zip(&more.replicas)
                .all(|(some, more)| some <= more)
        );
        parties
            .iter_mut()
            .zip(&first.replicas)
            .for_each(|(party, now)| party.current = *now);
        let half = steady(&parties, spread, BILLION / 2).expect("valid");
        assert!(
            first
                .replicas
                .iter()
                .zip(&half.replicas)
                .all(|(now, then)| then <= now)
        );
        assert_eq!(half.placed(), BILLION / 2);
        answers.push(steady(&parties, spread, BILLION).expect("valid"));
    }
    for (i, answer) in answers.iter().enumerate() {
        assert_eq!(answer.placed() + answer.shortfall, BILLION, "method {i}");
    }
}

#[test]
fn the_largest_of_everything() {
    let parties = [
        Party::new("a")
            .weight(u64::MAX)
            .current(MAX_REPLICAS)
            .max(u64::MAX)
            .capacity(u64::MAX),
        Party::new("b")
            .weight(u64::MAX)
            .current(MAX_REPLICAS)
            .min(MAX_REPLICAS)
            .limit(u64::MAX),
        Party::new("c").weight(1).domains(["x"]),
    ];
    let none = Spread::none();
    let hard = Spread::none().clusters(Skew::hard(u64::MAX));
    let total = |counts: &[u64]| counts.iter().sum::<u64>();
    for replicas in [0, 1, MAX_REPLICAS - 1, MAX_REPLICAS] {
        for spread in [&none, &hard] {
            assert_eq!(
                total(&bounded(&parties, spread, replicas).expect("valid").replicas),
                replicas
            );
            assert_eq!(
                total(&steady(&parties, spread, replicas).expect("valid").replicas),
                replicas
            );
            assert_eq!(
                total(&by_capacity(&parties, spread, replicas).expect("valid").replicas),
                replicas
            );
        }
        assert_eq!(
            total(
                &webster(&parties, replicas, Ties::default())
                    .expect("valid")
                    .replicas
            ),
            replicas
        );
        assert_eq!(
            total(&largest_remainder(&parties, replicas).expect("valid").replicas),
            replicas
        );
        assert_eq!(
            total(
                &aggregated(&parties, replicas, Mode::Steady)
                    .expect("valid")
                    .replicas
            ),
            replicas
        );
        for mode in [Mode::Fresh, Mode::Steady] {
            let weighted = karmada::dynamic_weight(&parties, replicas, mode, Ties::default());
            assert_eq!(total(&weighted.expect("fits").replicas), replicas);
        }
        for avoid_disruption in [false, true] {
            let planner = Planner::KubeAdmiral {
                avoid_disruption,
                keep_unschedulable: false,
            };
            assert_eq!(
                total(&plan(&parties, replicas, "", planner).expect("valid").asked()),
                replicas
            );
        }
    }
}

#[test]
fn extreme_weights_under_a_skew() {
    let parties = [
        Party::new("a").weight(u64::MAX),
        Party::new("b").weight(1),
        Party::new("c").weight(u64::MAX),
    ];
    let hard = Spread::none().clusters(Skew::hard(1));
    let third = MAX_REPLICAS / 3;
    assert_eq!(
        bounded(&parties, &hard, MAX_REPLICAS).expect("valid").replicas,
        [third; 3]
    );
    assert_eq!(
        bounded(&parties, &hard, MAX_REPLICAS - 1)
            .expect("valid")
            .replicas,
        [third, third - 1, third]
    );
    let mut full = parties;
    full[1].capacity = Some(5);
    let soft = Spread::none().clusters(Skew::soft(1));
    let half = (MAX_REPLICAS - 5) / 2;
    assert_eq!(
        bounded(&full, &soft, MAX_REPLICAS).expect("valid").replicas,
        [half, 5, half]
    );
    assert_eq!(
        bounded(&full, &hard, MAX_REPLICAS).expect("valid").replicas,
        [6, 5, 6]
    );
}
