//! Defaults that API servers fill in by code (`SetDefaults_…` in `pkg/apis/*/*/defaults.go`), by the type they belong
//! to. Defaults that stand in a schema are not repeated here.

use serde_json::{Map, Value, json};

/// Fills in what the type of this name has defaults for. The struct is in its stored form: what is empty is left out.
pub(super) fn apply(
    type_name: &str,
    map: &mut Map<String, Value>,
    is_pointer: &dyn Fn(&str) -> bool,
    gate: &dyn Fn(&str) -> bool,
) {
    let name = short(type_name);
    if let Ok(at) = CONSTANT.binary_search_by(|(known, _)| (*known).cmp(name)) {
        for (field, value) in CONSTANT[at].1 {
            let zero = || !is_pointer(field) && map.get(*field).and_then(Value::as_i64) == Some(0);
            if (is_unset(map, field) || zero()) && is_on(name, field, gate) {
                map.insert((*field).to_owned(), value.to_json());
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
    type_name.strip_prefix("io.k8s.api.").or_else(|| type_name.strip_prefix("io.k8s.")).unwrap_or(type_name)
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
    ("admissionregistration.v1.MatchResources", &[
        ("matchPolicy", Text("Equivalent")),
        ("namespaceSelector", EmptyMap),
        ("objectSelector", EmptyMap),
    ]),
    ("admissionregistration.v1.MutatingAdmissionPolicySpec", &[("failurePolicy", Text("Fail"))]),
    ("admissionregistration.v1.MutatingWebhook", &[
        ("failurePolicy", Text("Fail")),
        ("matchPolicy", Text("Equivalent")),
        ("namespaceSelector", EmptyMap),
        ("objectSelector", EmptyMap),
        ("timeoutSeconds", Number(10)),
        ("reinvocationPolicy", Text("Never")),
    ]),
    ("admissionregistration.v1.NamedRuleWithOperations", &[("scope", Text("*"))]),
    ("admissionregistration.v1.RuleWithOperations", &[("scope", Text("*"))]),
    ("admissionregistration.v1.ServiceReference", &[("port", Number(443))]),
    ("admissionregistration.v1.ValidatingAdmissionPolicySpec", &[("failurePolicy", Text("Fail"))]),
    ("admissionregistration.v1.ValidatingWebhook", &[
        ("failurePolicy", Text("Fail")),
        ("matchPolicy", Text("Equivalent")),
        ("namespaceSelector", EmptyMap),
        ("objectSelector", EmptyMap),
        ("timeoutSeconds", Number(10)),
    ]),
    ("apiextensions-apiserver.pkg.apis.apiextensions.v1.ServiceReference", &[("port", Number(443))]),
    ("apps.v1.DaemonSetSpec", &[("revisionHistoryLimit", Number(10))]),
    ("apps.v1.DaemonSetUpdateStrategy", &[("type", Text("RollingUpdate"))]),
    ("apps.v1.DeploymentSpec", &[
        ("replicas", Number(1)),
        ("revisionHistoryLimit", Number(10)),
        ("progressDeadlineSeconds", Number(600)),
    ]),
    ("apps.v1.DeploymentStrategy", &[("type", Text("RollingUpdate"))]),
    ("apps.v1.ReplicaSetSpec", &[("replicas", Number(1))]),
    ("apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", &[
        ("whenDeleted", Text("Retain")),
        ("whenScaled", Text("Retain")),
    ]),
    ("apps.v1.StatefulSetSpec", &[
        ("podManagementPolicy", Text("OrderedReady")),
        ("replicas", Number(1)),
        ("revisionHistoryLimit", Number(10)),
    ]),
    ("autoscaling.v1.HorizontalPodAutoscalerSpec", &[("minReplicas", Number(1))]),
    ("autoscaling.v2.HorizontalPodAutoscalerSpec", &[("minReplicas", Number(1))]),
    ("batch.v1.CronJobSpec", &[
        ("concurrencyPolicy", Text("Allow")),
        ("suspend", Bool(false)),
        ("successfulJobsHistoryLimit", Number(3)),
        ("failedJobsHistoryLimit", Number(1)),
    ]),
    ("batch.v1.PodFailurePolicyOnPodConditionsPattern", &[("status", Text("True"))]),
    ("core.v1.ConfigMapVolumeSource", &[("defaultMode", Number(420))]),
    ("core.v1.Container", &[
        ("terminationMessagePath", Text("/dev/termination-log")),
        ("terminationMessagePolicy", Text("File")),
    ]),
    ("core.v1.DownwardAPIVolumeSource", &[("defaultMode", Number(420))]),
    ("core.v1.EndpointPort", &[("protocol", Text("TCP"))]),
    ("core.v1.EphemeralContainer", &[
        ("terminationMessagePath", Text("/dev/termination-log")),
        ("terminationMessagePolicy", Text("File")),
    ]),
    ("core.v1.HTTPGetAction", &[("path", Text("/")), ("scheme", Text("HTTP"))]),
    ("core.v1.HostPathVolumeSource", &[("type", Text(""))]),
    ("core.v1.NamespaceStatus", &[("phase", Text("Active"))]),
    ("core.v1.ObjectFieldSelector", &[("apiVersion", Text("v1"))]),
    ("core.v1.PersistentVolumeClaimSpec", &[("volumeMode", Text("Filesystem"))]),
    ("core.v1.PersistentVolumeClaimStatus", &[("phase", Text("Pending"))]),
    ("core.v1.PersistentVolumeSpec", &[
        ("persistentVolumeReclaimPolicy", Text("Retain")),
        ("volumeMode", Text("Filesystem")),
    ]),
    ("core.v1.PersistentVolumeStatus", &[("phase", Text("Pending"))]),
    ("core.v1.PodSpec", &[
        ("dnsPolicy", Text("ClusterFirst")),
        ("restartPolicy", Text("Always")),
        ("securityContext", EmptyMap),
        ("terminationGracePeriodSeconds", Number(30)),
        ("schedulerName", Text("default-scheduler")),
    ]),
    ("core.v1.Probe", &[
        ("timeoutSeconds", Number(1)),
        ("periodSeconds", Number(10)),
        ("successThreshold", Number(1)),
        ("failureThreshold", Number(3)),
    ]),
    ("core.v1.ProjectedVolumeSource", &[("defaultMode", Number(420))]),
    ("core.v1.ReplicationControllerSpec", &[("replicas", Number(1))]),
    ("core.v1.Secret", &[("type", Text("Opaque"))]),
    ("core.v1.SecretVolumeSource", &[("defaultMode", Number(420))]),
    ("core.v1.ServiceAccountTokenProjection", &[("expirationSeconds", Number(3600))]),
    ("core.v1.ServicePort", &[("protocol", Text("TCP"))]),
    ("core.v1.ServiceSpec", &[("type", Text("ClusterIP")), ("sessionAffinity", Text("None"))]),
    ("discovery.v1.EndpointPort", &[("name", Text("")), ("protocol", Text("TCP"))]),
    ("flowcontrol.v1.ExemptPriorityLevelConfiguration", &[
        ("nominalConcurrencyShares", Number(0)),
        ("lendablePercent", Number(0)),
    ]),
    ("flowcontrol.v1.FlowSchemaSpec", &[("matchingPrecedence", Number(1000))]),
    ("flowcontrol.v1.LimitedPriorityLevelConfiguration", &[
        ("nominalConcurrencyShares", Number(30)),
        ("lendablePercent", Number(0)),
    ]),
    ("flowcontrol.v1.QueuingConfiguration", &[
        ("handSize", Number(8)),
        ("queues", Number(64)),
        ("queueLengthLimit", Number(50)),
    ]),
    ("kube-aggregator.pkg.apis.apiregistration.v1.ServiceReference", &[("port", Number(443))]),
    ("networking.v1.NetworkPolicyPort", &[("protocol", Text("TCP"))]),
    ("rbac.v1.RoleRef", &[("apiGroup", Text("rbac.authorization.k8s.io"))]),
    ("resource.v1.DeviceSubRequest", &[("allocationMode", Text("ExactCount"))]),
    ("resource.v1.ExactDeviceRequest", &[("allocationMode", Text("ExactCount"))]),
    ("scheduling.v1.PriorityClass", &[("preemptionPolicy", Text("PreemptLowerPriority"))]),
    ("storage.v1.CSIDriverSpec", &[
        ("attachRequired", Bool(true)),
        ("podInfoOnMount", Bool(false)),
        ("storageCapacity", Bool(false)),
        ("fsGroupPolicy", Text("ReadWriteOnceWithFSType")),
        ("requiresRepublish", Bool(false)),
        ("seLinuxMount", Bool(false)),
        ("preventPodSchedulingIfMissing", Bool(false)),
    ]),
    ("storage.v1.StorageClass", &[
        ("reclaimPolicy", Text("Delete")),
        ("volumeBindingMode", Text("Immediate")),
    ]),
];

/// Defaults that depend on other fields.
fn computed(type_name: &str, map: &mut Map<String, Value>, gate: &dyn Fn(&str) -> bool) {
    match type_name {
        "core.v1.Container" | "core.v1.EphemeralContainer" => pull_policy(map, "image", "imagePullPolicy"),
        "core.v1.ImageVolumeSource" => pull_policy(map, "reference", "pullPolicy"),
        "core.v1.Volume" => {
            if map.keys().all(|key| key == "name") {
                map.insert("emptyDir".into(), json!({}));
            }
        }
        "core.v1.ServicePort" => {
            let target = map.get("targetPort");
            if target.is_none_or(|target| target.as_i64() == Some(0) || target.as_str() == Some("")) {
                let port = map.get("port").cloned().unwrap_or(Value::from(0));
                map.insert("targetPort".into(), port);
            }
        }
        "core.v1.ServiceSpec" => service_spec(map),
        "core.v1.Namespace" => {
            let name = map.get("metadata").and_then(|metadata| metadata.get("name")?.as_str()).map(str::to_owned);
            if let (Some(name), Some(labels)) = (name.filter(|name| !name.is_empty()), labels(map)) {
                labels.insert("kubernetes.io/metadata.name".into(), name.into());
            }
        }
        "core.v1.ReplicationController" => {
            let template = inner(map, "spec").and_then(|spec| spec.get("template")).cloned().unwrap_or_default();
            let own = template["metadata"].get("labels").and_then(Value::as_object).cloned();
            if let Some(own) = own {
                if let Some(spec) = inner(map, "spec")
                    && is_unset(spec, "selector")
                {
                    spec.insert("selector".into(), own.clone().into());
                }
                inherit_labels(map, &own);
            }
        }
        "core.v1.Pod" => pod(map),
        "core.v1.LimitRangeItem" => limit_range_item(map),
        "core.v1.NodeStatus" => {
            if let (true, Some(capacity)) = (is_unset(map, "allocatable"), map.get("capacity").cloned()) {
                map.insert("allocatable".into(), capacity);
            }
        }
        "apps.v1.DeploymentStrategy" => {
            if is_text(map, "type", "RollingUpdate") {
                let rolling = map.entry("rollingUpdate").or_insert_with(|| json!({}));
                default(rolling, "maxUnavailable", json!("25%"));
                default(rolling, "maxSurge", json!("25%"));
            }
        }
        "apps.v1.DaemonSetUpdateStrategy" => {
            if is_text(map, "type", "RollingUpdate") {
                let rolling = map.entry("rollingUpdate").or_insert_with(|| json!({}));
                default(rolling, "maxUnavailable", json!(1));
                default(rolling, "maxSurge", json!(0));
            }
        }
        "apps.v1.StatefulSetUpdateStrategy" => {
            if is_unset(map, "type") {
                map.insert("type".into(), "RollingUpdate".into());
                map.entry("rollingUpdate").or_insert_with(|| json!({}));
            }
            if let (true, Some(rolling)) = (is_text(map, "type", "RollingUpdate"), map.get_mut("rollingUpdate")) {
                default(rolling, "partition", json!(0));
                if gate("MaxUnavailableStatefulSet") {
                    default(rolling, "maxUnavailable", json!(1));
                }
            }
        }
        "apps.v1.StatefulSetSpec" => {
            let retention = map.entry("persistentVolumeClaimRetentionPolicy").or_insert_with(|| json!({}));
            default(retention, "whenDeleted", json!("Retain"));
            default(retention, "whenScaled", json!("Retain"));
        }
        "batch.v1.Job" => {
            // Not of the template in a CronJob.
            if let Some(spec) = inner(map, "spec") {
                job_spec(spec);
            }
            let spec = inner(map, "spec").cloned().unwrap_or_default();
            let own = spec.get("template").and_then(|template| template["metadata"].get("labels")?.as_object());
            if let Some(own) = own {
                inherit_labels(map, own);
            }
        }
        "autoscaling.v2.HorizontalPodAutoscalerSpec" => autoscaler_spec(map),
        "networking.v1.NetworkPolicySpec" => {
            if is_unset(map, "policyTypes") {
                let egress = map.get("egress").and_then(Value::as_array).is_some_and(|list| !list.is_empty());
                let types = if egress { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) };
                map.insert("policyTypes".into(), types);
            }
        }
        "networking.v1.IngressClassSpec" => {
            if let Some(parameters) = map.get_mut("parameters").filter(|parameters| parameters.is_object()) {
                default(parameters, "scope", json!("Cluster"));
            }
        }
        "rbac.v1.Subject" => {
            if is_unset(map, "apiGroup") && (is_text(map, "kind", "User") || is_text(map, "kind", "Group")) {
                map.insert("apiGroup".into(), "rbac.authorization.k8s.io".into());
            }
        }
        "storage.v1.CSIDriverSpec" => {
            if is_unset(map, "volumeLifecycleModes") {
                map.insert("volumeLifecycleModes".into(), json!(["Persistent"]));
            }
        }
        "resource.v1.ExactDeviceRequest" | "resource.v1.DeviceSubRequest" => {
            if is_text(map, "allocationMode", "ExactCount") && is_unset(map, "count") {
                map.insert("count".into(), 1.into());
            }
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames" => {
            let kind = map.get("kind").and_then(Value::as_str).unwrap_or("").to_owned();
            if is_unset(map, "singular") && !kind.is_empty() {
                map.insert("singular".into(), kind.to_lowercase().into());
            }
            if is_unset(map, "listKind") && !kind.is_empty() {
                map.insert("listKind".into(), format!("{kind}List").into());
            }
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec" => {
            if is_unset(map, "conversion") {
                map.insert("conversion".into(), json!({"strategy": "None"}));
            }
        }
        _ => {}
    }
}

fn pull_policy(map: &mut Map<String, Value>, image: &str, policy: &str) {
    if is_unset(map, policy) {
        let image = map.get(image).and_then(Value::as_str).unwrap_or("");
        let always = tag(image) == Some("latest");
        map.insert(policy.into(), if always { "Always" } else { "IfNotPresent" }.into());
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

fn service_spec(map: &mut Map<String, Value>) {
    match map.get("sessionAffinity").and_then(Value::as_str) {
        Some("None") => {
            map.remove("sessionAffinityConfig");
        }
        Some("ClientIP") => {
            let known = map.get("sessionAffinityConfig").and_then(|config| config.get("clientIP")?.get("timeoutSeconds"));
            if known.is_none_or(Value::is_null) {
                map.insert("sessionAffinityConfig".into(), json!({"clientIP": {"timeoutSeconds": 10800}}));
            }
        }
        _ => {}
    }
    let kind = map.get("type").and_then(Value::as_str).unwrap_or("").to_owned();
    let external_ips = map.get("externalIPs").and_then(Value::as_array).is_some_and(|ips| !ips.is_empty());
    let external = matches!(&*kind, "LoadBalancer" | "NodePort") || (kind == "ClusterIP" && external_ips);
    if external && is_unset(map, "externalTrafficPolicy") {
        map.insert("externalTrafficPolicy".into(), "Cluster".into());
    }
    if matches!(&*kind, "LoadBalancer" | "NodePort" | "ClusterIP") && is_unset(map, "internalTrafficPolicy") {
        map.insert("internalTrafficPolicy".into(), "Cluster".into());
    }
    if kind == "LoadBalancer" && is_unset(map, "allocateLoadBalancerNodePorts") {
        map.insert("allocateLoadBalancerNodePorts".into(), true.into());
    }
}

fn pod(map: &mut Map<String, Value>) {
    let Some(spec) = inner(map, "spec") else { return };
    let host_network = spec.get("hostNetwork").and_then(Value::as_bool) == Some(true);
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            if let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut)
                && let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned()
                && let Some(requests) = resources.entry("requests").or_insert_with(|| json!({})).as_object_mut()
            {
                for (name, limit) in limits {
                    requests.entry(name).or_insert(limit);
                }
            }
            let ports = container.get_mut("ports").and_then(Value::as_array_mut);
            for port in ports.into_iter().flatten().filter(|_| host_network) {
                let number = port["containerPort"].clone();
                default(port, "hostPort", number);
            }
        }
    }
    if is_unset(spec, "enableServiceLinks") {
        spec.insert("enableServiceLinks".into(), true.into());
    }
}

fn limit_range_item(map: &mut Map<String, Value>) {
    if !is_text(map, "type", "Container") {
        return;
    }
    let list = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let (mut defaults, mut requests) = (list(map, "default"), list(map, "defaultRequest"));
    for (name, value) in list(map, "max") {
        defaults.entry(name).or_insert(value);
    }
    for (name, value) in defaults.clone().into_iter().chain(list(map, "min")) {
        requests.entry(name).or_insert(value);
    }
    for (key, list) in [("default", defaults), ("defaultRequest", requests)] {
        if !list.is_empty() {
            map.insert(key.into(), list.into());
        }
    }
}

fn job_spec(map: &mut Map<String, Value>) {
    if is_unset(map, "completions") && is_unset(map, "parallelism") {
        map.insert("completions".into(), 1.into());
    }
    let limit = if is_unset(map, "backoffLimitPerIndex") { 6 } else { i32::MAX };
    let replacement = if is_unset(map, "podFailurePolicy") { "TerminatingOrFailed" } else { "Failed" };
    let defaults = [
        ("parallelism", json!(1)),
        ("backoffLimit", json!(limit)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("podReplacementPolicy", json!(replacement)),
        ("manualSelector", json!(false)),
    ];
    for (field, value) in defaults {
        if is_unset(map, field) {
            map.insert(field.into(), value);
        }
    }
}

fn autoscaler_spec(map: &mut Map<String, Value>) {
    if is_unset(map, "metrics") {
        let metric = json!([{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80},
        }}]);
        map.insert("metrics".into(), metric);
    }
    let Some(behavior) = inner(map, "behavior") else { return };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    let up = behavior.entry("scaleUp").or_insert_with(|| json!({}));
    default(up, "stabilizationWindowSeconds", json!(0));
    default(up, "selectPolicy", json!("Max"));
    default(up, "policies", json!([pods, percent]));
    let down = behavior.entry("scaleDown").or_insert_with(|| json!({}));
    default(down, "selectPolicy", json!("Max"));
    default(down, "policies", json!([percent]));
}

