//! Definitions that use much of what built-in kinds have.

use serde_json::{Value, json};

use super::own::read;

/// All of them.
pub(super) fn documents() -> Vec<Value> {
    let pod = read(include_str!("own/pod.yaml")).remove(0);
    let template = json!({"metadata": {"labels": pod["metadata"]["labels"], "annotations": pod["metadata"]["annotations"]}, "spec": pod["spec"]});
    let mut once = template.clone();
    once["spec"]["restartPolicy"] = json!("OnFailure");
    let metadata =
        json!({"name": "rich", "labels": {"app": "rich"}, "annotations": {"example.net/note": "a note"}});
    let selector = json!({"matchLabels": {"app": "rich"}});
    let workload = |version: &str, kind: &str, mut spec: Value| {
        spec["template"] = template.clone();
        json!({"apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec})
    };
    let rolling = json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "30%", "maxUnavailable": 1}});
    let claim = |name: &str, size: &str| {
        json!({
            "metadata": {"name": name, "labels": {"app": "rich"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": size}}},
        })
    };
    let job = json!({
        "parallelism": 2, "completions": 4, "completionMode": "Indexed", "backoffLimit": 3, "suspend": true,
        "activeDeadlineSeconds": 600, "ttlSecondsAfterFinished": 3600, "template": once,
    });
    let mut documents = vec![
        workload(
            "apps/v1",
            "Deployment",
            json!({
                "replicas": 3, "selector": selector, "strategy": rolling, "minReadySeconds": 5,
                "revisionHistoryLimit": 4, "progressDeadlineSeconds": 300, "paused": true,
            }),
        ),
        workload(
            "apps/v1",
            "StatefulSet",
            json!({
                "replicas": 2, "selector": selector, "serviceName": "many", "minReadySeconds": 3,
                "podManagementPolicy": "Parallel", "revisionHistoryLimit": 5,
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}},
                "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
                "volumeClaimTemplates": [claim("data", "1Gi"), claim("wal", "512Mi")],
            }),
        ),
        workload(
            "apps/v1",
            "DaemonSet",
            json!({
                "selector": selector, "minReadySeconds": 2, "revisionHistoryLimit": 3,
                "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "20%", "maxSurge": 0}},
            }),
        ),
        workload(
            "apps/v1",
            "ReplicaSet",
            json!({"replicas": 2, "selector": selector, "minReadySeconds": 1}),
        ),
        workload(
            "v1",
            "ReplicationController",
            json!({"replicas": 2, "selector": {"app": "rich"}}),
        ),
        json!({"apiVersion": "v1", "kind": "PodTemplate", "metadata": metadata, "template": template}),
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": job}),
        json!({
            "apiVersion": "batch/v1", "kind": "CronJob", "metadata": metadata,
            "spec": {
                "schedule": "*/5 * * * *", "timeZone": "Etc/UTC", "suspend": true, "concurrencyPolicy": "Forbid",
                "startingDeadlineSeconds": 30, "successfulJobsHistoryLimit": 2, "failedJobsHistoryLimit": 4,
                "jobTemplate": {"metadata": {"labels": {"app": "rich"}}, "spec": job},
            },
        }),
        pod,
    ];
    documents.extend(read(include_str!("own/plain.yaml")));
    documents.extend(read(include_str!("own/prepared.yaml")));
    documents
}
