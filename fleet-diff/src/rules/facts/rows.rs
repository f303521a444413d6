//! The table.
//!
//! Each row cites the validation it comes from. Providers of other tools claim more than servers do; a row is here only
//! when a server refused the change in a test.

use super::{
    Fact, pods, services, volumes,
    when::{
        drops_stored_version, is_immutable, is_no_second_family, is_not_elastic, is_running, is_suspended,
        was_established,
    },
};
use crate::document::Node;

/// Whether a row counts for this change.
pub(super) type When = fn(live: Node<'_>, new: Node<'_>) -> bool;

pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) group: &'static str,
    pub(super) kind: &'static str,
    pub(super) path: &'static str,
    pub(super) except: &'static [&'static str],
    pub(super) fact: Fact,
    pub(super) when: When,
}

const fn row(id: &'static str, group: &'static str, kind: &'static str, path: &'static str) -> Row {
    Row {
        id,
        group,
        kind,
        path,
        except: &[],
        fact: Fact::Immutable,
        when: always,
    }
}

impl Row {
    const fn except(self, except: &'static [&'static str]) -> Self {
        Self { except, ..self }
    }

    const fn fact(self, fact: Fact) -> Self {
        Self { fact, ..self }
    }

    const fn when(self, when: When) -> Self {
        Self { when, ..self }
    }
}

