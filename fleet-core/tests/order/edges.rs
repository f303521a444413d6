//! What is found in objects.

use super::{edges, objects, order};

/// A pod template whose pods use one thing of each sort, by way of each field that names one.
const EVERYTHING: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {namespace: shop, name: web}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: runner
      priorityClassName: urgent
      runtimeClassName: sandbox
      imagePullSecrets: [{name: pull}]
      resourceClaims: [{name: a, resourceClaimName: gpu}, {name: b, resourceClaimTemplateName: gpus}]
      initContainers:
        - {name: init, envFrom: [{configMapRef: {name: init-env}}]}
      containers:
        - name: main
          envFrom: [{secretRef: {name: env-secret}}, {secretRef: {name: absent}}]
          env:
            - {name: A, valueFrom: {configMapKeyRef: {name: env-map, key: a}}}
            - {name: B, valueFrom: {secretKeyRef: {name: maybe, key: a, optional: true}}}
            - {name: C, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
      volumes:
        - {name: a, configMap: {name: files}}
        - {name: b, secret: {secretName: keys}}
        - {name: c, persistentVolumeClaim: {claimName: disk}}
        - name: d
          projected:
            sources: [{configMap: {name: projected-map}}, {secret: {name: projected-secret, optional: true}}, {serviceAccountToken: {path: t}}]
        - {name: e, csi: {driver: csi.example.com, nodePublishSecretRef: {name: csi-secret}}}
        - {name: f, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast}}}}
        - {name: g, azureFile: {secretName: azure, shareName: x}}
        - {name: h, emptyDir: {}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: runner}}
  - {apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: urgent}}
  - {apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {name: sandbox}}
  - {apiVersion: resource.k8s.io/v1, kind: ResourceClaim, metadata: {namespace: shop, name: gpu}}
  - {apiVersion: resource.k8s.io/v1, kind: ResourceClaimTemplate, metadata: {namespace: shop, name: gpus}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: pull}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: env-secret}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: maybe}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: keys}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: projected-secret}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: csi-secret}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: azure}}
  - {apiVersion: v1, kind: Secret, metadata: {namespace: other, name: absent}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: init-env}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: env-map}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: files}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: projected-map}}
  - {apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: unrelated}}
  - {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: disk}}
  - {apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: csi.example.com}}
  - {apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}}
"#;

#[test]
fn everything_a_pod_template_names() {
    let objects = objects(EVERYTHING);
    let order = order(EVERYTHING);
    let found: Vec<String> = edges(&order, &objects)
        .into_iter()
        .filter_map(|edge| edge.strip_prefix("Deployment.apps shop/web ").map(str::to_owned))
        .collect();
    let expect = [
        "has pods of PriorityClass.scheduling.k8s.io urgent",
        "has pods of RuntimeClass.node.k8s.io sandbox",
        "has pods that claim ResourceClaim.resource.k8s.io shop/gpu",
        "has pods that claim ResourceClaimTemplate.resource.k8s.io shop/gpus",
        "has pods that mount ConfigMap shop/files",
        "has pods that mount ConfigMap shop/projected-map",
        "has pods that mount PersistentVolumeClaim shop/disk",
        "has pods that mount Secret shop/azure",
        "has pods that mount Secret shop/csi-secret",
        "has pods that mount Secret shop/keys",
        "has pods that run as ServiceAccount shop/runner",
        "has pods that use, if it is there, Secret shop/maybe",
        "has pods that use, if it is there, Secret shop/projected-secret",
        "has pods with environment variables from ConfigMap shop/env-map",
        "has pods with environment variables from ConfigMap shop/init-env",
        "has pods with environment variables from Secret shop/env-secret",
        "is in Namespace shop",
        "names as its class CSIDriver.storage.k8s.io csi.example.com",
        "names as its class StorageClass.storage.k8s.io fast",
        "pulls images with Secret shop/pull",
    ];
    assert_eq!(found, expect);
    let others = edges(&order, &objects).len() - expect.len();
    assert_eq!(others, 16, "of the rest, each object of the namespace is in it");
}

