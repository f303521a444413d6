//! Plays a history, checking every step.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

use fleet_scheduler::*;

use super::{
    budgets,
    events::{self, Event},
    make, steps,
    world::{Telling, World},
};

pub(super) const EVENTS: usize = 1_000;

pub(super) struct Play {
    pub(super) world: World,
    pub(super) planner: Planner,
    /// All moves ever made.
    pub(super) moves: Vec<Move>,
    /// What was decided, step by step.
    pub(super) log: Vec<String>,
    last: Option<Event>,
    /// How many copies were asked for, by workload of which there must never be two.
    most: BTreeMap<WorkloadId, u64>,
}

impl Play {
    pub(super) fn new(seed: u64, telling: Telling) -> Self {
        let world = World::new(seed, telling);
        let planner = world.planner(&Placements::new(), MoveLog::default());
        Self {
            world,
            planner,
            moves: Vec::new(),
            log: Vec::new(),
            last: None,
            most: BTreeMap::new(),
        }
    }

    /// One more event, and what is decided after it.
    pub(super) fn step(&mut self, is_checked: bool) -> Event {
        let event = events::happen(&mut self.world, &mut self.planner);
        if event == Event::Restart {
            self.restart();
        }
        self.last = Some(event.clone());
        let before = self.planner.placements();
        let facts = self.world.facts(&before);
        let round = self.decide(&event, &facts);
        self.log.push(serde_json::to_string(&round).unwrap());
        let after = self.planner.placements();
        let made: Vec<Move> = round
            .values()
            .flat_map(|decision| decision.moves.clone())
            .collect();
        self.moves.extend(made.iter().cloned());
        if is_checked {
            let step = steps::Step {
                world: &self.world,
                planner: &self.planner,
                event: &event,
                facts: &facts,
                before: &before,
                after: &after,
                round: &round,
                moves: &made,
            };
            step.check();
            budgets::check(
                &self.moves,
                make::options().budgets,
                &self.world.workloads,
                self.world.now,
            );
            self.decide_again(&facts, &after);
        }
        for (id, decision) in &round {
            let id: WorkloadId = id.as_str().into();
            self.world.proposals.insert(id, decision.proposals.clone());
        }
        let workloads = &self.world.workloads;
        self.world.proposals.retain(|id, _| workloads.contains_key(id));
        let ran = self.running();
        self.world.watch(&after);
        self.world.deliver(&after);
        if is_checked {
            self.check_copies(&ran, &after);
        }
        event
    }

    fn decide(&mut self, event: &Event, facts: &Facts) -> Round {
        match event {
            Event::Rebalance => self.planner.rebalance(facts, self.world.now),
            _ => self.planner.decide(facts, self.world.now),
        }
    }

    /// A new process begins with what was kept.
    pub(super) fn restart(&mut self) {
        for one in &mut self.world.replacements {
            *one = self.planner.replacement(&one.from).unwrap().clone();
        }
        // As files are: through text.
        let placements = serde_json::to_string(&self.planner.placements()).unwrap();
        let moves = serde_json::to_string(self.planner.moves()).unwrap();
        self.planner = self.world.planner(
            &serde_json::from_str(&placements).unwrap(),
            serde_json::from_str(&moves).unwrap(),
        );
    }

    /// Nothing has changed: nothing new is decided, neither by this process nor by a new one.
    fn decide_again(&mut self, facts: &Facts, after: &Placements) {
        let mut other = self.planner.clone();
        let again = other.decide(facts, self.world.now);
        let moves: Vec<&Move> = again.values().flat_map(|decision| &decision.moves).collect();
        assert_eq!(moves, Vec::<&Move>::new(), "deciding again moves");
        assert_same(&other.placements(), after, "deciding again");
        for one in &mut self.world.replacements {
            *one = self.planner.replacement(&one.from).unwrap().clone();
        }
        // What was removed and is not known to be stopped takes its room only in a process that knows what it needs.
        let keeps_room = |one: &Workload| one.survives != Survives::Nothing;
        let is_known = after.keys().all(|id| self.world.workloads.contains_key(id));
        if !is_known || self.world.workloads.values().any(keeps_room) {
            return;
        }
        let mut new = self.world.planner(after, self.planner.moves().clone());
        let round = new.decide(facts, self.world.now);
        let moves: Vec<&Move> = round.values().flat_map(|decision| &decision.moves).collect();
        assert_eq!(moves, Vec::<&Move>::new(), "a new process moves");
        assert_same(&new.placements(), after, "a new process");
        for (slot, cluster) in self.planner.fleet().clusters().enumerate() {
            let free = |planner: &Planner| planner.room().free(slot, "cpu");
            assert_eq!(
                free(&self.planner),
                free(&new),
                "what is free on {}",
                cluster.name()
            );
        }
    }

