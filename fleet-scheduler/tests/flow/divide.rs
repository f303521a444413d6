//! One workload over clusters: cases by hand, every division tried on small ones, an integer program on larger ones.

use fleet_scheduler::flow::{
    Candidate, Divided, Division, DivisionError, Domain, DomainId, FlowError, Limit,
};
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};
use proptest::prelude::*;

/// A division as plain data, so that a test can judge it by itself.
#[derive(Clone, Debug, Default)]
struct Case {
    replicas: u64,
    move_price: u64,
    shortfall_price: Option<u64>,
    /// Minimum, maximum and parent.
    domains: Vec<(u64, u64, Option<usize>)>,
    clusters: Vec<Cluster>,
}

#[derive(Clone, Debug, Default)]
struct Cluster {
    capacity: u64,
    min: u64,
    max: u64,
    current: u64,
    cost: u64,
    domain: Option<usize>,
    steps: Vec<(u64, u64)>,
}

impl Case {
    fn division(&self) -> Division {
        let mut division = Division::new(self.replicas);
        division.move_price(self.move_price);
        if let Some(price) = self.shortfall_price {
            division.shortfall_price(price);
        }
        let mut ids: Vec<DomainId> = Vec::new();
        for &(min, max, parent) in &self.domains {
            let domain = Domain::new().at_least(min).at_most(max);
            ids.push(division.domain(parent.map_or(domain, |parent| domain.within(ids[parent]))));
        }
        for cluster in &self.clusters {
            let candidate = Candidate::new(cluster.capacity)
                .at_least(cluster.min)
                .at_most(cluster.max);
            let candidate = candidate.running(cluster.current).cost(cluster.cost);
            let candidate = cluster
                .domain
                .map_or(candidate.clone(), |domain| candidate.within(ids[domain]));
            division.cluster(
                cluster
                    .steps
                    .iter()
                    .fold(candidate, |candidate, &(above, price)| {
                        candidate.step(above, price)
                    }),
            );
        }
        division
    }

    fn solve(&self) -> (Divided, Vec<u64>) {
        let divided = self.division().solve().unwrap();
        let placed = divided.clusters.iter().map(|share| share.replicas).collect();
        (divided, placed)
    }

    /// Replicas in each domain.
    fn within(&self, placed: &[u64]) -> Vec<u64> {
        let mut within = vec![0; self.domains.len()];
        for (cluster, replicas) in self.clusters.iter().zip(placed) {
            let mut domain = cluster.domain;
            while let Some(inner) = domain {
                within[inner] += replicas;
                domain = self.domains[inner].2;
            }
        }
        within
    }

    fn is_allowed(&self, placed: &[u64]) -> bool {
        let clusters = self.clusters.iter().zip(placed);
        let domains = self.domains.iter().zip(self.within(placed));
        placed.iter().sum::<u64>() <= self.replicas
            && clusters
                .into_iter()
                .all(|(cluster, replicas)| *replicas <= cluster.capacity.min(cluster.max))
            && domains.into_iter().all(|(domain, replicas)| replicas <= domain.1)
    }

    /// What is missing of minimums.
    fn unmet(&self, placed: &[u64]) -> u64 {
        let clusters = self
            .clusters
            .iter()
            .map(|cluster| cluster.min)
            .zip(placed.iter().copied());
        let domains = self
            .domains
            .iter()
            .map(|domain| domain.0)
            .zip(self.within(placed));
        clusters
            .chain(domains)
            .map(|(min, replicas)| min.saturating_sub(replicas))
            .sum()
    }

    fn moved(&self, placed: &[u64]) -> u64 {
        let stopped: u64 = self
            .clusters
            .iter()
            .zip(placed)
            .map(|(c, now)| c.current.saturating_sub(*now))
            .sum();
        let running: u64 = self.clusters.iter().map(|cluster| cluster.current).sum();
        stopped - running.saturating_sub(self.replicas)
    }

    fn cost(&self, placed: &[u64]) -> u64 {
        let run = self.clusters.iter().zip(placed).map(|(cluster, replicas)| {
            let steps = cluster
                .steps
                .iter()
                .map(|(above, price)| replicas.saturating_sub(*above) * price);
            replicas * cluster.cost + steps.sum::<u64>()
        });
        let shortfall = self.replicas - placed.iter().sum::<u64>();
        run.sum::<u64>()
            + self.moved(placed) * self.move_price
            + shortfall * self.shortfall_price.unwrap_or(0)
    }

