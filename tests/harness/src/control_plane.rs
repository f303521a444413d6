use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::audit::{self, AuditEvent, AuditMark};
use crate::binaries::Binary;
use crate::dir::{ClusterDir, Keep};
use crate::error::{Error, Result};
use crate::kubeconfig::Access;
use crate::options::{Kubernetes, Options};
use crate::ports::Port;
use crate::process::Process;
use crate::ready::{ClusterReady, EtcdReady};
use crate::user::User;

/// How long a stop may take before it becomes a kill.
const STOP_LIMIT: Duration = Duration::from_secs(10);

/// A complete Kubernetes control plane of its own. Dropping it kills it and removes its data.
///
/// All methods take `&self`, so that a test may break a cluster while other threads use it.
#[derive(Debug)]
pub struct ControlPlane {
    options: Options,
    kubernetes: Kubernetes,
    binary: PathBuf,
    ready: ClusterReady,
    // In the order of dropping: the API server goes before its etcd, both before their directory and ports.
    server: Mutex<Option<Process>>,
    etcd: Option<Etcd>,
    files: Files,
}

/// An etcd that is a process of its own.
#[derive(Debug)]
struct Etcd {
    process: Mutex<Option<Process>>,
    url: String,
    port: Port,
}

/// The directory and the port of a cluster, from before its start to after its end.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) dir: ClusterDir,
    pub(crate) port: Port,
    keep_dir: bool,
    pub(crate) started: bool,
}

impl Files {
    /// Of a cluster that is about to start.
    pub(crate) fn make(options: &Options) -> Result<Self> {
        let dir = ClusterDir::create(&options.name)?;
        let mut port = Port::take()?;
        port.note_dir(dir.path())?;
        Ok(Self {
            dir,
            port,
            keep_dir: options.keep_dir,
            started: false,
        })
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let keep = if self.keep_dir {
            Keep::All
        } else if !self.started || thread::panicking() || std::env::var_os("FLEET_KEEP_LOGS").is_some() {
            Keep::Logs
        } else {
            Keep::Nothing
        };
        self.dir.close(keep);
        self.port.forget_dir();
    }
}

impl ControlPlane {
    /// Starts a cluster and returns when it is ready: `/readyz` is green, the namespaces `default` and
    /// `kube-system` exist, the users have their rights and the controllers work.
    ///
    /// # Errors
    /// When there is no binary or no port, or the start fails or takes too long: with the end of the log.
    pub fn start(options: Options) -> Result<Self> {
        let kubernetes = match options.kubernetes {
            Some(kubernetes) => kubernetes,
            None => Kubernetes::from_env()?,
        };
        let binary = Binary::ControlPlane.find(kubernetes)?;
        let mut files = Files::make(&options)?;
        let etcd = if options.separate_etcd {
            let port = Port::take()?;
            let (process, url) = start_etcd(&binary, &options, &files, &port)?;
            Some(Etcd {
                process: Mutex::new(Some(process)),
                url,
                port,
            })
        } else {
            None
        };
        let etcd_url = etcd.as_ref().map(|etcd| etcd.url.as_str());
        let (server, ready) = start_server(&binary, &options, &files, etcd_url)?;
        files.started = true;
        Ok(ControlPlane {
            options,
            kubernetes,
            binary,
            ready,
            server: Mutex::new(Some(server)),
            etcd,
            files,
        })
    }

    /// Starts `count` clusters at the same time, named after the options with `-1`, `-2`, ... appended.
    ///
    /// # Errors
    /// When one of them fails to start: its error, after the others are gone again.
    pub fn start_many(count: usize, options: &Options) -> Result<Vec<Self>> {
        let name = &options.name;
        Self::start_all((1..=count).map(|number| Options {
            name: format!("{name}-{number}"),
            ..options.clone()
        }))
    }

    /// Starts clusters with these options at the same time.
    ///
    /// # Errors
    /// As [`start_many`](Self::start_many).
    pub fn start_all(options: impl IntoIterator<Item = Options>) -> Result<Vec<Self>> {
        let starts: Vec<_> = options
            .into_iter()
            .map(|options| thread::spawn(move || Self::start(options)))
            .collect();
        let started: Vec<Result<Self>> = starts
            .into_iter()
            .map(|start| {
                start
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            })
            .collect();
        started.into_iter().collect()
    }

    /// The program that clusters are, of the version that the environment names.
    ///
    /// # Errors
    /// When it was never built.
    pub fn program() -> Result<PathBuf> {
        Binary::ControlPlane.find(Kubernetes::from_env()?)
    }

    /// The name from the options.
    pub fn name(&self) -> &str {
        &self.options.name
    }

    /// The minor version that was asked for.
    pub fn kubernetes(&self) -> Kubernetes {
        self.kubernetes
    }

    /// The version that the server says it is, like `v1.36.3`.
    pub fn version(&self) -> &str {
        &self.ready.kubernetes
    }

