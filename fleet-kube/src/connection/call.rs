//! One request: limits, timeouts, and tries within a time.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use fleet_core::{Fault, Millis, Remedy};
use http::{
    HeaderMap, Request, Response,
    header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER},
};
use http_body_util::BodyExt as _;
use kube::client::Body;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{
    Connection, Verb,
    limits::millis,
    refusal::Refusal,
    reply::{Broken, Call, Reply},
    transport,
};

impl Connection {
    /// Sends a request, again if that is safe and there is time, and returns the last answer.
    ///
    /// A read is repeated when nothing came back or the server was busy or out of order; a write only when the
    /// server certainly did not do it.
    pub(crate) async fn call(&self, call: &Call) -> Result<Reply, Broken> {
        let shared = &*self.shared;
        let last_start = Instant::now() + shared.options.retry_time_max;
        let mut tries = 0;
        loop {
            tries += 1;
            if call.write {
                // Boxed, because the check makes calls itself. What is sent again may meet another cluster.
                Box::pin(self.check_write()).await.map_err(Broken::NotSent)?;
            }
            let outcome = self.try_once(call).await;
            let Again::After(asked) = self.again(call, &outcome) else {
                return outcome;
            };
            let options = &shared.options;
            let backoff = shared
                .random
                .backoff(options.retry_base, options.retry_delay_max, tries);
            let wait = asked.map_or(backoff, |asked| Duration::from_millis(asked.0) + backoff);
            if Instant::now() + wait > last_start {
                return outcome;
            }
            tracing::debug!(cluster = %shared.cluster, target = %call.target, tries, "tried again");
            sleep(wait).await;
            shared.contact.retried();
        }
    }

    /// As [`call`](Self::call), where anything but a success is a fault.
    pub(crate) async fn fetch(&self, call: &Call) -> Result<Bytes, Fault> {
        let reply = self.call(call).await.map_err(Broken::fault)?;
        if reply.is_success() {
            Ok(reply.body)
        } else {
            Err(Refusal::of(&reply).fault())
        }
    }

    async fn try_once(&self, call: &Call) -> Result<Reply, Broken> {
        let _permit = self.shared.limits.enter().await.map_err(Broken::NotSent)?;
        let limit = self.shared.options.call_timeout;
        let deadline = Instant::now() + limit;
        let response = self.head(call, deadline).await?;
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let collected = timeout_at(deadline, self.collect(response))
            .await
            .unwrap_or_else(|_| {
                let limit = millis(limit);
                Err(Fault::new(
                    Remedy::Unreachable,
                    format!("the answer was not complete within {limit} (call_timeout)"),
                ))
            });
        match collected {
            Ok(body) => {
                let reply = Reply {
                    status,
                    retry_after,
                    body,
                };
                self.note_contact(call, &reply);
                Ok(reply)
            }
            Err(fault) => {
                self.shared.contact.failed(&fault);
                Err(Broken::Lost(fault))
            }
        }
    }

    /// Sends, and waits for the head of the answer.
    pub(crate) async fn head(&self, call: &Call, deadline: Instant) -> Result<Response<Body>, Broken> {
        let request = self.request(call).map_err(Broken::NotSent)?;
        let limit = self.shared.options.head_timeout;
        self.shared.contact.sent(call.verb);
        let head = timeout_at(deadline, timeout(limit, self.shared.client.send(request))).await;
        let broken = match head {
            Ok(Ok(Ok(response))) => return Ok(response),
            Ok(Ok(Err(error))) => transport::broken(error),
            Ok(Err(_)) | Err(_) => {
                let message = format!("no answer within {} (head_timeout)", millis(limit));
                Broken::Lost(Fault::new(Remedy::Unreachable, message))
            }
        };
        let (Broken::NotSent(fault) | Broken::Lost(fault)) = &broken;
        self.shared.contact.failed(fault);
        Err(broken)
    }

    fn request(&self, call: &Call) -> Result<Request<Body>, Fault> {
        let mut builder = Request::builder()
            .method(&call.method)
            .uri(&call.target)
            .header(ACCEPT, call.accept);
        if let Some(content_type) = call.content_type {
            builder = builder.header(CONTENT_TYPE, content_type);
        }
        if call.verb == Verb::Watch {
            // Newer servers compress each event on its own, which common decoders do not follow.
            builder = builder.header(ACCEPT_ENCODING, "identity");
        }
        let mut request = builder
            .body(Body::from(call.body.clone()))
            .map_err(|error| Fault::new(Remedy::Bug, format!("cannot be sent: {error}")))?;
        request.headers_mut().extend((*self.headers).clone());
        Ok(request)
    }

    /// Reads a body, up to the limit.
    pub(crate) async fn collect(&self, response: Response<Body>) -> Result<Bytes, Fault> {
        let max = self.shared.options.body_bytes_max;
        let mut body = response.into_body();
        let mut whole = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| transport::broken(error).fault())?;
            let Ok(data) = frame.into_data() else { continue };
            if whole.len() + data.len() > max {
                let message = format!("the answer is larger than {max} bytes (body_bytes_max)");
                return Err(Fault::new(Remedy::Invalid, message));
            }
            whole.extend_from_slice(&data);
        }
        Ok(whole.freeze())
    }

    fn again(&self, call: &Call, outcome: &Result<Reply, Broken>) -> Again {
        let (safe, asked) = match outcome {
            Err(Broken::NotSent(fault)) => (fault.remedy == Remedy::Unreachable, None),
            Err(Broken::Lost(fault)) => (!call.write && fault.remedy == Remedy::Unreachable, None),
            Ok(reply) => {
                let safe = match reply.status {
                    429 => true,
                    503 => !call.write || reply.retry_after.is_some(),
                    502 | 504 => !call.write,
                    // A dry run's 500 is about its object.
                    500 => !call.write && call.body.is_empty(),
                    403 => {
                        let grace = self.shared.options.recovery_grace;
                        self.shared.contact.has_just_recovered(grace)
                            && Refusal::of(reply).fault().remedy == Remedy::Forbidden
                    }
                    _ => false,
                };
                (safe, reply.retry_after)
            }
        };
        if safe { Again::After(asked) } else { Again::No }
    }

    /// Keeps the books: see [`Contact`](super::Contact) for what counts.
    pub(crate) fn note_contact(&self, call: &Call, reply: &Reply) {
        if reply.status == 429 {
            return;
        }
        let refusal = || (!reply.is_success()).then(|| Refusal::of(reply).fault());
        match refusal() {
            Some(fault) if reply.status == 401 || fault.remedy == Remedy::Unreachable => {
                // Words about what was sent may quote it, and here nobody knows whether it is secret.
                let message = format!("the server answered with status {}", reply.status);
                let fault = if call.body.is_empty() {
                    fault
                } else {
                    Fault::new(fault.remedy, message).code(reply.status)
                };
                self.shared.contact.failed(&fault);
            }
            _ => self.shared.contact.answered(),
        }
    }
}

/// Whether to try again.
enum Again {
    No,
    /// After the wait the server asked for, if it did.
    After(Option<Millis>),
}

/// The header's seconds. Its other form, a date, is not used by API servers.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Millis> {
    headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()
        .map(Millis::from_secs)
}
