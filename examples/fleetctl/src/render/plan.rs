//! Plans, for people.

use std::fmt::Write;

use fleet_core::{
    Action, Change, Plan,
    fleet_diff::{RenderOptions, Style as FieldStyle, render},
};
use fleet_kube::Outcome;

use super::{DIM, action, confirm, count, good, head, line, paint, status::lost_ledger, warn};

/// Plans of all clusters.
pub(crate) fn plans(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        head(&mut out, outcome);
        let Some(plan) = &outcome.plan else { continue };
        let lost = outcome.status.as_ref().and_then(|s| s.ledger_lost.as_ref());
        if let Some(reason) = lost {
            rebuild(&mut out, plan);
            lost_ledger(&mut out, reason);
        } else {
            body(&mut out, plan, outcome.failure.is_none());
        }
        if let Some(status) = &outcome.status {
            super::status::contested(&mut out, outcome, status);
            super::status::on_hold(&mut out, &outcome.cluster, status);
        }
    }
    out
}

fn change(out: &mut String, change: &Change) {
    let mut notes = Vec::new();
    if !matches!(change.action, Action::Create | Action::Update) {
        notes.push(change.reason.to_string());
    }
    if change.action == Action::Update && change.fields.is_empty() {
        notes.push(change.reason.to_string());
    }
    if change.unchecked {
        notes.push("(*)".to_owned());
    }
    if change.weight > 1 {
        notes.push(format!("takes {} objects with it", change.weight - 1));
    }
    let notes = if notes.is_empty() {
        String::new()
    } else {
        paint(DIM, &format!("  {}", notes.join("; ")))
    };
    line(out, format!("{}{notes}", action(change.action, &change.key)));
    let mut options = RenderOptions::default();
    options.style = FieldStyle::Ansi;
    for field in render(&change.key, &change.fields, &options).lines() {
        let _ = writeln!(out, "      {field}");
    }
}

/// What a lost ledger would be made of.
fn rebuild(out: &mut String, plan: &Plan) {
    let (found, others): (Vec<&Change>, Vec<&Change>) = plan
        .changes
        .iter()
        .partition(|c| c.reason.code == "ledger-rebuild");
    for item in &found {
        line(out, format!("~ record   {}", item.key));
    }
    for item in others {
        change(out, item);
    }
    if !found.is_empty() {
        let count = count(found.len(), "object");
        line(out, format!("{count} would be recorded as ours again"));
    }
}

fn body(out: &mut String, plan: &Plan, complete: bool) {
    for item in &plan.changes {
        change(out, item);
    }
    let words: Vec<String> = [
        (Action::Create, "to create"),
        (Action::Adopt, "to adopt"),
        (Action::Update, "to update"),
        (Action::Delete, "to delete"),
        (Action::Release, "to release"),
        (Action::Blocked, "blocked"),
    ]
    .into_iter()
    .filter_map(|(action, word)| match plan.count(action) {
        0 => None,
        count => Some(format!("{count} {word}")),
    })
    .collect();
    let words = match (words.is_empty(), complete) {
        (true, true) => good("nothing to do"),
        (true, false) => warn("there is no plan"),
        (false, true) => words.join(", "),
        (false, false) => format!("{}; {}", words.join(", "), warn("this plan is not complete")),
    };
    line(out, format!("{words}; {} in sync", plan.in_sync));
    if plan.changes.iter().any(|c| c.unchecked) {
        let note = "(*) not checked with the server: its namespace or kind does not exist yet";
        line(out, paint(DIM, note));
    }
    if let Some(held) = &plan.held {
        line(out, warn(&format!("deletes are held: {held}")));
        if let Some(token) = &plan.token {
            line(out, format!("to confirm them: {}", confirm(token)));
        }
    }
}
