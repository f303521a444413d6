//! What the command line says is known, and whether that has any effect.

use std::collections::BTreeMap;

use fleet_core::Tick;
use fleet_kube::utc;
use fleet_scheduler::{ClusterInfo, Decision, Facts, FleetView, Placements, Planner, Workload, WorkloadId};

use super::{args::PlaceArgs, hints::Note, inputs, state::Approved, words::nearest};

/// What is known, without approvals, and what is to be said of it.
pub(super) struct Heard {
    pub(super) facts: Facts,
    pub(super) notes: Vec<Note>,
}

/// What there is to be known something of.
pub(super) struct There<'a> {
    /// All workloads that are listed or placed.
    pub(super) known: &'a [WorkloadId],
    pub(super) workloads: &'a BTreeMap<WorkloadId, Workload>,
    pub(super) before: &'a Placements,
    pub(super) fleet: &'a FleetView,
}

/// What the command line says of workloads and clusters. Approvals are [checked](Tokens) once it is known what waits.
///
/// # Errors
/// When there is no such workload or cluster, or it does not end by itself.
pub(super) fn heard(args: &PlaceArgs, there: &There<'_>) -> Result<Heard, String> {
    let mut heard = Heard {
        facts: Facts::none(),
        notes: Vec::new(),
    };
    for text in &args.healthy {
        let (workload, cluster) = there.both("--healthy", text)?;
        heard
            .notes
            .extend(there.nothing_on("--healthy", &workload, &cluster));
        heard.facts = heard.facts.healthy(workload, cluster);
    }
    for text in &args.stopped {
        let (pair, count) = down_to(text)?;
        let (workload, cluster) = there.both("--stopped", pair)?;
        heard
            .notes
            .extend(there.nothing_on("--stopped", &workload, &cluster));
        heard.facts = match count {
            None => heard.facts.stopped(workload, cluster),
            Some(count) => heard.facts.at_most(workload, cluster, count),
        };
    }
    for name in &args.finished {
        let id = there.workload("--finished", name)?;
        match there.workloads.get(&id) {
            Some(workload) if workload.completes => {}
            Some(_) => {
                return Err(format!(
                    "--finished {name}: it does not end by itself: write `completes: true` if it does"
                ));
            }
            None => heard.notes.push(Note::new(format!(
                "--finished {name}: it is not listed, or cannot be read"
            ))),
        }
        heard.facts = heard.facts.finished(id);
    }
    Ok(heard)
}

/// `WORKLOAD@CLUSTER`, and how many of it run there still, where that is said: `WORKLOAD@CLUSTER=2`.
fn down_to(text: &str) -> Result<(&str, Option<u64>), String> {
    match text.rsplit_once('=') {
        None => Ok((text, None)),
        Some((pair, count)) => match count.parse() {
            Ok(count) => Ok((pair, Some(count))),
            Err(_) => Err(format!(
                "--stopped {text}: write WORKLOAD@CLUSTER, or WORKLOAD@CLUSTER=2 where 2 of it run still"
            )),
        },
    }
}

impl There<'_> {
    fn workload(&self, flag: &str, name: &str) -> Result<WorkloadId, String> {
        inputs::known(flag, name, self.known)
    }

    fn both(&self, flag: &str, text: &str) -> Result<(WorkloadId, String), String> {
        let (name, cluster) = text
            .split_once('@')
            .filter(|(name, cluster)| !name.is_empty() && !cluster.is_empty())
            .ok_or_else(|| format!("{flag} {text}: write WORKLOAD@CLUSTER"))?;
        let id = self.workload(flag, name)?;
        // Its cluster may have left the fleet.
        let mut placed = self
            .before
            .values()
            .flat_map(|placement| placement.targets.values());
        if self.fleet.get(cluster).is_some() || placed.any(|clusters| clusters.contains_key(cluster)) {
            return Ok((id, cluster.to_owned()));
        }
        let near = nearest(cluster, self.fleet.clusters().map(ClusterInfo::name));
        let meant = inputs::meant(near);
        Err(format!(
            "{flag} {text}: no cluster of the name {cluster} is listed{meant}"
        ))
    }

    fn nothing_on(&self, flag: &str, workload: &WorkloadId, cluster: &str) -> Option<Note> {
        let on = self
            .before
            .get(workload)
            .map_or(0, |placement| placement.on(cluster));
        let message = format!(
            "{flag} {workload}@{cluster}: nothing of {workload} is on {cluster}, so this changes nothing"
        );
        (on == 0).then(|| Note::new(message))
    }
}

