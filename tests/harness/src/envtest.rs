//! kube-apiserver and etcd as envtest starts them (`sigs.k8s.io/controller-runtime/pkg/internal/testing/controlplane`):
//! two programs of Kubernetes and nothing else. They do not know when their test process is killed, and then live on.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use kube::config::{KubeConfigOptions, Kubeconfig};
use nix::sys::signal::Signal;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::cluster::ask;
use crate::control_plane::{Files, at_home};
use crate::dir::tail;
use crate::error::{Error, Result};
use crate::options::Options;
use crate::ports::Port;
use crate::process::Process;
use crate::user::User;

const USERS: [User; 3] = [User::Fleet, User::Admin, User::Someone];

/// How often we look whether it is ready.
const LOOK: Duration = Duration::from_millis(100);

const AUDIT_POLICY: &str = "{\"apiVersion\": \"audit.k8s.io/v1\", \"kind\": \"Policy\", \
     \"omitStages\": [\"RequestReceived\"], \"rules\": [{\"level\": \"Metadata\"}]}\n";

/// An API server and its etcd. Dropping it kills both and removes their data.
#[derive(Debug)]
pub(crate) struct Envtest {
    // In the order of dropping.
    server: Mutex<Process>,
    _etcd: Process,
    kubeconfig: PathBuf,
    audit: bool,
    name: String,
    files: Files,
    _ports: [Port; 2],
}

impl Envtest {
    pub(crate) fn start(server: &Path, etcd: &Path, options: &Options) -> Result<Self> {
        let files = Files::make(options)?;
        let ports = [Port::take()?, Port::take()?];
        let [client, peer] = [&ports[0], &ports[1]].map(|port| format!("http://127.0.0.1:{}", port.number()));
        let (data, logs) = (files.dir.data(), files.dir.logs());
        let mut command = at_home(etcd);
        command
            .arg(format!("--data-dir={}", data.join("etcd").display()))
            .arg(format!("--listen-client-urls={client}"))
            .arg(format!("--advertise-client-urls={client}"))
            .arg(format!("--listen-peer-urls={peer}"))
            .arg("--unsafe-no-fsync=true")
            .args(&options.etcd_args);
        let name = format!("etcd of cluster {}", options.name);
        let etcd = Process::begin(&name, command, &logs.join("etcd.log"))?;

        let certificates = data.join("certificates");
        fs::create_dir_all(&certificates).map_err(Error::io("make a directory for certificates"))?;
        let mut tokens = Vec::new();
        for user in USERS {
            tokens.push((user, token(&options.name)?));
        }
        let token_file = write(&data, "tokens.csv", &lines(&tokens))?;
        let (private, public) = keys(&options.name)?;
        let private = write(&data, "service-account.key", &private)?;
        let public = write(&data, "service-account.pub", &public)?;
        let mut command = at_home(server);
        command
            .arg(format!("--etcd-servers={client}"))
            .arg("--bind-address=127.0.0.1")
            .arg("--advertise-address=127.0.0.1")
            .arg(format!("--secure-port={}", files.port.number()))
            .arg(format!("--cert-dir={}", certificates.display()))
            .arg(format!("--token-auth-file={}", token_file.display()))
            .arg("--authorization-mode=RBAC")
            .arg("--allow-privileged=true")
            .arg("--service-cluster-ip-range=127.96.0.0/16")
            .arg("--service-account-issuer=https://kubernetes.default.svc")
            .arg(format!("--service-account-key-file={}", public.display()))
            .arg(format!(
                "--service-account-signing-key-file={}",
                private.display()
            ))
            // No controller makes service accounts.
            .arg("--disable-admission-plugins=ServiceAccount");
        if options.audit {
            let policy = write(&data, "audit-policy.yaml", AUDIT_POLICY)?;
            command
                .arg(format!("--audit-policy-file={}", policy.display()))
                .arg(format!("--audit-log-path={}", logs.join("audit.log").display()))
                .arg("--audit-log-mode=blocking")
                .arg("--audit-log-maxsize=100000");
        }
        command.args(&options.apiserver_args);
        let log = logs.join("kube-apiserver.log");
        let name = format!("cluster {}", options.name);
        let server = Process::begin(&name, command, &log)?;
        let kubeconfig = data.join("kubeconfig");
        let url = format!("https://127.0.0.1:{}", files.port.number());
        let text = kubeconfig_text(&url, &certificates.join("apiserver.crt"), &tokens);
        write(&data, "kubeconfig", &text)?;
        let mut started = Self {
            server: Mutex::new(server),
            _etcd: etcd,
            kubeconfig,
            audit: options.audit,
            name,
            files,
            _ports: ports,
        };
        started.await_ready(&text, &log, options.start_timeout)?;
        started.files.started = true;
        Ok(started)
    }

    pub(crate) fn kubeconfig(&self) -> &Path {
        &self.kubeconfig
    }

    pub(crate) fn audit_file(&self) -> Result<PathBuf> {
        match self.audit {
            true => Ok(self.files.dir.logs().join("audit.log")),
            false => Err(Error::NoAudit(self.name.clone())),
        }
    }

    pub(crate) fn freeze(&self) -> Result<()> {
        self.signal(Signal::SIGSTOP)
    }

    pub(crate) fn thaw(&self) -> Result<()> {
        self.signal(Signal::SIGCONT)
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        server.signal(signal)
    }

