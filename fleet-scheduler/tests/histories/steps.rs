//! What must hold after every step, looked at from outside.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::Tick;
use fleet_scheduler::*;

use super::{events::Event, world::World};

/// One step of a history.
pub(super) struct Step<'a> {
    pub(super) world: &'a World,
    pub(super) planner: &'a Planner,
    pub(super) event: &'a Event,
    pub(super) facts: &'a Facts,
    pub(super) before: &'a Placements,
    pub(super) after: &'a Placements,
    pub(super) round: &'a Round,
    pub(super) moves: &'a [Move],
}

pub(super) type Placed = BTreeMap<String, Assignment>;

/// How many replicas a target asks for, as far as that is a number.
pub(super) fn asked(target: &Target) -> u64 {
    match target.take {
        Take::Divided { replicas, .. } => replicas,
        Take::Each {
            replicas, clusters, ..
        } => replicas * u64::from(clusters.unwrap_or(0)),
        _ => 0,
    }
}

pub(super) fn active(placed: &Placed) -> u64 {
    placed.values().map(Assignment::active).sum()
}

pub(super) fn name_of(at: usize, target: &Target) -> String {
    if target.name.is_empty() {
        (at + 1).to_string()
    } else {
        target.name.clone()
    }
}

/// What is written is read as it was.
fn check_written<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(one: &T) {
    let written = serde_json::to_string(one).unwrap();
    assert_eq!(*one, serde_json::from_str(&written).unwrap(), "{written}");
}

