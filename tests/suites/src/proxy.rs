//! A proxy before an API server that numbers what changes the cluster, and may stop there.
//!
//! It speaks plain HTTP on loopback. Reads, watches and dry runs pass freely; requests that change something are
//! numbered as they come and passed on one at a time. A [`Rule`] sees each before it is passed on.

use std::{convert::Infallible, io, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{
    Method, Request, Response, StatusCode,
    header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING},
    response::Parts,
};
use http_body_util::{BodyExt, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::{
    body::{Frame, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use kube::client::Body;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Mutex, watch},
    task::{AbortHandle, JoinSet},
};

type Answer = Response<UnsyncBoxBody<Bytes, kube::Error>>;

/// A request that changes something.
#[derive(Clone, Debug)]
pub struct Write {
    /// The first one is 1.
    pub number: usize,
    /// What is to be done,
    pub method: Method,
    /// and to what: without the query.
    pub path: String,
}

/// The moment of a request at which a proxy stops.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Moment {
    /// It has come and is not passed on.
    Before,
    /// The server has answered, and nobody hears of it.
    Applied,
    /// The answer is delivered.
    Answered,
}

/// What becomes of a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It passes.
    Pass,
    /// The proxy stops there: nothing that changes anything passes any more.
    Stop(Moment),
}

/// Decides about requests.
#[async_trait]
pub trait Rule: Send + Sync + 'static {
    /// What becomes of this one. Nothing else passes meanwhile that changes anything.
    async fn fate(&self, write: &Write) -> Fate;
}

/// Lets everything pass.
pub struct PassAll;

#[async_trait]
impl Rule for PassAll {
    async fn fate(&self, _: &Write) -> Fate {
        Fate::Pass
    }
}

/// A running proxy; dropping it closes its connections.
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
    accepting: AbortHandle,
}

struct Shared {
    server: kube::Client,
    rule: Box<dyn Rule>,
    /// Held while a request that changes something is under way.
    gate: Mutex<Gate>,
    stopped: watch::Sender<bool>,
}

#[derive(Default)]
struct Gate {
    writes: Vec<Write>,
    closed: bool,
}

impl Proxy {
    /// Starts one before the server of this client.
    ///
    /// # Errors
    /// When it cannot listen on loopback.
    pub async fn start(server: kube::Client, rule: impl Rule) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (sender, stopped) = watch::channel(false);
        let shared = Arc::new(Shared {
            server,
            rule: Box::new(rule),
            gate: Mutex::default(),
            stopped: sender,
        });
        let accepting = tokio::spawn(accept(listener, shared.clone())).abort_handle();
        Ok(Self {
            url,
            shared,
            stopped,
            accepting,
        })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The requests so far that change something, in their order.
    pub async fn writes(&self) -> Vec<Write> {
        self.shared.gate.lock().await.writes.clone()
    }

    /// Waits until it has stopped at the moment its rule named.
    pub async fn stopped(&self) {
        // An error would mean that the sender is gone, and it is in `shared`.
        drop(self.stopped.clone().wait_for(|stopped| *stopped).await);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborted with this task.
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        connections.spawn(serve(stream, shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    drop(stream.set_nodelay(true));
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(answer(&shared, request).await) }
    });
    // Clients break connections off as they like.
    drop(
        http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .await,
    );
}

async fn answer(shared: &Arc<Shared>, request: Request<Incoming>) -> Answer {
    let result = if changes_something(&request) {
        write(shared.clone(), request).await
    } else {
        read(shared, request).await
    };
    result.unwrap_or_else(|error| bad_gateway(&error))
}

fn changes_something(request: &Request<Incoming>) -> bool {
    let query = request.uri().query().unwrap_or_default();
    let dry_run = query.split('&').any(|pair| pair.starts_with("dryRun="));
    let reads = [Method::GET, Method::HEAD, Method::OPTIONS];
    !dry_run && !reads.contains(request.method())
}

async fn read(shared: &Shared, request: Request<Incoming>) -> Result<Answer, kube::Error> {
    let (mut head, body) = passed_on(shared, request).await?.into_parts();
    head.headers.remove(TRANSFER_ENCODING);
    Ok(Response::from_parts(head, body.boxed_unsync()))
}

async fn write(shared: Arc<Shared>, request: Request<Incoming>) -> Result<Answer, kube::Error> {
    let mut gate = shared.gate.lock().await;
    if gate.closed {
        drop(gate);
        return std::future::pending().await;
    }
    let write = Write {
        number: gate.writes.len() + 1,
        method: request.method().clone(),
        path: request.uri().path().to_owned(),
    };
    gate.writes.push(write.clone());
    let fate = shared.rule.fate(&write).await;
    // Whoever waits at the gate finds it closed, also when this connection breaks.
    gate.closed = fate != Fate::Pass;
    if fate == Fate::Stop(Moment::Before) {
        drop(gate);
        shared.stopped.send_replace(true);
        return std::future::pending().await;
    }
    let (head, body) = passed_on(&shared, request).await?.into_parts();
    let body = body.collect_bytes().await?;
    if fate == Fate::Stop(Moment::Applied) {
        drop(gate);
        shared.stopped.send_replace(true);
        return std::future::pending().await;
    }
    let told = (fate == Fate::Stop(Moment::Answered)).then(|| Told(shared.stopped.clone()));
    Ok(whole(head, body, told))
}

/// The answer of the server, its body still to come.
async fn passed_on(shared: &Shared, request: Request<Incoming>) -> Result<Response<Body>, kube::Error> {
    let (mut head, body) = request.into_parts();
    head.headers.remove(HOST);
    let body = body.collect().await.map_err(kube::Error::HyperError)?.to_bytes();
    shared
        .server
        .send(Request::from_parts(head, Body::from(body.to_vec())))
        .await
}

/// Says that the proxy has stopped once the answer it is part of is written.
struct Told(watch::Sender<bool>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

fn whole(mut head: Parts, body: Bytes, told: Option<Told>) -> Answer {
    head.headers.remove(TRANSFER_ENCODING);
    head.headers.insert(CONTENT_LENGTH, body.len().into());
    let frames = stream::iter([Ok(Frame::data(body))]).map(move |frame| {
        // Lives as long as the body.
        let _told = &told;
        frame
    });
    Response::from_parts(head, StreamBody::new(frames).boxed_unsync())
}

fn bad_gateway(error: &kube::Error) -> Answer {
    let body = Full::new(Bytes::from(error.to_string())).map_err(|never| match never {});
    let mut response = Response::new(body.boxed_unsync());
    *response.status_mut() = StatusCode::BAD_GATEWAY;
    response
}