    /// Where the API server listens, like `https://127.0.0.1:15042`. It stays the same over restarts.
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// The certificate, as PEM, that signs the server's.
    pub fn ca(&self) -> &str {
        &self.ready.ca
    }

    /// The file with [`ca`](Self::ca).
    pub fn ca_file(&self) -> &Path {
        &self.ready.ca_file
    }

    /// The bearer token of a user.
    pub fn token(&self, user: User) -> &str {
        self.ready.tokens.get(user.as_str()).map_or("", String::as_str)
    }

    /// A kubeconfig with a context per [`User`], by the user's name; `fleet` is the current one.
    pub fn kubeconfig(&self) -> &Path {
        &self.ready.kubeconfig
    }

    /// How to reach this cluster as a user, for [`write_kubeconfig`](crate::write_kubeconfig).
    pub fn access(&self, user: User) -> Access {
        Access {
            name: self.options.name.clone(),
            url: self.ready.url.clone(),
            ca_file: self.ready.ca_file.clone(),
            token: self.token(user).to_owned(),
        }
    }

    /// The directory with keys, certificates, tokens and etcd's data.
    pub fn data_dir(&self) -> PathBuf {
        self.files.dir.data()
    }

    /// The directory with the logs.
    pub fn log_dir(&self) -> PathBuf {
        self.files.dir.logs()
    }

    /// The process id of the API server and controllers, while they run.
    pub fn pid(&self) -> Option<u32> {
        lock(&self.server).as_ref().map(Process::pid)
    }

    /// The process id of a separate etcd, while it runs.
    pub fn etcd_pid(&self) -> Option<u32> {
        self.etcd
            .as_ref()
            .and_then(|etcd| lock(&etcd.process).as_ref().map(Process::pid))
    }

    /// Resident memory of the API server and controllers, in bytes.
    pub fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    /// kubectl as user `fleet`, with a home and caches of its own.
    ///
    /// # Errors
    /// When kubectl was never built.
    pub fn kubectl(&self) -> Result<Command> {
        self.kubectl_as(User::Fleet)
    }

    /// kubectl as a user, with a home and caches of its own.
    ///
    /// # Errors
    /// When kubectl was never built.
    pub fn kubectl_as(&self, user: User) -> Result<Command> {
        let mut command = Command::new(Binary::Kubectl.find(self.kubernetes)?);
        let home = self.files.dir.home();
        command
            .env("KUBECACHEDIR", home.join("cache"))
            .env("HOME", home)
            .env("KUBECONFIG", self.kubeconfig())
            .args(["--context", user.as_str()]);
        Ok(command)
    }

    /// Every request that was answered so far, also before restarts, in the order of their ends.
    ///
    /// # Errors
    /// When no audit log is written, or it cannot be read.
    pub fn audit(&self) -> Result<Vec<AuditEvent>> {
        self.audit_since(AuditMark(0))
    }

    /// The present end of the audit log, for [`audit_since`](Self::audit_since).
    ///
    /// # Errors
    /// When no audit log is written, or it cannot be read.
    pub fn audit_mark(&self) -> Result<AuditMark> {
        audit::mark(&self.audit_file()?)
    }

    /// Every request that was answered since a mark.
    ///
    /// # Errors
    /// When no audit log is written, or it cannot be read.
    pub fn audit_since(&self, mark: AuditMark) -> Result<Vec<AuditEvent>> {
        audit::read(&self.audit_file()?, mark)
    }

    fn audit_file(&self) -> Result<PathBuf> {
        if self.options.audit {
            Ok(audit_file(&self.files))
        } else {
            Err(Error::NoAudit(self.options.name.clone()))
        }
    }

