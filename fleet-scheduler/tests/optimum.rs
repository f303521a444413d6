//! How far decisions are from the optimum, on small instances that can be solved exactly.
// Ratios are printed, and small numbers go through the floating point of the integer program.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

mod support;

use std::collections::BTreeMap;

use fleet_core::{Capacity, Cluster, Millis, Resources, Tick};
use fleet_scheduler::solve::{Contender, Effort, Problem, improve};
use fleet_scheduler::{
    Assignment, Bound, Budgets, Calm, ClusterInfo, DivideBy, Facts, FleetView, MoveLog, MovePolicy,
    Placement, Planner, PlannerOptions, Rate, Scheduler, StormBreaker, Target, Workload, WorkloadId, Worth,
};
use support::exact::{Instance, Size};

fn resources(amounts: &[u64]) -> Resources {
    let mut resources = Resources::new();
    for (at, amount) in amounts.iter().enumerate() {
        resources
            .set(&format!("r{at}"), i64::try_from(*amount).unwrap())
            .unwrap();
    }
    resources
}

fn name(cluster: usize) -> String {
    format!("c{cluster}")
}

fn id(workload: usize) -> WorkloadId {
    format!("w{workload}").as_str().into()
}

/// What the planner makes of an instance, once everything has settled.
fn place(instance: &Instance, moves: &MovePolicy) -> Vec<Vec<u64>> {
    let clusters = instance.clusters.iter().enumerate().map(|(at, cluster)| {
        let declared = Cluster::new(name(at)).cost("replica", i64::try_from(cluster.cost).unwrap());
        ClusterInfo::new(declared).capacity(Capacity::new(
            resources(&cluster.capacity),
            Resources::new(),
            Tick(1),
        ))
    });
    let wide = Rate::new(u64::MAX, Millis(1));
    let mut calm = Calm::default();
    calm.rest = Millis(0);
    let options = PlannerOptions::default()
        .budgets(Budgets::new(wide, wide))
        .storm(StormBreaker::off())
        .calm(calm);
    let scheduler = Scheduler::builder().rebalancer(Worth::without_balance()).build();
    let previous = instance.workloads.iter().enumerate().map(|(at, workload)| {
        let on = workload
            .previous
            .iter()
            .enumerate()
            .filter(|(_, replicas)| **replicas > 0);
        let placement = on.fold(Placement::nowhere(), |placement, (cluster, replicas)| {
            placement.with("1", &name(cluster), Assignment::new(*replicas, Tick(10)))
        });
        (id(at), placement)
    });
    let previous: BTreeMap<WorkloadId, Placement> = previous.collect();
    let mut planner = Planner::new(scheduler, FleetView::new(clusters).unwrap(), options)
        .with_previous(&previous, MoveLog::default());
    for (at, workload) in instance.workloads.iter().enumerate() {
        let allowed = (0..instance.clusters.len()).filter(|cluster| workload.allowed[*cluster]);
        let mut target = Target::replicas(workload.replicas)
            .divided_by(DivideBy::Cost)
            .on(allowed.map(name));
        for (cluster, max) in workload.max.iter().enumerate() {
            target = target.bound(Bound::cluster(name(cluster)).max(*max));
        }
        if target.clusters.is_empty() {
            target = target.on(["nowhere"]);
        }
        let workload = Workload::new(id(at), [target])
            .needs(resources(&workload.needs))
            .moves(moves.clone().price(instance.move_price));
        planner.set(workload);
    }
    let mut facts = Facts::none();
    for workload in 0..instance.workloads.len() {
        for cluster in 0..instance.clusters.len() {
            facts = facts.healthy(id(workload), name(cluster));
        }
    }
    for round in 0..50 {
        let now = Tick(20 + round * 10);
        let decided = planner.rebalance(&facts, now);
        if round > 0 && decided.is_empty() {
            break;
        }
    }
    let cell = |workload: usize, cluster: usize| {
        let placement = planner.table().placement(&id(workload));
        placement.active().get(&*name(cluster)).copied().unwrap_or(0)
    };
    let row = |workload: usize| {
        (0..instance.clusters.len())
            .map(|cluster| cell(workload, cluster))
            .collect()
    };
    (0..instance.workloads.len()).map(row).collect()
}

/// What a search makes of it, off the fast path.
fn improved(instance: &Instance, found: &[Vec<u64>]) -> Vec<Vec<u64>> {
    let signed = |amount: &u64| i64::try_from(*amount).unwrap();
    let free = instance
        .clusters
        .iter()
        .map(|cluster| cluster.capacity.iter().map(signed).collect());
    let problem = instance
        .workloads
        .iter()
        .fold(Problem::new(free.collect()), |problem, workload| {
            let clusters = instance.clusters.iter().enumerate().map(|(at, cluster)| {
                let most = if workload.allowed[at] { workload.max[at] } else { 0 };
                (signed(&cluster.cost), most, workload.previous[at])
            });
            let needs = workload.needs.iter().map(signed).collect();
            let contender = Contender::new(workload.replicas, needs).clusters(clusters);
            problem.contender(
                contender
                    .prices(signed(&instance.move_price), signed(&instance.shortfall_price))
                    .keeps(workload.keeps),
            )
        });
    improve(&problem, &found.to_vec(), Effort::default())
}

