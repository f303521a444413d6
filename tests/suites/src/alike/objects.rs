//! Objects to play with: of each kind a definition that can be changed in ways that mean something.

use serde_json::{Value, json};

use crate::random::Random;

/// A kind, and how its objects are made.
pub(super) struct Kind {
    pub(super) base: &'static str,
    pub(super) plural: &'static str,
    pub(super) namespaced: bool,
    pub(super) has_status: bool,
    make: fn(&mut Random) -> Value,
}

/// The group of the CRDs that come and go.
const DEFINED: &str = "alike.example.net";

pub(super) const NAMESPACE: &str = "alike";

fn word(random: &mut Random) -> &'static str {
    ["a", "b", "c", "d"][random.below(4)]
}

fn number(random: &mut Random) -> usize {
    1 + random.below(4)
}

fn template(random: &mut Random) -> Value {
    let mut container = json!({"name": "main", "image": format!("app:{}", word(random))});
    if random.once_in(2) {
        container["ports"] = json!([{"containerPort": 8000 + random.below(3)}]);
    }
    if random.once_in(2) {
        container["env"] = json!([{"name": "MODE", "value": word(random)}, {"name": word(random).to_uppercase(), "value": "x"}]);
    }
    if random.once_in(3) {
        container["resources"] =
            json!({"requests": {"cpu": format!("{}00m", number(random)), "memory": "1Gi"}});
    }
    json!({"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [container]}})
}

fn texts(random: &mut Random) -> Value {
    let mut map = json!({});
    for _ in 0..random.below(4) {
        map[word(random)] = word(random).into();
    }
    map
}

/// All kinds.
pub(super) const KINDS: [Kind; 27] = [
    kind(
        "/api/v1",
        "configmaps",
        true,
        false,
        |random| json!({"apiVersion": "v1", "kind": "ConfigMap", "data": texts(random)}),
    ),
    kind(
        "/api/v1",
        "secrets",
        true,
        false,
        |random| json!({"apiVersion": "v1", "kind": "Secret", "stringData": texts(random)}),
    ),
    kind(
        "/api/v1",
        "serviceaccounts",
        true,
        false,
        |random| json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": random.once_in(2)}),
    ),
    kind("/api/v1", "services", true, true, |random| {
        json!({"apiVersion": "v1", "kind": "Service", "spec": {"selector": {"app": word(random)},
            "ports": [{"name": "http", "port": 80, "targetPort": 8000 + random.below(3)}]}})
    }),
    kind("/apis/apps/v1", "deployments", true, true, |random| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": number(random),
            "selector": {"matchLabels": {"app": "x"}}, "template": template(random)}})
    }),
    kind("/apis/apps/v1", "statefulsets", true, true, |random| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "spec": {"replicas": number(random), "serviceName": "x",
            "selector": {"matchLabels": {"app": "x"}}, "template": template(random)}})
    }),
    kind("/apis/batch/v1", "cronjobs", true, true, |random| {
        let mut template = template(random);
        template["spec"]["restartPolicy"] = "Never".into();
        json!({"apiVersion": "batch/v1", "kind": "CronJob", "spec": {"schedule": format!("{} * * * *", number(random)),
            "jobTemplate": {"spec": {"template": template}}}})
    }),
    kind("/apis/networking.k8s.io/v1", "ingresses", true, true, |random| {
        let backend = json!({"service": {"name": word(random), "port": {"number": 80}}});
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "spec": {"ingressClassName": word(random),
            "rules": [{"host": format!("{}.example.net", word(random)),
                "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]}}]}})
    }),
    kind(
        "/apis/networking.k8s.io/v1",
        "networkpolicies",
        true,
        false,
        |random| {
            json!({"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "spec": {
            "podSelector": {"matchLabels": {"app": word(random)}}, "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": 8000 + random.below(3)}]}]}})
        },
    ),
    kind("/apis/policy/v1", "poddisruptionbudgets", true, true, |random| {
        json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "spec": {"minAvailable": number(random),
            "selector": {"matchLabels": {"app": "x"}}}})
    }),
    kind(
        "/apis/rbac.authorization.k8s.io/v1",
        "roles",
        true,
        false,
        |random| {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
            "rules": [{"apiGroups": [""], "resources": [word(random)], "verbs": ["get", word(random)]}]})
        },
    ),
    kind("/apis/coordination.k8s.io/v1", "leases", true, false, |random| {
        json!({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {"holderIdentity": word(random),
            "leaseDurationSeconds": number(random)}})
    }),
    kind(
        "/api/v1",
        "limitranges",
        true,
        false,
        |random| json!({"apiVersion": "v1", "kind": "LimitRange", "spec": {"limits": [{"type": "Pod", "max": {"cpu": format!("{}", number(random))}}]}}),
    ),
    kind(
        "/api/v1",
        "podtemplates",
        true,
        false,
        |random| json!({"apiVersion": "v1", "kind": "PodTemplate", "template": template(random)}),
    ),
    kind(
        "/apis/apps/v1",
        "replicasets",
        true,
        true,
        |random| json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "spec": {"replicas": number(random), "selector": {"matchLabels": {"app": "x"}}, "template": template(random)}}),
    ),
    kind(
        "/apis/rbac.authorization.k8s.io/v1",
        "rolebindings",
        true,
        false,
        |random| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "x"}, "subjects": [{"kind": "ServiceAccount", "name": word(random), "namespace": NAMESPACE}]}),
    ),
    kind(
        "/apis/autoscaling/v2",
        "horizontalpodautoscalers",
        true,
        true,
        |random| json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": word(random)}, "minReplicas": 1, "maxReplicas": 1 + number(random)}}),
    ),
    kind(
        "/apis/discovery.k8s.io/v1",
        "endpointslices",
        true,
        false,
        |random| json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "endpoints": [{"addresses": [format!("10.0.0.{}", number(random))]}], "ports": [{"name": "http", "port": 80}]}),
    ),
    kind(
        "/apis/storage.k8s.io/v1",
        "storageclasses",
        false,
        false,
        |random| json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "provisioner": "disks.example.net", "allowVolumeExpansion": random.once_in(2)}),
    ),
    kind(
        "/apis/networking.k8s.io/v1",
        "ingressclasses",
        false,
        false,
        |random| json!({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "spec": {"controller": "example.net/x", "parameters": {"kind": "Settings", "name": word(random), "apiGroup": "example.net"}}}),
    ),
    kind(
        "/apis/admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations",
        false,
        false,
        |random| json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "webhooks": [{"name": "nothing.example.net", "admissionReviewVersions": ["v1"], "sideEffects": "None", "clientConfig": {"url": format!("https://localhost/{}", word(random))}}]}),
    ),
    kind(
        "/apis/rbac.authorization.k8s.io/v1",
        "clusterrolebindings",
        false,
        false,
        |random| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "x"}, "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": word(random)}]}),
    ),
    kind(
        "/apis/rbac.authorization.k8s.io/v1",
        "clusterroles",
        false,
        false,
        |random| {
            json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "rules": [{"apiGroups": [""], "resources": [word(random)], "verbs": ["get", word(random)]}]})
        },
    ),
    kind(
        "/apis/scheduling.k8s.io/v1",
        "priorityclasses",
        false,
        false,
        |random| json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "value": 5, "description": word(random)}),
    ),
    kind(
        "/api/v1",
        "namespaces",
        false,
        true,
        |_| json!({"apiVersion": "v1", "kind": "Namespace"}),
    ),
    kind(
        "/apis/apiextensions.k8s.io/v1",
        "customresourcedefinitions",
        false,
        true,
        |random| {
            let field = word(random);
            let mut schema =
                json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {}}}});
            schema["properties"]["spec"]["properties"][field] = json!({"type": "string"});
            json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "spec": {
                "group": DEFINED, "scope": "Namespaced", "versions": [{"name": "v1", "served": true, "storage": true,
                    "subresources": {"status": {}}, "schema": {"openAPIV3Schema": schema}}]}})
        },
    ),
    kind("/apis/example.net/v1", "racks", true, true, |random| {
        json!({"apiVersion": "example.net/v1", "kind": "Rack", "spec": {"color": word(random), "tags": [word(random)],
            "stops": [{"name": word(random), "number": number(random)}]}})
    }),
];

