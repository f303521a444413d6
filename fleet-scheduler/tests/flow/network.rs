//! The network: small ones by hand and by brute force, larger ones by what every cheapest flow must satisfy.

use fleet_scheduler::flow::{Flow, FlowError, Network};
use microlp::{ComparisonOp, OptimizationDirection, Problem};
use proptest::prelude::*;

/// From, to, capacity, cost.
type Arc = (usize, usize, u64, i64);

fn network(nodes: usize, arcs: &[Arc]) -> Network {
    let mut network = Network::new(nodes);
    for &(from, to, capacity, cost) in arcs {
        network.arc(from, to, capacity, cost).unwrap();
    }
    network
}

/// Solves from node 0 to the last one, and returns the flow and what is on each arc.
fn solve(nodes: usize, arcs: &[Arc], amount: u64) -> Result<(Flow, Vec<u64>), FlowError> {
    let mut network = Network::new(nodes);
    let ids: Vec<_> = arcs
        .iter()
        .map(|&(from, to, capacity, cost)| network.arc(from, to, capacity, cost))
        .collect();
    let flow = network.solve(0, nodes - 1, amount)?;
    let on = ids.into_iter().map(|id| flow.on(id.unwrap())).collect();
    Ok((flow, on))
}

#[track_caller]
fn check(nodes: usize, arcs: &[Arc], amount: u64, sent: u64, cost: i128, expect: &[u64]) {
    let (flow, on) = solve(nodes, arcs, amount).unwrap();
    assert_eq!((flow.sent, flow.cost, on.as_slice()), (sent, cost, expect));
}

#[test]
fn cheapest_flow() {
    const MANY: u64 = 1_000_000_000_000_000_000;
    check(2, &[], 5, 0, 0, &[]);
    check(2, &[(0, 1, 5, 2)], 0, 0, 0, &[0]);
    check(2, &[(0, 1, 5, 2)], 3, 3, 6, &[3]);
    check(2, &[(0, 1, 5, 2)], 9, 5, 10, &[5]);
    // An arc the other way is no way.
    check(2, &[(1, 0, 5, 2)], 9, 0, 0, &[0]);
    // Parallel arcs: cheapest first, and the one added first of equals.
    check(
        2,
        &[(0, 1, 4, 3), (0, 1, 4, 1), (0, 1, 4, 3)],
        6,
        6,
        10,
        &[2, 4, 0],
    );
    // Fewer arcs first of equals.
    check(
        3,
        &[(0, 1, 4, 1), (1, 2, 4, 1), (0, 2, 4, 2)],
        5,
        5,
        10,
        &[1, 1, 4],
    );
    let late = [
        (0, 1, 4, 1),
        (1, 2, 4, 0),
        (2, 4, 4, 1),
        (0, 3, 4, 2),
        (3, 4, 4, 0),
    ];
    check(5, &late, 5, 5, 10, &[1, 1, 1, 4, 4]);
    // What the first path took is given back to make room for both.
    check(
        4,
        &[
            (0, 1, 1, 1),
            (0, 2, 1, 5),
            (1, 2, 1, 1),
            (1, 3, 1, 5),
            (2, 3, 1, 1),
        ],
        2,
        2,
        12,
        &[1, 1, 0, 1, 1],
    );
    // Negative costs without a cycle.
    check(
        3,
        &[(0, 1, 2, -5), (0, 1, 2, 0), (1, 2, 3, 1)],
        9,
        3,
        -7,
        &[2, 1, 3],
    );
    check(
        3,
        &[(0, 2, 1, 0), (0, 1, 1, 4), (1, 2, 1, -6)],
        1,
        1,
        -2,
        &[0, 1, 1],
    );
    // A cycle of cost 0, and one that would pay but has no capacity.
    check(
        3,
        &[
            (0, 1, 2, 3),
            (1, 1, 9, 0),
            (1, 2, 2, -3),
            (2, 1, 2, 3),
            (2, 1, 0, -9),
        ],
        2,
        2,
        0,
        &[2, 0, 2, 0, 0],
    );
    // Huge amounts.
    check(
        3,
        &[(0, 1, MANY, 1), (0, 1, u64::MAX, 4), (1, 2, u64::MAX, 0)],
        3 * MANY,
        3 * MANY,
        9 * i128::from(MANY),
        &[MANY, 2 * MANY, 3 * MANY],
    );
    check(
        2,
        &[(0, 1, u64::MAX, i64::MAX)],
        u64::MAX,
        u64::MAX,
        i128::from(u64::MAX) * i128::from(i64::MAX),
        &[u64::MAX],
    );
    check(
        3,
        &[(0, 1, 9, i64::MIN), (1, 2, 9, i64::MIN)],
        1,
        1,
        2 * i128::from(i64::MIN),
        &[1, 1],
    );
}

