//! What is to be said of a decision, below its line.

use std::collections::BTreeMap;

use anstyle::Style;
use fleet_core::Reason;
use fleet_kube::utc;
use fleet_scheduler::{Decision, Move, Outcome, Wait};

use super::{
    Shown,
    row::{All, NAMED},
};
use crate::{
    place::{Note, Told, is_accepted, is_stop},
    render::{BAD, DIM, WARN, table::Piece},
};

/// How many reasons are told of what has no place.
const REASONS: usize = 4;
/// How many clusters are named of which the same is to be said.
const OTHERS: usize = 3;

pub(super) const STAYS: &str = "what runs stays where it is until that is corrected";

impl Shown<'_> {
    /// What is to be said of a decision: what is missing and why, what moves, what waits, what a person must do.
    pub(super) fn notes(&self, decision: &Decision, all: &All<'_>) -> Vec<Piece> {
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
        // One decision may make the same move in several steps.
        let mut moves: Vec<Move> = Vec::new();
        for one in decision.moves.iter().filter(|one| !is_stop(one)) {
            let is_same = |other: &&mut Move| {
                (&other.target, &other.from, &other.to, &other.cause)
                    == (&one.target, &one.from, &one.to, &one.cause)
            };
            match moves.iter_mut().find(is_same) {
                Some(other) => other.replicas = other.replicas.saturating_add(one.replicas),
                None => moves.push(one.clone()),
            }
        }
        for one in &moves {
            notes.push(note(WARN, '~', &format!("{}{}", of(&one.target), moved(one))));
        }
        let made = decision.moves.iter().filter(|one| is_stop(one));
        let made = made.map(|one| (&decision.workload, one));
        for (by, one) in made.chain(all.stopped(&decision.workload).iter().copied()) {
            let were = if one.replicas == 1 { "was" } else { "were" };
            let (count, of, on) = (one.replicas, &one.workload, &one.from);
            let text = format!("{count} of {of} on {on} {were} stopped to make room for {by}");
            notes.push(note(WARN, '~', &text));
        }
        notes.extend(fewer(decision, all, &of));
        notes.extend(self.going(decision, all, &of));
        let mut waits: Vec<Wait> = Vec::new();
        for wait in decision.waits.iter().filter(|wait| !is_accepted(wait)) {
            let is_same = |other: &&mut Wait| {
                (&other.target, &other.cluster, &other.cause, &other.reason)
                    == (&wait.target, &wait.cluster, &wait.cause, &wait.reason)
            };
            match waits.iter_mut().find(is_same) {
                Some(other) => other.replicas = other.replicas.saturating_add(wait.replicas),
                None => waits.push(wait.clone()),
            }
        }
        for wait in &waits {
            let until = wait
                .until
                .map_or(String::new(), |until| format!(", until {}", utc(until)));
            let text = format!(
                "{}{} on {} would move ({}) and {}: {}{until}",
                of(&wait.target),
                wait.replicas,
                wait.cluster,
                cause(&wait.cause),
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

    /// What is going, and what ends that.
    fn going(&self, decision: &Decision, all: &All<'_>, of: &dyn Fn(&str) -> String) -> Vec<Piece> {
        let id = &decision.workload;
        let mut notes = Vec::new();
        for (target, placed) in &decision.placement.targets {
            let stand_ins = placed
                .iter()
                .filter(|(name, one)| one.active() > 0 && all.answers(name));
            let stand_ins: Vec<&str> = stand_ins.map(|(name, _)| name.as_str()).collect();
            for (cluster, one) in placed.iter().filter(|(_, one)| one.going > 0) {
                let (going, goes) = (one.going, if one.going == 1 { "goes" } else { "go" });
                let asked = decision
                    .proposals
                    .iter()
                    .any(|proposal| proposal.cluster == *cluster);
                let text = if self.fenced.contains(id) {
                    if asked {
                        continue;
                    }
                    format!(
                        "{going} on {cluster} {goes} once nothing of it runs there any more: --stopped {id}@{cluster}"
                    )
                } else if !all.answers(cluster) {
                    format!("{going} on {cluster} {goes} once {cluster} answers again")
                } else if stand_ins.is_empty() {
                    format!("{going} on {cluster} {goes} once others stand in for it")
                } else {
                    let healthy: Vec<String> = stand_ins
                        .iter()
                        .take(NAMED)
                        .map(|name| format!("--healthy {id}@{name}"))
                        .collect();
                    let on: Vec<&str> = stand_ins.iter().take(NAMED).copied().collect();
                    let them = if going == 1 { "it" } else { "them" };
                    format!(
                        "{going} on {cluster} {goes} once what stands in for {them} is healthy on {}: {}",
                        on.join(", "),
                        healthy.join(" ")
                    )
                };
                notes.push(note(DIM, '…', &format!("{}{text}", of(target))));
            }
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
        let misses = target.nearest_misses();
        let misses: Vec<(&str, &Reason)> = misses
            .iter()
            .flat_map(|(cluster, reasons)| reasons.iter().map(move |reason| (*cluster, *reason)))
            .collect();
        let mut kinds: Vec<Kind<'_>> = Vec::new();
        let mut notes = Vec::new();
        for (cluster, reason) in &misses {
            if kinds.len() >= REASONS {
                break;
            }
            let kind = kind(reason);
            if kinds.contains(&kind) {
                continue;
            }
            let likewise: Vec<&str> = misses
                .iter()
                .filter(|(other, of)| other != cluster && self::kind(of) == kind)
                .map(|(other, _)| *other)
                .collect();
            notes.push(note(
                DIM,
                '-',
                &format!("{cluster}: {reason}{}", others(&likewise)),
            ));
            kinds.push(kind);
        }
        for change in target.would_fit.iter().take(1) {
            notes.push(note(DIM, '>', &format!("would help: {change}")));
        }
        notes
    }
}

/// What is done without until clusters are back.
fn fewer(decision: &Decision, all: &All<'_>, of: &dyn Fn(&str) -> String) -> Vec<Piece> {
    let mut notes = Vec::new();
    for target in &decision.targets {
        let waits = decision
            .waits
            .iter()
            .filter(|wait| is_accepted(wait) && wait.target == target.target);
        let away: Vec<&str> = waits.map(|wait| wait.cluster.as_str()).collect();
        if away.is_empty() {
            continue;
        }
        let placed = decision.placement.targets.get(&target.target);
        let there = placed.into_iter().flatten().filter(|(name, _)| all.answers(name));
        let there = there.fold(0_u64, |sum, (_, one)| sum.saturating_add(one.active()));
        let verb = if away.len() == 1 { "is" } else { "are" };
        let (of, wanted) = (of(&target.target), target.wanted);
        let text = format!(
            "{of}runs {there} of {wanted} until {} {verb} back",
            away.join(", ")
        );
        notes.push(note(WARN, '!', &text));
    }
    notes
}

/// What reasons have in common that are told once: their codes, and which resources are short.
type Kind<'a> = Vec<(&'a str, Option<&'a String>)>;

fn kind(reason: &Reason) -> Kind<'_> {
    let all = std::iter::once(reason).chain(&reason.because);
    all.map(|one| (&*one.code, one.facts.get("resource"))).collect()
}

/// Other clusters of which the same is to be said.
fn others(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [.., _] if names.len() <= OTHERS => format!(" (likewise {})", names.join(", ")),
        _ => format!(
            " (likewise {} and {} more)",
            names[..OTHERS].join(", "),
            names.len() - OTHERS
        ),
    }
}

/// What is wrong with a workload, and where that is written.
pub(super) fn wrong(told: &Told) -> Piece {
    note(
        BAD,
        '!',
        &format!("{}:{}: {}", told.file, told.line, told.message),
    )
}

/// What may not be meant.
pub(super) fn hint(hint: &Note) -> Piece {
    note(if hint.is_less { BAD } else { WARN }, '!', &hint.message)
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
