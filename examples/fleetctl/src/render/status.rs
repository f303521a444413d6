//! How clusters stand, for people.

use std::fmt::Write;

use fleet_core::{DEFAULT_DOMAIN, DriftPolicy, Judgements, Marks, Posture, Reason, Status};
use fleet_kube::{Outcome, RESTORED};

use crate::leaving::StillNamed;

use super::{BOLD, DIM, Stands, action, capacity::capacity, confirm, count, good, head, line, paint, warn};

/// How an apply came out.
pub(crate) fn outcomes(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        if outcome.is_clean() {
            let in_sync = outcome.status.as_ref().map_or(0, |s| s.in_sync);
            let words = format!("converged, {} in sync", count(in_sync, "object"));
            let _ = writeln!(out, "{}  {}", paint(BOLD, &outcome.cluster), good(&words));
            continue;
        }
        head(&mut out, outcome);
        if let Some(status) = &outcome.status {
            troubles(&mut out, outcome, status);
        }
    }
    let held = outcomes.iter().filter(|o| o.is_held_back()).count();
    if held > 0 {
        let words = format!(
            "{} kept back by the cluster that went first: mend what is wrong there and apply again (or change all at once: --wave all)",
            if held == 1 {
                "1 cluster is".to_owned()
            } else {
                format!("{held} clusters are")
            }
        );
        let _ = writeln!(out, "{}", warn(&words));
    }
    out
}

