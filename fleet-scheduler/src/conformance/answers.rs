//! The laws of everything that answers about single clusters.

use std::{collections::BTreeMap, fmt};

use fleet_core::{Millis, Tick};

use super::{
    Dice, Findings, Suite,
    sketch::{Ask, Sketch, World},
};
use crate::{
    model::{Target, Workload},
    pipeline::{Basis, Candidate, Key},
};

/// A part that answers about single clusters.
pub(super) trait Answers {
    type Said: Clone + PartialEq + fmt::Debug;

    fn ask(&self, candidate: &Candidate<'_>) -> Self::Said;

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        let _ = (workload, target);
        Basis::Anything
    }

    /// Laws of one answer. What it asks more of the part it asks by way of `found`.
    fn look(&self, candidate: &Candidate<'_>, said: &Self::Said, what: &str, found: &mut Findings);

    /// What may be said on [`Basis::Nothing`].
    fn is_nothing(said: &Self::Said) -> bool {
        let _ = said;
        true
    }

    /// Whether one answer stands for the other.
    fn is_alike(one: &Self::Said, other: &Self::Said) -> bool {
        one == other
    }

    /// Whether what was said `before` lets this be said at a later moment.
    fn is_true_until(before: &Self::Said, after: &Self::Said, at: Tick) -> bool {
        let _ = (before, after, at);
        true
    }

    /// The same, for what is not asked again before that moment.
    fn is_kept_until(before: &Self::Said, after: &Self::Said, at: Tick) -> bool {
        let _ = at;
        before == after
    }

    /// Whether an answer for a cluster where nothing runs is taken for one where something does.
    const IS_TAKEN_WHERE_IT_RUNS: bool = false;
}

/// How much later parts are asked again.
const LATER: [Millis; 6] = [
    Millis(1),
    Millis::from_secs(30),
    Millis::from_mins(5),
    Millis::from_mins(20),
    Millis::from_mins(60),
    Millis::from_mins(1_440),
];

pub(super) fn laws<P: Answers>(suite: &Suite, part: &P, found: &mut Findings) {
    for (sketch, mut dice, is_hostile) in suite.sketches() {
        if found.is_over() {
            return;
        }
        let world = sketch.world(false);
        let first = Answered::of(part, &world, Current::AsItIs, world.now, found);
        first.repeat(part, &world, found);
        if !found.is_deterministic() {
            continue;
        }
        for (ask, said) in &first.said {
            if let Some(candidate) = world.candidate(*ask, world.current(*ask), world.now) {
                part.look(&candidate, said, &world.say(*ask), found);
            }
        }
        if is_hostile {
            continue;
        }
        let other = sketch.world(true);
        let again = Answered::of(part, &other, Current::AsItIs, world.now, found);
        first.compare(
            &again,
            &world,
            "order",
            "clusters listed the other way round",
            found,
        );
        if suite.is_renaming {
            let other = sketch.renamed().world(false);
            let again = Answered::of(part, &other, Current::AsItIs, world.now, found);
            first.compare(&again, &world, "order", "clusters renamed", found);
        }
        for later in LATER {
            let at = world.now + later;
            let again = Answered::of(part, &world, Current::AsItIs, at, found);
            first.outlast::<P>(&again, &world, at, P::is_true_until, "until", |_| true, found);
        }
        bases(suite, part, &sketch, &world, &first, &mut dice, found);
    }
}

/// How many units the part is told are there.
#[derive(Clone, Copy)]
enum Current {
    AsItIs,
    Always(u64),
}

/// The answers about a world.
struct Answered<S> {
    said: BTreeMap<Ask, S>,
}

impl<S: Clone + PartialEq + fmt::Debug> Answered<S> {
    fn of<P: Answers<Said = S>>(
        part: &P,
        world: &World,
        current: Current,
        now: Tick,
        found: &mut Findings,
    ) -> Self {
        let mut said = BTreeMap::new();
        for ask in world.asks() {
            let current = match current {
                Current::AsItIs => world.current(ask),
                Current::Always(current) => current,
            };
            let answer = world
                .candidate(ask, current, now)
                .and_then(|candidate| found.ask(|| world.say(ask), || part.ask(&candidate)));
            if let Some(answer) = answer {
                said.insert(ask, answer);
            }
        }
        Self { said }
    }

    /// The promise `deterministic`: asked again in the opposite order, everything is answered the same.
    fn repeat<P: Answers<Said = S>>(&self, part: &P, world: &World, found: &mut Findings) {
        for (ask, before) in self.said.iter().rev() {
            let candidate = world.candidate(*ask, world.current(*ask), world.now);
            let again =
                candidate.and_then(|candidate| found.ask(|| world.say(*ask), || part.ask(&candidate)));
            found.same(before, again.as_ref(), || world.say(*ask));
        }
    }

