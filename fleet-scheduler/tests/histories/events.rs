//! What can happen.

use fleet_core::{ContactState, LifeCycle, Millis, Taint, Tick};
use fleet_scheduler::*;

use super::{make, world::World};

/// What happened, as far as checks must know.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Event {
    /// Time has passed, or something was observed.
    Passed,
    /// Something about a cluster is otherwise.
    Cluster(String, &'static str),
    /// Another set of clusters.
    Clusters(&'static str),
    /// A workload was added, changed or removed.
    Workload(WorkloadId, &'static str),
    /// A workload has run to its end.
    Finished(WorkloadId),
    /// A person has approved something.
    Approved,
    /// A replacement began, was taken back or forgotten.
    Replacement(&'static str),
    /// What is better elsewhere is moved.
    Rebalance,
    /// A new process.
    Restart,
}

/// Makes something happen, and tells the planner.
pub(super) fn happen(world: &mut World, planner: &mut Planner) -> Event {
    let pace = world.random.between(1, 240);
    world.now = world.now + Millis::from_secs(pace);
    match world.random.below(100) {
        0..12 => {
            let long = world.random.between(5, 40);
            world.now = world.now + Millis::from_mins(long);
            Event::Passed
        }
        12..34 => {
            let percent = world.random.between(50, 100);
            world.settle(&planner.placements(), percent);
            Event::Passed
        }
        34..55 => cluster(world, planner),
        55..60 => clusters(world, planner),
        60..84 => workload(world, planner),
        84..89 => approve(world),
        89..92 => replacement(world, planner),
        92..97 => Event::Rebalance,
        _ => Event::Restart,
    }
}

fn cluster(world: &mut World, planner: &mut Planner) -> Event {
    let names: Vec<String> = world.sites.keys().cloned().collect();
    let Some(name) = world.random.pick(&names) else {
        return Event::Passed;
    };
    let what = match world.random.below(12) {
        0 => {
            world.set_contact(&name, ContactState::Unreachable);
            "unreachable"
        }
        1 | 2 => {
            world.set_contact(&name, ContactState::Lost);
            "lost"
        }
        3 | 4 => {
            world.set_contact(&name, ContactState::Online);
            observe(world, &name);
            "online"
        }
        5 => {
            // Fenced off: its machines are sure to be off.
            let site = world.sites.get_mut(&name).unwrap();
            if site.info.is_in_contact() {
                return Event::Passed;
            }
            site.is_off = true;
            for (_, running) in world.running.iter_mut().filter(|((_, at), _)| *at == name) {
                *running = 0;
            }
            "off"
        }
        6 => {
            let cycles = [
                LifeCycle::Ready,
                LifeCycle::Ready,
                LifeCycle::Cordoned,
                LifeCycle::Draining,
            ];
            let cycle = world.random.pick(&cycles).unwrap();
            world.sites.get_mut(&name).unwrap().info.cluster.life_cycle = cycle;
            "life-cycle"
        }
        7 => {
            let effect = make::effect(&mut world.random);
            let now = world.now;
            let taints = &mut world.sites.get_mut(&name).unwrap().info.cluster.taints;
            if taints.is_empty() {
                taints.push(Taint::new("t", "", effect).since(now));
            } else {
                taints.clear();
            }
            "taints"
        }
        8 => {
            let (key, values): (&str, &[&str]) = match world.random.chance(50) {
                true => ("tier", &make::TIERS),
                false => ("region", &make::REGIONS),
            };
            let value = world.random.pick(values).unwrap();
            let labels = &mut world.sites.get_mut(&name).unwrap().info.cluster.labels;
            labels.insert(key.to_owned(), value.to_owned());
            "labels"
        }
        9 => {
            let cost = i64::try_from(world.random.below(60)).unwrap();
            let site = world.sites.get_mut(&name).unwrap();
            site.info.cluster.cost.insert("cpu".to_owned(), cost);
            "cost"
        }
        10 => {
            let offered = i64::try_from(world.random.between(2, 12)).unwrap() * 1_000;
            let foreign = i64::try_from(world.random.below(2_000)).unwrap();
            let kinds = make::kinds(&mut world.random);
            let site = world.sites.get_mut(&name).unwrap();
            (site.offered, site.foreign, site.kinds) = (offered, foreign, kinds);
            observe(world, &name);
            "capacity"
        }
        _ => {
            observe(world, &name);
            "observed"
        }
    };
    planner.set_cluster(world.sites[&name].info.clone()).unwrap();
    Event::Cluster(name, what)
}

/// A cluster tells what is asked for there. What is younger than [`Room::SETTLE`] may be in it, or not yet.
fn observe(world: &mut World, name: &str) {
    if !world.is_in_contact(name) {
        return;
    }
    let mut asked = world.sites[name].foreign;
    let there = world.started.iter().filter(|((_, at), _)| at == name);
    let there: Vec<(WorkloadId, Vec<Tick>)> = there.map(|((id, _), at)| (id.clone(), at.clone())).collect();
    for (id, started) in there {
        let Some(workload) = world.workloads.get(&id) else {
            continue;
        };
        let need = workload.needs.get("cpu");
        for since in started {
            let is_young = Tick(since.0 + Room::SETTLE.0) > world.now;
            if !is_young || world.random.chance(50) {
                asked += need;
            }
        }
    }
    let site = world.sites.get_mut(name).unwrap();
    let mut capacity = make::capacity(site.offered, asked, world.now);
    capacity.kinds.clone_from(&site.kinds);
    site.info.capacity = Some(capacity);
}

fn clusters(world: &mut World, planner: &mut Planner) -> Event {
    let names: Vec<String> = world.sites.keys().cloned().collect();
    let gone: Vec<String> = world.removed.keys().cloned().collect();
    let what = if world.random.chance(40) {
        let name = world.random.pick(&names).unwrap();
        let data = world.random.pick(&make::DATA).unwrap();
        let until = world.now + Millis::from_mins(world.random.below(600));
        world.data.entry(data.to_owned()).or_default().insert(name, until);
        "data"
    } else if world.random.chance(40) && names.len() > 3 {
        let name = world.random.pick(&names).unwrap();
        let site = world.sites.remove(&name).unwrap();
        world.removed.insert(name.clone(), site);
        forget(world, planner, |one| one.from == name || one.to == name);
        "removed"
    } else if !gone.is_empty() && world.random.chance(50) {
        let name = world.random.pick(&gone).unwrap();
        let site = world.removed.remove(&name).unwrap();
        world.sites.insert(name.clone(), site);
        world.approved.retain(|_, about| *about != name);
        "back in the fleet"
    } else if names.len() < 8 {
        world.add_site();
        "added"
    } else {
        return Event::Passed;
    };
    planner.set_fleet(world.fleet());
    Event::Clusters(what)
}

fn workload(world: &mut World, planner: &mut Planner) -> Event {
    let ids: Vec<WorkloadId> = world.workloads.keys().cloned().collect();
    let (id, what) = match (world.random.below(10), world.random.pick(&ids)) {
        (0..3, _) | (_, None) if ids.len() < 9 => {
            let made = world.new_workload();
            let id = made.name.clone();
            world.workloads.insert(id.clone(), made);
            (id, "added")
        }
        (3, Some(id)) => {
            world.workloads.remove(&id);
            planner.remove(&id);
            return Event::Workload(id, "removed");
        }
        (4, Some(id)) => {
            if !world.workloads[&id].completes {
                return Event::Passed;
            }
            for (_, running) in world.running.iter_mut().filter(|((of, _), _)| *of == id) {
                *running = 0;
            }
            world.finished.insert(id.clone());
            return Event::Finished(id);
        }
        (5, Some(id)) => {
            // Its limit of moves stays: a promise about a past that was promised otherwise would mean nothing.
            let others: Vec<WorkloadId> = ids.iter().filter(|other| **other != id).cloned().collect();
            let old = world.workloads[&id].clone();
            let mut made = make::workload(id.as_str(), &others, world.now, &mut world.random);
            (made.nature, made.completes, made.moves) = (old.nature, old.completes, old.moves);
            made.targets = make::targets(made.nature, &mut world.random);
            world.workloads.insert(id.clone(), made);
            (id, "changed")
        }
        (6, Some(id)) => {
            // Nobody can meet this.
            let broken = Target::replicas(1).over_clusters(Some(3), Some(1));
            world.workloads.get_mut(&id).unwrap().targets = vec![broken];
            (id, "broken")
        }
        (_, Some(id)) => {
            let is_single = world.workloads[&id].nature == Nature::Singleton;
            let replicas = world.random.below(if is_single { 2 } else { 9 });
            for target in &mut world.workloads.get_mut(&id).unwrap().targets {
                if let Take::Divided { replicas: asked, .. } = &mut target.take {
                    *asked = replicas;
                }
            }
            (id, "scaled")
        }
        (_, None) => return Event::Passed,
    };
    planner.set(world.workloads[&id].clone());
    Event::Workload(id, what)
}

fn approve(world: &mut World) -> Event {
    let open: Vec<(WorkloadId, Proposal)> = world
        .proposals
        .iter()
        .flat_map(|(id, proposals)| proposals.iter().map(|one| (id.clone(), one.clone())))
        .collect();
    let Some((id, proposal)) = world.random.pick(&open) else {
        return Event::Passed;
    };
    // Who approves has looked: the old copy is stopped.
    world.running.insert((id, proposal.cluster.clone()), 0);
    world.approved.insert(proposal.token, proposal.cluster);
    Event::Approved
}

fn replacement(world: &mut World, planner: &mut Planner) -> Event {
    match world.replacements.first().cloned() {
        None => {
            let names: Vec<String> = world.sites.keys().cloned().collect();
            let (from, to) = (world.random.pick(&names), world.random.pick(&names));
            let (Some(from), Some(to)) = (from, to) else {
                return Event::Passed;
            };
            if from == to || !world.is_ready(&to) {
                return Event::Passed;
            }
            let surge = world.random.between(1, 3);
            let made = Replacement::new(from, to)
                .surge(surge)
                .soak(Millis::from_mins(20));
            planner.replace(made.clone()).unwrap();
            world.replacements.push(made);
            Event::Replacement("begun")
        }
        Some(one) if world.random.chance(40) => {
            let is_back = planner.take_back(&one.from, world.now);
            if is_back {
                world.replacements.clear();
            }
            Event::Replacement(if is_back { "taken back" } else { "done" })
        }
        Some(one) => {
            if !matches!(
                planner.replacement(&one.from).map(|one| one.state(world.now)),
                Some(ReplacementState::Done)
            ) {
                return Event::Passed;
            }
            forget(world, planner, |_| true);
            Event::Replacement("forgotten")
        }
    }
}

fn forget(world: &mut World, planner: &mut Planner, is_it: impl Fn(&Replacement) -> bool) {
    let (over, rest): (Vec<_>, Vec<_>) = world.replacements.drain(..).partition(|one| is_it(one));
    world.replacements = rest;
    for one in over {
        planner.forget_replacement(&one.from);
    }
}