    fn running(&self) -> Vec<(WorkloadId, u64)> {
        let fenced = self.world.workloads.values().filter(|one| one.nature.is_fenced());
        let copies = fenced.map(|one| {
            let running = self.world.running.iter();
            let of_it = running.filter(|((id, _), _)| *id == one.name);
            (one.name.clone(), of_it.map(|(_, running)| running).sum())
        });
        copies.collect()
    }

    /// Of what there must never be two, no more is started than is asked for; or was asked for, while what is too much is
    /// being stopped.
    fn check_copies(&mut self, before: &[(WorkloadId, u64)], after: &Placements) {
        for ((id, ran), (_, runs)) in before.iter().zip(self.running()) {
            let targets = &self.world.workloads[id].targets;
            let most = self.most.entry(id.clone()).or_default();
            let placed = after
                .get(id)
                .into_iter()
                .flat_map(|one| one.targets.values().flatten());
            // What cannot be asked cannot become fewer, and counts.
            let asked: u64 = targets
                .iter()
                .enumerate()
                .map(|(at, target)| {
                    let placed = after
                        .get(id)
                        .and_then(|one| one.targets.get(&steps::name_of(at, target)));
                    steps::asked(target).max(placed.map_or(0, steps::active))
                })
                .sum();
            // What cannot be understood asks for what it asked for before.
            let is_settled =
                placed.map(|(_, one)| one.going).sum::<u64>() == 0 && !targets.iter().any(is_broken);
            *most = if is_settled { asked } else { asked.max(*most) };
            assert!(
                runs <= *most || runs <= *ran,
                "{runs} copies of {id} run, {most} are asked for, {ran} ran before"
            );
        }
    }
}

fn is_broken(target: &Target) -> bool {
    matches!(&target.take, Take::Divided { clusters, .. } if clusters.min > clusters.max)
}

pub(super) fn assert_same(one: &Placements, other: &Placements, what: &str) {
    let ids: BTreeSet<&WorkloadId> = one.keys().chain(other.keys()).collect();
    let text = |placements: &Placements, id: &WorkloadId| serde_json::to_string(&placements.get(id)).unwrap();
    let differ: Vec<String> = ids
        .into_iter()
        .filter(|id| one.get(*id) != other.get(*id))
        .map(|id| format!("{id}: {} instead of {}", text(one, id), text(other, id)))
        .collect();
    assert!(differ.is_empty(), "{what} changes {}", differ.join("\n"));
}

/// Plays a history, and says where it is when it fails.
pub(super) fn play(
    seed: u64,
    telling: Telling,
    is_checked: bool,
    mut each: impl FnMut(&mut Play, usize),
) -> Play {
    let mut play = Play::new(seed, telling);
    for at in 0..EVENTS {
        let played = catch_unwind(AssertUnwindSafe(|| {
            let event = play.step(is_checked);
            each(&mut play, at);
            event
        }));
        if let Err(failure) = played {
            let world = &play.world;
            for site in world.sites.values() {
                eprintln!("{}", serde_json::to_string(&site.info).unwrap());
            }
            for workload in world.workloads.values() {
                eprintln!("{}", serde_json::to_string(workload).unwrap());
            }
            eprintln!("{}", play.log.last().unwrap_or(&String::new()));
            eprintln!("history {seed}, step {at}: {:?}", play.last);
            resume_unwind(failure);
        }
    }
    play
}
