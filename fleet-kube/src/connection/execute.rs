//! One request about one object.

use std::time::Duration;

use bytes::Bytes;
use fleet_core::{Answer, Fault, KindMap, Node, Object, Patch, Remedy, Request, ResourceVersion, Uid};
use http::Method;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::{Value, json};

use super::{
    Call, Connection, ConnectionOptions, Query, Verb,
    address::{new_object_path, object_path},
    answer,
    reply::{Broken, JSON},
    secret::{self, Sent},
};

/// The media type of server-side apply. JSON is YAML.
const APPLY: &str = "application/apply-patch+yaml";

impl Connection {
    /// Sends one request about one object, as it is, and tells what came of it.
    ///
    /// A read or dry run is repeated within the limits of the options. A write is repeated only when the server
    /// certainly did not take it; when that cannot be known the answer is [`Answer::Lost`]. Versions of a kind that
    /// [`kinds`](Self::kinds) does not name are not asked for.
    pub async fn execute(&self, request: &Request) -> Answer {
        let call = match prepare(&self.kinds(), &self.shared.options, request) {
            Ok(call) => call,
            Err(fault) => return Answer::NotSent(fault),
        };
        let answer = match self.call(&call).await {
            Ok(reply) => answer::of(request, &reply),
            Err(Broken::NotSent(fault)) => Answer::NotSent(fault),
            Err(Broken::Lost(fault)) => Answer::Lost(fault),
        };
        if let (true, Answer::Object(live) | Answer::Created(live)) = (request.is_write(), &answer) {
            let kind = request.key().group_kind();
            self.shared.guard.saw(kind, live.version().as_str(), None);
        }
        unless_secret(answer, request)
    }
}

/// The HTTP request for a request.
fn prepare(kinds: &KindMap, options: &ConnectionOptions, request: &Request) -> Result<Call, Fault> {
    let write = request.is_write();
    // The server gives up a little before we do, and says so: then it is this object that takes too long, and not
    // the cluster that is silent.
    let wait = options.head_timeout;
    let seconds = wait
        .saturating_sub((wait / 10).max(Duration::from_secs(1)))
        .as_secs()
        .max(1);
    let query = Query::new().with("timeout", &format!("{seconds}s"));
    match request {
        Request::Get { key, gvk } => Ok(Call::get(Verb::Get, object_path(kinds, gvk, key)?)),
        Request::Apply {
            document,
            manager,
            uid,
            version,
            force,
            dry_run,
        } => {
            let query = query
                .with("fieldManager", manager)
                .with_some("force", force.then_some("true"))
                .with_some("dryRun", dry_run.then_some("All"))
                .with("fieldValidation", options.field_validation.as_str());
            let body = Conditional {
                document,
                uid: uid.as_ref(),
                version: version.as_ref(),
            };
            Ok(Call {
                verb: if *dry_run { Verb::DryRun } else { Verb::Apply },
                method: Method::PATCH,
                target: query.after(object_path(kinds, document.gvk(), document.key())?),
                accept: JSON,
                content_type: Some(APPLY),
                body: to_json(&body)?,
                write,
            })
        }
        Request::Create {
            document,
            manager,
            dry_run,
        } => Ok(Call {
            verb: if *dry_run { Verb::DryRun } else { Verb::Create },
            method: Method::POST,
            target: written(query, manager, *dry_run, options).after(new_object_path(
                kinds,
                document.gvk(),
                document.key(),
            )?),
            accept: JSON,
            content_type: Some(JSON),
            body: to_json(&document.root())?,
            write,
        }),
        Request::Update {
            document,
            manager,
            uid,
            version,
            dry_run,
        } => {
            let body = Conditional {
                document,
                uid: uid.as_ref(),
                version: version.as_ref(),
            };
            Ok(Call {
                verb: if *dry_run { Verb::DryRun } else { Verb::Update },
                method: Method::PUT,
                target: written(query, manager, *dry_run, options).after(object_path(
                    kinds,
                    document.gvk(),
                    document.key(),
                )?),
                accept: JSON,
                content_type: Some(JSON),
                body: to_json(&body)?,
                write,
            })
        }
        Request::Patch {
            key,
            gvk,
            patch,
            manager,
            uid,
            version,
            dry_run,
        } => {
            let (content_type, body) = patch_body(patch, uid.as_ref(), version.as_ref())?;
            Ok(Call {
                verb: if *dry_run { Verb::DryRun } else { Verb::Patch },
                method: Method::PATCH,
                target: written(query, manager, *dry_run, options).after(object_path(kinds, gvk, key)?),
                accept: JSON,
                content_type: Some(content_type),
                body: to_json(&body)?,
                write,
            })
        }
        Request::Delete {
            key,
            gvk,
            uid,
            version,
            propagation,
        } => {
            let mut preconditions = json!({ "uid": uid });
            if let Some(version) = version {
                preconditions["resourceVersion"] = version.as_str().into();
            }
            let body = json!({
                "apiVersion": "v1",
                "kind": "DeleteOptions",
                "preconditions": preconditions,
                "propagationPolicy": propagation.as_str(),
            });
            Ok(Call {
                verb: Verb::Delete,
                method: Method::DELETE,
                target: query.after(object_path(kinds, gvk, key)?),
                accept: JSON,
                content_type: Some(JSON),
                body: to_json(&body)?,
                write,
            })
        }
        _ => Err(Fault::new(
            Remedy::Bug,
            "this crate does not know this kind of request",
        )),
    }
}

