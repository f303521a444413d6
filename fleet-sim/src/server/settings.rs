//! How a server is set up.

/// What a server is like. The default is a Kubernetes 1.36 that remembers ten thousand changes of each resource.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Settings {
    /// Minor version, such as `1.36`: one of [`fleet_diff::Schemas::KUBERNETES`].
    pub kubernetes: String,
    /// UIDs and times at which watches end are made of it: two servers of one seed that get the same requests give
    /// the same answers, and servers of different seeds different UIDs.
    pub seed: u64,
    /// Changes of each resource that are remembered for watches and paged lists.
    pub history: usize,
    /// Whether the controllers work that run beside an API server: without them, nothing happens but what requests do,
    /// and that CRDs are established.
    pub controllers: bool,
    /// Most bytes of a body.
    pub body_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kubernetes: "1.36".to_owned(),
            seed: 0,
            history: 10_000,
            controllers: true,
            body_bytes: 3 * 1024 * 1024,
        }
    }
}

impl Settings {
    /// With this seed.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Of this minor version.
    #[must_use]
    pub fn version(self, kubernetes: impl Into<String>) -> Self {
        Self {
            kubernetes: kubernetes.into(),
            ..self
        }
    }

    pub(crate) fn kubernetes(&self) -> &str {
        &self.kubernetes
    }
}
