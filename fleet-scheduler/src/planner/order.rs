//! Who is decided first.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::Job;
use crate::{
    decision::InvalidWorkload,
    model::{Relation, WorkloadId},
};

/// Those to decide, first of all by priority, then what others run beside before them, then by name; with the circle for
/// each that runs beside itself by way of others.
pub(super) fn order(
    jobs: &BTreeMap<WorkloadId, Arc<Job>>,
    dirty: &BTreeSet<WorkloadId>,
    is_ordered: bool,
) -> Vec<(WorkloadId, Option<Vec<WorkloadId>>)> {
    let depths = Depths::of(jobs, dirty);
    let mut order = Vec::new();
    for id in dirty {
        let Some(job) = jobs.get(id) else { continue };
        let (depth, cycle) = depths.known.get(id).cloned().unwrap_or_default();
        // Who keeps away from others goes where they are not: they come first.
        let keeps_away = job.workload.apart.iter().any(|relation| !relation.preferred);
        order.push((
            Reverse(job.workload.priority),
            depth,
            keeps_away,
            id.clone(),
            cycle,
        ));
    }
    order.sort();
    #[cfg(feature = "testing")]
    if !is_ordered {
        use std::hash::{BuildHasher, RandomState};
        let random = RandomState::new();
        order.sort_by_key(|(.., id, _)| random.hash_one(id));
    }
    let _ = is_ordered;
    order.into_iter().map(|(.., id, cycle)| (id, cycle)).collect()
}

/// Whether a workload must run beside another, by way of others too, from which one of the two must keep away.
pub(super) fn contradiction(
    jobs: &BTreeMap<WorkloadId, Arc<Job>>,
    id: &WorkloadId,
) -> Option<InvalidWorkload> {
    // Most keep away from nobody, nor does anybody from them: then nothing is to be found, however long the way.
    let is_apart = |job: &Job| {
        !job.workload.shunned_by.is_empty() || job.workload.apart.iter().any(|one| !one.preferred)
    };
    let (id, job) = jobs
        .get_key_value(id)
        .filter(|(_, job)| depends(job) && is_apart(job))?;
    // Everybody it is beside, in which domains (none is the same cluster, which is in every domain), and by way of whom.
    let mut met: Vec<(&WorkloadId, Option<&str>, usize)> = vec![(id, None, 0)];
    let mut seen: BTreeSet<(&WorkloadId, Option<&str>)> = BTreeSet::new();
    let mut at = 0;
    while let Some(&(last, scope, _)) = met.get(at) {
        for relation in required(jobs, last) {
            let over = match (scope, relation.over.as_deref()) {
                (None, over) => over,
                (scope, None) => scope,
                (Some(one), Some(other)) if one == other => scope,
                // Nothing follows from being in one domain of this and another of that.
                _ => continue,
            };
            let Some((name, other)) = jobs.get_key_value(&relation.workload) else {
                continue;
            };
            if !seen.insert((name, over)) {
                continue;
            }
            met.push((name, over, at));
            if keeps_away(job, name, over) || keeps_away(other, id, over) {
                return Some(InvalidWorkload::Torn { workloads: way(&met) });
            }
        }
        at += 1;
    }
    None
}

/// How the last one was met.
fn way(met: &[(&WorkloadId, Option<&str>, usize)]) -> Vec<WorkloadId> {
    let mut way = Vec::new();
    let mut at = met.len() - 1;
    while at > 0 {
        way.push(met[at].0.clone());
        at = met[at].2;
    }
    way.push(met[0].0.clone());
    way.reverse();
    way
}

/// Whether one must keep away from another in these domains.
fn keeps_away(one: &Job, from: &WorkloadId, over: Option<&str>) -> bool {
    let apart = one.workload.apart.iter().filter(|apart| !apart.preferred);
    apart
        .filter(|apart| apart.workload == *from)
        .any(|apart| over.is_none() || apart.over.as_deref() == over)
}

fn depends(job: &Job) -> bool {
    !job.workload.beside.is_empty()
}

/// What a workload must run beside.
fn required<'a>(
    jobs: &'a BTreeMap<WorkloadId, Arc<Job>>,
    id: &WorkloadId,
) -> impl Iterator<Item = &'a Relation> + use<'a> {
    let beside = jobs.get(id).into_iter().flat_map(|job| &job.workload.beside);
    beside.filter(|relation| !relation.preferred)
}

