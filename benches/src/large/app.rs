//! One application: what a team deploys together.

use super::Writer;

/// The definition of the custom resources.
pub(super) fn definition(writer: &mut Writer) {
    let name = "queues.bench.example.com";
    let (api_version, kind) = ("apiextensions.k8s.io/v1", "CustomResourceDefinition");
    writer.object("customresourcedefinitions", api_version, kind, name);
    writer.lines(
        "spec:
  group: bench.example.com
  scope: Namespaced
  names:
    plural: queues
    singular: queue
    kind: Queue
    listKind: QueueList
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              partitions:
                type: integer
                default: 1
              retention:
                type: string
                default: 24h
              readers:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name]
                items:
                  type: object
                  required: [name]
                  properties:
                    name:
                      type: string
                    rate:
                      type: integer",
    );
}

/// Five objects that every application has, and others that some have.
pub(super) fn app(writer: &mut Writer, namespace: &str, index: usize) {
    let name = format!("app-{index:02}");
    let place = format!("{namespace}/{name}");
    writer.object("serviceaccounts", "v1", "ServiceAccount", &place);
    writer.lines("automountServiceAccountToken: false");
    config_map(writer, &place);
    secret(writer, &place);
    deployment(writer, &place, &name);
    writer.object("services", "v1", "Service", &place);
    writer.lines(&format!(
        "spec:\n  selector:\n    app: {name}\n  ports:\n  - name: http\n    port: 80\n    targetPort: http\n  - name: metrics\n    port: 9090\n    targetPort: metrics"
    ));
    if writer.percent(50) {
        access(writer, &place, &name, namespace);
    }
    if writer.percent(40) {
        writer.object(
            "horizontalpodautoscalers",
            "autoscaling/v2",
            "HorizontalPodAutoscaler",
            &place,
        );
        let max = writer.random.u32(4..40);
        writer.lines(&format!(
            "spec:\n  minReplicas: 2\n  maxReplicas: {max}\n  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n    name: {name}\n  metrics:\n  - type: Resource\n    resource:\n      name: cpu\n      target:\n        type: Utilization\n        averageUtilization: 70"
        ));
        writer.object("poddisruptionbudgets", "policy/v1", "PodDisruptionBudget", &place);
        writer.lines(&format!(
            "spec:\n  minAvailable: 1\n  selector:\n    matchLabels:\n      app: {name}"
        ));
    }
    if writer.percent(50) {
        writer.object("ingresses", "networking.k8s.io/v1", "Ingress", &place);
        writer.lines(&format!(
            "spec:\n  rules:\n  - host: {name}.{namespace}.example.com\n    http:\n      paths:\n      - path: /\n        pathType: Prefix\n        backend:\n          service:\n            name: {name}\n            port:\n              name: http"
        ));
    }
    if writer.percent(50) {
        writer.object("networkpolicies", "networking.k8s.io/v1", "NetworkPolicy", &place);
        writer.lines(&format!(
            "spec:\n  podSelector:\n    matchLabels:\n      app: {name}\n  policyTypes: [Ingress]\n  ingress:\n  - from:\n    - namespaceSelector: {{}}\n    ports:\n    - protocol: TCP\n      port: 8080"
        ));
    }
    if writer.percent(20) {
        writer.object("cronjobs", "batch/v1", "CronJob", &place);
        let (hour, minute) = (writer.random.u32(0..24), writer.random.u32(0..60));
        writer.lines(&format!(
            "spec:\n  schedule: \"{minute} {hour} * * *\"\n  concurrencyPolicy: Forbid\n  jobTemplate:\n    spec:\n      template:\n        spec:\n          restartPolicy: OnFailure\n          containers:\n          - name: task\n            image: registry.example.com/{name}/task:1\n            args: [--once]"
        ));
    }
    if writer.percent(60) {
        queue(writer, &place);
    }
}

fn config_map(writer: &mut Writer, place: &str) {
    writer.object("configmaps", "v1", "ConfigMap", place);
    writer.lines("data:\n  mode: steady\n  application.properties: |");
    for line in 0..writer.random.u32(20..200) {
        let value = writer.random.u32(..);
        writer.lines(&format!("    service.option.{line:03}={value:08x}"));
    }
}

