//! A platform team's whole program: tenants from its own database become objects in every cluster, and databases of
//! tenants are never deleted, whatever the inventory says.
//!
//! `cargo run -p embed -- KUBECONFIG [CONTEXT]…`

use std::{error::Error, path::PathBuf, process::ExitCode};

use fleet_core::{
    Action, Cluster, Inventory, InventoryId, InventorySource, Note, Object, ObjectKey, Parts, Reason,
    Snapshot, Uid, async_trait,
};
use fleet_kube::{ConnectionOptions, Fleet, KubeconfigConnect, KubeconfigRegistry};
use serde_json::json;

/// Where desired state comes from: here a list, in earnest a database.
struct Tenants(Vec<&'static str>);

#[async_trait]
impl InventorySource for Tenants {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let mut objects = Vec::new();
        for tenant in &self.0 {
            // `?` on anything means "unknown", and unknown changes nothing.
            objects.push(Object::from_json(json!({
                "apiVersion": "v1", "kind": "Namespace",
                "metadata": {"name": tenant, "labels": {"team.example.com/cluster": cluster.name}},
            }))?);
            objects.push(Object::from_json(json!({
                "apiVersion": "v1", "kind": "ResourceQuota",
                "metadata": {"namespace": tenant, "name": "default"},
                "spec": {"hard": {"pods": "20", "requests.cpu": "8"}},
            }))?);
            objects.push(Object::from_json(json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"namespace": tenant, "name": "database"},
                "data": {"host": format!("{tenant}.db.example.com")},
            }))?);
        }
        Inventory::with_content_revision(objects)?.snapshot()
    }
}

/// Our own say in deletes: what names a database stays.
fn keep_databases(key: &ObjectKey, _: &Uid) -> Result<(), Reason> {
    if key.name() == "database" {
        return Err(Reason::new("database", "databases are removed by hand"));
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut args = std::env::args().skip(1);
    let kubeconfig: PathBuf = args.next().ok_or("usage: embed KUBECONFIG [CONTEXT]…")?.into();
    let contexts: Vec<String> = args.collect();
    let mut registry = KubeconfigRegistry::new(kubeconfig);
    if !contexts.is_empty() {
        registry = registry.contexts(contexts);
    }
    let fleet = Fleet::builder(InventoryId::new("tenants")?)
        .connect(KubeconfigConnect::new(
            registry.clone(),
            ConnectionOptions::default(),
        ))
        .registry(registry)
        .source(Tenants(vec!["blue", "green"]))
        .parts(Parts::default().deletes(keep_databases))
        .observer(|cluster: &Cluster, note: &Note| {
            if let Note::Done { key, action, .. } = note
                && *action != Action::Adopt
            {
                println!("{}: {action} {key}", cluster.name);
            }
        })
        .build()?;
    let outcomes = fleet
        .apply(&[])
        .await
        .map_err(|unknown| unknown.message().to_owned())?;
    for outcome in &outcomes {
        let state = outcome
            .failure
            .as_ref()
            .map_or("done".to_owned(), ToString::to_string);
        println!("{}: {state}", outcome.cluster);
    }
    Ok(if outcomes.iter().all(fleet_kube::Outcome::is_clean) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
