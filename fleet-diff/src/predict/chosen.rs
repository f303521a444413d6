//! What the server decides by itself when an object is created or changed.

use serde_json::{Map, Value, json};

use super::{Doubt, Prediction, refused};
use crate::{
    FieldPath, Gvk, LEFT_OUT, Object, PathElement,
    document::Node,
    rules::{Broken, Fact, is_same, loses_node_selector},
    storage::{Draft, Tree, View},
};

/// Fields whose values a server chooses itself, as group, kind and path; `*` is every element of a list. An empty group
/// and kind mean all. A dry run does not show the values that the write will have.
pub const CHOSEN: &[(&str, &str, &[&str])] = &[
    ("", "", &["metadata", "uid"]),
    ("", "", &["metadata", "creationTimestamp"]),
    ("", "Service", &["spec", "clusterIP"]),
    ("", "Service", &["spec", "clusterIPs"]),
    ("", "Service", &["spec", "healthCheckNodePort"]),
    ("", "Service", &["spec", "ipFamilies"]),
    ("", "Service", &["spec", "ipFamilyPolicy"]),
    ("", "Service", &["spec", "ports", "*", "nodePort"]),
    ("", "PersistentVolume", &["status", "lastPhaseTransitionTime"]),
    (
        "batch",
        "Job",
        &["metadata", "labels", "batch.kubernetes.io/controller-uid"],
    ),
    ("batch", "Job", &["metadata", "labels", "controller-uid"]),
    ("batch", "Job", &["spec", "selector"]),
    (
        "batch",
        "Job",
        &[
            "spec",
            "template",
            "metadata",
            "labels",
            "batch.kubernetes.io/controller-uid",
        ],
    ),
    (
        "batch",
        "Job",
        &["spec", "template", "metadata", "labels", "controller-uid"],
    ),
    (
        "batch",
        "Job",
        &[
            "spec",
            "template",
            "metadata",
            "labels",
            "batch.kubernetes.io/job-name",
        ],
    ),
    (
        "batch",
        "Job",
        &["spec", "template", "metadata", "labels", "job-name"],
    ),
];

/// What of a server's answer can be compared with a prediction: without [`LEFT_OUT`], and without the fields of
/// [`CHOSEN`] that the prediction leaves open.
pub fn comparable(answer: &Object, prediction: &Object) -> Value {
    let (mut value, prediction) = (answer.to_json(), prediction.to_json());
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in LEFT_OUT {
            metadata.remove(*field);
        }
    }
    let gvk = answer.gvk();
    for (group, kind, path) in CHOSEN {
        if kind.is_empty() || (*group == gvk.group() && *kind == gvk.kind()) {
            take(&mut value, &prediction, path);
        }
    }
    value
}

/// True for a field of [`CHOSEN`].
pub(crate) fn is_chosen(gvk: &Gvk, path: &FieldPath) -> bool {
    let of_kind = CHOSEN
        .iter()
        .filter(|(group, kind, _)| kind.is_empty() || (*group == gvk.group() && *kind == gvk.kind()));
    let agrees = |wanted: &[&str]| {
        wanted.len() <= path.elements().len()
            && wanted
                .iter()
                .zip(path.elements())
                .all(|(wanted, element)| match element {
                    PathElement::Key(key) => **key == **wanted,
                    _ => *wanted == "*",
                })
    };
    of_kind.map(|(_, _, wanted)| *wanted).any(agrees)
}

/// Removes the value at the path where the other has none.
fn take(value: &mut Value, other: &Value, path: &[&str]) {
    match (path, value) {
        (["*", rest @ ..], Value::Array(items)) => {
            for (i, item) in items.iter_mut().enumerate() {
                take(item, other.get(i).unwrap_or(&Value::Null), rest);
            }
        }
        ([key], Value::Object(map)) if other.get(*key).is_none() => {
            map.remove(*key);
        }
        ([key, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(*key) {
                take(inner, other.get(*key).unwrap_or(&Value::Null), rest);
                if inner.as_object().is_some_and(Map::is_empty) && other.get(*key).is_none() {
                    map.remove(*key);
                }
            }
        }
        _ => {}
    }
}

/// Fields of `metadata` that an apply does not change.
const KEPT: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
];

