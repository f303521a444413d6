//! The HTTP client of one cluster.

use fleet_core::{Fault, Remedy};
use kube::{Client, Config};

use super::{ConnectionOptions, limits::millis, transport};

/// Builds the client. A credential plugin is run on the way, so that it may not hold up the runtime.
pub(super) async fn make(config: Config, options: &ConnectionOptions) -> Result<Client, Fault> {
    let made = if has_plugin(&config) {
        let task = tokio::task::spawn_blocking(move || Client::try_from(config));
        let limit = options.call_timeout;
        let done = tokio::time::timeout(limit, task).await.map_err(|_| {
            let message = format!(
                "no credentials: the plugin gave none within {} (call_timeout)",
                millis(limit)
            );
            Fault::new(Remedy::Forbidden, message)
        })?;
        done.map_err(|_| Fault::new(Remedy::Bug, "the task that makes the client failed"))?
    } else {
        build(config)
    };
    made.map_err(|error| match error {
        kube::Error::TlsRequired => Fault::new(
            Remedy::Invalid,
            "this program has no TLS: build it with feature `rustls-tls` of fleet-kube and `ring` of kube",
        ),
        error => transport::unusable(error),
    })
}

/// Plugins are run by kube, and only kube's own client says when certificates of theirs end.
fn has_plugin(config: &Config) -> bool {
    config.auth_info.exec.is_some() || config.auth_info.auth_provider.is_some()
}

/// As kube builds it, but with `TCP_NODELAY`, which kube does not set and does not let anybody set
/// (<https://github.com/kube-rs/kube/issues/2056>): without it, requests on a fresh connection wait some 40 ms each for
/// the server's delayed acknowledgement.
#[cfg(feature = "rustls-tls")]
fn build(config: Config) -> kube::Result<Client> {
    use hyper_timeout::TimeoutConnector;
    use hyper_util::{
        client::legacy::{Client as Http, connect::HttpConnector},
        rt::TokioExecutor,
    };
    use kube::client::{Body, ConfigExt as _};
    use tower::{BoxError, ServiceBuilder};

    if config.proxy_url.is_some() {
        return Client::try_from(config);
    }
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(tcp)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    connector.set_reset_reader_on_write(config.reset_reader_on_write);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(Http::builder(TokioExecutor::new()).build::<_, Body>(connector));
    Ok(Client::new(service, config.default_namespace))
}

#[cfg(not(feature = "rustls-tls"))]
fn build(config: Config) -> kube::Result<Client> {
    Client::try_from(config)
}
