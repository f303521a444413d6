//! Objects pass from kubectl, Helm, Argo CD, Flux, another inventory or another platform to a fleet: in one write, without
//! being deleted, and what is no longer listed of them goes.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use fleet_core::{Adoption, Change, EngineOptions, Inventory, Object, Predecessor, Status};
use fleet_harness::{ControlPlane, Options, User};
use fleet_kube::{Fleet, Wave};
use fleet_suites::{Bed, Settable, on_runtime};
use k8s_openapi::api::{apps::v1::Deployment, core::v1::ConfigMap};
use kube::{
    Api, Client, ResourceExt,
    api::{Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

static PLANE: LazyLock<ControlPlane> =
    LazyLock::new(|| ControlPlane::start(Options::new("hand-over").pods(false)).expect("a cluster"));

/// How long a fleet may take.
const PATIENCE: Duration = Duration::from_secs(30);

fn deployment(namespace: &str, image: &str, labels: &Value) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": namespace, "name": "web", "labels": labels},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": image}]},
            },
        },
    })
}

fn config(namespace: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": "settings"}, "data": data,
    })
}

/// What it was: a label and a setting more than what it is to be.
fn before(namespace: &str) -> [Value; 2] {
    [
        deployment(
            namespace,
            "registry.example.com/web:1",
            &json!({"app": "web", "stale": "yes"}),
        ),
        config(namespace, &json!({"mode": "slow", "stale": "yes"})),
    ]
}

fn after(namespace: &str) -> [Value; 2] {
    [
        deployment(namespace, "registry.example.com/web:2", &json!({"app": "web"})),
        config(namespace, &json!({"mode": "fast"})),
    ]
}

struct Place {
    namespace: String,
    client: Client,
    bed: Bed,
}

impl Place {
    async fn new(namespace: &str) -> Self {
        let bed = Bed::new([&*PLANE]);
        let client = Client::try_from(bed.config(PLANE.name(), User::Someone).await).unwrap();
        let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(client.clone());
        let made = serde_json::from_value(json!({"metadata": {"name": namespace}})).unwrap();
        namespaces.create(&PostParams::default(), &made).await.unwrap();
        Self {
            namespace: namespace.to_owned(),
            client,
            bed,
        }
    }

    fn deployments(&self) -> Api<Deployment> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    fn maps(&self) -> Api<ConfigMap> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    async fn uids(&self) -> [String; 2] {
        let deployment = self.deployments().get("web").await.unwrap().uid().unwrap();
        let map = self.maps().get("settings").await.unwrap().uid().unwrap();
        [deployment, map]
    }

    fn fleet(&self, inventory: &str, objects: &[Value], options: EngineOptions) -> (Fleet, Settable) {
        let objects = objects
            .iter()
            .map(|value| Object::from_json(value.clone()).unwrap());
        let source = Settable::new(Inventory::with_content_revision(objects).unwrap().snapshot());
        let fleet = self
            .bed
            .fleet_of(inventory, source.clone())
            .options(move |_| options.clone())
            .wave(Wave::All)
            .read_interval(Duration::from_millis(200))
            .build()
            .unwrap();
        (fleet, source)
    }

    /// A fleet takes both objects over: the same objects as before, with nothing of what they are no longer to hold.
    async fn takes_over(&self, options: EngineOptions) {
        let uids = self.uids().await;
        let (fleet, _) = self.fleet(&self.namespace, &after(&self.namespace), options);
        // The plan says so, too.
        let plans = fleet.plan().await.unwrap();
        let planned: Vec<String> = plans[0]
            .plan
            .iter()
            .flat_map(|plan| &plan.changes)
            .map(planned)
            .collect();
        assert_eq!(
            planned,
            [
                "ConfigMap: .data.mode changed, .data.stale gone",
                "Deployment: .metadata.labels.stale gone, .spec.template.spec.containers[name=\"web\"].image changed",
            ],
            "{}",
            self.namespace
        );
        let status = settled(&fleet).await;
        assert!(status.is_clean(), "{}: {status:?}", self.namespace);
        assert_eq!(
            self.uids().await,
            uids,
            "{}: nothing is made again",
            self.namespace
        );
        let deployment = self.deployments().get("web").await.unwrap();
        assert_eq!(deployment.labels().get("stale"), None, "{}", self.namespace);
        let spec = deployment.spec.clone().template.spec.unwrap();
        assert_eq!(
            spec.containers[0].image.as_deref(),
            Some("registry.example.com/web:2")
        );
        let map = self.maps().get("settings").await.unwrap();
        let data = map.data.clone().unwrap();
        assert_eq!(data.keys().collect::<Vec<_>>(), ["mode"], "{}", self.namespace);
        let object = Object::from_json(serde_json::to_value(&map).map(typed).unwrap()).unwrap();
        let left = Predecessor::builtin()
            .into_iter()
            .find(|from| from.manages(&object));
        assert_eq!(left, None, "{}: {:?}", self.namespace, map.metadata);
    }
}