    /// What counts, in order; less is better.
    fn rank(&self, placed: &[u64]) -> (u64, u64, u64, u64) {
        let shortfall = self.replicas - placed.iter().sum::<u64>();
        let first = if self.shortfall_price.is_none() {
            shortfall
        } else {
            0
        };
        let new: u64 = self
            .clusters
            .iter()
            .zip(placed)
            .map(|(c, now)| now.saturating_sub(c.current))
            .sum();
        (self.unmet(placed), first, self.cost(placed), new + 2 * shortfall)
    }

    /// The best rank of all divisions.
    fn by_force(&self) -> (u64, u64, u64, u64) {
        let mut placed = vec![0; self.clusters.len()];
        let mut best = self.rank(&placed);
        while let Some(next) = placed.iter().position(|replicas| *replicas < self.replicas) {
            placed[..next].fill(0);
            placed[next] += 1;
            if self.is_allowed(&placed) {
                best = best.min(self.rank(&placed));
            }
        }
        best
    }

    /// The least weighted sum of what is missing, what runs nowhere and what it costs, by an integer program.
    ///
    /// It knows nothing of arcs: each term that bends is a variable held from below.
    fn by_program(&self) -> u64 {
        let mut problem = Problem::new(OptimizationDirection::Minimize);
        let many = i32::try_from(self.replicas).unwrap();
        let count = |problem: &mut Problem, price: u64| problem.add_integer_var(price as f64, (0, many));
        // At least `than` less (or, by sign, more) than the sum, and never negative.
        let bend = |problem: &mut Problem, price: u64, sum: &[Variable], sign: f64, than: u64| {
            let over = problem.add_var(price as f64, (0.0, f64::INFINITY));
            let terms: Vec<_> = [(over, 1.0)]
                .into_iter()
                .chain(sum.iter().map(|v| (*v, sign)))
                .collect();
            problem.add_constraint(terms, ComparisonOp::Ge, sign * than as f64);
        };
        let placed: Vec<_> = self
            .clusters
            .iter()
            .map(|cluster| count(&mut problem, cluster.cost))
            .collect();
        let nowhere = count(&mut problem, self.shortfall_price.unwrap_or(NOWHERE));
        let all: Vec<_> = placed
            .iter()
            .chain([&nowhere])
            .map(|variable| (*variable, 1.0))
            .collect();
        problem.add_constraint(all, ComparisonOp::Eq, self.replicas as f64);
        for (cluster, variable) in self.clusters.iter().zip(&placed) {
            let most = cluster.capacity.min(cluster.max);
            problem.add_constraint([(*variable, 1.0)], ComparisonOp::Le, most as f64);
            bend(&mut problem, UNMET, &[*variable], 1.0, cluster.min);
            bend(&mut problem, self.move_price, &[*variable], 1.0, cluster.current);
            for &(above, price) in &cluster.steps {
                bend(&mut problem, price, &[*variable], -1.0, above);
            }
        }
        for (domain, &(min, max, _)) in self.domains.iter().enumerate() {
            let is_within = |index: usize| {
                let mut one = vec![0; placed.len()];
                one[index] = 1;
                self.within(&one)[domain] == 1
            };
            let inside: Vec<_> = (0..placed.len())
                .filter(|index| is_within(*index))
                .map(|i| placed[i])
                .collect();
            let terms: Vec<_> = inside.iter().map(|variable| (*variable, 1.0)).collect();
            problem.add_constraint(terms, ComparisonOp::Le, max as f64);
            bend(&mut problem, UNMET, &inside, 1.0, min);
        }
        let objective = problem
            .solve()
            .unwrap()
            .into_solution()
            .unwrap()
            .objective()
            .round() as u64;
        let running: u64 = self.clusters.iter().map(|cluster| cluster.current).sum();
        objective - running.saturating_sub(self.replicas) * self.move_price
    }
}

/// Weights of the integer program, far above all prices of the cases.
const NOWHERE: u64 = 1_000;
const UNMET: u64 = 100_000;

fn free(capacity: u64) -> Cluster {
    Cluster {
        capacity,
        max: u64::MAX,
        ..Cluster::default()
    }
}

#[track_caller]
fn check(case: &Case, placed: &[u64], moved: u64, cost: i128) {
    let (divided, found) = case.solve();
    assert_eq!(
        (found.as_slice(), divided.moved, divided.cost),
        (placed, moved, cost)
    );
}

