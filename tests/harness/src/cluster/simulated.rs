//! An in-process cluster, and a note of who asked it what.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use fleet_kube::SimCluster;
use fleet_sim::{Answer, Settings};
use http::{Method, Request};
use kube::Client;
use kube::client::Body;

use super::ask::Said;
use crate::audit::{AuditEvent, AuditMark, Stage};
use crate::error::Result;
use crate::options::{Kubernetes, Options};
use crate::user::User;

#[derive(Debug, Clone)]
pub(super) struct Simulated {
    cluster: SimCluster,
    kubernetes: Kubernetes,
    audit: Arc<Mutex<Vec<AuditEvent>>>,
}

impl Simulated {
    pub(super) fn start(options: &Options) -> Result<Self> {
        let kubernetes = match options.kubernetes {
            Some(kubernetes) => kubernetes,
            None => Kubernetes::from_env()?,
        };
        let mut settings = Settings::default().version(kubernetes.as_str());
        // UIDs of two clusters differ.
        settings.seed = options
            .name
            .bytes()
            .fold(0, |seed, byte| seed * 31 + u64::from(byte));
        settings.controllers = options.controllers;
        Ok(Self {
            cluster: SimCluster::start(settings),
            kubernetes,
            audit: Arc::default(),
        })
    }

    pub(super) fn cluster(&self) -> &SimCluster {
        &self.cluster
    }

    pub(super) fn kubernetes(&self) -> Kubernetes {
        self.kubernetes
    }

    pub(super) fn client(&self, user: User) -> Client {
        let (inner, audit) = (self.cluster.client(), self.audit.clone());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (inner, audit) = (inner.clone(), audit.clone());
            async move {
                let asked = Asked::of(user, &request);
                let response = inner.send(request).await?;
                asked.answered(response.status().as_u16(), &audit);
                Ok::<_, kube::Error>(response)
            }
        });
        Client::new(service, "default")
    }

    /// Asks at once, whatever else is going on.
    pub(super) fn ask(&self, user: User, request: &Request<Bytes>) -> Said {
        let asked = Asked::of(user, request);
        let answer = self.cluster.with(|server, now| server.handle(request, now));
        let (code, bytes) = match answer {
            Answer::Done(response) => (response.status().as_u16(), response.into_body()),
            Answer::Watch(head, id) => {
                self.cluster.with(|server, _| server.close(id));
                (head.status().as_u16(), Bytes::new())
            }
        };
        asked.answered(code, &self.audit);
        Said::new(code, &bytes)
    }

    pub(super) fn audit_mark(&self) -> AuditMark {
        AuditMark(self.events(0).len() as u64)
    }

    pub(super) fn audit_since(&self, mark: AuditMark) -> Vec<AuditEvent> {
        self.events(usize::try_from(mark.0).unwrap_or(usize::MAX))
    }

    fn events(&self, from: usize) -> Vec<AuditEvent> {
        let all = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(from..).unwrap_or_default().to_vec()
    }
}

/// A request before its answer.
struct Asked(AuditEvent);

impl Asked {
    fn of<B>(user: User, request: &Request<B>) -> Self {
        let uri = request.uri();
        let mut parts = uri.path().trim_start_matches('/').split('/');
        let (group, version) = match parts.next() {
            Some("api") => ("", parts.next().unwrap_or("")),
            Some("apis") => (parts.next().unwrap_or(""), parts.next().unwrap_or("")),
            _ => ("", ""),
        };
        let rest: Vec<&str> = parts.collect();
        let (namespace, rest) = match rest[..] {
            // A namespace itself, and its own subresources.
            ["namespaces", name] | ["namespaces", name, "status" | "finalize"] => (name, &rest[..]),
            ["namespaces", namespace, ..] => (namespace, &rest[2..]),
            _ => ("", &rest[..]),
        };
        let part = |at: usize| rest.get(at).copied().unwrap_or("").to_owned();
        let agent = request.headers().get(http::header::USER_AGENT);
        let mut event = AuditEvent {
            stage: Stage::ResponseComplete,
            user: user.as_str().to_owned(),
            user_agent: agent
                .and_then(|agent| agent.to_str().ok())
                .unwrap_or("")
                .to_owned(),
            verb: String::new(),
            group: group.to_owned(),
            version: version.to_owned(),
            resource: part(0),
            subresource: part(2),
            namespace: namespace.to_owned(),
            name: part(1),
            code: 0,
            uri: uri.to_string(),
            dry_run: false,
            received_at: String::new(),
            stage_at: String::new(),
        };
        event.verb = verb(request.method(), &event).to_owned();
        if event.verb == "watch" {
            event.stage = Stage::ResponseStarted;
        }
        let dry_run = event.query("dryRun").any(|value| value == "All");
        event.dry_run = dry_run;
        Self(event)
    }

    fn answered(mut self, code: u16, audit: &Mutex<Vec<AuditEvent>>) {
        self.0.code = code;
        audit.lock().unwrap_or_else(PoisonError::into_inner).push(self.0);
    }
}

fn verb(method: &Method, event: &AuditEvent) -> &'static str {
    let named = !event.name.is_empty();
    let watches = event
        .query("watch")
        .any(|value| matches!(value, "" | "1" | "true"));
    match *method {
        Method::GET if event.resource.is_empty() => "get",
        Method::GET if watches => "watch",
        Method::GET if !named => "list",
        Method::GET => "get",
        Method::POST => "create",
        Method::PUT => "update",
        Method::PATCH => "patch",
        Method::DELETE if !named => "deletecollection",
        Method::DELETE => "delete",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_noted_as_an_audit_log_has_them() {
        let cases = [
            ("GET", "/version", ["get", "", "", "", "", ""]),
            (
                "GET",
                "/api/v1/namespaces",
                ["list", "", "namespaces", "", "", ""],
            ),
            (
                "GET",
                "/api/v1/namespaces/a",
                ["get", "", "namespaces", "a", "a", ""],
            ),
            (
                "GET",
                "/api/v1/pods?watch=true",
                ["watch", "", "pods", "", "", ""],
            ),
            (
                "PATCH",
                "/apis/apps/v1/namespaces/a/deployments/b/status?dryRun=All",
                ["patch", "apps", "deployments", "a", "b", "status"],
            ),
            (
                "DELETE",
                "/apis/apps/v1/namespaces/a/deployments",
                ["deletecollection", "apps", "deployments", "a", "", ""],
            ),
        ];
        for (method, uri, expected) in cases {
            let request = Request::builder()
                .method(method)
                .uri(uri)
                .body(())
                .expect("a request");
            let Asked(event) = Asked::of(User::Fleet, &request);
            let found = [
                event.verb.as_str(),
                &event.group,
                &event.resource,
                &event.namespace,
                &event.name,
                &event.subresource,
            ];
            assert_eq!(found, expected, "{method} {uri}");
            assert_eq!(event.dry_run, uri.contains("dryRun"), "{uri}");
        }
    }
}
