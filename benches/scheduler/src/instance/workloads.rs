//! Workloads: policies with amounts, priorities, and what they depend on.

use fleet_core::{Millis, Resources};
use fleet_scheduler::{LostPolicy, Nature, Relation, Take, Target, Workload, WorkloadId};

use super::{Policy, clusters::ZONE};
use crate::{Failure, instance::clusters::REGION, random::Random};

/// How many workloads of a hundred depend on others.
const DEPENDENT: u64 = 10;

/// So many workloads; each policy is used by at least one, if there are as many.
pub(super) fn of(policies: &[Policy], count: usize, random: &mut Random) -> Result<Vec<Workload>, Failure> {
    let mut workloads: Vec<Workload> = Vec::with_capacity(count);
    for at in 0..count {
        let policy = policies.get(at).unwrap_or_else(|| random.pick(policies));
        let mut workload = single(format!("team-{:03}/app-{at:06}", at % 500), policy, random)?;
        if random.percent(DEPENDENT) && !workloads.is_empty() {
            let other = random.place(workloads.len());
            depend(&mut workload, &workloads[other], random)?;
        }
        workloads.push(workload);
    }
    Ok(workloads)
}

/// One workload of a policy, which depends on no other.
pub(super) fn single(name: String, policy: &Policy, random: &mut Random) -> Result<Workload, Failure> {
    let mut target = policy.target.clone();
    let is_everywhere = matches!(target.take, Take::Each { clusters: None, .. });
    // What must be on every cluster goes first, as what nodes cannot do without does.
    let priority = random.weighted(&[(60, 0), (25, 10), (10, 100), (5, 1000)]);
    let mut workload = Workload::new(name, []).priority(if is_everywhere { 10_000 } else { priority });
    if let Take::Divided { replicas, .. } = &mut target.take {
        let (low, high) = random.weighted(&[(30, (1, 3)), (40, (4, 10)), (25, (11, 40)), (5, (41, 200))]);
        *replicas = random.within(low, high);
        workload.nature = match (*replicas, random.below(100)) {
            (1, 0..50) => Nature::Singleton,
            (_, 0..5) => Nature::Stateful,
            _ => Nature::Stateless,
        };
    }
    workload.lost = match random.below(100) {
        0..75 => LostPolicy::Respin {
            after: Millis::from_mins(5),
        },
        75..90 => LostPolicy::Hold,
        _ => LostPolicy::Shrink,
    };
    workload.needs = needs(is_everywhere, random)?;
    workload.tolerations.clone_from(&policy.tolerations);
    workload.kinds.clone_from(&policy.kinds);
    workload.prefer.clone_from(&policy.prefer);
    workload.data.clone_from(&policy.data);
    workload.targets.push(target);
    Ok(workload)
}

fn needs(is_everywhere: bool, random: &mut Random) -> Result<Resources, Failure> {
    let cpu: i64 = match is_everywhere {
        true => *random.pick(&[50, 100, 200]),
        false => *random.pick(&[50, 100, 250, 250, 500, 500, 1000, 1000, 2000, 4000]),
    };
    let memory = cpu * *random.pick(&[1, 2, 4, 4, 8]) * (1 << 30) / 1000;
    let mut needs = Resources::new();
    needs.set("cpu", cpu)?;
    needs.set("memory", memory)?;
    if !is_everywhere && random.percent(2) {
        needs.set("nvidia.com/gpu", 1)?;
    }
    Ok(needs)
}

/// Makes a workload depend on one that is decided before it.
fn depend(workload: &mut Workload, other: &Workload, random: &mut Random) -> Result<(), Failure> {
    let id: WorkloadId = other.name.clone();
    match random.below(100) {
        // A few small replicas right where the other one is, or in its region.
        0..40 => {
            let mut relation = Relation::required(id.clone());
            if random.percent(50) {
                relation = relation.over(REGION);
            }
            let groups = other.targets.iter().flat_map(|target| target.groups.clone());
            let target = groups.fold(Target::replicas(random.within(1, 4)), Target::within);
            workload.targets = vec![target];
            if workload.nature == Nature::Singleton {
                workload.nature = Nature::Stateful;
            }
            workload.needs = small()?;
            workload.kinds.clone_from(&other.kinds);
            workload.tolerations.clone_from(&other.tolerations);
            workload.data.clear();
            workload.priority = other.priority;
            workload.beside.push(relation);
            if random.percent(30) {
                workload.lost = LostPolicy::Follow(id);
            }
        }
        40..70 => workload.apart.push(Relation::required(id)),
        70..80 => workload.apart.push(Relation::required(id).over(ZONE)),
        80..90 => workload
            .beside
            .push(Relation::required(id).over(REGION).preferred()),
        _ => workload.apart.push(Relation::required(id).preferred()),
    }
    Ok(())
}

fn small() -> Result<Resources, Failure> {
    Ok(Resources::new().with("cpu", "50m")?.with("memory", "64Mi")?)
}
