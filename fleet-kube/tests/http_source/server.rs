//! A server that answers bytes, whatever they are.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use rustls::ServerConfig;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    task::JoinHandle,
};
use tokio_rustls::TlsAcceptor;

/// What is done with a request.
#[derive(Clone)]
pub(crate) enum Act {
    /// These bytes; then the connection is closed.
    Say(Vec<u8>),
    /// These bytes; then the connection ends, without a word of TLS.
    Cut(Vec<u8>),
    /// These bytes, then nothing.
    Stall(Vec<u8>),
    /// The first bytes, then the others for ever, with pauses.
    Endless(Vec<u8>, Vec<u8>, Duration),
}

type Script = dyn FnMut(&str) -> Act + Send;

/// Listens on a port of the loopback interface until it is dropped.
pub(crate) struct Server {
    scheme: &'static str,
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicU64>,
    task: JoinHandle<()>,
}

impl Server {
    /// The script is given the head of each request.
    pub(crate) async fn start(script: impl FnMut(&str) -> Act + Send + 'static) -> Self {
        Self::listen(None, script).await
    }

    /// As [`start`](Self::start), with TLS.
    pub(crate) async fn start_tls(
        tls: ServerConfig,
        script: impl FnMut(&str) -> Act + Send + 'static,
    ) -> Self {
        Self::listen(Some(TlsAcceptor::from(Arc::new(tls))), script).await
    }

    async fn listen(tls: Option<TlsAcceptor>, script: impl FnMut(&str) -> Act + Send + 'static) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let script: Arc<Mutex<Script>> = Arc::new(Mutex::new(script));
        let (seen, sent) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<AtomicU64>::default());
        let task = tokio::spawn({
            let (seen, sent) = (seen.clone(), sent.clone());
            async move {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    let (script, seen, sent) = (script.clone(), seen.clone(), sent.clone());
                    match tls.clone() {
                        None => drop(tokio::spawn(serve(stream, script, seen, sent))),
                        Some(tls) => drop(tokio::spawn(async move {
                            if let Ok(stream) = tls.accept(stream).await {
                                serve(stream, script, seen, sent).await;
                            }
                        })),
                    }
                }
            }
        });
        Self {
            scheme,
            port,
            seen,
            sent,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// Heads of the requests so far.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }

    /// Bytes that the network took.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    script: Arc<Mutex<Script>>,
    seen: Arc<Mutex<Vec<String>>>,
    sent: Arc<AtomicU64>,
) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    seen.lock().unwrap().push(head.clone());
    let act = (script.lock().unwrap())(&head);
    match act {
        Act::Say(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Act::Cut(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.flush().await;
        }
        Act::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
        Act::Endless(first, more, pause) => {
            let mut next = first;
            while stream.write_all(&next).await.is_ok() {
                sent.fetch_add(next.len() as u64, Ordering::Relaxed);
                next.clone_from(&more);
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// An answer with a length.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    with_head(
        &format!("{status}\r\nContent-Length: {}{headers}", body.len()),
        body,
    )
}

/// An answer with nothing added.
pub(crate) fn with_head(head: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {head}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body.as_ref());
    bytes
}
