//! The same for objects that are made again: killed at any write of it, an object is in the cluster or in its copy, and
//! the next run ends it, with the new object or, where that is refused, with the old one.

use std::{fmt, path::Path, time::Duration};

use fleet_core::{Object, ObjectKey};
use futures_util::{StreamExt, stream};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, ListParams, Patch, PatchParams, PostParams},
};
use serde_json::{Value, json};

use super::{cases::At, inventories::keys, lab::Lab, rules::KillAt};
use crate::{
    proxy::{Moment, PassAll},
    random::Random,
};

/// Cases under way at once.
const LANES: usize = 8;

/// Tries of a case whose write does not come.
const TRIES: usize = 3;

/// The label of copies.
const COPY: &str = "fleet.internal/copy";

/// What becomes of the new objects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Story {
    /// The server takes them.
    Taken,
    /// The server refuses them, once the old ones are gone.
    Refused,
}

/// Where a run is killed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Point {
    story: Story,
    at: usize,
    moment: Moment,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, write {}, {:?}", self.story, self.at, self.moment)
    }
}

/// How all of them came out.
pub struct Remade {
    /// Writes of an undisturbed run of each story.
    pub writes: [usize; 2],
    /// The points that were reached.
    pub reached: usize,
    /// What was wrong.
    pub wrong: Vec<String>,
}

/// `count` of these points; the same ones for the same seed.
pub fn some_points(mut points: Vec<Point>, count: usize, seed: u64) -> Vec<Point> {
    let mut random = Random::new(seed);
    random.shuffle(&mut points);
    points.truncate(count);
    points
}

/// Kills the reconciler `program` at those of all points that `choose` takes.
pub async fn remade(
    program: &Path,
    choose: impl FnOnce(Vec<Point>) -> Vec<Point>,
    tell: impl Fn(&str),
) -> Remade {
    let lab = Lab::start(program).await;
    refuse_some(&lab.someone).await;
    let mut points = Vec::new();
    let mut writes = [0; 2];
    let mut wrong = Vec::new();
    for (story, count) in [Story::Taken, Story::Refused].into_iter().zip(&mut writes) {
        let tag = lab.next_tag();
        lab.undisturbed(&tag, &inventory(&tag, story, "1")).await;
        let before = uids(&lab, &tag, story).await;
        let ran = lab
            .launcher
            .run(&tag, &inventory(&tag, story, "2"), PassAll, None)
            .await;
        *count = ran.writes;
        wrong.extend(ended(&lab, &tag, story, ran.code, &ran.output, &before).await);
        let moments = [Moment::Before, Moment::Applied, Moment::Answered];
        points.extend((1..=ran.writes).flat_map(|at| moments.map(|moment| Point { story, at, moment })));
    }
    let cases = choose(points).into_iter().map(|point| one(&lab, point));
    let mut cases = stream::iter(cases).buffer_unordered(LANES);
    let mut reached = 0;
    while let Some((point, seen)) = cases.next().await {
        match seen {
            None => tell(&format!("{point}: the write did not come")),
            Some(seen) => {
                reached += 1;
                tell(&format!(
                    "{point}: {}",
                    if seen.is_empty() { "nothing wrong" } else { "WRONG" }
                ));
                wrong.extend(seen.into_iter().map(|what| format!("{point}: {what}")));
            }
        }
    }
    drop(cases);
    Remade {
        writes,
        reached,
        wrong,
    }
}

/// What was wrong; none when the write did not come.
async fn one(lab: &Lab, point: Point) -> (Point, Option<Vec<String>>) {
    for _ in 0..TRIES {
        let tag = lab.next_tag();
        let story = point.story;
        lab.undisturbed(&tag, &inventory(&tag, story, "1")).await;
        let before = uids(lab, &tag, story).await;
        let changed = inventory(&tag, story, "2");
        let rule = KillAt(At::Number(point.at), point.moment);
        let ran = lab.launcher.run(&tag, &changed, rule, None).await;
        if ran.code.is_some() {
            continue;
        }
        let mut wrong = lost(lab, &tag, story).await;
        let next = lab.launcher.run(&tag, &changed, PassAll, None).await;
        wrong.extend(ended(lab, &tag, story, next.code, &next.output, &before).await);
        return (point, Some(wrong));
    }
    (point, None)
}

/// Objects that are neither there nor in a copy.
async fn lost(lab: &Lab, tag: &str, story: Story) -> Vec<String> {
    let copied: Vec<String> = copies(lab, tag).await;
    let mut lost = Vec::new();
    for value in contents(tag, story, "1") {
        let key = keys(std::slice::from_ref(&value)).remove(0);
        if read(&lab.someone, &value).await.is_none() && !copied.contains(&key.to_path()) {
            lost.push(format!("{key} is neither there nor in a copy"));
        }
    }
    lost
}

/// How the run after it must have ended.
async fn ended(
    lab: &Lab,
    tag: &str,
    story: Story,
    code: Option<i32>,
    output: &str,
    before: &[(ObjectKey, String)],
) -> Vec<String> {
    let mut wrong = Vec::new();
    let (expected, text) = match story {
        Story::Taken => (0, "2"),
        Story::Refused => (2, "1"),
    };
    if code != Some(expected) {
        wrong.push(format!(
            "the run ended with {code:?} instead of {expected}\n{output}"
        ));
    }
    for copy in copies(lab, tag).await {
        wrong.push(format!("a copy of {copy} is left over"));
    }
    for value in contents(tag, story, text) {
        let key = keys(std::slice::from_ref(&value)).remove(0);
        let Some(live) = read(&lab.someone, &value).await else {
            wrong.push(format!("{key} is gone"));
            continue;
        };
        if told(&live) != told(&value) {
            wrong.push(format!("{key} is {} instead of {}", told(&live), told(&value)));
        }
        let was = before
            .iter()
            .find(|(other, _)| *other == key)
            .map(|(_, uid)| uid.as_str());
        if live["metadata"]["uid"].as_str() == was {
            wrong.push(format!("{key} is the same object as before"));
        }
    }
    wrong
}

