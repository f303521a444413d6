//! How good clusters are, best first.

use fixedbitset::FixedBitSet;

use super::{Answers, Question};
use crate::{
    model::Slot,
    pipeline::{Basis, Ranked, Scorer},
};

impl Question<'_> {
    /// The clusters of a set that have units or room for one, best first: by score, and by name where scores are equal.
    pub(crate) fn rank(&self, set: &FixedBitSet, answers: &mut Answers) -> Vec<Ranked> {
        let mut ranked = Vec::with_capacity(set.count_ones(..));
        for slot in set.ones() {
            let (current, fits) = (self.current(slot), self.fits(slot));
            if current > 0 || fits > 0 {
                ranked.push(Ranked::new(slot, 0, current, fits));
            }
        }
        if ranked.len() > 1 {
            self.add_scores(&mut ranked, answers);
            sort(&mut ranked);
        }
        ranked
    }

    fn add_scores(&self, ranked: &mut [Ranked], answers: &mut Answers) {
        let at: Vec<(Slot, u64)> = ranked.iter().map(|one| (one.slot, one.current)).collect();
        for (number, (scorer, weight)) in self.view.scheduler.parts().scorers.iter().enumerate() {
            let weight = weight.saturating_mul(scorer.weight(self.workload, self.target()));
            if weight == 0 {
                continue;
            }
            let mut scores: Vec<i64> = match scorer.basis(self.workload, self.target()) {
                Basis::Nothing => continue,
                Basis::Cluster(key) => {
                    let known = answers.scores(self, number, key);
                    at.iter().map(|(slot, _)| known[*slot]).collect()
                }
                Basis::Anything => scorer.score_each(&self.candidates(&at)),
            };
            normalise(&**scorer, weight, &mut scores);
            for (score, one) in scores.iter().zip(&mut *ranked) {
                one.score = one.score.saturating_add(score.saturating_mul(weight));
            }
        }
    }
}

/// Brings scores to one scale; of a weight below 0, the highest that is known is the worst.
pub(crate) fn normalise(scorer: &dyn Scorer, weight: i64, scores: &mut [i64]) {
    let unknown: Vec<usize> = match weight < 0 {
        true => (0..scores.len())
            .filter(|at| scorer.is_unknown(scores[*at]))
            .collect(),
        false => Vec::new(),
    };
    scorer.normalise(scores);
    if unknown.is_empty() {
        return;
    }
    let worst = scores.iter().copied().max().unwrap_or(0);
    for at in unknown {
        scores[at] = worst;
    }
}

/// Sorts clusters, best first, and by name where scores are equal: slots are in the order of names.
fn sort(ranked: &mut Vec<Ranked>) {
    let best = ranked.iter().map(|one| one.score).max().unwrap_or(0);
    let behind = |one: &Ranked| best.abs_diff(one.score);
    let worst = ranked.iter().map(behind).max().unwrap_or(0);
    let bits = usize::BITS - ranked.len().leading_zeros();
    if worst > u64::MAX >> bits {
        ranked.sort_unstable_by_key(|one| (std::cmp::Reverse(one.score), one.slot));
        return;
    }
    // They come in the order of slots, so that a place stands for a slot. Numbers are sorted several times faster than what
    // they stand for.
    let keys = ranked.iter().enumerate();
    let mut keys: Vec<u64> = keys.map(|(at, one)| behind(one) << bits | at as u64).collect();
    keys.sort_unstable();
    let mask = (1 << bits) - 1;
    let at = |key: u64| usize::try_from(key & mask).ok();
    *ranked = keys
        .into_iter()
        .filter_map(|key| ranked.get(at(key)?).copied())
        .collect();
}