/// How many others, one beside the next, each workload waits for, and the circle it is in, if it is in one.
#[derive(Default)]
struct Depths {
    known: BTreeMap<WorkloadId, (usize, Option<Vec<WorkloadId>>)>,
}

/// A workload on the way of the search.
struct Visit<'a> {
    id: &'a WorkloadId,
    rest: Vec<&'a WorkloadId>,
}

impl Depths {
    /// Of these and all they wait for: by the strongly connected components of the graph (Tarjan 1972), which are found
    /// those first that others wait for. Without recursion: chains may be long.
    fn of(jobs: &BTreeMap<WorkloadId, Arc<Job>>, dirty: &BTreeSet<WorkloadId>) -> Self {
        let mut depths = Self::default();
        let next_of = |id: &WorkloadId| -> Vec<&WorkloadId> {
            let next = required(jobs, id).filter_map(|relation| jobs.get_key_value(&relation.workload));
            next.map(|(id, _)| id).collect()
        };
        // When each was met, and the first met that it leads to.
        let mut met: BTreeMap<&WorkloadId, (usize, usize)> = BTreeMap::new();
        let mut open: Vec<&WorkloadId> = Vec::new();
        for root in dirty {
            let Some((root, job)) = jobs.get_key_value(root) else {
                continue;
            };
            if !depends(job) || met.contains_key(root) {
                continue;
            }
            let mut path: Vec<Visit<'_>> = Vec::new();
            let mut enter = Some(root);
            loop {
                if let Some(id) = enter.take() {
                    let at = met.len();
                    met.insert(id, (at, at));
                    open.push(id);
                    path.push(Visit {
                        id,
                        rest: next_of(id),
                    });
                }
                let Some(visit) = path.last_mut() else { break };
                let id = visit.id;
                if let Some(next) = visit.rest.pop() {
                    match met.get(next) {
                        None => enter = Some(next),
                        Some(&(at, _)) if !depths.known.contains_key(next) => lower(&mut met, id, at),
                        Some(_) => {}
                    }
                    continue;
                }
                path.pop();
                let (at, low) = met[id];
                if let Some(before) = path.last() {
                    lower(&mut met, before.id, low);
                }
                if at == low {
                    let begin = open.iter().rposition(|one| *one == id).unwrap_or(0);
                    let members = open.split_off(begin);
                    depths.add(&members, &next_of);
                }
            }
        }
        depths
    }

    /// All of these wait for each other; or it is one that does not.
    fn add<'a>(&mut self, members: &[&'a WorkloadId], next_of: &impl Fn(&WorkloadId) -> Vec<&'a WorkloadId>) {
        if let [one] = members {
            let next = next_of(one);
            let known = next.iter().filter_map(|next| self.known.get(*next));
            let depth = known.map(|(depth, _)| depth + 1).max().unwrap_or(0);
            self.known.insert((*one).clone(), (depth, None));
            return;
        }
        let set: BTreeSet<&WorkloadId> = members.iter().copied().collect();
        for one in members {
            let circle = circle(one, &set, next_of);
            self.known.insert((*one).clone(), (0, Some(circle)));
        }
    }
}

fn lower(met: &mut BTreeMap<&WorkloadId, (usize, usize)>, id: &WorkloadId, to: usize) {
    if let Some((_, low)) = met.get_mut(id) {
        *low = to.min(*low);
    }
}

/// The shortest circle from a workload back to itself among these; of two, the first by names.
fn circle<'a>(
    from: &'a WorkloadId,
    members: &BTreeSet<&'a WorkloadId>,
    next_of: &impl Fn(&WorkloadId) -> Vec<&'a WorkloadId>,
) -> Vec<WorkloadId> {
    let mut met: Vec<(&WorkloadId, Option<&str>, usize)> = vec![(from, None, 0)];
    let mut seen: BTreeSet<&WorkloadId> = BTreeSet::from([from]);
    let mut at = 0;
    while let Some(&(last, ..)) = met.get(at) {
        let next: BTreeSet<&WorkloadId> = next_of(last).into_iter().collect();
        if next.contains(from) {
            met.truncate(at + 1);
            return way(&met);
        }
        for one in next {
            if members.contains(one) && seen.insert(one) {
                met.push((one, None, at));
            }
        }
        at += 1;
    }
    vec![from.clone()]
}
