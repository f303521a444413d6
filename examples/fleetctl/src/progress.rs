//! Progress: one plain line per thing that happened, on standard error.

use fleet_core::{Action, Cluster, Note, Observer, Reason};

use fleet_kube::RESTORED;

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
            Note::Revision { revision, objects } => {
                format!("revision {revision}, {}", render::count(*objects, "object"))
            }
            Note::InventoryUnknown { reason } => render::warn(&format!(
                "what should be here cannot be read, so nothing changes: {reason}"
            )),
            Note::Done {
                key,
                action,
                fields,
                reason,
            } => {
                let fields = match fields.len() {
                    0 => String::new(),
                    n => format!(" ({})", render::count(n, "field")),
                };
                let why = if *action == Action::Delete {
                    format!(": {}", reason.message)
                } else {
                    String::new()
                };
                format!("{}{fields}{why}", render::action(*action, key))
            }
            Note::Refused { key, reason } => render::warn(&format!("refused {key}: {reason}")),
            Note::Blocked { key, reason } => {
                let ours = reason.facts.get("ours").filter(|_| reason.code == "contested");
                let ours = ours.map_or(String::new(), |ours| format!(" (we write it as {ours})"));
                render::warn(&format!("blocked {key}: {reason}{ours}"))
            }
            Note::Released { key, reason } => format!("released {key}: {reason}"),
            Note::DeletesHeld { count, reason } => {
                let count = render::count(*count, "delete");
                let words = render::warn(&format!("{count} held, nothing of that is deleted: {reason}"));
                confirmed(words, "to confirm", reason)
            }
            Note::Contact {
                online: false,
                reason,
            } => render::warn(&format!("no contact, trying again: {reason}")),
            Note::Contact { online: true, reason } if reason.code == "connected" => render::good("connected"),
            Note::Contact { online: true, reason } => render::warn(&reason.to_string()),
            Note::Converged { held: 0, .. } => render::good("converged"),
            Note::Converged { held, .. } => render::warn(&format!(
                "done, except for {} blocked or refused (told above)",
                render::count(*held, "object")
            )),
            Note::Remark { reason } if reason.code == RESTORED => render::warn(&format!(
                "{reason}; to confirm it: {}",
                render::accept(&cluster.name)
            )),
            Note::Remark { reason } => {
                let words = render::warn(&reason.to_string());
                confirmed(
                    words,
                    "nothing is changed until you confirm that these are ours",
                    reason,
                )
            }
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

/// With the way to confirm it, where a token does.
fn confirmed(words: String, ask: &str, reason: &Reason) -> String {
    match reason.facts.get("token") {
        Some(token) => format!("{words}; {ask}: {}", render::confirm(token)),
        None => words,
    }
}
