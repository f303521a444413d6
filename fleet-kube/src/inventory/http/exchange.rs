//! One question to a server: what is sent, what is followed, and what counts as an answer.

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode, Uri, header};
use http_body_util::Empty;

use super::{HttpLimits, access::Ready, body::Page, url};
use crate::connection::{millis, words};

/// Headers that are not for users to set.
pub(super) const OWN_HEADERS: [HeaderName; 8] = [
    header::HOST,
    header::CACHE_CONTROL,
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::IF_NONE_MATCH,
    header::TRANSFER_ENCODING,
];

/// What names the state of one address.
#[derive(Clone)]
pub(super) struct Tag {
    url: Uri,
    value: HeaderValue,
}

/// An answer.
pub(super) enum Fetched {
    Page(Box<Page>),
    /// As it was when the tag was given.
    Same,
}

/// Why there is none.
#[derive(Clone, Debug)]
pub(super) struct Wrong {
    url: String,
    why: String,
}

impl Wrong {
    pub(super) fn new(url: &Uri, why: String) -> Self {
        Self {
            url: url::shown(url),
            why,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.url, self.why)
    }
}

/// One question.
pub(super) struct Exchange<'a> {
    pub(super) ready: &'a Ready,
    pub(super) limits: &'a HttpLimits,
    /// Of what is remembered.
    pub(super) tag: Option<&'a Tag>,
}

/// What came of one request.
enum Step {
    Done(Fetched),
    Follow(Uri),
}

impl Exchange<'_> {
    /// Asks, and follows redirects.
    pub(super) async fn fetch(&self, first: Uri) -> Result<Fetched, Wrong> {
        let limit = self.limits.total_timeout;
        let late = |_| {
            let why = format!("no whole answer within {} (total_timeout)", millis(limit));
            Wrong::new(&first, why)
        };
        tokio::time::timeout(limit, self.follow(&first))
            .await
            .map_err(late)?
    }

    async fn follow(&self, first: &Uri) -> Result<Fetched, Wrong> {
        let mut url = first.clone();
        for _ in 0..=self.limits.redirects_max {
            let step = self.step(first, &url).await;
            match step.map_err(|why| Wrong::new(&url, why))? {
                Step::Done(fetched) => return Ok(fetched),
                Step::Follow(next) => url = next,
            }
        }
        let why = format!(
            "redirects more than {} times (redirects_max)",
            self.limits.redirects_max
        );
        Err(Wrong::new(first, why))
    }

    async fn step(&self, first: &Uri, url: &Uri) -> Result<Step, String> {
        let tag = self.tag.filter(|tag| tag.url == *url);
        let mut request = Request::new(Empty::<Bytes>::new());
        *request.uri_mut() = url.clone();
        let headers = request.headers_mut();
        let is_meant = url::same_server(first, url);
        if is_meant {
            headers.clone_from(&self.ready.headers);
        }
        headers.insert(
            header::ACCEPT,
            HeaderValue::from_static("application/json, application/yaml;q=0.9"),
        );
        headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        // What a cache on the way has may be older than what was answered last.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Some(tag) = tag {
            headers.insert(header::IF_NONE_MATCH, tag.value.clone());
        }
        let answer = self.ready.send(url, is_meant, request)?;
        let head = tokio::time::timeout(self.limits.head_timeout, answer).await;
        let late = |_| {
            format!(
                "no answer within {} (head_timeout)",
                millis(self.limits.head_timeout)
            )
        };
        let answer = head.map_err(late)?;
        let answer = answer.map_err(|error| format!("no answer: {}", words(&error)))?;
        let (head, body) = answer.into_parts();
        match head.status {
            StatusCode::OK => {
                let tag = given(url, &head.headers);
                let page = Page::read(url.clone(), tag, &head.headers, body, self.limits).await?;
                Ok(Step::Done(Fetched::Page(Box::new(page))))
            }
            StatusCode::NOT_MODIFIED => match tag {
                None => Err("answers 304, and nothing is remembered".to_owned()),
                Some(tag) if given(url, &head.headers).is_some_and(|given| !given.names_the_same(tag)) => {
                    Err("answers 304, and with another `ETag` than the one remembered".to_owned())
                }
                Some(_) => Ok(Step::Done(Fetched::Same)),
            },
            StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT => {
                let location = head.headers.get(header::LOCATION);
                let location = location.and_then(|value| value.to_str().ok()).unwrap_or_default();
                let next = url::redirect(url, location);
                next.map(Step::Follow)
                    .map_err(|why| format!("redirects ({}), and the target {why}", head.status.as_u16()))
            }
            status => Err(format!("answers {status}")),
        }
    }
}

fn given(url: &Uri, headers: &HeaderMap) -> Option<Tag> {
    let value = headers
        .get(header::ETAG)
        .filter(|value| is_tag(value.as_bytes()))?;
    Some(Tag {
        url: url.clone(),
        value: value.clone(),
    })
}

/// Whether it is one by RFC 9110, section 8.8.3: servers take others for any tag, or for none.
fn is_tag(value: &[u8]) -> bool {
    let value = value.strip_prefix(b"W/").unwrap_or(value);
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""));
    inner.is_some_and(|inner| inner.iter().all(|byte| !matches!(byte, 0..=b' ' | b'"' | 0x7f)))
}

impl Tag {
    /// By the weak comparison (RFC 9110, section 8.8.3.2).
    fn names_the_same(&self, other: &Self) -> bool {
        let strong = |tag: &Self| {
            let bytes = tag.value.as_bytes();
            bytes.strip_prefix(b"W/").unwrap_or(bytes).to_vec()
        };
        strong(self) == strong(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_quoted() {
        for (value, is) in [
            ("\"1\"", true),
            ("W/\"a-b\"", true),
            ("\"\"", true),
            ("1", false),
            ("*", false),
            ("\"", false),
            ("\"1\", \"2\"", false),
            ("w/\"1\"", false),
        ] {
            assert_eq!(is_tag(value.as_bytes()), is, "{value}");
        }
    }
}