impl Step<'_> {
    /// Decisions, and why they are so, can be kept as text.
    fn check_written(&self) {
        self.round.values().for_each(check_written);
        let Some(decision) = self.round.values().next() else {
            return;
        };
        let explained = self
            .planner
            .explain_decision(decision, self.facts, self.world.now);
        explained.iter().for_each(check_written);
        let happened: Vec<Happened> = self.planner.history(&decision.workload).cloned().collect();
        check_written(&happened);
    }

    pub(super) fn check(&self) {
        self.check_log();
        self.check_written();
        self.check_room();
        for (id, workload) in &self.world.workloads {
            let nothing = Placement::nowhere();
            let before = self.before.get(id).unwrap_or(&nothing);
            let after = self.after.get(id).unwrap_or(&nothing);
            let decision = self.round.get(id.as_str());
            if let Some(decision) = decision {
                assert_eq!(
                    decision.placement, *after,
                    "{id}: what is said is not what is kept"
                );
            }
            if let Some(Outcome::Invalid(_)) = decision.map(|decision| &decision.outcome) {
                assert_eq!(
                    before.active(),
                    after.active(),
                    "{id} is invalid and does not stay"
                );
                continue;
            }
            if decision.is_some_and(|one| matches!(one.outcome, Outcome::Finished | Outcome::Expired)) {
                let is_stopping = workload.nature.is_fenced() && after.active().is_empty();
                assert!(
                    after.targets.is_empty() || is_stopping,
                    "{id} has ended and has a place"
                );
                continue;
            }
            for (at, target) in workload.targets.iter().enumerate() {
                let name = name_of(at, target);
                let empty = Placed::new();
                let was = before.targets.get(&name).unwrap_or(&empty);
                let is = after.targets.get(&name).unwrap_or(&empty);
                if asked(target) > 0 || workload.nature.is_fenced() {
                    self.check_going(workload, target, was, is);
                }
                self.check_moves(workload, target, &name, was, is);
                self.check_running(workload, target, &name, was, is);
                self.check_bounds(id, target, was, is);
                if let Some(decided) = decision.and_then(|one| one.targets.get(at)) {
                    self.check_sum(id, target, is, decided);
                    // What finds room step by step, because others give way, grows from what it has.
                    if was.is_empty() && decided.short == 0 && self.moves.iter().all(|one| !one.to.is_empty())
                    {
                        self.check_spread(id, target, is);
                    }
                }
            }
        }
    }

    /// Of what runs and is known to be healthy, as much is left as is wanted and had a place: nothing that was decided, for
    /// this one or for others, takes it away.
    fn check_running(&self, workload: &Workload, target: &Target, name: &str, was: &Placed, is: &Placed) {
        let is_wanted_less = asked(target) < active(was);
        if workload.nature.is_fenced() || !matches!(target.take, Take::Divided { .. }) || is_wanted_less {
            return;
        }
        let id = &workload.name;
        let is_healthy = |cluster: &String| self.facts.healthy.contains_key(&(id.clone(), cluster.clone()));
        let mut left: u64 = self
            .moves
            .iter()
            .filter(|one| one.workload == *id && one.target == name)
            .filter(|one| one.cause == Cause::Preempted || workload.moves.stop_first)
            .filter(|one| is_healthy(&one.from))
            .map(|one| one.replicas)
            .sum();
        let mut ran = 0;
        for (cluster, one) in was.iter().filter(|(cluster, _)| is_healthy(cluster)) {
            ran += one.replicas;
            left += is.get(cluster).map_or(0, |now| now.replicas).min(one.replicas);
        }
        assert!(
            left >= ran.min(asked(target)).min(active(was)),
            "{id}: {ran} ran of {}, {left} are left: {was:?} became {is:?}",
            asked(target)
        );
    }

    /// Every move that was made is remembered, and the other way round.
    fn check_log(&self) {
        let now = self.world.now;
        let logged: Vec<&Move> = self.planner.moves().moves().filter(|one| one.at == now).collect();
        let told: Vec<&Move> = self.moves.iter().collect();
        assert_eq!(logged.len(), told.len(), "{logged:?} {told:?}");
        for one in told {
            assert!(logged.contains(&one), "{one:?} is not remembered");
        }
    }

    /// Where something new has come, everything fits.
    fn check_room(&self) {
        for (cluster, site) in &self.world.sites {
            let mut total = site.foreign;
            let mut is_new = false;
            for (id, placement) in self.after {
                let needs = self.world.workloads.get(id).map_or(0, |one| one.needs.get("cpu"));
                for (target, placed) in &placement.targets {
                    let Some(now) = placed.get(cluster) else { continue };
                    total += needs * i64::try_from(now.replicas).unwrap();
                    let was = self.before.get(id).and_then(|one| one.targets.get(target));
                    let was = was.and_then(|placed| placed.get(cluster));
                    is_new |= needs > 0 && was.map_or(0, |was| was.replicas) < now.replicas;
                }
            }
            let on = || {
                let placed = self.after.iter();
                let targets =
                    placed.flat_map(|(id, one)| one.targets.values().map(move |placed| (id, placed)));
                let there = targets.filter_map(|(id, placed)| Some((id, placed.get(cluster)?)));
                there.collect::<Vec<_>>()
            };
            assert!(
                !is_new || total <= site.offered,
                "{total} on {cluster}, which offers {}, {} for others: {:?}",
                site.offered,
                site.foreign,
                on()
            );
        }
    }

    /// What goes is gone only once its stand-ins are healthy, or it is known to be stopped.
    fn check_going(&self, workload: &Workload, target: &Target, was: &Placed, is: &Placed) {
        let id = &workload.name;
        // Stand-ins that gave way to something more important stood there before.
        let gave_way = self
            .moves
            .iter()
            .any(|one| one.workload == *id && one.cause == Cause::Preempted);
        if gave_way || matches!(self.event, Event::Replacement("taken back")) {
            return;
        }
        for (cluster, old) in was.iter().filter(|(_, old)| old.going > 0) {
            let now = is.get(cluster).copied().unwrap_or(Assignment::new(0, Tick(0)));
            // Some may stay after all.
            let stay = now.active().saturating_sub(old.active());
            if now.going + stay >= old.going {
                continue;
            }
            let is_there = self.world.sites.contains_key(cluster);
            if workload.nature.is_fenced() {
                let pair = (id.clone(), cluster.clone());
                let is_stopped =
                    self.facts.stopped.contains_key(&pair) || self.facts.at_most.contains_key(&pair);
                let is_said = self.world.approved.values().any(|about| about == cluster);
                assert!(
                    is_stopped || is_said,
                    "{id}: not known to be stopped on {cluster}"
                );
            } else if is_there {
                assert!(
                    self.world.is_in_contact(cluster),
                    "{id}: gone from {cluster} without contact"
                );
                let (running, wanted) = (self.running(id, was, is), self.wanted(target, was, is));
                assert!(
                    running >= wanted,
                    "{id}: gone from {cluster}, and {running} of {wanted} run: {was:?} {is:?}"
                );
            }
        }
    }

    /// How many replicas of a target are known to run where somebody answers, when old ones have gone: those that were
    /// healthy, and the old ones that are left.
    fn running(&self, id: &WorkloadId, was: &Placed, is: &Placed) -> u64 {
        let answers = |name: &&String| self.world.is_in_contact(name);
        let is_healthy = |name: &&String| self.facts.healthy.contains_key(&(id.clone(), (*name).clone()));
        let healthy = was.keys().filter(answers).filter(is_healthy);
        let going = is.keys().filter(answers);
        healthy.map(|name| was[name].active()).sum::<u64>() + going.map(|name| is[name].going).sum::<u64>()
    }

    /// How many replicas of a target are wanted and have a place, if only on a cluster that is lost.
    fn wanted(&self, target: &Target, was: &Placed, is: &Placed) -> u64 {
        match &target.take {
            Take::Divided { replicas, .. } => {
                was.values().map(Assignment::active).sum::<u64>().min(*replicas)
            }
            _ => {
                let there = is.iter().filter(|(name, _)| !self.is_lost(name));
                there.map(|(_, one)| one.active()).sum()
            }
        }
    }

    fn is_lost(&self, cluster: &str) -> bool {
        self.world
            .sites
            .get(cluster)
            .is_none_or(|site| site.info.lost_since().is_some())
    }

    /// What starts is more than there was, or has moved.
    fn check_moves(&self, workload: &Workload, target: &Target, name: &str, was: &Placed, is: &Placed) {
        let is_changed = match self.event {
            Event::Workload(id, _) => *id == workload.name,
            Event::Replacement(what) => *what == "taken back",
            _ => false,
        };
        if is_changed || matches!(target.take, Take::Each { .. }) {
            return;
        }
        let clusters: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let count = |placed: &Placed, cluster: &String| placed.get(cluster).map_or(0, Assignment::active);
        let started: u64 = clusters
            .iter()
            .map(|cluster| count(is, cluster).saturating_sub(count(was, cluster)))
            .sum();
        let moved: u64 = self
            .moves
            .iter()
            .filter(|one| one.workload == workload.name && one.target == name)
            .map(|one| one.replicas)
            .sum();
        let grown = active(is).saturating_sub(active(was));
        assert!(
            started <= moved + grown,
            "{}: {was:?} became {is:?} with {moved} moves",
            workload.name
        );
    }

    /// No cluster gets more than it may have.
    fn check_bounds(&self, id: &WorkloadId, target: &Target, was: &Placed, is: &Placed) {
        for (cluster, now) in is {
            // What was to go and stays after all is not new.
            let before = was
                .get(cluster)
                .map_or(0, |was| was.active() + was.going.saturating_sub(now.going));
            let now = now.active();
            let Some(site) = self.world.sites.get(cluster).filter(|_| now > before) else {
                continue;
            };
            let most = match &target.take {
                Take::Each { replicas, .. } => *replicas,
                Take::Divided { bounds, .. } => bounds
                    .iter()
                    .find(|bound| bound.selector.matches(&site.info))
                    .and_then(|bound| bound.max)
                    .unwrap_or(u64::MAX),
                _ => u64::MAX,
            };
            assert!(now <= most, "{id}: {now} on {cluster}, {most} at most");
            let is_meant =
                target.groups.is_empty() || target.groups.iter().any(|group| group.matches(&site.info));
            assert!(is_meant, "{id}: {cluster} is in no group");
            assert!(
                self.world.is_ready(cluster),
                "{id}: new on {cluster}, out of service"
            );
            assert!(
                self.world.is_in_contact(cluster),
                "{id}: new on {cluster}, no contact"
            );
            if before == 0 {
                self.check_served(&self.world.workloads[id], cluster);
            }
        }
    }

    /// A cluster that something comes to serves its kinds, and has its data.
    fn check_served(&self, workload: &Workload, cluster: &str) {
        let id = &workload.name;
        let capacity = self.world.sites[cluster].info.capacity.as_ref();
        let served = capacity.and_then(|capacity| capacity.kinds.as_ref());
        let is_served = served.is_none_or(|served| workload.kinds.is_subset(served));
        assert!(is_served, "{id}: {cluster} does not serve {:?}", workload.kinds);
        for data in workload.data.iter().filter(|data| !data.preferred) {
            let until = self
                .world
                .data
                .get(&data.name)
                .and_then(|on| on.get(cluster).copied());
            assert!(
                until > Some(self.world.now),
                "{id}: {cluster} has no {}",
                data.name
            );
        }
    }

    /// What is to go from where it was to be on each cluster, and waits.
    fn stays_on(&self, id: &WorkloadId, target: &Target, decided: &TargetDecision, cluster: &str) -> bool {
        let decision = &self.round[id.as_str()];
        let waits = decision.waits.iter().map(|one| (&one.target, &one.cluster));
        let proposed = decision.proposals.iter().map(|one| (&one.target, &one.cluster));
        let mut told = waits.chain(proposed);
        is_everywhere(target) && told.any(|(of, at)| *of == decided.target && *at == cluster)
    }

    /// Everything has a place, or it is said how much has none.
    fn check_sum(&self, id: &WorkloadId, target: &Target, is: &Placed, decided: &TargetDecision) {
        let there = active(is);
        assert!(
            there + decided.short >= decided.wanted,
            "{id}: {there} of {} are placed, {} are said to be missing",
            decided.wanted,
            decided.short
        );
        let beyond: u64 = is
            .iter()
            .filter(|(cluster, _)| self.is_lost(cluster) || self.stays_on(id, target, decided, cluster))
            .map(|(_, one)| one.active())
            .sum();
        let most = match is_everywhere(target) {
            true => decided.wanted.saturating_add(beyond),
            false => decided.wanted.max(beyond),
        };
        assert!(there <= most, "{id}: {is:?} for {}", decided.wanted);
        if matches!(target.take, Take::Divided { .. }) {
            assert_eq!(decided.wanted, asked(target), "{id}");
        }
        assert_eq!(
            decided.short > 0,
            decided.limit.is_some() || decided.short > 0 && matches!(target.take, Take::Each { .. }),
            "{id}: {decided:?}"
        );
    }

    /// What is placed for the first time is spread as it is asked to be.
    fn check_spread(&self, id: &WorkloadId, target: &Target, is: &Placed) {
        if is.is_empty() {
            return;
        }
        let count = active(is);
        for spread in &target.spread {
            let mut domains: BTreeMap<&String, u64> = BTreeMap::new();
            for (cluster, one) in is {
                let labels = &self.world.sites[cluster].info.cluster.labels;
                *domains.entry(&labels[&spread.over]).or_default() += one.active();
            }
            let min = u64::from(spread.min.unwrap_or(0)).min(count);
            assert!(domains.len() as u64 >= min, "{id}: only in {domains:?}");
            let (low, high) = (domains.values().min().unwrap(), domains.values().max().unwrap());
            assert!(high - low <= spread.skew.unwrap_or(u64::MAX), "{id}: {domains:?}");
        }
        if let Take::Divided { clusters, .. } = &target.take {
            let (min, max) = (clusters.min.unwrap_or(0), clusters.max.unwrap_or(u32::MAX));
            let min = u64::from(min).min(count);
            assert!(
                (min..=u64::from(max)).contains(&(is.len() as u64)),
                "{id}: {is:?}"
            );
        }
    }
}

fn is_everywhere(target: &Target) -> bool {
    matches!(target.take, Take::Each { clusters: None, .. })
}
