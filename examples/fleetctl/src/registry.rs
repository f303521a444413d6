//! Which clusters there are: contexts of a kubeconfig, or Secrets of a hub.

use std::{path::Path, sync::Arc};

use fleet_core::{Cluster, ClusterRegistry};
use fleet_kube::{
    Connect, ConnectionOptions, CredentialPlugins, KubeconfigConnect, KubeconfigRegistry,
    REGISTRY_FILE_SUFFIX, SecretRegistry,
};

use crate::{args::RegistryArgs, render};

/// The clusters, and how to connect to them.
#[derive(Clone)]
pub(crate) struct Registry {
    pub(crate) clusters: Arc<dyn ClusterRegistry>,
    pub(crate) connect: Arc<dyn Connect>,
    /// What has the clusters, and what one of them is called there.
    pub(crate) name: String,
    pub(crate) entry: &'static str,
    /// Where a cluster is named, for people.
    pub(crate) places: Vec<String>,
}

impl Registry {
    pub(crate) async fn of(args: &RegistryArgs) -> Result<Self, String> {
        exists(&args.kubeconfig)?;
        let contexts = KubeconfigRegistry::new(&args.kubeconfig)
            .credential_plugins(CredentialPlugins::Run)
            .on_trouble(|why| anstream::eprintln!("{}", render::warn(why)));
        let options = ConnectionOptions::default();
        let connect = KubeconfigConnect::new(contexts.clone(), options.clone());
        let kubeconfig = args.kubeconfig.display();
        let (Some(secrets), Some(hub)) = (&args.clusters_from_secrets, &args.hub) else {
            return Ok(Self {
                clusters: Arc::new(contexts),
                connect: Arc::new(connect),
                name: "the kubeconfig".to_owned(),
                entry: "context",
                places: vec![
                    format!("its context in {kubeconfig}"),
                    format!("its entry in {kubeconfig}{REGISTRY_FILE_SUFFIX}"),
                ],
            });
        };
        let (namespace, selector) = secrets.split_once('/').unwrap_or((secrets, ""));
        if namespace.is_empty() {
            return Err(format!(
                "--clusters-from-secrets {secrets}: write NAMESPACE or NAMESPACE/SELECTOR"
            ));
        }
        // Whoever can write a Secret of the hub must not be able to run programs here: plugins are refused.
        let hub_there = hub_of(&contexts, hub).await?;
        let mut members = SecretRegistry::new(connect, hub_there, namespace).options(options);
        if !selector.is_empty() {
            members = members.selector(selector);
        }
        Ok(Self {
            clusters: Arc::new(members.clone()),
            connect: Arc::new(members),
            name: format!("namespace {namespace} of {hub}"),
            entry: "Secret",
            places: vec![format!("its Secret in namespace {namespace} of {hub}")],
        })
    }
}

/// The hub as the registry file describes it: the UID it must have counts.
async fn hub_of(contexts: &KubeconfigRegistry, name: &str) -> Result<Cluster, String> {
    let known = contexts.clusters().await;
    let known = known.map_err(|unknown| unknown.message().to_owned())?;
    let hub = known.into_iter().find(|cluster| cluster.name == name);
    hub.ok_or_else(|| format!("--hub {name}: the kubeconfig has no such context"))
}

fn exists(path: &Path) -> Result<(), String> {
    if path.is_file() {
        Ok(())
    } else {
        Err(format!("{}: there is no such kubeconfig", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hub_is_the_cluster_that_the_registry_file_says() {
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("config");
        let contexts = "contexts: [{name: hub, context: {cluster: a, user: b}}]";
        std::fs::write(&kubeconfig, contexts).unwrap();
        std::fs::write(
            dir.path().join("config.clusters.yaml"),
            "clusters: {hub: {uid: u-1}}",
        )
        .unwrap();
        let contexts = KubeconfigRegistry::new(&kubeconfig);
        let hub = hub_of(&contexts, "hub").await.unwrap();
        assert_eq!(hub.expected_id, Some("u-1".into()));
        let wrong = hub_of(&contexts, "hbu").await.unwrap_err();
        assert_eq!(wrong, "--hub hbu: the kubeconfig has no such context");
    }
}
