//! Changes as lines for people.

mod fields;
mod mask;
mod report;

use std::fmt::Write as _;

use serde_json::Value;

pub use fields::render_fields;
pub(crate) use mask::{HIDDEN, masked_changes};
pub use mask::{masked, masked_fields, masked_value};
pub use report::render_report;

use crate::{FieldChange, ObjectKey, PathElement, compare::names_in_json, path::is_printable};

/// How changes are written.
///
/// ```
/// use fleet_diff::{RenderOptions, Style};
///
/// let mut options = RenderOptions::default();
/// options.style = Style::Ansi;
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RenderOptions {
    /// Longer values are shortened. In characters.
    pub max_value_chars: usize,
    /// Whether colour is used.
    pub style: Style,
    /// Whether what a Secret holds is shown.
    pub secrets: Secrets,
    /// Which fields of a report are shown.
    pub fields: ShownFields,
    /// Whose names stand beside a field.
    pub owners: ShownOwners,
}

impl RenderOptions {
    /// Default of [`RenderOptions::max_value_chars`].
    pub const DEFAULT_MAX_VALUE_CHARS: usize = 120;
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self {
            max_value_chars: Self::DEFAULT_MAX_VALUE_CHARS,
            style: Style::Plain,
            secrets: Secrets::Hidden,
            fields: ShownFields::Told,
            owners: ShownOwners::Others,
        }
    }
}

/// Which fields of a report are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShownFields {
    /// Those that change, cannot change, or have a value that nobody owns.
    #[default]
    Told,
    /// All but those that the server and its controllers keep: status, counters, identity.
    Meant,
    /// All.
    All,
}

/// Whose names stand beside a field.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ShownOwners {
    /// Those of others who stand in the way, or whose field it is.
    #[default]
    Others,
    /// Those of all who own it, ours too, and since when; and a word for every verdict.
    All,
}

/// Whether what secrets hold is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secrets {
    /// Never.
    #[default]
    Hidden,
    /// Shown, because somebody asked for it.
    Shown,
}

/// Whether colour is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Style {
    /// No colour.
    #[default]
    Plain,
    /// ANSI escape sequences: green for new, red for gone, yellow for changed.
    Ansi,
}

impl Style {
    fn paint(self, text: &str, colour: u8) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Ansi => format!("\u{1b}[{colour}m{text}\u{1b}[0m"),
        }
    }
}

/// One line for each change of the object `key`: `+ path: value`, `- path: value`, `~ path: before → after`.
///
/// Values are compact JSON; of a long one a part is shown, and its length. Where both sides are long, the part begins
/// shortly before the first difference. A list in a new order is shown by the names of its elements. What a Secret holds
/// is hidden (see [`masked`]), and characters that could confuse a terminal are escaped.
///
/// ```
/// use fleet_diff::{ObjectKey, RenderOptions, json_changes, render};
/// use serde_json::json;
///
/// let found = json_changes(&json!({"spec": {"replicas": 1}}), &json!({"spec": {"replicas": 3, "paused": true}}));
/// let key = ObjectKey::new("apps", "Deployment", Some("shop"), "web");
/// assert_eq!(
///     render(&key, &found, &RenderOptions::default()),
///     "+ .spec.paused: true\n~ .spec.replicas: 1 → 3\n",
/// );
/// ```
pub fn render(key: &ObjectKey, changes: &[FieldChange], options: &RenderOptions) -> String {
    let hidden = match options.secrets {
        Secrets::Hidden => masked(key, changes.to_vec()),
        Secrets::Shown => changes.to_vec(),
    };
    let mut text = String::new();
    for change in &hidden {
        let (sign, colour) = match (&change.before, &change.after) {
            (None, _) => ('+', 32),
            (_, None) => ('-', 31),
            _ => ('~', 33),
        };
        let path = if change.path.is_root() {
            "(whole object)".to_owned()
        } else {
            printable(&change.path.to_string())
        };
        let head = options.style.paint(&format!("{sign} {path}"), colour);
        let values = values(key, change, options.max_value_chars);
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{head}: {values}");
    }
    text
}

fn values(key: &ObjectKey, change: &FieldChange, max: usize) -> String {
    match (&change.before, &change.after) {
        (Some(before), Some(after)) => {
            let (before, after) = order(change).unwrap_or_else(|| (json(key, before), json(key, after)));
            let from = first_part(&before, &after, max);
            format!(
                "{} → {}",
                shortened(&before, from, max),
                shortened(&after, from, max)
            )
        }
        (Some(value), None) | (None, Some(value)) => shortened(&json(key, value), 0, max),
        (None, None) => String::new(),
    }
}

fn json(key: &ObjectKey, value: &Value) -> String {
    match value {
        Value::String(text)
            if key.is_secret() && [mask::HIDDEN, mask::HIDDEN_AND_CHANGED].contains(&&**text) =>
        {
            text.clone()
        }
        value => value.to_string(),
    }
}

/// A list that changed as a whole did so by its order: what its elements are called says more than their content.
fn order(change: &FieldChange) -> Option<(String, String)> {
    let (Some(Value::Array(before)), Some(Value::Array(after))) = (&change.before, &change.after) else {
        return None;
    };
    let (before, after) = names_in_json(change.path.elements().last(), before, after)?;
    let text = |names: Vec<PathElement>| names.iter().map(ToString::to_string).collect::<String>();
    Some((text(before), text(after)))
}

/// How many characters before the part of two values that is shown.
fn first_part(before: &str, after: &str, max: usize) -> usize {
    const CONTEXT_CHARS: usize = 20;
    let common = before
        .chars()
        .zip(after.chars())
        .take_while(|(a, b)| a == b)
        .count();
    // Two ends of the same long text: beginning where it starts would show the same twice.
    if common < max.saturating_sub(CONTEXT_CHARS) {
        return 0;
    }
    common.saturating_sub(CONTEXT_CHARS)
}

fn shortened(text: &str, from: usize, max: usize) -> String {
    let length = text.chars().count();
    if length <= max {
        return printable(text);
    }
    let part: String = text.chars().skip(from).take(max).collect();
    let (before, after) = (
        if from > 0 { "…" } else { "" },
        if from + max < length { "…" } else { "" },
    );
    format!("{before}{}{after} ({length} characters)", printable(&part))
}

/// Escapes what is not plainly visible: control characters, and those that turn the direction of text around.
fn printable(text: &str) -> String {
    if text.chars().all(is_printable) {
        return text.to_owned();
    }
    let mut escaped = String::new();
    for c in text.chars() {
        if is_printable(c) {
            escaped.push(c);
        } else {
            escaped.extend(c.escape_unicode());
        }
    }
    escaped
}
