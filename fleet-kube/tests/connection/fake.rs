//! A server in this process: requests are recorded, answers are scripted.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use fleet_core::{DEFAULT_DOMAIN, Gvk, InventoryId, Marks, Object, ObjectKey, Propagation, Request, Target};
use fleet_kube::{Connection, ConnectionOptions};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method, Response};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::Frame;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    time::Instant,
};

/// One request as the server got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: BTreeMap<String, String>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) at: Instant,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn param(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }
}

/// What the server does with a request.
pub(crate) enum Act {
    /// Answers.
    Reply {
        status: u16,
        headers: Vec<(&'static str, &'static str)>,
        body: Bytes,
    },
    /// Answers with a body in pieces, which ends with its sender.
    Stream(u16, UnboundedReceiver<io::Result<Bytes>>),
    /// Never answers.
    Silence,
    /// Answers the head and this much, then nothing.
    Stall(u16, &'static str),
    /// Fails below HTTP.
    Fail(io::ErrorKind),
}

pub(crate) fn json_reply(status: u16, body: &Value) -> Act {
    Act::Reply {
        status,
        headers: vec![("content-type", "application/json")],
        body: body.to_string().into(),
    }
}

pub(crate) fn text_reply(status: u16, body: &str) -> Act {
    Act::Reply {
        status,
        headers: vec![("content-type", "text/plain")],
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

pub(crate) fn after(seconds: &'static str, status: u16) -> Act {
    let body = "Too many requests, please try again later.\n".into();
    Act::Reply {
        status,
        headers: vec![("retry-after", seconds)],
        body,
    }
}

/// The sending side of a watch's answer.
#[derive(Clone)]
pub(crate) struct Line(UnboundedSender<io::Result<Bytes>>);

impl Line {
    pub(crate) fn say(&self, event: &Value) {
        let _ = self.0.send(Ok(format!("{event}\n").into()));
    }

    pub(crate) fn raw(&self, text: &'static str) {
        let _ = self.0.send(Ok(text.into()));
    }

    pub(crate) fn reset(&self) {
        let _ = self.0.send(Err(io::ErrorKind::ConnectionReset.into()));
    }
}

pub(crate) fn open_line() -> (Line, Act) {
    let (sender, receiver) = unbounded_channel();
    (Line(sender), Act::Stream(200, receiver))
}

/// A server. Version, identity and discovery are answered by itself where the script does not.
#[derive(Clone)]
pub(crate) struct Fake {
    seen: Arc<Mutex<Vec<Seen>>>,
    script: Arc<Mutex<Script>>,
}

type Script = dyn FnMut(&Seen, usize) -> Option<Act> + Send;

impl Fake {
    /// A server that acts by `script`, called with each request and how many of its kind (same method and path)
    /// there were before.
    pub(crate) fn new(script: impl FnMut(&Seen, usize) -> Option<Act> + Send + 'static) -> Self {
        Self {
            seen: Arc::default(),
            script: Arc::new(Mutex::new(script)),
        }
    }

    pub(crate) fn client(&self) -> kube::Client {
        let fake = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let fake = fake.clone();
            async move { fake.serve(request).await }
        });
        kube::Client::new(service, "default")
    }

    /// A connection that has read discovery.
    pub(crate) async fn connect(&self, options: ConnectionOptions) -> Connection {
        let connection = Connection::over(self.client(), options).await.unwrap();
        connection.discover().await.unwrap();
        self.seen.lock().unwrap().clear();
        connection
    }

    /// What has arrived, after connecting.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    async fn serve(
        &self,
        request: http::Request<Body>,
    ) -> Result<Response<UnsyncBoxBody<Bytes, io::Error>>, io::Error> {
        let (parts, body) = request.into_parts();
        let seen = Seen {
            method: parts.method,
            path: parts.uri.path().to_owned(),
            query: query(parts.uri.query().unwrap_or_default()),
            headers: parts.headers,
            body: body.collect_bytes().await.unwrap(),
            at: Instant::now(),
        };
        let act = {
            let mut all = self.seen.lock().unwrap();
            let before = all
                .iter()
                .filter(|s| s.path == seen.path && s.method == seen.method)
                .count();
            all.push(seen.clone());
            drop(all);
            (self.script.lock().unwrap())(&seen, before).unwrap_or_else(|| standard(&seen.path))
        };
        let never = |e: Infallible| match e {};
        match act {
            Act::Reply {
                status,
                headers,
                body,
            } => {
                let mut response = Response::builder().status(status);
                for (name, value) in headers {
                    response = response.header(name, value);
                }
                Ok(response
                    .body(Full::new(body).map_err(never).boxed_unsync())
                    .unwrap())
            }
            Act::Stream(status, receiver) => {
                let pieces = stream::unfold(receiver, |mut receiver| async {
                    let piece = receiver.recv().await?;
                    Some((piece.map(Frame::data), receiver))
                });
                Ok(Response::builder()
                    .status(status)
                    .body(StreamBody::new(pieces).boxed_unsync())
                    .unwrap())
            }
            Act::Stall(status, text) => {
                let first = stream::iter([Ok(Frame::data(Bytes::from_static(text.as_bytes())))]);
                let body = StreamBody::new(first.chain(stream::pending())).boxed_unsync();
                Ok(Response::builder().status(status).body(body).unwrap())
            }
            Act::Silence => std::future::pending().await,
            Act::Fail(kind) => Err(kind.into()),
        }
    }
}

fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap());
    pairs
        .map(|(name, value)| (name.to_owned(), decode(value)))
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'%' {
            bytes.push(u8::from_str_radix(std::str::from_utf8(&after[..2]).unwrap(), 16).unwrap());
            rest = &after[2..];
        } else {
            bytes.push(byte);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn standard(path: &str) -> Act {
    match path {
        "/version" => json_reply(
            200,
            &json!({"major": "1", "minor": "36", "gitVersion": "v1.36.3"}),
        ),
        "/api/v1/namespaces/kube-system" => json_reply(200, &namespace("kube-system", "cluster-uid")),
        "/api" => json_reply(200, &discovery(&[core()])),
        "/apis" => json_reply(200, &discovery(&groups())),
        _ => text_reply(404, "404 page not found\n"),
    }
}

pub(crate) fn namespace(name: &str, uid: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "uid": uid, "resourceVersion": "1"}})
}

pub(crate) fn discovery(items: &[Value]) -> Value {
    json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items})
}

pub(crate) fn resource(plural: &str, kind: &str, scope: &str) -> Value {
    let verbs = ["create", "delete", "get", "list", "patch", "watch"];
    json!({"resource": plural, "responseKind": {"group": "", "version": "", "kind": kind}, "scope": scope, "verbs": verbs})
}

pub(crate) fn group(name: &str, versions: &[(&str, &[Value])]) -> Value {
    let versions = versions.iter().map(
        |(version, resources)| json!({"version": version, "freshness": "Current", "resources": resources}),
    );
    json!({"metadata": {"name": name}, "versions": versions.collect::<Vec<_>>()})
}

fn core() -> Value {
    let kinds = [
        resource("configmaps", "ConfigMap", "Namespaced"),
        resource("namespaces", "Namespace", "Cluster"),
        resource("secrets", "Secret", "Namespaced"),
    ];
    group("", &[("v1", &kinds)])
}

pub(crate) fn groups() -> Vec<Value> {
    vec![
        group(
            "apps",
            &[("v1", &[resource("deployments", "Deployment", "Namespaced")])],
        ),
        group(
            "apiextensions.k8s.io",
            &[(
                "v1",
                &[resource(
                    "customresourcedefinitions",
                    "CustomResourceDefinition",
                    "Cluster",
                )],
            )],
        ),
        group(
            "apiregistration.k8s.io",
            &[("v1", &[resource("apiservices", "APIService", "Cluster")])],
        ),
    ]
}

pub(crate) fn gvk(api_version: &str, kind: &str) -> Gvk {
    Gvk::from_api_version(api_version, kind).unwrap()
}

pub(crate) fn config_map(name: &str, version: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"namespace": "shop", "name": name, "uid": format!("uid-{name}"), "resourceVersion": version},
        "data": {"k": "v"},
    })
}

/// A definition as somebody would write it.
pub(crate) fn definition(kind: &str, name: &str) -> Object {
    let (api_version, namespace) = match kind {
        "Deployment" => ("apps/v1", json!("shop")),
        "Namespace" => ("v1", Value::Null),
        _ => ("v1", json!("shop")),
    };
    Object::from_json(json!({
        "apiVersion": api_version, "kind": kind, "metadata": {"namespace": namespace, "name": name},
    }))
    .unwrap()
}

pub(crate) fn get(name: &str) -> Request {
    Request::Get {
        key: ObjectKey::new("", "ConfigMap", Some("shop"), name),
        gvk: gvk("v1", "ConfigMap"),
    }
}

pub(crate) fn apply(document: Object) -> Request {
    Request::Apply {
        document,
        manager: "fleet-a".to_owned(),
        uid: None,
        version: None,
        force: false,
        dry_run: false,
    }
}

pub(crate) fn dry_run(document: Object) -> Request {
    Request::Apply {
        document,
        manager: "fleet-a".to_owned(),
        uid: None,
        version: None,
        force: true,
        dry_run: true,
    }
}

pub(crate) fn delete(name: &str) -> Request {
    Request::Delete {
        key: ObjectKey::new("", "ConfigMap", Some("shop"), name),
        gvk: gvk("v1", "ConfigMap"),
        uid: "uid-1".into(),
        version: Some("77".into()),
        propagation: Propagation::Background,
    }
}

pub(crate) fn marks() -> Marks {
    Marks::new(
        DEFAULT_DOMAIN,
        &Target::new("cluster-uid".into(), InventoryId::new("fleet").unwrap()),
    )
}

pub(crate) fn status(code: u16, reason: &str, message: &str, details: &Value) -> Value {
    json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "message": message, "reason": reason, "details": details, "code": code,
    })
}