#[test]
fn costs_and_moves() {
    let costs = |costs: &[(u64, u64, u64)], replicas, move_price, shortfall_price| Case {
        replicas,
        move_price,
        shortfall_price,
        clusters: costs
            .iter()
            .map(|&(capacity, cost, current)| Cluster {
                current,
                cost,
                ..free(capacity)
            })
            .collect(),
        ..Case::default()
    };
    check(&costs(&[], 3, 1, Some(7)), &[], 0, 21);
    check(&costs(&[(5, 2, 0), (5, 1, 0)], 0, 1, None), &[0, 0], 0, 0);
    check(&costs(&[(5, 2, 0), (5, 1, 0)], 7, 0, None), &[2, 5], 0, 9);
    // A move pays only if the gain is more than its price.
    check(&costs(&[(9, 5, 4), (9, 1, 0)], 4, 3, None), &[0, 4], 4, 16);
    check(&costs(&[(9, 5, 4), (9, 1, 0)], 4, 4, None), &[4, 0], 0, 20);
    check(&costs(&[(9, 5, 4), (9, 1, 0)], 4, 5, None), &[4, 0], 0, 20);
    // What is added goes where it is cheapest, and is no move; nor is what goes.
    check(&costs(&[(9, 5, 4), (9, 1, 0)], 6, 5, None), &[4, 2], 0, 22);
    check(&costs(&[(9, 5, 4), (9, 1, 3)], 5, 5, None), &[2, 3], 0, 13);
    check(&costs(&[(9, 5, 4), (3, 1, 3)], 2, 5, None), &[0, 2], 0, 2);
    // A lost cluster: its replicas move, and those that find no place count as moved, too.
    check(
        &costs(&[(0, 5, 4), (6, 1, 3)], 7, 5, Some(100)),
        &[0, 6],
        4,
        6 + 4 * 5 + 100,
    );
    // Dearer than its lack.
    check(&costs(&[(9, 5, 0), (9, 1, 2)], 4, 50, Some(4)), &[0, 4], 0, 4);
    check(&costs(&[(9, 5, 0), (2, 1, 2)], 4, 50, Some(4)), &[0, 2], 0, 10);
    check(&costs(&[(9, 5, 0), (2, 1, 2)], 4, 50, Some(5)), &[2, 2], 0, 12);
    check(&costs(&[(9, 60, 1)], 1, 50, Some(10)), &[1], 0, 60);
    check(&costs(&[(9, 61, 1)], 1, 50, Some(10)), &[0], 1, 60);
}

#[test]
fn minimums_and_domains() {
    // West lies in world; the third cluster lies in no domain.
    let case = |replicas, world: (u64, u64), west: (u64, u64), mins: [u64; 3]| Case {
        replicas,
        domains: vec![(world.0, world.1, None), (west.0, west.1, Some(0))],
        clusters: vec![
            Cluster {
                cost: 1,
                min: mins[0],
                domain: Some(1),
                ..free(10)
            },
            Cluster {
                cost: 2,
                min: mins[1],
                domain: Some(0),
                ..free(10)
            },
            Cluster {
                cost: 3,
                min: mins[2],
                ..free(10)
            },
        ],
        ..Case::default()
    };
    const ANY: (u64, u64) = (0, u64::MAX);
    check(&case(12, ANY, ANY, [0, 0, 0]), &[10, 2, 0], 0, 14);
    check(&case(12, ANY, (0, 4), [0, 0, 0]), &[4, 8, 0], 0, 20);
    check(&case(12, (0, 7), (0, 4), [0, 0, 0]), &[4, 3, 5], 0, 25);
    check(&case(12, ANY, ANY, [0, 3, 2]), &[7, 3, 2], 0, 19);
    // Minimums go before costs even if not all can be met.
    check(&case(4, ANY, ANY, [0, 3, 3]), &[0, 3, 1], 0, 9);
    check(&case(30, ANY, (0, 4), [6, 12, 0]), &[4, 10, 10], 0, 54);
    // At equal cost a replica runs, and where it runs, even if others are found first.
    let tie = |current| Case {
        shortfall_price: Some(3),
        clusters: vec![
            Cluster {
                cost: 3,
                domain: Some(1),
                ..free(1)
            },
            Cluster { cost: 3, ..free(1) },
            Cluster {
                current,
                cost: 3,
                domain: Some(1),
                ..free(1)
            },
        ],
        ..case(2, ANY, ANY, [0, 0, 0])
    };
    check(&tie(0), &[1, 1, 0], 0, 6);
    check(&tie(1), &[0, 1, 1], 0, 6);
    // One replica can meet three minimums.
    check(&case(2, (2, 9), (1, 9), [1, 0, 1]), &[2, 0, 0], 0, 2);
    check(&case(3, (2, 9), (1, 9), [1, 0, 1]), &[2, 0, 1], 0, 5);

    let (divided, _) = case(30, ANY, (7, 4 + 3), [9, 0, 0]).solve();
    assert_eq!(
        (
            divided.clusters[0].unmet,
            divided.domains[0].unmet,
            divided.domains[1].unmet
        ),
        (2, 0, 0)
    );
    assert_eq!(
        (
            divided.domains[0].replicas,
            divided.domains[1].replicas,
            divided.shortfall
        ),
        (17, 7, 3)
    );
}

