//! The limit: bare applies of documents serialised beforehand, over plain HTTP/1.1 connections. It shares no code with
//! the reconciler.

use std::{sync::Arc, time::Instant};

use http_body_util::{BodyExt, Full};
use hyper::{Request, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{net::TcpStream, task::JoinSet};
use tokio_rustls::TlsConnector;

use crate::Failure;

/// An API server and a token for it.
#[derive(Clone)]
pub struct Server {
    /// `127.0.0.1:PORT`
    pub address: String,
    /// Its certificate authority, PEM.
    pub ca: String,
    /// A bearer token.
    pub token: String,
}

/// Applies every document once over `connections` connections; the seconds from the first byte to the last answer.
///
/// # Errors
/// When the server does not accept one of them.
pub async fn apply_all(
    server: &Server,
    documents: Vec<(String, Bytes)>,
    connections: usize,
) -> Result<f64, Failure> {
    let documents = Arc::new(documents);
    let begin = Instant::now();
    let mut tasks = JoinSet::new();
    for first in 0..connections {
        let (server, documents) = (server.clone(), documents.clone());
        tasks.spawn(async move { one_connection(&server, &documents, first, connections).await });
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    Ok(begin.elapsed().as_secs_f64())
}

async fn one_connection(
    server: &Server,
    documents: &[(String, Bytes)],
    first: usize,
    step: usize,
) -> Result<(), Failure> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(server.ca.as_bytes()) {
        roots.add(certificate?)?;
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tcp = TcpStream::connect(&server.address).await?;
    tcp.set_nodelay(true)?;
    let name = ServerName::try_from("127.0.0.1")?;
    let tls = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(tls)).await?;
    let running = tokio::spawn(connection);
    for (path, body) in documents.iter().skip(first).step_by(step) {
        let request = Request::patch(format!("{path}?fieldManager=bare&force=true"))
            .header("host", &server.address)
            .header("authorization", format!("Bearer {}", server.token))
            .header("content-type", "application/apply-patch+yaml")
            .body(Full::new(body.clone()))?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        if !status.is_success() {
            return Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&body)).into());
        }
    }
    drop(sender);
    running.await??;
    Ok(())
}
