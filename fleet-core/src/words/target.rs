//! The unit of everything: one inventory in one scope of one cluster.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::ClusterId;

/// The name of an inventory: a DNS label of at most 40 characters. It is part of the owner label and of the field
/// manager's name, so two inventories in one cluster never take each other's fields.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InventoryId(Arc<str>);

/// The text is not a DNS label of at most 40 characters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an inventory id: expected 1 to {max} characters of a-z, 0-9 and `-`, starting and ending with a letter or digit", max = InventoryId::LENGTH_MAX)]
pub struct InvalidInventoryId(pub String);

impl InventoryId {
    /// Longest id, in characters.
    pub const LENGTH_MAX: usize = 40;

    /// Checks the text.
    ///
    /// # Errors
    /// When it is not a DNS label of at most [`InventoryId::LENGTH_MAX`] characters.
    pub fn new(text: &str) -> Result<Self, InvalidInventoryId> {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let bytes = text.as_bytes();
        let edges = bytes
            .first()
            .zip(bytes.last())
            .is_some_and(|(a, z)| inner(*a) && inner(*z));
        if edges && bytes.len() <= Self::LENGTH_MAX && bytes.iter().all(|b| inner(*b) || *b == b'-') {
            Ok(Self(text.into()))
        } else {
            Err(InvalidInventoryId(text.into()))
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for InventoryId {
    type Error = InvalidInventoryId;

    fn try_from(text: String) -> Result<Self, InvalidInventoryId> {
        Self::new(&text)
    }
}

impl From<InventoryId> for String {
    fn from(id: InventoryId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl fmt::Display for InventoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for InventoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which part of a cluster an inventory may speak about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Scope {
    /// Everything, cluster-scoped objects included.
    #[default]
    Cluster,
    /// Only namespaced objects in these namespaces.
    Namespaces(BTreeSet<String>),
}

impl Scope {
    /// Whether an object in `namespace` (none: cluster-scoped) is inside.
    pub fn contains(&self, namespace: Option<&str>) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespaces(set) => namespace.is_some_and(|ns| set.contains(ns)),
        }
    }
}

/// Whom to impersonate for every request of a target, reads too.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Identity {
    /// User name.
    pub user: String,
    /// Groups.
    pub groups: Vec<String>,
}

impl Identity {
    /// A user without groups.
    pub fn new(user: impl Into<String>) -> Self {
        Self {
            user: user.into(),
            groups: Vec::new(),
        }
    }
}

/// Cluster + inventory + scope, with an optional identity: the unit of engine, ledger, marks, plan and budget.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Target {
    /// The cluster.
    pub cluster: ClusterId,
    /// The inventory.
    pub inventory: InventoryId,
    /// The part of the cluster it speaks about.
    pub scope: Scope,
    /// Whom to impersonate.
    pub identity: Option<Identity>,
}

impl Target {
    /// A whole cluster under the client's own identity.
    pub fn new(cluster: ClusterId, inventory: InventoryId) -> Self {
        Self {
            cluster,
            inventory,
            scope: Scope::Cluster,
            identity: None,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.cluster, self.inventory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inventory_ids_are_dns_labels() {
        for good in ["a", "fleet", "team-a-7", &"x".repeat(40)] {
            assert_eq!(InventoryId::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "-a", "a-", "A", "a.b", "a_b", "ä", &"x".repeat(41)] {
            assert!(InventoryId::new(bad).is_err(), "{bad}");
        }
    }
}