/// A kind, and its fields that would change or go.
fn planned(change: &Change) -> String {
    let fields = change.fields.iter().map(|field| {
        let what = if field.after.is_none() { "gone" } else { "changed" };
        format!("{} {what}", field.path)
    });
    format!("{}: {}", change.key.kind(), fields.collect::<Vec<_>>().join(", "))
}

/// With the type that typed clients leave out.
fn typed(mut map: Value) -> Value {
    map["apiVersion"] = "v1".into();
    map["kind"] = "ConfigMap".into();
    map
}

fn taking_over() -> EngineOptions {
    let mut options = EngineOptions::default();
    options.adoption = Adoption::TakeOver;
    options
}

/// Runs until nothing more is done.
async fn settled(fleet: &Fleet) -> Status {
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    let status = rested(fleet).await;
    task.abort();
    status
}

async fn rested(fleet: &Fleet) -> Status {
    let deadline = Instant::now() + PATIENCE;
    let mut last = None;
    while Instant::now() < deadline {
        if let [one] = &fleet.kept()[..] {
            let status = one.driver.status().await.expect("the driver runs");
            if status.converged && status.pending.is_empty() && status.waiting.is_empty() {
                return status;
            }
            last = Some(status);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not settled: {last:?}");
}

fn kubectl(place: &Place, words: &[&str]) {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("objects.json");
    let list = json!({"apiVersion": "v1", "kind": "List", "items": before(&place.namespace)});
    std::fs::write(&file, list.to_string()).unwrap();
    let output = PLANE
        .kubectl_as(User::Someone)
        .unwrap()
        .args(words)
        .arg("-f")
        .arg(&file)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn from_kubectl_apply_on_the_client_side() {
    on_runtime(async {
        let place = Place::new("from-kubectl").await;
        kubectl(&place, &["apply"]);
        place.takes_over(taking_over()).await;
    });
}

#[test]
fn from_kubectl_apply_on_the_server_side() {
    on_runtime(async {
        let place = Place::new("from-kubectl-server-side").await;
        kubectl(&place, &["apply", "--server-side"]);
        place.takes_over(taking_over()).await;
    });
}

/// What a tool makes: by which field manager, applied or created, and with which marks.
async fn made_by(place: &Place, manager: &str, applied: bool, marks: &Value) {
    let with_marks = |mut value: Value| {
        for part in ["labels", "annotations"] {
            for (key, text) in marks[part].as_object().into_iter().flatten() {
                value["metadata"][part][key] = text.clone();
            }
        }
        value
    };
    let [deployment, map] = before(&place.namespace).map(with_marks);
    if applied {
        let params = PatchParams::apply(manager);
        place
            .deployments()
            .patch("web", &params, &Patch::Apply(&deployment))
            .await
            .unwrap();
        place
            .maps()
            .patch("settings", &params, &Patch::Apply(&map))
            .await
            .unwrap();
    } else {
        let params = PostParams {
            field_manager: Some(manager.to_owned()),
            ..PostParams::default()
        };
        let deployment = serde_json::from_value(deployment).unwrap();
        place.deployments().create(&params, &deployment).await.unwrap();
        place
            .maps()
            .create(&params, &serde_json::from_value(map).unwrap())
            .await
            .unwrap();
    }
}

#[test]
fn from_helm_argo_cd_and_flux() {
    let helm = json!({
        "labels": {"app.kubernetes.io/managed-by": "Helm"},
        "annotations": {"meta.helm.sh/release-name": "web", "meta.helm.sh/release-namespace": "shop"},
    });
    let argo = json!({"annotations": {"argocd.argoproj.io/tracking-id": "web:apps/Deployment:shop/web"}});
    let flux = json!({"labels": {
        "kustomize.toolkit.fluxcd.io/name": "web", "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }});
    let cases = [
        ("from-helm", "helm", false, helm.clone()),
        ("from-helm-server-side", "helm", true, helm),
        ("from-argo", "argocd-controller", false, argo.clone()),
        ("from-argo-server-side", "argocd-controller", true, argo),
        ("from-flux", "kustomize-controller", true, flux),
    ];
    on_runtime(async {
        for (namespace, manager, applied, marks) in cases {
            let place = Place::new(namespace).await;
            made_by(&place, manager, applied, &marks).await;
            place.takes_over(taking_over()).await;
        }
    });
}

#[test]
fn without_the_policy_nothing_is_taken() {
    on_runtime(async {
        let place = Place::new("not-taken").await;
        kubectl(&place, &["apply"]);
        // Controllers write the status meanwhile: what everyone else has written is what must stay.
        let written = async || {
            let map = place.maps().get("settings").await.unwrap();
            let mut deployment = place.deployments().get("web").await.unwrap();
            let mut entries = std::mem::take(deployment.managed_fields_mut());
            entries.retain(|entry| entry.subresource.is_none());
            (map.resource_version(), deployment.spec, entries)
        };
        let before = written().await;
        let (fleet, _) = place.fleet("not-taken", &after(&place.namespace), EngineOptions::default());
        let status = settled(&fleet).await;
        assert_eq!(status.blocked.len(), 2, "{status:?}");
        assert!(
            status
                .blocked
                .values()
                .all(|reason| reason.message.contains("kubectl-client-side-apply"))
        );
        assert_eq!(written().await, before);
    });
}

/// Both run all the time: the new one takes the objects over, the old one sees it and lets go, whenever they leave it.
#[test]
fn from_one_inventory_to_another_while_both_run() {
    on_runtime(async {
        let place = Place::new("between-inventories").await;
        let (old, old_source) = place.fleet("old", &before(&place.namespace), EngineOptions::default());
        let running = old.clone();
        let old_task = tokio::spawn(async move { running.run().await });
        assert!(rested(&old).await.is_clean());
        let uids = place.uids().await;
        let named = after(&place.namespace).map(|mut value| {
            value["metadata"]["annotations"]["fleet.internal/take-over-from"] = "old".into();
            value
        });
        let (new, _) = place.fleet("new", &named, EngineOptions::default());
        let running = new.clone();
        let new_task = tokio::spawn(async move { running.run().await });
        assert!(rested(&new).await.is_clean(), "{:?}", rested(&new).await);
        let deadline = Instant::now() + PATIENCE;
        while rested(&old).await.blocked.len() < 2 {
            assert!(
                Instant::now() < deadline,
                "the old one does not notice: {:?}",
                rested(&old).await
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(
            rested(&old)
                .await
                .blocked
                .values()
                .all(|reason| reason.code == "taken-over")
        );
        // It leaves them at last.
        old_source.set(Ok(fleet_core::Known::Empty("2".into())));
        let deadline = Instant::now() + PATIENCE;
        while old.kept()[0].driver.status().await.expect("it runs").owned > 0 {
            assert!(Instant::now() < deadline, "the old one does not let go");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(place.uids().await, uids);
        assert!(rested(&new).await.is_clean());
        let map = place.maps().get("settings").await.unwrap();
        assert_eq!(map.data.unwrap().keys().collect::<Vec<_>>(), ["mode"]);
        old_task.abort();
        new_task.abort();
    });
}

/// Two platforms mark under domains of their own.
#[test]
fn from_another_platform() {
    on_runtime(async {
        let place = Place::new("between-platforms").await;
        let mut theirs = EngineOptions::default();
        theirs.domain = "delivery.example.com".to_owned();
        let (old, _) = place.fleet("theirs", &before(&place.namespace), theirs);
        assert!(settled(&old).await.is_clean());
        let mut options = taking_over();
        options.predecessors.push(
            Predecessor::new("the old platform")
                .managers(["fleet-theirs"])
                .labels(["delivery.example.com/owner"])
                .annotations(["delivery.example.com/object"]),
        );
        place.takes_over(options).await;
        let map = place.maps().get("settings").await.unwrap();
        assert!(!map.labels().contains_key("delivery.example.com/owner"));
    });
}