    /// The answers of another world must be the same.
    fn compare(
        &self,
        other: &Self,
        world: &World,
        promise: &'static str,
        change: &str,
        found: &mut Findings,
    ) {
        for (ask, before) in &self.said {
            if let Some(after) = other.said.get(ask) {
                found.check(before == after, promise, || {
                    format!("{}: {before:?}, with {change} {after:?}", world.say(*ask))
                });
            }
        }
    }

    /// The answers of another moment must be let by those of this one.
    #[allow(clippy::too_many_arguments, reason = "one law, used twice")]
    fn outlast<P: Answers<Said = S>>(
        &self,
        later: &Self,
        world: &World,
        at: Tick,
        is_let: fn(&S, &S, Tick) -> bool,
        promise: &'static str,
        is_meant: impl Fn(&Ask) -> bool,
        found: &mut Findings,
    ) {
        for (ask, before) in self.said.iter().filter(|(ask, _)| is_meant(ask)) {
            if let Some(after) = later.said.get(ask) {
                found.check(is_let(before, after, at), promise, || {
                    let later = at.since(world.now);
                    format!("{}: {before:?}, {later} later {after:?}", world.say(*ask))
                });
            }
        }
    }
}

/// The promises about what answers depend on.
fn bases<P: Answers>(
    suite: &Suite,
    part: &P,
    sketch: &Sketch,
    world: &World,
    first: &Answered<P::Said>,
    dice: &mut Dice,
    found: &mut Findings,
) {
    let mut keys: BTreeMap<(usize, usize), Key> = BTreeMap::new();
    for (at, workload) in world.workloads.iter().enumerate() {
        for (target, asked) in workload.targets.iter().enumerate() {
            let what = || format!("the basis of {} (target {})", workload.name, target + 1);
            let basis = found.ask(what, || part.basis(workload, asked));
            let again = found.ask(what, || part.basis(workload, asked));
            if let Some(basis) = &basis {
                found.same(basis, again.as_ref(), what);
            }
            match basis {
                Some(Basis::Cluster(key)) => {
                    keys.insert((at, target), key);
                }
                Some(Basis::Nothing) => {
                    let of_it = first
                        .said
                        .iter()
                        .filter(|(ask, _)| (ask.workload, ask.target) == (at, target));
                    for (ask, said) in of_it {
                        found.check(P::is_nothing(said), "basis-nothing", || {
                            format!("{}: {said:?}", world.say(*ask))
                        });
                    }
                }
                Some(Basis::Anything) | None => {}
            }
        }
    }
    if keys.is_empty() {
        return;
    }
    let is_keyed = |ask: &Ask| keys.contains_key(&(ask.workload, ask.target));
    let mut kept = Answered::of(part, world, Current::Always(0), world.now, found);
    kept.said.retain(|ask, _| is_keyed(ask));
    one_key_one_answer::<P>(&keys, &kept, world, found);
    let compare = |other: &Sketch, change: &str, is_met: &dyn Fn(usize) -> bool, found: &mut Findings| {
        let other = other.world(false);
        let again = Answered::of(part, &other, Current::Always(0), world.now, found);
        for (ask, before) in kept.said.iter().filter(|(ask, _)| is_met(ask.cluster)) {
            if let Some(after) = again.said.get(ask) {
                found.check(P::is_alike(before, after), "basis-cluster", || {
                    format!("{}: {before:?}, {change} {after:?}", world.say(*ask))
                });
            }
        }
    };
    compare(&sketch.emptied(), "with nothing placed", &|_| true, found);
    compare(
        &sketch.turned(),
        "with everything placed elsewhere",
        &|_| true,
        found,
    );
    for rest in 0..2 {
        let keep = |cluster: usize| cluster % 2 == rest;
        let others = sketch.with_others(suite, dice, keep);
        compare(&others, "with other clusters in another state", &keep, found);
        compare(&sketch.only(keep), "with fewer clusters", &keep, found);
    }
    for later in LATER {
        let at = world.now + later;
        let again = Answered::of(part, world, Current::Always(0), at, found);
        kept.outlast::<P>(&again, world, at, P::is_kept_until, "basis-time", is_keyed, found);
    }
    if P::IS_TAKEN_WHERE_IT_RUNS {
        let again = Answered::of(part, world, Current::Always(3), world.now, found);
        kept.compare(&again, world, "basis-current", "3 units there", found);
    }
}

/// The promise `basis-key`: workloads with one key get one answer.
fn one_key_one_answer<P: Answers>(
    keys: &BTreeMap<(usize, usize), Key>,
    kept: &Answered<P::Said>,
    world: &World,
    found: &mut Findings,
) {
    let mut by_key: BTreeMap<(Key, usize), (Ask, &P::Said)> = BTreeMap::new();
    for (ask, said) in &kept.said {
        let Some(key) = keys.get(&(ask.workload, ask.target)) else {
            continue;
        };
        let (known, before) = *by_key.entry((*key, ask.cluster)).or_insert((*ask, said));
        found.check(P::is_alike(before, said), "basis-key", || {
            format!(
                "{}: {before:?}, and with the same key {}: {said:?}",
                world.say(known),
                world.say(*ask)
            )
        });
    }
}
