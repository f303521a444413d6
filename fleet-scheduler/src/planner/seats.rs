//! What may stay where it is, what must go, and what is lost.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{LifeCycle, Millis, Reason, Tick};

use super::{Facts, Job, Planner};
use crate::{
    decision::{Proposal, Wait, WaitOn},
    model::{Assignment, ClusterInfo, LostPolicy, Slot, WorkloadId},
    moves::Cause,
    schedule::Question,
};

/// The replicas of one target, by what may be done with them.
#[derive(Default)]
pub(super) struct Seats {
    /// What is where from now on, before anything is started: by cluster.
    pub(super) placed: BTreeMap<String, Assignment>,
    /// Replicas that count and stay.
    pub(super) kept: Vec<(Slot, u64)>,
    /// Replicas that others are to stand in for.
    pub(super) released: Vec<Released>,
    /// Replicas that count as being there although they cannot be asked: nothing is started for them.
    pub(super) absent: Vec<(String, u64)>,
    pub(super) waits: Vec<Wait>,
    pub(super) proposals: Vec<Proposal>,
    pub(super) again_at: Option<Tick>,
    /// Their clusters cannot keep them, and why.
    pub(super) refused: BTreeMap<String, Vec<Reason>>,
    /// Where the lost ones are to go, where that was said.
    pub(super) follow: Option<WorkloadId>,
    /// The clusters that keep room for what was lost, and for how many units.
    pub(super) booked: Vec<(Slot, u64)>,
}

/// Replicas that others are to stand in for.
pub(super) struct Released {
    pub(super) cluster: String,
    pub(super) replicas: u64,
    pub(super) cause: Cause,
    /// They are known to be stopped: nothing waits for them.
    pub(super) is_stopped: bool,
}

/// With more clusters than this, filters are quicker asked about all of them at once.
const MANY: usize = 8;

/// What is known of a cluster whose replicas cannot be asked.
struct Loss<'a> {
    cluster: &'a str,
    /// Since when it is lost; none: it is not in the fleet any more.
    since: Option<Tick>,
    /// Since when it is lost, or was first missed.
    begun: Tick,
    /// Since when they are placed there.
    placed: Tick,
    replicas: u64,
    /// Why nothing may be started for them now.
    storm: Option<String>,
}

impl Loss<'_> {
    fn cause(&self) -> Cause {
        match self.since {
            Some(_) => Cause::Lost,
            None => Cause::Left,
        }
    }
}

/// What to do about replicas that are lost.
enum Answer {
    /// Others stand in for them; true when they are known to be stopped.
    Replace(bool),
    /// Nothing; they count as being there.
    Stay,
}

