//! A line of the table of workloads.

use std::collections::{BTreeMap, BTreeSet};

use anstyle::Style;
use fleet_core::ContactState;
use fleet_scheduler::{Decision, Move, Outcome, Placement, WorkloadId};

use super::{
    Shown,
    clusters::cluster_state,
    notes::{STAYS, note, wrong},
};
use crate::{
    place::{Answer, OnCluster, Told, active, is_stop},
    render::{
        BAD, DIM, GOOD, WARN,
        table::{Piece, Row, title},
    },
};

/// How many clusters, or workloads, a line names at most, unless it is asked for by name.
pub(super) const NAMED: usize = 12;

impl Shown<'_> {
    /// One workload. `was` is its outcome where that is another than now.
    pub(super) fn row(
        &self,
        decision: &Decision,
        before: Option<Option<&Placement>>,
        all: &All<'_>,
        was: Option<&Outcome>,
    ) -> Row {
        let (word, style) = outcome(&decision.outcome);
        let word = match was.filter(|was| **was != decision.outcome) {
            Some(was) => format!("{} → {word}", outcome(was).0),
            None => word.to_owned(),
        };
        let is_whole = self.narrowed.contains(&decision.workload);
        let mut row = Row {
            cells: vec![
                title(decision.workload.as_str()),
                Piece::new(word, style),
                replicas(decision, all),
            ],
            list: places(&decision.placement, before, all.clusters, is_whole),
            notes: self.notes(decision, all),
        };
        if let Some(before) = before {
            mark(&mut row, change(before, &decision.placement));
        }
        row
    }

    pub(super) fn unreadable(&self, told: &Told, answer: &Answer) -> (String, Row) {
        let name = told.workload.as_ref().map_or("?", WorkloadId::as_str);
        let placed = told.workload.as_ref().and_then(|id| answer.placements.get(id));
        let mut notes = vec![wrong(told)];
        if placed.is_some() {
            notes.push(note(DIM, '=', STAYS));
        }
        let mut row = Row {
            cells: vec![title(name), Piece::new("invalid", BAD), Piece::plain("-")],
            list: placed.map_or(Vec::new(), |placed| {
                places(placed, None, &answer.by_cluster, true)
            }),
            notes,
        };
        if self.before.is_some() {
            mark(&mut row, Change::None);
        }
        (name.to_owned(), row)
    }
}

/// In front of the name stands what changed.
pub(super) fn mark(row: &mut Row, change: Change) {
    let (sign, style) = match change {
        Change::None => (' ', DIM),
        Change::New => ('+', GOOD),
        Change::Other => ('~', WARN),
        Change::Removed => ('-', BAD),
    };
    if let Some(name) = row.cells.first_mut() {
        name.prefix(sign, style);
    }
}

/// Where it is, with how many more or less than before.
pub(super) fn places(
    placement: &Placement,
    before: Option<Option<&Placement>>,
    clusters: &BTreeMap<String, OnCluster>,
    is_whole: bool,
) -> Vec<Piece> {
    let now = seats(placement);
    let earlier = before.flatten().map(active).unwrap_or_default();
    let names: BTreeSet<&String> = now.keys().chain(earlier.keys()).collect();
    let mut pieces: Vec<Piece> = Vec::new();
    let most = if is_whole { usize::MAX } else { NAMED };
    for name in names.iter().take(most) {
        let seat = now.get(*name).copied().unwrap_or_default();
        let mut notes = Vec::new();
        let mut style = Style::new();
        let had = earlier.get(*name).copied().unwrap_or(0);
        if before.is_some() && seat.counts > had {
            notes.push(format!("+{}", seat.counts - had));
            style = GOOD;
        } else if before.is_some() && seat.counts < had {
            notes.push(format!("-{}", had - seat.counts));
            style = WARN;
        }
        if seat.going > 0 {
            notes.push(format!("{} going", seat.going));
        }
        if seat.held > 0 {
            notes.push(format!("{} not started yet", seat.held));
        }
        let state = cluster_state(clusters.get(*name));
        if let Some((word, bad)) = state.filter(|_| seat.counts + seat.going > 0) {
            notes.push(word);
            style = bad;
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!(" ({})", notes.join(", "))
        };
        pieces.push(Piece::new(format!("{name} ×{}{notes}", seat.counts), style));
    }
    let rest = names.len() - pieces.len();
    if rest > 0 {
        pieces.push(Piece::new(format!("and {rest} more"), DIM));
    }
    if pieces.is_empty() {
        pieces.push(Piece::new("nowhere", DIM));
    }
    pieces
}

