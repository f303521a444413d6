//! The built-in rules, kind by kind.

use fleet_core::health::{BuiltinHealth, Health};

use super::object;

/// Kind, the rest of the object, and its health in words.
const CASES: [(&str, &str, &str); 84] = [
    // Whatever the kind.
    ("v1/ConfigMap", "", "Current"),
    ("v1/Secret", "", "Current"),
    ("example.com/v1/Widget", "", "Current"),
    (
        "example.com/v1/Widget",
        "metadata: {name: a, deletionTimestamp: 2026-01-01T00:00:00Z}\nstatus: {conditions: [{type: Ready, status: 'True'}]}",
        "Terminating",
    ),
    (
        "v1/Namespace",
        "metadata: {name: a, deletionTimestamp: 2026-01-01T00:00:00Z}\nstatus: {phase: Terminating}",
        "Terminating",
    ),
    ("v1/Namespace", "status: {phase: Active}", "Current"),
    (
        "example.com/v1/Widget",
        "metadata: {name: a, generation: 3}\nstatus: {observedGeneration: 2, conditions: [{type: Ready, status: 'True'}]}",
        "InProgress: its status is about generation 2, and it is at 3",
    ),
    (
        "example.com/v1/Widget",
        "metadata: {name: a, generation: 3}\nstatus: {observedGeneration: 3}",
        "Current",
    ),
    (
        "example.com/v1/Widget",
        "metadata: {name: a, generation: 3}\nstatus: {}",
        "Current",
    ),
    (
        "example.com/v1/Widget",
        "status: {conditions: [{type: Reconciling, status: 'True', reason: Busy}, {type: Ready, status: 'True'}]}",
        "InProgress: its condition Reconciling is True (Busy)",
    ),
    (
        "example.com/v1/Widget",
        "status: {conditions: [{type: Stalled, status: 'True', reason: Broken}, {type: Ready, status: 'True'}]}",
        "Failed: its condition Stalled is True (Broken)",
    ),
    (
        "example.com/v1/Widget",
        "status: {conditions: [{type: Stalled, status: 'False'}, {type: Reconciling, status: 'False'}, {type: Ready, status: 'True'}]}",
        "Current",
    ),
    (
        "example.com/v1/Widget",
        "status: {conditions: [{type: Ready, status: 'False', reason: Missing, message: token abc}]}",
        "InProgress: its condition Ready is False (Missing)",
    ),
    (
        "example.com/v1/Widget",
        "status: {conditions: [{type: Ready, status: Unknown}]}",
        "InProgress: its condition Ready is Unknown",
    ),
    (
        "example.com/v1/Widget",
        "status: {conditions: [{type: Ready, status: 'False', reason: 'a text with a token'}]}",
        "InProgress: its condition Ready is False",
    ),
    (
        "example.com/v1/Widget",
        "status: {conditions: {type: Ready}}",
        "Current",
    ),
    ("example.com/v1/Widget", "status: [1]", "Current"),
    (
        "v1/Node",
        "status: {conditions: [{type: Ready, status: 'True'}]}",
        "Current",
    ),
    // Deployments.
    ("apps/v1/Deployment", "spec: {}", "InProgress: replicas: 0 of 1"),
    (
        "apps/v1/Deployment",
        "metadata: {name: a, generation: 2}\nspec: {replicas: 1}\nstatus: {observedGeneration: 1, replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}",
        "InProgress: its status is about generation 1, and it is at 2",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 3}\nstatus: {replicas: 3, updatedReplicas: 1}",
        "InProgress: replicas of the present template: 1 of 3",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 3}\nstatus: {replicas: 4, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3}",
        "InProgress: replicas, some on their way out: 4 of 3",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 3}\nstatus: {replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 2}",
        "InProgress: available replicas: 2 of 3",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 3}\nstatus: {replicas: 3, updatedReplicas: 3, readyReplicas: 2, availableReplicas: 3}",
        "InProgress: ready replicas: 2 of 3",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 1, progressDeadlineSeconds: 600}\nstatus: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Progressing, status: 'True', reason: ReplicaSetUpdated}, {type: Available, status: 'True'}]}",
        "InProgress: its condition Progressing is True (ReplicaSetUpdated)",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 1, progressDeadlineSeconds: 600}\nstatus: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: 'True'}]}",
        "InProgress: it has no condition Progressing yet",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 1, progressDeadlineSeconds: 600}\nstatus: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Progressing, status: 'True', reason: NewReplicaSetAvailable}, {type: Available, status: 'False', reason: MinimumReplicasUnavailable}]}",
        "InProgress: its condition Available is False (MinimumReplicasUnavailable)",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 1, progressDeadlineSeconds: 600}\nstatus: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Progressing, status: 'True', reason: NewReplicaSetAvailable}, {type: Available, status: 'True'}]}",
        "Current",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 1, progressDeadlineSeconds: 2147483647}\nstatus: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1, conditions: [{type: Available, status: 'True'}]}",
        "Current",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 1}\nstatus: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}",
        "InProgress: it has no condition Available yet",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 3, progressDeadlineSeconds: 600}\nstatus: {replicas: 3, updatedReplicas: 1, conditions: [{type: Progressing, status: 'False', reason: ProgressDeadlineExceeded}]}",
        "Failed: its condition Progressing is False (ProgressDeadlineExceeded)",
    ),
    (
        "apps/v1/Deployment",
        "spec: {replicas: 0}\nstatus: {conditions: [{type: Available, status: 'True'}]}",
        "Current",
    ),
    // ReplicaSets and their elders.
    (
        "apps/v1/ReplicaSet",
        "spec: {replicas: 2}",
        "InProgress: labelled replicas: 0 of 2",
    ),
    (
        "apps/v1/ReplicaSet",
        "spec: {replicas: 2}\nstatus: {replicas: 2, fullyLabeledReplicas: 2, availableReplicas: 1, readyReplicas: 2}",
        "InProgress: available replicas: 1 of 2",
    ),
    (
        "apps/v1/ReplicaSet",
        "spec: {replicas: 2}\nstatus: {replicas: 2, fullyLabeledReplicas: 2, availableReplicas: 2, readyReplicas: 1}",
        "InProgress: ready replicas: 1 of 2",
    ),
    (
        "apps/v1/ReplicaSet",
        "spec: {replicas: 2}\nstatus: {replicas: 3, fullyLabeledReplicas: 3, availableReplicas: 3, readyReplicas: 3}",
        "InProgress: replicas, some on their way out: 3 of 2",
    ),
    (
        "apps/v1/ReplicaSet",
        "spec: {replicas: 2}\nstatus: {replicas: 2, fullyLabeledReplicas: 2, availableReplicas: 2, readyReplicas: 2}",
        "Current",
    ),
    (
        "apps/v1/ReplicaSet",
        "spec: {replicas: 2}\nstatus: {conditions: [{type: ReplicaFailure, status: 'True', reason: FailedCreate}]}",
        "InProgress: its condition ReplicaFailure is True (FailedCreate)",
    ),
    (
        "v1/ReplicationController",
        "spec: {replicas: 1}\nstatus: {replicas: 1, fullyLabeledReplicas: 1, availableReplicas: 1, readyReplicas: 1}",
        "Current",
    ),
    (
        "v1/ReplicationController",
        "spec: {replicas: 1}\nstatus: {replicas: 1}",
        "InProgress: labelled replicas: 0 of 1",
    ),
    // StatefulSets.
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 2}",
        "InProgress: replicas: 0 of 2",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 2}\nstatus: {replicas: 2, readyReplicas: 1}",
        "InProgress: ready replicas: 1 of 2",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 2}\nstatus: {replicas: 3, readyReplicas: 3}",
        "InProgress: replicas, some on their way out: 3 of 2",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 2}\nstatus: {replicas: 2, readyReplicas: 2, currentReplicas: 1}",
        "InProgress: replicas of the present template: 1 of 2",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 2}\nstatus: {replicas: 2, readyReplicas: 2, currentReplicas: 2, currentRevision: a, updateRevision: b}",
        "InProgress: its update is not complete",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 2}\nstatus: {replicas: 2, readyReplicas: 2, currentReplicas: 2, currentRevision: b, updateRevision: b}",
        "Current",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}}\nstatus: {replicas: 3, readyReplicas: 3, updatedReplicas: 1, currentRevision: a, updateRevision: b}",
        "InProgress: replicas of the present template: 1 of 2",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 3, updateStrategy: {type: RollingUpdate, rollingUpdate: {partition: 1}}}\nstatus: {replicas: 3, readyReplicas: 3, updatedReplicas: 2, currentRevision: a, updateRevision: b}",
        "Current",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 3, updateStrategy: {rollingUpdate: {partition: 9}}}\nstatus: {replicas: 3, readyReplicas: 3}",
        "Current",
    ),
    (
        "apps/v1/StatefulSet",
        "spec: {replicas: 3, updateStrategy: {type: OnDelete}}",
        "Current",
    ),
    // DaemonSets.
    (
        "apps/v1/DaemonSet",
        "status: {currentNumberScheduled: 0, desiredNumberScheduled: 0}",
        "InProgress: the nodes it is meant for are not counted yet",
    ),
    (
        "apps/v1/DaemonSet",
        "metadata: {name: a, generation: 1}\nstatus: {observedGeneration: 1}",
        "InProgress: the nodes it is meant for are not counted yet",
    ),
    (
        "apps/v1/DaemonSet",
        "status: {observedGeneration: 1, desiredNumberScheduled: 0}",
        "Current",
    ),
    (
        "apps/v1/DaemonSet",
        "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 1}",
        "InProgress: pods: 1 of 2",
    ),
    (
        "apps/v1/DaemonSet",
        "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2, numberReady: 2}",
        "InProgress: pods of the present template: 1 of 2",
    ),
    (
        "apps/v1/DaemonSet",
        "spec: {updateStrategy: {type: OnDelete}}\nstatus: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 1, numberAvailable: 2, numberReady: 2}",
        "Current",
    ),
    (
        "apps/v1/DaemonSet",
        "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 1, numberReady: 2}",
        "InProgress: available pods: 1 of 2",
    ),
    (
        "apps/v1/DaemonSet",
        "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 1}",
        "InProgress: ready pods: 1 of 2",
    ),
    (
        "apps/v1/DaemonSet",
        "status: {observedGeneration: 1, desiredNumberScheduled: 2, currentNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2, numberReady: 2}",
        "Current",
    ),
    // Jobs.
    ("batch/v1/Job", "spec: {}", "InProgress: it has not started yet"),
    (
        "batch/v1/Job",
        "status: {startTime: 2026-01-01T00:00:00Z, active: 1, succeeded: 2}",
        "InProgress: it runs: 2 pods have succeeded so far",
    ),
    (
        "batch/v1/Job",
        "status: {startTime: 2026-01-01T00:00:00Z, conditions: [{type: SuccessCriteriaMet, status: 'True'}, {type: Complete, status: 'True'}]}",
        "Current",
    ),
    (
        "batch/v1/Job",
        "status: {conditions: [{type: Failed, status: 'True', reason: BackoffLimitExceeded}]}",
        "Failed: its condition Failed is True (BackoffLimitExceeded)",
    ),
    (
        "batch/v1/Job",
        "status: {conditions: [{type: Suspended, status: 'True'}]}",
        "Current",
    ),
    (
        "batch/v1/Job",
        "status: {conditions: [{type: Suspended, status: 'False'}]}",
        "InProgress: it has not started yet",
    ),
    ("batch/v1/CronJob", "spec: {schedule: '* * * * *'}", "Current"),
    // Pods.
    ("v1/Pod", "", "InProgress: it has no phase yet"),
    (
        "v1/Pod",
        "status: {phase: Pending}",
        "InProgress: its phase is Pending",
    ),
    (
        "v1/Pod",
        "status: {phase: Pending, conditions: [{type: PodScheduled, status: 'False', reason: Unschedulable}]}",
        "InProgress: its condition PodScheduled is False (Unschedulable)",
    ),
    (
        "v1/Pod",
        "status: {phase: Pending, initContainerStatuses: [{name: a, state: {waiting: {reason: CrashLoopBackOff}}}]}",
        "Failed: a container crashes again and again",
    ),
    (
        "v1/Pod",
        "status: {phase: Running, conditions: [{type: Ready, status: 'True'}], containerStatuses: [{name: a, state: {running: {}}}]}",
        "Current",
    ),
    (
        "v1/Pod",
        "status: {phase: Running, conditions: [{type: Ready, status: 'False'}]}",
        "InProgress: it runs, and is not ready yet",
    ),
    (
        "v1/Pod",
        "status: {phase: Running, containerStatuses: [{name: a}, {name: b, state: {waiting: {reason: CrashLoopBackOff}}}]}",
        "Failed: a container crashes again and again",
    ),
    ("v1/Pod", "status: {phase: Succeeded}", "Current"),
    ("v1/Pod", "status: {phase: Failed}", "Failed: its phase is Failed"),
    (
        "v1/Pod",
        "status: {phase: Unknown}",
        "Unknown: its phase is unknown",
    ),
    // Storage and network.
    (
        "v1/PersistentVolumeClaim",
        "status: {phase: Lost}",
        "Failed: its volume is lost",
    ),
    ("v1/PersistentVolumeClaim", "status: {phase: Bound}", "Current"),
    (
        "v1/Service",
        "spec: {type: LoadBalancer}",
        "InProgress: it has no cluster address yet",
    ),
    (
        "v1/Service",
        "spec: {type: LoadBalancer, clusterIP: 10.0.0.1}",
        "Current",
    ),
    (
        "policy/v1/PodDisruptionBudget",
        "metadata: {name: a, generation: 1}\nstatus: {observedGeneration: 1, desiredHealthy: 2, currentHealthy: 0, conditions: [{type: DisruptionAllowed, status: 'False'}]}",
        "Current",
    ),
    // Definitions and aggregated APIs.
    (
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
        "status: {conditions: [{type: NamesAccepted, status: 'False', reason: ListKindConflict}]}",
        "Failed: its condition NamesAccepted is False (ListKindConflict)",
    ),
    (
        "apiextensions.k8s.io/v1/CustomResourceDefinition",
        "status: {conditions: [{type: NamesAccepted, status: 'True'}, {type: Established, status: 'True'}]}",
        "Current",
    ),
    (
        "apiregistration.k8s.io/v1/APIService",
        "status: {conditions: [{type: Available, status: 'False', reason: MissingEndpoints}]}",
        "InProgress: its condition Available is False (MissingEndpoints)",
    ),
];

