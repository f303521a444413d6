//! The optimum by trying everything.

use super::{Instance, Optimum, Placement};

impl Instance {
    /// A placement of least cost, the first in order of all; none if minimums cannot be met. For tiny instances: about
    /// 3 workloads of 4 replicas on 3 clusters.
    pub(crate) fn enumerate(&self) -> Option<Optimum> {
        let mut best = None;
        let mut placement: Placement = vec![vec![0; self.clusters.len()]; self.workloads.len()];
        self.try_from(0, &mut placement, &mut best);
        best
    }

    /// Tries all counts from the pair `at` on, with those before it given.
    fn try_from(&self, at: usize, placement: &mut Placement, best: &mut Option<Optimum>) {
        let (workload, cluster) = (at / self.clusters.len().max(1), at % self.clusters.len().max(1));
        if workload == self.workloads.len() || self.clusters.is_empty() {
            if let Ok(cost) = self.cost(placement)
                && best.as_ref().is_none_or(|best| cost < best.cost)
            {
                *best = Some(Optimum {
                    cost,
                    placement: placement.clone(),
                });
            }
            return;
        }
        let placed: u64 = placement[workload].iter().sum();
        for replicas in 0..=self.workloads[workload].replicas - placed {
            placement[workload][cluster] = replicas;
            self.try_from(at + 1, placement, best);
        }
        placement[workload][cluster] = 0;
    }
}