fn written(query: Query, manager: &str, dry_run: bool, options: &ConnectionOptions) -> Query {
    query
        .with("fieldManager", manager)
        .with_some("dryRun", dry_run.then_some("All"))
        .with("fieldValidation", options.field_validation.as_str())
}

/// A patch with its preconditions: set in what it makes of the object, they are checked as those of an update are.
fn patch_body(
    patch: &Patch,
    uid: Option<&Uid>,
    version: Option<&ResourceVersion>,
) -> Result<(&'static str, Value), Fault> {
    let unfit = || Fault::new(Remedy::Bug, "the patch cannot be written");
    let conditions = [
        ("uid", uid.map(Uid::as_str)),
        ("resourceVersion", version.map(ResourceVersion::as_str)),
    ];
    let conditions = conditions
        .into_iter()
        .filter_map(|(field, value)| Some((field, value?)));
    match patch {
        Patch::Json(patch) => {
            let mut operations: Vec<Value> = conditions
                .map(|(field, value)| json!({"op": "add", "path": format!("/metadata/{field}"), "value": value}))
                .collect();
            let patch = serde_json::to_value(patch).map_err(|_| unfit())?;
            operations.extend(patch.as_array().cloned().unwrap_or_default());
            Ok(("application/json-patch+json", Value::Array(operations)))
        }
        Patch::Merge(patch) => {
            let mut body = patch.clone();
            let map = body.as_object_mut().ok_or_else(unfit)?;
            let metadata = map.entry("metadata").or_insert_with(|| json!({}));
            let metadata = metadata.as_object_mut().ok_or_else(unfit)?;
            for (field, value) in conditions {
                metadata.insert(field.to_owned(), value.into());
            }
            Ok(("application/merge-patch+json", body))
        }
        _ => Err(unfit()),
    }
}

fn to_json(body: &impl Serialize) -> Result<Bytes, Fault> {
    let bytes =
        serde_json::to_vec(body).map_err(|_| Fault::new(Remedy::Bug, "the document cannot be written"))?;
    Ok(bytes.into())
}

/// A document with preconditions in its metadata, written without copying it.
struct Conditional<'a> {
    document: &'a Object,
    uid: Option<&'a Uid>,
    version: Option<&'a ResourceVersion>,
}

impl Serialize for Conditional<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let root = self.document.root();
        let mut out = serializer.serialize_map(Some(root.len()))?;
        for (key, value) in root.entries() {
            if key == "metadata" {
                let conditional = [
                    ("uid", self.uid.map(Uid::as_str)),
                    ("resourceVersion", self.version.map(ResourceVersion::as_str)),
                ];
                let metadata = Overlaid {
                    metadata: value,
                    fields: conditional,
                };
                out.serialize_entry(key, &metadata)?;
            } else {
                out.serialize_entry(key, &value)?;
            }
        }
        out.end()
    }
}

/// A mapping with some fields replaced.
struct Overlaid<'a> {
    metadata: Node<'a>,
    fields: [(&'static str, Option<&'a str>); 2],
}

impl Serialize for Overlaid<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let set = || {
            self.fields
                .iter()
                .filter_map(|(name, value)| Some((*name, (*value)?)))
        };
        let mut out = serializer.serialize_map(None)?;
        for (key, value) in self.metadata.entries() {
            if !set().any(|(name, _)| name == key) {
                out.serialize_entry(key, &value)?;
            }
        }
        for (name, value) in set() {
            out.serialize_entry(name, value)?;
        }
        out.end()
    }
}

/// The answer, with the words of its fault masked when it is about a Secret.
fn unless_secret(answer: Answer, request: &Request) -> Answer {
    if !request.key().is_secret() {
        return answer;
    }
    let sent = match request {
        Request::Apply { document, .. }
        | Request::Create { document, .. }
        | Request::Update { document, .. } => Sent::Object(document),
        Request::Patch { patch, .. } => Sent::Patch(patch),
        _ => Sent::Nothing,
    };
    let masked = |fault| secret::masked(fault, request.key(), &sent);
    match answer {
        Answer::Refused(fault) => Answer::Refused(masked(fault)),
        Answer::NotSent(fault) => Answer::NotSent(masked(fault)),
        Answer::Lost(fault) => Answer::Lost(masked(fault)),
        answer => answer,
    }
}
