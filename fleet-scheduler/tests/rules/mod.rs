//! One file a subject. Where a guard holds a rule, the same check is made without it and must fail; where a part of the
//! scheduler does, the check is made with one that breaks the rule ([`wrong`]).
//!
//! Where a type rules the wrong outcome out nothing can break the rule, and the test says only that it is so:
//! - amounts in mixed units: `Resources` holds each resource in one unit, whatever it was written in;
//! - a failure to tell of a cluster in use: explanations have one entry for each cluster of the fleet.

mod decisions;
mod each;
mod fencing;
mod life_cycle;
mod lost;
mod moves;
mod peers;
mod places;
mod repair;
mod rounds;
mod storm;
mod together;
mod wrong;

use std::collections::BTreeMap;

use fleet_core::{Capacity, Cluster, ContactState, ContactStatus, Heard, LifeCycle, Millis, Resources, Tick};
use fleet_scheduler::*;

/// What a check answers: an error says what it saw.
type Check = Result<(), String>;

/// The check passes with all guards, and fails without this one.
fn guarded(check: impl Fn(Switches) -> Check, off: impl Fn(&mut Switches)) {
    if let Err(why) = check(Switches::default()) {
        panic!("with all guards: {why}");
    }
    let mut switches = Switches::default();
    off(&mut switches);
    assert_ne!(switches, Switches::default(), "nothing was switched off");
    assert!(
        check(switches).is_err(),
        "the check does not notice that its guard is off"
    );
}

/// The check passes with all parts, and fails without the one of this name.
fn needs_part(check: impl Fn(Scheduler) -> Check, part: &str) {
    if let Err(why) = check(Scheduler::default()) {
        panic!("with all parts: {why}");
    }
    let without = Scheduler::builder().without(part).build();
    assert!(
        check(without).is_err(),
        "the check does not notice that {part} is missing"
    );
}

/// The check passes with all parts, and fails with these, of which one does what the rule forbids.
fn notices(check: impl Fn(Scheduler) -> Check, wrong: SchedulerBuilder) {
    tells_apart(check, Scheduler::builder(), wrong);
}

/// The check passes with some parts, and fails with others, of which one does what the rule forbids.
fn tells_apart(check: impl Fn(Scheduler) -> Check, right: SchedulerBuilder, wrong: SchedulerBuilder) {
    if let Err(why) = check(right.build()) {
        panic!("with the right parts: {why}");
    }
    assert!(
        check(wrong.build()).is_err(),
        "the check does not notice the wrong part"
    );
}

/// Fails the check, saying what was seen.
macro_rules! need {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}
use need;

/// That many minutes after the beginning.
fn at(minutes: u64) -> Tick {
    Tick(minutes * 60_000)
}

fn minutes(count: u64) -> Millis {
    Millis::from_mins(count)
}

fn cpu(amount: &str) -> Resources {
    Resources::new().with("cpu", amount).unwrap()
}

/// A cluster of a region that offers so much.
fn cluster(name: &str, offers: &str) -> ClusterInfo {
    let region = name.split('-').next().unwrap();
    let cluster = Cluster::new(name).label("region", region);
    ClusterInfo::new(cluster).capacity(Capacity::new(cpu(offers), Resources::new(), Tick(1)))
}

/// Clusters that offer 10 cores each.
fn clusters(names: &[&str]) -> FleetView {
    FleetView::new(names.iter().map(|name| cluster(name, "10"))).unwrap()
}

/// So many replicas of one core each, which are started elsewhere as soon as their cluster is lost.
fn web(replicas: u64) -> Workload {
    Workload::new("web", [Target::replicas(replicas)])
        .needs(cpu("1"))
        .lost(LostPolicy::Respin { after: Millis(0) })
}

fn planner(fleet: FleetView, options: PlannerOptions, switches: Switches) -> Planner {
    Planner::new(Scheduler::default(), fleet, options).with_switches(switches)
}

/// A planner without limits on moves and without a storm breaker.
fn free(fleet: FleetView, switches: Switches) -> Planner {
    planner(
        fleet,
        PlannerOptions::default().storm(StormBreaker::off()),
        switches,
    )
}

/// The same of these parts.
fn free_of(scheduler: Scheduler, fleet: FleetView) -> Planner {
    Planner::new(
        scheduler,
        fleet,
        PlannerOptions::default().storm(StormBreaker::off()),
    )
}

fn change(planner: &mut Planner, name: &str, change: impl FnOnce(&mut ClusterInfo)) {
    let mut info = planner.fleet().get(name).unwrap().clone();
    change(&mut info);
    planner.set_cluster(info).unwrap();
}

/// Contact with a cluster is otherwise, since so many minutes after the beginning.
fn contact(planner: &mut Planner, name: &str, state: ContactState, since: u64) {
    let mut status = ContactStatus::first(Heard::Answer, &fleet_core::ContactLimits::default(), at(since));
    status.state = state;
    change(planner, name, |info| info.contact = Some(status));
}

fn lose(planner: &mut Planner, name: &str, since: u64) {
    contact(planner, name, ContactState::Lost, since);
}

fn live(planner: &mut Planner, name: &str, life_cycle: LifeCycle) {
    change(planner, name, |info| info.cluster.life_cycle = life_cycle);
}

/// Where replicas of a workload count.
fn active(planner: &Planner, workload: &str) -> BTreeMap<String, u64> {
    let placement = planner.table().placement(&workload.into());
    let active = placement.active().into_iter();
    active
        .map(|(cluster, count)| (cluster.to_owned(), count))
        .collect()
}

/// How many replicas of a workload are on a cluster, those that are going too.
fn on(planner: &Planner, workload: &str, cluster: &str) -> u64 {
    planner.table().placement(&workload.into()).on(cluster)
}

fn counts(list: &[(&str, u64)]) -> BTreeMap<String, u64> {
    list.iter()
        .map(|(cluster, count)| ((*cluster).to_owned(), *count))
        .collect()
}

/// Fails unless replicas that count are there.
fn need_active(planner: &Planner, workload: &str, expected: &[(&str, u64)], when: &str) -> Check {
    let active = active(planner, workload);
    need!(
        active == counts(expected),
        "{when}: {workload} is on {active:?}, not on {expected:?}"
    );
    Ok(())
}

/// The codes of what a workload waits for.
fn waits<'a>(round: &'a Round, workload: &str) -> Vec<&'a str> {
    let decision = round.get(workload);
    let waits = decision.into_iter().flat_map(|decision| &decision.waits);
    waits.map(|wait| &*wait.reason.code).collect()
}

fn moves(round: &Round) -> u64 {
    let moves = round.values().flat_map(|decision| &decision.moves);
    moves.map(|one| one.replicas).sum()
}

/// All replicas of these are healthy.
fn healthy(pairs: &[(&str, &str)]) -> Facts {
    pairs.iter().fold(Facts::none(), |facts, (workload, cluster)| {
        facts.healthy(*workload, *cluster)
    })
}
