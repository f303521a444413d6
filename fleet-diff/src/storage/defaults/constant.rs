//! Defaults that depend on nothing.

use serde_json::{Value, json};

use Default::{Bool, EmptyMap, Number, Text};

pub(super) enum Default {
    Text(&'static str),
    Number(i64),
    Bool(bool),
    EmptyMap,
}

impl Default {
    pub(super) fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => (*text).into(),
            Self::Number(number) => (*number).into(),
            Self::Bool(value) => (*value).into(),
            Self::EmptyMap => json!({}),
        }
    }
}

/// Sorted by type.
pub(super) const CONSTANT: &[(&str, &[(&str, Default)])] = &[
    (
        "admissionregistration.v1.MatchResources",
        &[
            ("matchPolicy", Text("Equivalent")),
            ("namespaceSelector", EmptyMap),
            ("objectSelector", EmptyMap),
        ],
    ),
    (
        "admissionregistration.v1.MutatingAdmissionPolicySpec",
        &[("failurePolicy", Text("Fail"))],
    ),
    (
        "admissionregistration.v1.MutatingWebhook",
        &[
            ("failurePolicy", Text("Fail")),
            ("matchPolicy", Text("Equivalent")),
            ("namespaceSelector", EmptyMap),
            ("objectSelector", EmptyMap),
            ("timeoutSeconds", Number(10)),
            ("reinvocationPolicy", Text("Never")),
        ],
    ),
    (
        "admissionregistration.v1.NamedRuleWithOperations",
        &[("scope", Text("*"))],
    ),
    (
        "admissionregistration.v1.RuleWithOperations",
        &[("scope", Text("*"))],
    ),
    (
        "admissionregistration.v1.ServiceReference",
        &[("port", Number(443))],
    ),
    (
        "admissionregistration.v1.ValidatingAdmissionPolicySpec",
        &[("failurePolicy", Text("Fail"))],
    ),
    (
        "admissionregistration.v1.ValidatingWebhook",
        &[
            ("failurePolicy", Text("Fail")),
            ("matchPolicy", Text("Equivalent")),
            ("namespaceSelector", EmptyMap),
            ("objectSelector", EmptyMap),
            ("timeoutSeconds", Number(10)),
        ],
    ),
    (
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference",
        &[("port", Number(443))],
    ),
    ("apps.v1.DaemonSetSpec", &[("revisionHistoryLimit", Number(10))]),
    (
        "apps.v1.DaemonSetUpdateStrategy",
        &[("type", Text("RollingUpdate"))],
    ),
    (
        "apps.v1.DeploymentSpec",
        &[
            ("replicas", Number(1)),
            ("revisionHistoryLimit", Number(10)),
            ("progressDeadlineSeconds", Number(600)),
        ],
    ),
    ("apps.v1.DeploymentStrategy", &[("type", Text("RollingUpdate"))]),
    ("apps.v1.ReplicaSetSpec", &[("replicas", Number(1))]),
    (
        "apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy",
        &[("whenDeleted", Text("Retain")), ("whenScaled", Text("Retain"))],
    ),
    (
        "apps.v1.StatefulSetSpec",
        &[
            ("podManagementPolicy", Text("OrderedReady")),
            ("replicas", Number(1)),
            ("revisionHistoryLimit", Number(10)),
        ],
    ),
    (
        "autoscaling.v1.HorizontalPodAutoscalerSpec",
        &[("minReplicas", Number(1))],
    ),
    (
        "autoscaling.v2.HorizontalPodAutoscalerSpec",
        &[("minReplicas", Number(1))],
    ),
    (
        "batch.v1.CronJobSpec",
        &[
            ("concurrencyPolicy", Text("Allow")),
            ("suspend", Bool(false)),
            ("successfulJobsHistoryLimit", Number(3)),
            ("failedJobsHistoryLimit", Number(1)),
        ],
    ),
    (
        "batch.v1.PodFailurePolicyOnPodConditionsPattern",
        &[("status", Text("True"))],
    ),
    ("core.v1.ConfigMapVolumeSource", &[("defaultMode", Number(420))]),
    (
        "core.v1.Container",
        &[
            ("terminationMessagePath", Text("/dev/termination-log")),
            ("terminationMessagePolicy", Text("File")),
        ],
    ),
    ("core.v1.DownwardAPIVolumeSource", &[("defaultMode", Number(420))]),
    ("core.v1.EndpointPort", &[("protocol", Text("TCP"))]),
    (
        "core.v1.EphemeralContainer",
        &[
            ("terminationMessagePath", Text("/dev/termination-log")),
            ("terminationMessagePolicy", Text("File")),
        ],
    ),
    (
        "core.v1.HTTPGetAction",
        &[("path", Text("/")), ("scheme", Text("HTTP"))],
    ),
    ("core.v1.HostPathVolumeSource", &[("type", Text(""))]),
    ("core.v1.NamespaceStatus", &[("phase", Text("Active"))]),
    ("core.v1.ObjectFieldSelector", &[("apiVersion", Text("v1"))]),
    (
        "core.v1.PersistentVolumeClaimSpec",
        &[("volumeMode", Text("Filesystem"))],
    ),
    (
        "core.v1.PersistentVolumeClaimStatus",
        &[("phase", Text("Pending"))],
    ),
    (
        "core.v1.PersistentVolumeSpec",
        &[
            ("persistentVolumeReclaimPolicy", Text("Retain")),
            ("volumeMode", Text("Filesystem")),
        ],
    ),
    ("core.v1.PersistentVolumeStatus", &[("phase", Text("Pending"))]),
    (
        "core.v1.PodSpec",
        &[
            ("dnsPolicy", Text("ClusterFirst")),
            ("restartPolicy", Text("Always")),
            ("securityContext", EmptyMap),
            ("terminationGracePeriodSeconds", Number(30)),
            ("schedulerName", Text("default-scheduler")),
        ],
    ),
    (
        "core.v1.Probe",
        &[
            ("timeoutSeconds", Number(1)),
            ("periodSeconds", Number(10)),
            ("successThreshold", Number(1)),
            ("failureThreshold", Number(3)),
        ],
    ),
    ("core.v1.ProjectedVolumeSource", &[("defaultMode", Number(420))]),
    ("core.v1.ReplicationControllerSpec", &[("replicas", Number(1))]),
    ("core.v1.Secret", &[("type", Text("Opaque"))]),
    ("core.v1.SecretVolumeSource", &[("defaultMode", Number(420))]),
    (
        "core.v1.ServiceAccountTokenProjection",
        &[("expirationSeconds", Number(3600))],
    ),
    ("core.v1.ServicePort", &[("protocol", Text("TCP"))]),
    (
        "core.v1.ServiceSpec",
        &[("type", Text("ClusterIP")), ("sessionAffinity", Text("None"))],
    ),
    (
        "discovery.v1.EndpointPort",
        &[("name", Text("")), ("protocol", Text("TCP"))],
    ),
    (
        "flowcontrol.v1.ExemptPriorityLevelConfiguration",
        &[
            ("nominalConcurrencyShares", Number(0)),
            ("lendablePercent", Number(0)),
        ],
    ),
    (
        "flowcontrol.v1.FlowSchemaSpec",
        &[("matchingPrecedence", Number(1000))],
    ),
    (
        "flowcontrol.v1.LimitedPriorityLevelConfiguration",
        &[
            ("nominalConcurrencyShares", Number(30)),
            ("lendablePercent", Number(0)),
        ],
    ),
    (
        "flowcontrol.v1.QueuingConfiguration",
        &[
            ("handSize", Number(8)),
            ("queues", Number(64)),
            ("queueLengthLimit", Number(50)),
        ],
    ),
    (
        "kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference",
        &[("port", Number(443))],
    ),
    ("networking.v1.NetworkPolicyPort", &[("protocol", Text("TCP"))]),
    (
        "rbac.v1.RoleRef",
        &[("apiGroup", Text("rbac.authorization.k8s.io"))],
    ),
    (
        "resource.v1.DeviceSubRequest",
        &[("allocationMode", Text("ExactCount"))],
    ),
    (
        "resource.v1.ExactDeviceRequest",
        &[("allocationMode", Text("ExactCount"))],
    ),
    (
        "scheduling.v1.PriorityClass",
        &[("preemptionPolicy", Text("PreemptLowerPriority"))],
    ),
    (
        "storage.v1.CSIDriverSpec",
        &[
            ("attachRequired", Bool(true)),
            ("podInfoOnMount", Bool(false)),
            ("storageCapacity", Bool(false)),
            ("fsGroupPolicy", Text("ReadWriteOnceWithFSType")),
            ("requiresRepublish", Bool(false)),
            ("seLinuxMount", Bool(false)),
            ("preventPodSchedulingIfMissing", Bool(false)),
        ],
    ),
    (
        "storage.v1.StorageClass",
        &[
            ("reclaimPolicy", Text("Delete")),
            ("volumeBindingMode", Text("Immediate")),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(CONSTANT.is_sorted_by(|a, b| a.0 < b.0));
    }
}
