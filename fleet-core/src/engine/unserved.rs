//! Why nothing is done with objects of a kind that the cluster does not serve, or not at their version.

use fleet_diff::GroupKind;

use crate::{
    edge::Fault,
    words::{KindInfo, Reason},
};

const KIND: &str = "kind-not-served";

/// Listed: neither the cluster nor the inventory knows it.
pub(super) fn undefined(kind: &GroupKind) -> Reason {
    let message = format!("the cluster does not serve {kind}, and no CRD of the inventory defines it");
    Reason::new(KIND, message)
}

/// Listed: its CRD of the inventory is to come.
pub(super) fn definition_awaited(kind: &GroupKind, version: &str) -> Reason {
    let message = format!("{kind} is not served at {version} until its CRD is written and established");
    Reason::new("kind-awaited", message)
}

/// Listed: its CRD of the inventory did not come.
pub(super) fn definition_failed(kind: &GroupKind, version: &str) -> Reason {
    let message =
        format!("{kind} is not served at {version}, and its CRD was refused or did not become established");
    Reason::new(KIND, message)
}

/// Listed: it is served, at other versions.
pub(super) fn at_other_versions(kind: &GroupKind, version: &str, info: &KindInfo) -> Reason {
    let message = format!(
        "{kind} is served at {}, not at {version}",
        info.versions.join(", ")
    );
    Reason::new("version-not-served", message)
}

/// Owned: whether it is gone is being found out.
pub(super) fn perhaps_gone() -> Reason {
    Reason::new(KIND, "its kind is not served; finding out whether it is gone")
}

/// Owned: whether it is gone cannot be found out.
pub(super) fn gone_unknown(kind: &GroupKind, fault: &Fault) -> Reason {
    let message = format!("whether {kind} is gone cannot be found out: {fault}");
    Reason::new(KIND, message)
}

/// Owned: it is not gone.
pub(super) fn still_defined(kind: &GroupKind) -> Reason {
    Reason::new(KIND, format!("{kind} is defined but not served"))
}

/// Whether it is served cannot be said.
pub(super) fn undiscovered(group: &str) -> Reason {
    let message = format!("discovery of group {group} is incomplete");
    Reason::new("discovery-incomplete", message)
}
