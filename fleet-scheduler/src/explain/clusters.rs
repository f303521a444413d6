//! Cluster by cluster.

use std::{borrow::Cow, cmp::Reverse, collections::BTreeMap};

use fixedbitset::FixedBitSet;
use fleet_core::{Reason, Tick};

use super::{ClusterExplanation, Refusal, Score, TargetExplanation};
use crate::{
    decision::TargetDecision,
    model::{ClusterInfo, ClusterSelector, Slot},
    pipeline::Basis,
    planner::{Job, Planner},
    schedule::{Answers, Question, normalise},
};

impl Planner {
    pub(super) fn explain_target(
        &self,
        job: &Job,
        target: usize,
        decided: Option<&TargetDecision>,
        now: Tick,
    ) -> TargetExplanation {
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
        let question = self.question(job, target, &current, now);
        let short = decided.map_or(0, |decided| decided.short);
        let groups = Groups::of(&question, short);
        let mut clusters: Vec<ClusterExplanation> = self
            .slots()
            .map(|slot| {
                let (replicas, going) = going.get(&slot).copied().unwrap_or_default();
                let group = groups.of_cluster(self.fleet().at(slot));
                let mut refusals = question.all_refusals(slot, group.map(|at| groups.all[at]));
                refusals.extend(groups.refusal(group).map(|reason| Refusal {
                    filter: "target".to_owned(),
                    reason,
                }));
                let limit = match refusals.is_empty() {
                    true => question.limits(slot, group.map(|at| groups.all[at])),
                    false => Vec::new(),
                };
                let fits = question.fits(slot);
                ClusterExplanation {
                    cluster: self.fleet().at(slot).name().to_owned(),
                    replicas,
                    going,
                    refusals: self.told(refusals),
                    limit: self.told(limit),
                    fits: (fits < u64::MAX).then(|| fits.saturating_mul(unit)),
                    rank: None,
                    scores: Vec::new(),
                    total: 0,
                    lack: question.lack(slot),
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
        let gone = self.table().gone(&job.workload.name);
        let gone = gone.filter(|(of, ..)| *of == &**name);
        clusters.extend(gone.map(|(_, cluster, placed)| {
            ClusterExplanation::not_in_fleet(cluster, placed.replicas, placed.going)
        }));
        let mut refused: BTreeMap<Cow<'static, str>, usize> = BTreeMap::new();
        for one in &clusters {
            for refusal in &one.refusals {
                *refused.entry(refusal.reason.code.clone()).or_default() += 1;
            }
        }
        clusters.sort_by(|a, b| {
            let key = |one: &ClusterExplanation| (Reverse(one.replicas), one.rank.unwrap_or(usize::MAX));
            key(a).cmp(&key(b)).then_with(|| a.cluster.cmp(&b.cluster))
        });
        TargetExplanation {
            target: name.to_string(),
            wanted: question.wanted().map(|units| units.saturating_mul(unit)),
            short,
            limit: decided.and_then(|decided| decided.limit.clone()),
            groups: groups.told(),
            refused,
            would_fit: Vec::new(),
            clusters,
        }
    }
}

/// The groups of a target, and which of them were taken.
struct Groups<'a> {
    all: Vec<&'a ClusterSelector>,
    taken: Vec<bool>,
}

impl<'a> Groups<'a> {
    /// Those are taken that what runs is in; all, where not everything has a place or nothing runs.
    fn of(question: &Question<'a>, short: u64) -> Self {
        let mut groups = Self {
            all: question.target().groups.iter().collect(),
            taken: vec![false; question.target().groups.len()],
        };
        for (slot, _) in question.current {
            if let Some(at) = groups.of_cluster(question.view.fleet.at(*slot))
                && let Some(taken) = groups.taken.get_mut(at)
            {
                *taken = true;
            }
        }
        if short > 0 || !groups.taken.contains(&true) {
            groups.taken.fill(true);
        }
        groups
    }

    /// The first that means a cluster; the first of all says why not, where none does.
    fn of_cluster(&self, cluster: &ClusterInfo) -> Option<usize> {
        let meant = self.all.iter().position(|group| group.matches(cluster));
        meant.or((!self.all.is_empty()).then_some(0))
    }

    /// Why a cluster is not used although its group means it: another group is taken.
    fn refusal(&self, group: Option<usize>) -> Option<Reason> {
        let at = group.filter(|at| !self.taken[*at])?;
        let last = self.taken.iter().rposition(|taken| *taken)?;
        let message = match at < last {
            true => format!("its group ({}) cannot carry everything", self.all[at]),
            false => format!("a group before its own ({}) carries everything", self.all[at]),
        };
        Some(Reason::new("other-group", message))
    }

    /// Those that are taken, where there is a choice.
    fn told(&self) -> Vec<String> {
        if self.all.len() < 2 {
            return Vec::new();
        }
        let taken = self.all.iter().zip(&self.taken).filter(|(_, taken)| **taken);
        taken.map(|(group, _)| group.to_string()).collect()
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
