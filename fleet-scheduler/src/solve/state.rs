//! Places with what is left free, kept up to date as replicas come and go.

use super::{Places, Problem};

#[derive(Clone)]
pub(super) struct State<'a> {
    pub(super) problem: &'a Problem,
    pub(super) places: Places,
    pub(super) free: Vec<Vec<i64>>,
    /// By workload, how many have no place.
    pub(super) short: Vec<u64>,
    pub(super) cost: i128,
}

impl<'a> State<'a> {
    /// With as much of these places as fits and is allowed.
    pub(super) fn of(problem: &'a Problem, places: &Places) -> Self {
        let clusters = problem.free.len();
        let nowhere: Places = vec![vec![0; clusters]; problem.workloads.len()];
        let mut free = problem.free.clone();
        for contender in &problem.workloads {
            for (cluster, free) in free.iter_mut().enumerate() {
                take(free, &contender.needs, i128::from(contender.occupies(cluster, 0)));
            }
        }
        let mut state = Self {
            problem,
            free,
            short: problem.workloads.iter().map(|one| one.wanted).collect(),
            cost: problem.cost(&nowhere),
            places: nowhere,
        };
        for (workload, row) in places.iter().enumerate().take(problem.workloads.len()) {
            for (cluster, count) in row.iter().enumerate().take(clusters) {
                let count = (*count).min(state.fits(workload, cluster));
                state.add(workload, cluster, count);
            }
        }
        state
    }

    /// How many more replicas of a workload fit on a cluster, of those that have no place.
    pub(super) fn fits(&self, workload: usize, cluster: usize) -> u64 {
        let contender = &self.problem.workloads[workload];
        let most = contender
            .most(cluster)
            .saturating_sub(self.places[workload][cluster]);
        let fits = contender.needs.iter().zip(&self.free[cluster]);
        let fits = fits
            .filter(|(need, _)| **need > 0)
            .map(|(need, free)| free / need)
            .min();
        let fits = fits.map_or(u64::MAX, |fits| u64::try_from(fits).unwrap_or(0));
        // Where some run that are to go, as many come back to their own room.
        let count = self.places[workload][cluster];
        let own = contender.occupies(cluster, count) - count;
        most.min(fits.saturating_add(own)).min(self.short[workload])
    }

    /// What one replica more costs there, beside having none.
    pub(super) fn price(&self, workload: usize, cluster: usize) -> i64 {
        let contender = &self.problem.workloads[workload];
        let is_new = self.places[workload][cluster] >= contender.before(cluster);
        let moves = if is_new { contender.move_price } else { 0 };
        contender.cost(cluster).saturating_add(moves)
    }

    /// Adds replicas that fit.
    pub(super) fn add(&mut self, workload: usize, cluster: usize, count: u64) {
        self.change(workload, cluster, count, true);
    }

    /// Takes replicas away that are there.
    pub(super) fn take(&mut self, workload: usize, cluster: usize, count: u64) {
        self.change(workload, cluster, count, false);
    }

    fn change(&mut self, workload: usize, cluster: usize, count: u64, is_more: bool) {
        if count == 0 {
            return;
        }
        let contender = &self.problem.workloads[workload];
        let before = self.cost_of(workload, cluster);
        let occupied = contender.occupies(cluster, self.places[workload][cluster]);
        let lacked = contender.lacks(self.short[workload]);
        let (place, short) = (&mut self.places[workload][cluster], &mut self.short[workload]);
        if is_more {
            (*place, *short) = (*place + count, *short - count);
        } else {
            (*place, *short) = (*place - count, *short + count);
        }
        let occupies = contender.occupies(cluster, self.places[workload][cluster]);
        let more = i128::from(occupies) - i128::from(occupied);
        take(&mut self.free[cluster], &contender.needs, more);
        let lacks = contender.lacks(self.short[workload]).saturating_sub(lacked);
        let runs = self.cost_of(workload, cluster).saturating_sub(before);
        self.cost = self.cost.saturating_add(runs).saturating_add(lacks);
    }

    fn cost_of(&self, workload: usize, cluster: usize) -> i128 {
        self.problem.workloads[workload].runs(cluster, self.places[workload][cluster])
    }
}

/// Takes what so many replicas ask for, or gives it back where that is below 0. What fits is taken, and what was taken is
/// given back: neither leaves the range.
fn take(free: &mut [i64], needs: &[i64], replicas: i128) {
    for (free, need) in free.iter_mut().zip(needs) {
        let amount = i128::from(*need).saturating_mul(replicas);
        let left = i128::from(*free).saturating_sub(amount);
        *free = i64::try_from(left).unwrap_or(if left < 0 { i64::MIN } else { i64::MAX });
    }
}