#[test]
fn limits_that_are_reached() {
    let mut division = Division::new(20);
    let world = division.domain(Domain::new().at_most(12));
    let west = division.domain(Domain::new().at_least(5).at_most(9).within(world));
    division.cluster(Candidate::new(3).within(west));
    division.cluster(Candidate::new(9).at_least(2).cost(1).within(west));
    division.cluster(Candidate::new(9).at_most(3).cost(2).within(world));
    division.cluster(Candidate::new(9).at_least(4).cost(3).at_most(4));
    division.cluster(Candidate::new(9).cost(4));
    division.cluster(Candidate::new(0));
    let divided = division.solve().unwrap();
    let limits: Vec<_> = divided
        .clusters
        .iter()
        .map(|share| (share.replicas, share.limits.as_slice()))
        .collect();
    assert_eq!(
        limits,
        [
            (
                3,
                [
                    Limit::Capacity,
                    Limit::DomainMaximum(west),
                    Limit::DomainMaximum(world)
                ]
                .as_slice()
            ),
            (
                6,
                [Limit::DomainMaximum(west), Limit::DomainMaximum(world)].as_slice()
            ),
            (3, [Limit::Maximum, Limit::DomainMaximum(world)].as_slice()),
            (4, [Limit::Maximum, Limit::Minimum].as_slice()),
            (4, [].as_slice()),
            (0, [Limit::Capacity].as_slice()),
        ]
    );
    assert_eq!(
        divided.domains[west.index()].limits,
        [Limit::Maximum, Limit::DomainMaximum(world)]
    );
    assert_eq!(divided.domains[world.index()].limits, [Limit::Maximum]);

    // A domain's minimum holds replicas in it.
    let mut division = Division::new(5);
    let west = division.domain(Domain::new().at_least(2));
    division.cluster(Candidate::new(9).cost(7).within(west));
    division.cluster(Candidate::new(9));
    let divided = division.solve().unwrap();
    assert_eq!(
        (divided.clusters[0].replicas, divided.clusters[1].replicas),
        (2, 3)
    );
    assert_eq!(divided.clusters[0].limits, [Limit::DomainMinimum(west)]);
    assert_eq!(divided.domains[0].limits, [Limit::Minimum]);
}

#[test]
fn balance_evens_out() {
    let divide = |replicas, widths: &[u64]| {
        let mut division = Division::new(replicas);
        for &width in widths {
            division.cluster(Candidate::new(1_000).balanced(width, 1, 100));
        }
        let divided = division.solve().unwrap();
        divided
            .clusters
            .into_iter()
            .map(|share| share.replicas)
            .collect::<Vec<_>>()
    };
    assert_eq!(divide(9, &[1, 1, 1]), [3, 3, 3]);
    assert_eq!(divide(10, &[1, 1, 1]), [4, 3, 3]);
    assert_eq!(divide(12, &[1, 2, 3]), [2, 4, 6]);
    assert_eq!(divide(600, &[10, 20, 30]), [100, 200, 300]);
    assert_eq!(divide(3, &[0, 1]), [2, 1]);
    assert_eq!(divide(4, &[u64::MAX, 1]), [4, 0]);
}

