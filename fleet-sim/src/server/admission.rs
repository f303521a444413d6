//! Admission: code of a test that looks at every write, and may change or refuse it.

use std::fmt;

use fleet_diff::Object;
use serde_json::Value;

use super::{Ask, Server};
use crate::{resources::Resource, status::Status};

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It is made, by `POST` or by an apply.
    Create,
    /// It is changed, or a subresource of it.
    Update,
    /// It is deleted, or marked for that.
    Delete,
}

/// A write that admission is asked about.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Review<'a> {
    /// What is done.
    pub operation: Operation,
    /// API group; empty for the core group.
    pub group: &'a str,
    /// API version of the request.
    pub version: &'a str,
    /// Plural name, like `deployments`.
    pub resource: &'a str,
    /// Like `status`; empty for the object itself.
    pub subresource: &'a str,
    /// Namespace of the object, if it has one.
    pub namespace: Option<&'a str>,
    /// Name of the object.
    pub name: &'a str,
    /// The object as it would be stored; none when it is deleted.
    pub object: Option<&'a Value>,
    /// The object as it is; none when it is made.
    pub before: Option<&'a Value>,
    /// Whether nothing is to be stored.
    pub dry_run: bool,
}

/// What admission says to a write.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Admission {
    /// It may be.
    Allow,
    /// It may be, with this object instead. What is changed belongs to nobody, as on a real server.
    Change(Value),
    /// It may not be, because of this: 403.
    Deny(String),
    /// The hook could not be called, because of this: 500, as of a webhook whose failure policy is `Fail`.
    Fail(String),
    /// The hook did not answer in time: 500. The server itself does not wait.
    TimeOut,
}

type Hook = Box<dyn FnMut(&Review<'_>) -> Admission + Send>;

/// The hooks of a server, by their names, in the order in which they are asked.
#[derive(Default)]
pub(crate) struct Hooks(Vec<(String, Hook)>);

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

impl Server {
    /// From now on, this is asked about every write of clients and of controllers, after those that were set before. One
    /// of the same name is replaced.
    ///
    /// ```
    /// use fleet_sim::{Admission, Server, Settings};
    ///
    /// let now = "2026-01-01T00:00:00Z".parse()?;
    /// let mut server = Server::new(Settings::default(), now);
    /// server.set_admission("no-secrets.example.com", |review| match review.resource {
    ///     "secrets" => Admission::Deny("not here".to_owned()),
    ///     _ => Admission::Allow,
    /// });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn set_admission(
        &mut self,
        name: impl Into<String>,
        hook: impl FnMut(&Review<'_>) -> Admission + Send + 'static,
    ) {
        let name = name.into();
        self.unset_admission(&name);
        self.hooks.0.push((name, Box::new(hook)));
    }

    /// The hook of this name is asked no more.
    pub fn unset_admission(&mut self, name: &str) {
        self.hooks.0.retain(|(known, _)| known != name);
    }

    /// What admission makes of a write of a request.
    pub(crate) fn admit(
        &mut self,
        ask: &Ask<'_>,
        before: Option<&Object>,
        object: Value,
    ) -> Result<Value, Status> {
        let subresource = ask.place.subresource.as_deref().unwrap_or("");
        let about = Asked {
            resource: &ask.resource,
            subresource,
            dry_run: ask.options.dry_run,
        };
        self.review(&about, before, Some(object))
            .map(Option::unwrap_or_default)
    }

    /// What admission makes of a write: the object, if there is one then.
    pub(crate) fn review(
        &mut self,
        asked: &Asked<'_>,
        before: Option<&Object>,
        mut object: Option<Value>,
    ) -> Result<Option<Value>, Status> {
        if self.hooks.0.is_empty() {
            return Ok(object);
        }
        let before = before.map(Object::to_json);
        let operation = match (&before, &object) {
            (_, None) => Operation::Delete,
            (None, Some(_)) => Operation::Create,
            (Some(_), Some(_)) => Operation::Update,
        };
        for (hook_name, hook) in &mut self.hooks.0 {
            let (namespace, name) = {
                let either = object.as_ref().or(before.as_ref());
                let text = |field: &str| {
                    either
                        .and_then(|value| value["metadata"][field].as_str())
                        .map(str::to_owned)
                };
                (text("namespace"), text("name").unwrap_or_default())
            };
            let answer = hook(&Review {
                operation,
                group: &asked.resource.group,
                version: &asked.resource.version,
                resource: &asked.resource.plural,
                subresource: asked.subresource,
                namespace: namespace.as_deref(),
                name: &name,
                object: object.as_ref(),
                before: before.as_ref(),
                dry_run: asked.dry_run,
            });
            let call =
                |why: &str| Status::internal(format_args!("failed calling webhook {hook_name:?}: {why}"));
            match answer {
                Admission::Allow => {}
                Admission::Change(changed) => object = object.map(|_| changed),
                Admission::Deny(why) => return Err(Status::denied(hook_name, &why)),
                Admission::Fail(why) => return Err(call(&format!("failed to call webhook: {why}"))),
                Admission::TimeOut => return Err(call("failed to call webhook: context deadline exceeded")),
            }
        }
        Ok(object)
    }
}

/// What a write is about.
pub(crate) struct Asked<'a> {
    pub(crate) resource: &'a Resource,
    pub(crate) subresource: &'a str,
    pub(crate) dry_run: bool,
}
