//! What an object names.

use fleet_diff::{Node, Object, ObjectKey};

use super::{cause::Cause, pods::Pods};

/// Something an object names: it need not be listed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Target<'a> {
    pub(super) group: &'a str,
    pub(super) kind: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn of(key: &'a ObjectKey) -> Self {
        Self {
            group: key.group(),
            kind: key.kind(),
            namespace: key.namespace().unwrap_or(""),
            name: key.name(),
        }
    }
}

/// Kinds of one namespace or of none that are named by their name alone.
#[derive(Clone, Copy)]
struct Named {
    group: &'static str,
    kind: &'static str,
    in_namespace: bool,
}

const fn inside(group: &'static str, kind: &'static str) -> Named {
    let in_namespace = true;
    Named {
        group,
        kind,
        in_namespace,
    }
}

const fn of_cluster(group: &'static str, kind: &'static str) -> Named {
    let in_namespace = false;
    Named {
        group,
        kind,
        in_namespace,
    }
}

const CONFIG_MAP: Named = inside("", "ConfigMap");
const SECRET: Named = inside("", "Secret");
const CLAIM: Named = inside("", "PersistentVolumeClaim");
const ACCOUNT: Named = inside("", "ServiceAccount");
const STORAGE: &str = "storage.k8s.io";

/// Where a volume names a Secret, beside `secret` itself.
const SECRETS_OF_VOLUMES: [&[&str]; 9] = [
    &["azureFile", "secretName"],
    &["cephfs", "secretRef", "name"],
    &["csi", "nodePublishSecretRef", "name"],
    &["flexVolume", "secretRef", "name"],
    &["iscsi", "secretRef", "name"],
    &["rbd", "secretRef", "name"],
    &["scaleIO", "secretRef", "name"],
    &["storageos", "secretRef", "name"],
    &["cinder", "secretRef", "name"],
];

/// Finds what one object names.
pub(super) struct Finder<'a, F> {
    object: &'a Object,
    found: F,
}

