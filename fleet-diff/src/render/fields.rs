//! Verdicts as lines for people.

use std::fmt::Write as _;

use super::{RenderOptions, Secrets, ShownOwners, printable, values};
use crate::{FieldChange, FieldVerdict, ObjectKey, Verdict};

/// One line for each field: a sign, the path, the value or both values, and why.
///
/// `+` is added, `-` removed, `~` changed, `!` cannot be done or said, `=` stays. The values of a Secret are hidden here
/// unless the options say otherwise; those that a rule calls sensitive a [`Report`](crate::Report) hides.
pub fn render_fields(key: &ObjectKey, fields: &[FieldVerdict], options: &RenderOptions) -> String {
    let fields = match options.secrets {
        Secrets::Hidden => crate::masked_fields(key, fields.to_vec(), |_| false),
        Secrets::Shown => fields.to_vec(),
    };
    let mut text = String::new();
    for field in &fields {
        let (sign, colour) = sign(field);
        let change = FieldChange {
            path: field.path.clone(),
            before: field.before.clone(),
            after: field.after.clone().filter(|_| sign != '='),
        };
        let head = options
            .style
            .paint(&format!("{sign} {}", printable(&field.path.to_string())), colour);
        let values = values(key, &change, options.max_value_chars);
        let why = why(field, options.owners);
        let why = if why.is_empty() {
            why
        } else {
            options.style.paint(&format!("  ({why})"), 90)
        };
        // Writing to a text cannot fail.
        let _ = if values.is_empty() {
            writeln!(text, "{head}{why}")
        } else {
            writeln!(text, "{head}: {values}{why}")
        };
    }
    text
}

fn sign(field: &FieldVerdict) -> (char, u8) {
    match (field.verdict, &field.before, &field.after) {
        (
            Verdict::Conflict | Verdict::Immutable | Verdict::GrowOnly | Verdict::Contested | Verdict::Unsure,
            ..,
        ) => ('!', 35),
        (Verdict::OursToRemove, _, None) => ('-', 31),
        (verdict, None, Some(_)) if verdict.is_change() => ('+', 32),
        (verdict, ..) if verdict.is_change() => ('~', 33),
        _ => ('=', 90),
    }
}

fn why(field: &FieldVerdict, shown: ShownOwners) -> String {
    let mut words = match field.verdict {
        Verdict::Same if shown == ShownOwners::All => "as defined".to_owned(),
        Verdict::OursToChange if shown == ShownOwners::All && field.before.is_none() => {
            "defined and missing".to_owned()
        }
        Verdict::OursToChange if shown == ShownOwners::All => "defined otherwise".to_owned(),
        Verdict::Same | Verdict::OursToChange => String::new(),
        Verdict::OursToRemove if field.after.is_some() => "no longer ours: back to its default".to_owned(),
        Verdict::OursToRemove => "no longer ours".to_owned(),
        Verdict::Default => "default".to_owned(),
        Verdict::Normalised => "the same in another form".to_owned(),
        Verdict::SetByServer => "set by the server".to_owned(),
        Verdict::ChosenByServer => "chosen by the server".to_owned(),
        Verdict::Foreign => "not ours".to_owned(),
        Verdict::ForeignUnknownWriter => "not ours, nobody owns it".to_owned(),
        Verdict::Ignored => "ignored".to_owned(),
        Verdict::KeptWriteOnce => "kept as it is".to_owned(),
        Verdict::Immutable => "cannot change in place".to_owned(),
        Verdict::GrowOnly => "may only grow".to_owned(),
        Verdict::Conflict => "conflict".to_owned(),
        Verdict::Contested => "two writers keep rewriting it".to_owned(),
        Verdict::Unsure => "only the server can tell".to_owned(),
    };
    if let Some(rule) = &field.rule {
        let _ = write!(words, "{}rule {rule}", if words.is_empty() { "" } else { ", " });
    }
    let owners = match field.verdict {
        Verdict::Foreign | Verdict::Conflict | Verdict::Ignored | Verdict::Contested => &*field.managers,
        _ if shown == ShownOwners::All => &*field.managers,
        _ => &[],
    };
    for owner in owners {
        let since = owner
            .time
            .as_deref()
            .map(|time| format!(" since {time}"))
            .unwrap_or_default();
        let _ = write!(
            words,
            "{}{}{since}",
            if words.is_empty() { "" } else { ", " },
            printable(&owner.name)
        );
    }
    words
}