#[test]
fn refusals() {
    let mut division = Division::new(1);
    division.cluster(Candidate::new(1));
    let cluster = division.cluster(Candidate::new(9).at_least(3).at_most(2));
    let expect = DivisionError::ClusterMinimumAboveMaximum {
        cluster,
        min: 3,
        max: 2,
    };
    assert_eq!(division.solve(), Err(expect));

    let mut division = Division::new(1);
    let domain = division.domain(Domain::new().at_least(3).at_most(2));
    assert_eq!(
        division.solve(),
        Err(DivisionError::DomainMinimumAboveMaximum {
            domain,
            min: 3,
            max: 2
        })
    );

    // Of another division, and not added before.
    let mut other = Division::new(1);
    let (first, second) = (other.domain(Domain::new()), other.domain(Domain::new()));
    let mut division = Division::new(1);
    division.cluster(Candidate::new(1).within(first));
    assert_eq!(
        division.solve(),
        Err(DivisionError::UnknownDomain { domain: first })
    );
    division.domain(Domain::new().within(second));
    division.domain(Domain::new());
    assert_eq!(
        division.solve(),
        Err(DivisionError::UnknownDomain { domain: second })
    );
    let mut division = Division::new(1);
    division.domain(Domain::new().within(first));
    assert_eq!(
        division.solve(),
        Err(DivisionError::UnknownDomain { domain: first })
    );

    let dear = |cost, price, step| {
        let mut division = Division::new(2);
        division.move_price(price);
        division.cluster(Candidate::new(2).cost(cost).step(1, step));
        division.solve().map(|divided| divided.cost)
    };
    const MOST: u64 = i64::MAX as u64 / 3;
    assert_eq!(dear(MOST - 2, 0, 0), Ok(2 * i128::from(MOST - 2)));
    for (cost, price, step) in [
        (MOST, 0, 1),
        (u64::MAX, 0, 0),
        (1, MOST, 0),
        (1, 0, u64::MAX),
        (u64::MAX, 1, 0),
    ] {
        assert_eq!(
            dear(cost, price, step),
            Err(DivisionError::PricesTooLarge),
            "{cost} {price} {step}"
        );
    }
    let mut division = Division::new(2);
    assert_eq!(
        division.shortfall_price(u64::MAX).solve(),
        Err(DivisionError::PricesTooLarge)
    );
    assert_eq!(
        division.move_price(u64::MAX).solve(),
        Err(DivisionError::PricesTooLarge)
    );
    // Steps that no replica reaches may be as dear as they like.
    let mut division = Division::new(9);
    division.cluster(Candidate::new(5).step(5, u64::MAX).step(5, u64::MAX));
    division.cluster(Candidate::new(99).step(9, u64::MAX).step(9, u64::MAX));
    assert_eq!(division.solve().map(|divided| divided.cost), Ok(0));
    // Rewards of nested minimums add up beyond 128 bits.
    let mut division = Division::new(u64::MAX);
    let mut domain = Domain::new().at_least(u64::MAX);
    for _ in 0..4 {
        domain = domain.within(division.domain(domain));
    }
    let innermost = division.domain(domain);
    division.cluster(Candidate::new(u64::MAX).cost(MOST - 2).within(innermost));
    assert_eq!(division.solve(), Err(FlowError::Overflow.into()));
}

#[test]
fn amounts_do_not_count_and_clusters_do_little() {
    const MANY: u64 = 1_000_000_000_000_000_000;
    let mut division = Division::new(MANY);
    division.move_price(10);
    let zones: Vec<_> = (0..8)
        .map(|_| division.domain(Domain::new().at_most(MANY / 4)))
        .collect();
    for cluster in 0..200_u64 {
        let zone = zones[(cluster % 8) as usize];
        let candidate = Candidate::new(MANY / 100 + cluster)
            .cost(cluster * 7919 % 97)
            .within(zone);
        division.cluster(
            candidate
                .running(MANY / 200)
                .at_least(cluster)
                .balanced(MANY / 500, 3, 5),
        );
    }
    let divided = division.solve().unwrap();
    assert_eq!(
        (
            divided.shortfall,
            divided.clusters.iter().map(|share| share.replicas).sum::<u64>()
        ),
        (0, MANY)
    );
    assert!(divided.moved > 0 && divided.clusters.iter().all(|share| share.unmet == 0));
}

