//! The best combination of groups, against a search through all of them.

use std::cmp::Reverse;

use fleet_scheduler::presets::karmada::{Group, select_groups};
use proptest::prelude::*;

#[test]
fn published_cases() {
    let check = |groups: &[(&str, u64, i64)], min, max, target, expect: Option<&[&str]>| {
        let groups: Vec<Group<'_>> = groups
            .iter()
            .map(|(name, value, weight)| Group::new(name, *value, *weight))
            .collect();
        let selected = select_groups(&groups, min, max, target);
        assert_eq!(selected.as_deref(), expect, "{groups:?} {min} {max} {target}");
    };
    // Karmada, pkg/scheduler/core/spreadconstraint: the cases of its own test of the selection of groups.
    check(&[], 2, 3, 1, None);
    check(&[("R1", 1, 80)], 2, 3, 1, None);
    check(&[("R1", 1, 80), ("R2", 2, 30)], 2, 3, 4, None);
    check(&[("R1", 1, 80)], 1, 3, 1, Some(&["R1"]));
    let six = [
        ("R1", 1, 80),
        ("R3", 1, 80),
        ("R2", 1, 60),
        ("R5", 2, 60),
        ("R4", 5, 50),
        ("R6", 3, 50),
    ];
    check(&six, 1, 3, 10, Some(&["R5", "R4", "R6"]));
    let few = [
        ("R1", 1, 80),
        ("R2", 4, 40),
        ("R3", 1, 30),
        ("R4", 3, 30),
        ("R5", 3, 20),
        ("R6", 5, 10),
    ];
    check(&few, 2, 6, 5, Some(&["R1", "R2"]));
    let good = [
        ("R1", 1, 60),
        ("R2", 1, 50),
        ("R3", 1, 40),
        ("R4", 3, 30),
        ("R5", 3, 20),
        ("R6", 3, 10),
    ];
    check(&good, 1, 3, 6, Some(&["R1", "R4", "R5"]));
    check(
        &[("R1", 1, 60), ("R2", 2, 50), ("R3", 3, 40), ("R4", 4, 30)],
        1,
        2,
        5,
        Some(&["R1", "R4"]),
    );
    check(
        &[("R4", 1, 60), ("R3", 3, 50), ("R1", 3, 40), ("R2", 4, 30)],
        1,
        2,
        5,
        Some(&["R3", "R1"]),
    );
    // A maximum of 0 selects nothing, nor does a wish for nothing.
    check(&[("R1", 1, 80)], 1, 0, 1, None);
    check(&[("R1", 1, 80)], 0, 2, 0, None);
}

/// Karmada's search as it is described: all paths, in order, then the best, then its shortest beginning.
fn slow<'a>(groups: &[Group<'a>], min: usize, max: usize, target: u64) -> Option<Vec<&'a str>> {
    let mut sorted = groups.to_vec();
    sorted.sort_by_key(|group| (group.value, Reverse(group.weight), group.name));
    let mut paths: Vec<Vec<Group<'a>>> = Vec::new();
    walk(
        &sorted,
        0,
        &mut Vec::new(),
        &|path: &[Group<'a>]| {
            let sum: u64 = path.iter().map(|group| group.value).sum();
            (
                sum >= target && path.len() >= min && path.len() <= max,
                path.len() >= max,
            )
        },
        &mut paths,
    );
    for path in &mut paths {
        path.sort_by_key(|group| (Reverse(group.weight), group.name));
    }
    let weight = |path: &[Group<'a>]| path.iter().map(|group| group.weight).sum::<i64>();
    let value = |path: &[Group<'a>]| path.iter().map(|group| group.value).sum::<u64>();
    // Stable: the first found stays first.
    paths.sort_by_key(|path| (Reverse(weight(path)), Reverse(value(path))));
    let mut best = paths.first()?.clone();
    for path in &paths {
        if path.len() < best.len() && best[..path.len()] == path[..] {
            best.clone_from(path);
        }
    }
    (!best.is_empty()).then(|| best.iter().map(|group| group.name).collect())
}

fn walk<'a>(
    groups: &[Group<'a>],
    begin: usize,
    path: &mut Vec<Group<'a>>,
    judge: &dyn Fn(&[Group<'a>]) -> (bool, bool),
    paths: &mut Vec<Vec<Group<'a>>>,
) {
    let (suffices, is_long) = judge(path);
    if suffices {
        paths.push(path.clone());
        return;
    }
    if is_long {
        return;
    }
    for at in begin..groups.len() {
        path.push(groups[at]);
        walk(groups, at + 1, path, judge, paths);
        path.pop();
    }
}

const NAMES: [&str; 9] = ["a", "b", "c", "d", "e", "f", "g", "h", "i"];

fn any_groups() -> impl Strategy<Value = Vec<Group<'static>>> {
    prop::collection::vec((0..5u64, -2..6i64), 0..9).prop_map(|all| {
        let group = |(name, (value, weight)): (&&'static str, (u64, i64))| Group::new(name, value, weight);
        NAMES.iter().zip(all).map(group).collect()
    })
}

proptest! {
    #[test]
    fn as_the_search_through_all(groups in any_groups(), min in 0..5usize, more in 0..5usize, target in 0..14u64) {
        let fast = select_groups(&groups, min, min + more, target);
        prop_assert_eq!(fast, slow(&groups, min, min + more, target));
    }

    #[test]
    fn the_order_of_groups_is_irrelevant(groups in any_groups(), by in 0..9usize, min in 1..4usize, target in 0..14u64) {
        let mut turned = groups.clone();
        turned.rotate_left(by % groups.len().max(1));
        prop_assert_eq!(select_groups(&turned, min, 6, target), select_groups(&groups, min, 6, target));
    }
}

#[test]
fn many_groups_take_no_time() {
    let names: Vec<String> = (0..200).map(|at| format!("region-{at:03}")).collect();
    let groups: Vec<Group<'_>> = names
        .iter()
        .zip(0..)
        .map(|(name, at): (&String, u32)| Group::new(name, u64::from(1 + at % 7), i64::from(at * 37 % 101)))
        .collect();
    let selected = select_groups(&groups, 3, 10, 30).expect("there are enough");
    assert!((3..=10).contains(&selected.len()));
}