/// The value that tells versions of an object apart.
fn told(value: &Value) -> String {
    let at = |pointer: &str| value.pointer(pointer).map(ToString::to_string);
    let paths = [
        "/metadata/labels/version",
        "/roleRef/name",
        "/value",
        "/spec/template/spec/containers/0/image",
    ];
    paths
        .iter()
        .filter_map(|pointer| at(pointer))
        .collect::<Vec<_>>()
        .join(" ")
}

async fn uids(lab: &Lab, tag: &str, story: Story) -> Vec<(ObjectKey, String)> {
    let mut uids = Vec::new();
    for value in contents(tag, story, "1") {
        let live = read(&lab.someone, &value).await.expect("it was just made");
        let uid = live["metadata"]["uid"].as_str().unwrap_or_default().to_owned();
        uids.push((keys(&[value]).remove(0), uid));
    }
    uids
}

/// What the copies of this tag are of.
async fn copies(lab: &Lab, tag: &str) -> Vec<String> {
    let all: Api<Secret> = Api::all(lab.someone.clone());
    let list = all
        .list(&ListParams::default().labels(COPY))
        .await
        .expect("secrets");
    let of = |secret: Secret| secret.metadata.annotations.and_then(|all| all.get(COPY).cloned());
    list.items
        .into_iter()
        .filter_map(of)
        .filter(|path| path.contains(tag))
        .collect()
}

async fn read(client: &Client, value: &Value) -> Option<Value> {
    let object = Object::from_json(value.clone()).expect("an object");
    let gvk = object.gvk();
    let ending = if gvk.kind().ends_with('s') { "es" } else { "s" };
    let plural = format!("{}{ending}", gvk.kind().to_lowercase());
    let resource = ApiResource {
        group: gvk.group().to_owned(),
        version: gvk.version().to_owned(),
        api_version: gvk.api_version(),
        kind: gvk.kind().to_owned(),
        plural,
    };
    let api: Api<DynamicObject> = match object.namespace() {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    };
    let found = api.get_opt(object.name()).await.expect("an answer")?;
    // What is being deleted is as good as gone.
    found
        .metadata
        .deletion_timestamp
        .is_none()
        .then(|| serde_json::to_value(found).expect("json"))
}

fn inventory(tag: &str, story: Story, text: &str) -> Vec<Value> {
    let mut all =
        vec![json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": format!("{tag}-shop")}})];
    all.extend(contents(tag, story, text));
    all
}

/// Objects that cannot change from one text to another.
fn contents(tag: &str, story: Story, text: &str) -> Vec<Value> {
    let shop = &format!("{tag}-shop");
    let metadata = |namespace: Option<&str>, name: String| {
        let mut metadata = json!({
            "name": name,
            "annotations": {"fleet.internal/recreate": "allow"},
            "labels": {"version": format!("v{text}")},
        });
        if let Some(namespace) = namespace {
            metadata["namespace"] = namespace.into();
        }
        metadata
    };
    if story == Story::Refused {
        return vec![json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(Some(shop), "map-refused".to_owned()),
            "immutable": true, "data": {"text": text},
        })];
    }
    vec![
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata(Some(shop), "map".to_owned()),
            "immutable": true, "data": {"text": text},
        }),
        json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": metadata(Some(shop), "secret".to_owned()),
            "immutable": true, "stringData": {"text": text},
        }),
        json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": metadata(Some(shop), "binding".to_owned()),
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": format!("view-{text}")},
            "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "somebody"}],
        }),
        json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": metadata(Some(shop), "job".to_owned()),
            "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [
                {"name": "main", "image": format!("registry.example.com/job:{text}")},
            ]}}},
        }),
        json!({
            "apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": metadata(None, format!("{tag}-class")),
            "value": text.parse::<i32>().expect("a number"),
        }),
    ]
}

/// A policy that refuses config maps of this name with the new text: another name is no proof of that.
async fn refuse_some(client: &Client) {
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "refuses.example.com"},
        "spec": {
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]},
            ]},
            "validations": [{
                "expression": "!object.metadata.name.endsWith('-refused') || !has(object.data) || object.data.text != '2'",
                "message": "not with this text",
            }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "refuses.example.com"},
        "spec": {"policyName": "refuses.example.com", "validationActions": ["Deny"]},
    });
    for (value, plural) in [
        (policy, "validatingadmissionpolicies"),
        (binding, "validatingadmissionpolicybindings"),
    ] {
        let resource = ApiResource {
            group: "admissionregistration.k8s.io".to_owned(),
            version: "v1".to_owned(),
            api_version: "admissionregistration.k8s.io/v1".to_owned(),
            kind: value["kind"].as_str().expect("a kind").to_owned(),
            plural: plural.to_owned(),
        };
        let api: Api<DynamicObject> = Api::all_with(client.clone(), &resource);
        let params = PatchParams::apply("somebody").force();
        api.patch("refuses.example.com", &params, &Patch::Apply(&value))
            .await
            .expect("a policy");
    }
    let api: Api<ConfigMap> = Api::default_namespaced(client.clone());
    let probe: ConfigMap = serde_json::from_value(json!({
        "metadata": {"name": "probe-refused"}, "data": {"text": "2"},
    }))
    .expect("a config map");
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    for _ in 0..100 {
        if api.create(&dry_run, &probe).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the policy refuses nothing");
}