#[test]
fn refusals() {
    let unknown = |node| FlowError::UnknownNode { node, nodes: 2 };
    assert_eq!(Network::new(2).arc(0, 2, 1, 1), Err(unknown(2)));
    assert_eq!(Network::new(2).arc(7, 0, 1, 1), Err(unknown(7)));
    assert_eq!(Network::new(2).solve(2, 0, 1), Err(unknown(2)));
    assert_eq!(Network::new(2).solve(0, 3, 1), Err(unknown(3)));
    assert_eq!(
        Network::new(0).solve(0, 0, 1),
        Err(FlowError::UnknownNode { node: 0, nodes: 0 })
    );
    assert_eq!(
        Network::new(2).solve(1, 1, 1),
        Err(FlowError::SourceIsSink { node: 1 })
    );

    let cycle = |node| Err(FlowError::NegativeCycle { node });
    assert_eq!(network(2, &[(1, 1, 1, -1)]).solve(0, 1, 1), cycle(1));
    // The cycle need not be on the way, and what hangs on it is not named.
    let (flow, node) = (
        network(5, &[(3, 4, 1, 2), (1, 2, 1, -2), (2, 1, 1, 1), (2, 3, 1, 0)]).solve(0, 4, 1),
        [1, 2],
    );
    assert!(
        matches!(flow, Err(FlowError::NegativeCycle { node: found }) if node.contains(&found)),
        "{flow:?}"
    );

    let dear = [
        (0, 1, u64::MAX, i64::MAX),
        (1, 2, u64::MAX, i64::MAX),
        (2, 3, u64::MAX, i64::MAX),
    ];
    assert_eq!(network(4, &dear).solve(0, 3, u64::MAX), Err(FlowError::Overflow));
}

#[test]
fn work_is_bounded() {
    let mut network = network(2, &[(0, 1, 1, 1), (0, 1, 1, 2), (0, 1, 1, 3)]);
    assert_eq!(network.solve(0, 1, 3).unwrap().phases, 3);
    network.limit_phases(3);
    assert_eq!(network.solve(0, 1, 4).unwrap().sent, 3);
    network.limit_phases(2);
    assert_eq!(network.solve(0, 1, 2).unwrap().sent, 2);
    assert_eq!(network.solve(0, 1, 3), Err(FlowError::TooManyPhases { limit: 2 }));

    // Two paths that share a thin arc: a search without order among paths of one cost goes back and forth.
    const WIDE: u64 = 1 << 40;
    let thin = [
        (0, 1, WIDE, 0),
        (0, 2, WIDE, 0),
        (1, 2, 1, 0),
        (1, 3, WIDE, 0),
        (2, 3, WIDE, 0),
    ];
    let (flow, _) = solve(4, &thin, 2 * WIDE).unwrap();
    assert_eq!((flow.sent, flow.phases), (2 * WIDE, 1));
}