fn secret(writer: &mut Writer, place: &str) {
    writer.object("secrets", "v1", "Secret", place);
    writer.lines("type: Opaque\ndata:");
    for key in 0..writer.random.u32(2..8) {
        // Any letters and digits are base64 if there are a multiple of four.
        let value: String = (0..32).map(|_| writer.random.alphanumeric()).collect();
        writer.lines(&format!("  key-{key}: {value}"));
    }
}

fn access(writer: &mut Writer, place: &str, name: &str, namespace: &str) {
    let api_version = "rbac.authorization.k8s.io/v1";
    writer.object("roles", api_version, "Role", place);
    writer.lines(
        "rules:\n- apiGroups: [\"\"]\n  resources: [configmaps, secrets]\n  verbs: [get, list, watch]\n- apiGroups: [coordination.k8s.io]\n  resources: [leases]\n  verbs: [get, create, update]",
    );
    writer.object("rolebindings", api_version, "RoleBinding", place);
    writer.lines(&format!(
        "roleRef:\n  apiGroup: rbac.authorization.k8s.io\n  kind: Role\n  name: {name}\nsubjects:\n- kind: ServiceAccount\n  name: {name}\n  namespace: {namespace}"
    ));
}

fn queue(writer: &mut Writer, place: &str) {
    writer.object("queues", "bench.example.com/v1", "Queue", place);
    let partitions = writer.random.u32(1..32);
    writer.lines(&format!("spec:\n  partitions: {partitions}\n  readers:"));
    for reader in 0..writer.random.u32(1..6) {
        let rate = writer.random.u32(10..1000);
        writer.lines(&format!("  - name: reader-{reader}\n    rate: {rate}"));
    }
}

fn deployment(writer: &mut Writer, place: &str, name: &str) {
    writer.object("deployments", "apps/v1", "Deployment", place);
    let replicas = writer.random.u32(1..6);
    writer.lines(&format!(
        "spec:\n  replicas: {replicas}\n  selector:\n    matchLabels:\n      app: {name}\n  strategy:\n    rollingUpdate:\n      maxSurge: 25%\n      maxUnavailable: 0\n  template:\n    metadata:\n      labels:\n        app: {name}\n    spec:\n      serviceAccountName: {name}\n      securityContext:\n        runAsNonRoot: true\n      volumes:\n      - name: config\n        configMap:\n          name: {name}\n      - name: scratch\n        emptyDir: {{}}\n      containers:"
    ));
    container(writer, name, name);
    if writer.percent(30) {
        container(writer, "proxy", name);
    }
}

fn container(writer: &mut Writer, container: &str, app: &str) {
    let tag = writer.random.u32(1..100);
    writer.lines(&format!(
        "      - name: {container}\n        image: registry.example.com/{app}/{container}:1.{tag}\n        args:\n        - --config=/etc/config/application.properties\n        env:"
    ));
    for variable in 0..writer.random.u32(3..25) {
        let value = writer.random.u32(..);
        writer.lines(&format!(
            "        - name: OPTION_{variable}\n          value: \"{value}\""
        ));
    }
    // Names of ports are the pod's, not the container's.
    let ports = if container == app {
        "        ports:\n        - name: http\n          containerPort: 8080\n        - name: metrics\n          containerPort: 9090\n        readinessProbe:\n          httpGet:\n            path: /ready\n            port: http\n          periodSeconds: 5\n        livenessProbe:\n          httpGet:\n            path: /alive\n            port: http\n"
    } else {
        ""
    };
    let cpu = writer.random.u32(1..20) * 50;
    writer.lines(&format!(
        "{ports}        resources:\n          requests:\n            cpu: {cpu}m\n            memory: 128Mi\n          limits:\n            memory: 256Mi\n        securityContext:\n          allowPrivilegeEscalation: false\n          capabilities:\n            drop: [ALL]\n        volumeMounts:\n        - name: config\n          mountPath: /etc/config\n          readOnly: true\n        - name: scratch\n          mountPath: /tmp"
    ));
}
