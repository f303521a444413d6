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
    let mut depths = Depths {
        jobs,
        known: BTreeMap::new(),
    };
    let mut order = Vec::new();
    for id in dirty {
        let Some(job) = jobs.get(id) else { continue };
        let (depth, cycle) = if depends(job) { depths.of(id) } else { (0, None) };
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
    let job = jobs.get(id).filter(|job| depends(job))?;
    let required = |job: &Job| {
        let beside = job.workload.beside.iter().filter(|relation| !relation.preferred);
        beside.cloned().collect::<Vec<Relation>>()
    };
    // Everybody it is beside, and in which domains: none is the same cluster, which is in every domain.
    let mut seen: BTreeSet<(WorkloadId, Option<String>)> = BTreeSet::new();
    let mut next: Vec<(Vec<WorkloadId>, Option<String>)> = vec![(vec![id.clone()], None)];
    while let Some((path, scope)) = next.pop() {
        let Some(last) = path.last().and_then(|last| jobs.get(last)) else {
            continue;
        };
        for relation in required(last) {
            let over = match (&scope, &relation.over) {
                (None, over) => over.clone(),
                (scope, None) => scope.clone(),
                (Some(one), Some(other)) if one == other => scope.clone(),
                // Nothing follows from being in one domain of this and another of that.
                _ => continue,
            };
            if !seen.insert((relation.workload.clone(), over.clone())) {
                continue;
            }
            let Some(other) = jobs.get(&relation.workload) else {
                continue;
            };
            let keeps_away = |one: &Job, from: &WorkloadId| {
                let apart = one.workload.apart.iter().filter(|apart| !apart.preferred);
                apart
                    .filter(|apart| apart.workload == *from)
                    .any(|apart| over.is_none() || apart.over == over)
            };
            let mut path = path.clone();
            path.push(relation.workload.clone());
            if keeps_away(job, &relation.workload) || keeps_away(other, id) {
                return Some(InvalidWorkload::Torn { workloads: path });
            }
            next.push((path, over));
        }
    }
    None
}

fn depends(job: &Job) -> bool {
    !job.workload.beside.is_empty()
}

/// How many others, one beside the next, a workload waits for.
struct Depths<'a> {
    jobs: &'a BTreeMap<WorkloadId, Arc<Job>>,
    known: BTreeMap<WorkloadId, (usize, Option<Vec<WorkloadId>>)>,
}

impl Depths<'_> {
    /// Its depth, and the circle it is in, if it is in one. Without recursion: chains may be long.
    fn of(&mut self, id: &WorkloadId) -> (usize, Option<Vec<WorkloadId>>) {
        let mut path: Vec<(WorkloadId, Vec<WorkloadId>)> = vec![(id.clone(), self.required(id))];
        let mut on_path = BTreeSet::from([id.clone()]);
        while let Some((at, rest)) = path.last_mut() {
            let at = at.clone();
            match rest.pop() {
                Some(next) if self.known.contains_key(&next) => {}
                Some(next) => {
                    if on_path.contains(&next) {
                        let begin = path.iter().position(|(one, _)| *one == next).unwrap_or(0);
                        let circle: Vec<WorkloadId> =
                            path[begin..].iter().map(|(one, _)| one.clone()).collect();
                        for one in &circle {
                            self.known.insert(one.clone(), (0, Some(circle.clone())));
                        }
                    } else {
                        let required = self.required(&next);
                        on_path.insert(next.clone());
                        path.push((next, required));
                    }
                }
                None => {
                    path.pop();
                    on_path.remove(&at);
                    if !self.known.contains_key(&at) {
                        let required = self.required(&at);
                        let known = required.iter().filter_map(|next| self.known.get(next));
                        let depth = known.map(|(depth, _)| depth + 1).max().unwrap_or(0);
                        self.known.insert(at, (depth, None));
                    }
                }
            }
        }
        self.known.get(id).cloned().unwrap_or_default()
    }

    fn required(&self, id: &WorkloadId) -> Vec<WorkloadId> {
        let beside = self.jobs.get(id).into_iter().flat_map(|job| &job.workload.beside);
        let required = beside
            .filter(|relation| !relation.preferred)
            .map(|relation| relation.workload.clone());
        required.filter(|id| self.jobs.contains_key(id)).collect()
    }
}
