//! What follows from edges, against a model that looks at every pair and every way.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_core::{
    Object, ObjectKey,
    order::{Block, Cause, Hope, Needs, Order, Progress, Reached, Removal, Turn},
};
use proptest::prelude::*;

use super::world::{Spec, causes, is_better, is_declared, waves, world};

type Edges = BTreeSet<(usize, usize, Cause)>;

struct Made {
    specs: Vec<Spec>,
    keys: Vec<ObjectKey>,
    order: Order,
    kept: Edges,
    dropped: Edges,
}

fn made(specs: Vec<Spec>) -> Made {
    let objects: Vec<Object> = specs.iter().map(|spec| spec.object(&specs)).collect();
    let keys: Vec<ObjectKey> = specs.iter().map(Spec::key).collect();
    let order = Order::new(&objects, "example.com");
    let at = |key: &ObjectKey| keys.iter().position(|other| other == key).unwrap();
    let kept = keys
        .iter()
        .flat_map(|key| order.waits_for(key))
        .map(|e| (at(e.from), at(e.on), e.cause))
        .collect();
    let dropped = order
        .dropped()
        .map(|edge| (at(edge.from), at(edge.on), edge.cause))
        .collect();
    Made {
        kept,
        dropped,
        specs,
        keys,
        order,
    }
}

/// For each object, what it reaches by one edge or more.
fn reached(count: usize, edges: impl Iterator<Item = (usize, usize)>) -> Vec<BTreeSet<usize>> {
    let mut reached = vec![BTreeSet::new(); count];
    for (x, y) in edges {
        reached[x].insert(y);
    }
    for over in 0..count {
        for x in 0..count {
            if reached[x].contains(&over) {
                let more = reached[over].clone();
                reached[x].extend(more);
            }
        }
    }
    reached
}

fn pairs(edges: &Edges, counts: impl Fn(Cause) -> bool) -> impl Iterator<Item = (usize, usize)> {
    let counted: Vec<(usize, usize)> = edges
        .iter()
        .filter(|(_, _, cause)| counts(*cause))
        .map(|(x, y, _)| (*x, *y))
        .collect();
    counted.into_iter()
}