/// What each cluster has, lacks, and waits for.
pub(crate) fn statuses(stands: &[Stands<'_>]) -> String {
    let mut out = String::new();
    for one in stands {
        let outcome = one.outcome;
        head(&mut out, outcome);
        capacity(&mut out, one);
        let Some(status) = &outcome.status else { continue };
        let words = format!(
            "{} listed, {} in sync, {} in the ledger",
            status.listed, status.in_sync, status.owned
        );
        line(&mut out, words);
        if let Some(words) = judged(&status.judgements) {
            line(&mut out, paint(DIM, &words));
        }
        for (key, pending) in &status.pending {
            line(&mut out, action(*pending, key));
        }
        troubles(&mut out, outcome, status);
    }
    out
}

/// Who still names clusters that leave, or have left.
pub(crate) fn still_named(all: &[StillNamed]) -> String {
    let mut out = String::new();
    for StillNamed { cluster, is_here, by } in all {
        let (how, ask) = if *is_here {
            (
                "leaves the fleet",
                "once nothing of it is in the ledger any more, take it out of",
            )
        } else {
            (
                "is not in the kubeconfig, so nothing is done for it",
                "it is still named by",
            )
        };
        let _ = writeln!(
            out,
            "{}  {}",
            paint(BOLD, cluster),
            warn(&format!("{how}; {ask}:"))
        );
        for name in by {
            line(&mut out, name);
        }
    }
    out
}

/// How it was found out what applying the definitions would do. None where that was never the question.
fn judged(judgements: &Judgements) -> Option<String> {
    let Judgements { local, asked, .. } = *judgements;
    if local + asked == 0 {
        return None;
    }
    let asked = match asked {
        0 => "the server was never asked".to_owned(),
        1 => "for 1 the server was asked by a dry run".to_owned(),
        asked => format!("for {asked} the server was asked by a dry run"),
    };
    let local = if local == 1 {
        "1 answer".to_owned()
    } else {
        format!("{local} answers")
    };
    Some(format!("{local} of the server foreseen; {asked}"))
}

fn troubles(out: &mut String, outcome: &Outcome, status: &Status) {
    let groups = [
        ("blocked", &status.blocked),
        ("refused", &status.refused),
        ("waiting", &status.waiting),
        ("deleting", &status.deleting),
    ];
    // What is held for one reason is told once, whatever that is.
    let common = |reason: &Reason| {
        let held = status.held.as_ref();
        held.is_some_and(|held| held.code == reason.code && held.message == reason.message)
    };
    let mut held = 0;
    for (word, list) in groups {
        for (key, reason) in list {
            if common(reason) {
                held += 1;
            } else {
                line(out, format!("{} {key}: {reason}", warn(&format!("! {word:<8}"))));
            }
        }
    }
    for (key, why) in &status.unhealthy {
        line(out, format!("{} {key}: {why}", warn("! unhealthy")));
    }
    contested(out, outcome, status);
    drifted(out, status);
    match status.posture {
        Posture::Cordoned => line(
            out,
            warn("cordoned: what is there is kept, and what is new is not made"),
        ),
        Posture::Draining => line(
            out,
            warn("draining: what runs pods is deleted, and the rest kept"),
        ),
        Posture::Orphaning => line(out, warn("leaving: everything of ours is let go of, and stays")),
        Posture::Clearing => line(out, warn("leaving: everything of ours is deleted")),
        _ => {}
    }
    on_hold(out, &outcome.cluster, status);
    if let Some(reason) = &status.held {
        let words = match held {
            0 => "deletes are held".to_owned(),
            1 => "1 delete is held".to_owned(),
            held => format!("{held} deletes are held"),
        };
        line(out, warn(&format!("{words}: {reason}")));
        if let Some(token) = reason.facts.get("token") {
            line(out, format!("to confirm them: {}", confirm(token)));
        }
    }
    for key in &status.strays {
        let words = format!(
            "{key}: bears our mark, and neither the inventory nor the ledger knows it; it is left alone"
        );
        line(out, format!("{} {words}", warn("! stray   ")));
    }
    if let Some(reason) = &status.ledger_lost {
        lost_ledger(out, reason);
    }
}

/// Why nothing is written, and how much waits for that to end.
pub(super) fn on_hold(out: &mut String, cluster: &str, status: &Status) {
    if let Some(reason) = &status.on_hold {
        let waits = match status.pending.len() {
            0 => String::new(),
            1 => ", and 1 change waits".to_owned(),
            count => format!(", and {count} changes wait"),
        };
        line(
            out,
            warn(&format!(
                "nothing is written to this cluster now{waits}: {reason}"
            )),
        );
        if reason.code == RESTORED {
            line(out, format!("to confirm it: {}", super::accept(cluster)));
        }
    }
}

/// Fields that two writers want, and who they are.
pub(super) fn contested(out: &mut String, outcome: &Outcome, status: &Status) {
    let target = outcome.plan.as_ref().map(|plan| &plan.target);
    let ours = target.map_or("this program".to_owned(), |target| {
        Marks::new(DEFAULT_DOMAIN, target).manager().to_owned()
    });
    for (key, fields) in &status.contested {
        for (path, writer) in fields {
            let words = format!(
                "{key}: {path} is written by {ours} and by {writer} in turn, so it is left to {writer}: stop that one, or take the field out of the inventory"
            );
            line(out, format!("{} {words}", warn("! contested")));
        }
    }
}

/// Fields that are left as somebody changed them.
fn drifted(out: &mut String, status: &Status) {
    for (key, fields) in &status.drifted {
        for (path, field) in fields {
            let who = field.writer.as_deref().unwrap_or("somebody");
            let words =
                format!("{key}: {path} was changed by {who}, and stays so until its definition changes");
            line(
                out,
                match field.policy {
                    DriftPolicy::Report => format!("{} {words}", warn("! drift   ")),
                    _ => format!("  tolerated {words}"),
                },
            );
        }
    }
}

/// A ledger that cannot be believed: what that means, and what to do.
pub(super) fn lost_ledger(out: &mut String, reason: &Reason) {
    let words = format!(
        "the record of what is ours in this cluster cannot be believed, so nothing is changed: {reason}"
    );
    line(out, warn(&words));
    match reason.facts.get("token") {
        Some(token) => {
            let found = reason.facts.get("found").map_or("", String::as_str);
            let ask = format!(
                "if exactly the {found} objects that bear our mark (fleetctl plan lists them) are ours, have it made again from them: {}",
                confirm(token)
            );
            line(out, ask);
        }
        None => line(
            out,
            "what bears our mark could not be searched for in all kinds: mend that (a kind that cannot be listed, a missing permission), then look again",
        ),
    }
}
