//! Random instances, each from a seed.

use super::{Cluster, Instance, Workload};

/// How large instances become, each number at most.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) workloads: u64,
    pub(crate) clusters: u64,
    pub(crate) resources: u64,
    /// Of one workload.
    pub(crate) replicas: u64,
    /// Of a hundred workloads with several clusters, so many must run in one of them. 0: each instance has a solution.
    pub(crate) minimums: u64,
}

impl Size {
    /// For [`Instance::enumerate`].
    pub(crate) const TINY: Self = Self {
        workloads: 3,
        clusters: 3,
        resources: 2,
        replicas: 3,
        minimums: 30,
    };
    /// For [`Instance::solve`].
    pub(crate) const SMALL: Self = Self {
        workloads: 5,
        clusters: 5,
        resources: 2,
        replicas: 8,
        minimums: 0,
    };
}

impl Instance {
    /// The instance of a seed: from too little capacity to plenty, some workloads new, some running where they may not
    /// or where they do not fit any more.
    pub(crate) fn random(seed: u64, size: &Size) -> Self {
        let mut random = Random::new(seed);
        let clusters = random.within(1, size.clusters);
        let resources = random.within(1, size.resources);
        let workloads: Vec<_> = (0..random.within(1, size.workloads))
            .map(|_| workload(&mut random, size, clusters, resources))
            .collect();
        // The capacity of all clusters together, in percent of what is needed of each resource.
        let plenty = random.within(60, 160);
        let capacity = |random: &mut Random, resource: usize| {
            let needed: u64 = workloads
                .iter()
                .map(|workload| workload.replicas * workload.needs[resource])
                .sum();
            needed * plenty * random.within(50, 150) / (clusters * 100 * 100)
        };
        let clusters = (0..clusters)
            .map(|_| Cluster {
                capacity: (0..resources)
                    .map(|resource| capacity(&mut random, resource as usize))
                    .collect(),
                cost: random.within(0, 10),
            })
            .collect();
        let move_price = random.within(0, 20);
        Self {
            clusters,
            workloads,
            shortfall_price: 1_000,
            move_price,
        }
    }
}

fn workload(random: &mut Random, size: &Size, clusters: u64, resources: u64) -> Workload {
    let replicas = random.within(1, size.replicas);
    let needs = (0..resources).map(|_| random.within(0, 5)).collect();
    let mut allowed: Vec<_> = (0..clusters).map(|_| random.in_hundred(80)).collect();
    let home = random.within(0, clusters - 1) as usize;
    allowed[home] = true;
    let limit = |random: &mut Random| {
        if random.in_hundred(30) {
            random.within(1, replicas)
        } else {
            replicas
        }
    };
    let max = (0..clusters).map(|_| limit(random)).collect();
    let mut min = vec![0; allowed.len()];
    if random.in_hundred(size.minimums) {
        min[home] = 1;
    }
    let mut previous = vec![0; allowed.len()];
    if random.in_hundred(60) {
        for _ in 0..random.within(1, replicas + 2) {
            previous[random.within(0, clusters - 1) as usize] += 1;
        }
    }
    Workload {
        replicas,
        needs,
        allowed,
        min,
        max,
        keeps: 0,
        previous,
    }
}

/// Numbers that look random and are the same for the same seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// From `least` to `most`, both included.
    pub(crate) fn within(&mut self, least: u64, most: u64) -> u64 {
        least + self.draw() % (most - least + 1)
    }

    pub(crate) fn in_hundred(&mut self, percent: u64) -> bool {
        self.within(1, 100) <= percent
    }
}