pub(super) fn keep_identity<'n>(object: &mut Draft<'n>, before: Node<'n>) {
    let before = before.get("metadata");
    let same = |field: &str| {
        let was = before.and_then(|before| before.get(field));
        match (object.at(&["metadata", field]), was) {
            (Some(View::Node(is)), Some(was)) => is == was,
            (None, None) => true,
            _ => false,
        }
    };
    if KEPT.iter().all(|field| same(field)) {
        return;
    }
    let Some(metadata) = object.existing("metadata") else {
        return;
    };
    for field in KEPT {
        match before.and_then(|before| before.get(field)) {
            Some(value) => metadata.put(field, Tree::Node(value)),
            None => {
                metadata.remove(field);
            }
        }
    }
}

/// What only the server can say of a new object, or refuses.
pub(super) fn check_create(object: &Draft<'_>, gvk: &Gvk) -> Result<(), Prediction> {
    match (gvk.group(), gvk.kind()) {
        // Tokens with random names, tolerations, priorities, limits of the namespace.
        ("", "Pod") => Err(Prediction::unsure(Doubt::Admission)),
        ("batch", "Job") if object.at(&["spec", "manualSelector"]).and_then(View::as_bool) != Some(true) => {
            let name = object.at(&["metadata", "name"]).and_then(View::as_str);
            let label = |key| object.at(&["spec", "template", "metadata", "labels", key]);
            let chosen = ["controller-uid", "batch.kubernetes.io/controller-uid"];
            let named = ["job-name", "batch.kubernetes.io/job-name"];
            let wrong = chosen.into_iter().find(|key| label(key).is_some()).or_else(|| {
                named
                    .into_iter()
                    .find(|key| label(key).is_some_and(|value| value.as_str() != name))
            });
            match wrong {
                Some(key) => {
                    let path = format!(".spec.template.metadata.labels.{key}");
                    Err(Prediction::refused(path, "is the server's to choose"))
                }
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// What only shows before an object is stored. An immutable object may not even get an empty mapping, and ports of a
/// Service need names as soon as there are two.
pub(super) fn check_emptied(merged: Node<'_>, live: Node<'_>, gvk: &Gvk) -> Result<(), Prediction> {
    let rule = match (gvk.group(), gvk.kind()) {
        ("", "ConfigMap") => ("binaryData", "configmap/immutable-binary-data"),
        ("", "Secret") => ("data", "secret/immutable-data"),
        ("", "Service") => return check_ports(merged),
        ("", "Pod") => return check_node_selector(merged, live),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            return refused::check_certificates(merged, live);
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => return check_actions(merged),
        _ => return Ok(()),
    };
    let immutable = live.get("immutable").and_then(Node::as_bool) == Some(true);
    let emptied = |of: Node<'_>| {
        of.get(rule.0)
            .is_some_and(|data| data.is_map() && data.is_empty())
    };
    if immutable && emptied(merged) && !emptied(live) {
        let broken = Broken {
            rule: rule.1,
            fact: Fact::Immutable,
            path: FieldPath::keys([rule.0]),
        };
        return Err(Prediction::blocked(vec![broken]));
    }
    Ok(())
}

/// It takes more keys only as long as the Pod may not be scheduled (`core/validation`, `ValidatePodUpdate`).
fn check_node_selector(merged: Node<'_>, live: Node<'_>) -> Result<(), Prediction> {
    let of = |pod: Node<'_>| {
        pod.at(&["spec", "nodeSelector"])
            .filter(|selector| !selector.is_empty())
            .map(Node::to_json)
    };
    let gated = live
        .at(&["spec", "schedulingGates"])
        .is_some_and(|gates| !gates.is_empty());
    if of(merged) == of(live) || gated && !loses_node_selector(live, merged) {
        return Ok(());
    }
    let broken = Broken {
        rule: "pod/node-selector",
        fact: Fact::Immutable,
        path: FieldPath::keys(["spec", "nodeSelector"]),
    };
    Err(Prediction::blocked(vec![broken]))
}

/// Two managers may each set one of two actions that exclude one another.
fn check_actions(merged: Node<'_>) -> Result<(), Prediction> {
    let actions = merged.at(&["spec", "validationActions"]);
    let has =
        |wanted| actions.is_some_and(|actions| actions.items().any(|action| action.as_str() == Some(wanted)));
    if has("Deny") && has("Warn") {
        Err(Prediction::refused(
            ".spec.validationActions".to_owned(),
            "must not have both Deny and Warn",
        ))
    } else {
        Ok(())
    }
}

fn check_ports(merged: Node<'_>) -> Result<(), Prediction> {
    let ports = merged.get("spec").and_then(|spec| spec.get("ports"));
    let named = |port: Node<'_>| {
        port.get("name")
            .and_then(Node::as_str)
            .is_some_and(|name| !name.is_empty())
    };
    match ports {
        Some(ports) if ports.len() > 1 && !ports.items().all(named) => Err(Prediction::refused(
            ".spec.ports[*].name".to_owned(),
            "is required where there are several ports",
        )),
        _ => Ok(()),
    }
}

/// What strategies of registries and admission plugins do to a new object.
pub(super) fn on_create(object: &mut Draft<'_>, definition: Node<'_>, gvk: &Gvk) {
    match (gvk.group(), gvk.kind()) {
        ("batch", "Job") => label_job(object, definition),
        ("", "Namespace") => object.set("spec", json!({"finalizers": ["kubernetes"]})),
        ("", "PersistentVolumeClaim") => finalizer(object, "kubernetes.io/pvc-protection"),
        ("", "PersistentVolume") => finalizer(object, "kubernetes.io/pv-protection"),
        ("storage.k8s.io", "VolumeAttributesClass") => finalizer(object, "kubernetes.io/vac-protection"),
        ("", "Node") => {
            // The admission plugin `TaintNodesByCondition`.
            let taint = json!({"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"});
            if let Some(taints) = object.inner("spec").and_then(|spec| spec.list("taints"))
                && !taints.iter().any(|known| known.to_json() == taint)
            {
                taints.push(Tree::Json(taint));
            }
        }
        ("apps", "DaemonSet") => annotate(object, TEMPLATE_GENERATION, "1"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let versions = object
                .at(&["spec", "versions"])
                .map(View::items)
                .unwrap_or_default();
            let stored = versions
                .iter()
                .filter(|version| version.get("storage").and_then(View::as_bool) == Some(true));
            let stored: Vec<Value> = stored
                .filter_map(|version| Some(version.get("name")?.to_json()))
                .collect();
            let status = json!({
                "acceptedNames": {"kind": "", "plural": ""}, "conditions": null, "storedVersions": stored,
            });
            object.set("status", status);
        }
        _ => {}
    }
}

/// A Job without labels has those of its template when it is read back, and the template has names of the Job.
fn label_job(object: &mut Draft<'_>, definition: Node<'_>) {
    let own = definition.at(&["metadata", "labels"]);
    let manual = object.at(&["spec", "manualSelector"]).and_then(View::as_bool);
    if own.is_some_and(|labels| !labels.is_empty()) || manual == Some(true) {
        return;
    }
    let Some(name) = object
        .at(&["metadata", "name"])
        .and_then(View::as_str)
        .map(str::to_owned)
    else {
        return;
    };
    if let Some(labels) = object
        .inner("metadata")
        .and_then(|metadata| metadata.inner("labels"))
    {
        for key in ["batch.kubernetes.io/job-name", "job-name"] {
            labels.set(key, name.as_str());
        }
    }
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

/// True for kinds that a server completes on every write, also on one that changes nothing.
pub(super) fn is_completed_on_every_write(gvk: &Gvk) -> bool {
    gvk.group().is_empty() && gvk.kind() == "Pod"
}

pub(super) fn on_update<'n>(object: &mut Draft<'n>, before: Node<'n>, gvk: &Gvk) {
    match (gvk.group(), gvk.kind()) {
        ("", "Pod") => {
            tolerate_lost_nodes(object);
            keep_priority(object, before);
        }
        ("", "Service") => {
            keep_allocated(object, before);
            drop_by_type(object, before);
        }
        // Only the endpoint `finalize` writes it, and nobody what was asked to be signed.
        ("", "Namespace") | ("certificates.k8s.io", "CertificateSigningRequest") => {
            match before.get("spec") {
                Some(spec) => object.put("spec", Tree::Node(spec)),
                None => {
                    object.remove("spec");
                }
            }
        }
        ("apps", "DaemonSet") => {
            let template = |of: Option<View<'_, '_>>| of.map(View::to_json).unwrap_or_default();
            let is = template(object.at(&["spec", "template"]));
            let was = template(
                before
                    .get("spec")
                    .and_then(|spec| spec.get("template"))
                    .map(View::Node),
            );
            let annotation = before
                .get("metadata")
                .and_then(|metadata| metadata.get("annotations")?.get(TEMPLATE_GENERATION));
            let generation: i64 = annotation
                .and_then(|text| text.as_str()?.parse().ok())
                .unwrap_or(0);
            let generation = generation + i64::from(!is_same(&is, &was));
            if object
                .at(&["metadata", "annotations", TEMPLATE_GENERATION])
                .and_then(View::as_str)
                != Some(&generation.to_string())
            {
                annotate(object, TEMPLATE_GENERATION, &generation.to_string());
            }
        }
        _ => {}
    }
}

/// What only some types of Services have goes with the type, unless it was changed in the same breath
/// (`core/service`, `dropTypeDependentFields`).
fn drop_by_type(object: &mut Draft<'_>, before: Node<'_>) {
    let text = |of: Option<View<'_, '_>>| of.and_then(View::as_str).unwrap_or("").to_owned();
    let is = |field: &str| object.at(&["spec", field]);
    let was = |field: &str| before.at(&["spec", field]).map(View::Node);
    let type_is = text(is("type"));
    let type_was = text(was("type"));
    let ports = |kind: &str, allocate: Option<View<'_, '_>>| {
        kind == "NodePort" || kind == "LoadBalancer" && allocate.and_then(View::as_bool) != Some(false)
    };
    let checks = |kind: &str, policy: String| kind == "LoadBalancer" && policy == "Local";
    let json = |of: Option<View<'_, '_>>| of.map(View::to_json);
    let same = |field: &str| json(is(field)) == json(was(field));
    let has_external = |ips: Option<View<'_, '_>>| ips.is_some_and(|ips| ips.len() > 0);
    let policy = |kind: &str, ips: Option<View<'_, '_>>| {
        matches!(kind, "NodePort" | "LoadBalancer") || kind == "ClusterIP" && has_external(ips)
    };
    let node_ports = |of: Option<View<'_, '_>>| -> Vec<i64> {
        let ports = of.map(View::items).unwrap_or_default();
        ports
            .iter()
            .filter_map(|port| port.get("nodePort").and_then(View::as_i64))
            .collect()
    };
    let lost = |before: bool, after: bool| before && !after;
    let no_node_ports = lost(
        ports(&type_was, was("allocateLoadBalancerNodePorts")),
        ports(&type_is, is("allocateLoadBalancerNodePorts")),
    ) && {
        let known = node_ports(was("ports"));
        node_ports(is("ports")).iter().all(|port| known.contains(port))
    };
    let no_check = lost(
        checks(&type_was, text(was("externalTrafficPolicy"))),
        checks(&type_is, text(is("externalTrafficPolicy"))),
    ) && same("healthCheckNodePort");
    let no_balancer = lost(type_was == "LoadBalancer", type_is == "LoadBalancer");
    let no_class = no_balancer && same("loadBalancerClass");
    let no_policy = lost(
        policy(&type_was, was("externalIPs")),
        policy(&type_is, is("externalIPs")),
    ) && same("externalTrafficPolicy");
    let has_address = |kind: &str| kind != "ExternalName";
    let no_address = lost(has_address(&type_was), has_address(&type_is));
    let no_ip = no_address && same("clusterIP") && same("clusterIPs");
    let gone = [
        (no_ip, "clusterIP"),
        (no_ip, "clusterIPs"),
        (no_address && same("ipFamilies"), "ipFamilies"),
        (no_address && same("ipFamilyPolicy"), "ipFamilyPolicy"),
        (no_check, "healthCheckNodePort"),
        (no_balancer, "allocateLoadBalancerNodePorts"),
        (no_class, "loadBalancerClass"),
        (no_policy, "externalTrafficPolicy"),
    ];
    let Some(spec) = object.existing("spec") else {
        return;
    };
    for (gone, field) in gone {
        if gone && spec.contains(field) {
            spec.remove(field);
        }
    }
    if no_node_ports {
        for port in spec.list("ports").into_iter().flatten() {
            if let Some(port) = port.as_draft() {
                port.remove("nodePort");
            }
        }
    }
}

/// A Service keeps the addresses and ports it was given while it needs them
/// (`pkg/registry/core/service/storage/storage.go`, `patchAllocatedValues`).
fn keep_allocated<'n>(object: &mut Draft<'n>, before: Node<'n>) {
    let Some(was) = before.get("spec") else { return };
    let kind = |of: Option<&str>| of.unwrap_or("ClusterIP").to_owned();
    let kind_was = kind(was.get("type").and_then(Node::as_str));
    let kind_is = kind(object.at(&["spec", "type"]).and_then(View::as_str));
    let absent = |object: &Draft<'_>, field: &str| object.at(&["spec", field]).is_none_or(View::is_null);
    if kind_was != "ExternalName" && kind_is != "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if absent(object, field)
                && let Some(value) = was.get(field)
                && let Some(spec) = object.existing("spec")
            {
                spec.put(field, Tree::Node(value));
            }
        }
    }
    let needs_ports = |kind: &str| matches!(kind, "NodePort" | "LoadBalancer");
    let open = object
        .at(&["spec", "ports"])
        .is_some_and(|ports| ports.items().iter().any(|port| port.get("nodePort").is_none()));
    if open
        && needs_ports(&kind_was)
        && needs_ports(&kind_is)
        && let Some(spec) = object.existing("spec")
    {
        for port in spec.list("ports").into_iter().flatten() {
            let field = |key: &str| port.view().get(key).map(View::to_json);
            let (number, protocol) = (field("port"), field("protocol"));
            let known = was.get("ports").into_iter().flat_map(Node::items).find(|old| {
                old.get("port").map(Node::to_json) == number
                    && old.get("protocol").map(Node::to_json) == protocol
            });
            if let Some(known) = known.and_then(|old| old.get("nodePort"))
                && field("nodePort").is_none()
                && let Some(port) = port.as_draft()
            {
                port.put("nodePort", Tree::Node(known));
            }
        }
    }
    if absent(object, "healthCheckNodePort")
        && kind_is == "LoadBalancer"
        && object
            .at(&["spec", "externalTrafficPolicy"])
            .and_then(View::as_str)
            == Some("Local")
        && let Some(port) = was.get("healthCheckNodePort")
        && let Some(spec) = object.existing("spec")
    {
        spec.put("healthCheckNodePort", Tree::Node(port));
    }
}

