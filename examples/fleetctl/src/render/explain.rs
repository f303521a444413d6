//! Explanations, for people.

use std::fmt::Write;

use fleet_core::fleet_diff::{
    FieldManager, RenderOptions, Secrets, ShownFields, ShownOwners, Style as FieldStyle, render_report,
};
use fleet_kube::{Explanation, Standing};

use super::{BAD, BOLD, DIM, good, line, paint, warn};

/// Explanations of all clusters.
pub(crate) fn explanations(explanations: &[Explanation], fields: ShownFields, secrets: Secrets) -> String {
    let mut out = String::new();
    for one in explanations {
        explanation(&mut out, one, fields, secrets);
    }
    out
}

fn explanation(out: &mut String, one: &Explanation, fields: ShownFields, secrets: Secrets) {
    let _ = writeln!(out, "{}", paint(BOLD, &one.cluster));
    if let Some(failure) = &one.failure {
        line(out, paint(BAD, &failure.to_string()));
    }
    let Some(key) = one.object.as_ref().filter(|_| is_somewhere(one)) else {
        return;
    };
    line(out, paint(BOLD, &key.to_string()));
    line(out, format!("owner       {}", whose(one)));
    line(out, format!("written     {}", written(one)));
    if let Some(standing) = &one.standing {
        line(out, format!("state       {}", stands(standing)));
    }
    for (path, writer) in &one.contested {
        let words = format!("{path} is written by {writer} and by us in turn, so it is left to {writer}");
        line(out, format!("contested   {}", warn(&words)));
    }
    for (index, manager) in one.managers.iter().enumerate() {
        let word = if index == 0 { "managers  " } else { "          " };
        line(out, format!("{word}  {}", described(manager)));
    }
    let Some(report) = &one.report else { return };
    let mut options = RenderOptions::default();
    options.style = FieldStyle::Ansi;
    options.secrets = secrets;
    options.fields = fields;
    options.owners = ShownOwners::All;
    let text = render_report(key, report, &options);
    // What applying nothing would do to what is not listed is no answer to anything.
    for field in text.lines().skip(usize::from(!one.listed)) {
        line(out, field);
    }
}

/// Something knows of it.
fn is_somewhere(one: &Explanation) -> bool {
    one.listed || one.record.is_some() || one.is_present()
}

fn whose(one: &Explanation) -> String {
    let other = one.marked_by.as_deref().filter(|name| {
        let ours = one.record.as_ref().map(|record| record.inventory.as_str());
        ours != Some(name)
    });
    let words = match (&one.record, one.listed) {
        (Some(record), listed) => {
            let state = match record.state {
                "writing" => ", which has not seen it written yet",
                "deleting" => ", which says that it is being deleted",
                _ => "",
            };
            let uid = record
                .uid
                .as_ref()
                .map_or(String::new(), |uid| format!(" (UID {uid})"));
            let listed = if listed { "listed" } else { "no longer listed" };
            format!(
                "ours: {listed}, and in the ledger of inventory {}{uid}{state}",
                record.inventory
            )
        }
        (None, true) => "listed, and not in the ledger: not ours yet".to_owned(),
        (None, false) => "not ours: neither listed nor in the ledger".to_owned(),
    };
    match other {
        Some(name) => format!("{words}; its mark names inventory {}", plain(name)),
        None => words,
    }
}

fn written(one: &Explanation) -> String {
    let Some(created) = &one.created else {
        return "it is not in the cluster".to_owned();
    };
    let ours = match &one.last_write {
        Some(manager) => {
            let time = manager.time.as_deref().unwrap_or("at an unknown time");
            format!("last by us {time}, as {}", plain(&manager.name))
        }
        None => "never by us".to_owned(),
    };
    format!("created {created}; {ours}")
}

fn stands(standing: &Standing) -> String {
    match standing {
        Standing::InSync => good("as its definition says"),
        Standing::NotOurs => paint(DIM, "nothing is ever done with it"),
        Standing::Planned { action, reason } => warn(&format!("to be done: {action}: {reason}")),
        Standing::Waiting { reason } => warn(&format!("it waits: {reason}")),
        Standing::Blocked { reason } => warn(&format!("blocked: {reason}")),
        Standing::Refused { reason } => paint(BAD, &format!("refused by the server: {reason}")),
        Standing::Deleting { reason } => warn(&format!("being deleted: {reason}")),
        other => format!("{other:?}"),
    }
}

/// `hpa (update of scale, apps/v1) since 2026-01-01T00:00:00Z`
fn described(manager: &FieldManager) -> String {
    let operation = manager.operation.to_lowercase();
    let part = match manager.subresource.as_str() {
        "" => String::new(),
        part => format!(" of {part}"),
    };
    let since = manager
        .time
        .as_deref()
        .map_or(String::new(), |time| format!(" since {time}"));
    let api_version = &manager.api_version;
    plain(&format!(
        "{} ({operation}{part}, {api_version}){since}",
        manager.name
    ))
}

/// What others wrote: what could confuse a terminal is escaped.
fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}
