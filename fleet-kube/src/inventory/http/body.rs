//! Bodies: read with limits, unpacked with limits.

use std::io::Read as _;

use bytes::Bytes;
use http::{HeaderMap, Uri, header};
use http_body::Body;
use http_body_util::BodyExt as _;

use super::{HttpLimits, exchange::Tag};
use crate::connection::{millis, words};

/// A whole body, and what was said of it.
pub(super) struct Page {
    pub(super) url: Uri,
    pub(super) tag: Option<Tag>,
    content_type: String,
    encoding: Encoding,
    bytes: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Encoding {
    Plain,
    Gzip,
}

impl Page {
    /// Reads all of it.
    pub(super) async fn read(
        url: Uri,
        tag: Option<Tag>,
        headers: &HeaderMap,
        body: impl Body<Data = Bytes, Error: std::error::Error + 'static> + Unpin,
        limits: &HttpLimits,
    ) -> Result<Self, String> {
        let encoding = encoding(headers)?;
        if !shows_its_end(headers) {
            return Err("does not say how long its body is, so a cut one would pass for whole".to_owned());
        }
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.split(';').next())
            .filter(|text| text.len() <= 100)
            .unwrap_or_default();
        Ok(Self {
            url,
            tag,
            content_type: content_type.to_owned(),
            encoding,
            bytes: bytes(body, limits).await?,
        })
    }

    /// As text, unpacked to at most this many bytes.
    pub(super) fn text(&self, bytes_max: usize) -> Result<String, String> {
        let mut plain = Vec::new();
        match self.encoding {
            Encoding::Plain => plain.extend_from_slice(&self.bytes),
            Encoding::Gzip => {
                let limit = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
                let packed = flate2::read::MultiGzDecoder::new(self.bytes.as_slice());
                packed
                    .take(limit)
                    .read_to_end(&mut plain)
                    .map_err(|_| "its body is not whole and valid gzip".to_owned())?;
                if plain.len() > bytes_max {
                    return Err(too_large("its unpacked body", bytes_max));
                }
            }
        }
        let text = String::from_utf8(plain).map_err(|_| self.is_no_inventory("it is not UTF-8"))?;
        if text.trim().is_empty() {
            return Err("its body is empty".to_owned());
        }
        Ok(text)
    }

    /// Why it is not what was asked for.
    pub(super) fn is_no_inventory(&self, why: &str) -> String {
        let kind = match self.content_type.as_str() {
            "" => String::new(),
            kind => format!(" ({kind})"),
        };
        format!("its body{kind} is not an inventory: {why}")
    }
}

fn encoding(headers: &HeaderMap) -> Result<Encoding, String> {
    let mut found = headers.get_all(header::CONTENT_ENCODING).iter();
    match (found.next().map(|value| value.to_str()), found.next()) {
        (None, _) => Ok(Encoding::Plain),
        (Some(Ok(one)), None) if one.eq_ignore_ascii_case("identity") => Ok(Encoding::Plain),
        (Some(Ok(one)), None) if one.eq_ignore_ascii_case("gzip") || one.eq_ignore_ascii_case("x-gzip") => {
            Ok(Encoding::Gzip)
        }
        _ => Err("has a `Content-Encoding` other than `gzip`".to_owned()),
    }
}

/// Without a length or chunks the end of the connection is the end of the body, whatever caused it
/// (RFC 9112, section 6.3).
fn shows_its_end(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match codings.next_back() {
        None => headers.contains_key(header::CONTENT_LENGTH),
        Some(last) => last
            .to_str()
            .is_ok_and(|text| text.to_ascii_lowercase().trim_end().ends_with("chunked")),
    }
}

async fn bytes(
    mut body: impl Body<Data = Bytes, Error: std::error::Error + 'static> + Unpin,
    limits: &HttpLimits,
) -> Result<Vec<u8>, String> {
    let max = limits.body_bytes_max;
    if body.size_hint().lower() > u64::try_from(max).unwrap_or(u64::MAX) {
        return Err(too_large("its body", max));
    }
    let mut read = Vec::new();
    loop {
        let next = tokio::time::timeout(limits.idle_timeout, body.frame()).await;
        let frame = next.map_err(|_| {
            let limit = millis(limits.idle_timeout);
            format!(
                "its body broke off after {} bytes: nothing came for {limit} (idle_timeout)",
                read.len()
            )
        })?;
        match frame {
            None => return Ok(read),
            Some(Ok(frame)) => {
                let data = frame.into_data().unwrap_or_default();
                if read.len() + data.len() > max {
                    return Err(too_large("its body", max));
                }
                read.extend_from_slice(&data);
            }
            Some(Err(error)) => {
                return Err(format!(
                    "its body broke off after {} bytes: {}",
                    read.len(),
                    words(&error)
                ));
            }
        }
    }
}

fn too_large(what: &str, max: usize) -> String {
    format!("{what} has more than {max} bytes (body_bytes_max)")
}
