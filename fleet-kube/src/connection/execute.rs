//! One request about one object.

use std::time::Duration;

use bytes::Bytes;
use fleet_core::{Answer, Fault, KindMap, Node, Object, Remedy, Request, ResourceVersion, Uid};
use http::Method;
use serde::{Serialize, Serializer, ser::SerializeMap as _};
use serde_json::json;

use super::{
    Call, Connection, ConnectionOptions, Query, Verb,
    address::object_path,
    answer,
    reply::{Broken, JSON},
    secret,
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
    let document = match request {
        Request::Apply { document, .. } => Some(document),
        _ => None,
    };
    let masked = |fault| secret::masked(fault, request.key(), document);
    match answer {
        Answer::Refused(fault) => Answer::Refused(masked(fault)),
        Answer::NotSent(fault) => Answer::NotSent(masked(fault)),
        Answer::Lost(fault) => Answer::Lost(masked(fault)),
        answer => answer,
    }
}
