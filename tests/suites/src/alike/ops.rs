//! What is done to both servers: each operation has a name, and is the same for both although they choose other UIDs and
//! versions.

use serde_json::{Value, json};

use super::{
    objects::{KINDS, Kind, NAMESPACE},
    world::{JSON, Said, Sent, World},
};
use crate::random::Random;

const APPLY: &str = "application/apply-patch+yaml";
const MERGE: &str = "application/merge-patch+json";
const PATCH: &str = "application/json-patch+json";
const META: &str = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
const META_LIST: &str = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

/// What an operation is done with.
pub(super) struct With {
    pub(super) kind: &'static Kind,
    pub(super) name: String,
    pub(super) object: Value,
    pub(super) other: Value,
    pub(super) manager: &'static str,
    pub(super) policy: &'static str,
}

impl With {
    /// One of few objects, so that operations meet.
    pub(super) fn random(random: &mut Random) -> Self {
        let kind = &KINDS[random.below(KINDS.len())];
        let name = kind.name(["one", "two", "three", "four"][random.below(4)]);
        Self {
            object: kind.object(&name, random),
            other: kind.object(&name, random),
            manager: ["first", "second"][random.below(2)],
            policy: ["Background", "Foreground", "Orphan"][random.below(3)],
            kind,
            name,
        }
    }

    pub(super) fn path(&self) -> String {
        format!("{}/{}", self.kind.collection(), self.name)
    }

    fn by(&self, more: &str) -> String {
        format!("{}?fieldManager={}{more}", self.path(), self.manager)
    }
}

/// All operations.
const NAMES: [&str; 47] = [
    "get",
    "get metadata",
    "list",
    "list by label",
    "list metadata",
    "list by name",
    "list in pages",
    "create",
    "create, dry run",
    "create in a namespace that is not there",
    "create with a version",
    "create another kind",
    "apply",
    "apply by force",
    "apply, dry run",
    "apply twice",
    "apply less",
    "apply with a version",
    "apply with another UID",
    "apply without a manager",
    "update",
    "update to the same",
    "update of an old version",
    "update without a version",
    "update another name",
    "update the status",
    "merge patch",
    "merge patch to null",
    "merge patch the status",
    "JSON patch",
    "JSON patch with a test that fails",
    "add a finalizer",
    "drop finalizers",
    "delete",
    "delete another UID",
    "delete an old version",
    "delete the collection",
    "delete by label, dry run",
    "read the scale",
    "update the scale",
    "patch the scale",
    "scale to nonsense",
    "create with an unknown field",
    "create strictly with an unknown field",
    "update with an unknown field",
    "create too much",
    "create far too much",
];

/// Those that are done more often, so that not too much is refused: what makes objects, changes them, and makes room.
const OFTEN: [&str; 12] = [
    "create",
    "create",
    "create",
    "apply",
    "apply by force",
    "apply by force",
    "update",
    "update the status",
    "merge patch",
    "JSON patch",
    "delete",
    "drop finalizers",
];

/// How often.
const OFTEN_TIMES: usize = 6;

/// One of all.
pub(super) fn random(random: &mut Random) -> &'static str {
    let at = random.below(NAMES.len() + OFTEN.len() * OFTEN_TIMES);
    match at.checked_sub(NAMES.len()) {
        None => NAMES[at],
        Some(more) => OFTEN[more % OFTEN.len()],
    }
}

