//! Refusals, in the words of a real server (`apimachinery/pkg/api/errors/errors.go`).

use std::fmt;

use serde_json::{Value, json};

/// What a server says instead of an object: a `Status` of failure.
#[derive(Clone, Debug)]
pub(crate) struct Status {
    pub(crate) code: u16,
    pub(crate) reason: &'static str,
    pub(crate) message: String,
    /// What it is about, and causes one by one.
    pub(crate) details: Value,
}

/// What a refusal is about: plural and group of a resource, as messages name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct About<'a> {
    pub(crate) group: &'a str,
    /// Plural, or kind where a message speaks of a kind.
    pub(crate) resource: &'a str,
    /// Empty for collections.
    pub(crate) name: &'a str,
}

impl fmt::Display for About<'_> {
    /// `deployments.apps "web"`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.resource)?;
        if !self.group.is_empty() {
            write!(f, ".{}", self.group)?;
        }
        if self.name.is_empty() {
            Ok(())
        } else {
            write!(f, " {:?}", self.name)
        }
    }
}

impl About<'_> {
    fn details(&self) -> Value {
        let mut details = json!({"kind": self.resource});
        for (key, text) in [("name", self.name), ("group", self.group)] {
            if !text.is_empty() {
                details[key] = text.into();
            }
        }
        details
    }
}

