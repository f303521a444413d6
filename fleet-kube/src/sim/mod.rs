//! In-process clusters: a [`fleet_sim::Server`] behind a [`kube::Client`], without sockets.

mod feed;
mod fleet;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use fleet_core::Fault;
use fleet_sim::{Answer, Server, Settings};
use http_body_util::{BodyExt as _, Full, combinators::UnsyncBoxBody};
use jiff::Timestamp;
use kube::{Client, client::Body};
use tokio::sync::watch;

use crate::{Clock, Connection, ConnectionOptions};
use feed::Feed;
pub use fleet::SimFleet;

/// Of an answer: whole, or a stream of events.
type AnyBody = UnsyncBoxBody<Bytes, std::convert::Infallible>;

/// A cluster in this process. Cheap to clone; the cluster ends with its last clone, connection and watch.
///
/// ```
/// use fleet_kube::{ConnectionOptions, SimCluster};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let cluster = SimCluster::start(fleet_sim::Settings::default().seed(7));
/// let connection = cluster.connect(ConnectionOptions::default()).await?;
/// assert!(connection.server_version().starts_with("v1.36"));
/// # Ok::<(), Box<dyn std::error::Error>>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct SimCluster(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    server: Mutex<Server>,
    clock: Clock,
    /// Told whenever something may have changed.
    changed: watch::Sender<()>,
    frozen: watch::Sender<bool>,
}

impl SimCluster {
    /// Starts a cluster. Its time is the system's, moving with tokio's clock; its controllers work in a task of the
    /// runtime.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(settings: Settings) -> Self {
        let clock = Clock::system();
        let server = Server::new(settings, timestamp(clock));
        let inner = Arc::new(Inner {
            server: Mutex::new(server),
            clock,
            changed: watch::Sender::new(()),
            frozen: watch::Sender::new(false),
        });
        tokio::spawn(work(Arc::downgrade(&inner), inner.changed.subscribe()));
        Self(inner)
    }

    /// A client that talks to it.
    pub fn client(&self) -> Client {
        let inner = self.0.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| answer(inner.clone(), request));
        Client::new(service, "default")
    }

    /// A connection to it.
    ///
    /// # Errors
    /// As [`Connection::over`].
    pub async fn connect(&self, options: ConnectionOptions) -> Result<Connection, Fault> {
        Connection::over(self.client(), options).await
    }

    /// Stops it, as a process is stopped that is not ended: requests and watches wait, controllers rest, until
    /// [`thaw`](Self::thaw). What is done by [`with`](Self::with) does not wait.
    pub fn freeze(&self) {
        self.0.frozen.send_replace(true);
    }

    /// Lets it go on.
    pub fn thaw(&self) {
        self.0.frozen.send_replace(false);
    }

    /// Does something with the server itself, such as looking, or breaking it.
    pub fn with<T>(&self, action: impl FnOnce(&mut Server, Timestamp) -> T) -> T {
        let result = action(&mut self.0.server(), timestamp(self.0.clock));
        self.0.changed.send_replace(());
        result
    }
}

impl Inner {
    fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when it is not frozen.
    async fn awake(&self) {
        // The sender lives in `self`.
        drop(self.frozen.subscribe().wait_for(|frozen| !frozen).await);
    }
}

fn timestamp(clock: Clock) -> Timestamp {
    let millis = i64::try_from(clock.now().0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

async fn answer(
    inner: Arc<Inner>,
    request: http::Request<Body>,
) -> Result<http::Response<AnyBody>, kube::Error> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let request = http::Request::from_parts(parts, body);
    inner.awake().await;
    let is_read = request.method() == http::Method::GET;
    // Before the watch begins, so that nothing is missed.
    let changes = inner.changed.subscribe();
    let answer = inner.server().handle(&request, timestamp(inner.clock));
    if !is_read {
        inner.changed.send_replace(());
    }
    Ok(match answer {
        Answer::Done(response) => response.map(|body| Full::new(body).boxed_unsync()),
        Answer::Watch(head, id) => head.map(|()| Feed::new(inner, id, changes).into_body()),
    })
}

/// Lets controllers work whenever there is something to do.
async fn work(inner: Weak<Inner>, mut changes: watch::Receiver<()>) {
    loop {
        let Some(alive) = inner.upgrade() else { return };
        alive.awake().await;
        let worked = {
            let now = timestamp(alive.clock);
            alive.server().step(now)
        };
        if worked {
            alive.changed.send_replace(());
        }
        drop(alive);
        if worked {
            // Others see what is in between.
            tokio::task::yield_now().await;
        } else if changes.changed().await.is_err() {
            return;
        }
    }
}
