//! What outside sources say of room.

use fleet_core::{Capacity, Cluster, Millis, Resources, Tick};
use fleet_scheduler::*;

const MINUTE: u64 = 60_000;

fn cpu(cores: u64) -> Resources {
    Resources::new().with("cpu", &cores.to_string()).unwrap()
}

fn planner(builder: SchedulerBuilder, workload: Workload) -> Planner {
    let cluster = |name: &str| {
        ClusterInfo::new(Cluster::new(name)).capacity(Capacity::new(cpu(8), Resources::new(), Tick(1)))
    };
    let fleet = FleetView::new([cluster("eu-1"), cluster("us-1")]).unwrap();
    let mut planner = Planner::new(builder.build(), fleet, PlannerOptions::default());
    planner.set(workload);
    planner
}

fn web(target: Target) -> Workload {
    Workload::new("shop/web", [target]).needs(cpu(1))
}

fn on(planner: &Planner) -> Vec<(String, u64)> {
    let clusters = planner.table().clusters_of(&"shop/web".into());
    clusters
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count))
        .collect()
}

fn says(replicas: u64) -> impl Estimator {
    estimator_fn("says", move |_| Some(Estimate::of_now(replicas)))
}

#[test]
fn the_least_of_all_answers_counts_and_none_is_no_answer() {
    let silent = || estimator_fn("down", |_| None);
    let check = |builder: SchedulerBuilder, target: Target, expected: &[(&str, u64)]| {
        let mut planner = planner(builder, web(target));
        planner.decide(&Facts::none(), Tick(10));
        let expected: Vec<_> = expected
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        assert_eq!(on(&planner), expected);
    };
    let twelve = || Target::replicas(12);
    check(Scheduler::builder(), twelve(), &[("eu-1", 8), ("us-1", 4)]);
    check(
        Scheduler::builder().estimator(silent()),
        twelve(),
        &[("eu-1", 8), ("us-1", 4)],
    );
    check(
        Scheduler::builder().estimator(says(100)),
        twelve(),
        &[("eu-1", 8), ("us-1", 4)],
    );
    check(
        Scheduler::builder()
            .estimator(says(5))
            .estimator(silent())
            .estimator(says(7)),
        twelve(),
        &[("eu-1", 5), ("us-1", 5)],
    );
    check(
        Scheduler::builder().estimator(says(5)).without("says"),
        twelve(),
        &[("eu-1", 8), ("us-1", 4)],
    );
    // An estimate is of replicas, also where several go to a cluster together.
    check(
        Scheduler::builder().estimator(says(5)),
        Target::each(5),
        &[("eu-1", 5), ("us-1", 5)],
    );
    check(Scheduler::builder().estimator(says(4)), Target::each(5), &[]);
}

#[test]
fn two_decisions_do_not_spend_one_estimate_twice() {
    let quota = Estimates::new("quota");
    for cluster in ["eu-1", "us-1"] {
        quota.set("shop/web", cluster, Estimate::new(3, Tick(MINUTE)));
    }
    let builder = Scheduler::builder().estimator(quota.clone());
    let mut planner = planner(builder, web(Target::replicas(2).on(["eu-1"])));
    let short = |planner: &mut Planner, replicas: u64, now: u64| {
        planner.set(web(Target::replicas(replicas).on(["eu-1"])));
        planner.ask_estimators();
        let round = planner.decide(&Facts::none(), Tick(now));
        round.get("shop/web").map(Decision::short)
    };
    assert_eq!(short(&mut planner, 2, MINUTE), Some(0));
    // One of three is left.
    assert_eq!(short(&mut planner, 6, MINUTE + 1), Some(3));
    assert_eq!(on(&planner), [("eu-1".to_owned(), 3)]);
    assert_eq!(short(&mut planner, 7, MINUTE + 2), Some(4));
    // A later answer, but not late enough to count what was decided: it is taken off still.
    quota.set("shop/web", "eu-1", Estimate::new(3, Tick(2 * MINUTE)));
    assert_eq!(short(&mut planner, 6, 2 * MINUTE), Some(3));
    // Late enough: three more.
    quota.set("shop/web", "eu-1", Estimate::new(3, Tick(4 * MINUTE)));
    assert_eq!(short(&mut planner, 6, 4 * MINUTE), Some(0));
    assert_eq!(on(&planner), [("eu-1".to_owned(), 6)]);
}

#[test]
fn what_has_no_place_is_looked_at_again_when_estimates_change() {
    let quota = Estimates::new("quota");
    for cluster in ["eu-1", "us-1"] {
        quota.set("shop/web", cluster, Estimate::new(0, Tick(1)));
    }
    let mut planner = planner(
        Scheduler::builder().estimator(quota.clone()),
        web(Target::replicas(2)),
    );
    assert_eq!(planner.decide(&Facts::none(), Tick(10))["shop/web"].short(), 2);
    let why = planner
        .explain(&"shop/web".into(), &Facts::none(), Tick(10))
        .unwrap();
    assert_eq!(why.targets[0].refused, [("estimate".into(), 2)].into());
    let refusal = &why.targets[0].clusters[0].refusals[0];
    assert_eq!(
        (refusal.filter.as_str(), refusal.reason.to_string().as_str()),
        ("quota", "no more fits, quota says")
    );

    quota.forget("us-1");
    assert!(planner.decide(&Facts::none(), Tick(20)).is_empty());
    planner.ask_estimators();
    assert_eq!(
        planner.decide(&Facts::none(), Tick(30))["shop/web"].outcome,
        Outcome::Placed
    );
    assert_eq!(on(&planner), [("us-1".to_owned(), 2)]);
}

#[test]
fn nothing_gives_way_where_nothing_more_fits_anyhow() {
    let only_web = |workload: &Workload, _: &Target| workload.name.as_str() == "shop/web";
    let check = |estimator: Option<u64>, moves: usize| {
        let mut builder = Scheduler::builder();
        if let Some(replicas) = estimator {
            builder = builder.estimator(OnlyWhen::new(only_web, says(replicas)));
        }
        let mut urgent = web(Target::replicas(4).on(["eu-1"])).priority(10);
        urgent.preempts = true;
        let mut planner = planner(
            builder,
            Workload::new("shop/batch", [Target::replicas(8).on(["eu-1"])]).needs(cpu(1)),
        );
        planner.decide(&Facts::none(), Tick(10));
        planner.set(urgent);
        let round = planner.decide(&Facts::none(), Tick(20));
        assert_eq!(round["shop/web"].moves.len(), moves, "{estimator:?}: {round:#?}");
    };
    check(None, 1);
    check(Some(4), 1);
    check(Some(0), 0);
}

#[test]
fn an_estimate_that_is_too_old_is_no_answer() {
    let check = |lasts: Option<u64>, minute: u64, expected: u64| {
        let mut quota = Estimates::new("quota");
        if let Some(minutes) = lasts {
            quota = quota.lasting(Millis::from_mins(minutes));
        }
        quota.set("shop/web", "eu-1", Estimate::new(2, Tick(10 * MINUTE)));
        let target = Target::replicas(4).on(["eu-1"]);
        let mut planner = planner(Scheduler::builder().estimator(quota), web(target));
        planner.decide(&Facts::none(), Tick(minute * MINUTE));
        assert_eq!(
            on(&planner),
            [("eu-1".to_owned(), expected)],
            "{lasts:?} {minute}"
        );
    };
    check(None, 1_000, 2);
    check(Some(5), 14, 2);
    check(Some(5), 15, 4);
}