impl Planner {
    /// Sorts the replicas of one target.
    pub(super) fn sort_seats(
        &self,
        question: &Question<'_>,
        target: &str,
        facts: &Facts,
        now: Tick,
    ) -> Seats {
        let id = &question.workload.name;
        let mut seats = Seats::default();
        let of_target = || self.table.seats(id).iter().filter(|seat| *seat.target == *target);
        let placed: BTreeMap<String, Assignment> = of_target()
            .map(|seat| (self.fleet.at(seat.slot).name().to_owned(), seat.assignment))
            .collect();
        let is_sticky = self.switches().sticky;
        // Many are asked about at once.
        let stays = (question.current.len() > MANY).then(|| question.stay_each(question.current));
        for (at, seat) in of_target().enumerate() {
            let (slot, assignment, active) = (seat.slot, seat.assignment, seat.assignment.active());
            if active == 0 {
                continue;
            }
            let cluster = self.fleet.at(slot);
            let name = cluster.name();
            if let Some(since) = self.lost_since(cluster) {
                // What was never started is known not to run.
                if assignment.held > 0 && !question.is_everywhere() {
                    seats.released.push(Released {
                        cluster: name.to_owned(),
                        replicas: assignment.held,
                        cause: Cause::Lost,
                        is_stopped: true,
                    });
                }
                let loss = Loss {
                    cluster: name,
                    since: Some(since),
                    begun: since,
                    placed: assignment.since,
                    replicas: active - assignment.held,
                    storm: self.storm.holds(cluster).filter(|_| self.switches().storm),
                };
                if loss.replicas > 0 {
                    self.lose(question, target, &loss, &mut seats, facts, now);
                }
                continue;
            }
            let soaks = || question.is_everywhere() && self.is_reversible(name, now);
            let cause = if !cluster.is_in_contact() {
                None
            } else if self.replacements.contains_key(name) {
                // What is on each cluster is on the new one, too.
                (!soaks()).then_some(Cause::Replace)
            } else if cluster.is_going() && !stays_in_drain(question, cluster) {
                seats.refused.insert(
                    name.to_owned(),
                    vec![Reason::new(
                        "drain",
                        format!("it is {}", cluster.cluster.life_cycle),
                    )],
                );
                Some(Cause::Drain)
            } else {
                let pass = match &stays {
                    Some(stays) => stays[at],
                    None => question.stays(slot),
                };
                match pass.filter(|_| is_sticky && question.is_meant(slot)) {
                    Some(pass) => {
                        seats.again_at = seats.again_at.into_iter().chain(pass.until()).min();
                        None
                    }
                    None => {
                        let reasons = question.refusals_of_current(slot, is_sticky);
                        let must_go = !reasons.is_empty();
                        if must_go {
                            seats.refused.insert(name.to_owned(), self.told(reasons));
                        }
                        must_go.then_some(Cause::Constraint)
                    }
                }
            };
            match cause {
                None => seats.kept.push((slot, active)),
                // What is not started yet is not to be started there; what runs waits until all of it does.
                Some(cause) if assignment.held > 0 && !question.is_everywhere() => {
                    seats.released.push(Released {
                        cluster: name.to_owned(),
                        replicas: assignment.held,
                        cause,
                        is_stopped: true,
                    });
                    if active > assignment.held {
                        seats.kept.push((slot, active - assignment.held));
                    }
                }
                Some(_) if assignment.held > 0 => seats.kept.push((slot, active)),
                Some(cause) => seats.released.push(Released {
                    cluster: name.to_owned(),
                    replicas: active,
                    cause,
                    is_stopped: false,
                }),
            }
        }
        seats.placed = placed;
        for (of, cluster, assignment) in self.table.gone(id).filter(|(of, ..)| *of == target) {
            debug_assert_eq!(of, target);
            seats.placed.insert(cluster.to_owned(), assignment);
            let loss = Loss {
                cluster,
                since: None,
                begun: self.left_since(cluster),
                placed: assignment.since,
                replicas: assignment.active(),
                storm: self.storm.holds_left().filter(|_| self.switches().storm),
            };
            if loss.replicas > 0 {
                self.lose(question, target, &loss, &mut seats, facts, now);
            }
        }
        let is_lost = |one: &&Released| one.cause.is_loss();
        let lost: Vec<&str> = seats
            .released
            .iter()
            .filter(is_lost)
            .map(|one| &*one.cluster)
            .collect();
        seats.booked = self.booked(id, question.target, &lost);
        // Those that are lost first: they do nothing any more.
        seats.released.sort_by(|a, b| {
            rank(a.cause)
                .cmp(&rank(b.cause))
                .then_with(|| a.cluster.cmp(&b.cluster))
        });
        seats
    }

    /// Whether a workload has left a cluster and is somewhere else.
    fn is_elsewhere(&self, id: &WorkloadId, cluster: &str) -> bool {
        let seats = self.table.seats(id).iter();
        let seats = seats.map(|seat| (self.fleet.at(seat.slot).name(), seat.assignment));
        let gone = self
            .table
            .gone(id)
            .map(|(_, name, assignment)| (name, assignment));
        let mut places = seats.chain(gone).filter(|(_, one)| one.active() > 0).peekable();
        places.peek().is_some() && places.all(|(name, _)| name != cluster)
    }

    /// The one that all follow who follow each other from this one on; none where nobody leads, or all in a circle.
    fn leader_of(&self, id: &WorkloadId) -> Option<&Job> {
        let mut seen = BTreeSet::from([id]);
        let mut next = self.jobs.get(id)?;
        while let LostPolicy::Follow(other) = &next.workload.lost {
            if !seen.insert(other) {
                return None;
            }
            next = self.jobs.get(other)?;
        }
        Some(next)
    }