const fn kind(
    base: &'static str,
    plural: &'static str,
    namespaced: bool,
    has_status: bool,
    make: fn(&mut Random) -> Value,
) -> Kind {
    Kind {
        base,
        plural,
        namespaced,
        has_status,
        make,
    }
}

impl Kind {
    /// A definition of this name.
    pub(super) fn object(&self, name: &str, random: &mut Random) -> Value {
        let mut object = (self.make)(random);
        object["metadata"] = json!({"name": name, "labels": texts(random)});
        if self.plural == "customresourcedefinitions"
            && let Some((plural, _)) = name.split_once('.')
        {
            object["spec"]["names"] = json!({"plural": plural, "kind": plural.to_uppercase()});
        }
        object["metadata"]["labels"]["always"] = "there".into();
        if random.once_in(3) {
            object["metadata"]["annotations"] = json!({"note": word(random)});
        }
        object
    }

    /// The name of an object that is called so among its kind.
    pub(super) fn name(&self, name: &str) -> String {
        match self.plural {
            "customresourcedefinitions" => format!("{name}.{DEFINED}"),
            _ => name.to_owned(),
        }
    }

    /// The path of all of them.
    pub(super) fn collection(&self) -> String {
        match self.namespaced {
            true => format!("{}/namespaces/{NAMESPACE}/{}", self.base, self.plural),
            false => format!("{}/{}", self.base, self.plural),
        }
    }
}

/// The CRD of the racks.
pub(super) fn definition() -> Value {
    let schema = json!({"type": "object", "properties": {
        "spec": {"type": "object", "properties": {
            "size": {"type": "integer", "default": 3}, "color": {"type": "string"},
            "tags": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "stops": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
                "items": {"type": "object", "required": ["name"], "properties": {
                    "name": {"type": "string"}, "number": {"type": "integer"}}}}}},
        "status": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}}});
    json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "racks.example.net"},
        "spec": {"group": "example.net", "scope": "Namespaced", "names": {"kind": "Rack", "plural": "racks"},
            "versions": [{"name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema}}]}})
}