impl<'a, F: FnMut(Cause, Target<'a>)> Finder<'a, F> {
    pub(super) fn new(object: &'a Object, found: F) -> Self {
        Self { object, found }
    }

    /// Everything but the namespace, the kind's definition, and what selectors select.
    pub(super) fn all(mut self) {
        let root = self.object.root();
        let spec = root.get("spec");
        match (self.object.key().group(), self.object.key().kind()) {
            ("", "ServiceAccount") => self.pull_secrets(root),
            ("", "Secret") => self.token(),
            ("", "PersistentVolumeClaim") => self.claim(spec),
            ("", "PersistentVolume") => {
                self.name_at(
                    spec,
                    &["storageClassName"],
                    Cause::Class,
                    of_cluster(STORAGE, "StorageClass"),
                );
                self.name_at(
                    spec,
                    &["csi", "driver"],
                    Cause::Class,
                    of_cluster(STORAGE, "CSIDriver"),
                );
            }
            ("networking.k8s.io", "Ingress") => {
                let class = of_cluster("networking.k8s.io", "IngressClass");
                self.name_at(spec, &["ingressClassName"], Cause::Class, class);
            }
            ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => self.role(),
            ("apps", "StatefulSet") => {
                self.name_at(spec, &["serviceName"], Cause::Governing, inside("", "Service"));
                for claim in items(spec, "volumeClaimTemplates") {
                    self.claim(claim.get("spec"));
                }
            }
            _ => {}
        }
        if let Some(pods) = Pods::of(self.object) {
            self.pods(pods);
        }
    }

    fn pods(&mut self, pods: Pods<'a>) {
        self.name(Some(pods.account()), Cause::ServiceAccount, ACCOUNT);
        self.pull_secrets(pods.spec);
        let priority = of_cluster("scheduling.k8s.io", "PriorityClass");
        let runtime = of_cluster("node.k8s.io", "RuntimeClass");
        self.name_at(Some(pods.spec), &["priorityClassName"], Cause::PodClass, priority);
        self.name_at(Some(pods.spec), &["runtimeClassName"], Cause::PodClass, runtime);
        for claim in items(Some(pods.spec), "resourceClaims") {
            let names = [
                ("resourceClaimName", inside("resource.k8s.io", "ResourceClaim")),
                (
                    "resourceClaimTemplateName",
                    inside("resource.k8s.io", "ResourceClaimTemplate"),
                ),
            ];
            for (field, named) in names {
                self.name_at(Some(claim), &[field], Cause::ResourceClaim, named);
            }
        }
        for volume in items(Some(pods.spec), "volumes") {
            self.volume(volume);
        }
        for container in pods.containers() {
            for from in items(Some(container), "envFrom") {
                self.may_lack(from.get("configMapRef"), "name", Cause::Environment, CONFIG_MAP);
                self.may_lack(from.get("secretRef"), "name", Cause::Environment, SECRET);
            }
            for from in items(Some(container), "env").filter_map(|variable| variable.get("valueFrom")) {
                self.may_lack(
                    from.get("configMapKeyRef"),
                    "name",
                    Cause::Environment,
                    CONFIG_MAP,
                );
                self.may_lack(from.get("secretKeyRef"), "name", Cause::Environment, SECRET);
            }
        }
    }

    fn volume(&mut self, volume: Node<'a>) {
        self.may_lack(volume.get("configMap"), "name", Cause::Volume, CONFIG_MAP);
        self.may_lack(volume.get("secret"), "secretName", Cause::Volume, SECRET);
        for source in items(volume.get("projected"), "sources") {
            self.may_lack(source.get("configMap"), "name", Cause::Volume, CONFIG_MAP);
            self.may_lack(source.get("secret"), "name", Cause::Volume, SECRET);
        }
        self.name_at(
            Some(volume),
            &["persistentVolumeClaim", "claimName"],
            Cause::Volume,
            CLAIM,
        );
        for path in SECRETS_OF_VOLUMES {
            self.name_at(Some(volume), path, Cause::Volume, SECRET);
        }
        let driver = of_cluster(STORAGE, "CSIDriver");
        self.name_at(Some(volume), &["csi", "driver"], Cause::Class, driver);
        self.claim(volume.at(&["ephemeral", "volumeClaimTemplate", "spec"]));
    }

    /// What the spec of a claim names.
    fn claim(&mut self, spec: Option<Node<'a>>) {
        let attributes = of_cluster(STORAGE, "VolumeAttributesClass");
        self.name_at(
            spec,
            &["storageClassName"],
            Cause::Class,
            of_cluster(STORAGE, "StorageClass"),
        );
        self.name_at(spec, &["volumeAttributesClassName"], Cause::Class, attributes);
        self.name_at(
            spec,
            &["volumeName"],
            Cause::Source,
            of_cluster("", "PersistentVolume"),
        );
        for source in ["dataSource", "dataSourceRef"] {
            let Some(source) = spec.and_then(|spec| spec.get(source)) else {
                continue;
            };
            let text = |field| source.get(field).and_then(Node::as_str);
            if let (Some(kind), Some(name)) = (text("kind"), text("name")) {
                let target = Target {
                    group: text("apiGroup").unwrap_or(""),
                    kind,
                    namespace: text("namespace").or(self.object.namespace()).unwrap_or(""),
                    name,
                };
                (self.found)(Cause::Source, target);
            }
        }
    }

    fn role(&mut self) {
        let Some(role) = self.object.root().get("roleRef") else {
            return;
        };
        let named = match role.get("kind").and_then(Node::as_str) {
            Some("Role") => inside("rbac.authorization.k8s.io", "Role"),
            _ => of_cluster("rbac.authorization.k8s.io", "ClusterRole"),
        };
        self.name_at(Some(role), &["name"], Cause::Role, named);
    }

    fn token(&mut self) {
        let is_token = self.object.root().get("type").and_then(Node::as_str);
        if is_token == Some("kubernetes.io/service-account-token") {
            let account = self.object.annotation("kubernetes.io/service-account.name");
            self.name(account, Cause::Token, ACCOUNT);
        }
    }

    fn pull_secrets(&mut self, spec: Node<'a>) {
        for secret in items(Some(spec), "imagePullSecrets") {
            self.name_at(Some(secret), &["name"], Cause::PullSecret, SECRET);
        }
    }

    /// A reference that may say that it is `optional`.
    fn may_lack(&mut self, reference: Option<Node<'a>>, field: &str, cause: Cause, named: Named) {
        let optional = reference.and_then(|reference| reference.get("optional")?.as_bool());
        let cause = if optional == Some(true) {
            Cause::Optional
        } else {
            cause
        };
        self.name_at(reference, &[field], cause, named);
    }

    fn name_at(&mut self, node: Option<Node<'a>>, path: &[&str], cause: Cause, named: Named) {
        let name = node.and_then(|node| node.at(path)?.as_str());
        self.name(name, cause, named);
    }

    fn name(&mut self, name: Option<&'a str>, cause: Cause, named: Named) {
        let Some(name) = name.filter(|name| !name.is_empty()) else {
            return;
        };
        let namespace = if named.in_namespace {
            self.object.namespace()
        } else {
            None
        };
        let target = Target {
            group: named.group,
            kind: named.kind,
            namespace: namespace.unwrap_or(""),
            name,
        };
        (self.found)(cause, target);
    }
}

pub(super) fn items<'a>(node: Option<Node<'a>>, field: &str) -> impl Iterator<Item = Node<'a>> + use<'a> {
    node.and_then(|node| node.get(field))
        .into_iter()
        .flat_map(Node::items)
}