    /// Whether a workload goes elsewhere when its cluster is lost: by itself, or once a person says so.
    fn will_move(&self, job: &Job, now: Tick) -> bool {
        job.workload.lost != LostPolicy::Shrink && !self.is_over_for_good(job, now)
    }

    /// Whether a workload has run to its end, or its time is over.
    fn is_over_for_good(&self, job: &Job, now: Tick) -> bool {
        let is_expired = job.workload.expires.is_some_and(|end| end <= now);
        is_expired || self.finished.contains_key(&job.workload.name)
    }

    /// Since when a cluster counts as lost.
    fn lost_since(&self, cluster: &ClusterInfo) -> Option<Tick> {
        let silent = cluster
            .contact
            .filter(|_| !self.switches().contact && !cluster.is_in_contact());
        cluster.lost_since().or(silent.map(|contact| contact.since))
    }

    /// The reasons that are told.
    pub(crate) fn told<T>(&self, mut reasons: Vec<T>) -> Vec<T> {
        if !self.switches().all_reasons {
            reasons.truncate(1);
        }
        reasons
    }

    fn lose(
        &self,
        question: &Question<'_>,
        target: &str,
        loss: &Loss<'_>,
        seats: &mut Seats,
        facts: &Facts,
        now: Tick,
    ) {
        match self.answer(question, target, loss, seats, facts, now) {
            Answer::Stay => seats.absent.push((loss.cluster.to_owned(), loss.replicas)),
            Answer::Replace(is_stopped) => seats.released.push(Released {
                cluster: loss.cluster.to_owned(),
                replicas: loss.replicas,
                cause: loss.cause(),
                is_stopped,
            }),
        }
    }

    fn answer(
        &self,
        question: &Question<'_>,
        target: &str,
        loss: &Loss<'_>,
        seats: &mut Seats,
        facts: &Facts,
        now: Tick,
    ) -> Answer {
        let workload = question.workload;
        let wait = |on: WaitOn, reason: Reason, until: Option<Tick>| Wait {
            target: target.to_owned(),
            cluster: loss.cluster.to_owned(),
            replicas: loss.replicas,
            cause: loss.cause(),
            on,
            reason,
            until,
        };
        let is_fenced = self.is_fenced(workload) && workload.lost != LostPolicy::Shrink;
        // Each cluster has one of these already, or is to: there is nowhere else to go.
        if question.is_everywhere() && (loss.since.is_some() || is_fenced) {
            return Answer::Stay;
        }
        if !self.switches().lost_policy && !is_fenced {
            return Answer::Replace(false);
        }
        let token = token(
            &workload.name,
            target,
            loss.cluster,
            loss.since.unwrap_or(loss.placed),
        );
        // What was seen before it was lost may have started since.
        let stopped = facts.stopped_when(&workload.name, loss.cluster, now);
        let is_stopped = stopped.is_some_and(|at| at >= loss.begun);
        let is_approved = facts.approved.contains(&token);
        let why = match loss.since {
            Some(_) => format!("cluster {} is lost", loss.cluster),
            None => format!("cluster {} has left the fleet", loss.cluster),
        };
        if is_approved || (is_stopped && is_fenced) {
            return Answer::Replace(is_stopped || is_fenced);
        }
        let propose = |seats: &mut Seats, what: &str| {
            let reason = Reason::new("approve", format!("{why}: {what}"));
            seats.proposals.push(Proposal {
                token: token.clone(),
                target: target.to_owned(),
                cluster: loss.cluster.to_owned(),
                replicas: loss.replicas,
                reason,
            });
            Answer::Stay
        };
        if is_fenced {
            return propose(
                seats,
                "there must never be two of it; approve when the old copy is sure to be stopped",
            );
        }
        let stormy = || {
            let storm = loss.storm.as_ref()?;
            let message = format!("{why}, but {storm}: nothing is started elsewhere");
            Some(Reason::new("storm", message))
        };
        let in_storm = |seats: &mut Seats, storm: Reason| {
            seats.waits.push(wait(WaitOn::Storm, storm, None));
            // Those that have left do not come back by themselves.
            match loss.since {
                Some(_) => Answer::Stay,
                None => propose(seats, "too many have left at once; approve if that is meant"),
            }
        };
        // Where there is one on each cluster, nothing is started elsewhere: nobody need decide on that.
        let ends_there = LostPolicy::Respin { after: Millis(0) };
        let policy = match (question.is_everywhere(), &workload.lost) {
            (false, policy) | (true, policy @ LostPolicy::Respin { .. }) => policy,
            (true, _) => &ends_there,
        };
        match policy {
            LostPolicy::Shrink => {
                let reason = Reason::new("shrink", format!("{why}; there are fewer until it is back"));
                seats.waits.push(wait(WaitOn::Return, reason, None));
                match loss.since {
                    Some(_) => Answer::Stay,
                    None => propose(seats, "approve if it does not come back: as many start elsewhere"),
                }
            }
            LostPolicy::Hold => propose(seats, "approve to start its replicas elsewhere"),
            LostPolicy::Respin { after } => {
                if let Some(storm) = stormy() {
                    return in_storm(seats, storm);
                }
                let due = loss.begun + *after;
                if due > now {
                    seats.again_at = seats.again_at.into_iter().chain([due]).min();
                    let left = Millis(due.0 - now.0);
                    seats.waits.push(wait(
                        WaitOn::Toleration,
                        Reason::new("tolerated", format!("{why}; it may come back: {left} left")),
                        Some(due),
                    ));
                    return Answer::Stay;
                }
                Answer::Replace(is_stopped)
            }
            LostPolicy::Follow(other) => {
                if let Some(storm) = stormy() {
                    return in_storm(seats, storm);
                }
                let is_elsewhere = self.is_elsewhere(other, loss.cluster);
                let is_led = match self.leader_of(&workload.name) {
                    None => false,
                    Some(leader) => is_elsewhere || self.will_move(leader, now),
                };
                if !is_led {
                    return propose(seats, "nothing says where it goes; approve to start it elsewhere");
                }
                if !is_elsewhere {
                    seats.waits.push(wait(
                        WaitOn::Follow,
                        Reason::new("follow", format!("{why}; it goes where {other} goes")),
                        None,
                    ));
                    return Answer::Stay;
                }
                seats.follow = Some(other.clone());
                Answer::Replace(is_stopped)
            }
        }
    }
}

