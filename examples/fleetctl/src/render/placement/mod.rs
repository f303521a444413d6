//! Placements, for people.

mod clusters;
mod notes;
mod row;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use fleet_core::Tick;
use fleet_kube::utc;
use fleet_scheduler::{
    Explanation, Outcome, Placement, Placements, WorkloadId, render_cluster, render_explanation,
};

use super::{
    BAD, BOLD, DIM, GOOD, WARN, count, paint,
    table::{Piece, Row, Table, title, wrap},
    tame, warn,
};
use crate::place::{Answer, By, Summary, Told, WouldBe};
use notes::{hint, note, wrong};
use row::{All, Change, mark, places};

/// What of an answer is shown, and how.
pub(crate) struct Shown<'a> {
    pub(crate) by: By,
    /// Only these; empty: all.
    pub(crate) narrowed: BTreeSet<&'a WorkloadId>,
    /// Where everything was; none: nothing is compared.
    pub(crate) before: Option<&'a Placements>,
    /// Why what has no place has none, of as many as are worth the time.
    pub(crate) why: Vec<Explanation>,
    /// Explanations of this cluster only.
    pub(crate) cluster: Option<&'a str>,
    pub(crate) width: Option<usize>,
}

impl Shown<'_> {
    /// All of it.
    pub(crate) fn answer(&self, answer: &Answer) -> String {
        let mut out = String::new();
        match &answer.what_if {
            Some(would_be) => self.would_be(&mut out, answer, would_be),
            None => {
                out.push_str(&match self.by {
                    By::Workload => self.by_workload(answer).print(),
                    By::Cluster => self.by_cluster(answer).print(),
                });
                out.push('\n');
                let mut told = String::new();
                self.told(&mut told, answer);
                out.push_str(&wrap(&told, self.width));
            }
        }
        let mut explained = String::new();
        for explanation in answer.explanations.iter().flatten() {
            self.explanation(&mut explained, explanation);
        }
        out.push_str(&wrap(&explained, self.width));
        out
    }

    fn is_shown(&self, id: &WorkloadId) -> bool {
        self.narrowed.is_empty() || self.narrowed.contains(id)
    }

    fn by_workload(&self, answer: &Answer) -> Table {
        let decided = answer.decisions.iter().filter(|one| self.is_shown(&one.workload));
        let all = All::of(answer.decisions.iter(), &answer.by_cluster);
        let written: BTreeMap<&WorkloadId, &Told> = answer
            .problems
            .iter()
            .filter_map(|told| Some((told.workload.as_ref()?, told)))
            .collect();
        let mut rows: Vec<(String, Row)> = decided
            .map(|decision| {
                let before = self.before.map(|before| before.get(&decision.workload));
                let mut row = self.row(decision, before, &all, None);
                if let (Outcome::Invalid(_), Some(told)) =
                    (&decision.outcome, written.get(&decision.workload))
                {
                    row.notes.splice(0..1, [wrong(told)]);
                }
                let hints = answer.notes.iter();
                let hints = hints.filter(|hint| hint.workload.as_ref() == Some(&decision.workload));
                row.notes.extend(hints.map(hint));
                (decision.workload.to_string(), row)
            })
            .collect();
        for id in answer.removed.iter().filter(|id| self.is_shown(id)) {
            let before = self.before.map(|before| before.get(id));
            let mut row = Row {
                cells: vec![title(id.as_str()), Piece::new("removed", WARN), Piece::plain("0")],
                list: places(&Placement::nowhere(), before, &answer.by_cluster, true),
                notes: vec![note(DIM, '-', "it is not listed any more, and frees its place")],
            };
            mark(&mut row, Change::Removed);
            rows.push((id.to_string(), row));
        }
        let decided: BTreeSet<&WorkloadId> = answer.decisions.iter().map(|one| &one.workload).collect();
        for told in &answer.problems {
            if told.workload.as_ref().is_some_and(|id| decided.contains(id)) {
                continue;
            }
            if told.workload.as_ref().is_none_or(|id| self.is_shown(id)) {
                rows.push(self.unreadable(told, answer));
            }
        }
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        Table {
            width: self.width,
            columns: vec!["WORKLOAD", "OUTCOME", "REPLICAS", "WHERE"],
            rows: rows.into_iter().map(|(_, row)| row).collect(),
        }
    }

    fn told(&self, out: &mut String, answer: &Answer) {
        for hint in answer.notes.iter().filter(|hint| hint.workload.is_none()) {
            let _ = writeln!(out, "{}", warn(&format!("note: {}", tame(&hint.message))));
        }
        let _ = writeln!(out, "{}", totals(&answer.summary));
        let summary = &answer.summary;
        if self.before.is_some() {
            let text = match summary.changed {
                0 => "nothing changed since the previous placement".to_owned(),
                1 => "1 workload changed since the previous placement".to_owned(),
                many => format!("{many} workloads changed since the previous placement"),
            };
            let _ = writeln!(out, "{text}");
        }
        if let Some(at) = answer.again_at {
            let _ = writeln!(
                out,
                "{}",
                paint(DIM, &format!("decide again at {}", precisely(at)))
            );
        }
    }

    fn would_be(&self, out: &mut String, answer: &Answer, would_be: &WouldBe) {
        let head = tame(&format!("WHAT IF: {}", would_be.changed.join("; ")));
        let head = format!(
            "{}  {}\n",
            paint(BOLD, &head),
            paint(DIM, "(nothing of this is saved)")
        );
        out.push_str(&wrap(&head, self.width));
        out.push('\n');
        let all = All::of(answer.last_decisions(), &would_be.by_cluster);
        let rows: Vec<Row> = would_be
            .decisions
            .iter()
            .filter(|decision| self.is_shown(&decision.workload))
            .map(|decision| {
                let before = Some(answer.placements.get(&decision.workload));
                let id = decision.workload.as_str();
                // They are in the order of names.
                let base = answer
                    .decisions
                    .binary_search_by(|one| one.workload.as_str().cmp(id));
                let base = base.ok().and_then(|at| answer.decisions.get(at));
                self.row(decision, before, &all, base.map(|base| &base.outcome))
            })
            .collect();
        if rows.is_empty() {
            let _ = writeln!(out, "{}", paint(GOOD, "nothing would change"));
        } else {
            let changed = rows.len();
            let table = Table {
                width: self.width,
                columns: vec!["WORKLOAD", "OUTCOME", "REPLICAS", "WHERE THEN"],
                rows,
            };
            out.push_str(&table.print());
            out.push('\n');
            let of = count(answer.summary.workloads, "workload");
            let _ = writeln!(out, "{changed} of {of} would be otherwise");
        }
        let mut told = String::new();
        for hint in answer.notes.iter().filter(|hint| hint.workload.is_none()) {
            let _ = writeln!(told, "{}", warn(&format!("note: {}", tame(&hint.message))));
        }
        let _ = writeln!(told, "now:   {}", totals(&answer.summary));
        let _ = writeln!(told, "then:  {}", totals(&would_be.summary));
        out.push_str(&wrap(&told, self.width));
    }

    fn explanation(&self, out: &mut String, explanation: &Explanation) {
        out.push('\n');
        let Some(cluster) = self.cluster else {
            head_in_bold(out, &tame(&render_explanation(explanation)));
            return;
        };
        let _ = writeln!(out, "{}", paint(BOLD, &tame(explanation.workload.as_str())));
        if let Some(invalid) = &explanation.invalid {
            let _ = writeln!(
                out,
                "  {}",
                paint(BAD, &format!("cannot be understood: {invalid}"))
            );
        }
        for target in &explanation.targets {
            for one in target.clusters.iter().filter(|one| one.cluster == cluster) {
                let of = match explanation.targets.len() {
                    1 => String::new(),
                    _ => format!("target {}, ", target.target),
                };
                for (at, line) in tame(&render_cluster(one)).lines().enumerate() {
                    let of = if at == 0 { of.as_str() } else { "" };
                    let _ = writeln!(out, "  {of}{line}");
                }
            }
        }
    }
}

