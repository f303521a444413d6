//! The table of clusters: how full they are, and what is on them.

use anstyle::Style;
use fleet_core::{ContactState, LifeCycle};
use fleet_scheduler::WorkloadId;

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
        let rows = answer
            .by_cluster
            .iter()
            .map(|(name, on)| self.cluster_row(name, on));
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