impl Seats {
    /// How many units run, and are to go elsewhere.
    pub(super) fn leaving(&self, unit: u64) -> u64 {
        let running = self
            .released
            .iter()
            .filter(|one| !one.cause.is_loss() && !one.is_stopped);
        running.fold(0, |sum, one| sum.saturating_add(one.replicas.div_ceil(unit)))
    }

    /// How many units count as being there although they cannot be asked.
    pub(super) fn absent(&self, unit: u64) -> u64 {
        self.absent.iter().fold(0, |sum, (_, replicas)| {
            sum.saturating_add(replicas.div_ceil(unit))
        })
    }
}

/// Whether replicas of a target stay on a cluster that is drained: one on each cluster has nowhere else to go and serves that
/// cluster to its end, as the daemons of a node do when that is drained.
fn stays_in_drain(question: &Question<'_>, cluster: &ClusterInfo) -> bool {
    question.is_everywhere() && cluster.cluster.life_cycle == LifeCycle::Draining
}

/// What must be moved before what.
fn rank(cause: Cause) -> u8 {
    match cause {
        Cause::Lost | Cause::Left => 0,
        Cause::Constraint => 1,
        _ => 2,
    }
}

/// Names a loss: another loss of the same cluster has another token. It is known by when it began; of a cluster that is not
/// in the fleet any more, by when its replicas were placed there.
pub(super) fn token(workload: &WorkloadId, target: &str, cluster: &str, since: Tick) -> String {
    let text = format!("{workload}\0{target}\0{cluster}\0{}", since.0);
    token_of(&text)
}

/// A token for what a text names.
pub(super) fn token_of(text: &str) -> String {
    let digest = fleet_core::Digest::of_bytes(text.as_bytes()).to_string();
    digest.chars().take(16).collect()
}
