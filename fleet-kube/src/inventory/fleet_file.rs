//! `fleet.yaml`: the settings of a directory inventory.

use fleet_core::{Adoption, DeleteBudget, EngineOptions, GroupKind, InventoryId, Propagation};
use serde::Deserialize;

use crate::files::Settings;

/// Settings of a directory inventory. Every field has a default; unknown fields are refused.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct FleetFile {
    /// The inventory's id: a DNS label of at most 40 characters. Default: `fleet`.
    pub inventory: InventoryId,
    /// Namespace of namespaced objects that name none. Default: `default`.
    pub default_namespace: String,
    /// Clusters that are meant to hold nothing.
    pub empty: Vec<String>,
    /// What happens to objects that exist and are not ours: `refuse` (default), `adopt-equal` or `adopt`.
    pub adoption: Adoption,
    /// Kinds whose deletes are permitted although they take other things with them, such as `Namespace` or
    /// `CustomResourceDefinition.apiextensions.k8s.io`.
    pub deletes: Vec<String>,
    /// Further kinds whose deletes need such a permission.
    pub guarded: Vec<String>,
    /// How many deletes are allowed in a time.
    pub budgets: Budgets,
    /// What deletes do to dependents: `background` (default) or `foreground`.
    pub propagation: Propagation,
}

/// Budgets of deletes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Budgets {
    /// For each cluster.
    pub target: DeleteBudget,
    /// For all clusters together.
    pub fleet: Option<DeleteBudget>,
}

impl Settings for FleetFile {}

impl Default for FleetFile {
    fn default() -> Self {
        let inventory = InventoryId::new("fleet").unwrap_or_else(|_| unreachable!("a fixed id that is valid"));
        Self {
            inventory,
            default_namespace: "default".to_owned(),
            empty: Vec::new(),
            adoption: Adoption::default(),
            deletes: Vec::new(),
            guarded: Vec::new(),
            budgets: Budgets::default(),
            propagation: Propagation::default(),
        }
    }
}

impl FleetFile {
    /// What serde cannot check.
    pub(super) fn check(&self) -> Result<(), String> {
        let bad = self.deletes.iter().chain(&self.guarded).find(|text| kind(text).is_none());
        match bad {
            Some(text) => Err(format!("`{text}` is not a kind: write `Kind` or `Kind.group`")),
            None => Ok(()),
        }
    }

    /// The engine's options these settings ask for.
    pub fn options(&self) -> EngineOptions {
        let mut options = EngineOptions::default();
        options.default_namespace.clone_from(&self.default_namespace);
        options.adoption = self.adoption;
        options.permitted_kinds = self.deletes.iter().filter_map(|text| kind(text)).collect();
        options.guarded = self.guarded.iter().filter_map(|text| kind(text)).collect();
        options.budget = self.budgets.target;
        options.propagation = self.propagation;
        options
    }
}

/// `Kind` or `Kind.group`.
fn kind(text: &str) -> Option<GroupKind> {
    let (kind, group) = text.split_once('.').unwrap_or((text, ""));
    let named = kind.starts_with(|c: char| c.is_ascii_uppercase()) && kind.chars().all(|c| c.is_ascii_alphanumeric());
    named.then(|| GroupKind::new(group, kind))
}