/// Objects may wait for many together.
fn is_of_many(cause: Cause) -> bool {
    use Cause::*;
    matches!(cause, Wave | Grant | LimitRange | Counted | Backend)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn every_edge_is_found_and_only_circles_lose_some(specs in world()) {
        let made = made(specs);
        let count = made.specs.len();
        let expect = causes(&made.specs);
        let found: Edges = made.kept.union(&made.dropped).copied().collect();
        prop_assert_eq!(&found, &expect);
        prop_assert!(made.kept.is_disjoint(&made.dropped));
        let waves = waves(&made.specs, &expect);
        for (key, wave) in made.keys.iter().zip(waves) {
            prop_assert_eq!(made.order.wave(key), wave);
        }
        // Both ways round the same.
        for key in &made.keys {
            for edge in made.order.waits_for(key) {
                prop_assert!(made.order.dependents(edge.on).any(|other| other == edge));
            }
        }
        let back: usize = made.keys.iter().map(|key| made.order.dependents(key).count()).sum();
        let there: usize = made.keys.iter().map(|key| made.order.waits_for(key).count()).sum();
        prop_assert_eq!(back, there);
        // What is dropped leads to something in a circle, and is nobody's word.
        let guessed = reached(count, pairs(&expect, |cause| !is_declared(cause)));
        let all = reached(count, pairs(&expect, |_| true));
        for (_, y, cause) in &made.dropped {
            let circles = if is_better(*cause) { &all } else { &guessed };
            prop_assert!(!is_declared(*cause) && circles[*y].contains(y));
        }
        // What is left of guesses leads round in no circle.
        let left = reached(count, pairs(&made.kept, |cause| !is_declared(cause)));
        prop_assert!((0..count).all(|x| !left[x].contains(&x)));
    }

    #[test]
    fn circles_are_those_that_wait_for_themselves(specs in world()) {
        let made = made(specs);
        let count = made.specs.len();
        let reached = reached(count, pairs(&made.kept, |_| true));
        let at = |key: &ObjectKey| made.keys.iter().position(|other| other == key).unwrap();
        for x in 0..count {
            let together: BTreeSet<usize> =
                reached[x].iter().copied().filter(|y| reached[*y].contains(&x)).collect();
            let cycle = made.order.cycle_of(&made.keys[x]);
            let members = cycle.map(|cycle| cycle.members().iter().map(at).collect()).unwrap_or_default();
            prop_assert_eq!(&together, &members);
            let block = made.order.block(&made.keys[x]);
            let behind = reached[x].iter().any(|y| reached[*y].contains(y));
            match block {
                None => prop_assert!(!behind),
                Some(Block::Cycle(_)) => prop_assert!(together.contains(&x)),
                Some(Block::Behind { edge, culprit }) => {
                    prop_assert!(behind && !together.contains(&x));
                    prop_assert!(made.kept.contains(&(x, at(edge.on), edge.cause)));
                    let (on, culprit) = (at(edge.on), at(culprit));
                    prop_assert!(on == culprit || reached[on].contains(&culprit));
                    prop_assert!(reached[culprit].contains(&culprit));
                }
                Some(other) => prop_assert!(false, "{:?}", other),
            }
        }
        for cycle in made.order.cycles() {
            let path: Vec<_> = cycle.path().collect();
            prop_assert!(path.len() >= 2 && path.iter().any(|edge| is_declared(edge.cause)));
            for (i, edge) in path.iter().enumerate() {
                prop_assert_eq!(edge.on, path[(i + 1) % path.len()].from);
                prop_assert!(made.kept.contains(&(at(edge.from), at(edge.on), edge.cause)), "{}", edge);
                prop_assert!(!is_better(edge.cause), "{} gives way", edge);
            }
            let begins: BTreeSet<_> = path.iter().map(|edge| edge.from).collect();
            prop_assert_eq!(begins.len(), path.len(), "no object twice");
        }
    }

    #[test]
    fn progress_says_what_a_look_at_all_edges_says(
        specs in world(),
        steps in prop::collection::vec((0_usize..64, 0_usize..3, 0_usize..3), 0..40),
    ) {
        let made = made(specs);
        let count = made.specs.len();
        let blocked: Vec<bool> = made.keys.iter().map(|key| made.order.block(key).is_some()).collect();
        let mut stands = vec![(Reached::Nothing, Hope::Open); count];
        let wanted = |cause: Cause| match cause.needs() {
            Needs::Healthy => Reached::Healthy,
            Needs::Applied => Reached::Applied,
        };
        let unmet = |x: usize, stands: &[(Reached, Hope)]| -> Edges {
            let edges = made.kept.iter().filter(|(from, _, _)| *from == x);
            edges.filter(|(_, on, cause)| stands[*on].0 < wanted(*cause)).copied().collect()
        };
        let turns = |stands: &[(Reached, Hope)]| -> Vec<Turn> {
            let turn = |x| {
                let hopes = unmet(x, stands).into_iter().map(|(_, on, cause)| (stands[on].1, is_declared(cause)));
                let hopes: Vec<_> = hopes.collect();
                if hopes.iter().any(|(hope, said)| *hope == Hope::Open || *said && *hope == Hope::Faint) {
                    Turn::Waits
                } else if hopes.contains(&(Hope::Gone, true)) {
                    Turn::Stopped
                } else {
                    Turn::Ready
                }
            };
            (0..count).map(turn).collect()
        };
        let order = Arc::new(made.order);
        let mut progress = Progress::new(order);
        let at = |key: &ObjectKey| made.keys.iter().position(|other| other == key).unwrap();
        for (object, reached, hope) in steps.into_iter().filter(|_| count > 0) {
            let object = object % count;
            let before = turns(&stands);
            let reached = [Reached::Nothing, Reached::Applied, Reached::Healthy][reached];
            let hope = [Hope::Open, Hope::Faint, Hope::Gone][hope];
            stands[object] = (reached, hope);
            let told: Vec<ObjectKey> = progress.reach(&made.keys[object], reached, hope);
            let told: BTreeSet<usize> = told.iter().map(at).collect();
            let now = turns(&stands);
            let moved = |x: &usize| before[*x] != now[*x] && !blocked[*x];
            prop_assert_eq!(&told, &(0..count).filter(moved).collect::<BTreeSet<_>>());
            for x in 0..count {
                let key = &made.keys[x];
                prop_assert_eq!(progress.turn(key), now[x]);
                prop_assert_eq!(progress.is_ready(key), now[x] == Turn::Ready && !blocked[x]);
                let edges: Edges = progress.unmet(key).map(|e| (at(e.from), at(e.on), e.cause)).collect();
                let expect = unmet(x, &stands);
                prop_assert_eq!(&edges, &expect);
                match progress.first(key).map(|e| (at(e.from), at(e.on), e.cause)) {
                    None => prop_assert_eq!(now[x], Turn::Ready),
                    Some(first) => {
                        prop_assert!(expect.contains(&first));
                        let (hope, said) = (stands[first.1].1, is_declared(first.2));
                        let alone = match now[x] {
                            Turn::Ready => false,
                            Turn::Waits => hope == Hope::Open || said && hope == Hope::Faint,
                            Turn::Stopped => said && hope == Hope::Gone,
                        };
                        prop_assert!(alone, "{:?} {:?}", now[x], first);
                    }
                }
            }
            let listed: BTreeSet<usize> = progress.ready().map(at).collect();
            let fresh = |x: &usize| stands[*x].0 == Reached::Nothing && now[*x] == Turn::Ready && !blocked[*x];
            prop_assert_eq!(listed, (0..count).filter(fresh).collect::<BTreeSet<_>>());
        }
    }

    #[test]
    fn all_that_is_not_blocked_is_applied_in_a_topological_order(specs in world()) {
        let made = made(specs);
        let at = |key: &ObjectKey| made.keys.iter().position(|other| other == key).unwrap();
        let blocked: BTreeSet<usize> =
            (0..made.keys.len()).filter(|x| made.order.block(&made.keys[*x]).is_some()).collect();
        // Step by step, all that waits for nothing that is left.
        let mut left: BTreeSet<usize> = (0..made.keys.len()).collect();
        let mut expect = Vec::new();
        loop {
            let free: Vec<usize> = left
                .iter()
                .copied()
                .filter(|x| !made.kept.iter().any(|(from, on, _)| from == x && left.contains(on)))
                .collect();
            if free.is_empty() {
                break;
            }
            left.retain(|x| !free.contains(x));
            let mut free: Vec<&ObjectKey> = free.iter().map(|x| &made.keys[*x]).collect();
            free.sort();
            expect.push(free.into_iter().cloned().collect::<Vec<_>>());
        }
        prop_assert_eq!(&left, &blocked);
        let mut progress = Progress::new(Arc::new(made.order));
        let mut free: Vec<ObjectKey> = progress.ready().cloned().collect();
        let mut steps = Vec::new();
        while !free.is_empty() {
            let mut next: Vec<ObjectKey> =
                free.iter().flat_map(|key| progress.reach(key, Reached::Healthy, Hope::Open)).collect();
            next.sort();
            prop_assert!(next.iter().all(|key| !blocked.contains(&at(key))));
            steps.push(std::mem::replace(&mut free, next));
        }
        prop_assert_eq!(steps, expect);
    }

    #[test]
    fn all_goes_and_each_after_what_waits_for_it(specs in world()) {
        let made = made(specs);
        let count = made.keys.len();
        let at = |key: &ObjectKey| made.keys.iter().position(|other| other == key).unwrap();
        let reached = reached(count, pairs(&made.kept, |_| true));
        let custom = |x: usize| made.keys[x].group().ends_with("example.com");
        let pods = |x: usize| matches!(made.keys[x].kind(), "Deployment" | "Runner" | "Service");
        let in_circle = |x: usize| reached[x].contains(&x);
        let may_go = |x: usize, gone: &BTreeSet<usize>, of_many: bool| {
            let waited_for = made.kept.iter().any(|(from, on, cause)| {
                let together = reached[x].contains(from) && reached[*from].contains(&x);
                *on == x && !gone.contains(from) && !together && (of_many || !is_of_many(*cause))
            });
            let needs_custom = custom(x) || reached[x].iter().any(|y| custom(*y));
            let customs_left = (0..count).any(|y| custom(y) && !gone.contains(&y));
            !gone.contains(&x) && !waited_for && (!pods(x) || needs_custom || !customs_left)
        };
        let mut removal = Removal::new(Arc::new(made.order));
        let mut gone = BTreeSet::new();
        let mut free: BTreeSet<usize> = removal.free().map(at).collect();
        loop {
            for x in 0..count {
                let (least, most) = (may_go(x, &gone, true), may_go(x, &gone, !in_circle(x)));
                prop_assert!(free.contains(&x) == most || free.contains(&x) == least, "{}", made.keys[x]);
            }
            let Some(next) = free.pop_last() else { break };
            gone.insert(next);
            free.extend(removal.gone(&made.keys[next]).iter().map(at));
        }
        prop_assert_eq!(gone.len(), count);
    }

    #[test]
    fn the_order_of_the_list_does_not_matter(specs in world(), seed in any::<u64>()) {
        let objects: Vec<Object> = specs.iter().map(|spec| spec.object(&specs)).collect();
        let mut shuffled = objects.clone();
        let mut seed = seed;
        for i in (1..shuffled.len()).rev() {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            shuffled.swap(i, (seed >> 33) as usize % (i + 1));
        }
        let told = |objects: &[Object]| {
            let order = Order::new(objects, "example.com");
            let keys: BTreeMap<_, _> = objects.iter().map(|object| (object.key().clone(), ())).collect();
            let edges: Vec<_> = keys.keys().flat_map(|key| order.waits_for(key)).map(|e| e.to_string()).collect();
            let blocks: Vec<_> = keys.keys().map(|key| order.block(key).map(|block| block.reason(&order))).collect();
            let dropped: Vec<_> = order.dropped().map(|edge| edge.to_string()).collect();
            (edges, blocks, dropped, order.cycles().to_vec())
        };
        prop_assert_eq!(told(&objects), told(&shuffled));
    }
}