/// Least costs of paths between all nodes (Floyd and Warshall); below 0 from a node to itself on a negative cycle.
fn distances(nodes: usize, arcs: impl Iterator<Item = (usize, usize, i64)>) -> Vec<Vec<Option<i64>>> {
    let mut least = vec![vec![None; nodes]; nodes];
    let better = |old: Option<i64>, new: i64| Some(old.map_or(new, |old| old.min(new)));
    for (from, to, cost) in arcs {
        least[from][to] = better(least[from][to], cost);
    }
    for via in 0..nodes {
        for from in 0..nodes {
            for to in 0..nodes {
                if let (Some(a), Some(b)) = (least[from][via], least[via][to]) {
                    least[from][to] = better(least[from][to], a.saturating_add(b).max(i64::MIN / 4));
                }
            }
        }
    }
    least
}

/// Arcs of a random network of so many nodes.
fn arcs(
    nodes: usize,
    most: usize,
    capacity: u64,
    costs: std::ops::Range<i64>,
) -> impl Strategy<Value = Vec<Arc>> {
    proptest::collection::vec((0..nodes, 0..nodes, 0..=capacity, costs), 0..=most)
}

/// Units that arrive at a node less those that leave it.
fn surplus(arcs: &[Arc], on: &[u64], node: usize) -> i128 {
    let sum = |end: fn(&Arc) -> usize| -> i128 {
        arcs.iter()
            .zip(on)
            .filter(|(arc, _)| end(arc) == node)
            .map(|(_, units)| i128::from(*units))
            .sum()
    };
    sum(|arc| arc.1) - sum(|arc| arc.0)
}

/// The least cost of the largest flow up to the amount, by trying every flow.
fn by_force(nodes: usize, arcs: &[Arc], amount: u64) -> (u64, i128) {
    let mut best: Option<(u64, i128)> = None;
    let mut on = vec![0; arcs.len()];
    loop {
        let sent = surplus(arcs, &on, nodes - 1);
        let kept = (1..nodes - 1).all(|node| surplus(arcs, &on, node) == 0);
        if kept && (0..=i128::from(amount)).contains(&sent) {
            let cost: i128 = arcs
                .iter()
                .zip(&on)
                .map(|(arc, units)| i128::from(arc.3) * i128::from(*units))
                .sum();
            let found = (u64::try_from(sent).unwrap(), cost);
            if best.is_none_or(|best| (found.0, -found.1) > (best.0, -best.1)) {
                best = Some(found);
            }
        }
        let Some(next) = (0..arcs.len()).find(|&arc| on[arc] < arcs[arc].2) else {
            return best.unwrap();
        };
        on[..next].fill(0);
        on[next] += 1;
    }
}