/// The admission plugin `Priority` fills in again what it filled in.
fn keep_priority<'n>(object: &mut Draft<'n>, before: Node<'n>) {
    let Some(was) = before.get("spec") else { return };
    for field in ["priority", "preemptionPolicy"] {
        if object.at(&["spec", field]).is_none()
            && let Some(value) = was.get(field)
            && let Some(spec) = object.existing("spec")
        {
            spec.put(field, Tree::Node(value));
        }
    }
}

/// The admission plugin `DefaultTolerationSeconds`, with its own defaults.
fn tolerate_lost_nodes(object: &mut Draft<'_>) {
    const LOST: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let known = object
        .at(&["spec", "tolerations"])
        .map(View::items)
        .unwrap_or_default();
    let tolerates = |key: &str, toleration: &View<'_, '_>| {
        let text = |field: &str| {
            toleration
                .get(field)
                .and_then(View::as_str)
                .unwrap_or("")
                .to_owned()
        };
        (text("key") == key || text("key").is_empty()) && matches!(&*text("effect"), "" | "NoExecute")
    };
    let missing: Vec<&str> = LOST
        .into_iter()
        .filter(|key| !known.iter().any(|toleration| tolerates(key, toleration)))
        .collect();
    if missing.is_empty() {
        return;
    }
    if let Some(list) = object.existing("spec").and_then(|spec| spec.list("tolerations")) {
        for key in missing {
            let toleration =
                json!({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300});
            list.push(Tree::Json(toleration));
        }
    }
}

fn finalizer(object: &mut Draft<'_>, name: &str) {
    if let Some(list) = object
        .inner("metadata")
        .and_then(|metadata| metadata.list("finalizers"))
        && !list.iter().any(|known| known.view().as_str() == Some(name))
    {
        list.push(Tree::Json(name.into()));
    }
}

fn annotate(object: &mut Draft<'_>, key: &str, value: &str) {
    if let Some(map) = object
        .inner("metadata")
        .and_then(|metadata| metadata.inner("annotations"))
    {
        map.set(key, value);
    }
}
