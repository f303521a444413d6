//! What changes objects on their way into a cluster, and cannot be foretold.

mod classes;
mod selector;

use serde_json::Value;

use crate::{Gvk, Node, Object};

/// The mutating admission of a cluster: which objects a webhook, a policy or a default class may change.
///
/// Whether it does change an object, only the server knows. So an apply that writes an object it may change is
/// [unsure](crate::Prediction::Unsure).
#[derive(Clone, Debug, Default)]
pub struct Admission {
    hooks: Vec<Hook>,
}

/// One webhook, policy or default class.
#[derive(Clone, Debug)]
struct Hook {
    /// Kind and name, for people.
    name: String,
    rules: Vec<Value>,
    object_selector: Value,
    namespace_selector: Value,
    /// It leaves alone what has one of these fields.
    only_without: &'static [&'static [&'static str]],
}

impl Admission {
    /// Groups and kinds of the objects that say what changes others.
    pub const KINDS: [(&str, &str); 5] = [
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"),
        ("admissionregistration.k8s.io", "MutatingAdmissionPolicyBinding"),
        ("storage.k8s.io", "StorageClass"),
        ("networking.k8s.io", "IngressClass"),
    ];

    /// Nothing changes objects.
    pub fn none() -> Self {
        Self::default()
    }

    /// Nothing is known: anything may be changed.
    pub fn unknown() -> Self {
        let anything = serde_json::json!({"operations": ["*"], "apiGroups": ["*"], "resources": ["*/*"]});
        let hook = Hook {
            name: "admission, which could not be read,".to_owned(),
            rules: vec![anything],
            object_selector: Value::Null,
            namespace_selector: Value::Null,
            only_without: &[],
        };
        Self { hooks: vec![hook] }
    }

    /// From the objects of a cluster of these [`KINDS`](Self::KINDS); others are passed over. A policy counts as soon as
    /// it has a binding, and a class if it is the default one, for what is new and names none.
    pub fn from_objects<'a>(objects: impl IntoIterator<Item = &'a Object>) -> Self {
        let objects: Vec<&Object> = objects.into_iter().collect();
        let of_kind = |kind: &'static str| {
            let wanted = move |object: &&&Object| {
                object.gvk().group() == "admissionregistration.k8s.io" && object.gvk().kind() == kind
            };
            objects
                .iter()
                .filter(wanted)
                .map(|object| object.root().to_json())
        };
        let bindings: Vec<Value> = of_kind("MutatingAdmissionPolicyBinding").collect();
        let mut hooks = Vec::new();
        for config in of_kind("MutatingWebhookConfiguration") {
            for hook in config["webhooks"].as_array().into_iter().flatten() {
                hooks.push(Hook {
                    name: format!("webhook {}", hook["name"].as_str().unwrap_or("")),
                    rules: hook["rules"].as_array().cloned().unwrap_or_default(),
                    object_selector: hook["objectSelector"].clone(),
                    namespace_selector: hook["namespaceSelector"].clone(),
                    only_without: &[],
                });
            }
        }
        for policy in of_kind("MutatingAdmissionPolicy") {
            let name = &policy["metadata"]["name"];
            if !bindings
                .iter()
                .any(|binding| binding["spec"]["policyName"] == *name)
            {
                continue;
            }
            let matches = &policy["spec"]["matchConstraints"];
            hooks.push(Hook {
                name: format!("policy {}", name.as_str().unwrap_or("")),
                rules: matches["resourceRules"].as_array().cloned().unwrap_or_default(),
                object_selector: matches["objectSelector"].clone(),
                namespace_selector: matches["namespaceSelector"].clone(),
                only_without: &[],
            });
        }
        hooks.extend(classes::hooks(&objects));
        Self { hooks }
    }

    /// True when nothing changes objects.
    pub fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }

    /// The first webhook or policy that may change the object, whose kind is in namespaces or not, as far as that is known,
    /// when it is written through this subresource, or itself when that is empty. What is not known here, such as the labels of its namespace, is taken to match.
    pub(crate) fn may_change(
        &self,
        object: &Object,
        live: Option<&Object>,
        namespaced: Option<bool>,
        subresource: &str,
    ) -> Option<&str> {
        if self.hooks.is_empty() {
            return None;
        }
        let operation = if live.is_some() { "UPDATE" } else { "CREATE" };
        let labels = |object: &Object| object.root().to_json()["metadata"]["labels"].take();
        let (ours, theirs) = (labels(object), live.map(labels).unwrap_or_default());
        // A server asks about the object before and after.
        let after = merged(&theirs, &ours);
        let lacks = |field: &&[&str]| object.root().at(field).is_none_or(Node::is_null);
        let hook = self.hooks.iter().find(|hook| {
            hook.only_without.iter().all(lacks)
                && hook
                    .rules
                    .iter()
                    .any(|rule| rule_matches(rule, object, operation, namespaced, subresource))
                && selector::may_match(&hook.namespace_selector, &namespace_labels(object), false)
                && [&ours, &theirs, &after]
                    .into_iter()
                    .any(|labels| selector::may_match(&hook.object_selector, labels, true))
        })?;
        Some(&hook.name)
    }
}