/// `5 workloads on 4 clusters: 3 placed, 1 unschedulable, 1 invalid; 24 replicas, 3 without a place`
fn totals(summary: &Summary) -> String {
    let counts = [
        (summary.placed, "placed", GOOD),
        (summary.unschedulable, "unschedulable", BAD),
        (summary.invalid, "invalid", BAD),
        (summary.finished, "finished", DIM),
        (summary.expired, "expired", DIM),
        (summary.removed, "removed", WARN),
    ];
    let counts = counts.into_iter().filter(|(count, ..)| *count > 0);
    let counts: Vec<String> = counts
        .map(|(count, word, style)| paint(style, &format!("{count} {word}")))
        .collect();
    let counts = if counts.is_empty() {
        String::new()
    } else {
        format!(": {}", counts.join(", "))
    };
    let plural = if summary.replicas == 1 { "" } else { "s" };
    let mut rest = format!("{} replica{plural}", summary.replicas);
    for (replicas, words) in [
        (summary.short, "without a place"),
        (summary.stuck, "with no other place to go to"),
        (summary.unprotected, "that would not survive"),
        (summary.lost, "on clusters that do not answer"),
        (summary.fewer, "done without until clusters are back"),
        (summary.moving, "moving"),
        (summary.preempted, "stopped to make room"),
        (summary.waiting, "waiting to move"),
        (summary.proposed, "waiting for a person"),
    ] {
        if replicas > 0 {
            let _ = write!(rest, ", {}", warn(&format!("{replicas} {words}")));
        }
    }
    format!(
        "{} on {}{counts}; {rest}",
        count(summary.workloads, "workload"),
        count(summary.clusters, "cluster")
    )
}

/// A moment to the second: what is decided then is not decided a second before.
pub(crate) fn precisely(at: Tick) -> String {
    let second = at.0.div_ceil(1000);
    let text = utc(Tick(second.saturating_mul(1000)));
    let second = second % 60;
    match text.strip_suffix(" UTC") {
        Some(minute) if second > 0 => format!("{minute}:{second:02} UTC"),
        _ => text,
    }
}

/// The first line is what the rest is about.
fn head_in_bold(out: &mut String, text: &str) {
    let (head, rest) = text.split_once('\n').unwrap_or((text, ""));
    let _ = writeln!(out, "{}", paint(BOLD, head));
    out.push_str(rest);
}
