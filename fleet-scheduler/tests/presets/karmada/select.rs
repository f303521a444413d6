//! Karmada's selection, in plain numbers.

use fleet_scheduler::presets::karmada::{
    Detail, Groups, SelectError, best_first, score_divided, score_duplicated, select_by_cluster,
    select_by_region,
};
use proptest::prelude::*;

fn names<'a>(clusters: &[Detail<'a>], places: &[usize]) -> Vec<&'a str> {
    places.iter().map(|at| clusters[*at].name).collect()
}

const fn groups(min: usize, max: usize) -> Groups {
    Groups { min, max }
}

#[test]
fn clusters_by_score_then_room_then_name() {
    let clusters = [
        Detail::new("d", 0, 9),
        Detail::new("c", 100, 1),
        Detail::new("b", 0, 5),
        Detail::new("a", 0, 5),
        Detail::new("e", 100, 9).tier(1),
    ];
    assert_eq!(
        names(&clusters, &best_first(&clusters)),
        ["c", "d", "a", "b", "e"]
    );
}

#[test]
fn by_cluster() {
    let clusters = [
        Detail::new("m1", 100, 4),
        Detail::new("m2", 0, 6),
        Detail::new("m3", 0, 3),
        Detail::new("m4", 0, 2),
    ];
    let check = |within: Groups, need: Option<u64>, expect: Result<&[&str], SelectError>| {
        let selected = select_by_cluster(&clusters, within, need);
        let selected = selected.map(|places| names(&clusters, &places));
        assert_eq!(selected, expect.map(<[&str]>::to_vec), "{within:?} {need:?}");
    };
    check(groups(1, 2), None, Ok(&["m1", "m2"]));
    check(groups(1, 9), None, Ok(&["m1", "m2", "m3", "m4"]));
    check(groups(1, 2), Some(10), Ok(&["m1", "m2"]));
    // The last is exchanged for the largest that is left.
    check(groups(1, 1), Some(6), Ok(&["m2"]));
    let error = SelectError::Room {
        clusters: 2,
        available: 10,
        need: 11,
    };
    check(groups(1, 2), Some(11), Err(error));
    check(
        groups(5, 9),
        None,
        Err(SelectError::Clusters { have: 4, need: 5 }),
    );
    // Only for a larger one: of equal ones, the better stays.
    let equal = [
        Detail::new("m1", 100, 1),
        Detail::new("m2", 0, 3),
        Detail::new("m3", 0, 3),
    ];
    let selected = select_by_cluster(&equal, groups(1, 2), Some(6)).unwrap();
    assert_eq!(names(&equal, &selected), ["m3", "m2"]);
    // A maximum that is not set is 0: no cluster, or nothing that fits.
    check(groups(1, 0), None, Ok(&[]));
    let error = SelectError::Room {
        clusters: 0,
        available: 0,
        need: 0,
    };
    check(groups(1, 0), Some(0), Err(error));
}

/// Scores of regions as Karmada's own tests give them.
fn given<'a>(scores: &'a [(&'a str, i64)]) -> impl Fn(&[Detail<'_>]) -> i64 + 'a {
    |members| {
        let region = members.first().and_then(|one| one.region);
        scores
            .iter()
            .find(|(name, _)| Some(*name) == region)
            .map_or(0, |(_, score)| *score)
    }
}