fn merged(labels: &Value, with: &Value) -> Value {
    let entries = [labels, with].into_iter().filter_map(Value::as_object).flatten();
    Value::Object(entries.map(|(key, value)| (key.clone(), value.clone())).collect())
}

/// The one label that every namespace has.
fn namespace_labels(object: &Object) -> Value {
    match object.namespace() {
        Some(namespace) => serde_json::json!({"kubernetes.io/metadata.name": namespace}),
        None => Value::Null,
    }
}

fn rule_matches(
    rule: &Value,
    object: &Object,
    operation: &str,
    namespaced: Option<bool>,
    subresource: &str,
) -> bool {
    let any = |key: &str, wanted: &dyn Fn(&str) -> bool| {
        let list = rule[key].as_array();
        list.is_none_or(|list| {
            list.iter()
                .filter_map(Value::as_str)
                .any(|item| item == "*" || wanted(item))
        })
    };
    let gvk = object.gvk();
    let scope = match rule["scope"].as_str() {
        Some("Cluster") => namespaced != Some(true),
        Some("Namespaced") => namespaced != Some(false),
        _ => true,
    };
    // Definitions of custom kinds choose their plural: a rule for their group may mean it by any name.
    let is_custom = gvk.group().contains('.') && !gvk.group().ends_with(".k8s.io");
    let names_group = rule["apiGroups"]
        .as_array()
        .is_some_and(|groups| groups.iter().any(|group| group.as_str() == Some(gvk.group())));
    // The version may be another one: webhooks match equivalent versions too.
    any("operations", &|item| item == operation)
        && any("apiGroups", &|item| item == gvk.group())
        && any("resources", &|item| {
            item == "*/*" || names_resource(item, &plural(gvk), subresource) || is_custom && names_group
        })
        && scope
}

/// Whether an item of `resources` means this resource, or this subresource of it.
fn names_resource(item: &str, plural: &str, subresource: &str) -> bool {
    match item.split_once('/') {
        None => subresource.is_empty() && item == plural,
        Some((resource, below)) => {
            !subresource.is_empty()
                && (resource == "*" || resource == plural)
                && (below == "*" || below == subresource)
        }
    }
}

/// The usual plural of a kind.
fn plural(gvk: &Gvk) -> String {
    let lower = gvk.kind().to_lowercase();
    if lower == "endpoints" {
        lower
    } else if lower.ends_with('s') || lower.ends_with('x') || lower.ends_with("ch") || lower.ends_with("sh") {
        format!("{lower}es")
    } else if let Some(stem) = lower
        .strip_suffix('y')
        .filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']))
    {
        format!("{stem}ies")
    } else {
        format!("{lower}s")
    }
}
