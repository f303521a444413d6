//! Clusters: where they are, what keeps workloads away, and what they can carry.

use std::collections::BTreeSet;

use fleet_core::{Capacity, Cluster, Millis, Resources, Taint, TaintEffect, Tick};
use fleet_scheduler::{ClusterInfo, FleetView, Take, Target, Workload};

use super::{NOW, USED};
use crate::{Failure, random::Random};

pub(crate) const PROVIDER: &str = "topology.kubernetes.io/provider";
pub(crate) const REGION: &str = "topology.kubernetes.io/region";
pub(crate) const ZONE: &str = "topology.kubernetes.io/zone";

pub(super) const PROVIDERS: [&str; 4] = ["aws", "azure", "gcp", "metal"];
pub(super) const TIERS: [&str; 3] = ["prod", "stage", "test"];
pub(super) const TAINTS: [&str; 6] = ["broken", "dedicated", "edge", "gpu", "legacy", "trial"];
pub(super) const DEDICATED: [&str; 4] = ["ads", "bank", "data", "shop"];
/// Kinds that most clusters serve, beside those that all do.
pub(super) const EXTRA_KINDS: [&str; 6] = [
    "Certificate.v1.cert-manager.io",
    "Gateway.v1.gateway.networking.k8s.io",
    "Kafka.v1.kafka.strimzi.io",
    "PodMonitor.v1.monitoring.coreos.com",
    "Postgresql.v1.acid.zalan.do",
    "ScaledObject.v1alpha1.keda.sh",
];
pub(super) const KINDS: [&str; 4] = ["ConfigMap.v1", "Deployment.v1.apps", "Pod.v1", "Service.v1"];
pub(super) const DATASETS: u64 = 40;

const GIB: i64 = 1 << 30;

/// A cluster without its capacity.
pub(super) struct Place {
    pub(super) cluster: Cluster,
    /// Its size, compared with others'.
    weight: i64,
    /// GiB of memory a core, in eighths of the usual.
    memory: i64,
    has_gpus: bool,
    /// How much of it others have taken, in hundredths.
    taken: i64,
}

impl Place {
    pub(super) fn is_tainted(&self) -> bool {
        !self.cluster.taints.is_empty()
    }
}

/// Clusters in providers, regions and zones; three of ten have a taint.
pub(super) fn places(count: usize, random: &mut Random) -> Vec<Place> {
    let regions = (count.isqrt() / 4).clamp(2, 16);
    let zones = if count < 500 { 2 } else { 3 };
    (0..count)
        .map(|at| {
            let provider = *random.pick(&PROVIDERS);
            let region = format!("{provider}-r{}", random.place(regions));
            let zone = format!("{region}-z{}", random.place(zones));
            let is_tainted = at % 10 < 3;
            let mut cluster = Cluster::new(format!("{zone}-{at:05}"))
                .label(PROVIDER, provider)
                .label(REGION, region)
                .label(ZONE, zone)
                .label(
                    "tier",
                    random.weighted(&[(7, TIERS[0]), (2, TIERS[1]), (1, TIERS[2])]),
                )
                .label("arch", if random.percent(20) { "arm64" } else { "amd64" })
                .property("minor", random.within(30, 36).to_string())
                .property("nodes", (1 << random.within(2, 9)).to_string())
                .cost("cpu", cost(random, 20, 60))
                .cost("memory", cost(random, 2, 8))
                .cost("replica", cost(random, 0, 3));
            if is_tainted {
                for _ in 0..random.within(1, 2) {
                    cluster = cluster.taint(taint(random));
                }
            }
            Place {
                cluster,
                weight: *random.pick(&[4, 8, 8, 16, 32]),
                memory: *random.pick(&[6, 8, 8, 12]),
                has_gpus: random.percent(15),
                taken: signed(if is_tainted {
                    random.within(50, 75)
                } else {
                    random.within(15, 45)
                }),
            }
        })
        .collect()
}

fn cost(random: &mut Random, low: u64, high: u64) -> i64 {
    signed(random.within(low, high))
}

fn taint(random: &mut Random) -> Taint {
    let effect = random.weighted(&[
        (5, TaintEffect::NoSchedule),
        (3, TaintEffect::PreferNoSchedule),
        (2, TaintEffect::NoExecute),
    ]);
    let key = *random.pick(&TAINTS);
    let value = if key == "dedicated" {
        *random.pick(&DEDICATED)
    } else {
        ""
    };
    let taint = Taint::new(key, value, effect);
    match random.percent(50) {
        true => taint.since(Tick(NOW.0 - random.below(7_200_000))),
        false => taint,
    }
}

