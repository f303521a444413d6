//! The body of a watch.

use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use fleet_sim::WatchId;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use tokio::sync::watch;

use super::{AnyBody, Inner, timestamp};

/// How often a watch looks whether it is its time for a bookmark, or its end.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// An open watch; dropping it closes it.
pub(super) struct Feed {
    inner: Arc<Inner>,
    id: WatchId,
    changes: watch::Receiver<()>,
    over: bool,
}

impl Feed {
    pub(super) fn new(inner: Arc<Inner>, id: WatchId, changes: watch::Receiver<()>) -> Self {
        Self {
            inner,
            id,
            changes,
            over: false,
        }
    }

    pub(super) fn into_body(self) -> AnyBody {
        let frames = futures_util::stream::unfold(self, |mut feed| async {
            let lines = feed.next().await?;
            Some((Ok::<_, Infallible>(Frame::data(lines)), feed))
        });
        StreamBody::new(frames).boxed_unsync()
    }

    async fn next(&mut self) -> Option<Bytes> {
        while !self.over {
            self.inner.awake().await;
            self.changes.mark_unchanged();
            let events = self.inner.server().events(self.id, timestamp(self.inner.clock));
            self.over = events.over;
            if !events.lines.is_empty() {
                return Some(events.lines);
            }
            if !self.over {
                // The sender lives in `inner`.
                drop(tokio::time::timeout(LOOK_EVERY, self.changes.changed()).await);
            }
        }
        None
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.inner.server().close(self.id);
    }
}
