//! Single requests, from code that cannot wait otherwise.

use std::thread;

use bytes::Bytes;
use http::Request;
use http_body_util::BodyExt as _;
use kube::Client;
use kube::client::Body;
use serde_json::Value;

use super::{Cluster, Way};
use crate::error::{Error, Result};
use crate::user::User;

/// What a server answers.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// HTTP status.
    pub code: u16,
    /// The object, list or `Status`; null where the answer is no JSON.
    pub body: Value,
}

impl Said {
    pub(super) fn new(code: u16, bytes: &[u8]) -> Self {
        Self {
            code,
            body: serde_json::from_slice(bytes).unwrap_or(Value::Null),
        }
    }

    /// Whether it was done.
    pub fn is_ok(&self) -> bool {
        self.code < 300
    }

    /// The answer, or what the server said against it.
    ///
    /// # Errors
    /// When it was refused: code and message.
    pub fn ok(self) -> std::result::Result<Value, String> {
        match self.is_ok() {
            true => Ok(self.body),
            false => Err(format!(
                "{} {}",
                self.code,
                self.body["message"].as_str().unwrap_or("")
            )),
        }
    }
}

impl Cluster {
    /// Sends a request as a user, and blocks until it is answered. A body is JSON unless it is said otherwise with
    /// `content_type`; null is no body.
    ///
    /// # Errors
    /// When there is no answer.
    pub fn ask(
        &self,
        user: User,
        method: &str,
        path: &str,
        content_type: &str,
        body: &Value,
    ) -> Result<Said> {
        let bytes = match body {
            Value::Null => Bytes::new(),
            body => body.to_string().into(),
        };
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content_type)
            .header("user-agent", format!("{}/1", user.as_str()))
            .body(bytes)
            .map_err(|error| self.unreachable(&error))?;
        if let Way::InProcess(simulated) = &self.way {
            return Ok(simulated.ask(user, &request));
        }
        // The caller may be on a runtime, and a runtime does not wait on another one.
        let asked = thread::scope(|scope| scope.spawn(|| self.ask_there(user, request)).join());
        asked.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    fn ask_there(&self, user: User, request: Request<Bytes>) -> Result<Said> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(Error::io("start a runtime"))?;
        runtime.block_on(async {
            let client = self.client(user).await?;
            ask(&client, request)
                .await
                .map_err(|error| self.unreachable(&error))
        })
    }
}

/// Sends a request, and waits for all of its answer.
///
/// # Errors
/// When there is no answer.
pub(crate) async fn ask(client: &Client, request: Request<Bytes>) -> std::result::Result<Said, kube::Error> {
    let request = request.map(|body| Body::from(body.to_vec()));
    let (head, body) = client.send(request).await?.into_parts();
    let bytes = body.collect().await?.to_bytes();
    Ok(Said::new(head.status.as_u16(), &bytes))
}