    /// Kills the cluster as a crash would (`SIGKILL`); a separate etcd lives on. [`restart`](Self::restart)
    /// brings it back.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub fn kill(&self) -> Result<()> {
        kill(&self.server)
    }

    /// Starts the cluster again, with the same data, port, certificates and tokens. If it still runs, it is
    /// killed first.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&self) -> Result<()> {
        let mut server = lock(&self.server);
        drop(server.take());
        let etcd_url = self.etcd.as_ref().map(|etcd| etcd.url.as_str());
        let (process, _) = start_server(&self.binary, &self.options, &self.files, etcd_url)?;
        *server = Some(process);
        Ok(())
    }

    /// Stops every thread of the cluster (`SIGSTOP`): connections stay open, and nobody answers. A separate
    /// etcd goes on.
    ///
    /// # Errors
    /// When the cluster does not run.
    pub fn freeze(&self) -> Result<()> {
        self.halt(&self.server)
    }

    /// Ends [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// When the cluster does not run.
    pub fn thaw(&self) -> Result<()> {
        self.signal(&self.server, Signal::SIGCONT)
    }

    /// Kills a separate etcd. [`restart_etcd`](Self::restart_etcd) brings it back.
    ///
    /// # Errors
    /// When etcd is not separate.
    pub fn kill_etcd(&self) -> Result<()> {
        kill(&self.etcd()?.process)
    }

    /// Starts a separate etcd again, with the same data and port. If it still runs, it is killed first.
    ///
    /// # Errors
    /// When etcd is not separate, or does not start.
    pub fn restart_etcd(&self) -> Result<()> {
        let etcd = self.etcd()?;
        let mut process = lock(&etcd.process);
        drop(process.take());
        let (new, _) = start_etcd(&self.binary, &self.options, &self.files, &etcd.port)?;
        *process = Some(new);
        Ok(())
    }

    /// Stops every thread of a separate etcd (`SIGSTOP`). A write that times out meanwhile may still be done
    /// later.
    ///
    /// # Errors
    /// When etcd is not separate, or does not run.
    pub fn freeze_etcd(&self) -> Result<()> {
        self.halt(&self.etcd()?.process)
    }

    /// Ends [`freeze_etcd`](Self::freeze_etcd).
    ///
    /// # Errors
    /// When etcd is not separate, or does not run.
    pub fn thaw_etcd(&self) -> Result<()> {
        self.signal(&self.etcd()?.process, Signal::SIGCONT)
    }

    /// Stops the cluster in good order (`SIGTERM`): requests under way are answered. Takes a second or two,
    /// at most ten; dropping is faster.
    ///
    /// # Errors
    /// When a process cannot be waited for.
    pub fn stop(self) -> Result<()> {
        if let Some(mut server) = lock(&self.server).take() {
            server.stop(STOP_LIMIT)?;
        }
        if let Some(etcd) = &self.etcd
            && let Some(mut process) = lock(&etcd.process).take()
        {
            process.stop(STOP_LIMIT)?;
        }
        Ok(())
    }

    fn etcd(&self) -> Result<&Etcd> {
        self.etcd
            .as_ref()
            .ok_or_else(|| Error::EtcdNotSeparate(self.options.name.clone()))
    }

    fn halt(&self, process: &Mutex<Option<Process>>) -> Result<()> {
        match lock(process).as_ref() {
            Some(process) => process.freeze(),
            None => Err(Error::NotRunning(self.options.name.clone())),
        }
    }

    fn signal(&self, process: &Mutex<Option<Process>>, signal: Signal) -> Result<()> {
        match lock(process).as_ref() {
            Some(process) => process.signal(signal),
            None => Err(Error::NotRunning(self.options.name.clone())),
        }
    }
}

fn kill(process: &Mutex<Option<Process>>) -> Result<()> {
    match lock(process).take() {
        Some(mut process) => process.kill().map(drop),
        None => Ok(()),
    }
}

/// A test that panicked elsewhere has not harmed the process.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn audit_file(files: &Files) -> PathBuf {
    files.dir.logs().join("audit.log")
}

fn start_server(
    binary: &Path,
    options: &Options,
    files: &Files,
    etcd_url: Option<&str>,
) -> Result<(Process, ClusterReady)> {
    let mut command = command(binary, "serve", &files.dir.data(), &files.port);
    command
        .arg(format!("--pods={}", options.pods))
        .arg(format!("--controllers={}", options.controllers));
    if options.audit {
        command.arg("--audit-log").arg(audit_file(files));
    }
    pass_on(&mut command, "apiserver", &options.apiserver_args);
    pass_on(&mut command, "controller", &options.controller_args);
    match etcd_url {
        Some(url) => {
            command.args(["--etcd-url", url]);
        }
        None => pass_on(&mut command, "etcd", &options.etcd_args),
    }
    let log = files.dir.logs().join("control-plane.log");
    Process::start(
        &format!("cluster {}", options.name),
        command,
        &log,
        options.start_timeout,
    )
}

fn start_etcd(binary: &Path, options: &Options, files: &Files, port: &Port) -> Result<(Process, String)> {
    let mut command = command(binary, "etcd", &files.dir.data().join("etcd"), port);
    pass_on(&mut command, "etcd", &options.etcd_args);
    let log = files.dir.logs().join("etcd.log");
    let name = format!("etcd of cluster {}", options.name);
    let (process, ready) = Process::start::<EtcdReady>(&name, command, &log, options.start_timeout)?;
    Ok((process, ready.url))
}

/// A program of a cluster, without what would let it leave this machine.
pub(crate) fn at_home(program: &Path) -> Command {
    let mut command = Command::new(program);
    // API servers would call webhooks and aggregated APIs through a proxy.
    for variable in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(variable).env_remove(variable.to_lowercase());
    }
    command
}

fn command(binary: &Path, subcommand: &str, data: &Path, port: &Port) -> Command {
    let mut command = at_home(binary);
    command
        .arg(subcommand)
        .arg("--data")
        .arg(data)
        .args(["--port", &port.number().to_string()])
        .args(["--parent", &std::process::id().to_string()]);
    command
}

fn pass_on(command: &mut Command, part: &str, args: &[String]) {
    command.args(args.iter().map(|arg| format!("--{part}-arg={arg}")));
}
