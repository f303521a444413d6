//! The measured runs.

use std::{collections::BTreeSet, time::Duration};

use fleet_core::{ContactLimits, ContactState, ContactStatus, Digest, Heard, Millis, Tick};
use fleet_measure::{median, peak_memory, resident_memory};
use fleet_scheduler::{
    Budgets, ClusterInfo, Decision, Facts, Placement, Planner, PlannerOptions, Rate, Round, Scheduler,
    WorkloadId,
};

use crate::{
    Args, Failure,
    figures::{Figures, Shortfall, Spans},
    instance::{Instance, NOW},
    verify::verify,
    watch::Watch,
};

/// In how many steps everything has settled.
const STEPS: usize = 50;

/// Measures everything once, in an order in which no measurement disturbs the next.
pub(crate) fn measure(instance: &Instance, args: &Args) -> Result<Figures, Failure> {
    // First of all, because memory that was used and given back would count as free.
    let before = resident_memory()?;
    let begin = Watch::start()?;
    let (mut planner, round) = from_nothing(instance);
    let mut spans = vec![begin.elapsed()?];
    let memory = resident_memory()?.saturating_sub(before);
    let peak_memory = peak_memory()?;

    let used = verify(&planner, &instance.workloads, &round)?;
    let decisions = digest(&round)?;
    let shortfall = Shortfall::of(&round);
    let seats: usize = round.values().map(|one| one.placement.active().len()).sum();
    settle(&mut planner, &round, NOW)?;
    drop(round);
    for _ in 1..args.runs {
        let begin = Watch::start()?;
        let (again, round) = from_nothing(instance);
        spans.push(begin.elapsed()?);
        if digest(&round)? != decisions {
            return Err("the same instance was decided in two ways".into());
        }
        drop(again);
    }
    let from_nothing = median(spans);

    let unchanged = unchanged(&mut planner)?;
    let again = everything(&mut planner, NOW)?;
    let new = new_workloads(&mut planner, instance)?;
    let observation = observations(&mut planner, args.lost)?;
    let explanation = explanations(&planner, instance, args.lost)?;
    let lost = losses(&mut planner, args.lost)?;
    let (rebalance, better) = rebalances(&planner)?;
    Ok(Figures {
        workloads: instance.workloads.len(),
        clusters: instance.fleet.len(),
        sets: instance.sets,
        seed: args.seed,
        used,
        shortfall,
        seats,
        decisions,
        history: Digest::of_bytes(&serde_json::to_vec(&planner.placements())?).to_string(),
        from_nothing,
        unchanged,
        everything: again,
        new,
        observation,
        explanation,
        moves: lost.moves,
        lost_seats: lost.seats,
        lost: Spans::of(lost.spans),
        rebalance,
        better,
        memory,
        peak_memory,
    })
}

/// Budgets that nothing here reaches: what is measured is the work, not the waiting.
fn options() -> PlannerOptions {
    let most = Rate::new(100_000_000, Millis::from_mins(60));
    PlannerOptions::default().budgets(Budgets::new(most, most))
}

fn from_nothing(instance: &Instance) -> (Planner, Round) {
    let mut planner = Planner::new(Scheduler::default(), instance.fleet.clone(), options());
    for workload in &instance.workloads {
        planner.set(workload.clone());
    }
    let round = planner.decide(&Facts::none(), NOW);
    (planner, round)
}

/// A name for all decisions of a round, with placements, what is missing and why.
fn digest(round: &Round) -> Result<String, Failure> {
    Ok(Digest::of_bytes(&serde_json::to_vec(round)?).to_string())
}

/// Nothing has changed.
fn unchanged(planner: &mut Planner) -> Result<Spans, Failure> {
    let mut spans = Vec::new();
    for _ in 0..100 {
        let begin = Watch::start()?;
        let round = planner.decide(&Facts::none(), NOW);
        spans.push(begin.elapsed()?);
        if !round.is_empty() {
            return Err("something was decided although nothing has changed".into());
        }
    }
    Ok(Spans::of(spans))
}

/// Everything is decided again, and nothing changes: what was decided again after single events is what would be decided
/// again as a whole.
fn everything(planner: &mut Planner, now: Tick) -> Result<Duration, Failure> {
    let (before, nowhere) = (planner.placements(), Placement::nowhere());
    let fleet = planner.fleet().clone();
    let begin = Watch::start()?;
    planner.set_fleet(fleet);
    let round = planner.decide(&Facts::none(), now);
    let span = begin.elapsed()?;
    for one in round.values() {
        let there = before.get(&one.workload).unwrap_or(&nowhere);
        if one.placement != *there {
            return Err(format!(
                "{}: decided again, it goes elsewhere, although nothing has changed",
                one.workload
            )
            .into());
        }
    }
    Ok(span)
}

/// New workloads, each with a constraint set that was not seen before; they go again, together, behind the last.
fn new_workloads(planner: &mut Planner, instance: &Instance) -> Result<Spans, Failure> {
    let mut spans = Vec::new();
    for workload in &instance.later {
        let workload = workload.clone();
        let begin = Watch::start()?;
        planner.set(workload);
        let round = planner.decide(&Facts::none(), NOW);
        spans.push(begin.elapsed()?);
        drop(round);
    }
    for workload in &instance.later {
        planner.remove(&workload.name);
    }
    planner.decide(&Facts::none(), NOW);
    Ok(Spans::of(spans))
}

