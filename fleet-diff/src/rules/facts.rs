//! What API servers refuse to change, by kind.
//!
//! Each row cites the validation it comes from. Providers of other tools claim more than servers do; a row is here only
//! when a server refused the change in a test.

use std::sync::LazyLock;

use serde_json::Value;

use super::{pattern::PathPattern, pods, volumes};
use crate::{FieldPath, FieldSet, Gvk, Quantity, document::Node};

/// A change that a server refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) rule: &'static str,
    pub(crate) fact: Fact,
    pub(crate) path: FieldPath,
}

/// What may not happen to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    /// Nothing: the object must be made again.
    Immutable,
    /// Nothing once it has a value.
    WriteOnce,
    /// It may only grow, as a quantity.
    GrowOnly,
}

/// Whether a row counts for this change.
type When = fn(live: Node<'_>, new: Node<'_>) -> bool;

struct Row {
    id: &'static str,
    group: &'static str,
    kind: &'static str,
    path: &'static str,
    except: &'static [&'static str],
    fact: Fact,
    when: When,
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
const ROWS: &[Row] = &[
    row("secret/type", "", "Secret", ".type"),
    row("secret/immutable", "", "Secret", ".immutable").when(is_immutable),
    row("secret/immutable-data", "", "Secret", ".data").when(is_immutable),
    row("configmap/immutable", "", "ConfigMap", ".immutable").when(is_immutable),
    row("configmap/immutable-data", "", "ConfigMap", ".data").when(is_immutable),
    row("configmap/immutable-binary-data", "", "ConfigMap", ".binaryData").when(is_immutable),
    row("service/cluster-ip", "", "Service", ".spec.clusterIP")
        .fact(Fact::WriteOnce)
        .when(keeps_cluster_ip),
    row("service/cluster-ips", "", "Service", ".spec.clusterIPs").when(moves_first_address),
    row("service/ip-families", "", "Service", ".spec.ipFamilies").when(moves_first_family),
    row(
        "service/load-balancer-class",
        "",
        "Service",
        ".spec.loadBalancerClass",
    )
    .when(stays_load_balancer),
    row(
        "service/health-check-node-port",
        "",
        "Service",
        ".spec.healthCheckNodePort",
    )
    .when(keeps_health_check_port),
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
    .when(is_unbound),
    row(
        "pvc/storage-unbound",
        "",
        "PersistentVolumeClaim",
        ".spec.resources.requests",
    )
    .when(is_unbound),
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

struct Compiled {
    row: &'static Row,
    path: PathPattern,
    except: Vec<PathPattern>,
}

static COMPILED: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let compile = |row| compile(row).expect("the table's own patterns are tested");
    ROWS.iter().map(compile).collect()
});

fn compile(row: &'static Row) -> Result<Compiled, crate::PathError> {
    let except = row
        .except
        .iter()
        .map(|path| path.parse())
        .collect::<Result<_, _>>()?;
    Ok(Compiled {
        row,
        path: row.path.parse()?,
        except,
    })
}

/// The changes among these that a server refuses. `changed` are the fields that differ between both objects.
pub(crate) fn broken(gvk: &Gvk, changed: &FieldSet, live: Node<'_>, new: Node<'_>) -> Vec<Broken> {
    let rows = COMPILED
        .iter()
        .filter(|c| c.row.group == gvk.group() && c.row.kind == gvk.kind());
    let mut found = Vec::new();
    for compiled in rows.filter(|c| (c.row.when)(live, new)) {
        let hit = changed.iter().find(|path| {
            let meant = compiled.path.covers(path) && !is_excepted(compiled, path, live);
            meant && really_changed(path, live, new) && forbids(compiled, path, live, new)
        });
        if let Some(path) = hit {
            found.push(Broken {
                rule: compiled.row.id,
                fact: compiled.row.fact,
                path,
            });
        }
    }
    found
}

/// A field around an exception changes along with it: it says nothing by itself. A list does: by its order.
fn is_excepted(compiled: &Compiled, path: &FieldPath, live: Node<'_>) -> bool {
    let is_list = path.find(live).is_some_and(Node::is_list);
    compiled
        .except
        .iter()
        .any(|except| except.covers(path) || (!is_list && except.is_inside(path)))
}

fn really_changed(path: &FieldPath, live: Node<'_>, new: Node<'_>) -> bool {
    match (path.find(live), path.find(new)) {
        (Some(a), Some(b)) => !is_same(&a.to_json(), &b.to_json()),
        (None, None) => false,
        _ => true,
    }
}

fn forbids(compiled: &Compiled, path: &FieldPath, live: Node<'_>, new: Node<'_>) -> bool {
    match compiled.row.fact {
        Fact::Immutable => true,
        Fact::WriteOnce => {
            let meant = FieldPath::new(path.elements().iter().take(compiled.path.len()).cloned());
            meant.find(live).is_some_and(|value| !is_empty(&value.to_json()))
        }
        Fact::GrowOnly => {
            let quantity = |of| path.find(of).and_then(Node::as_str)?.parse::<Quantity>().ok();
            matches!((quantity(live), quantity(new)), (Some(before), Some(after)) if after < before)
        }
    }
}

