//! A platform team's whole program: tenants from its own database become objects in every cluster, quotas that somebody
//! raised stay raised, and databases of tenants are never deleted, whatever the inventory says.
//!
//! `cargo run -p embed -- KUBECONFIG [CONTEXT]…`

use std::{error::Error, path::PathBuf, process::ExitCode};

use fleet_core::{
    Action, Cluster, Inventory, InventoryId, InventorySource, LocalJudge, Note, Object, ObjectKey, Parts,
    Reason, Snapshot, Uid, async_trait,
    fleet_diff::{RuleSet, Rules},
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

/// Our own say in fields: a quota is ours when it is made, and its administrators' from then on.
fn rules() -> Result<Rules, Box<dyn Error + Send + Sync>> {
    let quotas = json!([{"id": "quotas", "kinds": {"kinds": ["ResourceQuota"]}, "path": ".spec.hard", "do": "write-once"}]);
    Ok(Rules::builtin().with(RuleSet::from_json(&quotas)?))
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
    let connect = KubeconfigConnect::new(registry.clone(), ConnectionOptions::default());
    let fleet = Fleet::builder(InventoryId::new("tenants")?)
        .connect(connect)
        .registry(registry)
        .source(Tenants(vec!["blue", "green"]))
        .parts(
            Parts::default()
                .judge(LocalJudge::with_rules(rules()?))
                .deletes(keep_databases),
        )
        .observer(|cluster: &Cluster, note: &Note| {
            if let Note::Done { key, action, .. } = note
                && *action != Action::Adopt
            {
                println!("{}: {action} {key}", cluster.name);
            }
        })
        .build()?;
    let outcomes = fleet.apply(&[]).await;
    let outcomes = outcomes.map_err(|unknown| unknown.message().to_owned())?;
    for outcome in &outcomes {
        let failure = outcome.failure.as_ref();
        let state = failure.map_or("done".to_owned(), ToString::to_string);
        println!("{}: {state}", outcome.cluster);
    }
    let all_clean = outcomes.iter().all(fleet_kube::Outcome::is_clean);
    Ok(ExitCode::from(u8::from(!all_clean)))
}
