//! The body of a watch, line by line.

use bytes::{Bytes, BytesMut};
use fleet_core::{Fault, Remedy};
use http_body_util::BodyExt as _;
use kube::client::Body;

use super::super::transport;

/// An open watch.
pub(super) struct Feed {
    body: Body,
    held: BytesMut,
    /// How much of `held` is known to have no end of a line.
    searched: usize,
    line_bytes_max: usize,
}

impl Feed {
    pub(super) fn new(body: Body, line_bytes_max: usize) -> Self {
        Self {
            body,
            held: BytesMut::new(),
            searched: 0,
            line_bytes_max,
        }
    }

    /// The next line; none when the server ended the watch. May be dropped and called again.
    pub(super) async fn line(&mut self) -> Result<Option<Bytes>, Fault> {
        loop {
            if let Some(at) = self.held[self.searched..].iter().position(|byte| *byte == b'\n') {
                let line = self.held.split_to(self.searched + at + 1).freeze();
                self.searched = 0;
                if line.iter().all(u8::is_ascii_whitespace) {
                    continue;
                }
                return Ok(Some(line));
            }
            self.searched = self.held.len();
            if self.searched > self.line_bytes_max {
                let max = self.line_bytes_max;
                let message = format!("an event of the watch is larger than {max} bytes (body_bytes_max)");
                return Err(Fault::new(Remedy::Invalid, message));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.held.extend_from_slice(&data);
                    }
                }
                Some(Err(error)) => return Err(transport::broken(error).fault()),
                // Half a line at the end was cut off, and comes again after resuming.
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(chunks: &[&'static str]) -> Body {
        Body::from(chunks.concat().into_bytes())
    }

    #[tokio::test]
    async fn lines_are_cut_and_limited() {
        let mut feed = Feed::new(body(&["one\n", "\n", "two\nth"]), 100);
        assert_eq!(feed.line().await.unwrap().as_deref(), Some(&b"one\n"[..]));
        assert_eq!(feed.line().await.unwrap().as_deref(), Some(&b"two\n"[..]));
        assert!(feed.line().await.unwrap().is_none(), "half a line is no event");
        let mut feed = Feed::new(body(&["a long line without an end"]), 10);
        assert!(feed.line().await.unwrap_err().message.contains("10 bytes"));
    }
}
