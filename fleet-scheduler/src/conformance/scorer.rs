//! What a scorer promises.

use std::collections::BTreeMap;

use super::{
    Dice, Findings, Suite, Violation,
    answers::{self, Answers},
};
use crate::{
    model::{Target, Workload},
    pipeline::{Basis, Candidate, MAX_SCORE, Scorer},
};

impl Suite {
    /// Runs the suite for a scorer.
    ///
    /// The promises:
    /// - `named`, `no-panic`, `deterministic`, `order`: as for a [filter](Self::filter).
    /// - `basis-nothing`: on [`Basis::Nothing`] every cluster has the score 0.
    /// - `basis-key`: workloads with one key give a cluster one score.
    /// - `basis-cluster`, `basis-time`, `basis-current`: on [`Basis::Cluster`] neither placements, nor room, nor other
    ///   clusters, nor time, nor what runs there already change it.
    /// - `normalise-range`: scores come to lie between 0 and [`MAX_SCORE`].
    /// - `normalise-order`: a better cluster does not become a worse one, and equal ones stay equal.
    /// - `normalise-each`: what a score becomes does not depend on its place in the list.
    pub fn scorer(&self, scorer: &dyn Scorer) -> Vec<Violation> {
        let mut found = Findings::default();
        found.name(scorer.name());
        answers::laws(self, &scorer, &mut found);
        for list in self.lists(scorer, &mut found) {
            normalised(scorer, &list, &mut found);
        }
        found.into_violations()
    }

    /// Scores to be normalised: those of each target on ordinary fleets, and hostile ones.
    fn lists(&self, scorer: &dyn Scorer, found: &mut Findings) -> Vec<Vec<i64>> {
        let mut lists: Vec<Vec<i64>> = vec![
            vec![],
            vec![0],
            vec![i64::MIN],
            vec![i64::MAX],
            vec![i64::MIN, i64::MAX],
            vec![i64::MAX, 0, i64::MIN, -1, 1],
            vec![i64::MIN, i64::MIN + 1, i64::MIN],
            vec![i64::MAX, i64::MAX - 1],
            vec![7, 7, 7],
            vec![-5, 3, 3, 8],
            vec![0, 0, 1],
        ];
        let mut dice = Dice::new(self.seed, usize::MAX);
        for _ in 0..20 {
            let most = dice.pick(&[1, 10, 1_000, i32::MAX]);
            lists.push(
                (0..dice.below(12))
                    .map(|_| i64::from(dice.signed(most)))
                    .collect(),
            );
        }
        for (sketch, _, is_hostile) in self.sketches() {
            if is_hostile || found.is_over() {
                break;
            }
            let world = sketch.world(false);
            let mut by_target: BTreeMap<(usize, usize), Vec<i64>> = BTreeMap::new();
            for ask in world.asks() {
                let score = world
                    .candidate(ask, world.current(ask), world.now)
                    .and_then(|candidate| found.ask(|| world.say(ask), || scorer.score(&candidate)));
                by_target
                    .entry((ask.workload, ask.target))
                    .or_default()
                    .extend(score);
            }
            lists.extend(by_target.into_values());
        }
        lists
    }
}

fn normalised(scorer: &dyn Scorer, scores: &[i64], found: &mut Findings) {
    let what = || format!("normalise of {scores:?}");
    let run = |scores: &[i64], found: &mut Findings| {
        let mut scores = scores.to_vec();
        found.ask(what, || {
            scorer.normalise(&mut scores);
            scores
        })
    };
    let Some(after) = run(scores, found) else { return };
    let is_in = after.iter().all(|score| (0..=MAX_SCORE).contains(score));
    found.check(is_in, "normalise-range", || format!("{}: {after:?}", what()));
    let pairs = || scores.iter().zip(&after);
    let keeps = |(before, one): (&i64, &i64)| {
        pairs().all(|(other, two)| match before.cmp(other) {
            std::cmp::Ordering::Less => one <= two,
            std::cmp::Ordering::Equal => one == two,
            std::cmp::Ordering::Greater => one >= two,
        })
    };
    found.check(pairs().all(keeps), "normalise-order", || {
        format!("{}: {after:?}", what())
    });
    let reversed: Vec<i64> = scores.iter().rev().copied().collect();
    if let Some(mut other) = run(&reversed, found) {
        other.reverse();
        found.check(other == after, "normalise-each", || {
            format!("{}: {after:?}, in the opposite order {other:?}", what())
        });
    }
}

impl Answers for &dyn Scorer {
    type Said = i64;

    fn ask(&self, candidate: &Candidate<'_>) -> i64 {
        self.score(candidate)
    }

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        Scorer::basis(*self, workload, target)
    }

    fn look(&self, _: &Candidate<'_>, _: &i64, _: &str, _: &mut Findings) {}

    fn is_nothing(said: &i64) -> bool {
        *said == 0
    }

    const IS_TAKEN_WHERE_IT_RUNS: bool = true;
}
