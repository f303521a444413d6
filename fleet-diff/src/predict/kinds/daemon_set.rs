//! Of a `DaemonSet`: an annotation that is a number of the spec in the server's own type (`apps/v1/conversion.go`,
//! `Convert_v1_DaemonSet_To_apps_DaemonSet`), and says how often the template has changed.

use super::{super::Prediction, annotate};
use crate::{
    document::Node,
    rules::is_same,
    storage::{Draft, View},
};

const GENERATION: &str = "deprecated.daemonset.template.generation";

fn text<'t>(object: &'t Draft<'_>) -> Option<&'t str> {
    object.at(&["metadata", "annotations", GENERATION])?.as_str()
}

fn number(object: &Draft<'_>) -> i64 {
    text(object).and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn set(object: &mut Draft<'_>, number: i64) {
    let number = number.to_string();
    if text(object) != Some(&number) {
        annotate(object, GENERATION, &number);
    }
}

/// It cannot be read when it is no number.
pub(super) fn check_read(object: &Draft<'_>) -> Result<(), Prediction> {
    match text(object).map(str::parse::<i64>) {
        Some(Err(_)) => {
            let path = format!(".metadata.annotations.{GENERATION}");
            Err(Prediction::refused(path, "must be a whole number"))
        }
        _ => Ok(()),
    }
}

/// As the server writes it out again: what was not said is 0.
pub(super) fn write_out(object: &mut Draft<'_>) {
    set(object, number(object));
}

/// A new one may begin anywhere above 0.
pub(super) fn begin(object: &mut Draft<'_>) {
    set(object, number(object).max(1));
}

/// It is one more when the template is another, whatever is sent.
pub(super) fn count(object: &mut Draft<'_>, before: Node<'_>) {
    let json = |template: Option<View<'_, '_>>| template.map(View::to_json).unwrap_or_default();
    let is = json(object.at(&["spec", "template"]));
    let was = json(before.at(&["spec", "template"]).map(View::Node));
    let generation = before.at(&["metadata", "annotations", GENERATION]);
    let generation: i64 = generation
        .and_then(|text| text.as_str()?.parse().ok())
        .unwrap_or(0);
    set(object, generation + i64::from(!is_same(&is, &was)));
}