fn clusters(most: usize, replicas: u64, domains: usize) -> impl Strategy<Value = Vec<Cluster>> {
    let n = 0..=replicas;
    let some = |n: std::ops::RangeInclusive<u64>| prop_oneof![3 => Just(u64::MAX), 1 => n];
    let steps = proptest::collection::vec((n.clone(), 0_u64..4), 0..3);
    let min = prop_oneof![2 => Just(0), 1 => n.clone()];
    let domain = proptest::option::of(0..domains);
    let cluster = (n.clone(), min, some(n.clone()), n, 0_u64..6, domain, steps);
    let cluster = cluster.prop_map(|(capacity, min, max, current, cost, domain, steps)| Cluster {
        capacity,
        min: min.min(max),
        max,
        current,
        cost,
        domain,
        steps,
    });
    proptest::collection::vec(cluster, 1..=most)
}

fn cases(most: usize, replicas: u64, domains: usize) -> impl Strategy<Value = Case> {
    let domain = (
        0..=replicas / 2,
        prop_oneof![1 => Just(u64::MAX), 2 => 0..=replicas],
        any::<prop::sample::Index>(),
    );
    let domains = proptest::collection::vec(domain, domains);
    let domains = domains.prop_map(|domains| {
        let domains = domains.into_iter().enumerate();
        // Any earlier domain, or none.
        let parent = |at: usize, any: prop::sample::Index| any.index(at + 1).checked_sub(1);
        domains
            .map(|(at, (min, max, any))| (min.min(max), max, parent(at, any)))
            .collect::<Vec<_>>()
    });
    let prices = (0_u64..4, proptest::option::of(0_u64..8));
    domains.prop_flat_map(move |domains| {
        let clusters = clusters(most, replicas, domains.len());
        (0..=replicas, prices.clone(), clusters).prop_map(move |(replicas, prices, clusters)| Case {
            replicas,
            move_price: prices.0,
            shortfall_price: prices.1,
            domains: domains.clone(),
            clusters,
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn as_by_brute_force(case in cases(4, 5, 3)) {
        let (divided, placed) = case.solve();
        prop_assert!(case.is_allowed(&placed), "{divided:?}");
        prop_assert_eq!(case.rank(&placed), case.by_force(), "{:?}", divided);
        prop_assert_eq!(divided.cost, i128::from(case.cost(&placed)));
        prop_assert_eq!(divided.moved, case.moved(&placed));
        prop_assert_eq!(divided.shortfall, case.replicas - placed.iter().sum::<u64>());
        prop_assert_eq!(divided.domains.iter().map(|share| share.replicas).collect::<Vec<_>>(), case.within(&placed));
        let unmet = divided.clusters.iter().chain(&divided.domains).map(|share| share.unmet).sum::<u64>();
        prop_assert_eq!(unmet, case.unmet(&placed));
    }

    #[test]
    fn as_by_integer_program(case in cases(10, 40, 4)) {
        let (_, placed) = case.solve();
        prop_assert!(case.is_allowed(&placed));
        let (unmet, nowhere, cost, _) = case.rank(&placed);
        prop_assert_eq!(unmet * UNMET + nowhere * NOWHERE + cost, case.by_program());
    }

    /// Nothing moves once everything is where it should be, even where a move would cost nothing.
    #[test]
    fn stays_where_it_is(case in cases(8, 40, 4)) {
        let (_, placed) = case.solve();
        let mut again = case.clone();
        for (cluster, replicas) in again.clusters.iter_mut().zip(&placed) {
            cluster.current = *replicas;
        }
        prop_assert_eq!(again.solve().1, placed);
    }

    /// A limit that is reported keeps replicas away: where none is, one more replica could run.
    #[test]
    fn limits_are_those_that_hold(case in cases(6, 20, 3), pick in any::<prop::sample::Index>()) {
        let (divided, mut placed) = case.solve();
        let cluster = pick.index(placed.len());
        let full = |limit: &Limit| matches!(limit, Limit::Maximum | Limit::Capacity | Limit::DomainMaximum(_));
        let more = !divided.clusters[cluster].limits.iter().any(full);
        placed[cluster] += 1;
        let mut larger = case.clone();
        larger.replicas += 1;
        prop_assert_eq!(more, larger.is_allowed(&placed));
    }

    /// Room never harms.
    #[test]
    fn more_capacity_costs_no_more(case in cases(6, 20, 3), pick in any::<prop::sample::Index>(), room in 1_u64..9) {
        let mut larger = case.clone();
        larger.clusters[pick.index(case.clusters.len())].capacity += room;
        prop_assert!(larger.rank(&larger.solve().1) <= case.rank(&case.solve().1));
    }
}
