//! The API server: what it serves, stores and answers, and what its watches show.

use fleet_core::*;
use serde_json::{Value, json};

use super::{
    apply,
    world::{World, object},
};

pub(super) fn standard_kinds() -> KindMap {
    let mut map = KindMap::default();
    let kinds = [
        ("", "Namespace", "namespaces", false, vec!["v1"]),
        ("", "ConfigMap", "configmaps", true, vec!["v1"]),
        ("", "Secret", "secrets", true, vec!["v1"]),
        ("", "Service", "services", true, vec!["v1"]),
        ("apps", "Deployment", "deployments", true, vec!["v1"]),
        ("", "ServiceAccount", "serviceaccounts", true, vec!["v1"]),
        (
            "",
            "PersistentVolumeClaim",
            "persistentvolumeclaims",
            true,
            vec!["v1"],
        ),
        ("", "Endpoints", "endpoints", true, vec!["v1"]),
        ("networking.k8s.io", "Ingress", "ingresses", true, vec!["v1"]),
        ("apps", "StatefulSet", "statefulsets", true, vec!["v1"]),
        ("batch", "Job", "jobs", true, vec!["v1"]),
        (
            "autoscaling",
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            true,
            vec!["v2", "v1"],
        ),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            false,
            vec!["v1"],
        ),
    ];
    for (group, kind, plural, namespaced, versions) in kinds {
        let info = KindInfo::new(plural, namespaced, versions.into_iter().map(str::to_owned));
        map.kinds.insert(GroupKind::new(group, kind), info);
    }
    map
}

impl World {
    /// Every watch begins anew, as after a gap.
    pub fn reset_watches(&mut self) {
        self.deaf = false;
        for gvk in self.watched.clone() {
            self.show_all(&gvk);
        }
    }

    pub(super) fn show_all(&mut self, gvk: &Gvk) {
        self.events.push_back(Event::WatchReset(gvk.clone()));
        if self.mute {
            return;
        }
        let kind = self.canonical_kind(gvk.group_kind());
        let shown: Vec<Value> = self
            .objects
            .iter()
            .filter(|(k, v)| *k.group_kind() == kind && labelled(v))
            .map(|(_, v)| v.clone())
            .collect();
        self.events
            .extend(shown.into_iter().map(|v| Event::Seen(live(at_version(v, gvk)))));
        self.events.push_back(Event::WatchSynced(gvk.clone()));
    }

    fn canonical_kind(&self, kind: &GroupKind) -> GroupKind {
        match &self.alias {
            Some((alias, stored)) if alias == kind => stored.clone(),
            _ => kind.clone(),
        }
    }

    fn canonical(&self, key: &ObjectKey) -> ObjectKey {
        ObjectKey::of(self.canonical_kind(key.group_kind()), key.namespace(), key.name())
    }

