//! Jobs: the labels that tie pods to one of them, and what their status does not take back.

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

/// What a status must not take back (`batch/validation`, `ValidateJobUpdateStatus`). Only what follows from the status
/// before: what has to be true of a Job that ends is not looked at.
pub(super) fn check_status(before: Node<'_>, after: Node<'_>) -> Result<(), Prediction> {
    let refused = |field: &str, problem: &str| Err(Prediction::refused(format!(".status.{field}"), problem));
    let of = |job: Node<'_>, field: &str| {
        job.at(&["status", field])
            .filter(|value| !value.is_null())
            .map(Node::to_json)
    };
    for field in ["failed", "succeeded"] {
        let count = |job| of(job, field).and_then(|count| count.as_i64()).unwrap_or(0);
        if count(after) < count(before) && !(field == "succeeded" && is_elastic(after)) {
            return refused(field, "must not decrease");
        }
    }
    let (was, is) = (of(before, "completionTime"), of(after, "completionTime"));
    if was.is_some() && is.is_some() && was != is {
        return refused("completionTime", "must not change");
    }
    let was = of(before, "startTime");
    let is_suspended = after.at(&["spec", "suspend"]).and_then(Node::as_bool) == Some(true);
    let is_resumed = suspended(before) == Some("True") && suspended(after) == Some("False");
    if was.is_some() && was != of(after, "startTime") && !is_suspended && !is_resumed {
        return refused("startTime", "must not change while the Job is not suspended");
    }
    Ok(())
}

/// Whether it may be scaled, and may then count less.
fn is_elastic(job: Node<'_>) -> bool {
    let spec = |field: &str| job.at(&["spec", field]);
    spec("completionMode").and_then(Node::as_str) == Some("Indexed")
        && spec("completions") == spec("parallelism")
}

/// The status of its condition of this type.
fn suspended(job: Node<'_>) -> Option<&str> {
    let conditions = job
        .at(&["status", "conditions"])
        .into_iter()
        .flat_map(Node::items);
    let mut suspended =
        conditions.filter(|condition| condition.get("type").and_then(Node::as_str) == Some("Suspended"));
    suspended.next()?.get("status")?.as_str()
}