/// Equal as the server compares stored forms: quantities by value.
pub(crate) fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| is_same(a, b)))
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| is_same(a, b))
        }
        (Value::String(a), Value::String(b)) => {
            a == b || matches!((a.parse::<Quantity>(), b.parse::<Quantity>()), (Ok(a), Ok(b)) if a == b)
        }
        _ => a == b,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        _ => false,
    }
}

pub(super) fn at<'v>(value: Node<'v>, path: &[&str]) -> Option<Node<'v>> {
    path.iter().try_fold(value, |at, key| at.get(key))
}

pub(super) fn text<'v>(value: Node<'v>, path: &[&str]) -> &'v str {
    at(value, path).and_then(Node::as_str).unwrap_or("")
}

fn is_true(value: Node<'_>, path: &[&str]) -> bool {
    at(value, path).and_then(Node::as_bool) == Some(true)
}

fn is_immutable(live: Node<'_>, _: Node<'_>) -> bool {
    is_true(live, &["immutable"])
}

/// Free when the Service becomes or was one without addresses.
fn keeps_cluster_ip(live: Node<'_>, new: Node<'_>) -> bool {
    [live, new]
        .iter()
        .all(|of| text(*of, &["spec", "type"]) != "ExternalName")
}

/// The first address and the first family stay as long as there are addresses; second ones may come and go.
fn moves_first_address(live: Node<'_>, new: Node<'_>) -> bool {
    keeps_cluster_ip(live, new) && first(live, "clusterIPs") != first(new, "clusterIPs")
}

fn moves_first_family(live: Node<'_>, new: Node<'_>) -> bool {
    keeps_cluster_ip(live, new) && first(live, "ipFamilies") != first(new, "ipFamilies")
}

fn first<'v>(of: Node<'v>, field: &str) -> Option<&'v str> {
    at(of, &["spec", field]).and_then(|list| list.item(0)?.as_str())
}

fn stays_load_balancer(live: Node<'_>, new: Node<'_>) -> bool {
    [live, new]
        .iter()
        .all(|of| text(*of, &["spec", "type"]) == "LoadBalancer")
}

fn keeps_health_check_port(live: Node<'_>, new: Node<'_>) -> bool {
    let local = |of: &Node<'_>| text(*of, &["spec", "externalTrafficPolicy"]) == "Local";
    stays_load_balancer(live, new) && [live, new].iter().all(local)
}

fn is_unbound(live: Node<'_>, _: Node<'_>) -> bool {
    text(live, &["status", "phase"]) != "Bound"
}

/// A range may get one of the other family beside it.
fn is_no_second_family(live: Node<'_>, new: Node<'_>) -> bool {
    let ranges = |of| at(of, &["spec", "cidrs"]);
    let count = |of| ranges(of).map_or(0, Node::len);
    let first = |of| ranges(of).and_then(|ranges| ranges.item(0)?.as_str());
    !(count(live) == 1 && count(new) == 2 && first(live) == first(new))
}

/// Completions of an indexed Job may change together with its parallelism.
fn is_not_elastic(_: Node<'_>, new: Node<'_>) -> bool {
    let spec = |field: &str| at(new, &["spec", field]);
    text(new, &["spec", "completionMode"]) != "Indexed" || spec("completions") != spec("parallelism")
}

fn is_running(live: Node<'_>, _: Node<'_>) -> bool {
    !is_true(live, &["spec", "suspend"])
}

fn is_suspended(live: Node<'_>, new: Node<'_>) -> bool {
    !is_running(live, new)
}

/// A version in which objects are stored must stay in the definition.
fn drops_stored_version(live: Node<'_>, new: Node<'_>) -> bool {
    let mut stored = at(live, &["status", "storedVersions"])
        .into_iter()
        .flat_map(Node::items);
    stored.any(|stored| {
        let mut versions = at(new, &["spec", "versions"]).into_iter().flat_map(Node::items);
        !versions.any(|version| version.get("name") == Some(stored))
    })
}

fn was_established(live: Node<'_>, _: Node<'_>) -> bool {
    is_established(live)
}

/// A CRD that is or was served: some of it is fixed then.
pub(crate) fn is_established(live: Node<'_>) -> bool {
    let mut conditions = at(live, &["status", "conditions"])
        .into_iter()
        .flat_map(Node::items);
    conditions.any(|c| text(c, &["type"]) == "Established" && text(c, &["status"]) == "True")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_readable() {
        let mut ids = BTreeSet::new();
        for row in ROWS {
            assert!(ids.insert(row.id), "{} twice", row.id);
            compile(row).unwrap_or_else(|error| panic!("{}: {error}", row.id));
        }
    }
}
