//! Answers as HTTP.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::Value;

/// An open watch of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WatchId(pub(crate) u64);

/// What a request leads to.
#[derive(Debug)]
pub enum Answer {
    /// All of it.
    Done(Response<Bytes>),
    /// The head of a stream; its events are taken with [`Server::events`](crate::Server::events).
    Watch(Response<()>, WatchId),
}

pub(super) fn json(code: u16, content_type: &str, value: &Value) -> Response<Bytes> {
    let mut body = value.to_string();
    body.push('\n');
    head(code, content_type).map(|()| body.into())
}

pub(super) fn text(text: &'static str) -> Response<Bytes> {
    head(200, "text/plain; charset=utf-8").map(|()| Bytes::from_static(text.as_bytes()))
}

pub(super) fn head(code: u16, content_type: &str) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() =
        http::StatusCode::from_u16(code).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(value) = HeaderValue::from_str(content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
}

/// Adds what is to be told beside the answer (`apimachinery/pkg/util/net/http.go`, `NewWarningHeader`).
pub(super) fn warn(response: &mut Response<Bytes>, warnings: &[String]) {
    for warning in warnings {
        if let Ok(value) = HeaderValue::from_str(&format!("299 - {warning:?}")) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
}
