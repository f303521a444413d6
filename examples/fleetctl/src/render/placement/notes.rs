//! What is to be said of a decision, below its line.

use anstyle::Style;
use fleet_core::Reason;
use fleet_kube::utc;
use fleet_scheduler::{Cause, Decision, Move, OldCopies, Outcome, Placement, Proposal, Wait};

use super::{
    Shown,
    row::{All, NAMED},
};
use crate::{
    place::{Note, Short, Told, is_accepted, is_stop, short},
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
                let why = why.unwrap_or_default();
                let Short { nowhere, stuck } = short(decision, target);
                for (count, place) in [(nowhere, "no place"), (stuck, "no other place to go to")] {
                    if count > 0 {
                        let verb = if count == 1 { "has" } else { "have" };
                        let text = format!("{of}{count} of {} {verb} {place}{why}", target.wanted);
                        notes.push(note(BAD, '!', &text));
                    }
                }
                notes.extend(self.reasons(decision, &target.target, &of));
            }
            if target.unprotected > 0 {
                let text = format!(
                    "{of}{} of {} would have no place if the worst vanished that it is to survive",
                    target.unprotected, target.wanted
                );
                notes.push(note(WARN, '!', &text));
            }
            for unmet in target.unmet.iter().take(NAMED) {
                notes.push(note(WARN, '!', &format!("{of}{unmet}")));
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
        notes.extend(going(decision, &of));
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
                cause(wait.cause),
                if wait.replicas == 1 { "waits" } else { "wait" },
                wait.reason
            );
            notes.push(note(WARN, '…', &text));
        }
        // One token may be for many clusters.
        let mut proposals: Vec<Vec<&Proposal>> = Vec::new();
        for proposal in &decision.proposals {
            match proposals
                .iter_mut()
                .find(|group| group[0].token == proposal.token)
            {
                Some(group) => group.push(proposal),
                None => proposals.push(vec![proposal]),
            }
        }
        for group in &proposals {
            notes.push(note(WARN, '?', &proposed(group, &of(&group[0].target))));
            // The token ends the line, so that it is easily copied.
            notes.push(note(
                DIM,
                ' ',
                &format!("to approve: --approve {}", group[0].token),
            ));
        }
        notes
    }

    /// Which clusters refuse a target, by reason, those that most do first. `of` names the target where there are several.
    fn reasons(&self, decision: &Decision, target: &str, of: &str) -> Vec<Piece> {
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
                &format!("{of}{cluster}: {reason}{}", others(&likewise)),
            ));
            kinds.push(kind);
        }
        for change in target.would_fit.iter().take(1) {
            notes.push(note(DIM, '>', &format!("{of}would help: {change}")));
        }
        notes
    }
}

/// What is to go and still there, and what ends that.
fn going(decision: &Decision, of: &dyn Fn(&str) -> String) -> Vec<Piece> {
    let mut notes = Vec::new();
    for old in &decision.stays {
        let is_proposed =
            |proposal: &Proposal| (&proposal.target, &proposal.cluster) == (&old.target, &old.cluster);
        if !decision.proposals.iter().any(is_proposed) {
            let text = stays(decision, old);
            notes.push(note(DIM, '…', &format!("{}{text}", of(&old.target))));
        }
    }
    notes
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

/// `2 on eu-1, eu-2 wait for a person: …`, of proposals with one token.
fn proposed(group: &[&Proposal], of: &str) -> String {
    let replicas = group
        .iter()
        .fold(0_u64, |sum, one| sum.saturating_add(one.replicas));
    let verb = if replicas == 1 { "waits" } else { "wait" };
    let named: Vec<&str> = group.iter().take(NAMED).map(|one| &*one.cluster).collect();
    let more = match group.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let (on, reason) = (named.join(", "), &group[0].reason);
    format!("{of}{replicas} on {on}{more} {verb} for a person: {reason}")
}

/// `3 move from eu-1 to eu-2: eu-1 is emptied`
fn moved(one: &Move) -> String {
    let s = if one.replicas == 1 { "s" } else { "" };
    if one.to.is_empty() {
        return format!("{} stop{s} on {} ({})", one.replicas, one.from, cause(one.cause));
    }
    format!(
        "{} move{s} from {} to {} ({})",
        one.replicas,
        one.from,
        one.to,
        cause(one.cause)
    )
}

/// What ends that old copies stay: `2 on eu-1 go once …`
fn stays(decision: &Decision, old: &OldCopies) -> String {
    let id = &decision.workload;
    let OldCopies {
        replicas, cluster, ..
    } = old;
    let (goes, stays, them) = match replicas {
        1 => ("goes", "stays", "it"),
        _ => ("go", "stay", "them"),
    };
    let on = old.reason.facts.get("clusters").map_or("", String::as_str);
    let ends = match &*old.reason.code {
        "not-stopped" => match to_run(&decision.placement, cluster) {
            0 => format!("once nothing of it runs there any more: --stopped {id}@{cluster}"),
            others => {
                format!("once no more than {others} of it run there: --stopped {id}@{cluster}={others}")
            }
        },
        "silent" => format!("once {cluster} answers again"),
        "unhealthy" if on.is_empty() => format!("once others stand in for {them}"),
        "unhealthy" => {
            let on: Vec<&str> = on.split(',').take(NAMED).collect();
            let healthy: Vec<String> = on.iter().map(|name| format!("--healthy {id}@{name}")).collect();
            format!(
                "once what stands in for {them} is healthy on {}: {}",
                on.join(", "),
                healthy.join(" ")
            )
        }
        _ => {
            let until = old
                .until
                .map_or(String::new(), |until| format!(", until {}", utc(until)));
            return format!("{replicas} on {cluster} {stays}: {}{until}", old.reason);
        }
    };
    format!("{replicas} on {cluster} {goes} {ends}")
}

/// How many replicas are to run on a cluster, without those that are going or held.
fn to_run(placement: &Placement, cluster: &str) -> u64 {
    let here = placement
        .targets
        .values()
        .filter_map(|placed| placed.get(cluster));
    here.fold(0, |sum, one| sum.saturating_add(one.runs(placement.nature)))
}

/// Why something moves, in words.
fn cause(cause: Cause) -> &'static str {
    match cause {
        Cause::Lost => "its cluster is lost",
        Cause::Left => "its cluster has left",
        Cause::Drain => "its cluster is emptied",
        Cause::Constraint => "it may not be there any more",
        Cause::Better => "it is better off there",
        Cause::Preempted => "it makes room for what goes first",
        Cause::Replace => "its cluster is replaced",
        Cause::Room => "it makes room for others",
        other => other.as_str(),
    }
}

pub(super) fn note(style: Style, sign: char, text: &str) -> Piece {
    Piece::new(format!("{sign} {text}"), style)
}
