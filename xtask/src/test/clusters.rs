//! Which clusters tests get, and which tests do not run on them.

use std::env;

use crate::Result;

/// Where clusters come from in this run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Clusters {
    /// In this process, and the project's own control planes.
    All,
    /// Only the project's own control planes.
    Own,
    /// Only in this process.
    InProcess,
    /// In this process, and programs or a cluster that the environment names; or only these.
    Foreign { only: bool },
}

/// Suites that are about a process, a proxy, or what a server does by itself: they need the project's own control plane.
const OWN: [(&str, &str); 13] = [
    (
        "fleet-kube: real_server",
        "it is about TLS, tokens and servers that are killed",
    ),
    (
        "fleet-kube: secret_members",
        "it is about credentials of real servers",
    ),
    ("harness: cluster", "it is about the control plane as a process"),
    (
        "harness: envtest",
        "it makes the control plane look like other programs",
    ),
    ("harness: parent_death", "it is about processes that die together"),
    ("suites: alike", "it compares with the project's control plane"),
    ("suites: explain", "it is about a program with a kubeconfig"),
    (
        "suites: fleetctl_sources",
        "it is about a program with a kubeconfig",
    ),
    (
        "suites: fleetctl_waves",
        "it is about a program with a kubeconfig",
    ),
    (
        "suites: kill",
        "it kills a process, and looks at it through a proxy",
    ),
    ("suites: programs", "it is about programs with a kubeconfig"),
    (
        "suites: sim_discovery",
        "it compares with the project's control plane",
    ),
    ("suites: truth", "it compares with the project's control plane"),
];

impl Clusters {
    pub(super) fn of(asked: Option<&str>) -> Result<Self> {
        let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
        let names = [
            "KUBEBUILDER_ASSETS",
            "TEST_ASSET_KUBE_APISERVER",
            "TEST_ASSET_ETCD",
        ];
        let existing = env::var("USE_EXISTING_CLUSTER").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
        let foreign = existing || names.iter().any(|name| is_set(name));
        match (asked, foreign) {
            (Some("in-process"), _) => Ok(Self::InProcess),
            (Some("real"), true) => Ok(Self::Foreign { only: true }),
            (Some("real"), false) => Ok(Self::Own),
            (None, true) => Ok(Self::Foreign { only: false }),
            (None, false) => Ok(Self::All),
            (Some(other), _) => Err(format!("there are no clusters {other:?}").into()),
        }
    }

    /// Whether the project's own control plane is there.
    pub(super) fn has_own(&self) -> bool {
        matches!(self, Self::All | Self::Own)
    }

    /// The value of `FLEET_CLUSTERS` for the tests.
    pub(super) fn variable(&self) -> &'static str {
        match self {
            Self::All | Self::Foreign { only: false } => "",
            Self::Own | Self::Foreign { only: true } => "real",
            Self::InProcess => "in-process",
        }
    }

    /// Why a suite does not run at all; none when it does.
    pub(super) fn hindrance(&self, suite: &str) -> Option<String> {
        if self.has_own() {
            return None;
        }
        let (_, why) = OWN.iter().find(|(name, _)| *name == suite)?;
        Some(format!("{suite} needs the project's control plane: {why}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_suites_about_processes_need_the_own_control_plane() {
        let own = "suites: kill";
        for clusters in [Clusters::All, Clusters::Own] {
            assert_eq!((clusters.has_own(), clusters.hindrance(own)), (true, None));
        }
        for clusters in [Clusters::InProcess, Clusters::Foreign { only: true }] {
            assert!(!clusters.has_own());
            assert!(clusters.hindrance(own).is_some_and(|why| why.contains("a proxy")));
            assert_eq!(clusters.hindrance("suites: smoke"), None);
        }
    }
}
