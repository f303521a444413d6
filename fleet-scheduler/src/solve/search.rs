//! Takes a part of the places away and fills it anew, again and again (large neighbourhood search: Shaw 1998; ruin and
//! recreate: Schrimpf et al. 2000). Bounded by steps, not by time, so that the same seed gives the same answer.

use super::{Places, Problem, random::Random, repack::repack, state::State};

/// How hard to search.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Effort {
    /// How many times a part is taken away and filled anew.
    pub steps: usize,
    /// Varies the search.
    pub seed: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { steps: 400, seed: 0 }
    }
}

impl Effort {
    /// So many steps.
    pub fn steps(steps: usize) -> Self {
        Self {
            steps,
            ..Self::default()
        }
    }

    /// Varied so.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// Places that cost no more than `start`, of which what does not fit or is not allowed is left out first.
///
/// Deterministic. Costs `effort.steps` times about workloads x clusters x replicas in scope, so it is for dozens of
/// workloads, not for a whole fleet at once.
pub fn improve(problem: &Problem, start: &Places, effort: Effort) -> Places {
    let mut random = Random::new(effort.seed);
    let mut best = State::of(problem, start);
    fill(&mut best, Order::Dearest, &mut random, 0);
    // What is best where nothing was there is a good start, too.
    let mut anew = State::of(problem, &Vec::new());
    fill(&mut anew, Order::Smallest, &mut random, 0);
    if anew.cost < best.cost {
        best = anew;
    }
    if problem.workloads.is_empty() || problem.free.is_empty() {
        return best.places;
    }
    // Now and then it goes on from something that is not the best, to get out of where no single step helps.
    let mut current = best.clone();
    for step in 0..effort.steps {
        if step % DETOUR == 0 {
            current = best.clone();
        }
        let mut next = current.clone();
        if step % REPACK == REPACK - 1 {
            repack_any(&mut next, &mut random);
        } else {
            ruin(&mut next, &mut random);
            let order = [Order::Smallest, Order::Dearest, Order::Random, Order::Largest][step % 4];
            fill(&mut next, order, &mut random, step % 3);
        }
        if next.cost <= best.cost {
            best = next.clone();
        }
        if next.cost <= current.cost || random.below(4) == 0 {
            current = next;
        }
    }
    best.places
}

/// How many steps it goes on from something worse at most.
const DETOUR: usize = 12;

/// Every so many steps, two clusters are packed anew.
const REPACK: usize = 10;

/// Packs two clusters anew, one of which something without a place might be on.
fn repack_any(state: &mut State<'_>, random: &mut Random) {
    let clusters = state.free.len();
    let one = random.below(clusters);
    let other = (one + 1 + random.below(clusters.saturating_sub(1))) % clusters;
    if one != other {
        repack(state, one, other);
    }
}

/// Who is placed first.
#[derive(Clone, Copy)]
enum Order {
    /// Who asks for least: the most find a place.
    Smallest,
    /// Who asks for most: what is left is used by small ones.
    Largest,
    /// Who loses most if it has no place, or only its second best.
    Dearest,
    Random,
}

/// Takes some places away: of a cluster or two, of a workload or two, or here and there.
fn ruin(state: &mut State<'_>, random: &mut Random) {
    let (workloads, clusters) = (state.places.len(), state.free.len());
    let how = random.below(6);
    let take = |state: &mut State<'_>, workload: usize, cluster: usize| {
        let count = state.places[workload][cluster];
        state.take(workload, cluster, count);
    };
    match how {
        0 => {
            for _ in 0..=random.below(2) {
                let cluster = random.below(clusters);
                (0..workloads).for_each(|workload| take(state, workload, cluster));
            }
        }
        1 => {
            for _ in 0..=random.below(2) {
                let workload = random.below(workloads);
                (0..clusters).for_each(|cluster| take(state, workload, cluster));
            }
        }
        2 => (0..workloads)
            .for_each(|workload| (0..clusters).for_each(|cluster| take(state, workload, cluster))),
        3 => {
            // One workload, and one cluster that it may want.
            let (workload, cluster) = (random.below(workloads), random.below(clusters));
            (0..clusters).for_each(|cluster| take(state, workload, cluster));
            (0..workloads).for_each(|workload| take(state, workload, cluster));
        }
        _ => {
            for _ in 0..=random.below(1 + workloads * clusters / 3) {
                let (workload, cluster) = (random.below(workloads), random.below(clusters));
                let count = state.places[workload][cluster];
                let some = u64::try_from(
                    random.below(usize::try_from(count).unwrap_or(usize::MAX).saturating_add(1)),
                );
                state.take(workload, cluster, some.unwrap_or(count).min(count));
            }
        }
    }
}

