//! What makes pods.

use super::{
    HealthState,
    sight::{Condition, Sight, first_short, waiting},
};

pub(super) fn deployment(sight: Sight<'_>) -> HealthState {
    let progressing = sight.condition("Progressing");
    if let Some(exceeded) = progressing.filter(|condition| condition.is_because("ProgressDeadlineExceeded")) {
        return HealthState::Failed(exceeded.tells());
    }
    let wanted = sight.replicas();
    let [all, updated, ready, available] = [
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
    ]
    .map(|field| sight.count(field));
    let short = first_short(&[
        (wanted > all, "replicas", all, wanted),
        (
            wanted > updated,
            "replicas of the present template",
            updated,
            wanted,
        ),
        (all > wanted, "replicas, some on their way out", all, wanted),
        (updated > available, "available replicas", available, updated),
        (wanted > ready, "ready replicas", ready, wanted),
    ]);
    if let Some(short) = short {
        return short;
    }
    // Without a deadline there is no such condition.
    let is_complete =
        |condition: &Condition<'_>| condition.is_true() && condition.is_because("NewReplicaSetAvailable");
    if has_deadline(sight) && !progressing.as_ref().is_some_and(is_complete) {
        return progressing.map_or_else(
            || waiting("condition", "it has no condition Progressing yet"),
            |progressing| HealthState::InProgress(progressing.tells()),
        );
    }
    match sight.condition("Available") {
        Some(available) if available.is_true() => HealthState::Current,
        Some(available) => HealthState::InProgress(available.tells()),
        None => waiting("condition", "it has no condition Available yet"),
    }
}

fn has_deadline(sight: Sight<'_>) -> bool {
    let deadline = sight.number(&["spec", "progressDeadlineSeconds"]);
    deadline.is_some_and(|seconds| seconds != i64::from(i32::MAX))
}

pub(super) fn replica_set(sight: Sight<'_>) -> HealthState {
    if let Some(failure) = sight
        .condition("ReplicaFailure")
        .filter(|condition| condition.is_true())
    {
        return HealthState::InProgress(failure.tells());
    }
    let wanted = sight.replicas();
    let [all, labelled, available, ready] = [
        "replicas",
        "fullyLabeledReplicas",
        "availableReplicas",
        "readyReplicas",
    ]
    .map(|field| sight.count(field));
    let short = first_short(&[
        (wanted > labelled, "labelled replicas", labelled, wanted),
        (wanted > available, "available replicas", available, wanted),
        (wanted > ready, "ready replicas", ready, wanted),
        (all > wanted, "replicas, some on their way out", all, wanted),
    ]);
    short.unwrap_or(HealthState::Current)
}

fn is_updated_by_hand(sight: Sight<'_>) -> bool {
    sight.text(&["spec", "updateStrategy", "type"]) == Some("OnDelete")
}

pub(super) fn stateful_set(sight: Sight<'_>) -> HealthState {
    if is_updated_by_hand(sight) {
        return HealthState::Current;
    }
    let wanted = sight.replicas();
    let [all, ready, current, updated] =
        ["replicas", "readyReplicas", "currentReplicas", "updatedReplicas"].map(|field| sight.count(field));
    let short = first_short(&[
        (wanted > all, "replicas", all, wanted),
        (wanted > ready, "ready replicas", ready, wanted),
        (all > wanted, "replicas, some on their way out", all, wanted),
    ]);
    if let Some(short) = short {
        return short;
    }
    if let Some(partition) = sight.number(&["spec", "updateStrategy", "rollingUpdate", "partition"]) {
        let wanted = (wanted - partition).max(0);
        let short = first_short(&[(
            updated < wanted,
            "replicas of the present template",
            updated,
            wanted,
        )]);
        return short.unwrap_or(HealthState::Current);
    }
    if let Some(short) = first_short(&[(
        wanted > current,
        "replicas of the present template",
        current,
        wanted,
    )]) {
        return short;
    }
    let revision = |field| sight.text(&["status", field]);
    if revision("currentRevision") != revision("updateRevision") {
        return waiting("revision", "its update is not complete");
    }
    HealthState::Current
}

pub(super) fn daemon_set(sight: Sight<'_>) -> HealthState {
    // All counts are 0 before its controller has seen it.
    let is_seen = sight.number(&["status", "observedGeneration"]).is_some();
    let Some(wanted) = sight
        .number(&["status", "desiredNumberScheduled"])
        .filter(|_| is_seen)
    else {
        return waiting("replicas", "the nodes it is meant for are not counted yet");
    };
    let [current, updated, available, ready] = [
        "currentNumberScheduled",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberReady",
    ]
    .map(|field| sight.count(field));
    let short = first_short(&[
        (wanted > current, "pods", current, wanted),
        (
            wanted > updated && !is_updated_by_hand(sight),
            "pods of the present template",
            updated,
            wanted,
        ),
        (wanted > available, "available pods", available, wanted),
        (wanted > ready, "ready pods", ready, wanted),
    ]);
    short.unwrap_or(HealthState::Current)
}

pub(super) fn job(sight: Sight<'_>) -> HealthState {
    if sight.is_true("Complete") {
        return HealthState::Current;
    }
    if let Some(failed) = sight.condition("Failed").filter(|condition| condition.is_true()) {
        return HealthState::Failed(failed.tells());
    }
    if sight.is_true("Suspended") {
        return HealthState::Current;
    }
    if sight.text(&["status", "startTime"]).is_none() {
        return waiting("not-started", "it has not started yet");
    }
    let succeeded = sight.count("succeeded");
    waiting(
        "running",
        format!("it runs: {succeeded} pods have succeeded so far"),
    )
}
