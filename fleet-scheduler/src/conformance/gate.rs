//! What a gate promises.

use fleet_core::Tick;

use super::{
    Dice, Findings, Suite, Violation,
    findings::is_kebab,
    sketch::{World, target_name, unit},
};
use crate::moves::{Cause, Consent, Move, MoveGate, Step};

/// Why replicas move; the last one is said of a move that is not remembered any more.
const CAUSES: [Cause; 9] = [
    Cause::Lost,
    Cause::Left,
    Cause::Drain,
    Cause::Constraint,
    Cause::Better,
    Cause::Preempted,
    Cause::Replace,
    Cause::Room,
    Cause::Unknown,
];

const STEPS: [Step; 3] = [Step::Before, Step::Switched, Step::BeforeOldGoes];

/// How many moves are drawn for each target.
const MOVES: usize = 3;

impl Suite {
    /// Runs the suite for a gate.
    ///
    /// The promises:
    /// - `no-panic`: it answers, whatever the move: one of clusters that are gone, of no replicas, or to nowhere.
    /// - `deterministic`: asked again, whatever it was asked between, it says the same.
    /// - `says-why`: what is to be waited for, and a refusal, has a code in kebab-case and words for people.
    pub fn gate(&self, gate: &dyn MoveGate) -> Vec<Violation> {
        let mut found = Findings::default();
        for (sketch, mut dice, is_hostile) in self.sketches() {
            if found.is_over() {
                break;
            }
            let moves = draw(&sketch.world(false), is_hostile, &mut dice);
            let asked: Vec<(Step, Move)> = moves
                .into_iter()
                .flat_map(|one| STEPS.map(|step| (step, one.clone())))
                .collect();
            let first: Vec<Option<Consent>> = asked
                .iter()
                .map(|(step, one)| found.ask(|| say(*step, one), || gate.ask(*step, one)))
                .collect();
            for ((step, one), said) in asked.iter().zip(&first).rev() {
                let Some(said) = said else {
                    continue;
                };
                let again = found.ask(|| say(*step, one), || gate.ask(*step, one));
                found.same(said, again.as_ref(), || say(*step, one));
                if let Consent::Wait(reason) | Consent::Refuse(reason) = said {
                    let has_words = is_kebab(&reason.code) && !reason.message.is_empty();
                    found.check(has_words, "says-why", || {
                        format!("{}: {reason:?}", say(*step, one))
                    });
                }
            }
        }
        found.into_violations()
    }
}

fn say(step: Step, one: &Move) -> String {
    format!("{step:?} {one:?}")
}

/// Moves of the targets of a world between its clusters, and some that are not to be expected.
fn draw(world: &World, is_hostile: bool, dice: &mut Dice) -> Vec<Move> {
    let names: Vec<&str> = world.fleet.clusters().map(crate::ClusterInfo::name).collect();
    let mut moves = Vec::new();
    for workload in &world.workloads {
        for (at, target) in workload.targets.iter().enumerate() {
            let name = target_name(target, at);
            for _ in 0..MOVES {
                let cluster = |dice: &mut Dice| match names.is_empty() || is_hostile && dice.chance(30) {
                    true => dice.pick(&["", "gone"]),
                    false => dice.pick(&names),
                };
                let (from, to) = (cluster(dice), cluster(dice));
                let replicas = match is_hostile {
                    true => dice.pick(&[0, 1, u64::MAX]),
                    false => unit(target).saturating_mul(1 + dice.number(4)),
                };
                moves.push(Move {
                    at: Tick(world.now.0.saturating_sub(dice.number(600_000))),
                    workload: workload.name.clone(),
                    target: name.clone(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                    replicas,
                    cause: dice.pick(&CAUSES),
                });
            }
            // As it is asked about what was decided before anything was remembered.
            moves.push(Move {
                at: Tick(0),
                workload: workload.name.clone(),
                target: String::new(),
                from: names.first().copied().unwrap_or_default().to_owned(),
                to: String::new(),
                replicas: 0,
                cause: Cause::Unknown,
            });
        }
    }
    moves
}
