//! Two servers that take the same requests: a real one, and one in this process.

use bytes::Bytes;
use fleet_sim::{Server, Settings, WatchId};
use http::Request;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use kube::{Client, client::Body};
use serde_json::Value;

/// What is sent.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) accept: &'static str,
    pub(super) body: String,
}

/// What is answered.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) code: u16,
    pub(super) body: Value,
    /// Of the header `Warning`, as far as they are about unknown fields.
    pub(super) warnings: Vec<String>,
}

fn said<B>(head: &http::Response<B>, body: &[u8]) -> Said {
    let warnings = head.headers().get_all("warning").iter();
    let warnings = warnings.filter_map(|one| one.to_str().ok().map(str::to_owned));
    let mut warnings: Vec<String> = warnings.filter(|one| one.contains("unknown field")).collect();
    warnings.sort();
    Said {
        code: head.status().as_u16(),
        body: serde_json::from_slice(body).unwrap_or(Value::Null),
        warnings,
    }
}

/// One of the two.
pub(super) enum World {
    Real(Client),
    Simulated(Box<Server>),
}

/// What a watch has told: lines, and where it is read from.
pub(super) enum Telling {
    Real { body: Body, text: Vec<u8> },
    Simulated(WatchId),
}

pub(super) const JSON: &str = "application/json";

impl Sent {
    pub(super) fn new(method: &'static str, path: impl Into<String>, body: &Value) -> Self {
        Self {
            method,
            path: path.into(),
            content_type: JSON,
            accept: JSON,
            body: if body.is_null() {
                String::new()
            } else {
                body.to_string()
            },
        }
    }

    pub(super) fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path, &Value::Null)
    }

    /// A patch of this type.
    pub(super) fn patch(kind: &'static str, path: impl Into<String>, body: &Value) -> Self {
        Self {
            content_type: kind,
            ..Self::new("PATCH", path, body)
        }
    }

    fn request<B>(&self, body: B) -> Request<B> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.parse().expect("a method");
        *request.uri_mut() = self.path.parse().expect("a path");
        let headers = request.headers_mut();
        headers.insert("accept", self.accept.parse().expect("a type"));
        headers.insert("content-type", self.content_type.parse().expect("a type"));
        headers.insert("user-agent", "alike/1".parse().expect("an agent"));
        request
    }
}

impl World {
    /// One in this process, of the version of a real one.
    pub(super) fn simulated(kubernetes: &str) -> Self {
        let mut settings = Settings::default().seed(7).version(kubernetes);
        settings.controllers = false;
        Self::Simulated(Box::new(Server::new(settings, Timestamp::now())))
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Real(_) => "real",
            Self::Simulated(_) => "simulated",
        }
    }

    pub(super) async fn send(&mut self, sent: &Sent) -> Said {
        match self {
            Self::Real(client) => {
                let request = sent.request(Body::from(sent.body.clone().into_bytes()));
                let response = client.send(request).await.expect("an answer");
                let (head, body) = response.into_parts();
                let bytes = body.collect().await.expect("a body").to_bytes();
                said(&http::Response::from_parts(head, ()), &bytes)
            }
            Self::Simulated(server) => {
                let now = Timestamp::now();
                let request = sent.request(Bytes::from(sent.body.clone()));
                let fleet_sim::Answer::Done(response) = server.handle(&request, now) else {
                    panic!("{} is a watch", sent.path)
                };
                let said = said(&response, response.body());
                server.settle(now);
                said
            }
        }
    }

    /// Waits until the server has done what it does by itself with a CRD.
    pub(super) async fn rest(&mut self, definition: &str) {
        let mut seen = Value::Null;
        for _ in 0..2000 {
            let Said { code, body, .. } = self.send(&Sent::get(definition)).await;
            let before = std::mem::replace(&mut seen, body["metadata"]["resourceVersion"].clone());
            let is_true = |wanted: &str| {
                let mut conditions = body["status"]["conditions"].as_array().into_iter().flatten();
                conditions.any(|one| one["type"] == wanted && one["status"] == "True")
            };
            let cleanup = "customresourcecleanup.apiextensions.k8s.io";
            let mut finalizers = body["metadata"]["finalizers"].as_array().into_iter().flatten();
            let is_cleaned = !finalizers.any(|one| one == cleanup);
            let is_going = body["metadata"]["deletionTimestamp"].is_string();
            let is_done = (is_going && is_cleaned) || (!is_going && is_true("Established"));
            if code != 200 || (is_done && (before == seen || matches!(self, Self::Simulated(_)))) {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(15)).await;
        }
    }

    /// Opens a watch.
    pub(super) async fn watch(&mut self, sent: &Sent) -> Telling {
        match self {
            Self::Real(client) => {
                let request = sent.request(Body::empty());
                let response = client.send(request).await.expect("an answer");
                assert!(response.status().is_success(), "{}", sent.path);
                Telling::Real {
                    body: response.into_body(),
                    text: Vec::new(),
                }
            }
            Self::Simulated(server) => {
                let request = sent.request(Bytes::new());
                match server.handle(&request, Timestamp::now()) {
                    fleet_sim::Answer::Watch(_, id) => Telling::Simulated(id),
                    fleet_sim::Answer::Done(response) => panic!("{}: {:?}", sent.path, response.body()),
                }
            }
        }
    }

    /// What a watch has told so far, and tells within a moment.
    pub(super) async fn told(&mut self, telling: &mut Telling) -> Vec<Value> {
        let text = match (self, telling) {
            (Self::Simulated(server), Telling::Simulated(id)) => {
                server.events(*id, Timestamp::now()).lines.to_vec()
            }
            (_, Telling::Real { body, text }) => {
                let quiet = std::time::Duration::from_millis(500);
                while let Ok(Some(Ok(frame))) = tokio::time::timeout(quiet, body.frame()).await {
                    text.extend(frame.into_data().unwrap_or_default());
                }
                std::mem::take(text)
            }
            _ => Vec::new(),
        };
        String::from_utf8_lossy(&text)
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }
}
