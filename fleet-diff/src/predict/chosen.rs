//! What the server decides by itself when an object is created or changed.

use serde_json::{Map, Value, json};

use super::{Doubt, Prediction};
use crate::{FieldPath, Gvk, LEFT_OUT, Object, PathElement, rules::is_same};

/// Fields whose values a server chooses itself, as group, kind and path; `*` is every element of a list. An empty group
/// and kind mean all. A dry run does not show the values that the write will have.
pub const CHOSEN: &[(&str, &str, &[&str])] = &[
    ("", "", &["metadata", "uid"]),
    ("", "", &["metadata", "creationTimestamp"]),
    ("", "Service", &["spec", "clusterIP"]),
    ("", "Service", &["spec", "clusterIPs"]),
    ("", "Service", &["spec", "healthCheckNodePort"]),
    ("", "Service", &["spec", "ports", "*", "nodePort"]),
    ("", "PersistentVolume", &["status", "lastPhaseTransitionTime"]),
    ("batch", "Job", &["spec", "selector"]),
    ("batch", "Job", &["spec", "template", "metadata", "labels", "batch.kubernetes.io/controller-uid"]),
    ("batch", "Job", &["spec", "template", "metadata", "labels", "controller-uid"]),
    ("batch", "Job", &["spec", "template", "metadata", "labels", "batch.kubernetes.io/job-name"]),
    ("batch", "Job", &["spec", "template", "metadata", "labels", "job-name"]),
];