/// Takes out of what ran before what could not have run: where it is not allowed, above limits or above capacity. What is
/// left keeps a place: nothing that runs is stopped for others that are no more important.
fn sane(mut instance: Instance) -> Instance {
    let mut free: Vec<Vec<u64>> = instance
        .clusters
        .iter()
        .map(|cluster| cluster.capacity.clone())
        .collect();
    for workload in &mut instance.workloads {
        let mut rest = workload.replicas;
        for (cluster, free) in free.iter_mut().enumerate() {
            let most = if workload.allowed[cluster] {
                workload.max[cluster]
            } else {
                0
            };
            let fits = workload
                .needs
                .iter()
                .zip(&*free)
                .filter_map(|(need, free)| free.checked_div(*need))
                .min();
            let kept = workload.previous[cluster]
                .min(most)
                .min(fits.unwrap_or(u64::MAX))
                .min(rest);
            workload.previous[cluster] = kept;
            rest -= kept;
            workload.keeps += kept;
            for (free, need) in free.iter_mut().zip(&workload.needs) {
                *free -= need * kept;
            }
        }
    }
    instance
}

/// How far placements are from the optimum.
struct Distance {
    mean: f64,
    worst: f64,
    /// How many cost more than one and a half times as much.
    far: usize,
}

/// Holds what is made of random instances against their optimum, and prints it.
fn distance(
    what: &str,
    instances: u64,
    prepare: impl Fn(Instance) -> Instance,
    place: impl Fn(&Instance) -> Vec<Vec<u64>>,
) -> Distance {
    let mut ratios = Vec::new();
    for seed in 0..instances {
        let instance = prepare(Instance::random(seed, &Size::SMALL));
        let optimum = instance.solve().expect("no minimums, so it has a solution");
        let found = place(&instance);
        let cost = instance
            .cost(&found)
            .unwrap_or_else(|broken| panic!("seed {seed}: {broken:?}: {found:?} of {instance:#?}"));
        assert!(cost >= optimum.cost, "seed {seed}");
        ratios.push((cost as f64 / optimum.cost as f64, seed));
    }
    ratios.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mean = ratios.iter().map(|(ratio, _)| ratio).sum::<f64>() / instances as f64;
    let far = ratios.iter().filter(|(ratio, _)| *ratio > 1.5).count();
    let worst = ratios[0].0;
    println!(
        "{what}: {instances} instances: mean {mean:.4}, worst {worst:.2}, above 1.5: {far}; {:?}",
        &ratios[..5]
    );
    Distance { mean, worst, far }
}

impl Distance {
    fn is_near(&self) {
        assert!(
            self.mean <= 1.05 && self.worst <= 1.5,
            "mean {:.4}, worst {:.2}",
            self.mean,
            self.worst
        );
    }
}

/// Nothing runs before.
fn anew(mut instance: Instance) -> Instance {
    for workload in &mut instance.workloads {
        workload.previous.fill(0);
    }
    instance
}

/// The planner alone.
#[test]
fn decisions_from_nothing_are_near_the_optimum() {
    distance("from nothing", 1_000, anew, |instance| {
        place(instance, &MovePolicy::default())
    })
    .is_near();
}

/// The planner alone, where old copies may stop first.
#[test]
fn decisions_about_what_runs_are_near_the_optimum() {
    let policy = MovePolicy::default().stop_first();
    distance("what runs, stop first", 1_000, sane, |instance| {
        place(instance, &policy)
    })
    .is_near();
}

/// The planner alone, where old copies stop only once new ones run: where all is full, two cannot change places then, though
/// the optimum knows nothing of that.
#[test]
fn decisions_that_need_room_for_both_are_near_the_optimum_but_where_all_is_full() {
    let policy = MovePolicy::default();
    let found = distance("what runs, start first", 1_000, sane, |instance| {
        place(instance, &policy)
    });
    assert!(
        found.mean <= 1.05 && found.far <= 10,
        "mean {:.4}, {} above 1.5",
        found.mean,
        found.far
    );
}

/// The search by itself.
#[test]
fn a_search_is_near_the_optimum() {
    distance("search", 300, sane, |instance| improved(instance, &Vec::new())).is_near();
}

#[test]
fn whatever_is_asked_of_it_a_search_stays_within_its_numbers() {
    let check = |problem: Problem, start: Vec<Vec<u64>>| {
        let before = problem.cost(&start);
        let after = problem.cost(&improve(&problem, &start, Effort::steps(20)));
        assert!(
            after <= before || before == 0,
            "{problem:?}: {after} rather than {before}"
        );
    };
    // Lists that say nothing of the second cluster.
    let short = Contender::new(3, vec![1]).clusters([(5, 9, 0)]);
    check(
        Problem::new(vec![vec![9], vec![9]]).contender(short),
        vec![vec![0, 0]],
    );
    for extreme in [i64::MIN, -1, 0, i64::MAX] {
        let huge = Contender::new(u64::MAX, vec![i64::MAX, i64::MAX])
            .clusters([(extreme, u64::MAX, 0), (1, u64::MAX, u64::MAX)])
            .prices(i64::MAX, i64::MAX);
        let free = vec![vec![i64::MAX, i64::MAX], vec![i64::MAX, i64::MAX]];
        let problem = Problem::new(free).contender(huge.clone()).contender(huge);
        check(problem, vec![vec![0, 0], vec![0, 0]]);
    }
}
