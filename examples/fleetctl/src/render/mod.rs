//! What people read. Colours are dropped where the output is no terminal, or `NO_COLOR` is set.

mod capacity;
mod explain;
mod leftovers;
mod placement;
mod plan;
mod status;
mod table;
#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt::{self, Write},
};

use anstyle::{AnsiColor, Style};
use fleet_core::{Action, ContactState, ObjectKey};
use fleet_kube::{Outcome, utc};

pub(crate) use capacity::Stands;
pub(crate) use explain::explanations;
pub(crate) use leftovers::leftovers;
pub(crate) use placement::{Shown, precisely};
pub(crate) use plan::plans;
pub(crate) use status::{outcomes, statuses, still_named};

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

/// How to say yes. The token ends the line, so that it is easily copied.
pub(crate) fn confirm(token: &str) -> String {
    format!("fleetctl apply … --confirm {token}")
}

/// How to say that a restored cluster goes on. The name ends the line, so that it is easily copied.
pub(crate) fn accept(cluster: &str) -> String {
    format!("fleetctl accept --kubeconfig … {cluster}")
}

/// The same with what could confuse a terminal escaped, except for ends of lines.
pub(crate) fn tame(text: &str) -> String {
    let mut tame = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            tame.extend(c.escape_debug());
        } else {
            tame.push(c);
        }
    }
    tame
}

/// `1 object`, `2 objects`.
pub(crate) fn count(number: usize, word: &str) -> String {
    format!("{number} {word}{}", if number == 1 { "" } else { "s" })
}

/// One indented line.
fn line(out: &mut String, text: impl fmt::Display) {
    let _ = writeln!(out, "  {text}");
}

/// How contact stands, where it is not good.
fn contact(out: &mut String, outcome: &Outcome) {
    let Some(contact) = outcome
        .contact
        .filter(|contact| contact.state != ContactState::Online)
    else {
        return;
    };
    let how = match contact.silent_since {
        Some(at) => format!("no usable answer since {}; what is in it stays as it is", utc(at)),
        None => "it answers again, and has not done so for long".to_owned(),
    };
    line(
        out,
        warn(&format!("{} since {}: {how}", contact.state, utc(contact.since))),
    );
}

/// A cluster's name and revision, and what is wrong with it as a whole.
fn head(out: &mut String, outcome: &Outcome) {
    let revision = outcome.status.as_ref().and_then(|s| s.revision.as_ref());
    let revision = revision.map_or(String::new(), |r| paint(DIM, &format!("  revision {r}")));
    let _ = writeln!(out, "{}{revision}", paint(BOLD, &outcome.cluster));
    contact(out, outcome);
    let Some(failure) = &outcome.failure else { return };
    let words = match &*failure.code {
        "first-failed" => warn(&failure.to_string()),
        "unreachable" => paint(BAD, &format!("cannot be connected to: {failure}")),
        "inventory-unknown" => paint(
            BAD,
            &format!("what should be here cannot be read, so nothing changes: {failure}"),
        ),
        "settings-unknown" => paint(
            BAD,
            &format!("the settings cannot be read, so nothing changes: {failure}"),
        ),
        // Told in full with the ledger.
        "stuck" if outcome.status.as_ref().is_some_and(|s| s.ledger_lost.is_some()) => return,
        _ => paint(BAD, &failure.to_string()),
    };
    line(out, words);
}