#[test]
fn health_by_kind() {
    for (kind, rest, expect) in CASES {
        let found = BuiltinHealth.of(Some(&object(kind, rest)));
        assert_eq!(found.to_string(), expect, "{kind}\n{rest}");
        assert_eq!(found.is_healthy(), expect == "Current");
        assert_eq!(found.word(), expect.split(':').next().unwrap());
    }
    assert_eq!(BuiltinHealth.of(None).to_string(), "NotFound");
}

#[test]
fn definitions_and_apis_on_their_way() {
    let cases = [
        (
            "apiextensions.k8s.io/v1/CustomResourceDefinition",
            "spec: {}",
            "InProgress: it has no condition Established yet",
        ),
        (
            "apiextensions.k8s.io/v1/CustomResourceDefinition",
            "status: {conditions: [{type: Established, status: 'False', reason: Installing}]}",
            "InProgress: its condition Established is False (Installing)",
        ),
        (
            "apiextensions.k8s.io/v1/CustomResourceDefinition",
            "status: {conditions: [{type: Established, status: 'False', reason: NotAccepted}]}",
            "Failed: its condition Established is False (NotAccepted)",
        ),
        (
            "apiregistration.k8s.io/v1/APIService",
            "spec: {}",
            "InProgress: it has no condition Available yet",
        ),
        (
            "apiregistration.k8s.io/v1/APIService",
            "status: {conditions: [{type: Available, status: 'True'}]}",
            "Current",
        ),
        (
            "v1/PersistentVolumeClaim",
            "spec: {}",
            "InProgress: it has no phase yet",
        ),
        ("extensions/v1beta1/Deployment", "spec: {}", "Current"),
    ];
    for (kind, rest, expect) in cases {
        assert_eq!(
            BuiltinHealth.of(Some(&object(kind, rest))).to_string(),
            expect,
            "{kind}\n{rest}"
        );
    }
}

#[test]
fn reasons_quote_nothing_but_plain_words() {
    let secret = "hunter2-hunter2";
    let rest = format!(
        "status: {{phase: '{secret} x', conditions: [{{type: Ready, status: '{secret}', reason: '{secret} x', message: '{secret}'}}]}}"
    );
    for kind in [
        "example.com/v1/Widget",
        "v1/Pod",
        "v1/PersistentVolumeClaim",
        "batch/v1/Job",
    ] {
        let state = BuiltinHealth.of(Some(&object(kind, &rest)));
        assert!(!format!("{state:?} {state}").contains(secret), "{kind}: {state}");
    }
}
