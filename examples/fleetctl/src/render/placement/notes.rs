//! What is to be said of a decision, below its line.

use std::collections::BTreeMap;

use anstyle::Style;
use fleet_kube::utc;
use fleet_scheduler::{Decision, Move, Outcome};

use super::{Shown, row::NAMED};
use crate::render::{BAD, DIM, WARN, table::Piece};

/// How many reasons are told of what has no place.
const REASONS: usize = 4;

pub(super) const STAYS: &str = "what runs stays where it is until that is corrected";

impl Shown<'_> {
    /// What is to be said of a decision: what is missing and why, what moves, what waits, what a person must do.
    pub(super) fn notes(&self, decision: &Decision) -> Vec<Piece> {
        let mut notes = Vec::new();
        let of = |target: &str| match decision.targets.len() {
            0 | 1 => String::new(),
            _ => format!("target {target}: "),
        };
        if let Outcome::Invalid(invalid) = &decision.outcome {
            notes.push(note(BAD, '!', &invalid.to_string()));
            if !decision.placement.targets.is_empty() {
                notes.push(note(DIM, '=', STAYS));
            }
        }
        for target in &decision.targets {
            let of = of(&target.target);
            if target.short > 0 {
                let why = target.limit.as_ref().map(|limit| format!(": {limit}"));
                let verb = if target.short == 1 { "has" } else { "have" };
                let (short, wanted) = (target.short, target.wanted);
                let placed = decision.placement.targets.get(&target.target);
                let placed = placed.into_iter().flat_map(BTreeMap::values);
                let there = placed.fold(0_u64, |sum, one| sum.saturating_add(one.active()));
                // What cannot stay and has nowhere to go stays all the same.
                let place = if there.saturating_add(short) > wanted {
                    "no other place to go to"
                } else {
                    "no place"
                };
                let text = format!(
                    "{of}{short} of {wanted} {verb} {place}{}",
                    why.unwrap_or_default()
                );
                notes.push(note(BAD, '!', &text));
                notes.extend(self.reasons(decision, &target.target));
            }
            if target.unprotected > 0 {
                let text = format!(
                    "{of}{} of {} would have no place if the worst vanished that it is to survive",
                    target.unprotected, target.wanted
                );
                notes.push(note(WARN, '!', &text));
            }
            for (cluster, reasons) in target.refused.iter().take(NAMED) {
                let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                notes.push(note(
                    WARN,
                    '!',
                    &format!("{of}not on {cluster}: {}", why.join("; ")),
                ));
            }
            if target.refused.len() > NAMED {
                let rest = target.refused.len() - NAMED;
                notes.push(note(
                    WARN,
                    '!',
                    &format!("{of}not on {rest} more that it names or is on"),
                ));
            }
        }
        for one in &decision.moves {
            notes.push(note(WARN, '~', &format!("{}{}", of(&one.target), moved(one))));
        }
        for wait in &decision.waits {
            let until = wait
                .until
                .map_or(String::new(), |until| format!(", until {}", utc(until)));
            let text = format!(
                "{}{} on {} would move ({}) and {}: {}{until}",
                of(&wait.target),
                wait.replicas,
                wait.cluster,
                cause(wait.cause),
                if wait.replicas == 1 { "waits" } else { "wait" },
                wait.reason
            );
            notes.push(note(WARN, '…', &text));
        }
        for proposal in &decision.proposals {
            let verb = if proposal.replicas == 1 { "waits" } else { "wait" };
            let text = format!(
                "{}{} on {} {verb} for a person: {}",
                of(&proposal.target),
                proposal.replicas,
                proposal.cluster,
                proposal.reason
            );
            notes.push(note(WARN, '?', &text));
            // The token ends the line, so that it is easily copied.
            notes.push(note(
                DIM,
                ' ',
                &format!("to approve: --approve {}", proposal.token),
            ));
        }
        notes
    }

    /// Which clusters refuse a target, by reason, those that most do first.
    fn reasons(&self, decision: &Decision, target: &str) -> Vec<Piece> {
        let explained = self.why.iter().find(|one| one.workload == decision.workload);
        let Some(target) =
            explained.and_then(|one| one.targets.iter().find(|explained| explained.target == *target))
        else {
            return Vec::new();
        };
        let mut refused: Vec<(&&str, &usize)> = target.refused.iter().collect();
        refused.sort_by(|a, b| b.1.cmp(a.1).then_with(|| a.0.cmp(b.0)));
        let mut notes = Vec::new();
        for (code, clusters) in refused.into_iter().take(REASONS) {
            let example = target.clusters.iter().find_map(|cluster| {
                let mut refusals = cluster.refusals.iter();
                let refusal = refusals.find(|refusal| refusal.reason.code == *code)?;
                Some((&cluster.cluster, &refusal.reason))
            });
            let Some((cluster, reason)) = example else {
                continue;
            };
            let others = match clusters.saturating_sub(1) {
                0 => String::new(),
                1 => " (also 1 other: ".to_owned() + code + ")",
                rest => format!(" (also {rest} others: {code})"),
            };
            notes.push(note(DIM, '-', &format!("{cluster}: {reason}{others}")));
        }
        for change in target.would_fit.iter().take(1) {
            notes.push(note(DIM, '>', &format!("would help: {change}")));
        }
        notes
    }
}

/// `3 move from eu-1 to eu-2: eu-1 is emptied`
fn moved(one: &Move) -> String {
    let verb = if one.replicas == 1 { "moves" } else { "move" };
    format!(
        "{} {verb} from {} to {} ({})",
        one.replicas,
        one.from,
        one.to,
        cause(&one.cause)
    )
}

/// Why something moves, in words.
fn cause(code: &str) -> &str {
    match code {
        "lost" => "its cluster is lost",
        "left" => "its cluster has left",
        "drain" => "its cluster is emptied",
        "constraint" => "it may not be there any more",
        "better" => "it is better off there",
        "preempted" => "it makes room for what goes first",
        "replace" => "its cluster is replaced",
        "room" => "it makes room for others",
        "unknown" => "its cluster does not answer",
        "follow" => "it goes where another goes",
        other => other,
    }
}

pub(super) fn note(style: Style, sign: char, text: &str) -> Piece {
    Piece::new(format!("{sign} {text}"), style)
}
