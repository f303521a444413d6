//! Cluster by cluster.

use std::{cmp::Reverse, collections::BTreeMap};

use fixedbitset::FixedBitSet;
use fleet_core::Tick;

use super::{ClusterExplanation, Refusal, Score, TargetExplanation};
use crate::{
    model::{ClusterSelector, Slot},
    pipeline::Basis,
    planner::{Job, Planner},
    schedule::{Answers, Question, normalise},
};

impl Planner {
    pub(super) fn explain_target(&self, job: &Job, target: usize, now: Tick) -> TargetExplanation {
        let (name, unit) = (&job.names[target], job.units[target]);
        let mut current = Vec::new();
        let mut going = BTreeMap::new();
        for seat in self
            .table()
            .seats(&job.workload.name)
            .iter()
            .filter(|seat| seat.target == *name)
        {
            current.push((seat.slot, seat.assignment.active() / unit));
            going.insert(seat.slot, (seat.assignment.replicas, seat.assignment.going));
        }
        let question = Question {
            view: self.view(now),
            workload: &job.workload,
            target,
            needs: &job.needs[target],
            current: &current,
            uses_spare: false,
        };
        let group = self.group_of(&question);
        let mut clusters: Vec<ClusterExplanation> = self
            .slots()
            .map(|slot| {
                let (replicas, going) = going.get(&slot).copied().unwrap_or_default();
                ClusterExplanation {
                    cluster: self.fleet().at(slot).name().to_owned(),
                    replicas,
                    going,
                    refusals: self.told(question.all_refusals(slot, group)),
                    fits: question.fits(slot).saturating_mul(unit),
                    rank: None,
                    scores: Vec::new(),
                    total: 0,
                }
            })
            .collect();
        let mut passing = FixedBitSet::with_capacity(clusters.len());
        clusters
            .iter()
            .enumerate()
            .filter(|(_, one)| one.refusals.is_empty())
            .for_each(|(slot, _)| passing.insert(slot));
        for (rank, one) in question
            .rank(&passing, &mut Answers::default())
            .into_iter()
            .enumerate()
        {
            clusters[one.slot].rank = Some(rank + 1);
            clusters[one.slot].total = one.score;
        }
        for (slot, scores) in question.all_scores(&passing) {
            clusters[slot].scores = scores;
        }
        let mut refused: BTreeMap<&'static str, usize> = BTreeMap::new();
        for one in &clusters {
            for refusal in &one.refusals {
                *refused.entry(refusal.reason.code).or_default() += 1;
            }
        }
        clusters.sort_by(|a, b| {
            let key = |one: &ClusterExplanation| (Reverse(one.replicas), one.rank.unwrap_or(usize::MAX));
            key(a).cmp(&key(b)).then_with(|| a.cluster.cmp(&b.cluster))
        });
        TargetExplanation {
            target: name.to_string(),
            wanted: question.wanted().map(|units| units.saturating_mul(unit)),
            short: 0,
            limit: None,
            refused,
            would_fit: Vec::new(),
            clusters,
        }
    }

    /// The first of the target's groups that what runs is in, else its first.
    fn group_of<'a>(&self, question: &Question<'a>) -> Option<&'a ClusterSelector> {
        let groups = &question.target().groups;
        let is_in = |group: &&ClusterSelector| {
            question
                .current
                .iter()
                .any(|(slot, _)| group.matches(self.fleet().at(*slot)))
        };
        groups.iter().find(is_in).or(groups.first())
    }
}

impl Question<'_> {
    fn all_refusals(&self, slot: Slot, group: Option<&ClusterSelector>) -> Vec<Refusal> {
        self.refusals_by_filter(slot, group)
            .into_iter()
            .map(|(filter, reason)| Refusal {
                filter: filter.to_owned(),
                reason,
            })
            .collect()
    }

    /// What each scorer says of each cluster of a set.
    fn all_scores(&self, set: &FixedBitSet) -> Vec<(Slot, Vec<Score>)> {
        let mut all: Vec<(Slot, Vec<Score>)> = set.ones().map(|slot| (slot, Vec::new())).collect();
        for (at, (scorer, weight)) in self.view.scheduler.parts().scorers.iter().enumerate() {
            if scorer.basis(self.workload, self.target()) == Basis::Nothing {
                continue;
            }
            let raw: Vec<i64> = all
                .iter()
                .map(|(slot, _)| self.score(at, *slot, self.current(*slot)))
                .collect();
            let mut normalised = raw.clone();
            let weight = weight.saturating_mul(scorer.weight(self.workload, self.target()));
            normalise(&**scorer, weight, &mut normalised);
            for ((_, scores), (raw, normalised)) in all.iter_mut().zip(raw.into_iter().zip(normalised)) {
                scores.push(Score {
                    scorer: scorer.name().to_owned(),
                    raw: (!scorer.is_unknown(raw)).then_some(raw),
                    normalised,
                    weight,
                });
            }
        }
        all
    }
}
