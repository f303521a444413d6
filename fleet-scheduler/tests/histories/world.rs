//! A simple model of the world that a planner is told of: clusters, what really runs on them, and people.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{ContactState, ContactStatus, LifeCycle, Tick};
use fleet_scheduler::*;

use super::{make, random::Random};

pub(super) type Pair = (WorkloadId, String);

pub(super) struct Site {
    pub(super) info: ClusterInfo,
    /// What it offers and what others than the fleet ask for, in thousandths of a core.
    pub(super) offered: i64,
    pub(super) foreign: i64,
    /// What it serves.
    pub(super) kinds: Option<BTreeSet<String>>,
    /// Its machines are off for sure.
    pub(super) is_off: bool,
}

/// How a history is told: always the same one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Telling {
    /// Clusters and workloads are given in the reverse order.
    pub(super) is_reversed: bool,
    /// Clusters have other names, in the same order.
    pub(super) is_renamed: bool,
}

pub(super) struct World {
    pub(super) random: Random,
    pub(super) telling: Telling,
    pub(super) now: Tick,
    pub(super) sites: BTreeMap<String, Site>,
    /// Clusters that were taken out, with what runs there still.
    pub(super) removed: BTreeMap<String, Site>,
    pub(super) workloads: BTreeMap<WorkloadId, Workload>,
    /// How many copies really run.
    pub(super) running: BTreeMap<Pair, u64>,
    /// When each replica was told to start that is to be there, held ones aside: the latest end first.
    pub(super) started: BTreeMap<Pair, Vec<Tick>>,
    /// How many of them are healthy.
    pub(super) healthy: BTreeMap<Pair, u64>,
    pub(super) finished: BTreeSet<WorkloadId>,
    /// Tokens that people have approved, with the cluster they are about.
    pub(super) approved: BTreeMap<String, String>,
    pub(super) proposals: BTreeMap<WorkloadId, Vec<Proposal>>,
    pub(super) replacements: Vec<Replacement>,
    /// Where which data is, and until when that is sure.
    pub(super) data: BTreeMap<String, BTreeMap<String, Tick>>,
    named: u64,
}

impl World {
    pub(super) fn new(seed: u64, telling: Telling) -> Self {
        let mut world = Self {
            random: Random::new(seed),
            telling,
            now: Tick(1_000_000),
            sites: BTreeMap::new(),
            removed: BTreeMap::new(),
            workloads: BTreeMap::new(),
            running: BTreeMap::new(),
            started: BTreeMap::new(),
            healthy: BTreeMap::new(),
            finished: BTreeSet::new(),
            approved: BTreeMap::new(),
            proposals: BTreeMap::new(),
            replacements: Vec::new(),
            data: BTreeMap::new(),
            named: 0,
        };
        for _ in 0..5 {
            world.add_site();
        }
        world
    }

    pub(super) fn add_site(&mut self) -> String {
        let prefix = if self.telling.is_renamed { "member" } else { "c" };
        self.named += 1;
        let name = format!("{prefix}-{:03}", self.named);
        let cluster = make::cluster(&name, &mut self.random);
        let offered = i64::try_from(self.random.between(2, 12)).unwrap() * 1_000;
        let foreign = i64::try_from(self.random.below(2_000)).unwrap();
        let kinds = make::kinds(&mut self.random);
        let mut capacity = make::capacity(offered, foreign, self.now);
        capacity.kinds.clone_from(&kinds);
        let info = ClusterInfo::new(cluster).capacity(capacity);
        self.sites.insert(
            name.clone(),
            Site {
                info,
                offered,
                foreign,
                kinds,
                is_off: false,
            },
        );
        name
    }

    pub(super) fn new_workload(&mut self) -> Workload {
        self.named += 1;
        let others: Vec<WorkloadId> = self.workloads.keys().cloned().collect();
        let name = format!("w-{:03}", self.named);
        make::workload(&name, &others, self.now, &mut self.random)
    }

    pub(super) fn fleet(&self) -> FleetView {
        let mut clusters: Vec<ClusterInfo> = self.sites.values().map(|site| site.info.clone()).collect();
        if self.telling.is_reversed {
            clusters.reverse();
        }
        let fleet = FleetView::new(clusters).unwrap();
        let data = self.data.iter();
        data.fold(fleet, |fleet, (name, on)| {
            fleet.data(name, on.iter().map(|(cluster, until)| (cluster, *until)))
        })
    }

    /// A planner that begins with what was kept.
    pub(super) fn planner(&self, placements: &Placements, moves: MoveLog) -> Planner {
        let mut planner = Planner::new(Scheduler::default(), self.fleet(), make::options())
            .with_previous(placements, moves);
        let mut workloads: Vec<&Workload> = self.workloads.values().collect();
        if self.telling.is_reversed {
            workloads.reverse();
        }
        for workload in workloads {
            planner.set(workload.clone());
        }
        for replacement in &self.replacements {
            let mut kept = replacement.clone();
            if let Some(known) = planner.replacement(&kept.from) {
                kept = known.clone();
            }
            planner.replace(kept).unwrap();
        }
        planner
    }