/// Approvals that are still to be understood.
pub(super) struct Tokens<'a> {
    unknown: Vec<&'a str>,
    /// What waits, by token.
    waiting: BTreeMap<String, String>,
    /// Those that are carried out by what is decided now.
    pub(super) carried_out: Vec<String>,
}

impl<'a> Tokens<'a> {
    /// Looks for them among what would wait if nothing was approved, or if only the others were.
    pub(super) fn look(args: &'a PlaceArgs, planner: &Planner, facts: &Facts, now: Tick) -> Self {
        let mut tokens = Self {
            unknown: args.approve.iter().map(String::as_str).collect(),
            waiting: BTreeMap::new(),
            carried_out: Vec::new(),
        };
        if tokens.unknown.is_empty() {
            return tokens;
        }
        let ask = |facts: &Facts| planner.clone().decide(facts, now);
        tokens.wait(ask(facts).values());
        tokens.know();
        for token in tokens.unknown.clone() {
            let others = args.approve.iter().filter(|other| *other != token);
            let others = others.fold(facts.clone(), Facts::approve);
            if others.approved.is_empty() {
                break;
            }
            tokens.wait(ask(&others).values());
        }
        tokens.know();
        tokens.carried_out = args
            .approve
            .iter()
            .filter(|token| tokens.waiting.contains_key(*token))
            .cloned()
            .collect();
        tokens
    }

    /// Whether some are not understood yet.
    pub(super) fn is_any_unknown(&self) -> bool {
        !self.unknown.is_empty()
    }

    /// What waits in these decisions, too.
    pub(super) fn wait<'b>(&mut self, decisions: impl Iterator<Item = &'b Decision>) {
        for decision in decisions {
            for proposal in &decision.proposals {
                let what = format!("{} on {}", decision.workload, proposal.cluster);
                self.waiting.insert(proposal.token.clone(), what);
            }
        }
    }

    fn know(&mut self) {
        let waiting = &self.waiting;
        self.unknown.retain(|token| !waiting.contains_key(*token));
    }

    /// What is to be said of those that were carried out before.
    ///
    /// # Errors
    /// When there is one that nothing waits for, and never did.
    pub(super) fn check(mut self, before: &Approved) -> Result<Vec<Note>, String> {
        self.know();
        let mut notes = Vec::new();
        for token in &self.unknown {
            let Some(at) = before.get(*token) else {
                return Err(format!(
                    "--approve {token}: no proposal has this token{}",
                    self.meant(token)
                ));
            };
            notes.push(Note::new(format!(
                "--approve {token}: that was carried out at {} already",
                utc(*at)
            )));
        }
        Ok(notes)
    }

    fn meant(&self, token: &str) -> String {
        if let Some(near) = nearest(token, self.waiting.keys().map(String::as_str)) {
            return format!("; did you mean {near} ({})?", self.waiting[near]);
        }
        let mut waiting = self.waiting.iter();
        match (waiting.next(), waiting.len()) {
            (None, _) => ", and nothing waits for a person".to_owned(),
            (Some((first, what)), 0) => format!("; what waits is {first} ({what})"),
            (Some((first, what)), more) => format!("; what waits is {first} ({what}) and {more} more"),
        }
    }
}