/// Does it, and tells what was answered.
pub(super) async fn perform(name: &str, with: &With, world: &mut World) -> Vec<Said> {
    let collection = with.kind.collection();
    let path = with.path();
    let send = match name {
        "get" => Sent::get(path),
        "get metadata" => Sent {
            accept: META,
            ..Sent::get(path)
        },
        "list" => Sent::get(selected(with, "")),
        "list by label" => Sent::get(selected(with, "labelSelector=a%3Da%2Cb")),
        "list metadata" => Sent {
            accept: META_LIST,
            ..Sent::get(selected(with, ""))
        },
        "list by name" => Sent::get(selected(
            with,
            &format!("fieldSelector=metadata.name%3D{}", with.name),
        )),
        "list in pages" => return pages(with, world).await,
        "create" => Sent::new(
            "POST",
            format!("{collection}?fieldManager={}", with.manager),
            &with.object,
        ),
        "create, dry run" => {
            let path = format!("{collection}?fieldManager={}&dryRun=All", with.manager);
            Sent::new("POST", path, &with.object)
        }
        "create in a namespace that is not there" => {
            let path = collection.replace(&format!("/{NAMESPACE}/"), "/nowhere/");
            Sent::new("POST", path + "?dryRun=All", &with.object)
        }
        "create with a version" => {
            let mut object = with.object.clone();
            object["metadata"]["resourceVersion"] = "5".into();
            Sent::new("POST", collection, &object)
        }
        "create another kind" => {
            let other = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": with.name}});
            Sent::new("POST", collection, &other)
        }
        "apply" => Sent::patch(APPLY, with.by(""), &with.object),
        "apply by force" => Sent::patch(APPLY, with.by("&force=true"), &with.object),
        "apply, dry run" => Sent::patch(APPLY, with.by("&force=true&dryRun=All"), &with.object),
        "apply twice" => {
            let send = Sent::patch(APPLY, with.by("&force=true"), &with.object);
            let first = world.send(&send).await;
            if with.kind.plural == "customresourcedefinitions" {
                world.rest(&with.path()).await;
            }
            return vec![first, world.send(&send).await];
        }
        "apply less" => {
            let mut less = with.object.clone();
            less["metadata"] = json!({"name": with.name});
            for key in ["data", "stringData", "description"] {
                less[key] = Value::Null;
            }
            Sent::patch(APPLY, with.by("&force=true"), &without_null(less))
        }
        "apply with a version" => {
            let mut object = with.object.clone();
            object["metadata"]["resourceVersion"] = "1".into();
            Sent::patch(APPLY, with.by("&force=true"), &object)
        }
        "apply with another UID" => {
            let mut object = with.object.clone();
            object["metadata"]["uid"] = "01234567-89ab-4cde-8f01-23456789abcd".into();
            Sent::patch(APPLY, with.by("&force=true"), &object)
        }
        "apply without a manager" => Sent::patch(APPLY, path, &with.object),
        "merge patch" => Sent::patch(MERGE, with.by(""), &changed(with)),
        "merge patch to null" => Sent::patch(
            MERGE,
            with.by(""),
            &json!({"metadata": {"labels": null}, "data": null}),
        ),
        "merge patch the status" if with.kind.has_status => {
            let status = json!({"status": {"observedGeneration": 1}, "spec": {"replicas": 9}});
            Sent::patch(MERGE, with.by("").replace('?', "/status?"), &status)
        }
        "JSON patch" => {
            let patch = json!([{"op": "add", "path": "/metadata/labels/more", "value": "x"}]);
            Sent::patch(PATCH, with.by(""), &patch)
        }
        "JSON patch with a test that fails" => {
            let patch = json!([{"op": "test", "path": "/metadata/name", "value": "x"},
                {"op": "add", "path": "/metadata/labels", "value": {"more": "x"}}]);
            Sent::patch(PATCH, with.by(""), &patch)
        }
        "add a finalizer" => {
            let finalizers = json!({"metadata": {"finalizers": ["example.net/wait"]}});
            Sent::patch(MERGE, with.by(""), &finalizers)
        }
        "drop finalizers" if with.kind.plural == "namespaces" => {
            // Nobody else lets a namespace go here.
            let read = world.send(&Sent::get(path.clone())).await;
            if read.code != 200 {
                return vec![read];
            }
            let mut namespace = read.body.clone();
            namespace["spec"]["finalizers"] = json!([]);
            namespace["metadata"]["finalizers"] = json!([]);
            Sent::new("PUT", with.by("").replace('?', "/finalize?"), &namespace)
        }
        "drop finalizers" => Sent::patch(MERGE, with.by(""), &json!({"metadata": {"finalizers": null}})),
        "delete" => Sent::new(
            "DELETE",
            format!("{path}?propagationPolicy={}", with.policy),
            &Value::Null,
        ),
        "delete another UID" => {
            let uid = json!({"preconditions": {"uid": "01234567-89ab-4cde-8f01-23456789abcd"}});
            Sent::new("DELETE", path, &uid)
        }
        "delete an old version" => Sent::new(
            "DELETE",
            path,
            &json!({"preconditions": {"resourceVersion": "1"}}),
        ),
        "delete the collection" => Sent::new(
            "DELETE",
            selected(
                with,
                &format!("labelSelector=a%3Db&propagationPolicy={}", with.policy),
            ),
            &Value::Null,
        ),
        "delete by label, dry run" => Sent::new(
            "DELETE",
            selected(with, "labelSelector=always&dryRun=All"),
            &Value::Null,
        ),
        "read the scale" => Sent::get(format!("{path}/scale")),
        "patch the scale" => {
            let patch = json!({"spec": {"replicas": with.object["spec"]["replicas"].as_i64().unwrap_or(3)}});
            Sent::patch(MERGE, with.by("").replace('?', "/scale?"), &patch)
        }
        "scale to nonsense" => {
            let patch = json!({"spec": {"replicas": -2}});
            Sent::patch(MERGE, with.by("").replace('?', "/scale?"), &patch)
        }
        "create with an unknown field" | "create strictly with an unknown field" => {
            let strictly = name.contains("strictly");
            let mode = if strictly { "&fieldValidation=Strict" } else { "" };
            let path = format!("{collection}?fieldManager={}{mode}", with.manager);
            Sent::new("POST", path, &with_unknown(with.object.clone()))
        }
        "create too much" => {
            let mut object = with.object.clone();
            object["metadata"]["annotations"] = json!({"much": "x".repeat(256 * 1024)});
            if with.kind.plural == "configmaps" {
                object["metadata"]["annotations"] = Value::Null;
                object["data"] = json!({"much": "x".repeat(1024 * 1024 + 1)});
            }
            Sent::new("POST", collection, &object)
        }
        "create far too much" => {
            let mut object = with.object.clone();
            object["metadata"]["annotations"] = json!({"much": "x".repeat(3 * 1024 * 1024)});
            Sent::new("POST", collection, &object)
        }
        _ => return update(name, with, world).await,
    };
    vec![world.send(&send).await]
}