    /// Waits until it answers, has its first namespaces, and the users have their rights.
    fn await_ready(&self, kubeconfig: &str, log: &Path, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        loop {
            let tried = try_prepare(kubeconfig);
            let Err(why) = tried else { return Ok(()) };
            let mut server = self.server.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(status) = server.ended()? {
                return Err(Error::Ended {
                    name: self.name.clone(),
                    status,
                    log: log.to_owned(),
                    tail: tail(log),
                });
            }
            if Instant::now() > deadline {
                return Err(Error::Late {
                    name: format!("{} ({why})", self.name),
                    limit,
                    log: log.to_owned(),
                    tail: tail(log),
                });
            }
            drop(server);
            thread::sleep(LOOK);
        }
    }
}

fn try_prepare(kubeconfig: &str) -> std::result::Result<(), String> {
    // A runtime does not wait on another one.
    let prepared = thread::scope(|scope| scope.spawn(|| prepare(kubeconfig)).join());
    prepared.unwrap_or_else(|_| Err("a thread failed".to_owned()))
}

#[tokio::main(flavor = "current_thread")]
async fn prepare(kubeconfig: &str) -> std::result::Result<(), String> {
    // The first that is installed counts, and there is no other.
    drop(rustls::crypto::ring::default_provider().install_default());
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let options = KubeConfigOptions {
        context: Some(User::Admin.as_str().to_owned()),
        ..KubeConfigOptions::default()
    };
    let kubeconfig = Kubeconfig::from_yaml(kubeconfig).map_err(|error| text(&error))?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
    let client =
        kube::Client::try_from(config.map_err(|error| text(&error))?).map_err(|error| text(&error))?;
    let send = async |method: &str, path: &str, body: Bytes| {
        let request = http::Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json").body(body);
        let said = ask(&client, request.map_err(|error| text(&error))?).await;
        said.map_err(|error| text(&error))
    };
    for path in [
        "/readyz",
        "/api/v1/namespaces/kube-system",
        "/api/v1/namespaces/default",
    ] {
        let said = send("GET", path, Bytes::new()).await?;
        if said.code != 200 {
            return Err(format!("{path}: {}", said.code));
        }
    }
    let subjects = [User::Fleet, User::Someone]
        .map(|user| json!({"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user.as_str()}));
    let binding = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "metadata": {"name": "fleet-harness:users"}, "subjects": subjects,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    });
    let path = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
    match send("POST", path, binding.to_string().into()).await?.code {
        201 | 409 => Ok(()),
        code => Err(format!("{path}: {code}")),
    }
}

fn write(dir: &Path, name: &str, text: &str) -> Result<PathBuf> {
    let path = dir.join(name);
    fs::write(&path, text).map_err(Error::io(format!("write {}", path.display())))?;
    Ok(path)
}

fn no_chance(name: &str, what: &str) -> Error {
    Error::Unsuitable {
        name: name.to_owned(),
        why: format!("the system has no {what}"),
    }
}

fn token(name: &str) -> Result<String> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| no_chance(name, "random bytes"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Of `--token-auth-file`: token, name, UID and groups.
fn lines(tokens: &[(User, String)]) -> String {
    let line = |(user, token): &(User, String)| {
        let groups = if *user == User::Admin {
            ",system:masters"
        } else {
            ""
        };
        format!("{token},{name},{name}{groups}\n", name = user.as_str())
    };
    tokens.iter().map(line).collect()
}

/// What comes before a point of P-256 in a `SubjectPublicKeyInfo` (RFC 5480).
const PUBLIC_KEY_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A new private key and its public one, as PEM.
fn keys(name: &str) -> Result<(String, String)> {
    let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
    let made = EcdsaKeyPair::generate_pkcs8(kind, &random).map_err(|_| no_chance(name, "random key"))?;
    let pair = EcdsaKeyPair::from_pkcs8(kind, made.as_ref(), &random);
    let pair = pair.map_err(|_| no_chance(name, "random key"))?;
    let public = [&PUBLIC_KEY_HEAD[..], pair.public_key().as_ref()].concat();
    Ok((pem("PRIVATE KEY", made.as_ref()), pem("PUBLIC KEY", &public)))
}

fn pem(title: &str, bytes: &[u8]) -> String {
    let text = STANDARD.encode(bytes);
    let lines = text.as_bytes().chunks(64).map(String::from_utf8_lossy);
    let lines: Vec<_> = lines.collect();
    format!(
        "-----BEGIN {title}-----\n{}\n-----END {title}-----\n",
        lines.join("\n")
    )
}

/// With a context for each user; JSON is YAML too.
fn kubeconfig_text(url: &str, authority: &Path, tokens: &[(User, String)]) -> String {
    let each = |make: fn(&str, &str) -> Value| -> Vec<Value> {
        let all = tokens.iter().map(|(user, token)| make(user.as_str(), token));
        all.collect()
    };
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": User::Fleet.as_str(),
        "clusters": [{"name": "cluster", "cluster": {"server": url, "certificate-authority": authority}}],
        "users": each(|name, token| json!({"name": name, "user": {"token": token}})),
        "contexts": each(|name, _| json!({"name": name, "context": {"cluster": "cluster", "user": name}})),
    });
    format!("{config:#}\n")
}
