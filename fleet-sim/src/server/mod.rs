//! The server: takes a request and the time, and answers.

mod admission;
mod answer;
mod convert;
mod definitions;
mod openapi;
mod read;
mod settings;
mod watch;

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use fleet_diff::{Object, Schemas};
use http::{HeaderMap, Method, Request};
use jiff::Timestamp;
use serde_json::Value;

pub use admission::{Admission, Operation, Review};
pub use answer::{Answer, WatchId};
pub use settings::Settings;
pub use watch::Events;

pub(crate) use admission::{Asked, Hooks};
pub(crate) use definitions::{CLEANUP, begins as definition_begins, definitions, is_true};

use crate::{
    controllers::Round,
    discovery,
    request::{Form, Options, Path, Place, Verb, form, text},
    resources::{Resource, Resources},
    status::{About, Status},
    store::{Key, Store, Table},
};
use watch::Watch;

/// A Kubernetes API server as a value: requests and the time go in, answers and events come out. Nothing in it waits,
/// reads a clock or draws random numbers.
///
/// ```
/// use fleet_sim::{Answer, Server, Settings};
/// use http::Request;
///
/// let now = "2026-01-01T00:00:00Z".parse()?;
/// let mut server = Server::new(Settings::default(), now);
/// let request = Request::get("/api/v1/namespaces/kube-system").body(bytes::Bytes::new())?;
/// let Answer::Done(response) = server.handle(&request, now) else { panic!("no watch") };
/// assert_eq!(response.status(), 200);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) resources: Resources,
    /// Of the built-in kinds, and of those that definitions add.
    pub(crate) schemas: Schemas,
    pub(crate) round: Round,
    /// UIDs made so far.
    pub(crate) uids: u64,
    /// Addresses and ports made so far.
    pub(crate) allocated: u32,
    pub(crate) hooks: Hooks,
    /// What the answer to the request at hand warns of.
    pub(crate) warnings: Vec<String>,
    watches: BTreeMap<WatchId, Watch>,
    watches_made: u64,
}

/// One request about a resource.
pub(crate) struct Ask<'a> {
    pub(crate) resource: Arc<Resource>,
    pub(crate) place: Place,
    pub(crate) options: Options,
    pub(crate) form: Form,
    pub(crate) body: &'a Bytes,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) now: Timestamp,
}

/// An answer before it is written.
pub(crate) enum Said {
    Value(u16, Value),
    Watch(Box<Watch>),
}

impl Ask<'_> {
    pub(crate) fn table(&self) -> Table {
        table_of(&self.resource)
    }

    /// What messages name: the resource, and the object if it has a name.
    pub(crate) fn about(&self) -> About<'_> {
        About {
            group: &self.resource.group,
            resource: &self.resource.plural,
            name: self.place.name.as_deref().unwrap_or(""),
        }
    }

    /// The address of an object of this name where the request goes.
    pub(crate) fn key(&self, name: &str) -> Key {
        let namespace = self
            .place
            .namespace
            .as_deref()
            .filter(|_| self.resource.namespaced);
        Key {
            namespace: namespace.unwrap_or("").into(),
            name: name.into(),
        }
    }

    /// Who writes: `fieldManager`, or the first part of the user agent, as a server takes it.
    pub(crate) fn manager(&self) -> String {
        self.options.field_manager.clone().unwrap_or_else(|| {
            let agent = text(self.headers, http::header::USER_AGENT).unwrap_or("unknown");
            agent
                .split('/')
                .next()
                .unwrap_or(agent)
                .chars()
                .take(128)
                .collect()
        })
    }
}

pub(crate) fn table_of(resource: &Resource) -> Table {
    Table {
        group: resource.group.as_str().into(),
        resource: resource.plural.as_str().into(),
    }
}

impl Server {
    /// A cluster with the namespaces that every cluster has, and nothing else.
    pub fn new(settings: Settings, now: Timestamp) -> Self {
        let schemas = Schemas::for_kubernetes(settings.kubernetes()).unwrap_or_else(Schemas::builtin);
        let mut server = Self {
            store: Store::new(settings.history),
            resources: Resources::of(settings.kubernetes()),
            schemas,
            round: Round::default(),
            uids: 0,
            allocated: 0,
            hooks: Hooks::default(),
            warnings: Vec::new(),
            watches: BTreeMap::new(),
            watches_made: 0,
            settings,
        };
        for name in ["kube-system", "kube-public", "kube-node-lease", "default"] {
            server.begin_namespace(name, now);
        }
        server
    }