#[test]
fn a_pod_template_is_found_in_every_kind_that_has_one() {
    let spec = "{containers: [{name: a}], volumes: [{name: a, configMap: {name: files}}]}";
    let cases = [
        ("v1", "Pod", format!("spec: {spec}")),
        ("v1", "PodTemplate", format!("template: {{spec: {spec}}}")),
        (
            "v1",
            "ReplicationController",
            format!("spec: {{template: {{spec: {spec}}}}}"),
        ),
        (
            "apps/v1",
            "DaemonSet",
            format!("spec: {{template: {{spec: {spec}}}}}"),
        ),
        (
            "apps/v1",
            "ReplicaSet",
            format!("spec: {{template: {{spec: {spec}}}}}"),
        ),
        (
            "apps/v1",
            "StatefulSet",
            format!("spec: {{template: {{spec: {spec}}}}}"),
        ),
        ("batch/v1", "Job", format!("spec: {{template: {{spec: {spec}}}}}")),
        (
            "batch/v1",
            "CronJob",
            format!("spec: {{jobTemplate: {{spec: {{template: {{spec: {spec}}}}}}}}}"),
        ),
        (
            "argoproj.io/v1alpha1",
            "Rollout",
            format!("spec: {{template: {{spec: {spec}}}}}"),
        ),
    ];
    for (version, kind, body) in cases {
        let yaml = format!(
            "apiVersion: {version}\nkind: {kind}\nmetadata: {{namespace: shop, name: web}}\n{body}\n---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{namespace: shop, name: files}}}}"
        );
        let found = edges(&order(&yaml), &objects(&yaml));
        assert_eq!(found.len(), 1, "{kind}: {found:?}");
        assert!(
            found[0].ends_with("shop/web has pods that mount ConfigMap shop/files"),
            "{}",
            found[0]
        );
    }
}

/// Each case: objects, and every edge among them.
const CASES: [(&str, &str, &[&str]); 16] = [
    (
        "a custom resource waits for the CRD of its kind",
        r#"
{apiVersion: example.com/v1, kind: Widget, metadata: {namespace: shop, name: a}}
---
{apiVersion: example.org/v1, kind: Widget, metadata: {namespace: shop, name: a}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {group: example.com, names: {kind: Widget}}}
"#,
        &[
            "Widget.example.com shop/a is of the kind defined by CustomResourceDefinition.apiextensions.k8s.io widgets.example.com",
        ],
    ),
    (
        "a CRD that defines the kind of CRDs, and one that defines namespaces, hold nothing up",
        r#"
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: {group: apiextensions.k8s.io, names: {kind: CustomResourceDefinition}}}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: b}, spec: {group: "", names: {kind: Namespace}}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
"#,
        &[],
    ),
    (
        "bindings wait for roles, and users of accounts for bindings",
        r#"
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {namespace: shop, name: reader}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRole, metadata: {name: reader}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {namespace: shop, name: local}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: web}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: wide}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: reader}
subjects: [{kind: ServiceAccount, namespace: shop, name: web}, {kind: ServiceAccount, namespace: shop, name: default}, {kind: Group, name: web}]
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web}, spec: {serviceAccountName: web, containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: plain}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: other, name: web}, spec: {serviceAccountName: web, containers: []}}
"#,
        &[
            "ClusterRoleBinding.rbac.authorization.k8s.io wide binds ClusterRole.rbac.authorization.k8s.io reader",
            "Pod shop/plain has pods with rights from ClusterRoleBinding.rbac.authorization.k8s.io wide",
            "Pod shop/web has pods with rights from ClusterRoleBinding.rbac.authorization.k8s.io wide",
            "Pod shop/web has pods with rights from RoleBinding.rbac.authorization.k8s.io shop/local",
            "RoleBinding.rbac.authorization.k8s.io shop/local binds Role.rbac.authorization.k8s.io shop/reader",
        ],
    ),
    (
        "pods that name no account run as default, if that is listed",
        r#"
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: a}, spec: {containers: []}}
---
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: default}, secrets: [{name: x}], imagePullSecrets: [{name: pull}]}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: pull}}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: x}}
"#,
        &[
            "Pod shop/a has pods that run as ServiceAccount shop/default",
            "ServiceAccount shop/default pulls images with Secret shop/pull",
        ],
    ),
    (
        "a token waits for its account, which does not wait for it",
        r#"
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: web}, secrets: [{name: token}]}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: token, annotations: {kubernetes.io/service-account.name: web}}, type: kubernetes.io/service-account-token}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: other, annotations: {kubernetes.io/service-account.name: web}}, type: Opaque}
"#,
        &["Secret shop/token is a token of ServiceAccount shop/web"],
    ),
    (
        "a token that its account pulls images with: what is merely better gives way",
        r#"
{apiVersion: v1, kind: ServiceAccount, metadata: {namespace: shop, name: web}, imagePullSecrets: [{name: token}]}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: shop, name: token, annotations: {kubernetes.io/service-account.name: web}}, type: kubernetes.io/service-account-token}
"#,
        &["Secret shop/token is a token of ServiceAccount shop/web"],
    ),
    (
        "webhooks wait for what answers: the Service and all pods that it selects",
        r#"
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hooks}
webhooks:
  - {name: a, clientConfig: {service: {namespace: ops, name: hook}}}
  - {name: b, clientConfig: {service: {namespace: ops, name: absent}}}
  - {name: c, clientConfig: {url: "https://example.com"}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: ops, name: hook}, spec: {selector: {app: hook, tier: one}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: ops, name: hook}, spec: {template: {metadata: {labels: {app: hook, tier: one, x: y}}, spec: {containers: []}}}}
