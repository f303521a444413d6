//! The table of clusters: how full they are, and what is on them.

use std::collections::BTreeMap;

use anstyle::Style;
use fleet_core::{ContactState, LifeCycle};
use fleet_scheduler::{Decision, Outcome, WorkloadId};

use super::{Shown, notes::note, row::NAMED};
use crate::{
    place::{Answer, OnCluster},
    render::{
        BAD, DIM, GOOD, WARN,
        table::{Piece, Row, Table, title},
    },
};

impl Shown<'_> {
    pub(super) fn by_cluster(&self, answer: &Answer) -> Table {
        let decisions = answer.decisions.iter();
        let decisions: BTreeMap<&WorkloadId, &Decision> = decisions.map(|one| (&one.workload, one)).collect();
        let rows = answer.by_cluster.iter().map(|(name, on)| {
            let mut row = self.cluster_row(name, on);
            if matches!(on.life_cycle, LifeCycle::Draining | LifeCycle::Leaving) {
                row.notes.extend(leaving(name, on, &decisions));
            }
            row
        });
        Table {
            width: self.width,
            columns: vec!["CLUSTER", "STATE", "CPU", "MEMORY", "WORKLOADS"],
            rows: rows.collect(),
        }
    }

    fn cluster_row(&self, name: &str, on: &OnCluster) -> Row {
        let full = |resource: &str| match on.resources.get(resource) {
            None => Piece::new("-", DIM),
            Some(full) => Piece::new(
                format!("{}% of {}", full.percent, full.offered),
                match full.percent {
                    ..90 => Style::new(),
                    90..=100 => WARN,
                    _ => BAD,
                },
            ),
        };
        let (state, style) = cluster_state(Some(on)).unwrap_or(("ready".to_owned(), GOOD));
        let shown: Vec<(&WorkloadId, &u64)> =
            on.workloads.iter().filter(|(id, _)| self.is_shown(id)).collect();
        let mut list: Vec<Piece> = shown
            .iter()
            .take(NAMED)
            .map(|(id, replicas)| Piece::plain(format!("{id} ×{replicas}")))
            .collect();
        if shown.len() > NAMED {
            list.push(Piece::new(format!("and {} more", shown.len() - NAMED), DIM));
        }
        if list.is_empty() {
            list.push(Piece::new("nothing", DIM));
        }
        let others: Vec<String> = on
            .resources
            .iter()
            .filter(|(resource, full)| !matches!(resource.as_str(), "cpu" | "memory") && full.used != "0")
            .map(|(resource, full)| format!("{resource} {} of {}", full.used, full.offered))
            .collect();
        let mut notes = Vec::new();
        if let Some(why) = &on.paused {
            notes.push(note(WARN, '!', &format!("paused: {why}")));
        }
        if !others.is_empty() {
            notes.push(note(DIM, ' ', &others.join(", ")));
        }
        Row {
            cells: vec![title(name), Piece::new(state, style), full("cpu"), full("memory")],
            list,
            notes,
        }
    }
}

/// What keeps a cluster that is emptied from being empty.
fn leaving(name: &str, on: &OnCluster, decisions: &BTreeMap<&WorkloadId, &Decision>) -> Vec<Piece> {
    if on.workloads.is_empty() {
        return vec![note(GOOD, '=', "empty: may be removed")];
    }
    let (mut stuck, mut stays, mut goes) = (0_u64, Vec::new(), 0_u64);
    for (id, replicas) in &on.workloads {
        let decision = decisions.get(id);
        let placed = decision.map(|decision| &decision.placement);
        let counts = placed.map_or(*replicas, |placed| {
            placed.active().get(name).copied().unwrap_or(0)
        });
        goes = goes.saturating_add(replicas.saturating_sub(counts));
        if counts > 0 {
            stuck = stuck.saturating_add(counts);
            stays.push(format!(
                "{id} ({})",
                decision.map_or("it cannot be read".to_owned(), |one| why_here(one, name))
            ));
        }
    }
    let mut notes = Vec::new();
    if !stays.is_empty() {
        let rest = stays.len().saturating_sub(NAMED);
        stays.truncate(NAMED);
        if rest > 0 {
            stays.push(format!("and {rest} more"));
        }
        notes.push(note(
            BAD,
            '!',
            &format!("{stuck} cannot leave: {}", stays.join(", ")),
        ));
    }
    if goes > 0 {
        notes.push(note(
            DIM,
            '…',
            &format!("{goes} will be gone once what stands in for them is healthy"),
        ));
    }
    notes
}

/// Why a workload is still on a cluster that is emptied.
fn why_here(decision: &Decision, cluster: &str) -> String {
    if let Outcome::Invalid(_) = decision.outcome {
        return "it cannot be understood".to_owned();
    }
    let waits = decision.waits.iter().find(|wait| wait.cluster == cluster);
    let proposals = decision
        .proposals
        .iter()
        .find(|proposal| proposal.cluster == cluster);
    if let Some(reason) = waits
        .map(|wait| &wait.reason)
        .or(proposals.map(|one| &one.reason))
    {
        return reason.to_string();
    }
    let mut limits = decision.targets.iter().filter(|target| target.short > 0);
    let limit = limits.find_map(|target| target.limit.as_ref());
    limit.map_or("it has no other place".to_owned(), ToString::to_string)
}

/// How a cluster is, where it is not in service; none: it is.
pub(super) fn cluster_state(on: Option<&OnCluster>) -> Option<(String, Style)> {
    let Some(on) = on else {
        return Some(("left the fleet".to_owned(), BAD));
    };
    match on.contact {
        Some(contact @ (ContactState::Lost | ContactState::Unreachable)) => {
            return Some((contact.to_string(), BAD));
        }
        Some(contact @ ContactState::Degraded) => return Some((contact.to_string(), WARN)),
        _ => {}
    }
    match on.life_cycle {
        LifeCycle::Ready if on.paused.is_some() => Some(("paused".to_owned(), WARN)),
        LifeCycle::Ready => None,
        other => Some((other.to_string(), WARN)),
    }
}
