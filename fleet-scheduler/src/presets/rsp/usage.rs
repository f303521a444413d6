//! Scores by what is asked for of what is offered.

/// The best score.
const BEST: i128 = 100;

/// How much of one resource is asked for, with what is to be placed, and offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Usage {
    /// How much the resource counts: CPU and memory 1, GPU 4, others 1.
    pub weight: i64,
    /// What is asked for.
    pub requested: i64,
    /// What is offered.
    pub allocatable: i64,
}

impl Usage {
    /// What is asked for and offered, counting once.
    pub fn new(requested: i64, allocatable: i64) -> Self {
        Self {
            weight: 1,
            requested,
            allocatable,
        }
    }

    /// Counting so many times.
    #[must_use]
    pub fn weight(mut self, weight: i64) -> Self {
        self.weight = weight;
        self
    }

    /// The part that `of` is of what is offered, from 0 to 100; 0 where more is asked for than is offered.
    fn part(self, of: i128) -> i128 {
        if self.requested > self.allocatable {
            return 0;
        }
        (of * BEST).checked_div(i128::from(self.allocatable)).unwrap_or(0)
    }
}

/// The emptier the better: the mean of what is left of each resource, from 0 to 100.
pub fn least_allocated(usages: &[Usage]) -> i64 {
    mean(usages, |usage| {
        usage.part(i128::from(usage.allocatable) - i128::from(usage.requested))
    })
}

/// The fuller the better: the mean of what is asked for of each resource, from 0 to 100.
pub fn most_allocated(usages: &[Usage]) -> i64 {
    mean(usages, |usage| usage.part(i128::from(usage.requested)))
}

/// The more alike the better: 100 less the standard deviation of the parts that are asked for, in percent; 0 where all
/// of one resource is asked for. Parts are taken in millionths.
pub fn balanced_allocation(usages: &[Usage]) -> i64 {
    const WHOLE: i128 = 1_000_000;
    let part = |usage: &Usage| {
        let (requested, allocatable) = (i128::from(usage.requested), i128::from(usage.allocatable));
        (requested < allocatable).then(|| requested.max(0) * WHOLE / allocatable)
    };
    let Some(parts) = usages.iter().map(part).collect::<Option<Vec<i128>>>() else {
        return 0;
    };
    let count = i128::try_from(parts.len()).unwrap_or(i128::MAX);
    let sum: i128 = parts.iter().sum();
    // The squared deviation of all parts, times the square of their count.
    let spread: i128 = parts.iter().map(|part| (count * part - sum).pow(2)).sum();
    // The largest score s with count · (WHOLE/100 · (100 - s) · count)² ≥ spread.
    let holds = |score: &i128| count * ((BEST - score) * (WHOLE / BEST) * count).pow(2) >= spread;
    let score = (0..=BEST).rev().find(holds).unwrap_or(0);
    i64::try_from(score).unwrap_or(0)
}

fn mean(usages: &[Usage], part: impl Fn(Usage) -> i128) -> i64 {
    let weighed: i128 = usages
        .iter()
        .map(|usage| part(*usage) * i128::from(usage.weight))
        .sum();
    let weights: i128 = usages.iter().map(|usage| i128::from(usage.weight)).sum();
    i64::try_from(weighed.checked_div(weights).unwrap_or(0)).unwrap_or(0)
}
