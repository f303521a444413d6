//! Answers of filters and scorers that hold for many workloads, kept by what they depend on.

use std::{collections::HashMap, sync::Arc};

use fixedbitset::FixedBitSet;
use fleet_core::Tick;

use super::candidates::{Question, View};
use crate::{
    filter::is_targeted,
    model::{ClusterSelector, Requirement, Slot, Target, Workload},
    pipeline::Key,
    room::Needs,
};

/// Answers that hold for many workloads: two that ask the same of clusters are answered once. An answer that depends on a
/// cluster is given anew when that cluster changes, one that depends on time when its time is over.
#[derive(Default)]
pub(crate) struct Answers {
    requirements: HashMap<Requirement, FixedBitSet>,
    targets: HashMap<Key, Meant>,
    filters: HashMap<(usize, Key), Passing>,
    scores: HashMap<(usize, Key), Scores>,
}

/// How much is kept, in answers for single clusters: some ten MiB. With more, everything is asked again.
const MOST_SCORES: usize = 1 << 23;
const MOST_PASSES: usize = 1 << 28;

/// The clusters that a target means.
struct Meant {
    set: FixedBitSet,
    target: Target,
    group: Option<ClusterSelector>,
}

/// The clusters that pass a filter.
struct Passing {
    set: FixedBitSet,
    until: Option<Tick>,
    asker: Asker,
}

/// What a scorer says of each cluster.
struct Scores {
    scores: Vec<i64>,
    asker: Asker,
}

/// Who asked first; stands for all that ask the same.
struct Asker {
    workload: Arc<Workload>,
    target: usize,
    needs: Needs,
}

/// A copy begins with no answers: they are given anew, the same.
impl Clone for Answers {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Asker {
    fn of(question: &Question<'_>) -> Self {
        Self {
            workload: Arc::clone(question.workload),
            target: question.target,
            needs: Needs::default(),
        }
    }
}

impl Asker {
    fn question<'a>(&'a self, view: View<'a>) -> Question<'a> {
        Question {
            view,
            workload: &self.workload,
            target: self.target,
            needs: &self.needs,
            current: &[],
            uses_spare: false,
        }
    }
}

impl Answers {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Forgets everything once it is too much, before more is kept: workloads come and go, and what they asked would be kept
    /// for ever.
    fn trim(&mut self, clusters: usize) {
        let sets = self.requirements.len() + self.targets.len() + self.filters.len();
        if self.scores.len().saturating_mul(clusters) > MOST_SCORES
            || sets.saturating_mul(clusters) > MOST_PASSES
        {
            self.clear();
        }
    }

    /// Only keeps the clusters that a target means, in this group of its groups.
    pub(crate) fn keep_meant(
        &mut self,
        question: &Question<'_>,
        group: Option<&ClusterSelector>,
        set: &mut FixedBitSet,
    ) {
        let (target, fleet) = (question.target(), question.view.fleet);
        self.trim(fleet.len());
        let spread: Vec<&str> = target.spread.iter().map(|spread| &*spread.over).collect();
        let key = Key::of((&target.clusters, group, spread));
        let requirements = &mut self.requirements;
        let meant = self.targets.entry(key).or_insert_with(|| {
            let mut set = FixedBitSet::with_capacity(fleet.len());
            if target.clusters.is_empty() {
                set.set_range(.., true);
            }
            for slot in target.clusters.iter().filter_map(|name| fleet.slot(name)) {
                set.insert(slot);
            }
            for requirement in group.into_iter().flat_map(ClusterSelector::requirements) {
                let meeting = requirements
                    .entry(requirement.clone())
                    .or_insert_with(|| fleet.meeting(requirement));
                set.intersect_with(meeting);
            }
            if !target.spread.is_empty() {
                let has_all = |slot: &Slot| {
                    target
                        .spread
                        .iter()
                        .all(|spread| fleet.at(*slot).cluster.labels.contains_key(&spread.over))
                };
                let rest: Vec<Slot> = set.ones().filter(|slot| !has_all(slot)).collect();
                rest.into_iter().for_each(|slot| set.remove(slot));
            }
            Meant {
                set,
                target: target.clone(),
                group: group.cloned(),
            }
        });
        set.intersect_with(&meant.set);
    }

    /// Only keeps the clusters that pass a filter whose answer depends on them and on the key. When it ends.
    pub(crate) fn keep_passing(
        &mut self,
        question: &Question<'_>,
        filter: usize,
        key: Key,
        set: &mut FixedBitSet,
    ) -> Option<Tick> {
        let now = question.view.now;
        self.trim(question.view.fleet.len());
        let answer = self.filters.entry((filter, key)).or_insert_with(|| Passing {
            set: FixedBitSet::new(),
            until: Some(now),
            asker: Asker::of(question),
        });
        if answer.until.is_some_and(|until| until <= now) {
            (answer.set, answer.until) = question.passing(filter);
        }
        set.intersect_with(&answer.set);
        answer.until
    }

    /// What a scorer says of every cluster, where that depends on them and on the key.
    pub(crate) fn scores(&mut self, question: &Question<'_>, scorer: usize, key: Key) -> &[i64] {
        self.trim(question.view.fleet.len());
        let answer = self.scores.entry((scorer, key)).or_insert_with(|| Scores {
            scores: question.scores(scorer),
            asker: Asker::of(question),
        });
        &answer.scores
    }

    /// A cluster has changed: everything that was said of it is asked again.
    pub(crate) fn refresh(&mut self, slot: Slot, view: View<'_>) {
        for ((filter, _), answer) in &mut self.filters {
            let pass = answer.asker.question(view).passes(*filter, slot, 0);
            answer.set.set(slot, pass.is_some());
            let until = pass.and_then(crate::pipeline::Pass::until);
            answer.until = answer.until.into_iter().chain(until).min();
        }
        for ((scorer, _), answer) in &mut self.scores {
            answer.scores[slot] = answer.asker.question(view).score(*scorer, slot, 0);
        }
    }

    /// A cluster's labels or properties have changed, too.
    pub(crate) fn refresh_meant(&mut self, slot: Slot, cluster: &crate::model::ClusterInfo) {
        for (requirement, set) in &mut self.requirements {
            set.set(slot, requirement.matches(cluster));
        }
        for meant in self.targets.values_mut() {
            let is_meant = is_targeted(&meant.target, meant.group.as_ref(), cluster);
            meant.set.set(slot, is_meant);
        }
    }
}
