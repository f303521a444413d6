//! Defaults that API servers fill in by code (`SetDefaults_…` in `pkg/apis/*/*/defaults.go`), by the type they belong
//! to. Defaults that stand in a schema are not repeated here.

use serde_json::{Value, json};

use super::tree::{Draft, View};

/// Fills in what the type of this name has defaults for. The struct is in its stored form: what is empty is left out.
pub(super) fn apply(
    type_name: &str,
    map: &mut Draft<'_>,
    is_pointer: &dyn Fn(&str) -> bool,
    gate: &dyn Fn(&str) -> bool,
) {
    let name = short(type_name);
    if let Ok(at) = CONSTANT.binary_search_by(|(known, _)| (*known).cmp(name)) {
        for (field, value) in CONSTANT[at].1 {
            let zero = || !is_pointer(field) && map.get(field).and_then(View::as_i64) == Some(0);
            if (is_unset(map, field) || zero()) && is_on(name, field, gate) {
                map.set(field, value.to_json());
            }
        }
    }
    computed(name, map, gate);
}

/// Some fields have their default only where a feature gate is on.
fn is_on(type_name: &str, field: &str, gate: &dyn Fn(&str) -> bool) -> bool {
    match (type_name, field) {
        ("storage.v1.CSIDriverSpec", "seLinuxMount") => gate("SELinuxMountReadWriteOncePod"),
        ("storage.v1.CSIDriverSpec", "preventPodSchedulingIfMissing") => gate("VolumeLimitScaling"),
        _ => true,
    }
}

/// Without the prefix that all API types have.
fn short(type_name: &str) -> &str {
    type_name
        .strip_prefix("io.k8s.api.")
        .or_else(|| type_name.strip_prefix("io.k8s."))
        .unwrap_or(type_name)
}

enum Default {
    Text(&'static str),
    Number(i64),
    Bool(bool),
    EmptyMap,
}

impl Default {
    fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => (*text).into(),
            Self::Number(number) => (*number).into(),
            Self::Bool(value) => (*value).into(),
            Self::EmptyMap => json!({}),
        }
    }
}

use Default::{Bool, EmptyMap, Number, Text};