    /// Answers one request. `now` may not be before the one of an earlier call.
    pub fn handle(&mut self, request: &Request<Bytes>, now: Timestamp) -> Answer {
        self.warnings.clear();
        let said = self.answer(request, now);
        match said {
            Ok(Said::Value(code, value)) => {
                let mut response = answer::json(code, "application/json", &value);
                answer::warn(&mut response, &self.warnings);
                Answer::Done(response)
            }
            Ok(Said::Watch(watch)) => {
                self.watches_made += 1;
                let id = WatchId(self.watches_made);
                self.watches.insert(id, *watch);
                Answer::Watch(answer::head(200, "application/json"), id)
            }
            Err(Failure::Status(status)) => {
                Answer::Done(answer::json(status.code, "application/json", &status.to_json()))
            }
            Err(Failure::Page(page)) => {
                Answer::Done(answer::json(page.status.as_u16(), &page.content_type, &page.body))
            }
            Err(Failure::Text(text)) => Answer::Done(answer::text(text)),
        }
    }

    fn answer(&mut self, request: &Request<Bytes>, now: Timestamp) -> Result<Said, Failure> {
        let path = request.uri().path();
        let place = match Path::of(path) {
            Path::Place(place) => place,
            Path::Other(path) => return Err(self.page(path, request.headers())),
        };
        let body = request.body();
        if body.len() > self.settings.body_bytes {
            return Err(Status::body_too_large(self.settings.body_bytes).into());
        }
        let options = Options::of(request.uri().query().unwrap_or(""))?;
        let resource = self
            .resources
            .find(&place.group, &place.version, &place.resource)
            .filter(|resource| resource.namespaced || place.namespace.is_none())
            .cloned()
            .ok_or_else(Status::no_such_path)?;
        let verb = Verb::of(request.method(), &place, &options, request.headers())?;
        let has_no_such = |name: &String| !resource.has_subresource(name);
        if resource.is_custom && place.subresource.as_ref().is_some_and(has_no_such) {
            return Err(Status::not_found(About {
                group: &resource.group,
                resource: &resource.plural,
                name: place.name.as_deref().unwrap_or(""),
            })
            .into());
        }
        if !is_served(&resource, &place, verb) {
            return Err(match request.method() {
                &Method::GET if place.subresource.is_some() => Status::no_such_path(),
                _ if place
                    .subresource
                    .as_ref()
                    .is_some_and(|name| !resource.has_subresource(name)) =>
                {
                    Status::no_such_path()
                }
                _ => Status::method_not_allowed(),
            }
            .into());
        }
        let ask = Ask {
            form: form(request.headers()),
            headers: request.headers(),
            resource,
            place,
            options,
            body,
            now,
        };
        let said = match verb {
            Verb::Get => self.get(&ask),
            Verb::List => self.list(&ask),
            Verb::Watch => self.watch(&ask).map(|watch| Said::Watch(Box::new(watch))),
            Verb::Create => self.create(&ask),
            Verb::Update => self.update(&ask),
            Verb::Patch(patch) => self.patch(&ask, patch),
            Verb::Delete => self.delete(&ask),
            Verb::DeleteCollection => self.delete_collection(&ask),
        };
        Ok(said?)
    }

    /// What is no resource.
    fn page(&self, path: &str, headers: &HeaderMap) -> Failure {
        if matches!(path, "/healthz" | "/livez" | "/readyz") {
            return Failure::Text("ok");
        }
        if let Some(body) = self.openapi(path.trim_end_matches('/')) {
            return Failure::Page(discovery::Answer {
                status: http::StatusCode::OK,
                content_type: "application/json".to_owned(),
                body,
            });
        }
        match discovery::answer(&self.resources, path, text(headers, http::header::ACCEPT)) {
            Some(page) => Failure::Page(page),
            None => Status::no_such_path().into(),
        }
    }

    /// The object as another version of its kind says it.
    pub(crate) fn at_version(object: &Object, api_version: &str) -> Result<Object, Status> {
        if object.root().get("apiVersion").and_then(fleet_diff::Node::as_str) == Some(api_version) {
            return Ok(object.clone());
        }
        let mut value = object.to_json();
        convert::to_version(&mut value, api_version);
        Object::from_json(value).map_err(Status::internal)
    }
}

/// Ways out other than an object.
enum Failure {
    Status(Status),
    Page(discovery::Answer),
    Text(&'static str),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

fn is_served(resource: &Resource, place: &Place, verb: Verb) -> bool {
    match &place.subresource {
        // Of a CRD that goes, discovery says less than is served: only nothing new is made.
        None if resource.is_custom && verb != Verb::Create => true,
        None => resource.has_verb(verb.name()),
        Some(name) => resource
            .subresource(name)
            .is_some_and(|sub| sub.verbs.iter().any(|served| served == verb.name())),
    }
}