---
{apiVersion: apps/v1, kind: DaemonSet, metadata: {namespace: ops, name: half}, spec: {template: {metadata: {labels: {app: hook}}, spec: {containers: []}}}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: other, name: hook}, spec: {template: {metadata: {labels: {app: hook, tier: one}}, spec: {containers: []}}}}
"#,
        &[
            "ValidatingWebhookConfiguration.admissionregistration.k8s.io hooks is answered by the pods of Deployment.apps ops/hook",
            "ValidatingWebhookConfiguration.admissionregistration.k8s.io hooks is answered through Service ops/hook",
        ],
    ),
    (
        "a Service without a selector selects nothing",
        r#"
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: a}, webhooks: [{name: a, clientConfig: {service: {namespace: ops, name: hook}}}]}
---
{apiVersion: v1, kind: Service, metadata: {namespace: ops, name: hook}, spec: {}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: ops, name: hook, labels: {a: b}}, spec: {containers: []}}
"#,
        &["MutatingWebhookConfiguration.admissionregistration.k8s.io a is answered through Service ops/hook"],
    ),
    (
        "an aggregated API waits for its backend, and what it serves for it",
        r#"
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.agg.example.com}, spec: {group: agg.example.com, version: v1, service: {namespace: ops, name: api}}}
---
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v2.agg.example.com}, spec: {group: agg.example.com, version: v2}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: ops, name: api}, spec: {selector: {app: api}}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: ops, name: api, labels: {app: api}}, spec: {containers: []}}
---
{apiVersion: agg.example.com/v1, kind: Thing, metadata: {name: a}}
---
{apiVersion: agg.example.com/v2, kind: Thing, metadata: {name: b}}
"#,
        &[
            "APIService.apiregistration.k8s.io v1.agg.example.com is answered by the pods of Pod ops/api",
            "APIService.apiregistration.k8s.io v1.agg.example.com is answered through Service ops/api",
            "Thing.agg.example.com a is of an API version served by APIService.apiregistration.k8s.io v1.agg.example.com",
        ],
    ),
    (
        "an API that is served by what it serves: the circle holds nothing up",
        r#"
{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1.agg.example.com}, spec: {group: agg.example.com, version: v1, service: {namespace: ops, name: api}}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: ops, name: api}, spec: {selector: {app: api}}}
---
{apiVersion: agg.example.com/v1, kind: Runner, metadata: {namespace: ops, name: api}, spec: {template: {metadata: {labels: {app: api}}, spec: {containers: []}}}}
"#,
        &["APIService.apiregistration.k8s.io v1.agg.example.com is answered through Service ops/api"],
    ),
    (
        "claims, volumes and their classes",
        r#"
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}}
---
{apiVersion: storage.k8s.io/v1, kind: CSIDriver, metadata: {name: csi.example.com}}
---
{apiVersion: v1, kind: PersistentVolume, metadata: {name: pv}, spec: {storageClassName: fast, csi: {driver: csi.example.com}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: a}, spec: {storageClassName: fast, volumeName: pv}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: b}, spec: {dataSource: {kind: PersistentVolumeClaim, name: a}, dataSourceRef: {apiGroup: snapshot.storage.k8s.io, kind: VolumeSnapshot, namespace: other, name: s}}}
---
{apiVersion: snapshot.storage.k8s.io/v1, kind: VolumeSnapshot, metadata: {namespace: other, name: s}}
"#,
        &[
            "PersistentVolume pv names as its class CSIDriver.storage.k8s.io csi.example.com",
            "PersistentVolume pv names as its class StorageClass.storage.k8s.io fast",
            "PersistentVolumeClaim shop/a names as its class StorageClass.storage.k8s.io fast",
            "PersistentVolumeClaim shop/a takes its volume or content from PersistentVolume pv",
            "PersistentVolumeClaim shop/b takes its volume or content from PersistentVolumeClaim shop/a",
            "PersistentVolumeClaim shop/b takes its volume or content from VolumeSnapshot.snapshot.storage.k8s.io other/s",
        ],
    ),
    (
        "claims that are made from one another",
        r#"
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: a}, spec: {dataSource: {kind: PersistentVolumeClaim, name: b}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: b}, spec: {dataSource: {kind: PersistentVolumeClaim, name: a}}}
---
{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {namespace: shop, name: c}, spec: {dataSource: {kind: PersistentVolumeClaim, name: c}}}
"#,
        &[],
    ),
    (
        "a StatefulSet, its Service and the classes of its claims",
        r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: {namespace: shop, name: db}
spec:
  serviceName: db
  template: {spec: {containers: []}}
  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: fast, volumeAttributesClassName: gold}}]
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: db}}
---
{apiVersion: storage.k8s.io/v1, kind: StorageClass, metadata: {name: fast}}
---
{apiVersion: storage.k8s.io/v1, kind: VolumeAttributesClass, metadata: {name: gold}}
"#,
        &[
            "StatefulSet.apps shop/db is governed by Service shop/db",
            "StatefulSet.apps shop/db names as its class StorageClass.storage.k8s.io fast",
            "StatefulSet.apps shop/db names as its class VolumeAttributesClass.storage.k8s.io gold",
        ],
    ),
    (
        "an Ingress waits for its class, not for its Service",
        r#"
{apiVersion: networking.k8s.io/v1, kind: Ingress, metadata: {namespace: shop, name: a}, spec: {ingressClassName: nginx, defaultBackend: {service: {name: web}}}}
---
{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: nginx}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: shop, name: web}}
"#,
        &["Ingress.networking.k8s.io shop/a names as its class IngressClass.networking.k8s.io nginx"],
    ),
    (
        "LimitRanges before pods, quotas after everything in their namespace",
        r#"
{apiVersion: v1, kind: LimitRange, metadata: {namespace: shop, name: limits}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {namespace: shop, name: a}}
---
{apiVersion: v1, kind: ResourceQuota, metadata: {namespace: shop, name: b}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web}, spec: {containers: []}}
---
{apiVersion: v1, kind: Pod, metadata: {namespace: other, name: web}, spec: {containers: []}}
"#,
        &[
            "Pod shop/web has pods with defaults from LimitRange shop/limits",
            "ResourceQuota shop/a counts, and refuses everything until it has counted, LimitRange shop/limits",
            "ResourceQuota shop/a counts, and refuses everything until it has counted, Pod shop/web",
            "ResourceQuota shop/b counts, and refuses everything until it has counted, LimitRange shop/limits",
            "ResourceQuota shop/b counts, and refuses everything until it has counted, Pod shop/web",
        ],
    ),
    (
        "values of wrong types are no references",
        r#"
{apiVersion: v1, kind: Pod, metadata: {namespace: shop, name: web}, spec: {serviceAccountName: 7, containers: [7, {env: {a: b}, envFrom: [null, {secretRef: []}]}], volumes: {configMap: {name: files}}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: files}}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {namespace: shop, name: b}, roleRef: [], subjects: {kind: ServiceAccount}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: MutatingWebhookConfiguration, metadata: {name: a}, webhooks: [{clientConfig: 7}, 7]}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: a}, spec: 7}
"#,
        &[],
    ),
];

#[test]
fn what_waits_for_what() {
    for (name, yaml, expect) in CASES {
        let found = edges(&order(yaml), &objects(yaml));
        assert_eq!(found, expect, "{name}");
    }
}

#[test]
fn what_was_dropped_is_told() {
    let dropped = |name: &str| {
        let (_, yaml, _) = CASES.iter().find(|case| case.0.starts_with(name)).unwrap();
        order(yaml)
            .dropped()
            .map(|edge| edge.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        dropped("a token that its account"),
        ["ServiceAccount shop/web pulls images with Secret shop/token"]
    );
    assert_eq!(
        dropped("an API that is served by"),
        [
            "Runner.agg.example.com ops/api is of an API version served by APIService.apiregistration.k8s.io v1.agg.example.com",
            "APIService.apiregistration.k8s.io v1.agg.example.com is answered by the pods of Runner.agg.example.com ops/api",
        ]
    );
    assert_eq!(dropped("claims that are made").len(), 2);
    assert_eq!(dropped("LimitRanges before").len(), 0);
}
