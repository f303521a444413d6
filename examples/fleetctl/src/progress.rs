//! Progress: one plain line per thing that happened, on standard error.

use fleet_core::{Action, Cluster, Note, Observer};

use crate::{args::Output, render};

/// Writes notes as lines. With `--output json` only what needs a person is written.
pub(crate) struct Lines {
    quiet: bool,
}

impl Lines {
    pub(crate) fn new(output: Output) -> Self {
        Self {
            quiet: output == Output::Json,
        }
    }
}

impl Observer for Lines {
    fn note(&self, cluster: &Cluster, note: &Note) {
        let line = match note {
            Note::Revision { revision, objects } => format!("revision {revision}, {objects} objects"),
            Note::InventoryUnknown { reason } => {
                render::warn(&format!("inventory unknown, nothing changes: {reason}"))
            }
            Note::Done {
                key,
                action,
                fields,
                reason,
            } => {
                let fields = match fields.len() {
                    0 => String::new(),
                    n => format!(" ({n} field{})", if n == 1 { "" } else { "s" }),
                };
                let why = if *action == Action::Delete {
                    format!(": {}", reason.message)
                } else {
                    String::new()
                };
                format!("{}{fields}{why}", render::action(*action, key))
            }
            Note::Refused { key, reason } => render::warn(&format!("refused {key}: {reason}")),
            Note::Blocked { key, reason } => render::warn(&format!("blocked {key}: {reason}")),
            Note::Released { key, reason } => format!("released {key}: {reason}"),
            Note::DeletesHeld { count, reason } => {
                let token = reason.facts.get("token").map_or("", String::as_str);
                render::warn(&format!(
                    "{count} deletes held: {reason}; to confirm them: fleetctl apply … --confirm {token}"
                ))
            }
            Note::Contact { online, reason } => {
                let word = if *online { "contact" } else { "no contact" };
                render::warn(&format!("{word}: {reason}"))
            }
            Note::Converged { held: 0, .. } => render::good("converged"),
            Note::Converged { held, .. } => render::warn(&format!(
                "done, except {held} objects that are blocked or refused"
            )),
            Note::Remark { reason } => render::warn(&reason.to_string()),
            _ => return,
        };
        if !self.quiet
            || !matches!(
                note,
                Note::Done { .. } | Note::Revision { .. } | Note::Converged { .. }
            )
        {
            anstream::eprintln!("{}: {line}", cluster.name);
        }
    }
}