/// Sorted by type.
const CONSTANT: &[(&str, &[(&str, Default)])] = &[
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

/// Defaults that depend on other fields.
fn computed(type_name: &str, map: &mut Draft<'_>, gate: &dyn Fn(&str) -> bool) {
    match type_name {
        "core.v1.Container" | "core.v1.EphemeralContainer" => pull_policy(map, "image", "imagePullPolicy"),
        "core.v1.ImageVolumeSource" => pull_policy(map, "reference", "pullPolicy"),
        "core.v1.Volume" if map.keys().all(|key| key == "name") => {
            map.set("emptyDir", json!({}));
        }
        "core.v1.ServicePort" => {
            let target = map.get("targetPort");
            if target.is_none_or(|target| target.as_i64() == Some(0) || target.as_str() == Some("")) {
                let port = map.get("port").map_or(Value::from(0), View::to_json);
                map.set("targetPort", port);
            }
        }
        "core.v1.ServiceSpec" => service_spec(map),
        "core.v1.Namespace" => {
            let name = map
                .at(&["metadata", "name"])
                .and_then(View::as_str)
                .unwrap_or("")
                .to_owned();
            let known = map
                .at(&["metadata", "labels", "kubernetes.io/metadata.name"])
                .and_then(View::as_str);
            if !name.is_empty()
                && known != Some(&name)
                && let Some(labels) = map
                    .inner("metadata")
                    .and_then(|metadata| metadata.inner("labels"))
            {
                labels.set("kubernetes.io/metadata.name", name);
            }
        }
        "core.v1.ReplicationController" => {
            let own = map
                .at(&["spec", "template", "metadata", "labels"])
                .map(View::to_json);
            if let Some(own @ Value::Object(_)) = own {
                if map
                    .at(&["spec", "selector"])
                    .is_none_or(|selector| selector.len() == 0)
                    && let Some(spec) = map.existing("spec")
                {
                    spec.set("selector", own.clone());
                }
                inherit_labels(map, own);
            }
        }
        "core.v1.Pod" => pod(map),
        "core.v1.LimitRangeItem" => limit_range_item(map),
        "core.v1.NodeStatus" => {
            if is_unset(map, "allocatable")
                && let Some(capacity) = map.get("capacity").map(View::to_json)
            {
                map.set("allocatable", capacity);
            }
        }
        "apps.v1.DeploymentStrategy" if map.text("type") == Some("RollingUpdate") => {
            default(map, "rollingUpdate", "maxUnavailable", json!("25%"));
            default(map, "rollingUpdate", "maxSurge", json!("25%"));
        }
        "apps.v1.DaemonSetUpdateStrategy" if map.text("type") == Some("RollingUpdate") => {
            default(map, "rollingUpdate", "maxUnavailable", json!(1));
            default(map, "rollingUpdate", "maxSurge", json!(0));
        }
        "apps.v1.StatefulSetUpdateStrategy" => {
            if is_unset(map, "type") {
                map.set("type", "RollingUpdate");
                map.inner("rollingUpdate");
            }
            if map.text("type") == Some("RollingUpdate") && !is_unset(map, "rollingUpdate") {
                default(map, "rollingUpdate", "partition", json!(0));
                if gate("MaxUnavailableStatefulSet") {
                    default(map, "rollingUpdate", "maxUnavailable", json!(1));
                }
            }
        }
        "apps.v1.StatefulSetSpec" => {
            default(
                map,
                "persistentVolumeClaimRetentionPolicy",
                "whenDeleted",
                json!("Retain"),
            );
            default(
                map,
                "persistentVolumeClaimRetentionPolicy",
                "whenScaled",
                json!("Retain"),
            );
        }
        "batch.v1.Job" => {
            // Not of the template in a CronJob.
            job_spec(map);
            let own = map
                .at(&["spec", "template", "metadata", "labels"])
                .map(View::to_json);
            if let Some(own @ Value::Object(_)) = own {
                inherit_labels(map, own);
            }
        }
        "autoscaling.v2.HorizontalPodAutoscalerSpec" => autoscaler_spec(map),
        "networking.v1.NetworkPolicySpec" if is_unset(map, "policyTypes") => {
            let egress = map.get("egress").is_some_and(|egress| egress.len() > 0);
            map.set(
                "policyTypes",
                if egress {
                    json!(["Ingress", "Egress"])
                } else {
                    json!(["Ingress"])
                },
            );
        }
        "networking.v1.IngressClassSpec" if !is_unset(map, "parameters") => {
            default(map, "parameters", "scope", json!("Cluster"));
        }
        "rbac.v1.Subject"
            if is_unset(map, "apiGroup") && matches!(map.text("kind"), Some("User" | "Group")) =>
        {
            map.set("apiGroup", "rbac.authorization.k8s.io");
        }
        "storage.v1.CSIDriverSpec" if is_unset(map, "volumeLifecycleModes") => {
            map.set("volumeLifecycleModes", json!(["Persistent"]));
        }
        "resource.v1.ExactDeviceRequest" | "resource.v1.DeviceSubRequest"
            if map.text("allocationMode") == Some("ExactCount") && is_unset(map, "count") =>
        {
            map.set("count", 1);
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames" => {
            let kind = map.text("kind").unwrap_or("").to_owned();
            if is_unset(map, "singular") && !kind.is_empty() {
                map.set("singular", kind.to_lowercase());
            }
            if is_unset(map, "listKind") && !kind.is_empty() {
                map.set("listKind", format!("{kind}List"));
            }
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec"
            if is_unset(map, "conversion") =>
        {
            map.set("conversion", json!({"strategy": "None"}));
        }
        _ => {}
    }
}

fn pull_policy(map: &mut Draft<'_>, image: &str, policy: &str) {
    if is_unset(map, policy) {
        let always = tag(map.text(image).unwrap_or("")) == Some("latest");
        map.set(policy, if always { "Always" } else { "IfNotPresent" });
    }
}

/// The tag of an image; `latest` when it has neither tag nor digest, none when only a digest.
fn tag(image: &str) -> Option<&str> {
    let (name, digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => Some(tag),
        None => (!digest).then_some("latest"),
    }
}

fn service_spec(map: &mut Draft<'_>) {
    match map.text("sessionAffinity") {
        Some("None") => {
            map.remove("sessionAffinityConfig");
        }
        Some("ClientIP") => {
            let known = map.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
            if known.is_none_or(View::is_null) {
                map.set(
                    "sessionAffinityConfig",
                    json!({"clientIP": {"timeoutSeconds": 10800}}),
                );
            }
        }
        _ => {}
    }
    let kind = map.text("type").unwrap_or("").to_owned();
    let external_ips = map.get("externalIPs").is_some_and(|ips| ips.len() > 0);
    let external = matches!(&*kind, "LoadBalancer" | "NodePort") || (kind == "ClusterIP" && external_ips);
    if external && is_unset(map, "externalTrafficPolicy") {
        map.set("externalTrafficPolicy", "Cluster");
    }
    if matches!(&*kind, "LoadBalancer" | "NodePort" | "ClusterIP") && is_unset(map, "internalTrafficPolicy") {
        map.set("internalTrafficPolicy", "Cluster");
    }
    if kind == "ExternalName" && map.contains("internalTrafficPolicy") {
        // It does not show (`core/service/storage`, `defaultOnReadInternalTrafficPolicy`).
        map.remove("internalTrafficPolicy");
    }
    if kind == "LoadBalancer" && is_unset(map, "allocateLoadBalancerNodePorts") {
        map.set("allocateLoadBalancerNodePorts", true);
    }
}

fn pod(map: &mut Draft<'_>) {
    let Some(spec) = map.existing("spec") else { return };
    let host_network = spec.get("hostNetwork").and_then(View::as_bool) == Some(true);
    for list in ["containers", "initContainers"] {
        if !spec.contains(list) {
            continue;
        }
        for container in spec.list(list).into_iter().flatten() {
            let limits = container
                .view()
                .get("resources")
                .and_then(|resources| resources.get("limits"));
            let limits = limits.map(View::to_json).unwrap_or_default();
            let Some(container) = container.as_draft() else {
                continue;
            };
            if let Value::Object(limits) = limits
                && let Some(requests) = container.existing("resources").and_then(|r| r.inner("requests"))
            {
                for (name, limit) in limits {
                    if !requests.contains(&name) {
                        requests.set(&name, limit);
                    }
                }
            }
            if host_network && container.contains("ports") {
                for port in container.list("ports").into_iter().flatten() {
                    let number = port
                        .view()
                        .get("containerPort")
                        .map(View::to_json)
                        .unwrap_or_default();
                    if let Some(port) = port.as_draft()
                        && is_unset(port, "hostPort")
                    {
                        port.set("hostPort", number);
                    }
                }
            }
        }
    }
    if is_unset(spec, "enableServiceLinks") {
        spec.set("enableServiceLinks", true);
    }
}

fn limit_range_item(map: &mut Draft<'_>) {
    if map.text("type") != Some("Container") {
        return;
    }
    let list = |map: &Draft<'_>, key: &str| match map.get(key).map(View::to_json) {
        Some(Value::Object(list)) => list,
        _ => serde_json::Map::new(),
    };
    let (mut defaults, mut requests) = (list(map, "default"), list(map, "defaultRequest"));
    for (name, value) in list(map, "max") {
        defaults.entry(name).or_insert(value);
    }
    for (name, value) in defaults.clone().into_iter().chain(list(map, "min")) {
        requests.entry(name).or_insert(value);
    }
    for (key, list) in [("default", defaults), ("defaultRequest", requests)] {
        if !list.is_empty() {
            map.set(key, list);
        }
    }
}

fn job_spec(map: &mut Draft<'_>) {
    let Some(spec) = map.existing("spec") else { return };
    if is_unset(spec, "completions") && is_unset(spec, "parallelism") {
        spec.set("completions", 1);
    }
    let limit = if is_unset(spec, "backoffLimitPerIndex") {
        6
    } else {
        i32::MAX
    };
    let replacement = if is_unset(spec, "podFailurePolicy") {
        "TerminatingOrFailed"
    } else {
        "Failed"
    };
    let defaults = [
        ("parallelism", json!(1)),
        ("backoffLimit", json!(limit)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("podReplacementPolicy", json!(replacement)),
        ("manualSelector", json!(false)),
    ];
    for (field, value) in defaults {
        if is_unset(spec, field) {
            spec.set(field, value);
        }
    }
}

fn autoscaler_spec(map: &mut Draft<'_>) {
    if is_unset(map, "metrics") {
        let metric = json!([{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80},
        }}]);
        map.set("metrics", metric);
    }
    if is_unset(map, "behavior") {
        return;
    }
    let Some(behavior) = map.existing("behavior") else {
        return;
    };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    default(behavior, "scaleUp", "stabilizationWindowSeconds", json!(0));
    default(behavior, "scaleUp", "selectPolicy", json!("Max"));
    default(behavior, "scaleUp", "policies", json!([pods, percent]));
    default(behavior, "scaleDown", "selectPolicy", json!("Max"));
    default(behavior, "scaleDown", "policies", json!([percent]));
}

