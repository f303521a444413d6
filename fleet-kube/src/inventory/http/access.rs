//! What requests are made with: headers, a token and certificates from files, and the client.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use fleet_core::{Digest, DigestBuilder};
use http::{HeaderMap, HeaderValue, Request, Uri, header};
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{Builder, Client as Http, ResponseFuture, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use kube::{Config, client::ConfigExt as _, config::KubeConfigOptions};

use serde_json::json;

use super::HttpLimits;
use crate::{connection::words, files::read_text};

/// Largest file with a token, a key or certificates, in bytes.
const FILE_BYTES_MAX: usize = 1 << 20;

type Body = Empty<Bytes>;
type Send = Arc<dyn Fn(Request<Body>) -> ResponseFuture + std::marker::Send + Sync>;

/// How a server is to be spoken to.
#[derive(Default)]
pub(super) struct Access {
    pub(super) headers: HeaderMap,
    pub(super) token: Option<PathBuf>,
    pub(super) tls: TlsFiles,
    clients: Mutex<Option<Clients>>,
}

/// Files with certificates and a key.
#[derive(Clone, Default)]
pub(super) struct TlsFiles {
    pub(super) ca: Option<PathBuf>,
    pub(super) identity: Option<(PathBuf, PathBuf)>,
}

/// Clients, and the files they were made of.
#[derive(Clone)]
struct Clients {
    files: Digest,
    plain: Send,
    /// Or why there are none.
    tls: Result<Tls, String>,
}

/// Clients with TLS.
#[derive(Clone)]
struct Tls {
    /// Shows the certificate, if there is one.
    known: Send,
    /// Shows none: for other servers than the one that was meant.
    anonymous: Send,
}

/// All that a request needs.
pub(super) struct Ready {
    pub(super) headers: HeaderMap,
    clients: Clients,
}

impl Ready {
    /// Sends a request: to the server that was meant, or to another one, where a redirect leads.
    pub(super) fn send(
        &self,
        url: &Uri,
        is_meant: bool,
        request: Request<Body>,
    ) -> Result<ResponseFuture, String> {
        if url.scheme_str() != Some("https") {
            return Ok((self.clients.plain)(request));
        }
        let tls = self.clients.tls.as_ref().map_err(Clone::clone)?;
        let send = if is_meant { &tls.known } else { &tls.anonymous };
        Ok(send(request))
    }
}

impl Access {
    /// The same, to be changed: without clients.
    pub(super) fn setup(&self) -> Self {
        Self {
            headers: self.headers.clone(),
            token: self.token.clone(),
            tls: self.tls.clone(),
            clients: Mutex::default(),
        }
    }

    /// Reads the files as they are now.
    pub(super) async fn ready(&self, limits: &HttpLimits) -> Result<Ready, String> {
        let (token, tls) = (self.token.clone(), self.tls.clone());
        let read = tokio::task::spawn_blocking(move || {
            let token = token.map(|path| read_token(&path)).transpose()?;
            Ok::<_, String>((token, tls.digest()?))
        });
        let read = read
            .await
            .unwrap_or_else(|_| Err("the task that reads files failed".to_owned()));
        let (token, files) = read?;
        let mut headers = self.headers.clone();
        if let Some(token) = token {
            headers.insert(header::AUTHORIZATION, token);
        }
        let mut clients = self
            .with_clients(|clients| clients.clone())
            .unwrap_or_else(|| Clients {
                files,
                plain: plain(limits),
                tls: Err(String::new()),
            });
        // What failed may have failed for the moment.
        if clients.files != files || clients.tls.is_err() {
            clients.tls = self.tls.clients(limits).await;
            clients.files = files;
            self.with_clients(|kept| *kept = Some(clients.clone()));
        }
        Ok(Ready { headers, clients })
    }

    fn with_clients<T>(&self, work: impl FnOnce(&mut Option<Clients>) -> T) -> T {
        work(&mut self.clients.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn read_token(path: &Path) -> Result<HeaderValue, String> {
    let text = read_text(path, FILE_BYTES_MAX).map_err(|error| error.to_string())?;
    let wrong = || format!("{}: is not a token", path.display());
    if text.trim().is_empty() {
        return Err(wrong());
    }
    let mut value = HeaderValue::try_from(format!("Bearer {}", text.trim())).map_err(|_| wrong())?;
    value.set_sensitive(true);
    Ok(value)
}

impl TlsFiles {
    fn digest(&self) -> Result<Digest, String> {
        let mut digest = DigestBuilder::new();
        let identity = self
            .identity
            .iter()
            .flat_map(|(certificate, key)| [certificate, key]);
        for path in self.ca.iter().chain(identity) {
            let text = read_text(path, FILE_BYTES_MAX).map_err(|error| error.to_string())?;
            digest = digest.text(&text);
        }
        Ok(digest.finish())
    }

    async fn clients(&self, limits: &HttpLimits) -> Result<Tls, String> {
        let known = self.client(limits).await?;
        let anonymous = match &self.identity {
            None => known.clone(),
            Some(_) => {
                let ca = self.ca.clone();
                Self { ca, identity: None }.client(limits).await?
            }
        };
        Ok(Tls { known, anonymous })
    }

    async fn client(&self, limits: &HttpLimits) -> Result<Send, String> {
        let config = self.config().await?;
        let connector = config.rustls_https_connector_with_connector(tcp(limits));
        let connector = connector.map_err(|error| unusable(&words(&error)))?;
        let client: Http<_, Body> = builder(limits).build(connector);
        Ok(Arc::new(move |request| client.request(request)))
    }

    /// TLS as for clusters: by a kubeconfig with these files in it.
    async fn config(&self) -> Result<Config, String> {
        const NAME: &str = "inventories";
        let text = |path: Option<&PathBuf>| {
            let wrong = |path: &PathBuf| format!("{}: the path is not UTF-8", path.display());
            path.map(|path| path.to_str().map(str::to_owned).ok_or_else(|| wrong(path)))
                .transpose()
        };
        let (certificate, key) = self.identity.clone().unzip();
        let kubeconfig = json!({
            // Of the server only its TLS is used. The proxy stands for those of the environment, which would be read
            // otherwise; none is used.
            "clusters": [{"name": NAME, "cluster": {
                "server": "https://localhost", "certificate-authority": text(self.ca.as_ref())?,
                "proxy-url": "http://localhost",
            }}],
            "users": [{"name": NAME, "user": {
                "client-certificate": text(certificate.as_ref())?, "client-key": text(key.as_ref())?,
            }}],
            "contexts": [{"name": NAME, "context": {"cluster": NAME, "user": NAME}}],
        });
        let kubeconfig = serde_json::from_value(kubeconfig).map_err(|error| unusable(&words(&error)))?;
        let options = KubeConfigOptions {
            context: Some(NAME.to_owned()),
            ..KubeConfigOptions::default()
        };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options).await;
        let config = config.map_err(|error| unusable(&words(&error)))?;
        match (&self.ca, &config.root_cert) {
            (Some(path), Some(found)) if found.is_empty() => Err(unusable(&format!(
                "{}: there is no certificate in it",
                path.display()
            ))),
            _ => Ok(config),
        }
    }
}

fn tcp(limits: &HttpLimits) -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(limits.connect_timeout));
    tcp
}

fn builder(limits: &HttpLimits) -> Builder {
    let mut builder = Http::builder(TokioExecutor::new());
    builder
        .pool_timer(TokioTimer::new())
        .pool_max_idle_per_host(limits.requests_max);
    builder
}

fn plain(limits: &HttpLimits) -> Send {
    let client: Http<_, Body> = builder(limits).build(tcp(limits));
    Arc::new(move |request| client.request(request))
}

fn unusable(why: &str) -> String {
    format!("TLS cannot be set up: {why}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_could_not_be_set_up_is_tried_again() {
        let dir = tempfile::tempdir().unwrap();
        let ca = dir.path().join("ca.pem");
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        std::fs::write(&ca, certificate.pem()).unwrap();
        let tls = TlsFiles {
            ca: Some(ca),
            identity: None,
        };
        let limits = HttpLimits::default();
        let failed = Clients {
            files: tls.digest().unwrap(),
            plain: plain(&limits),
            tls: Err("too many open files".to_owned()),
        };
        let access = Access {
            tls,
            clients: Mutex::new(Some(failed)),
            ..Access::default()
        };
        assert!(access.ready(&limits).await.unwrap().clients.tls.is_ok());
        // What was made is kept.
        let first = access.ready(&limits).await.unwrap().clients.tls.unwrap();
        let again = access.ready(&limits).await.unwrap().clients.tls.unwrap();
        assert!(Arc::ptr_eq(&first.known, &again.known));
    }
}
