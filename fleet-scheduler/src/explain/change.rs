//! What would make it fit.

use std::fmt;

use fleet_core::{LifeCycle, Resources, Tick, amount};
use serde::{Deserialize, Serialize};

use super::{TargetExplanation, WhatIf};
use crate::{
    model::{Take, Toleration, Workload},
    planner::{Facts, Job, Planner},
};

/// A single change that would give every replica of a target a place; the first of two is the smaller.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "change")]
#[non_exhaustive]
pub enum Change {
    /// A cluster comes back into service.
    Serve {
        /// Which.
        cluster: String,
    },
    /// The workload bears a taint.
    Tolerate {
        /// Of which key.
        key: String,
        /// On which cluster it would then run, among others.
        cluster: String,
    },
    /// A requirement is given up, or a cluster gets what it asks for.
    Drop {
        /// Which, as people read it.
        requirement: String,
        /// On which cluster it would then run, among others.
        cluster: String,
    },
    /// A cluster gets more of a resource.
    Grow {
        /// Which resource.
        resource: String,
        /// How much more, in the unit of the resource.
        more: i64,
        /// On which cluster.
        cluster: String,
    },
    /// Fewer replicas are asked for.
    Fewer {
        /// How many have a place.
        replicas: u64,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serve { cluster } => write!(f, "cluster {cluster} back in service"),
            Self::Tolerate { key, cluster } => write!(f, "tolerate taint {key} (as on {cluster})"),
            Self::Drop { requirement, cluster } => {
                write!(f, "give up \"{requirement}\", or let {cluster} meet it")
            }
            Self::Grow {
                resource,
                more,
                cluster,
            } => {
                write!(f, "{} more {resource} on {cluster}", amount(resource, *more))
            }
            Self::Fewer { replicas } => write!(f, "ask for {replicas} replicas"),
        }
    }
}

/// How many changes of each sort are tried.
const TRIES: usize = 4;

impl Planner {
    /// Tries single changes on a copy, those first that are told first, until there is one of each sort that works.
    pub(super) fn would_fit(
        &self,
        job: &Job,
        target: usize,
        explained: &TargetExplanation,
        facts: &Facts,
        now: Tick,
    ) -> Vec<Change> {
        let mut works = Vec::new();
        let mut candidates = self.candidates(job, target, explained);
        candidates.sort();
        candidates.dedup();
        let mut tried = std::collections::BTreeMap::new();
        for change in candidates {
            let sort = std::mem::discriminant(&change);
            let is_found = works.iter().any(|one| std::mem::discriminant(one) == sort);
            let tries: &mut usize = tried.entry(format!("{sort:?}")).or_default();
            if is_found || *tries >= TRIES {
                continue;
            }
            *tries += 1;
            if self.works(job, target, &change, facts, now) {
                works.push(change);
            }
        }
        works
    }

    fn works(&self, job: &Job, target: usize, change: &Change, facts: &Facts, now: Tick) -> bool {
        let Some(what_if) = self.made(job, target, change) else {
            return false;
        };
        let Ok(other) = self.what_if(&[what_if], facts, now) else {
            return false;
        };
        let decision = other.planner.decide_again(&job.workload.name, facts, now);
        decision.is_some_and(|decision| {
            decision
                .targets
                .get(target)
                .is_some_and(|target| target.short == 0)
        })
    }

    /// What could be changed, by what is told of each cluster.
    fn candidates(&self, job: &Job, target: usize, explained: &TargetExplanation) -> Vec<Change> {
        let mut changes = Vec::new();
        let unit = job.units[target];
        for one in &explained.clusters {
            let cluster = one.cluster.clone();
            let [rest @ .., last] = one.refusals.as_slice() else {
                if one.rank.is_some() {
                    changes.extend(self.growth(job, &cluster, explained.short));
                }
                continue;
            };
            if !rest.is_empty() {
                continue;
            }
            let fact = |name: &str| last.reason.facts.get(name).cloned().unwrap_or_default();
            match &*last.reason.code {
                "not-in-service" | "paused" | "no-contact" => changes.push(Change::Serve { cluster }),
                "taint" => {
                    let taint = fact("taint");
                    let key = taint.split(['=', ':']).next().unwrap_or_default().to_owned();
                    changes.push(Change::Tolerate { key, cluster });
                }
                "not-selected" => changes.push(Change::Drop {
                    requirement: fact("requirement"),
                    cluster,
                }),
                "no-room" => changes.extend(self.growth(job, &cluster, explained.short)),
                _ => {}
            }
        }
        if let Take::Divided { replicas, .. } = &job.workload.targets[target].take
            && explained.short < *replicas
        {
            changes.push(Change::Fewer {
                replicas: replicas - explained.short,
            });
        }
        debug_assert!(unit > 0);
        changes
    }

    /// What a cluster lacks for so many more replicas, where it is one resource only.
    fn growth(&self, job: &Job, cluster: &str, short: u64) -> Option<Change> {
        let slot = self.fleet().slot(cluster)?;
        let needs = self.room().needs_on(slot, &job.workload.needs).times(short)?;
        let mut lacks = needs.iter().filter_map(|(resource, need)| {
            let free = self.room().free(slot, resource).max(0);
            (need > free).then(|| (resource.to_string(), need - free))
        });
        let (resource, more) = lacks.next()?;
        lacks.next().is_none().then(|| Change::Grow {
            resource,
            more,
            cluster: cluster.to_owned(),
        })
    }

    /// The change as something that could be otherwise.
    fn made(&self, job: &Job, target: usize, change: &Change) -> Option<WhatIf> {
        let mut workload: Workload = (*job.workload).clone();
        let cluster = |name: &str| self.fleet().get(name).cloned();
        Some(match change {
            Change::Serve { cluster: name } => {
                let mut cluster = cluster(name)?;
                cluster.cluster.life_cycle = LifeCycle::Ready;
                (cluster.cluster.paused, cluster.contact) = (None, None);
                WhatIf::Cluster(cluster)
            }
            Change::Tolerate { key, .. } => WhatIf::Workload(workload.tolerate(Toleration::of(key))),
            Change::Drop { requirement, .. } => {
                for group in &mut workload.targets[target].groups {
                    *group = group.without(requirement);
                }
                WhatIf::Workload(workload)
            }
            Change::Grow {
                resource,
                more,
                cluster: name,
            } => {
                let mut cluster = cluster(name)?;
                let capacity = cluster.capacity.as_mut()?;
                let extra = {
                    let mut extra = Resources::new();
                    extra.set(resource, *more).ok()?;
                    extra
                };
                capacity.allocatable = std::mem::take(&mut capacity.allocatable).plus(&extra)?;
                capacity.largest_gap = Resources::new();
                WhatIf::Cluster(cluster)
            }
            Change::Fewer { replicas } => {
                if let Take::Divided { replicas: asked, .. } = &mut workload.targets[target].take {
                    *asked = *replicas;
                }
                WhatIf::Workload(workload)
            }
        })
    }
}
