//! Reports as lines for people.

use std::{collections::BTreeSet, fmt::Write as _};

use super::{RenderOptions, ShownFields, printable, render_fields};
use crate::{Action, FieldPath, FieldVerdict, ObjectKey, Report, Verdict};

/// A headline (the action, the object, why), and under it a line for each field, as
/// [`render_fields`](crate::render_fields) writes them. Unless the options ask for all fields, those that stay as they
/// are meant to be are only counted.
///
/// ```
/// use fleet_diff::{Apply, Object, RenderOptions, Schemas, Secrets, render_report};
/// use serde_json::json;
///
/// let live = Object::from_json(json!({
///     "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"mode": "fast", "of": "others"},
/// }))?;
/// let desired = Object::from_json(json!({
///     "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "labels": {"app": "b"}}, "data": {"mode": "fast"},
/// }))?;
/// let schemas = Schemas::builtin();
/// let report = Apply::new(&desired, "fleet", &schemas).to(Some(&live)).decide().report(Secrets::Hidden);
/// let text = render_report(live.key(), &report, &RenderOptions::default());
/// assert_eq!(text, "\
/// ~ update ConfigMap a: 1 field would change
///   + .metadata.labels.app: \"b\"
///   = .data.of: \"others\"  (not ours, nobody owns it)
///   1 more field stays as it is
/// ");
/// # Ok::<(), fleet_diff::ObjectError>(())
/// ```
pub fn render_report(key: &ObjectKey, report: &Report, options: &RenderOptions) -> String {
    let (sign, colour) = sign(report.action);
    let head = options.style.paint(&format!("{sign} {}", report.action), colour);
    let mut text = String::new();
    let mut line = |words: &str| {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "{words}");
    };
    line(&format!(
        "{head} {}: {}",
        printable(&key.to_string()),
        printable(&report.reason())
    ));
    let (mut shown, kept): (Vec<&FieldVerdict>, Vec<&FieldVerdict>) =
        report.fields.iter().partition(|field| match options.fields {
            ShownFields::All => true,
            ShownFields::Meant => !is_kept_by_server(field),
            ShownFields::Told => is_told(field),
        });
    if options.fields == ShownFields::Told {
        // What would happen first, then what is foreign.
        shown.sort_by_key(|field| !is_ours(field));
    }
    let rivals: BTreeSet<(&FieldPath, &str)> = report
        .conflicts
        .iter()
        .map(|conflict| (&conflict.path, &*conflict.manager))
        .collect();
    let fields: Vec<FieldVerdict> = shown
        .into_iter()
        .map(|field| with_rivals(field, &rivals))
        .collect();
    for obstacle in apart(report) {
        line(&format!("  {}", options.style.paint(&printable(&obstacle), 35)));
    }
    for words in render_fields(key, &fields, options).lines() {
        line(&format!("  {words}"));
    }
    let more = if fields.is_empty() { "" } else { "more " };
    match kept.len() {
        0 => {}
        1 => line(
            &options
                .style
                .paint(&format!("  1 {more}field stays as it is"), 90),
        ),
        count => line(
            &options
                .style
                .paint(&format!("  {count} {more}fields stay as they are"), 90),
        ),
    }
    text
}

fn sign(action: Action) -> (char, u8) {
    match action {
        Action::None => ('=', 32),
        Action::Create => ('+', 32),
        Action::Adopt | Action::Update => ('~', 33),
        Action::Recreate | Action::Blocked => ('!', 31),
        Action::Unsure => ('?', 35),
    }
}

/// Said of a field without being asked.
fn is_told(field: &FieldVerdict) -> bool {
    is_ours(field) || field.verdict == Verdict::ForeignUnknownWriter
}

/// Nobody's business but the server's.
fn is_kept_by_server(field: &FieldVerdict) -> bool {
    matches!(field.verdict, Verdict::SetByServer | Verdict::ChosenByServer) && field.after.is_none()
}

fn is_ours(field: &FieldVerdict) -> bool {
    let stuck = matches!(
        field.verdict,
        Verdict::Conflict | Verdict::Immutable | Verdict::GrowOnly | Verdict::Contested | Verdict::Unsure
    );
    // What a server fills in anew changes too.
    stuck || field.verdict.is_change() || (field.before.is_some() && field.after.is_some())
}

/// Of the owners of a field in conflict only those who would lose it.
fn with_rivals(field: &FieldVerdict, rivals: &BTreeSet<(&FieldPath, &str)>) -> FieldVerdict {
    let mut field = field.clone();
    if field.verdict == Verdict::Conflict {
        let path = &field.path;
        field
            .managers
            .retain(|owner| rivals.contains(&(path, &*owner.name)));
    }
    field
}

/// Obstacles and conflicts that are no single field's, if the headline does not tell them.
fn apart(report: &Report) -> Vec<String> {
    let known: BTreeSet<String> = report
        .fields
        .iter()
        .filter(|field| {
            matches!(
                field.verdict,
                Verdict::Conflict | Verdict::Immutable | Verdict::GrowOnly
            )
        })
        .map(|field| field.path.to_string())
        .collect();
    let obstacles = report.blocked.iter().skip(1).map(|obstacle| {
        let rule = obstacle
            .rule
            .as_ref()
            .map_or(String::new(), |rule| format!("  (rule {rule})"));
        (
            obstacle.path.clone(),
            format!("! {} {}{rule}", obstacle.path, obstacle.problem),
        )
    });
    let conflicts = report.conflicts.iter().map(|conflict| {
        let path = conflict.path.to_string();
        let words = format!("! {path}  (conflict, {})", conflict.manager);
        (path, words)
    });
    obstacles
        .chain(conflicts)
        .filter(|(path, _)| !known.contains(path))
        .map(|(_, words)| words)
        .collect()
}
