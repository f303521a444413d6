//! Packs two clusters anew, trying every split of every workload between them.

use super::{state::State, times};

/// How many splits are tried at most.
const TRIES: usize = 4_000;

/// Packs two clusters anew, with what has no place, as cheaply as [`TRIES`] tries find. Nothing else changes. This finds
/// exchanges of several replicas for several others, which taking one step after the other does not.
pub(super) fn repack(state: &mut State<'_>, one: usize, other: usize) {
    let mut parts: Vec<Part> = Vec::new();
    for workload in 0..state.places.len() {
        let (a, b) = (state.places[workload][one], state.places[workload][other]);
        let all = a + b + state.short[workload];
        if all > 0 {
            parts.push(Part { workload, all, a, b });
        }
    }
    let size = |part: &Part| state.problem.workloads[part.workload].size();
    parts.sort_by_key(|part| (-size(part), part.workload));
    let before = state.cost;
    let old: Vec<(u64, u64)> = parts.iter().map(|part| (part.a, part.b)).collect();
    for part in &parts {
        state.take(part.workload, one, part.a);
        state.take(part.workload, other, part.b);
    }
    let mut search = Search {
        least: least(state, &parts, one, other),
        parts,
        one,
        other,
        best: (before, old.clone()),
        chosen: Vec::new(),
        tries: 0,
    };
    search.split(state, 0);
    let (_, best) = search.best;
    for (part, (a, b)) in search.parts.iter().zip(best) {
        state.add(part.workload, one, a);
        state.add(part.workload, other, b);
    }
}

/// One workload's replicas on the two clusters, and those without a place.
struct Part {
    workload: usize,
    all: u64,
    a: u64,
    b: u64,
}

struct Search {
    parts: Vec<Part>,
    one: usize,
    other: usize,
    /// By part, what it and all that come after it save at most by getting places.
    least: Vec<i128>,
    best: (i128, Vec<(u64, u64)>),
    chosen: Vec<(u64, u64)>,
    tries: usize,
}

/// By part, what it and all after it can save at most: every replica at the cheaper of the two clusters.
fn least(state: &State<'_>, parts: &[Part], one: usize, other: usize) -> Vec<i128> {
    let mut sum = 0_i128;
    let mut least: Vec<i128> = Vec::with_capacity(parts.len() + 1);
    least.push(0);
    for part in parts.iter().rev() {
        let contender = &state.problem.workloads[part.workload];
        let cheaper = contender.cost(one).min(contender.cost(other));
        let saves = contender.lacks(part.all).saturating_sub(times(part.all, cheaper));
        sum = sum.saturating_add(saves.max(0));
        least.push(sum);
    }
    least.reverse();
    least
}

impl Search {
    /// Tries every split of this part and of those after it.
    fn split(&mut self, state: &mut State<'_>, at: usize) {
        if state.cost < self.best.0 && at == self.parts.len() {
            self.best = (state.cost, self.chosen.clone());
        }
        if at == self.parts.len() || state.cost.saturating_sub(self.least[at]) >= self.best.0 {
            return;
        }
        let (workload, one, other) = (self.parts[at].workload, self.one, self.other);
        let most = state.fits(workload, one);
        for a in (0..=most).rev() {
            if self.tries >= TRIES {
                return;
            }
            state.add(workload, one, a);
            let rest = state.fits(workload, other);
            // The most on the other one first.
            for b in (0..=rest).rev() {
                self.tries += 1;
                state.add(workload, other, b);
                self.chosen.push((a, b));
                self.split(state, at + 1);
                self.chosen.pop();
                state.take(workload, other, b);
                if self.tries >= TRIES {
                    break;
                }
            }
            state.take(workload, one, a);
        }
    }
}