fn always(_: Node<'_>, _: Node<'_>) -> bool {
    true
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Sources: `Validate…Update` in `pkg/apis/<group>/validation/validation.go` of Kubernetes 1.36.
pub(super) const ROWS: &[Row] = &[
    row("secret/type", "", "Secret", ".type"),
    row("secret/immutable", "", "Secret", ".immutable").when(is_immutable),
    row("secret/immutable-data", "", "Secret", ".data").when(is_immutable),
    row("configmap/immutable", "", "ConfigMap", ".immutable").when(is_immutable),
    row("configmap/immutable-data", "", "ConfigMap", ".data").when(is_immutable),
    row("configmap/immutable-binary-data", "", "ConfigMap", ".binaryData").when(is_immutable),
    row("service/cluster-ip", "", "Service", ".spec.clusterIP")
        .fact(Fact::WriteOnce)
        .when(services::keeps_cluster_ip),
    row("service/cluster-ips", "", "Service", ".spec.clusterIPs").when(services::moves_first_address),
    row("service/ip-families", "", "Service", ".spec.ipFamilies").when(services::moves_first_family),
    row(
        "service/load-balancer-class",
        "",
        "Service",
        ".spec.loadBalancerClass",
    )
    .when(services::stays_load_balancer),
    row(
        "service/health-check-node-port",
        "",
        "Service",
        ".spec.healthCheckNodePort",
    )
    .when(services::keeps_health_check_port),
    row("pvc/spec", "", "PersistentVolumeClaim", ".spec").except(&[
        ".spec.resources.requests",
        ".spec.volumeName",
        ".spec.storageClassName",
        ".spec.volumeAttributesClassName",
    ]),
    row("pvc/volume-name", "", "PersistentVolumeClaim", ".spec.volumeName").fact(Fact::WriteOnce),
    row(
        "pvc/storage-class",
        "",
        "PersistentVolumeClaim",
        ".spec.storageClassName",
    )
    .fact(Fact::WriteOnce),
    row(
        "pvc/volume-attributes-class",
        "",
        "PersistentVolumeClaim",
        ".spec.volumeAttributesClassName",
    )
    .when(volumes::is_unbound),
    row(
        "pvc/storage-unbound",
        "",
        "PersistentVolumeClaim",
        ".spec.resources.requests",
    )
    .when(volumes::is_unbound),
    row(
        "pvc/volume-attributes-class-in-force",
        "",
        "PersistentVolumeClaim",
        ".spec.volumeAttributesClassName",
    )
    .when(volumes::loses_class_in_force),
    row(
        "pvc/storage",
        "",
        "PersistentVolumeClaim",
        ".spec.resources.requests.storage",
    )
    .fact(Fact::GrowOnly)
    .when(volumes::is_within_capacity),
    row("pv/source", "", "PersistentVolume", ".spec").except(&[
        ".spec.accessModes",
        ".spec.capacity",
        ".spec.claimRef",
        ".spec.mountOptions",
        ".spec.nodeAffinity",
        ".spec.persistentVolumeReclaimPolicy",
        ".spec.storageClassName",
        ".spec.volumeAttributesClassName",
        ".spec.csi.controllerExpandSecretRef",
    ]),
    row(
        "pv/expand-secret",
        "",
        "PersistentVolume",
        ".spec.csi.controllerExpandSecretRef",
    )
    .fact(Fact::WriteOnce),
    row(
        "pv/volume-attributes-class",
        "",
        "PersistentVolume",
        ".spec.volumeAttributesClassName",
    )
    .when(volumes::loses_class),
    row("pv/node-affinity", "", "PersistentVolume", ".spec.nodeAffinity")
        .fact(Fact::WriteOnce)
        .when(volumes::is_no_new_label),
    row("pod/spec", "", "Pod", ".spec").except(&[
        ".spec.containers[*].image",
        ".spec.initContainers[*].image",
        ".spec.activeDeadlineSeconds",
        ".spec.tolerations",
        ".spec.terminationGracePeriodSeconds",
        ".spec.schedulingGates",
        ".spec.nodeSelector",
        ".spec.affinity",
    ]),
    row("pod/deadline", "", "Pod", ".spec.activeDeadlineSeconds").when(pods::is_put_off),
    row("pod/tolerations", "", "Pod", ".spec.tolerations").when(pods::loses_toleration),
    row("pod/scheduling-gates", "", "Pod", ".spec.schedulingGates").when(pods::gains_gate),
    row(
        "pod/grace-period",
        "",
        "Pod",
        ".spec.terminationGracePeriodSeconds",
    )
    .when(pods::is_no_repair_of_grace),
    row("pod/affinity", "", "Pod", ".spec.affinity").when(pods::is_no_narrower_affinity),
    row("node/pod-cidr", "", "Node", ".spec.podCIDR").fact(Fact::WriteOnce),
    row("node/pod-cidrs", "", "Node", ".spec.podCIDRs").fact(Fact::WriteOnce),
    row("node/provider-id", "", "Node", ".spec.providerID").fact(Fact::WriteOnce),
    row("resource-quota/scopes", "", "ResourceQuota", ".spec.scopes"),
    row("deployment/selector", "apps", "Deployment", ".spec.selector"),
    row("daemonset/selector", "apps", "DaemonSet", ".spec.selector"),
    row("replicaset/selector", "apps", "ReplicaSet", ".spec.selector"),
    row("controller-revision/data", "apps", "ControllerRevision", ".data"),
    row("statefulset/spec", "apps", "StatefulSet", ".spec").except(&[
        ".spec.replicas",
        ".spec.template",
        ".spec.updateStrategy",
        ".spec.minReadySeconds",
        ".spec.ordinals",
        ".spec.revisionHistoryLimit",
        ".spec.persistentVolumeClaimRetentionPolicy",
    ]),
    row("job/completions", "batch", "Job", ".spec.completions").when(is_not_elastic),
    row("job/selector", "batch", "Job", ".spec.selector"),
    row("job/template", "batch", "Job", ".spec.template").when(is_running),
    row("job/suspended-template", "batch", "Job", ".spec.template")
        .except(&[
            ".spec.template.metadata.annotations",
            ".spec.template.metadata.labels",
            ".spec.template.spec.affinity.nodeAffinity",
            ".spec.template.spec.nodeSelector",
            ".spec.template.spec.schedulingGates",
            ".spec.template.spec.tolerations",
            ".spec.template.spec.containers[*].resources",
            ".spec.template.spec.initContainers[*].resources",
        ])
        .when(is_suspended),
    row("job/completion-mode", "batch", "Job", ".spec.completionMode"),
    row("job/pod-failure-policy", "batch", "Job", ".spec.podFailurePolicy"),
    row(
        "job/backoff-limit-per-index",
        "batch",
        "Job",
        ".spec.backoffLimitPerIndex",
    ),
    row("job/managed-by", "batch", "Job", ".spec.managedBy"),
    row("job/success-policy", "batch", "Job", ".spec.successPolicy"),
    row("rolebinding/role", RBAC, "RoleBinding", ".roleRef"),
    row("clusterrolebinding/role", RBAC, "ClusterRoleBinding", ".roleRef"),
    row(
        "storageclass/parameters",
        "storage.k8s.io",
        "StorageClass",
        ".parameters",
    ),
    row(
        "storageclass/provisioner",
        "storage.k8s.io",
        "StorageClass",
        ".provisioner",
    ),
    row(
        "storageclass/reclaim-policy",
        "storage.k8s.io",
        "StorageClass",
        ".reclaimPolicy",
    ),
    row(
        "storageclass/binding-mode",
        "storage.k8s.io",
        "StorageClass",
        ".volumeBindingMode",
    ),
    row(
        "csidriver/attach",
        "storage.k8s.io",
        "CSIDriver",
        ".spec.attachRequired",
    ),
    row(
        "csidriver/modes",
        "storage.k8s.io",
        "CSIDriver",
        ".spec.volumeLifecycleModes",
    ),
    row(
        "csi-storage-capacity/topology",
        "storage.k8s.io",
        "CSIStorageCapacity",
        ".nodeTopology",
    ),
    row(
        "csi-storage-capacity/class",
        "storage.k8s.io",
        "CSIStorageCapacity",
        ".storageClassName",
    ),
    row(
        "volume-attachment/spec",
        "storage.k8s.io",
        "VolumeAttachment",
        ".spec",
    ),
    row(
        "volume-attributes-class/driver",
        "storage.k8s.io",
        "VolumeAttributesClass",
        ".driverName",
    ),
    row(
        "volume-attributes-class/parameters",
        "storage.k8s.io",
        "VolumeAttributesClass",
        ".parameters",
    ),
    row(
        "priorityclass/value",
        "scheduling.k8s.io",
        "PriorityClass",
        ".value",
    ),
    row(
        "priorityclass/preemption",
        "scheduling.k8s.io",
        "PriorityClass",
        ".preemptionPolicy",
    ),
    row("runtimeclass/handler", "node.k8s.io", "RuntimeClass", ".handler"),
    row(
        "ingressclass/controller",
        "networking.k8s.io",
        "IngressClass",
        ".spec.controller",
    ),
    row(
        "ipaddress/parent",
        "networking.k8s.io",
        "IPAddress",
        ".spec.parentRef",
    ),
    row(
        "servicecidr/cidrs",
        "networking.k8s.io",
        "ServiceCIDR",
        ".spec.cidrs",
    )
    .when(is_no_second_family),
    row(
        "endpointslice/address-type",
        "discovery.k8s.io",
        "EndpointSlice",
        ".addressType",
    ),
    row(
        "cluster-trust-bundle/signer",
        "certificates.k8s.io",
        "ClusterTrustBundle",
        ".spec.signerName",
    ),
    row(
        "pod-certificate-request/spec",
        "certificates.k8s.io",
        "PodCertificateRequest",
        ".spec",
    ),
    row("resource-claim/spec", "resource.k8s.io", "ResourceClaim", ".spec"),
    row(
        "resource-claim-template/spec",
        "resource.k8s.io",
        "ResourceClaimTemplate",
        ".spec",
    ),
    row(
        "resource-slice/driver",
        "resource.k8s.io",
        "ResourceSlice",
        ".spec.driver",
    ),
    row(
        "resource-slice/node",
        "resource.k8s.io",
        "ResourceSlice",
        ".spec.nodeName",
    ),
    row(
        "resource-slice/pool",
        "resource.k8s.io",
        "ResourceSlice",
        ".spec.pool.name",
    ),
    row(
        "crd/group",
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        ".spec.group",
    ),
    row(
        "crd/scope",
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        ".spec.scope",
    )
    .when(was_established),
    row(
        "crd/stored-version",
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        ".spec.versions",
    )
    .when(drops_stored_version),
    row(
        "crd/plural",
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        ".spec.names.plural",
    ),
    row(
        "crd/kind",
        "apiextensions.k8s.io",
        "CustomResourceDefinition",
        ".spec.names.kind",
    )
    .when(was_established),
];