/// What of a server's answer can be compared with a prediction: without [`LEFT_OUT`], and without the fields of
/// [`CHOSEN`] that the prediction leaves open.
pub fn comparable(answer: &Object, prediction: &Object) -> Value {
    let (mut value, prediction) = (answer.to_json(), prediction.to_json());
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        LEFT_OUT.iter().for_each(|field| {
            metadata.remove(*field);
        });
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
    let of_kind = CHOSEN.iter().filter(|(group, kind, _)| {
        kind.is_empty() || (*group == gvk.group() && *kind == gvk.kind())
    });
    let agrees = |wanted: &[&str]| {
        wanted.len() <= path.elements().len()
            && wanted.iter().zip(path.elements()).all(|(wanted, element)| match element {
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
        ([key], Value::Object(map)) => {
            if other.get(*key).is_none() {
                map.remove(*key);
            }
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
const KEPT: [&str; 5] =
    ["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds"];

pub(super) fn keep_identity(object: &mut Map<String, Value>, before: Option<&Value>) {
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    let Some(before) = before else { return };
    for field in KEPT.into_iter().chain(["resourceVersion"]) {
        match before["metadata"].get(field) {
            Some(value) => metadata.insert(field.into(), value.clone()),
            None => metadata.remove(field),
        };
    }
}

/// What only the server can say of a new object, or refuses.
pub(super) fn check_create(object: &Value, gvk: &Gvk) -> Result<(), Prediction> {
    match (gvk.group(), gvk.kind()) {
        // Tokens with random names, tolerations, priorities, limits of the namespace.
        ("", "Pod") => Err(Prediction::unsure(Doubt::Admission)),
        ("batch", "Job") if object["spec"]["manualSelector"] != json!(true) => {
            let labels = object["spec"]["template"]["metadata"]["labels"].as_object();
            let name = object["metadata"]["name"].as_str();
            let wrong = labels.into_iter().flatten().find(|(key, value)| match key.as_str() {
                "controller-uid" | "batch.kubernetes.io/controller-uid" => true,
                "job-name" | "batch.kubernetes.io/job-name" => value.as_str() != name,
                _ => false,
            });
            match wrong {
                Some((key, _)) => {
                    let path = format!(".spec.template.metadata.labels.{key}");
                    Err(Prediction::refused(path, "is the server's to choose"))
                }
                None => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

/// What strategies of registries and admission plugins do to a new object.
pub(super) fn on_create(object: &mut Map<String, Value>, gvk: &Gvk) {
    match (gvk.group(), gvk.kind()) {
        ("", "Namespace") => {
            object.insert("spec".into(), json!({"finalizers": ["kubernetes"]}));
        }
        ("", "PersistentVolumeClaim") => finalizer(object, "kubernetes.io/pvc-protection"),
        ("", "PersistentVolume") => finalizer(object, "kubernetes.io/pv-protection"),
        ("storage.k8s.io", "VolumeAttributesClass") => finalizer(object, "kubernetes.io/vac-protection"),
        ("apps", "DaemonSet") => annotate(object, TEMPLATE_GENERATION, "1"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let versions = object.get("spec").and_then(|spec| spec.get("versions")?.as_array());
            let stored = versions.into_iter().flatten().filter(|version| version["storage"] == json!(true));
            let stored: Vec<Value> = stored.map(|version| version["name"].clone()).collect();
            let status = json!({
                "acceptedNames": {"kind": "", "plural": ""}, "conditions": null, "storedVersions": stored,
            });
            object.insert("status".into(), status);
        }
        _ => {}
    }
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

pub(super) fn on_update(object: &mut Map<String, Value>, before: &Value, gvk: &Gvk) {
    match (gvk.group(), gvk.kind()) {
        ("", "Pod") => tolerate_lost_nodes(object),
        ("", "Service") => keep_allocated(object, before),
        _ => {}
    }
    if (gvk.group(), gvk.kind()) == ("", "Namespace") {
        // Only the endpoint `finalize` writes it.
        match before.get("spec") {
            Some(spec) => object.insert("spec".into(), spec.clone()),
            None => object.remove("spec"),
        };
    }
    if (gvk.group(), gvk.kind()) == ("apps", "DaemonSet") {
        let was = before["metadata"]["annotations"][TEMPLATE_GENERATION].as_str().unwrap_or("0").parse().unwrap_or(0);
        let template = object.get("spec").map_or(&Value::Null, |spec| &spec["template"]);
        let changed = !is_same(template, &before["spec"]["template"]);
        annotate(object, TEMPLATE_GENERATION, &(was + i64::from(changed)).to_string());
    }
}

/// A Service keeps the addresses and ports it was given while it needs them
/// (`pkg/registry/core/service/storage/storage.go`, `patchAllocatedValues`).
fn keep_allocated(object: &mut Map<String, Value>, before: &Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let was = &before["spec"];
    let kind = |of: Option<&Value>| of.and_then(Value::as_str).unwrap_or("ClusterIP").to_owned();
    let (kind_was, kind_is) = (kind(was.get("type")), kind(spec.get("type")));
    if kind_was != "ExternalName" && kind_is != "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if let (None | Some(Value::Null), Some(value)) = (spec.get(field), was.get(field)) {
                spec.insert(field.into(), value.clone());
            }
        }
    }
    let needs_ports = |kind: &str| matches!(kind, "NodePort" | "LoadBalancer");
    if needs_ports(&kind_was) && needs_ports(&kind_is) {
        let old = was["ports"].as_array();
        for port in spec.get_mut("ports").and_then(Value::as_array_mut).into_iter().flatten() {
            let same = |other: &&Value| other["port"] == port["port"] && other["protocol"] == port["protocol"];
            let known = old.into_iter().flatten().find(same).and_then(|old| old.get("nodePort")).cloned();
            if let (Some(known), Some(port)) = (known, port.as_object_mut()) {
                port.entry("nodePort").or_insert(known);
            }
        }
    }
    if let (None, Some(port)) = (spec.get("healthCheckNodePort"), was.get("healthCheckNodePort"))
        && kind_is == "LoadBalancer"
        && spec.get("externalTrafficPolicy") == Some(&json!("Local"))
    {
        spec.insert("healthCheckNodePort".into(), port.clone());
    }
}

/// The admission plugin `DefaultTolerationSeconds`, with its own defaults.
fn tolerate_lost_nodes(object: &mut Map<String, Value>) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let Some(list) = spec.entry("tolerations").or_insert_with(|| json!([])).as_array_mut() else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerates = |toleration: &Value| {
            let text = |field: &str| toleration[field].as_str().unwrap_or("");
            matches!(text("key"), "" | "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
                && (text("key") == key || text("key").is_empty())
                && matches!(text("effect"), "" | "NoExecute")
        };
        if !list.iter().any(tolerates) {
            list.push(json!({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}));
        }
    }
}

fn finalizer(object: &mut Map<String, Value>, name: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(list) = metadata.entry("finalizers").or_insert_with(|| json!([])).as_array_mut()
        && !list.contains(&json!(name))
    {
        list.push(json!(name));
    }
}

fn annotate(object: &mut Map<String, Value>, key: &str, value: &str) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
        && let Some(map) = metadata.entry("annotations").or_insert_with(|| json!({})).as_object_mut()
    {
        map.insert(key.into(), value.into());
    }
}