/// The clusters with so much capacity that these workloads, with what others have taken, fill most of it.
pub(super) fn fleet(
    places: &[Place],
    workloads: &[Workload],
    random: &mut Random,
) -> Result<FleetView, Failure> {
    let demand = demand(places, workloads)?;
    // What is left for the workloads, by resource, in hundredths of one unit of weight.
    let left = |place: &Place| (signed(USED) - place.taken).max(0);
    let units: i64 = places.iter().map(|place| place.weight * left(place)).sum();
    let gpu_units: i64 = places
        .iter()
        .filter(|place| place.has_gpus)
        .map(|place| place.weight * left(place))
        .sum();
    let memory_units: i64 = places
        .iter()
        .map(|place| place.weight * left(place) * place.memory / 8)
        .sum();
    let share = |resource: &str, units: i64, weight: i64| {
        let amount = i128::from(demand.get(resource)) * i128::from(weight) * 100 / i128::from(units.max(1));
        i64::try_from(amount)
    };
    let mut infos = Vec::new();
    for place in places {
        let cpu = (share("cpu", units, place.weight)? / 1000).max(4) * 1000;
        let memory = (share("memory", memory_units, place.weight * place.memory / 8)? / GIB).max(8) * GIB;
        let mut offered = Resources::new();
        let mut taken = Resources::new();
        for (name, amount) in [("cpu", cpu), ("memory", memory)] {
            offered.set(name, amount)?;
            taken.set(name, amount / 100 * place.taken)?;
        }
        if place.has_gpus {
            // Twice what is asked for: those who want it come from everywhere.
            offered.set(
                "nvidia.com/gpu",
                2 * share("nvidia.com/gpu", gpu_units, place.weight)? + 8,
            )?;
        }
        let mut capacity = Capacity::new(offered, taken, Tick(NOW.0 - 60_000));
        if random.percent(50) {
            // The largest machines have this much free.
            capacity.largest_gap.set("cpu", 16_000)?;
            capacity.largest_gap.set("memory", 128 * GIB)?;
            capacity.largest_gap.set("nvidia.com/gpu", 8)?;
        }
        if random.percent(80) {
            let kinds: BTreeSet<String> = EXTRA_KINDS
                .iter()
                .filter(|_| random.percent(90))
                .chain(&KINDS)
                .map(|kind| (*kind).to_owned())
                .collect();
            capacity.kinds = Some(kinds);
        }
        infos.push(ClusterInfo::new(place.cluster.clone()).capacity(capacity));
    }
    let names: Vec<String> = infos.iter().map(|info| info.name().to_owned()).collect();
    let mut fleet = FleetView::new(infos)?;
    for set in 0..DATASETS {
        let percent = random.within(10, 40);
        let on: Vec<(String, Tick)> = names
            .iter()
            .filter(|_| random.percent(percent))
            .map(|name| (name.clone(), NOW + Millis::from_mins(60 * 24)))
            .collect();
        fleet = fleet.data(format!("set-{set}"), on);
    }
    Ok(fleet)
}

/// What all workloads ask for together.
fn demand(places: &[Place], workloads: &[Workload]) -> Result<Resources, Failure> {
    let infos: Vec<ClusterInfo> = places
        .iter()
        .filter(|place| !place.is_tainted())
        .map(|place| ClusterInfo::new(place.cluster.clone()))
        .collect();
    let mut all = Resources::new();
    for workload in workloads {
        for target in &workload.targets {
            let needs = workload.needs.times(replicas(target, &infos));
            all = needs
                .and_then(|needs| all.plus(&needs))
                .ok_or("the demand cannot be counted")?;
        }
    }
    Ok(all)
}

/// How many replicas a target has on these clusters.
fn replicas(target: &Target, clusters: &[ClusterInfo]) -> u64 {
    match &target.take {
        Take::Each {
            replicas,
            clusters: Some(count),
        } => replicas * u64::from(*count),
        Take::Each { replicas, .. } if !target.clusters.is_empty() => replicas * target.clusters.len() as u64,
        Take::Each { replicas, .. } => {
            let is_meant =
                |info: &&ClusterInfo| target.groups.first().is_none_or(|group| group.matches(info));
            replicas * clusters.iter().filter(is_meant).count() as u64
        }
        Take::Divided { replicas, .. } => *replicas,
        _ => 0,
    }
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
