use fleet_scheduler::divide::{Division, Level, Party, Skew, Spread, steady};
use proptest::prelude::*;

use super::model;

fn check(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64, expect: &[u64]) -> Division {
    let division = steady(parties, spread, replicas).expect("valid input");
    assert_eq!(
        division.replicas, expect,
        "{replicas} over {parties:?} in {spread:?}"
    );
    division
}

#[test]
fn vectors() {
    let none = Spread::none();
    let joined = [
        Party::new("a").current(6),
        Party::new("b").current(6),
        Party::new("c"),
    ];
    check(&joined, &none, 12, &[6, 6, 0]);
    check(&joined, &none, 15, &[6, 6, 3]);
    check(&joined, &none, 9, &[5, 4, 0]);
    check(&joined, &none, 0, &[0, 0, 0]);
    // What is furthest above its share loses first.
    let uneven = [Party::new("a").weight(3).current(4), Party::new("b").current(4)];
    check(&uneven, &none, 6, &[4, 2]);
    check(&uneven, &none, 3, &[2, 1]);
    // A drained cluster loses all, also with the same total.
    let drained = [Party::new("a").max(0).current(4), Party::new("b").current(4)];
    check(&drained, &none, 8, &[0, 8]);
    let shrunk = [
        Party::new("a").capacity(1).current(4),
        Party::new("b").current(4).max(5),
    ];
    assert_eq!(check(&shrunk, &none, 8, &[1, 5]).shortfall, 2);
    // Minimums are touched last, and catch up first.
    let minimum = [
        Party::new("a").min(3).current(3),
        Party::new("b").weight(9).current(3),
    ];
    check(&minimum, &none, 4, &[3, 1]);
    check(&minimum, &none, 2, &[2, 0]);
    check(
        &[Party::new("a").weight(9).current(3), Party::new("b").min(2)],
        &none,
        5,
        &[3, 2],
    );
    // Without weight nothing is added, and it loses first.
    let idle = [Party::new("a").weight(0).current(4), Party::new("b").current(4)];
    check(&idle, &none, 8, &[4, 4]);
    check(&idle, &none, 9, &[4, 5]);
    check(&idle, &none, 5, &[1, 4]);
}

#[test]
fn a_skew_moves_nothing_but_steers() {
    let spread = Spread::none().level(Level::new("region").skew(Skew::hard(1)));
    let party = |name, region, now| Party::new(name).domains([region]).current(now);
    let parties = [party("a", "eu", 4), party("b", "us", 0)];
    check(&parties, &spread, 4, &[4, 0]);
    check(&parties, &spread, 6, &[4, 2]);
    check(&parties, &spread, 10, &[5, 5]);
    check(&parties, &spread, 2, &[2, 0]);
    let even = [party("a", "eu", 4).weight(9), party("b", "us", 4)];
    check(&even, &spread, 5, &[3, 2]);
}

fn fitting(parties: &[Party<'_>]) -> Vec<u64> {
    let fits = |party: &Party<'_>| {
        [party.max, party.capacity, party.limit]
            .into_iter()
            .flatten()
            .fold(party.current, u64::min)
    };
    parties.iter().map(fits).collect()
}

fn with(parties: &[Party<'static>], counts: &[u64]) -> Vec<Party<'static>> {
    parties
        .iter()
        .zip(counts)
        .map(|(party, count)| party.clone().current(*count))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn equals_one_by_one(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        replicas in 0..120u64,
    ) {
        let division = steady(&parties, &spread, replicas).expect("valid input");
        prop_assert_eq!(&division.replicas, &model::steady(&parties, &spread, replicas));
        prop_assert_eq!(division.placed() + division.shortfall, replicas);
        if division.shortfall > 0 {
            prop_assert!(division.limits.iter().all(Option::is_some), "{:?}", division);
        }
    }

    #[test]
    fn up_only_adds_and_down_only_removes(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        from in 0..90u64,
        to in 0..90u64,
    ) {
        // From any state that holds the limits.
        let first = steady(&parties, &spread, from).expect("valid input");
        let settled = with(&parties, &first.replicas);
        let then = steady(&settled, &spread, to).expect("valid input").replicas;
        let grows = to >= first.placed();
        let one_way = |(now, then): (&u64, &u64)| if grows { then >= now } else { then <= now };
        prop_assert!(first.replicas.iter().zip(&then).all(one_way));
        // Its answer is its own answer.
        prop_assert_eq!(steady(&with(&parties, &then), &spread, to).expect("valid input").replicas, then);
    }

    #[test]
    fn a_lost_cluster_moves_only_its_own(
        parties in model::parties(8, 15),
        replicas in 0..60u64,
        lost in 0..8usize,
    ) {
        let none = Spread::none();
        let first = steady(&parties, &none, replicas).expect("valid input").replicas;
        let lost = lost % parties.len();
        let mut rest = with(&parties, &first);
        rest.remove(lost);
        let then = steady(&rest, &none, replicas).expect("valid input").replicas;
        let mut kept = first.clone();
        kept.remove(lost);
        prop_assert!(kept.iter().zip(&then).all(|(kept, then)| then >= kept));
        let added: u64 = then.iter().sum::<u64>() - kept.iter().sum::<u64>();
        prop_assert!(added <= replicas - kept.iter().sum::<u64>());
    }

    #[test]
    fn without_domains_only_what_does_not_fit_moves(parties in model::parties(8, 15), replicas in 0..120u64) {
        let fits = fitting(&parties);
        let division = steady(&parties, &Spread::none(), replicas).expect("valid input");
        let runs: u64 = fits.iter().sum();
        let same_way = |(count, fits): (&u64, &u64)| if runs <= replicas { count >= fits } else { count <= fits };
        prop_assert!(division.replicas.iter().zip(&fits).all(same_way));
    }

    #[test]
    fn order_of_input_is_irrelevant(
        parties in model::parties(8, 15),
        spread in model::spread(15),
        replicas in 0..60u64,
        by in 0..8usize,
    ) {
        let mut straight = steady(&parties, &spread, replicas).expect("valid input").replicas;
        let mut turned = parties.clone();
        turned.rotate_left(by % parties.len());
        straight.rotate_left(by % parties.len());
        prop_assert_eq!(steady(&turned, &spread, replicas).expect("valid input").replicas, straight);
    }
}
