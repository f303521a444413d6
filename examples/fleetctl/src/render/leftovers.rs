//! What nobody answers for.

use std::fmt::Write;

use fleet_kube::Leftovers;

use super::{BOLD, count, line, paint, warn};

/// Each cluster, and what is left over in it.
pub(crate) fn leftovers(found: &[Leftovers]) -> String {
    let mut out = String::new();
    for one in found {
        let _ = writeln!(out, "{}", paint(BOLD, &one.cluster));
        if let Some(reason) = &one.failure {
            line(&mut out, warn(&reason.to_string()));
            continue;
        }
        if one.objects.is_empty() {
            line(&mut out, "nothing that nobody answers for".to_owned());
            continue;
        }
        let words = format!(
            "{} that no controller and no inventory owns",
            count(one.objects.len(), "object")
        );
        line(&mut out, words);
        for object in &one.objects {
            let managers = match &object.managers[..] {
                [] => String::new(),
                names => format!(", written by {}", names.join(", ")),
            };
            let since = object
                .created
                .as_deref()
                .map_or(String::new(), |time| format!(" since {time}"));
            line(&mut out, format!("? {}{since}{managers}", object.key));
        }
    }
    out
}
