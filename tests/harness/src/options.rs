use std::fmt;
use std::time::Duration;

use crate::error::{Error, Result};

/// A minor version of Kubernetes that there is a control plane of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kubernetes {
    /// 1.36
    V1_36,
    /// 1.37
    V1_37,
}

impl Kubernetes {
    /// The version as people write it, like `1.36`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kubernetes::V1_36 => "1.36",
            Kubernetes::V1_37 => "1.37",
        }
    }

    /// What the environment variable `FLEET_KUBERNETES` says, or 1.36.
    ///
    /// # Errors
    /// When it says something else than 1.36 or 1.37.
    pub fn from_env() -> Result<Self> {
        match std::env::var("FLEET_KUBERNETES").as_deref() {
            Err(_) | Ok("" | "1.36") => Ok(Kubernetes::V1_36),
            Ok("1.37") => Ok(Kubernetes::V1_37),
            Ok(other) => Err(Error::UnknownKubernetes(other.to_owned())),
        }
    }
}

impl fmt::Display for Kubernetes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a [`ControlPlane`](crate::ControlPlane) shall be like.
#[derive(Debug, Clone)]
pub struct Options {
    pub(crate) name: String,
    pub(crate) kubernetes: Option<Kubernetes>,
    pub(crate) audit: bool,
    pub(crate) pods: bool,
    pub(crate) controllers: bool,
    pub(crate) separate_etcd: bool,
    pub(crate) apiserver_args: Vec<String>,
    pub(crate) controller_args: Vec<String>,
    pub(crate) etcd_args: Vec<String>,
    pub(crate) keep_dir: bool,
    pub(crate) start_timeout: Duration,
}

impl Options {
    /// A cluster with controllers and running pods, etcd in the same process, and no audit log.
    ///
    /// The name is for messages, log directories and contexts; it need not be unique.
    pub fn new(name: impl Into<String>) -> Self {
        Options {
            name: name.into(),
            kubernetes: None,
            audit: false,
            pods: true,
            controllers: true,
            separate_etcd: false,
            apiserver_args: Vec::new(),
            controller_args: Vec::new(),
            etcd_args: Vec::new(),
            keep_dir: false,
            start_timeout: Duration::from_secs(60),
        }
    }

    /// The version; without this, [`Kubernetes::from_env`].
    #[must_use]
    pub fn kubernetes(mut self, kubernetes: Kubernetes) -> Self {
        self.kubernetes = Some(kubernetes);
        self
    }

    /// Whether every request is noted for [`ControlPlane::audit`](crate::ControlPlane::audit).
    #[must_use]
    pub fn audit(mut self, on: bool) -> Self {
        self.audit = on;
        self
    }

    /// Whether pods become Running and Ready, and pods of Jobs Succeeded. A pod's annotation
    /// `fleet.test/phase` (Pending, Running, Succeeded, Failed) says otherwise for that pod.
    #[must_use]
    pub fn pods(mut self, on: bool) -> Self {
        self.pods = on;
        self
    }

    /// Whether the controller manager runs. Without it nothing is garbage collected, no namespace goes
    /// away and no workload makes progress; it saves about 40 MB.
    #[must_use]
    pub fn controllers(mut self, on: bool) -> Self {
        self.controllers = on;
        self
    }

    /// Whether etcd is a process of its own, to be killed and frozen alone.
    #[must_use]
    pub fn separate_etcd(mut self, on: bool) -> Self {
        self.separate_etcd = on;
        self
    }

    /// One more flag for kube-apiserver, as `--name=value`. It replaces the test bed's own value of that flag.
    #[must_use]
    pub fn apiserver_arg(mut self, arg: impl Into<String>) -> Self {
        self.apiserver_args.push(arg.into());
        self
    }

    /// One more flag for kube-controller-manager, likewise.
    #[must_use]
    pub fn controller_arg(mut self, arg: impl Into<String>) -> Self {
        self.controller_args.push(arg.into());
        self
    }

    /// One more flag for etcd, likewise.
    #[must_use]
    pub fn etcd_arg(mut self, arg: impl Into<String>) -> Self {
        self.etcd_args.push(arg.into());
        self
    }

    /// Whether the directory with data and logs stays when the cluster is gone. It is printed then.
    #[must_use]
    pub fn keep_dir(mut self, on: bool) -> Self {
        self.keep_dir = on;
        self
    }

    /// How long each start may take; one minute when not set.
    #[must_use]
    pub fn start_timeout(mut self, limit: Duration) -> Self {
        self.start_timeout = limit;
        self
    }
}