/// Absent, null, an empty text, or the number 0, of which Go tells no difference in fields that are no pointers. Fields
/// that are pointers keep a zero that was given: their stored form has it, and then it is no default either.
fn is_unset(map: &Map<String, Value>, field: &str) -> bool {
    matches!(map.get(field), None | Some(Value::Null)) || map.get(field).and_then(Value::as_str) == Some("")
}

fn is_text(map: &Map<String, Value>, field: &str, text: &str) -> bool {
    map.get(field).and_then(Value::as_str) == Some(text)
}

fn inner<'m>(map: &'m mut Map<String, Value>, field: &str) -> Option<&'m mut Map<String, Value>> {
    map.get_mut(field)?.as_object_mut()
}

fn default(value: &mut Value, field: &str, default: Value) {
    if let Some(map) = value.as_object_mut()
        && is_unset(map, field)
    {
        map.insert(field.into(), default);
    }
}

fn labels(map: &mut Map<String, Value>) -> Option<&mut Map<String, Value>> {
    inner(map, "metadata")?.entry("labels").or_insert_with(|| json!({})).as_object_mut()
}

fn inherit_labels(map: &mut Map<String, Value>, own: &Map<String, Value>) {
    if let Some(labels) = labels(map)
        && labels.is_empty()
    {
        *labels = own.clone();
    }
    if let Some(metadata) = inner(map, "metadata")
        && metadata.get("labels").and_then(Value::as_object).is_some_and(Map::is_empty)
    {
        metadata.remove("labels");
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
