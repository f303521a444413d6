//! What a whole scheduler promises.

mod laws;

use std::collections::BTreeSet;

use fleet_core::Millis;
use laws::Laws;

use super::{
    Findings, Suite, Violation,
    sketch::{Sketch, World},
};
use crate::{
    planner::{Facts, Planner, PlannerOptions},
    schedule::Scheduler,
};

impl Suite {
    /// Runs the suite for a scheduler: all its parts together, on a planner.
    ///
    /// The promises:
    /// - `named`: filters have names of their own, and so have scorers and estimators.
    /// - `no-panic`: it decides, rebalances and explains, whatever the numbers.
    /// - `deterministic`: a fresh planner decides the same.
    /// - `order`: in whichever order clusters and workloads are told.
    /// - `capacity`: no cluster is given more than it offers, less what is asked for there already.
    /// - `target`: replicas are on clusters that the target means, and that pass the filters that look at clusters alone.
    /// - `shortfall`: what has no place is said, to the replica, together with what keeps it away.
    /// - `settled`: with everything as it was decided, deciding again changes nothing.
    /// - `unusable-cluster`: another cluster that can take nothing changes nothing.
    /// - `settles`: rebalancing again and again comes to an end.
    pub fn scheduler(&self, scheduler: &Scheduler) -> Vec<Violation> {
        let mut found = Findings::default();
        names(scheduler, &mut found);
        for (sketch, mut dice, is_hostile) in self.sketches() {
            if found.is_over() {
                break;
            }
            if is_hostile {
                survives(scheduler, &sketch.world(false), &mut found);
                continue;
            }
            let sketch = Sketch::roomy(self, &mut dice);
            let what = || "an ordinary fleet".to_owned();
            let mut laws = Laws::default();
            let done = found.ask(what, || laws.run(scheduler, &sketch));
            if done.is_some() && found.is_deterministic() {
                laws.tell(&mut found);
            }
        }
        found.into_violations()
    }
}

fn names(scheduler: &Scheduler, found: &mut Findings) {
    let parts = scheduler.parts();
    let lists: [(&str, Vec<&str>); 3] = [
        ("filters", parts.filters.iter().map(|one| one.name()).collect()),
        (
            "scorers",
            parts.scorers.iter().map(|(one, _)| one.name()).collect(),
        ),
        (
            "estimators",
            parts.estimators.iter().map(|one| one.name()).collect(),
        ),
    ];
    for (what, list) in lists {
        let mut seen = BTreeSet::new();
        for name in list {
            found.name(name);
            found.check(seen.insert(name), "named", || {
                format!("two {what} are called {name}")
            });
        }
    }
}

/// The promise `no-panic`, on a hostile fleet.
fn survives(scheduler: &Scheduler, world: &World, found: &mut Findings) {
    let run = || {
        let mut planner = Planner::new(scheduler.clone(), world.fleet.clone(), PlannerOptions::default())
            .with_previous(&world.placements, crate::MoveLog::default());
        let workloads = world.workloads.iter().cloned();
        workloads.for_each(|workload| planner.set(workload));
        planner.decide(&Facts::none(), world.now);
        planner.rebalance(&Facts::none(), world.now + Millis(1));
        for workload in &world.workloads {
            planner.explain(&workload.name, &Facts::none(), world.now + Millis(2));
        }
    };
    found.ask(
        || format!("a hostile fleet of {} clusters", world.fleet.len()),
        run,
    );
}