impl Status {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason,
            message: message.into(),
            details: Value::Null,
        }
    }

    fn about(mut self, about: About<'_>) -> Self {
        self.details = about.details();
        self
    }

    fn causes(mut self, causes: Vec<Value>) -> Self {
        if self.details.is_null() {
            self.details = json!({});
        }
        self.details["causes"] = causes.into();
        self
    }

    /// There is no such object.
    pub(crate) fn not_found(about: About<'_>) -> Self {
        Self::new(404, "NotFound", format!("{about} not found")).about(about)
    }

    /// There is no such path.
    pub(crate) fn no_such_path() -> Self {
        let mut status = Self::new(
            404,
            "NotFound",
            "the server could not find the requested resource",
        );
        status.details = json!({});
        status
    }

    /// There is one of that name already, which may be about to go.
    pub(crate) fn already_exists(about: About<'_>, is_going: bool) -> Self {
        let going = if is_going { "object is being deleted: " } else { "" };
        Self::new(409, "AlreadyExists", format!("{going}{about} already exists")).about(about)
    }

    /// The object has changed since it was read.
    pub(crate) fn modified(about: About<'_>) -> Self {
        Self::conflict(
            about,
            "the object has been modified; please apply your changes to the latest version and try again",
        )
    }

    /// The object is not as it is said to be.
    pub(crate) fn conflict(about: About<'_>, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {about}: {why}");
        Self::new(409, "Conflict", message).about(about)
    }

    /// Others own fields that are applied.
    pub(crate) fn owned_by_others(message: String, causes: Vec<Value>) -> Self {
        Self::new(409, "Conflict", message).causes(causes)
    }

    /// Not as its type or its rules want it: fields, each with what is wrong.
    pub(crate) fn invalid(about: About<'_>, problems: &[(String, String)]) -> Self {
        let one = |(field, problem): &(String, String)| match &**field {
            "" => problem.clone(),
            field => format!("{field}: {problem}"),
        };
        let all: Vec<String> = problems.iter().map(one).collect();
        let text = match &all[..] {
            [only] => only.clone(),
            all => format!("[{}]", all.join(", ")),
        };
        let cause = |(field, problem): &(String, String)| json!({"reason": "FieldValueInvalid", "message": problem, "field": field});
        let causes = problems.iter().map(cause).collect();
        Self::new(422, "Invalid", format!("{about} is invalid: {text}"))
            .about(about)
            .causes(causes)
    }

    /// What was sent makes sense, and cannot be done to what is there.
    pub(crate) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new(422, "Invalid", message)
    }

    /// What was sent makes no sense.
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// Allowed to nobody.
    pub(crate) fn forbidden(about: About<'_>, why: &str) -> Self {
        Self::new(403, "Forbidden", format!("{about} is forbidden: {why}")).about(about)
    }

    /// Admission does not want it (`apiserver/pkg/admission/plugin/webhook/errors/statuserror.go`).
    pub(crate) fn denied(hook: &str, why: &str) -> Self {
        let message = format!("admission webhook {hook:?} denied the request: {why}");
        Self::new(403, "Forbidden", message)
    }

    /// Nothing is made in a namespace that goes.
    pub(crate) fn terminating(about: About<'_>, namespace: &str) -> Self {
        let why =
            format!("unable to create new content in namespace {namespace} because it is being terminated");
        let cause = json!({"reason": "NamespaceTerminating",
            "message": format!("namespace {namespace} is being terminated"), "field": "metadata.namespace"});
        Self::forbidden(about, &why).causes(vec![cause])
    }

    /// The resource does not take this method.
    pub(crate) fn method_not_allowed() -> Self {
        let message = "the server does not allow this method on the requested resource";
        let mut status = Self::new(405, "MethodNotAllowed", message);
        status.details = json!({});
        status
    }

    /// The body is of a type that is not taken.
    pub(crate) fn unsupported(taken: &[&str]) -> Self {
        let message = format!(
            "the body of the request was in an unknown format - accepted media types include: {}",
            taken.join(", ")
        );
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// The revision is no longer kept.
    pub(crate) fn expired(message: impl Into<String>) -> Self {
        Self::new(410, "Expired", message)
    }

    /// The revision is yet to come.
    pub(crate) fn too_large(asked: u64, now: u64) -> Self {
        let message = format!("Too large resource version: {asked}, current: {now}");
        let cause = json!({"reason": "ResourceVersionTooLarge", "message": "Too large resource version"});
        let mut status = Self::new(504, "Timeout", message).causes(vec![cause]);
        status.details["retryAfterSeconds"] = 1.into();
        status
    }

    /// The body has more bytes than are taken.
    pub(crate) fn body_too_large(limit: usize) -> Self {
        let message = format!("Request entity too large: limit is {limit}");
        Self::new(413, "RequestEntityTooLarge", message)
    }

    /// A new object says which version it is of: an error that no one has given a better code.
    pub(crate) fn has_version() -> Self {
        Self::new(
            500,
            "",
            "resourceVersion should not be set on objects to be created",
        )
    }

    /// The server itself cannot go on.
    pub(crate) fn internal(why: impl fmt::Display) -> Self {
        let message = format!("Internal error occurred: {why}");
        let cause = json!({"message": why.to_string()});
        Self::new(500, "InternalError", message).causes(vec![cause])
    }

    /// As it is sent.
    pub(crate) fn to_json(&self) -> Value {
        let mut body = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "code": self.code,
        });
        if !self.reason.is_empty() {
            body["reason"] = self.reason.into();
        }
        if !self.details.is_null() {
            body["details"] = self.details.clone();
        }
        body
    }
}

/// What a delete says when the object is gone at once.
pub(crate) fn deleted(about: About<'_>, uid: &str) -> Value {
    let mut details = about.details();
    details["uid"] = uid.into();
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_resource_group_and_name() {
        let about = About {
            group: "apps",
            resource: "deployments",
            name: "web",
        };
        let status = Status::not_found(about);
        assert_eq!(status.message, "deployments.apps \"web\" not found");
        assert_eq!(
            status.to_json()["details"],
            json!({"name": "web", "group": "apps", "kind": "deployments"})
        );
        let invalid = Status::invalid(about, &[(".spec".to_owned(), "Required value".to_owned())]);
        assert_eq!(
            invalid.message,
            "deployments.apps \"web\" is invalid: .spec: Required value"
        );
    }
}
