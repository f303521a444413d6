use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

/// What went wrong with a control plane, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A binary was never built.
    #[error(
        "there is no {path}: run `cargo xtask control-plane --kubernetes {minor}`, or set {variable} to one",
        path = path.display()
    )]
    BinaryMissing {
        /// Where it was looked for.
        path: PathBuf,
        /// The Kubernetes minor version it should have, like `1.36`.
        minor: &'static str,
        /// The environment variable that can name it.
        variable: &'static str,
    },
    /// `FLEET_KUBERNETES` names a version that we have no control plane for.
    #[error("FLEET_KUBERNETES is {0:?}: set it to 1.36 or 1.37, or unset it")]
    UnknownKubernetes(String),
    /// `FLEET_CLUSTERS` names no kind of clusters.
    #[error("FLEET_CLUSTERS is {0:?}: set it to in-process or real, or unset it")]
    UnknownKind(String),
    /// A program that a variable of the environment names is not there.
    #[error(
        "there is no {path}: let TEST_ASSET_KUBE_APISERVER, TEST_ASSET_ETCD or KUBEBUILDER_ASSETS name programs that are \
         there, or unset them",
        path = .0.display()
    )]
    AssetMissing(PathBuf),
    /// One of the two programs is named and the other is not.
    #[error("an API server needs its etcd and the other way round: set {0} too, or KUBEBUILDER_ASSETS")]
    AssetUnnamed(&'static str),
    /// A cluster that is there cannot be used as it was asked for.
    #[error("{name}: {why}")]
    Unsuitable {
        /// The cluster's name.
        name: String,
        /// What it lacks.
        why: String,
    },
    /// A cluster cannot be reached.
    #[error("{name} cannot be reached: {why}")]
    Unreachable {
        /// The cluster's name.
        name: String,
        /// What was tried, and what came of it.
        why: String,
    },
    /// Every port of our range is taken.
    #[error(
        "no free port from 15000 to 29999: end other test runs, and look who holds the files in {}",
        .0.display()
    )]
    NoPort(PathBuf),
    /// The process ended instead of getting ready.
    #[error("{name} ended ({status}) before it was ready; the end of {log}:\n{tail}", log = log.display())]
    Ended {
        /// The cluster's name, with the part in question.
        name: String,
        /// How it ended.
        status: ExitStatus,
        /// Its whole log.
        log: PathBuf,
        /// The last lines of its log.
        tail: String,
    },
    /// The process lives but did not get ready in time.
    #[error(
        "{name} was not ready after {limit:?}: the machine may be busy (`Options::start_timeout` allows more); \
         the end of {log}:\n{tail}",
        log = log.display()
    )]
    Late {
        /// The cluster's name, with the part in question.
        name: String,
        /// How long we waited.
        limit: Duration,
        /// Its whole log.
        log: PathBuf,
        /// The last lines of its log.
        tail: String,
    },
    /// The line that says that it is ready is not what we know.
    #[error(
        "{name} got ready with a line that we do not know ({source}): rebuild it with `cargo xtask control-plane`; it said {line}"
    )]
    UnknownLine {
        /// The cluster's name, with the part in question.
        name: String,
        /// The line.
        line: String,
        /// Why it cannot be read.
        source: serde_json::Error,
    },
    /// Something was asked of a process that does not run.
    #[error("{0} does not run: `restart` it first")]
    NotRunning(String),
    /// Something was asked about etcd alone, but etcd is a part of the one process.
    #[error("{0} has its etcd in the same process: start it with `Options::separate_etcd(true)`")]
    EtcdNotSeparate(String),
    /// The audit log was asked for, but none is written.
    #[error("{0} writes no audit log: start it with `Options::audit(true)`")]
    NoAudit(String),
    /// A line of the audit log cannot be read.
    #[error("line {line} of {file} is no audit event: {source}", file = file.display())]
    AuditLine {
        /// The audit log.
        file: PathBuf,
        /// The line's number among those that were read, from 1.
        line: usize,
        /// Why it cannot be read.
        source: serde_json::Error,
    },
    /// A signal could not be sent.
    #[error("{name} could not be sent {signal}: {source}")]
    Signal {
        /// The cluster's name, with the part in question.
        name: String,
        /// The signal.
        signal: nix::sys::signal::Signal,
        /// The system's answer.
        source: nix::Error,
    },
    /// The operating system refused something.
    #[error("{what}: {source}")]
    Io {
        /// What we tried, with the file it was about.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
}

impl Error {
    /// For `map_err`: an [`Error::Io`] that says what was tried.
    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Error {
        let what = what.into();
        move |source| Error::Io { what, source }
    }
}

/// A result with our [`Error`].
pub type Result<T> = std::result::Result<T, Error>;
