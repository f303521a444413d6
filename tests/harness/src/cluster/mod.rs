//! A cluster of either kind, used in the same way.

mod ask;
mod simulated;

use std::fs;
use std::sync::Arc;

use fleet_core::Fault;
use fleet_kube::{Connection, ConnectionOptions, SimCluster};
use kube::Client;
use kube::config::{KubeConfigOptions, Kubeconfig};

use crate::audit::{AuditEvent, AuditMark};
use crate::backend::Backend;
use crate::control_plane::ControlPlane;
use crate::envtest::Envtest;
use crate::error::{Error, Result};
use crate::kind::{Kind, Need};
use crate::options::{Kubernetes, Options};
use crate::user::User;

pub use ask::Said;
pub(crate) use ask::ask;
use simulated::Simulated;

/// A cluster, in this process or not. Cheap to clone; it ends with its last clone.
#[derive(Debug, Clone)]
pub struct Cluster {
    name: String,
    way: Way,
}

#[derive(Debug, Clone)]
enum Way {
    InProcess(Simulated),
    Project(Arc<ControlPlane>),
    Envtest(Arc<Envtest>),
    /// One that somebody else keeps: its kubeconfig, and whether that has a context for each [`User`].
    Kept {
        kubeconfig: Arc<str>,
        has_users: bool,
    },
}

impl Cluster {
    /// Starts one. For an in-process one this must be called on a tokio runtime, whose end is its end too; to start a
    /// real one blocks.
    ///
    /// Real ones come from `USE_EXISTING_CLUSTER`, `TEST_ASSET_KUBE_APISERVER` and `TEST_ASSET_ETCD`, `KUBEBUILDER_ASSETS`,
    /// or are the project's own control planes ([`ControlPlane::start`]).
    ///
    /// # Errors
    /// When it does not start, or is none that the options can be had of.
    pub fn start(kind: Kind, options: Options) -> Result<Self> {
        let name = options.name.clone();
        let way = match kind {
            Kind::InProcess => Way::InProcess(Simulated::start(&options)?),
            Kind::Real => {
                let backend = Backend::from_env()?;
                let mut needs = Vec::new();
                needs.extend((options.controllers || options.pods).then_some(Need::Controllers));
                needs.extend(options.audit.then_some(Need::Audit));
                if let Some(why) = backend.lacks(&needs) {
                    return Err(Error::Unsuitable { name, why });
                }
                match backend {
                    Backend::Project => Way::Project(Arc::new(ControlPlane::start(options)?)),
                    Backend::Envtest { server, etcd } => {
                        Way::Envtest(Arc::new(Envtest::start(&server, &etcd, &options)?))
                    }
                    Backend::Existing => Way::existing(&name)?,
                }
            }
        };
        Ok(Self { name, way })
    }

    /// Starts several, at the same time where that makes a difference.
    ///
    /// # Errors
    /// As [`start`](Self::start), and when there is only the one that is there.
    pub fn start_all(kind: Kind, options: impl IntoIterator<Item = Options>) -> Result<Vec<Self>> {
        let options = options.into_iter();
        if kind == Kind::Real {
            let backend = Backend::from_env()?;
            if let Some(why) = backend.lacks(&[Need::Own]) {
                return Err(Error::Unsuitable {
                    name: "several clusters".to_owned(),
                    why,
                });
            }
            if backend == Backend::Project {
                let planes = ControlPlane::start_all(options)?;
                return Ok(planes
                    .into_iter()
                    .map(|plane| Self::from(Arc::new(plane)))
                    .collect());
            }
        }
        options.map(|one| Self::start(kind, one)).collect()
    }

    /// The name from the options.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is.
    pub fn kind(&self) -> Kind {
        match &self.way {
            Way::InProcess(_) => Kind::InProcess,
            _ => Kind::Real,
        }
    }

    /// The in-process server, if it is one.
    pub fn simulated(&self) -> Option<&SimCluster> {
        match &self.way {
            Way::InProcess(simulated) => Some(simulated.cluster()),
            _ => None,
        }
    }

    /// A client that asks as a user.
    ///
    /// # Errors
    /// When the configuration of a real one cannot be used.
    pub async fn client(&self, user: User) -> Result<Client> {
        match &self.way {
            Way::InProcess(simulated) => Ok(simulated.client(user)),
            _ => Client::try_from(self.config(user).await?).map_err(|error| self.unreachable(&error)),
        }
    }

    /// A connection as a user.
    ///
    /// # Errors
    /// As [`Connection::connect`].
    pub async fn connect(
        &self,
        user: User,
        options: ConnectionOptions,
    ) -> std::result::Result<Connection, Fault> {
        if let Way::InProcess(simulated) = &self.way {
            return Connection::over(simulated.client(user), options).await;
        }
        let config = self.config(user).await;
        let config = config.map_err(|error| Fault::new(fleet_core::Remedy::Invalid, error.to_string()))?;
        Connection::connect(config, options).await
    }

