//! Own authorities, certificates of clients, and connections that end without a word.

use std::{fs, path::PathBuf, sync::Arc};

use fleet_core::{Cluster, InventorySource};
use fleet_kube::HttpSource;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer},
    server::WebPkiClientVerifier,
};

use super::{
    inventory, limits,
    server::{Act, Server, answer, with_head},
};

/// An authority and its files.
struct Authority {
    dir: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    certificate: CertificateDer<'static>,
}

impl Authority {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(dir.path().join("ca.pem"), certificate.pem()).unwrap();
        Self {
            dir,
            issuer: Issuer::new(params, key),
            certificate: certificate.into(),
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Signs a certificate, and writes it and its key into files of this name.
    fn sign(
        &self,
        name: &str,
        usage: ExtendedKeyUsagePurpose,
    ) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        fs::write(self.file(&format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(self.file(&format!("{name}.key")), key.serialize_pem()).unwrap();
        (certificate.into(), key.into())
    }

    /// A server of this authority, which lets in only whom `clients` signed.
    fn server(&self, clients: Option<&Self>) -> ServerConfig {
        let (certificate, key) = self.sign("server", ExtendedKeyUsagePurpose::ServerAuth);
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.certificate.clone()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        builder.with_single_cert(vec![certificate], key).unwrap()
    }
}

fn source(server: &Server) -> HttpSource {
    HttpSource::new(&format!("{}/{{cluster}}", server.url()))
        .unwrap()
        .limits(limits())
}

async fn ask(source: &HttpSource) -> String {
    match source.snapshot(&Cluster::new("eu-1")).await {
        Ok(known) => known.revision().to_string(),
        Err(unknown) => unknown.message().to_owned(),
    }
}

#[tokio::test]
async fn only_the_given_authority_is_trusted() {
    let (own, other) = (Authority::new(), Authority::new());
    let tls = own.server(None);
    let server = Server::start_tls(tls, |_| Act::Say(answer("200 OK", "", inventory("r", &["a"])))).await;
    assert_eq!(ask(&source(&server).ca_file(own.file("ca.pem"))).await, "r");
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    fs::write(own.file("broken.pem"), broken).unwrap();
    for (ca, expect) in [
        (other.file("ca.pem"), "no answer: "),
        (own.file("nowhere.pem"), "nowhere.pem: cannot be read"),
        (
            own.file("server.key"),
            "server.key: there is no certificate in it",
        ),
        (own.file("broken.pem"), "TLS cannot be set up: "),
    ] {
        let told = ask(&source(&server).ca_file(ca)).await;
        assert!(told.contains(expect), "expected {expect}: {told}");
    }
    // The file is read again when it changes.
    let file = other.file("changing.pem");
    fs::copy(other.file("ca.pem"), &file).unwrap();
    let changing = source(&server).ca_file(&file);
    assert!(ask(&changing).await.contains("no answer: "));
    fs::copy(own.file("ca.pem"), &file).unwrap();
    assert_eq!(ask(&changing).await, "r");
}

#[tokio::test]
async fn clients_identify_themselves() {
    let (servers, clients) = (Authority::new(), Authority::new());
    clients.sign("fleet", ExtendedKeyUsagePurpose::ClientAuth);
    let tls = servers.server(Some(&clients));
    let server = Server::start_tls(tls, |_| Act::Say(answer("200 OK", "", inventory("r", &["a"])))).await;
    let source = source(&server).ca_file(servers.file("ca.pem"));
    assert!(
        ask(&source).await.contains("no answer: "),
        "without a certificate nobody gets in"
    );
    let (certificate, key) = (clients.file("fleet.pem"), clients.file("fleet.key"));
    let known = source.clone().client_certificate(&certificate, &key);
    assert_eq!(ask(&known).await, "r");
    let half = source.client_certificate(&certificate, &certificate);
    assert!(ask(&half).await.contains("TLS cannot be set up: "));
}

#[tokio::test]
async fn only_the_server_that_was_meant_sees_the_certificate() {
    let (servers, clients) = (Authority::new(), Authority::new());
    clients.sign("fleet", ExtendedKeyUsagePurpose::ClientAuth);
    let page = || Act::Say(answer("200 OK", "", inventory("r", &["a"])));
    // The targets that want to see one, get none.
    for (asked_for, expect) in [(Some(&clients), "no answer: "), (None, "r")] {
        let target = Server::start_tls(servers.server(asked_for), move |_| page()).await;
        let to = format!("307 Temporary Redirect\r\nLocation: {}/x", target.url());
        let first = Server::start_tls(servers.server(Some(&clients)), move |_| {
            Act::Say(with_head(&to, ""))
        })
        .await;
        let source = source(&first)
            .ca_file(servers.file("ca.pem"))
            .client_certificate(clients.file("fleet.pem"), clients.file("fleet.key"));
        let told = ask(&source).await;
        assert!(told.contains(expect), "expected {expect}: {told}");
        assert_eq!(first.seen().len(), 1, "it was shown to the first");
    }
}

#[test]
fn proxies_of_the_environment_are_not_even_read() {
    let test = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tls::only_the_given_authority_is_trusted"])
        .env("HTTPS_PROXY", "no url at all")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&test.stdout);
    assert!(test.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test]
async fn what_ends_without_a_word_is_not_whole() {
    let own = Authority::new();
    let body = inventory("r", &["a"]);
    let chunk = format!("{:x}\r\n{body}\r\n", body.len());
    let cases = [
        (with_head("200 OK", &body), "does not say how long its body is"),
        (
            with_head("200 OK\r\nTransfer-Encoding: chunked", &chunk),
            "its body broke off after",
        ),
        (
            with_head("200 OK\r\nContent-Length: 999", &body),
            "its body broke off after",
        ),
        // All of it came.
        (answer("200 OK", "", &body), "r"),
    ];
    for (bytes, expect) in cases {
        let server = Server::start_tls(own.server(None), move |_| Act::Cut(bytes.clone())).await;
        let told = ask(&source(&server).ca_file(own.file("ca.pem"))).await;
        assert!(told.contains(expect), "expected {expect}: {told}");
    }
}