/// The same by a linear program: first how much can be sent, then at what cost.
fn by_program(nodes: usize, arcs: &[Arc], amount: u64) -> (u64, i128) {
    let optimum = |objective: &dyn Fn(&Arc) -> i64, direction, exactly: Option<u64>| {
        let mut problem = Problem::new(direction);
        let variables: Vec<_> = arcs
            .iter()
            .map(|arc| problem.add_var(objective(arc) as f64, (0.0, arc.2 as f64)))
            .collect();
        let balance = |node: usize| -> Vec<_> {
            let terms = arcs.iter().zip(&variables).filter(|(arc, _)| arc.0 != arc.1);
            let of = terms.filter(|(arc, _)| arc.0 == node || arc.1 == node);
            of.map(|(arc, variable)| (*variable, if arc.1 == node { 1.0 } else { -1.0 }))
                .collect()
        };
        for node in 1..nodes - 1 {
            problem.add_constraint(balance(node), ComparisonOp::Eq, 0.0);
        }
        match exactly {
            Some(sent) => problem.add_constraint(balance(nodes - 1), ComparisonOp::Eq, sent as f64),
            None => problem.add_constraint(balance(nodes - 1), ComparisonOp::Le, amount as f64),
        }
        problem
            .solve()
            .unwrap()
            .into_solution()
            .unwrap()
            .objective()
            .round() as i64
    };
    let arrives = |arc: &Arc| i64::from(arc.1 == nodes - 1) - i64::from(arc.0 == nodes - 1);
    let sent = u64::try_from(optimum(&arrives, OptimizationDirection::Maximize, None)).unwrap();
    (
        sent,
        optimum(&|arc| arc.3, OptimizationDirection::Minimize, Some(sent)).into(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    #[test]
    fn as_by_brute_force(arcs in arcs(4, 6, 2, -2..6), amount in 0_u64..5) {
        match solve(4, &arcs, amount) {
            Ok((flow, _)) => prop_assert_eq!((flow.sent, flow.cost), by_force(4, &arcs, amount)),
            Err(error) => prop_assert!(matches!(error, FlowError::NegativeCycle { .. }), "{error}"),
        }
    }

    #[test]
    fn as_by_linear_program(arcs in arcs(7, 24, 50, 0..20), amount in 0_u64..100) {
        let (flow, _) = solve(7, &arcs, amount).unwrap();
        prop_assert_eq!((flow.sent, flow.cost), by_program(7, &arcs, amount));
    }

    /// A flow is cheapest if and only if no cycle of what is left costs less than nothing, and it is largest if and
    /// only if nothing more can reach the sink.
    #[test]
    fn proves_itself(arcs in arcs(8, 40, 1_000, -1..20), amount in 0_u64..5_000) {
        let open = arcs.iter().filter(|arc| arc.2 > 0).map(|arc| (arc.0, arc.1, arc.3));
        let before = distances(8, open);
        let on_negative_cycle = |node: usize| before[node][node].is_some_and(|cost| cost < 0);
        let (flow, on) = match solve(8, &arcs, amount) {
            Err(FlowError::NegativeCycle { node }) => {
                prop_assert!(on_negative_cycle(node));
                return Ok(());
            }
            flow => flow.unwrap(),
        };
        prop_assert!(!(0..8).any(on_negative_cycle));
        prop_assert!(arcs.iter().zip(&on).all(|(arc, units)| *units <= arc.2));
        prop_assert!((1..7).all(|node| surplus(&arcs, &on, node) == 0));
        prop_assert_eq!(surplus(&arcs, &on, 7), i128::from(flow.sent));
        let cost: i128 = arcs.iter().zip(&on).map(|(arc, units)| i128::from(arc.3) * i128::from(*units)).sum();
        prop_assert_eq!(cost, flow.cost);

        let ahead = arcs.iter().zip(&on).filter(|(arc, on)| arc.2 > **on).map(|(arc, _)| (arc.0, arc.1, arc.3));
        let back = arcs.iter().zip(&on).filter(|(_, on)| **on > 0).map(|(arc, _)| (arc.1, arc.0, -arc.3));
        let left = distances(8, ahead.chain(back));
        prop_assert!((0..8).all(|node| left[node][node].is_none_or(|cost| cost >= 0)));
        prop_assert!(flow.sent == amount || left[0][7].is_none());
    }

    /// A thousand million times the units take the same steps.
    #[test]
    fn units_do_not_count(arcs in arcs(6, 16, 20, 0..20), amount in 0_u64..60) {
        const TIMES: u64 = 1_000_000_000;
        let (small, on) = solve(6, &arcs, amount).unwrap();
        let wide: Vec<Arc> = arcs.iter().map(|arc| (arc.0, arc.1, arc.2 * TIMES, arc.3)).collect();
        let (large, large_on) = solve(6, &wide, amount * TIMES).unwrap();
        prop_assert_eq!(large.phases, small.phases);
        prop_assert_eq!((large.sent, large.cost), (small.sent * TIMES, small.cost * i128::from(TIMES)));
        prop_assert_eq!(large_on, on.iter().map(|units| units * TIMES).collect::<Vec<_>>());
    }
}