/// So many clusters from all over the fleet, those with few workloads and those with many.
fn some_clusters(planner: &Planner, count: usize) -> Vec<ClusterInfo> {
    let mut by_load: Vec<(usize, &ClusterInfo)> = planner
        .fleet()
        .clusters()
        .map(|info| (planner.table().workloads_on(info.name()).count(), info))
        .filter(|(load, _)| *load > 0)
        .collect();
    by_load.sort_by_key(|(load, info)| (*load, info.name()));
    let last = by_load.len().saturating_sub(1);
    let steps = count.saturating_sub(1).max(1);
    let places: BTreeSet<usize> = (0..count).map(|at| at * last / steps).collect();
    places
        .into_iter()
        .filter_map(|at| by_load.get(at))
        .map(|(_, info)| (*info).clone())
        .collect()
}

/// A cluster is observed again, with a little more in use than was assumed.
fn observations(planner: &mut Planner, count: usize) -> Result<Spans, Failure> {
    let mut spans = Vec::new();
    for mut info in some_clusters(planner, count) {
        if let Some(capacity) = &mut info.capacity {
            capacity.observed_at = capacity.observed_at + Millis::from_secs(30);
            let used = capacity.requested.get("cpu");
            capacity.requested.set("cpu", used + 10)?;
        }
        let begin = Watch::start()?;
        planner.set_cluster(info)?;
        let round = planner.decide(&Facts::none(), NOW);
        spans.push(begin.elapsed()?);
        drop(round);
    }
    Ok(Spans::of(spans))
}

/// Workloads from all over the list are explained: on every cluster, with every reason.
fn explanations(planner: &Planner, instance: &Instance, count: usize) -> Result<Spans, Failure> {
    let step = (instance.workloads.len() / count.max(1)).max(1);
    let mut spans = Vec::new();
    for id in instance.workloads.iter().step_by(step).map(|one| &one.name) {
        let begin = Watch::start()?;
        let explanation = planner.explain(id, &Facts::none(), NOW);
        spans.push(begin.elapsed()?);
        if explanation.is_none() {
            return Err(format!("{id} is not explained").into());
        }
    }
    Ok(Spans::of(spans))
}

/// What losing clusters took.
struct Losses {
    spans: Vec<Duration>,
    /// Replicas that moved.
    moves: u64,
    /// Workloads that were on the lost clusters.
    seats: usize,
}

/// Clusters are lost, one by one; each is back, and everything is settled, before the next.
fn losses(planner: &mut Planner, count: usize) -> Result<Losses, Failure> {
    let mut losses = Losses {
        spans: Vec::new(),
        moves: 0,
        seats: 0,
    };
    let mut now = NOW + Millis::from_mins(20);
    planner.decide(&Facts::none(), now);
    for info in some_clusters(planner, count) {
        let name = info.name().to_owned();
        losses.seats += planner.table().workloads_on(&name).count();
        let lost = info.clone().contact(lost(Tick(now.0 - 600_000)));
        let begin = Watch::start()?;
        planner.set_cluster(lost)?;
        let round = planner.decide(&Facts::none(), now);
        losses.spans.push(begin.elapsed()?);
        let moves = round.values().flat_map(|decision| &decision.moves);
        losses.moves += moves.map(|one| one.replicas).sum::<u64>();

        planner.set_cluster(info)?;
        now = settle(planner, &round, now)?;
    }
    everything(planner, now)?;
    if losses.moves == 0 {
        return Err("nothing has moved although clusters were lost".into());
    }
    Ok(losses)
}

/// What is better elsewhere is looked for once an hour, within budgets that nothing reaches; and how many replicas moved.
fn rebalances(planner: &Planner) -> Result<(Spans, u64), Failure> {
    let mut planner = planner.clone();
    let (mut spans, mut moved) = (Vec::new(), 0);
    let mut now = NOW + Millis::from_mins(60 * 24);
    for _ in 0..5 {
        now = now + Millis::from_mins(60);
        let begin = Watch::start()?;
        let round = planner.rebalance(&Facts::none(), now);
        spans.push(begin.elapsed()?);
        let moves = round.values().flat_map(|decision| &decision.moves);
        moved += moves.map(|one| one.replicas).sum::<u64>();
        now = settle(&mut planner, &round, now)?;
    }
    Ok((Spans::of(spans), moved))
}

fn lost(since: Tick) -> ContactStatus {
    let mut contact = ContactStatus::first(Heard::silence(9), &ContactLimits::default(), since);
    contact.state = ContactState::Lost;
    contact
}

/// Everything that was decided in a round becomes healthy where it is, and what moves has moved. When that is so.
fn settle(planner: &mut Planner, round: &Round, mut now: Tick) -> Result<Tick, Failure> {
    let mut names: BTreeSet<String> = round.keys().cloned().collect();
    for _ in 0..STEPS {
        let mut facts = Facts::none();
        for id in names.iter().map(|name| WorkloadId::from(name.as_str())) {
            for cluster in planner.table().clusters_of(&id).into_keys() {
                facts = facts.healthy(id.clone(), cluster).stopped(id.clone(), cluster);
            }
        }
        now = now + Millis(1000);
        let round = planner.decide(&facts, now);
        let is_quiet = |decision: &Decision| decision.moves.is_empty() && !decision.placement.is_moving();
        if round.values().all(is_quiet) {
            return Ok(now);
        }
        names.extend(round.into_keys());
    }
    Err(format!("things move still after {STEPS} steps").into())
}
