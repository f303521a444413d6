//! Fields that servers refuse to change: where edits to them would only be refused.

/// By kind, beginnings of paths.
const FROZEN: &[(&str, &[&str])] = &[
    ("Pod", &[".spec"]),
    (
        "Job",
        &[
            ".spec.template",
            ".spec.selector",
            ".spec.completions",
            ".spec.completionMode",
            ".spec.manualSelector",
            ".spec.podFailurePolicy",
            ".spec.backoffLimitPerIndex",
            ".spec.successPolicy",
            ".spec.managedBy",
            ".spec.podReplacementPolicy",
            ".spec.maxFailedIndexes",
        ],
    ),
    (
        "Deployment",
        &[".spec.selector", ".spec.template.metadata.labels"],
    ),
    ("DaemonSet", &[".spec.selector", ".spec.template.metadata.labels"]),
    (
        "ReplicaSet",
        &[".spec.selector", ".spec.template.metadata.labels"],
    ),
    (
        "ReplicationController",
        &[".spec.selector", ".spec.template.metadata.labels"],
    ),
    (
        "StatefulSet",
        &[
            ".spec.selector",
            ".spec.template.metadata.labels",
            ".spec.serviceName",
            ".spec.podManagementPolicy",
            ".spec.volumeClaimTemplates",
        ],
    ),
    ("Service", &[".spec.clusterIP", ".spec.ipFamil"]),
    ("PersistentVolumeClaim", &[".spec"]),
    (
        "PersistentVolume",
        &[
            ".spec.csi",
            ".spec.nfs",
            ".spec.hostPath",
            ".spec.local",
            ".spec.nodeAffinity",
            ".spec.volumeMode",
            ".spec.iscsi",
        ],
    ),
    (
        "StorageClass",
        &[
            ".parameters",
            ".provisioner",
            ".reclaimPolicy",
            ".volumeBindingMode",
        ],
    ),
    ("VolumeAttributesClass", &[".driverName", ".parameters"]),
    ("Secret", &[".type", ".immutable"]),
    ("ConfigMap", &[".immutable"]),
    ("PriorityClass", &[".value", ".preemptionPolicy"]),
    ("RoleBinding", &[".roleRef"]),
    ("ClusterRoleBinding", &[".roleRef"]),
    ("RuntimeClass", &[".handler"]),
    ("IngressClass", &[".spec.controller"]),
    (
        "CSIDriver",
        &[
            ".spec.attachRequired",
            ".spec.fsGroupPolicy",
            ".spec.volumeLifecycleModes",
            ".spec.podInfoOnMount",
        ],
    ),
    ("CSINode", &[".spec"]),
    ("CSIStorageCapacity", &[".nodeTopology", ".storageClassName"]),
    ("VolumeAttachment", &[".spec"]),
    ("ControllerRevision", &[".data"]),
    ("ResourceClaim", &[".spec"]),
    ("ResourceClaimTemplate", &[".spec"]),
    (
        "ResourceSlice",
        &[".spec.driver", ".spec.pool.name", ".spec.nodeName"],
    ),
    ("EndpointSlice", &[".addressType"]),
    ("CertificateSigningRequest", &[".spec"]),
    (
        "CustomResourceDefinition",
        &[
            ".spec.group",
            ".spec.names",
            ".spec.scope",
            ".spec.versions[].name",
        ],
    ),
    ("Namespace", &[".metadata.labels.kubernetes.io/metadata.name"]),
    ("Event", &["."]),
    ("ServiceCIDR", &[".spec"]),
    ("IPAddress", &[".spec"]),
    ("ResourceQuota", &[".spec.scopes", ".spec.scopeSelector"]),
];

/// Whether a server would refuse changes here.
pub(super) fn is(kind: &str, path: &str) -> bool {
    FROZEN
        .iter()
        .filter(|(frozen, _)| *frozen == kind)
        .flat_map(|(_, beginnings)| *beginnings)
        .any(|beginning| path.starts_with(beginning) || beginning.starts_with(&format!("{path}.")))
}
