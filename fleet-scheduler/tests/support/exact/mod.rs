//! Several workloads on several clusters at least cost, exactly: what a heuristic's answer is held against.
//!
//! [`Instance::solve`] finds the optimum of instances of about 5 workloads on 5 clusters, most of them in less than a
//! millisecond, but about one in a thousand takes seconds: of the seeds of [`Size::SMALL`] those below 1,000 are known
//! to take about a second together. [`Instance::cost`] judges any other placement by the same rules, and
//! `cost(heuristic) / solve().cost` is at least 1.
//!
//! ```ignore
//! let instance = Instance::random(seed, &Size::SMALL);
//! let optimum = instance.solve().expect("no minimums, so it has a solution");
//! let found = instance.cost(&my_heuristic(&instance)).expect("keeps to the rules");
//! println!("{}", found as f64 / optimum.cost as f64);
//! ```

mod enumerate;
mod program;
mod random;

#[allow(unused_imports, reason = "not every test draws its own numbers")]
pub(crate) use random::Random;
pub(crate) use random::Size;

/// Replicas by workload, then by cluster.
pub(crate) type Placement = Vec<Vec<u64>>;

/// Workloads that compete for the capacity of clusters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Instance {
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) workloads: Vec<Workload>,
    /// For each replica that runs nowhere.
    pub(crate) shortfall_price: u64,
    /// For each replica in a cluster beyond those that ran there before.
    pub(crate) move_price: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cluster {
    /// By resource.
    pub(crate) capacity: Vec<u64>,
    /// For each replica, whatever its workload.
    pub(crate) cost: u64,
}

/// Vectors are by cluster, except `needs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Workload {
    pub(crate) replicas: u64,
    /// What a replica takes, by resource.
    pub(crate) needs: Vec<u64>,
    pub(crate) allowed: Vec<bool>,
    /// Must run at least, or there is no solution. Only where allowed.
    pub(crate) min: Vec<u64>,
    /// May run at most.
    pub(crate) max: Vec<u64>,
    /// At least so many must have a place, or there is no solution.
    pub(crate) keeps: u64,
    /// Ran before: what is kept is no move.
    pub(crate) previous: Vec<u64>,
}

/// A placement of least cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Optimum {
    pub(crate) cost: u64,
    pub(crate) placement: Placement,
}

/// A rule that a placement breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Rows or columns are not those of the instance.
    Shape,
    /// More replicas than the workload has.
    Replicas {
        workload: usize,
    },
    /// Fewer replicas than must have a place.
    Keeps {
        workload: usize,
    },
    /// Replicas where they are not allowed, or fewer or more than minimum and maximum.
    Limits {
        workload: usize,
        cluster: usize,
    },
    Capacity {
        cluster: usize,
        resource: usize,
    },
}

impl Instance {
    /// What a placement costs: shortfall, moves, and what each replica costs where it runs, and 1 so that costs can be
    /// divided by each other.
    pub(crate) fn cost(&self, placement: &Placement) -> Result<u64, Broken> {
        self.check(placement)?;
        let rows = self.workloads.iter().zip(placement);
        let of_row = |(workload, row): (&Workload, &Vec<u64>)| {
            let shortfall = workload.replicas - row.iter().sum::<u64>();
            let moved: u64 = row
                .iter()
                .zip(&workload.previous)
                .map(|(now, before)| now.saturating_sub(*before))
                .sum();
            let run: u64 = row
                .iter()
                .zip(&self.clusters)
                .map(|(now, cluster)| now * cluster.cost)
                .sum();
            shortfall * self.shortfall_price + moved * self.move_price + run
        };
        Ok(1 + rows.map(of_row).sum::<u64>())
    }

    fn check(&self, placement: &Placement) -> Result<(), Broken> {
        let has_shape = placement.iter().all(|row| row.len() == self.clusters.len());
        if placement.len() != self.workloads.len() || !has_shape {
            return Err(Broken::Shape);
        }
        for (index, (workload, row)) in self.workloads.iter().zip(placement).enumerate() {
            if row.iter().sum::<u64>() > workload.replicas {
                return Err(Broken::Replicas { workload: index });
            }
            if row.iter().sum::<u64>() < workload.keeps {
                return Err(Broken::Keeps { workload: index });
            }
            for (cluster, &now) in row.iter().enumerate() {
                let most = if workload.allowed[cluster] {
                    workload.max[cluster]
                } else {
                    0
                };
                if now > most || now < workload.min[cluster] {
                    return Err(Broken::Limits {
                        workload: index,
                        cluster,
                    });
                }
            }
        }
        for (index, cluster) in self.clusters.iter().enumerate() {
            for (resource, capacity) in cluster.capacity.iter().enumerate() {
                let rows = self.workloads.iter().zip(placement);
                let used: u64 = rows
                    .map(|(workload, row)| row[index] * workload.needs[resource])
                    .sum();
                if used > *capacity {
                    return Err(Broken::Capacity {
                        cluster: index,
                        resource,
                    });
                }
            }
        }
        Ok(())
    }

    /// The most replicas of a workload that a cluster takes when it has no others.
    fn most(&self, workload: usize, cluster: usize) -> u64 {
        let Workload {
            replicas,
            needs,
            allowed,
            max,
            ..
        } = &self.workloads[workload];
        if !allowed[cluster] {
            return 0;
        }
        let fit = needs.iter().zip(&self.clusters[cluster].capacity);
        let fit = fit
            .filter_map(|(need, capacity)| capacity.checked_div(*need))
            .min()
            .unwrap_or(*replicas);
        fit.min(*replicas).min(max[cluster])
    }
}
