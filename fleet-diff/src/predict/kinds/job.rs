//! Jobs: the labels that tie pods to one of them.

use super::super::Prediction;
use crate::{
    document::Node,
    storage::{Draft, View},
};

/// Some of its labels the server chooses, unless the selector is said to be somebody's own.
pub(super) fn check_labels(object: &Draft<'_>) -> Result<(), Prediction> {
    if is_manual(object) {
        return Ok(());
    }
    let name = object.at(&["metadata", "name"]).and_then(View::as_str);
    let label = |key| object.at(&["spec", "template", "metadata", "labels", key]);
    let chosen = ["controller-uid", "batch.kubernetes.io/controller-uid"];
    let named = ["job-name", "batch.kubernetes.io/job-name"];
    let wrong = chosen.into_iter().find(|key| label(key).is_some()).or_else(|| {
        named
            .into_iter()
            .find(|key| label(key).is_some_and(|value| value.as_str() != name))
    });
    match wrong {
        Some(key) => {
            let path = format!(".spec.template.metadata.labels.{key}");
            Err(Prediction::refused(path, "is the server's to choose"))
        }
        None => Ok(()),
    }
}

fn is_manual(object: &Draft<'_>) -> bool {
    object.at(&["spec", "manualSelector"]).and_then(View::as_bool) == Some(true)
}

/// A Job without labels has those of its template when it is read back, and the template has names of the Job.
pub(super) fn label_job(object: &mut Draft<'_>, definition: Node<'_>) {
    let own = definition.at(&["metadata", "labels"]);
    if own.is_some_and(|labels| !labels.is_empty()) || is_manual(object) {
        return;
    }
    let Some(name) = object
        .at(&["metadata", "name"])
        .and_then(View::as_str)
        .map(str::to_owned)
    else {
        return;
    };
    if let Some(labels) = object
        .inner("metadata")
        .and_then(|metadata| metadata.inner("labels"))
    {
        for key in ["batch.kubernetes.io/job-name", "job-name"] {
            labels.set(key, name.as_str());
        }
    }
}