/// How a workload's placement differs from the one before.
#[derive(Clone, Copy)]
pub(super) enum Change {
    None,
    New,
    Other,
    Removed,
}

fn change(before: Option<&Placement>, after: &Placement) -> Change {
    match before.filter(|before| !seats(before).is_empty()) {
        None if seats(after).is_empty() => Change::None,
        None => Change::New,
        Some(before) if seats(before) == seats(after) => Change::None,
        Some(_) => Change::Other,
    }
}

/// Replicas on one cluster, over all targets.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Seat {
    counts: u64,
    going: u64,
    held: u64,
}

fn seats(placement: &Placement) -> BTreeMap<String, Seat> {
    let mut seats: BTreeMap<String, Seat> = BTreeMap::new();
    for (cluster, assignment) in placement.targets.values().flatten() {
        let seat = seats.entry(cluster.clone()).or_default();
        seat.counts = seat.counts.saturating_add(assignment.active());
        seat.going = seat.going.saturating_add(assignment.going);
        seat.held = seat.held.saturating_add(assignment.held);
    }
    seats
}

fn outcome(outcome: &Outcome) -> (&'static str, Style) {
    match outcome {
        Outcome::Placed => ("placed", GOOD),
        Outcome::Unschedulable => ("unschedulable", BAD),
        Outcome::Invalid(_) => ("invalid", BAD),
        Outcome::Finished => ("finished", DIM),
        Outcome::Expired => ("expired", DIM),
        _ => ("other", WARN),
    }
}

/// `5/6`: so many count, on clusters that answer, of so many that are asked for.
fn replicas(decision: &Decision, all: &All<'_>) -> Piece {
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0_u64, u64::saturating_add);
    let active = decision.placement.active();
    let have = sum(&mut active.values().copied());
    let there = sum(&mut active
        .iter()
        .filter(|(name, _)| all.answers(name))
        .map(|(_, count)| *count));
    let lost = match have - there {
        0 => String::new(),
        lost => format!(", {lost} lost"),
    };
    let style = if lost.is_empty() { Style::new() } else { BAD };
    let text = match decision.outcome {
        Outcome::Placed | Outcome::Unschedulable => {
            let wanted = sum(&mut decision.targets.iter().map(|target| target.wanted));
            format!("{there}/{wanted}{lost}")
        }
        _ => format!("{there}{lost}"),
    };
    Piece::new(text, style)
}

/// What is to be known for a line beside what it is about.
pub(super) struct All<'a> {
    pub(super) clusters: &'a BTreeMap<String, OnCluster>,
    /// What was stopped of workloads, and for which.
    stopped: BTreeMap<&'a WorkloadId, Vec<(&'a WorkloadId, &'a Move)>>,
}

impl<'a> All<'a> {
    pub(super) fn of(
        decisions: impl Iterator<Item = &'a Decision>,
        clusters: &'a BTreeMap<String, OnCluster>,
    ) -> Self {
        let mut stopped: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for decision in decisions {
            for one in decision.moves.iter().filter(|one| is_stop(one)) {
                stopped
                    .entry(&one.workload)
                    .or_default()
                    .push((&decision.workload, one));
            }
        }
        Self { clusters, stopped }
    }

    /// What was stopped of a workload, and for which.
    pub(super) fn stopped(&self, id: &WorkloadId) -> &[(&'a WorkloadId, &'a Move)] {
        self.stopped.get(id).map_or(&[], Vec::as_slice)
    }

    /// Whether a cluster is in the fleet, and answers.
    pub(super) fn answers(&self, cluster: &str) -> bool {
        self.clusters
            .get(cluster)
            .is_some_and(|on| !matches!(on.contact, Some(ContactState::Lost | ContactState::Unreachable)))
    }
}