/// What depends on the object as it is.
async fn update(name: &str, with: &With, world: &mut World) -> Vec<Said> {
    let read = world.send(&Sent::get(with.path())).await;
    if read.code != 200 {
        return vec![read];
    }
    let mut object = read.body.clone();
    let put = |object: &Value| Sent::new("PUT", with.by(""), object);
    let send = match name {
        "update" => {
            take_over(&mut object, &with.other);
            put(&object)
        }
        "update to the same" => put(&object),
        "update of an old version" => {
            let moved =
                json!({"metadata": {"annotations": {"moved": with.other["metadata"]["labels"].to_string()}}});
            let moved = world.send(&Sent::patch(MERGE, with.by(""), &moved)).await;
            take_over(&mut object, &with.other);
            return vec![moved, world.send(&put(&object)).await];
        }
        "update without a version" => {
            take_over(&mut object, &with.other);
            object["metadata"]["resourceVersion"] = "".into();
            put(&object)
        }
        "update another name" => {
            object["metadata"]["name"] = "another".into();
            put(&object)
        }
        "update the status" if with.kind.has_status => {
            take_over(&mut object, &with.other);
            object["status"]["observedGeneration"] = 7.into();
            Sent::new("PUT", with.by("").replace('?', "/status?"), &object)
        }
        "update with an unknown field" => {
            take_over(&mut object, &with.other);
            put(&with_unknown(object.clone()))
        }
        "update the scale" => {
            let path = with.by("").replace('?', "/scale?");
            let read = world.send(&Sent::get(format!("{}/scale", with.path()))).await;
            if read.code != 200 {
                return vec![read];
            }
            let mut scale = read.body.clone();
            scale["spec"]["replicas"] = with.other["spec"]["replicas"].clone();
            Sent::new("PUT", path, &scale)
        }
        _ => return vec![read],
    };
    vec![world.send(&send).await]
}

/// With a field that no kind has, at the top and inside of a list.
fn with_unknown(mut object: Value) -> Value {
    object["nobodyKnows"] = json!({"a": 1});
    if let Some(container) = object.pointer_mut("/spec/template/spec/containers/0") {
        container["nobodyKnows"] = "this".into();
    }
    object
}

/// With the content of another object.
fn take_over(object: &mut Value, other: &Value) {
    for key in [
        "data",
        "stringData",
        "spec",
        "rules",
        "description",
        "template",
        "subjects",
        "endpoints",
        "webhooks",
    ] {
        match &other[key] {
            Value::Null => {}
            value if key == "spec" => {
                for (field, inner) in value.as_object().into_iter().flatten() {
                    object["spec"][field] = inner.clone();
                }
            }
            value => object[key] = value.clone(),
        }
    }
    object["metadata"]["labels"] = other["metadata"]["labels"].clone();
}

fn changed(with: &With) -> Value {
    let mut patch = json!({"metadata": {"labels": {"more": with.manager}}});
    for key in ["data", "spec", "description"] {
        if !with.other[key].is_null() {
            patch[key] = with.other[key].clone();
        }
    }
    patch
}

fn without_null(mut object: Value) -> Value {
    if let Some(map) = object.as_object_mut() {
        map.retain(|_, value| !value.is_null());
    }
    object
}

/// Real servers have cluster-wide objects of their own: only ours are looked at.
fn selected(with: &With, query: &str) -> String {
    let collection = with.kind.collection();
    match (with.kind.namespaced, query) {
        (true, "") => collection,
        (true, query) => format!("{collection}?{query}"),
        (false, _) => format!("{collection}?fieldSelector=metadata.name%3D{}", with.name),
    }
}

async fn pages(with: &With, world: &mut World) -> Vec<Said> {
    if !with.kind.namespaced {
        return Vec::new();
    }
    let mut all = Vec::new();
    let mut next = String::new();
    loop {
        let path = format!("{}?limit=1{next}", with.kind.collection());
        let said = world
            .send(&Sent {
                accept: JSON,
                ..Sent::get(path)
            })
            .await;
        let token = said.body["metadata"]["continue"].as_str().map(str::to_owned);
        all.push(said);
        match token.filter(|token| !token.is_empty()) {
            Some(token) => {
                let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
                next = format!("&continue={token}");
            }
            None => return all,
        }
    }
}
