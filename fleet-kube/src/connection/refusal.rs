//! What a server's refusal means: status code and body in, [`Fault`] out.

use fleet_core::{Fault, FieldConflict, Millis, Remedy};
use serde::Deserialize;

use super::reply::Reply;

/// Longest message taken from an answer, in bytes.
const MESSAGE_BYTES_MAX: usize = 4096;

/// A refusal as the server words it: a `Status` where there is one, else what can be made of the body.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    /// The `Status` reason, such as `NotFound`; empty when there is none.
    pub(crate) reason: String,
    pub(crate) message: String,
    /// What the `Status` is about; empty when it does not say.
    pub(crate) kind: String,
    pub(crate) name: String,
    causes: Vec<Cause>,
    /// True when the body is a `Status`, thus from the API server itself.
    pub(crate) is_status: bool,
    retry_after: Option<Millis>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Status {
    kind: Option<String>,
    reason: Option<String>,
    message: Option<String>,
    code: Option<u16>,
    details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Details {
    name: Option<String>,
    kind: Option<String>,
    causes: Option<Vec<Cause>>,
    retry_after_seconds: Option<u64>,
}

#[derive(Deserialize, Default, Debug)]
#[serde(default)]
struct Cause {
    reason: Option<String>,
    message: Option<String>,
    field: Option<String>,
}

impl Refusal {
    /// From an answer that is not a success.
    pub(crate) fn of(reply: &Reply) -> Self {
        match serde_json::from_slice::<Status>(&reply.body) {
            Ok(status) if status.kind.as_deref() == Some("Status") => {
                Self::of_status(status, reply.status, reply.retry_after)
            }
            _ => Self {
                code: reply.status,
                message: plain_text(&reply.body),
                retry_after: reply.retry_after,
                ..Self::default()
            },
        }
    }

    /// From the object of an `ERROR` event in a watch.
    pub(crate) fn of_event(object: serde_json::Value) -> Self {
        let status = Status::deserialize(object).unwrap_or_default();
        let code = status.code.unwrap_or(500);
        Self::of_status(status, code, None)
    }

    fn of_status(status: Status, code: u16, retry_after: Option<Millis>) -> Self {
        let details = status.details.unwrap_or_default();
        let mut message = status.message.unwrap_or_default();
        shorten(&mut message);
        Self {
            code,
            reason: status.reason.unwrap_or_default(),
            message,
            kind: details.kind.unwrap_or_default(),
            name: details.name.unwrap_or_default(),
            causes: details.causes.unwrap_or_default(),
            is_status: true,
            retry_after: retry_after.or(details.retry_after_seconds.map(Millis::from_secs)),
        }
    }

    /// True for a 404 that names the object or namespace that is missing, not the kind.
    pub(crate) fn names_an_object(&self) -> bool {
        self.code == 404 && self.reason == "NotFound" && !self.name.is_empty()
    }

    /// True when the state asked for is older or newer than what the server holds: begin again from a fresh list.
    pub(crate) fn is_out_of_history(&self) -> bool {
        self.code == 410
            || matches!(self.reason.as_str(), "Expired" | "Gone")
            || self.caused_by("ResourceVersionTooLarge")
    }

    fn caused_by(&self, reason: &str) -> bool {
        self.causes
            .iter()
            .any(|cause| cause.reason.as_deref() == Some(reason))
    }

    /// True when the refusal finds fault with this field.
    pub(crate) fn names_field(&self, field: &str) -> bool {
        self.causes
            .iter()
            .any(|cause| cause.field.as_deref() == Some(field))
    }

    /// True when no field is at fault: what was sent could not be carried out on the object as it is.
    pub(crate) fn finds_no_field(&self) -> bool {
        self.causes
            .iter()
            .all(|cause| cause.field.as_deref().is_none_or(str::is_empty))
    }

    /// True when a write so answered may have been carried out all the same.
    pub(crate) fn leaves_outcome_open(&self) -> bool {
        match self.code {
            408 | 502 | 504 => true,
            503 => self.retry_after.is_none() && self.message != NO_BACKEND,
            500 => {
                !self.is_status
                    || matches!(self.reason.as_str(), "ServerTimeout" | "Timeout")
                    || (has_any(&self.message, STORAGE_WORDS)
                        && !has_any(&self.message, STORAGE_REFUSED_WORDS)
                        && !self.is_of_a_webhook())
            }
            _ => false,
        }
    }

    /// A webhook failed, before anything was stored.
    fn is_of_a_webhook(&self) -> bool {
        has_any(&self.message, ADMISSION_FAILED_WORDS) || has_any(&self.message, CONVERSION_FAILED_WORDS)
    }

    /// What the caller can do about it.
    fn remedy(&self) -> Remedy {
        // Admission that fails closed is the cluster's policy too: one object waits for it, nothing else does.
        let said = |words| has_any(&self.message, words);
        if matches!(self.code, 400 | 403 | 422 | 500) && (said(POLICY_WORDS) || said(ADMISSION_FAILED_WORDS))
        {
            return Remedy::Policy;
        }
        match self.code {
            403 if self.caused_by("NamespaceTerminating") => Remedy::Retry,
            403 if has_any(&self.message, NOT_YET_WORDS) => Remedy::Retry,
            403 if has_any(&self.message, LIMIT_WORDS) => Remedy::Policy,
            401 | 403 => Remedy::Forbidden,
            404 if self.names_an_object() && self.kind == "namespaces" => Remedy::Invalid,
            404 if self.names_an_object() => Remedy::Retry,
            404 => Remedy::KindUnknown,
            406 | 415 => Remedy::Bug,
            409 => Remedy::Conflict,
            410 | 429 => Remedy::Retry,
            500 => self.remedy_of_500(),
            // From the API server or its aggregator: one resource is out of order. Otherwise a gateway before it.
            502..=504 if self.is_status || self.message == NO_BACKEND => Remedy::Retry,
            300..=399 | 408 | 501..=599 => Remedy::Unreachable,
            // 400, 405, 413, 422 and whatever else finds fault with the request.
            _ => Remedy::Invalid,
        }
    }

    fn remedy_of_500(&self) -> Remedy {
        let permanent = has_any(&self.message, PERMANENT_WORDS) && !self.is_of_a_webhook();
        if permanent { Remedy::Invalid } else { Remedy::Retry }
    }

    /// As a fault.
    pub(crate) fn fault(&self) -> Fault {
        let message = match (self.code, self.message.as_str()) {
            (401, words) => format!("the cluster refused the credentials: {}", or_nothing(words)),
            (404, words) if !self.names_an_object() => {
                format!("the cluster does not serve this kind: {}", or_nothing(words))
            }
            (300..=399, _) => "the server redirects elsewhere: is this a Kubernetes API server?".to_owned(),
            (_, words) => or_nothing(words).to_owned(),
        };
        Fault::new(self.remedy(), message)
            .code(self.code)
            .retry_after(self.retry_after)
            .conflicts(self.conflicts())
    }

    fn conflicts(&self) -> Vec<FieldConflict> {
        let causes = self
            .causes
            .iter()
            .filter(|c| c.reason.as_deref() == Some("FieldManagerConflict"));
        causes
            .map(|cause| {
                let manager = cause
                    .message
                    .as_deref()
                    .and_then(first_quoted)
                    .unwrap_or_default();
                FieldConflict::new(manager, cause.field.as_deref().unwrap_or_default())
            })
            .collect()
    }
}

/// What the aggregator says, in plain text, when no server stands behind a group: nothing was passed on.
const NO_BACKEND: &str = "service unavailable";

/// Policies of the cluster, however their refusal is coded.
const POLICY_WORDS: &[&str] = &[
    "denied the request",
    "denied request",
    "violates PodSecurity",
    "exceeded quota",
    "failed quota",
];

/// A `LimitRange`'s refusals.
const LIMIT_WORDS: &[&str] = &[
    "maximum cpu",
    "maximum memory",
    "maximum storage",
    "minimum cpu",
    "minimum memory",
    "minimum storage",
];

/// What a namespace's controllers have yet to make.
const NOT_YET_WORDS: &[&str] = &[
    "error looking up service account",
    "no API token found for service account",
    "status unknown for quota",
];

/// An admission webhook, or the network before it, failed: it may be up again later.
const ADMISSION_FAILED_WORDS: &[&str] = &[
    "failed calling webhook",
    "failed to call webhook",
    "error calling webhook",
];

/// A conversion webhook likewise.
const CONVERSION_FAILED_WORDS: &[&str] = &["conversion webhook for"];

/// Refusals of a definition that come as a 500.
const PERMANENT_WORDS: &[&str] = &[
    "failed to create typed patch object",
    "failed to create typed live object",
    "failed to create manager for existing fields",
    "failed to convert",
    "unable to convert",
    "cannot unmarshal",
    "range is full",
    "strict decoding error",
];

/// The store behind the API server, or the way to it, failed half-way.
const STORAGE_WORDS: &[&str] = &[
    "etcdserver:",
    "rpc error:",
    "context deadline exceeded",
    "context canceled",
    "transport is closing",
    "connection reset",
    "unexpected EOF",
    "caused apiserver to panic",
];

/// The store said no.
const STORAGE_REFUSED_WORDS: &[&str] = &[
    "database space exceeded",
    "request is too large",
    "too many requests",
];

fn has_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

fn or_nothing(words: &str) -> &str {
    if words.is_empty() { "no message" } else { words }
}

/// What can be shown of a body that is not JSON.
fn plain_text(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MESSAGE_BYTES_MAX)]);
    let text = text.trim();
    if text.starts_with('<') {
        return "the answer is an HTML page: is this a Kubernetes API server?".to_owned();
    }
    let mut text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    shorten(&mut text);
    text
}

fn shorten(text: &mut String) {
    if text.len() > MESSAGE_BYTES_MAX {
        let end = (0..=MESSAGE_BYTES_MAX)
            .rev()
            .find(|end| text.is_char_boundary(*end))
            .unwrap_or(0);
        text.truncate(end);
        text.push_str(" …");
    }
}

/// The first text in double quotes, escapes undone.
fn first_quoted(text: &str) -> Option<String> {
    let start = text.find('"')?;
    let mut escaped = false;
    let end = text[start + 1..].find(|c| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes
    })?;
    let quoted = &text[start..=start + 1 + end];
    Some(serde_json::from_str(quoted).unwrap_or_else(|_| quoted.trim_matches('"').to_owned()))
}
