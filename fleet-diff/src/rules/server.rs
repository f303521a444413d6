//! Fields that servers and their own controllers fill in on built-in kinds.

use std::sync::LazyLock;

use super::pattern::PathPattern;
use crate::{FieldPath, Gvk};

/// Id, group, kind and path. An empty kind means every kind.
///
/// Sources: `pkg/registry/core/service/storage/alloc.go`, the persistent volume, deployment, job and garbage collector
/// controllers, and the annotations they document.
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("object/owner-references", "", "", ".metadata.ownerReferences"),
    ("object/finalizers", "", "", ".metadata.finalizers"),
    ("namespace/finalizers", "", "Namespace", ".spec.finalizers"),
    (
        "namespace/openshift-scc",
        "",
        "Namespace",
        ".metadata.annotations[\"openshift.io/sa.scc.*\"]",
    ),
    ("service/cluster-ip", "", "Service", ".spec.clusterIP"),
    ("service/cluster-ips", "", "Service", ".spec.clusterIPs"),
    ("service/ip-families", "", "Service", ".spec.ipFamilies"),
    ("service/ip-family-policy", "", "Service", ".spec.ipFamilyPolicy"),
    (
        "service/health-check-node-port",
        "",
        "Service",
        ".spec.healthCheckNodePort",
    ),
    ("service/node-port", "", "Service", ".spec.ports[*].nodePort"),
    ("service-account/secrets", "", "ServiceAccount", ".secrets"),
    (
        "service-account/image-pull-secrets",
        "",
        "ServiceAccount",
        ".imagePullSecrets",
    ),
    (
        "secret/token-uid",
        "",
        "Secret",
        ".metadata.annotations[\"kubernetes.io/service-account.uid\"]",
    ),
    (
        "config-map/leader",
        "",
        "ConfigMap",
        ".metadata.annotations[\"control-plane.alpha.kubernetes.io/leader\"]",
    ),
    (
        "config-map/autoscaler",
        "",
        "ConfigMap",
        ".metadata.annotations[\"cluster-autoscaler.kubernetes.io/last-updated\"]",
    ),
    ("pvc/volume-name", "", "PersistentVolumeClaim", ".spec.volumeName"),
    (
        "pvc/storage-class",
        "",
        "PersistentVolumeClaim",
        ".spec.storageClassName",
    ),
    ("pvc/data-source", "", "PersistentVolumeClaim", ".spec.dataSource"),
    (
        "pvc/data-source-ref",
        "",
        "PersistentVolumeClaim",
        ".spec.dataSourceRef",
    ),
    (
        "pvc/binding",
        "",
        "PersistentVolumeClaim",
        ".metadata.annotations[\"pv.kubernetes.io/*\"]",
    ),
    (
        "pvc/provisioner",
        "",
        "PersistentVolumeClaim",
        ".metadata.annotations[\"volume.*kubernetes.io/*\"]",
    ),
    ("pv/claim", "", "PersistentVolume", ".spec.claimRef"),
    (
        "pv/binding",
        "",
        "PersistentVolume",
        ".metadata.annotations[\"pv.kubernetes.io/*\"]",
    ),
    ("pod/node", "", "Pod", ".spec.nodeName"),
    ("pod/service-account", "", "Pod", ".spec.serviceAccountName"),
    ("pod/old-service-account", "", "Pod", ".spec.serviceAccount"),
    ("pod/priority", "", "Pod", ".spec.priority"),
    ("pod/preemption", "", "Pod", ".spec.preemptionPolicy"),
    ("pod/tolerations", "", "Pod", ".spec.tolerations"),
    ("pod/token-volume", "", "Pod", ".spec.volumes[*]"),
    ("pod/token-mount", "", "Pod", ".spec.containers[*].volumeMounts"),
    ("pod/ephemeral-containers", "", "Pod", ".spec.ephemeralContainers"),
    (
        "ingress/class",
        "networking.k8s.io",
        "Ingress",
        ".spec.ingressClassName",
    ),
    ("node/pod-cidr", "", "Node", ".spec.podCIDR"),
    ("node/pod-cidrs", "", "Node", ".spec.podCIDRs"),
    ("node/provider", "", "Node", ".spec.providerID"),
    (
        "deployment/revision",
        "apps",
        "Deployment",
        ".metadata.annotations[\"deployment.kubernetes.io/*\"]",
    ),
    (
        "replicaset/revision",
        "apps",
        "ReplicaSet",
        ".metadata.annotations[\"deployment.kubernetes.io/*\"]",
    ),
    (
        "daemonset/template-generation",
        "apps",
        "DaemonSet",
        ".metadata.annotations[\"deprecated.daemonset.template.generation\"]",
    ),
    ("job/selector", "batch", "Job", ".spec.selector"),
    (
        "job/labels",
        "batch",
        "Job",
        ".spec.template.metadata.labels[\"batch.kubernetes.io/*\"]",
    ),
    (
        "job/controller-uid",
        "batch",
        "Job",
        ".spec.template.metadata.labels[\"controller-uid\"]",
    ),
    (
        "job/name",
        "batch",
        "Job",
        ".spec.template.metadata.labels[\"job-name\"]",
    ),
    (
        "hpa/annotations",
        "autoscaling",
        "HorizontalPodAutoscaler",
        ".metadata.annotations[\"autoscaling.alpha.kubernetes.io/*\"]",
    ),
    (
        "csr/user",
        "certificates.k8s.io",
        "CertificateSigningRequest",
        ".spec.username",
    ),
    (
        "csr/uid",
        "certificates.k8s.io",
        "CertificateSigningRequest",
        ".spec.uid",
    ),
    (
        "csr/groups",
        "certificates.k8s.io",
        "CertificateSigningRequest",
        ".spec.groups",
    ),
    (
        "csr/extra",
        "certificates.k8s.io",
        "CertificateSigningRequest",
        ".spec.extra",
    ),
    (
        "clusterrole/aggregated",
        "rbac.authorization.k8s.io",
        "ClusterRole",
        ".rules",
    ),
];

/// The id of the row that says that servers fill a field in.
pub(crate) fn set_by_server(gvk: &Gvk, path: &FieldPath) -> Option<&'static str> {
    static COMPILED: LazyLock<Vec<(usize, PathPattern)>> = LazyLock::new(|| {
        let compile = |(i, row): (usize, &(&str, &str, &str, &str))| Some((i, row.3.parse().ok()?));
        ROWS.iter().enumerate().filter_map(compile).collect()
    });
    COMPILED.iter().find_map(|(i, pattern)| {
        let (id, group, kind, _) = ROWS[*i];
        let of_kind = kind.is_empty() || (group == gvk.group() && kind == gvk.kind());
        (of_kind && pattern.covers(path)).then_some(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_are_readable() {
        for (id, _, _, path) in ROWS {
            path.parse::<PathPattern>()
                .unwrap_or_else(|error| panic!("{id}: {error}"));
        }
    }
}