    /// The configuration of a client that asks a real one as a user.
    ///
    /// # Errors
    /// For an in-process one, and when it cannot be read.
    pub async fn config(&self, user: User) -> Result<kube::Config> {
        // The first that is installed counts, and there is no other.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (text, has_users) = match &self.way {
            Way::InProcess(_) => return Err(self.unreachable(&"it is in this process, and has no address")),
            Way::Project(plane) => (read(plane.kubeconfig())?.into(), true),
            Way::Envtest(envtest) => (read(envtest.kubeconfig())?.into(), true),
            Way::Kept {
                kubeconfig,
                has_users,
            } => (kubeconfig.clone(), *has_users),
        };
        let kubeconfig = Kubeconfig::from_yaml(&text).map_err(|error| self.unreachable(&error))?;
        let options = KubeConfigOptions {
            context: has_users.then(|| user.as_str().to_owned()),
            ..KubeConfigOptions::default()
        };
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &options).await;
        config.map_err(|error| self.unreachable(&error))
    }

    /// The present end of the note of requests, for [`audit_since`](Self::audit_since).
    ///
    /// # Errors
    /// When none are noted, or the note cannot be read.
    pub fn audit_mark(&self) -> Result<AuditMark> {
        match &self.way {
            Way::InProcess(simulated) => Ok(simulated.audit_mark()),
            Way::Project(plane) => plane.audit_mark(),
            Way::Envtest(envtest) => crate::audit::mark(&envtest.audit_file()?),
            Way::Kept { .. } => Err(Error::NoAudit(self.name.clone())),
        }
    }

    /// Every request that was answered since a mark.
    ///
    /// # Errors
    /// When none are noted, or the note cannot be read.
    pub fn audit_since(&self, mark: AuditMark) -> Result<Vec<AuditEvent>> {
        match &self.way {
            Way::InProcess(simulated) => Ok(simulated.audit_since(mark)),
            Way::Project(plane) => plane.audit_since(mark),
            Way::Envtest(envtest) => crate::audit::read(&envtest.audit_file()?, mark),
            Way::Kept { .. } => Err(Error::NoAudit(self.name.clone())),
        }
    }

    /// Lets it answer nobody, connections staying open, until [`thaw`](Self::thaw).
    ///
    /// # Errors
    /// When it is nobody's to freeze.
    pub fn freeze(&self) -> Result<()> {
        match &self.way {
            Way::InProcess(simulated) => {
                simulated.cluster().freeze();
                Ok(())
            }
            Way::Project(plane) => plane.freeze(),
            Way::Envtest(envtest) => envtest.freeze(),
            Way::Kept { .. } => Err(self.not_ours()),
        }
    }

    /// Ends [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// When it is nobody's to freeze.
    pub fn thaw(&self) -> Result<()> {
        match &self.way {
            Way::InProcess(simulated) => {
                simulated.cluster().thaw();
                Ok(())
            }
            Way::Project(plane) => plane.thaw(),
            Way::Envtest(envtest) => envtest.thaw(),
            Way::Kept { .. } => Err(self.not_ours()),
        }
    }

    /// The minor version that was asked for; of one that somebody else keeps, what the environment says.
    ///
    /// # Errors
    /// As [`Kubernetes::from_env`].
    pub fn kubernetes(&self) -> Result<Kubernetes> {
        match &self.way {
            Way::InProcess(simulated) => Ok(simulated.kubernetes()),
            Way::Project(plane) => Ok(plane.kubernetes()),
            Way::Envtest(_) | Way::Kept { .. } => Kubernetes::from_env(),
        }
    }

    fn unreachable(&self, why: &dyn std::fmt::Display) -> Error {
        Error::Unreachable {
            name: self.name.clone(),
            why: why.to_string(),
        }
    }

    fn not_ours(&self) -> Error {
        Error::Unsuitable {
            name: self.name.clone(),
            why: "it is not ours to stop".to_owned(),
        }
    }
}

impl Way {
    /// The current context of the kubeconfig that clients find.
    fn existing(name: &str) -> Result<Self> {
        let found = Kubeconfig::read().map_err(|error| error.to_string());
        let text = found.and_then(|found| serde_json::to_string(&found).map_err(|error| error.to_string()));
        let text = text.map_err(|why| Error::Unreachable {
            name: name.to_owned(),
            why: format!("USE_EXISTING_CLUSTER asks for the current kubeconfig context: {why}"),
        })?;
        Ok(Way::Kept {
            kubeconfig: text.into(),
            has_users: false,
        })
    }
}

fn read(path: &std::path::Path) -> Result<String> {
    fs::read_to_string(path).map_err(Error::io(format!("read {}", path.display())))
}

impl From<Arc<ControlPlane>> for Cluster {
    fn from(plane: Arc<ControlPlane>) -> Self {
        Self {
            name: plane.name().to_owned(),
            way: Way::Project(plane),
        }
    }
}

/// To be reached only: nothing is known of its requests, and it ends when its owner wants.
impl From<&ControlPlane> for Cluster {
    fn from(plane: &ControlPlane) -> Self {
        // Without the file nothing can be reached, which clients say.
        let text = fs::read_to_string(plane.kubeconfig()).unwrap_or_default();
        Self {
            name: plane.name().to_owned(),
            way: Way::Kept {
                kubeconfig: text.into(),
                has_users: true,
            },
        }
    }
}

impl From<&Cluster> for Cluster {
    fn from(cluster: &Cluster) -> Self {
        cluster.clone()
    }
}