#[test]
fn by_region() {
    let in_region =
        |region: &'static str| move |(name, score, room)| Detail::new(name, score, room).region(region);
    let two: Vec<Detail<'_>> = [("member1", 100, 40), ("member2", 80, 40)]
        .map(in_region("R1"))
        .into_iter()
        .chain([("member3", 80, 40), ("member4", 80, 40), ("member5", 60, 40)].map(in_region("R2")))
        .collect();
    let four: Vec<Detail<'_>> = [("member1", 90, 40)]
        .map(in_region("R1"))
        .into_iter()
        .chain([("member2", 70, 40), ("member3", 60, 40), ("member4", 30, 40)].map(in_region("R2")))
        .chain([("member5", 80, 40), ("member6", 50, 60)].map(in_region("R3")))
        .chain(
            [
                ("member7", 50, 50),
                ("member8", 40, 50),
                ("member9", 10, 50),
                ("member10", 0, 50),
            ]
            .map(in_region("R4")),
        )
        .collect();
    let five: Vec<Detail<'_>> = [("member1", 70, 40)]
        .map(in_region("R1"))
        .into_iter()
        .chain([("member2", 40, 40), ("member3", 40, 40), ("member4", 40, 40)].map(in_region("R2")))
        .chain([("member5", 60, 40), ("member6", 50, 60)].map(in_region("R3")))
        .chain([("member7", 70, 100)].map(in_region("R4")))
        .chain([("member8", 50, 50)].map(in_region("R5")))
        .collect();
    let of_two = [("R1", 100), ("R2", 80)];
    let of_four = [("R1", 90), ("R2", 70), ("R3", 80), ("R4", 50)];
    let of_five = [("R1", 70), ("R2", 40), ("R3", 60), ("R4", 70), ("R5", 50)];
    let check = |clusters: &[Detail<'static>],
                 scores: &[(&str, i64)],
                 regions: Groups,
                 within: Groups,
                 expect: Result<&[&str], SelectError>| {
        let selected = select_by_region(clusters, regions, within, given(scores));
        let selected = selected.map(|places| names(clusters, &places));
        assert_eq!(selected, expect.map(<[&str]>::to_vec), "{regions:?} {within:?}");
    };
    // Karmada, pkg/scheduler/core/spreadconstraint: the cases of its own test of the selection by region.
    check(
        &two,
        &of_two,
        groups(1, 1),
        groups(2, 2),
        Ok(&["member1", "member2"]),
    );
    check(
        &two,
        &of_two,
        groups(1, 1),
        groups(3, 3),
        Ok(&["member3", "member4", "member5"]),
    );
    check(
        &four,
        &of_four,
        groups(2, 2),
        groups(4, 5),
        Ok(&["member1", "member2", "member3", "member4"]),
    );
    // There, members of a region that score the same are listed with the larger first.
    check(
        &five,
        &of_five,
        groups(1, 3),
        groups(6, 8),
        Ok(&["member1", "member5", "member2", "member6", "member3", "member4"]),
    );
    check(
        &two,
        &of_two,
        groups(3, 3),
        groups(3, 3),
        Err(SelectError::Regions { have: 2, need: 3 }),
    );
    check(
        &two,
        &of_two,
        groups(1, 1),
        groups(4, 4),
        Err(SelectError::Combination { need: 4 }),
    );
    // Each region has its best cluster, however few clusters are asked for.
    check(
        &two,
        &of_two,
        groups(2, 2),
        groups(1, 1),
        Ok(&["member1", "member3"]),
    );
}

#[test]
fn scores_of_regions() {
    fn members(scores: &[i64], rooms: &[u64]) -> Vec<Detail<'static>> {
        const NAMES: [&str; 5] = ["member1", "member2", "member3", "member4", "member5"];
        let pairs = scores.iter().zip(rooms);
        NAMES
            .iter()
            .zip(pairs)
            .map(|(name, (score, room))| Detail::new(name, *score, *room))
            .collect()
    }
    let (some, all) = ([100, 100, 0, 0, 0], [100; 5]);
    // Karmada, pkg/scheduler/core/spreadconstraint: the comparisons of its own test of group scores.
    let check = |score: &dyn Fn(&[Detail<'_>]) -> i64, one: [&[u64]; 2], scores: [&[i64]; 2], first: bool| {
        let [a, b] = [0, 1].map(|at| score(&members(scores[at], one[at])));
        assert_eq!(a >= b, first, "{a} {b} of {one:?} {scores:?}");
    };
    let duplicated = |replicas| move |members: &[Detail<'_>]| score_duplicated(members, replicas);
    let divided = |replicas| move |members: &[Detail<'_>]| score_divided(members, replicas, 2, 1);
    check(
        &duplicated(20),
        [&[30; 5], &[30, 30, 30, 10, 10]],
        [&some, &all],
        true,
    );
    check(&duplicated(20), [&[30, 30, 30, 10, 10]; 2], [&some, &all], false);
    check(
        &divided(100),
        [&[30, 30, 30, 10, 10], &[10, 10, 10, 5, 5]],
        [&some, &all],
        true,
    );
    check(
        &divided(100),
        [&[10, 10, 10, 10, 5], &[10, 10, 10, 5, 5]],
        [&some, &all],
        true,
    );
    check(&divided(100), [&[10, 10, 10, 5, 5]; 2], [&some, &all], false);
    check(&divided(100), [&[100; 5], &[50; 5]], [&[0; 5], &all], false);
    // The values themselves: clusters or replicas count a thousand, then comes the mean score.
    assert_eq!(score_duplicated(&members(&some, &[30, 30, 30, 10, 10]), 20), 3066);
    assert_eq!(score_duplicated(&members(&some, &[1; 5]), 20), 0);
    // Half of 100 replicas is 50: reached by two clusters, and there must be two.
    assert_eq!(
        score_divided(&members(&some, &[30, 30, 30, 10, 10]), 100, 2, 1),
        50_100
    );
    assert_eq!(
        score_divided(&members(&some, &[60, 30, 30, 10, 10]), 100, 2, 3),
        50_066
    );
    assert_eq!(
        score_divided(&members(&some, &[10, 10, 10, 10, 5]), 100, 2, 1),
        45_040
    );
    assert_eq!(score_divided(&members(&some, &[30; 5]), 101, 2, 1), 51_100);
    assert_eq!(score_divided(&[], 100, 2, 1), 0);
}

const CLUSTERS: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];
const REGIONS: [&str; 3] = ["r", "s", "t"];

fn any_clusters() -> impl Strategy<Value = Vec<Detail<'static>>> {
    prop::collection::vec((0..3usize, 0..2i64, 0..9u64), 1..8).prop_map(|all| {
        let detail = |(name, (region, score, room)): (&&'static str, (usize, i64, u64))| {
            Detail::new(name, score * 100, room).region(REGIONS[region])
        };
        CLUSTERS.iter().zip(all).map(detail).collect()
    })
}

proptest! {
    #[test]
    fn what_is_selected_keeps_its_constraints(
        clusters in any_clusters(),
        min in 1..3usize,
        more in 0..3usize,
        need in 0..30u64,
        by in 0..8usize,
    ) {
        let within = groups(min, min + more);
        let selected = select_by_cluster(&clusters, within, Some(need));
        let mut turned = clusters.clone();
        turned.rotate_left(by % clusters.len());
        let again = select_by_cluster(&turned, within, Some(need));
        prop_assert_eq!(
            again.map(|places| names(&turned, &places)),
            selected.clone().map(|places| names(&clusters, &places))
        );
        if let Ok(places) = &selected {
            prop_assert!((within.min.min(clusters.len())..=within.max).contains(&places.len()));
            prop_assert!(places.iter().map(|at| clusters[*at].available).sum::<u64>() >= need);
        }
        let score = |members: &[Detail<'_>]| score_divided(members, need, min, 1);
        let selected = select_by_region(&clusters, within, groups(1, 9), score);
        let again = select_by_region(&turned, within, groups(1, 9), score);
        prop_assert_eq!(
            again.map(|places| names(&turned, &places)),
            selected.clone().map(|places| names(&clusters, &places))
        );
        if let Ok(places) = selected {
            let regions: std::collections::BTreeSet<_> = places.iter().map(|at| clusters[*at].region).collect();
            prop_assert!((within.min..=within.max).contains(&regions.len()));
        }
    }
}