/// Absent, null or an empty text. The number 0 is no such thing here: where Go cannot tell it from absent, the stored form
/// leaves it out.
fn is_unset(map: &Draft<'_>, field: &str) -> bool {
    map.get(field)
        .is_none_or(|value| value.is_null() || value.as_str() == Some(""))
}

/// Sets a field of an inner mapping, which is made when it is not there.
fn default(map: &mut Draft<'_>, inner: &str, field: &str, value: Value) {
    let known = map.at(&[inner, field]);
    if known.is_none_or(|known| known.is_null() || known.as_str() == Some(""))
        && let Some(inner) = map.inner(inner)
    {
        inner.set(field, value);
    }
}

fn inherit_labels(map: &mut Draft<'_>, own: Value) {
    if map
        .at(&["metadata", "labels"])
        .is_none_or(|labels| labels.len() == 0)
        && own.as_object().is_some_and(|own| !own.is_empty())
        && let Some(metadata) = map.inner("metadata")
    {
        metadata.set("labels", own);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_tags_are_found() {
        assert!(CONSTANT.is_sorted_by(|a, b| a.0 < b.0));
        let cases = [
            ("nginx", Some("latest")),
            ("nginx:1.2", Some("1.2")),
            ("host:5000/nginx", Some("latest")),
            ("host:5000/nginx:latest", Some("latest")),
            ("nginx@sha256:ab", None),
            ("nginx:1@sha256:ab", Some("1")),
        ];
        for (image, expect) in cases {
            assert_eq!(tag(image), expect, "{image}");
        }
    }
}