    pub(super) fn is_in_contact(&self, cluster: &str) -> bool {
        self.sites
            .get(cluster)
            .is_some_and(|site| site.info.is_in_contact())
    }

    pub(super) fn set_contact(&mut self, cluster: &str, state: ContactState) {
        let mut contact: ContactStatus = ContactStatus::first(
            fleet_core::Heard::Answer,
            &fleet_core::ContactLimits::default(),
            self.now,
        );
        contact.state = state;
        let site = self.sites.get_mut(cluster).unwrap();
        site.info.contact = Some(contact);
        if site.info.is_in_contact() {
            site.is_off = false;
        }
        self.approved.retain(|_, about| about != cluster);
    }

    /// What is observed and was said at this moment.
    pub(super) fn facts(&self, placements: &Placements) -> Facts {
        let mut facts = Facts::none();
        for id in &self.finished {
            facts = facts.finished(id.clone());
        }
        for token in self.approved.keys() {
            facts = facts.approve(token.clone());
        }
        for (id, placement) in placements {
            let Some(workload) = self.workloads.get(id) else {
                continue;
            };
            for (cluster, runs) in runs(placement, workload.nature) {
                let pair = (id.clone(), cluster.to_owned());
                let running = self.running.get(&pair).copied().unwrap_or(0);
                let healthy = self.healthy.get(&pair).copied().unwrap_or(0);
                let is_in_contact = self.is_in_contact(cluster);
                if is_in_contact && runs > 0 && healthy == runs && running == runs {
                    facts = facts.healthy(id.clone(), cluster);
                }
                let is_off = self.site(cluster).is_some_and(|site| site.is_off);
                let is_stopped = if is_in_contact {
                    running <= runs
                } else {
                    is_off && running == 0
                };
                if workload.nature.is_fenced() && is_stopped {
                    facts = match running {
                        0 => facts.stopped(id.clone(), cluster),
                        _ => facts.at_most(id.clone(), cluster, running),
                    };
                }
            }
        }
        facts
    }

    pub(super) fn site(&self, cluster: &str) -> Option<&Site> {
        self.sites.get(cluster).or(self.removed.get(cluster))
    }

    /// Clusters in contact start at once what is to run there, and what has just started is not healthy yet.
    pub(super) fn deliver(&mut self, placements: &Placements) {
        for (id, placement) in placements {
            let Some(workload) = self.workloads.get(id) else {
                continue;
            };
            for (cluster, runs) in runs(placement, workload.nature) {
                if self.is_in_contact(cluster) {
                    let running = self.running.entry((id.clone(), cluster.to_owned())).or_default();
                    *running = (*running).max(runs);
                }
            }
        }
    }

    /// Remembers since when everything is there.
    pub(super) fn watch(&mut self, placements: &Placements) {
        let mut there: BTreeMap<Pair, u64> = self.started.keys().map(|pair| (pair.clone(), 0)).collect();
        for (id, placement) in placements {
            for (cluster, one) in placement.targets.values().flatten() {
                let pair = (id.clone(), cluster.clone());
                *there.entry(pair).or_default() += one.replicas - one.held;
            }
        }
        for (pair, count) in there {
            let started = self.started.entry(pair).or_default();
            started.resize(usize::try_from(count).unwrap(), self.now);
        }
        self.started.retain(|_, started| !started.is_empty());
    }

    /// Some clusters in contact stop what is not to run there any more, and what is started becomes healthy.
    pub(super) fn settle(&mut self, placements: &Placements, percent: u64) {
        let names: Vec<String> = self.sites.keys().cloned().collect();
        for name in names {
            if !self.is_in_contact(&name) || !self.random.chance(percent) {
                continue;
            }
            let ids: Vec<WorkloadId> = self.workloads.keys().cloned().collect();
            for id in ids {
                let nature = self.workloads[&id].nature;
                let placed = placements.get(&id);
                let runs = placed.map_or(0, |placed| {
                    let there = runs(placed, nature).into_iter().find(|(at, _)| *at == name);
                    there.map_or(0, |(_, runs)| runs)
                });
                let pair = (id.clone(), name.clone());
                let running = self.running.entry(pair.clone()).or_default();
                *running = (*running).min(runs);
                let running = *running;
                self.healthy.insert(pair, running);
            }
        }
    }

    pub(super) fn is_ready(&self, cluster: &str) -> bool {
        self.sites[cluster].info.cluster.life_cycle == LifeCycle::Ready
    }
}

/// How many are to run on each cluster, over all targets.
pub(super) fn runs(placement: &Placement, nature: Nature) -> Vec<(&str, u64)> {
    let mut runs: BTreeMap<&str, u64> = BTreeMap::new();
    for (cluster, assignment) in placement.targets.values().flatten() {
        *runs.entry(cluster).or_default() += assignment.runs(nature);
    }
    runs.into_iter().collect()
}