    /// What is served: the standard kinds and those of established CRDs.
    pub fn discovery(&self) -> KindMap {
        let mut kinds = self.kinds.clone();
        for (key, crd) in &self.objects {
            if key.kind() != "CustomResourceDefinition" || crd.get("status").is_none() {
                continue;
            }
            let spec = &crd["spec"];
            let text = |v: &Value| v.as_str().unwrap().to_owned();
            let versions = spec["versions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|v| text(&v["name"]));
            let info = KindInfo::new(
                text(&spec["names"]["plural"]),
                spec["scope"] == "Namespaced",
                versions,
            );
            kinds.kinds.insert(
                GroupKind::new(text(&spec["group"]), text(&spec["names"]["kind"])),
                info,
            );
        }
        kinds.kinds.retain(|kind, _| !self.undiscovered.contains(kind));
        kinds
    }

    pub(super) fn metas_of(&self, kind: &GroupKind) -> Vec<LiveMeta> {
        let stored = self.canonical_kind(kind);
        let mut metas = self.metas(|key| *key.group_kind() == stored);
        for meta in &mut metas {
            meta.key = ObjectKey::of(kind.clone(), meta.key.namespace(), meta.key.name());
        }
        metas
    }

    pub(super) fn metas(&self, wanted: impl Fn(&ObjectKey) -> bool) -> Vec<LiveMeta> {
        let marks = self.engine.marks();
        let found = self.objects.iter().filter(|(key, _)| wanted(key));
        found
            .map(|(key, value)| {
                let object = object(value.clone());
                let mut meta = LiveMeta::new(key.clone(), object.metadata_text("uid").unwrap().into());
                meta.owner_label = object.label(marks.label_key()).map(str::to_owned);
                meta.mark = object.annotation(marks.annotation_key()).map(str::to_owned);
                let owners = value
                    .pointer("/metadata/ownerReferences")
                    .and_then(Value::as_array);
                meta.owners = owners
                    .into_iter()
                    .flatten()
                    .map(|o| o["uid"].as_str().unwrap().into())
                    .collect();
                meta
            })
            .collect()
    }

    /// What a real server would answer.
    pub fn serve(&mut self, request: &Request) -> Answer {
        let key = self.canonical(request.key());
        let refuse =
            |code: u16, message: &str| Answer::Refused(Fault::new(Remedy::Conflict, message).code(code));
        match request {
            Request::Get { gvk, .. } => match self.objects.get(&key) {
                Some(value) => Answer::Object(live(at_version(value.clone(), gvk))),
                None => Answer::Absent,
            },
            Request::Apply {
                document,
                manager,
                uid,
                version,
                force,
                dry_run,
            } => {
                let Some(before) = self.objects.get(&key).cloned() else {
                    return if uid.is_some() {
                        refuse(409, "uid mismatch")
                    } else {
                        self.create(document, manager, *dry_run)
                    };
                };
                if uid
                    .as_ref()
                    .is_some_and(|uid| before["metadata"]["uid"] != uid.as_str())
                    || version
                        .as_ref()
                        .is_some_and(|v| before["metadata"]["resourceVersion"] != v.as_str())
                {
                    return refuse(409, "the object has been modified");
                }
                match apply::apply(&before, &document.to_json(), manager, *force) {
                    Err(conflicts) => Answer::Refused(
                        Fault::new(Remedy::Conflict, "conflict")
                            .code(409)
                            .conflicts(conflicts),
                    ),
                    Ok(after) if *dry_run || after == before => {
                        Answer::Object(live(at_version(after, document.gvk())))
                    }
                    Ok(after) => Answer::Object(live(at_version(self.store(after), document.gvk()))),
                }
            }
            Request::Create {
                document,
                manager,
                dry_run,
            } => match self.objects.get(&key) {
                Some(_) => refuse(409, "already exists"),
                None => self.create(document, manager, *dry_run),
            },
            Request::Update {
                document,
                manager,
                uid,
                version,
                dry_run,
            } => self.overwrite(&key, &document.to_json(), manager, (uid, version), *dry_run),
            Request::Patch {
                patch,
                manager,
                uid,
                version,
                dry_run,
                ..
            } => {
                let Some(mut value) = self.objects.get(&key).cloned() else {
                    return Answer::Absent;
                };
                match patch {
                    Patch::Json(operations) => {
                        if json_patch::patch(&mut value, operations).is_err() {
                            return refuse(422, "a test failed");
                        }
                    }
                    Patch::Merge(patch) => json_patch::merge(&mut value, patch),
                    _ => unreachable!(),
                }
                self.overwrite(&key, &value, manager, (uid, version), *dry_run)
            }
            Request::Delete { uid, version, .. } => {
                let Some(before) = self.objects.get(&key).cloned() else {
                    return Answer::Absent;
                };
                if before["metadata"]["uid"] != uid.as_str()
                    || version
                        .as_ref()
                        .is_some_and(|v| before["metadata"]["resourceVersion"] != v.as_str())
                {
                    return refuse(409, "the UID or version in the precondition does not match");
                }
                if before.pointer("/metadata/finalizers").is_some() {
                    let mut after = before;
                    after["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
                    return Answer::Object(live(self.store(after)));
                }
                self.vanish(&key);
                match key.kind() {
                    // As API servers do for these kinds: what was deleted, without a word that it was.
                    "Service" | "ServiceAccount" => Answer::Object(live(before)),
                    _ => Answer::Deleted,
                }
            }
            _ => unreachable!(),
        }
    }

    /// What a `PUT` does: what differs is the writer's, unless all that differs are the owners.
    fn overwrite(
        &mut self,
        key: &ObjectKey,
        value: &Value,
        manager: &str,
        (uid, version): (&Option<Uid>, &Option<ResourceVersion>),
        dry_run: bool,
    ) -> Answer {
        let Some(before) = self.objects.get(key).cloned() else {
            return Answer::Absent;
        };
        let differs =
            |field: &str, asked: Option<&str>| asked.is_some_and(|text| before["metadata"][field] != text);
        if differs("uid", uid.as_ref().map(Uid::as_str))
            || differs("resourceVersion", version.as_ref().map(ResourceVersion::as_str))
        {
            return Answer::Refused(Fault::new(Remedy::Conflict, "the object has been modified").code(409));
        }
        let after = apply::put(&before, value, manager);
        let gvk = object(before.clone()).gvk().clone();
        if dry_run || after == before {
            return Answer::Object(live(at_version(after, &gvk)));
        }
        Answer::Object(live(at_version(self.store(after), &gvk)))
    }

    fn create(&mut self, document: &Object, manager: &str, dry_run: bool) -> Answer {
        if let Some(ns) = document.namespace()
            && ns != "default"
            && !self
                .objects
                .contains_key(&ObjectKey::new("", "Namespace", None, ns))
        {
            return Answer::Refused(
                Fault::new(Remedy::Invalid, format!("namespaces \"{ns}\" not found")).code(404),
            );
        }
        let mut empty = document.bare().to_json();
        self.counter += 1;
        empty["metadata"]["uid"] = json!(format!("uid-{}", self.counter));
        if document.key().kind() == "CustomResourceDefinition" && self.establish {
            empty["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
        }
        empty["apiVersion"] = json!(
            self.canonical_kind(document.gvk().group_kind())
                .at(document.gvk().version())
                .api_version()
        );
        let after = apply::apply(&empty, &document.to_json(), manager, true).unwrap();
        if dry_run {
            let mut after = after;
            after["metadata"]["resourceVersion"] = json!("0");
            return Answer::Created(live(after));
        }
        Answer::Created(live(at_version(self.store(after), document.gvk())))
    }

    /// Stores an object and tells the watches.
    pub fn store(&mut self, mut value: Value) -> Value {
        self.counter += 1;
        value["metadata"]["resourceVersion"] = json!(self.counter.to_string());
        let key = object(value.clone()).key().clone();
        let before = self.objects.insert(key.clone(), value.clone());
        for gvk in self.watched.clone() {
            if self.deaf || self.mute || self.canonical_kind(gvk.group_kind()) != *key.group_kind() {
                continue;
            }
            if labelled(&value) {
                self.events
                    .push_back(Event::Seen(live(at_version(value.clone(), &gvk))));
            } else if before.as_ref().is_some_and(labelled) {
                self.show_left(&key, &gvk, before.as_ref().unwrap());
            }
        }
        value
    }

    /// Removes an object, and what is in it, and tells the watches.
    pub fn vanish(&mut self, key: &ObjectKey) {
        let Some(before) = self.objects.remove(key) else {
            return;
        };
        self.counter += 1;
        for gvk in self.watched.clone() {
            if !self.deaf
                && !self.mute
                && self.canonical_kind(gvk.group_kind()) == *key.group_kind()
                && labelled(&before)
            {
                self.show_left(key, &gvk, &before);
            }
        }
        let defines = |other: &ObjectKey| {
            before["spec"]["group"] == other.group() && before["spec"]["names"]["kind"] == other.kind()
        };
        let uid = before["metadata"]["uid"].clone();
        let inside = |other: &ObjectKey, value: &Value| match key.kind() {
            "Namespace" => other.namespace() == Some(key.name()),
            "CustomResourceDefinition" => defines(other),
            _ => value["metadata"]["ownerReferences"][0]["uid"] == uid,
        };
        let found = self.objects.iter().filter(|(k, v)| inside(k, v));
        let contents: Vec<ObjectKey> = found.map(|(k, _)| k.clone()).collect();
        for inner in contents {
            self.vanish(&inner);
        }
    }

    fn show_left(&mut self, key: &ObjectKey, gvk: &Gvk, before: &Value) {
        let key = ObjectKey::of(gvk.group_kind().clone(), key.namespace(), key.name());
        let uid = before["metadata"]["uid"].as_str().unwrap().into();
        self.events.push_back(Event::Left { key, uid });
    }

    /// Somebody else makes an object.
    pub fn make(&mut self, mut value: Value) {
        self.counter += 1;
        value["metadata"]["uid"] = json!(format!("foreign-{}", self.counter));
        self.store(value);
    }

    /// Somebody else writes a field.
    pub fn edit(&mut self, key: &ObjectKey, path: &str, to: Value, manager: &str) {
        let mut value = self.objects[key].clone();
        apply::update(
            &mut value,
            &path.split('.').map(str::to_owned).collect(),
            to,
            manager,
        );
        self.store(value);
    }
}

fn labelled(value: &Value) -> bool {
    value.pointer("/metadata/labels").is_some_and(|labels| {
        labels
            .get("fleet.internal/owner")
            .is_some_and(|owner| owner == "fleet")
    })
}

fn at_version(mut value: Value, gvk: &Gvk) -> Value {
    value["apiVersion"] = json!(gvk.api_version());
    value
}

fn live(value: Value) -> Live {
    Live::new(object(value)).unwrap()
}