/// Gives as many as possible a place, the cheapest that is left; with some `noise`, not always the cheapest.
fn fill(state: &mut State<'_>, order: Order, random: &mut Random, noise: usize) {
    let workloads = state.places.len();
    let size = |state: &State<'_>, workload: usize| state.problem.workloads[workload].size();
    let mut queue: Vec<usize> = (0..workloads)
        .filter(|workload| state.short[*workload] > 0)
        .collect();
    match order {
        Order::Smallest => queue.sort_by_key(|workload| size(state, *workload)),
        Order::Largest => queue.sort_by_key(|workload| -size(state, *workload)),
        Order::Random => {
            for at in (1..queue.len()).rev() {
                queue.swap(at, random.below(at + 1));
            }
        }
        Order::Dearest => {
            dearest(state);
            return;
        }
    }
    for workload in queue {
        while state.short[workload] > 0 {
            let Some(cluster) = cheapest(state, workload, random, noise) else {
                break;
            };
            let count = chunk(state, workload, cluster);
            state.add(workload, cluster, count);
        }
    }
}

/// As many as cost the same, and when there are many, not all at once.
fn chunk(state: &State<'_>, workload: usize, cluster: usize) -> u64 {
    let contender = &state.problem.workloads[workload];
    let place = state.places[workload][cluster];
    let free_of_charge = contender.before(cluster).saturating_sub(place);
    let fits = state.fits(workload, cluster);
    let same = if free_of_charge > 0 {
        free_of_charge
    } else {
        u64::MAX
    };
    fits.min(same).min(contender.wanted.div_ceil(16).max(1))
}

fn cheapest(state: &State<'_>, workload: usize, random: &mut Random, noise: usize) -> Option<usize> {
    let clusters = 0..state.free.len();
    let short = state.problem.workloads[workload].short_price;
    let may = clusters
        .filter(|cluster| state.fits(workload, *cluster) > 0 && state.price(workload, *cluster) <= short);
    let mut may: Vec<(i64, usize)> = may
        .map(|cluster| (state.price(workload, cluster), cluster))
        .collect();
    may.sort_unstable();
    let skip = if noise > 0 && random.below(4) == 0 {
        random.below(may.len())
    } else {
        0
    };
    may.get(skip).map(|(_, cluster)| *cluster)
}

/// Places the one next that loses most if it does not get its best place now (regret).
fn dearest(state: &mut State<'_>) {
    loop {
        let mut next: Option<(i64, usize, usize)> = None;
        for workload in (0..state.places.len()).filter(|workload| state.short[*workload] > 0) {
            let short = state.problem.workloads[workload].short_price;
            let (mut first, mut second) = ((short, usize::MAX), short);
            for cluster in 0..state.free.len() {
                let price = state.price(workload, cluster);
                if price > short || state.fits(workload, cluster) == 0 {
                    continue;
                }
                if (price, cluster) < first {
                    second = first.0;
                    first = (price, cluster);
                } else {
                    second = second.min(price);
                }
            }
            let regret = second.saturating_sub(first.0);
            if first.1 != usize::MAX && next.is_none_or(|(most, ..)| regret > most) {
                next = Some((regret, workload, first.1));
            }
        }
        let Some((_, workload, cluster)) = next else {
            return;
        };
        let count = chunk(state, workload, cluster);
        state.add(workload, cluster, count);
    }
}
