//! What people read. Colours are dropped where the output is no terminal, or `NO_COLOR` is set.

use std::{error::Error, fmt::Write};

use anstyle::{AnsiColor, Style};
use fleet_core::{
    Action, Change, ObjectKey, Plan, Status,
    fleet_diff::{RenderOptions, Style as FieldStyle, render},
};
use fleet_kube::Outcome;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();

fn paint(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

pub(crate) fn warn(text: &str) -> String {
    paint(WARN, text)
}

pub(crate) fn good(text: &str) -> String {
    paint(GOOD, text)
}

/// An error and what lies behind it.
pub(crate) fn error(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    format!("{} {text}", paint(BAD, "error:"))
}

fn style_of(action: Action) -> (Style, char) {
    match action {
        Action::Create => (GOOD, '+'),
        Action::Update | Action::Adopt => (WARN, '~'),
        Action::Delete => (BAD, '-'),
        Action::Release => (DIM, 'o'),
        _ => (WARN, '!'),
    }
}

/// `+ create Deployment.apps shop/web`
pub(crate) fn action(action: Action, key: &ObjectKey) -> String {
    let (style, sign) = style_of(action);
    format!("{} {key}", paint(style, &format!("{sign} {action:<8}")))
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
    let _ = writeln!(out, "  {}{notes}", action(change.action, &change.key));
    let mut options = RenderOptions::default();
    options.style = FieldStyle::Ansi;
    for line in render(&change.key, &change.fields, &options).lines() {
        let _ = writeln!(out, "      {line}");
    }
}

/// Plans of all clusters.
pub(crate) fn plans(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        head(&mut out, outcome);
        if let Some(plan) = &outcome.plan {
            body(&mut out, plan);
        }
    }
    out
}

fn head(out: &mut String, outcome: &Outcome) {
    let revision = outcome.status.as_ref().and_then(|s| s.revision.as_ref());
    let revision = revision.map_or(String::new(), |r| paint(DIM, &format!("  revision {r}")));
    let _ = writeln!(out, "{}{revision}", paint(BOLD, &outcome.cluster));
    if let Some(failure) = &outcome.failure {
        let _ = writeln!(out, "  {}", paint(BAD, &failure.to_string()));
    }
}

fn body(out: &mut String, plan: &Plan) {
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
    let words = if words.is_empty() {
        good("nothing to do")
    } else {
        words.join(", ")
    };
    let _ = writeln!(out, "  {words}; {} in sync", plan.in_sync);
    if plan.changes.iter().any(|c| c.unchecked) {
        let _ = writeln!(
            out,
            "  {}",
            paint(
                DIM,
                "(*) not checked with the server: its namespace or kind does not exist yet"
            )
        );
    }
    if let Some(held) = &plan.held {
        let _ = writeln!(out, "  {}", warn(&format!("deletes are held: {held}")));
        if let Some(token) = &plan.token {
            let _ = writeln!(out, "  to confirm them: fleetctl apply … --confirm {token}");
        }
    }
}

/// How an apply came out.
pub(crate) fn outcomes(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        if outcome.is_clean() {
            let count = outcome.status.as_ref().map_or(0, |s| s.in_sync);
            let _ = writeln!(
                out,
                "{}  {}",
                paint(BOLD, &outcome.cluster),
                good(&format!("converged, {count} objects in sync"))
            );
            continue;
        }
        head(&mut out, outcome);
        if let Some(status) = &outcome.status {
            troubles(&mut out, status);
        }
    }
    out
}

/// What each cluster has, lacks, and waits for.
pub(crate) fn statuses(outcomes: &[Outcome]) -> String {
    let mut out = String::new();
    for outcome in outcomes {
        head(&mut out, outcome);
        let Some(status) = &outcome.status else { continue };
        let _ = writeln!(
            out,
            "  {} listed, {} in sync, {} in the ledger",
            status.listed, status.in_sync, status.owned
        );
        for (key, pending) in &status.pending {
            let _ = writeln!(out, "  {}", action(*pending, key));
        }
        troubles(&mut out, status);
    }
    out
}

fn troubles(out: &mut String, status: &Status) {
    let groups = [
        ("blocked", &status.blocked),
        ("refused", &status.refused),
        ("waiting", &status.waiting),
        ("deleting", &status.deleting),
    ];
    for (word, list) in groups {
        // Deletes that are held are told together, below.
        for (key, reason) in list
            .iter()
            .filter(|(_, reason)| !reason.code.starts_with("over-"))
        {
            let _ = writeln!(out, "  {} {key}: {reason}", warn(&format!("! {word:<8}")));
        }
    }
    if let Some(held) = &status.held {
        let _ = writeln!(out, "  {}", warn(&format!("deletes are held: {held}")));
        if let Some(token) = held.facts.get("token") {
            let _ = writeln!(out, "  to confirm them: fleetctl apply … --confirm {token}");
        }
    }
    for key in &status.strays {
        let _ = writeln!(
            out,
            "  {} {key}: bears our mark, and neither the inventory nor the ledger knows it",
            warn("! stray   ")
        );
    }
}
