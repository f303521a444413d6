//! Where real clusters come from.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::kind::Need;

/// Where real clusters come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Backend {
    /// The control plane of this project.
    Project,
    /// kube-apiserver and etcd as envtest has them (`sigs.k8s.io/controller-runtime/pkg/envtest`): nothing else runs.
    Envtest {
        /// kube-apiserver.
        server: PathBuf,
        /// etcd.
        etcd: PathBuf,
    },
    /// The cluster of the current kubeconfig context.
    Existing,
}

impl Backend {
    pub(crate) fn from_env() -> Result<Self> {
        Self::of(|name| env::var_os(name).filter(|value| !value.is_empty()))
    }

    /// By the variables that envtest reads too. `KUBEBUILDER_ASSETS` names the folder of the programs that no variable of
    /// their own names.
    fn of(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        if variable("USE_EXISTING_CLUSTER").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Ok(Self::Existing);
        }
        let folder = variable("KUBEBUILDER_ASSETS").map(PathBuf::from);
        let find = |name: &str, own: &str| {
            let own = variable(own).map(PathBuf::from);
            own.or_else(|| folder.as_ref().map(|folder| folder.join(name)))
        };
        let server = find("kube-apiserver", "TEST_ASSET_KUBE_APISERVER");
        let etcd = find("etcd", "TEST_ASSET_ETCD");
        match (server, etcd) {
            (None, None) => Ok(Self::Project),
            (Some(server), _) if !server.is_file() => Err(Error::AssetMissing(server)),
            (_, Some(etcd)) if !etcd.is_file() => Err(Error::AssetMissing(etcd)),
            (Some(server), Some(etcd)) => Ok(Self::Envtest { server, etcd }),
            (Some(_), None) => Err(Error::AssetUnnamed("TEST_ASSET_ETCD")),
            (None, Some(_)) => Err(Error::AssetUnnamed("TEST_ASSET_KUBE_APISERVER")),
        }
    }

    /// Why a test that needs this does not run on it.
    pub(crate) fn lacks(&self, needs: &[Need]) -> Option<String> {
        let (what, lacking): (_, &[Need]) = match self {
            Self::Project => return None,
            Self::Envtest { .. } => ("kube-apiserver and etcd alone have not", &[Need::Controllers]),
            Self::Existing => ("an existing cluster has not", &[Need::Audit, Need::Own]),
        };
        let need = needs.iter().find(|need| lacking.contains(need))?;
        Some(format!("it needs {need}, which {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Backend> {
        Backend::of(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn programs_are_found_as_envtest_finds_them() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = |name: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, "").expect("written");
            path
        };
        let (server, etcd, other) = (file("kube-apiserver"), file("etcd"), file("other"));
        let folder = dir.path().to_str().expect("a path");
        let other_text = other.to_str().expect("a path");
        let envtest = |server: &PathBuf, etcd: &PathBuf| Backend::Envtest {
            server: server.clone(),
            etcd: etcd.clone(),
        };
        let both = [
            ("TEST_ASSET_KUBE_APISERVER", other_text),
            ("TEST_ASSET_ETCD", etcd.to_str().expect("a path")),
        ];
        let cases: [(&[(&str, &str)], Backend); 6] = [
            (&[], Backend::Project),
            (&[("USE_EXISTING_CLUSTER", "false")], Backend::Project),
            (
                &[("USE_EXISTING_CLUSTER", "true"), ("KUBEBUILDER_ASSETS", folder)],
                Backend::Existing,
            ),
            (&[("KUBEBUILDER_ASSETS", folder)], envtest(&server, &etcd)),
            (&both, envtest(&other, &etcd)),
            (
                &[("KUBEBUILDER_ASSETS", folder), ("TEST_ASSET_ETCD", other_text)],
                envtest(&server, &other),
            ),
        ];
        for (variables, expected) in cases {
            assert_eq!(of(variables).expect("known"), expected, "{variables:?}");
        }
        let missing = of(&[("KUBEBUILDER_ASSETS", "/nonexistent")]);
        assert!(matches!(missing, Err(Error::AssetMissing(_))), "{missing:?}");
        let half = of(&both[..1]);
        assert!(
            matches!(half, Err(Error::AssetUnnamed("TEST_ASSET_ETCD"))),
            "{half:?}"
        );
    }

    #[test]
    fn what_a_backend_has_not_is_said() {
        let envtest = Backend::Envtest {
            server: PathBuf::new(),
            etcd: PathBuf::new(),
        };
        let all = [Need::Own, Need::Audit, Need::Controllers];
        let cases = [
            (&Backend::Project, &all[..], ""),
            (&envtest, &all[..2], ""),
            (&envtest, &all[..], "controller manager"),
            (&Backend::Existing, &all[2..], ""),
            (&Backend::Existing, &all[..], "clusters of its own"),
            (&Backend::Existing, &all[1..], "audit log"),
        ];
        for (backend, needs, expected) in cases {
            let lack = backend.lacks(needs).unwrap_or_default();
            assert_eq!(
                lack.is_empty(),
                expected.is_empty(),
                "{backend:?} {needs:?}: {lack}"
            );
            assert!(lack.contains(expected), "{lack}");
        }
    }
}
