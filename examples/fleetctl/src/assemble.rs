//! From the command line to a fleet.

use std::{error::Error, path::Path};

use async_trait::async_trait;
use fleet_core::{Cluster, ClusterRegistry, LocalJudge, Observer, Parts, Unknown};
use fleet_kube::{
    ConnectionOptions, CredentialPlugins, DirectorySource, Fleet, FleetBuilder, KubeconfigConnect,
    KubeconfigRegistry,
};

use crate::{args::Common, rules, settings::Settings};

/// The fleet of a folder and a kubeconfig.
pub(crate) struct Assembly {
    pub(crate) builder: FleetBuilder,
    pub(crate) clusters: Listed,
}

/// The contexts of a kubeconfig that the inventory has a folder for.
#[derive(Clone)]
pub(crate) struct Listed {
    registry: KubeconfigRegistry,
    source: DirectorySource,
    /// Read again together with the clusters.
    settings: Settings,
    only: Vec<String>,
}

pub(crate) fn assemble(
    common: &Common,
    observer: impl Observer,
) -> Result<Assembly, Box<dyn Error + Send + Sync>> {
    let source = DirectorySource::new(&common.inventory);
    let settings = Settings::read(&source)?;
    exists(&common.kubeconfig)?;
    let registry = KubeconfigRegistry::new(&common.kubeconfig).credential_plugins(CredentialPlugins::Run);
    let clusters = Listed {
        registry: registry.clone(),
        source: source.clone(),
        settings: settings.clone(),
        only: common.contexts.clone(),
    };
    let started = settings.started().clone();
    let mut builder = Fleet::builder(started.inventory)
        .registry(clusters.clone())
        .connect(KubeconfigConnect::new(registry, ConnectionOptions::default()))
        .source(source)
        .observer(observer)
        .parts(Parts::default().judge(LocalJudge::with_rules(rules::read(&common.rules)?)))
        .settings(move |_| settings.options());
    if let Some(budget) = started.budgets.fleet {
        builder = builder.budget(budget);
    }
    Ok(Assembly { builder, clusters })
}

fn exists(path: &Path) -> Result<(), String> {
    if path.is_file() {
        Ok(())
    } else {
        Err(format!("{}: there is no such kubeconfig", path.display()))
    }
}

#[async_trait]
impl ClusterRegistry for Listed {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        self.settings.refresh();
        let folders = self.source.clusters()?;
        let mut clusters = self.registry.clusters().await?;
        let known: Vec<String> = clusters.iter().map(|c| c.name.clone()).collect();
        if let Some(missing) = self.only.iter().find(|name| !known.contains(name)) {
            return Err(Unknown::because(format!(
                "the kubeconfig has no context `{missing}`"
            )));
        }
        if let Some(missing) = self.only.iter().find(|name| !folders.contains(*name)) {
            return Err(Unknown::because(format!(
                "the inventory has no folder `{missing}`"
            )));
        }
        clusters
            .retain(|c| folders.contains(&c.name) && (self.only.is_empty() || self.only.contains(&c.name)));
        if clusters.is_empty() {
            let contexts = known.join(", ");
            let folders = folders.into_iter().collect::<Vec<_>>().join(", ");
            let why = format!(
                "no context of the kubeconfig has a folder in the inventory (contexts: {contexts}; folders: {folders})"
            );
            return Err(Unknown::because(why));
        }
        Ok(clusters)
    }
}

impl Listed {
    /// Folders that no context of the kubeconfig is for: a mistyped name would go unnoticed. Empty while that is unknown.
    async fn folders_of_nobody(&self) -> Vec<String> {
        let (Ok(folders), Ok(clusters)) = (self.source.clusters(), self.registry.clusters().await) else {
            return Vec::new();
        };
        let is_known = |folder: &String| clusters.iter().any(|cluster| cluster.name == *folder);
        let chosen = |folder: &String| self.only.is_empty() || self.only.contains(folder);
        folders
            .into_iter()
            .filter(|folder| chosen(folder) && !is_known(folder))
            .collect()
    }

    /// As [`ClusterRegistry::clusters`], with an error to print; the one that is to go first must be there.
    pub(crate) async fn clusters_now(
        &self,
        first: Option<&str>,
    ) -> Result<Vec<Cluster>, Box<dyn Error + Send + Sync>> {
        let clusters = self
            .clusters()
            .await
            .map_err(|unknown| unknown.message().to_owned())?;
        for folder in self.folders_of_nobody().await {
            anstream::eprintln!(
                "warning: folder `{folder}` of the inventory has no context in the kubeconfig: nothing is done for it"
            );
        }
        match first.filter(|first| !clusters.iter().any(|c| c.name == *first)) {
            None => Ok(clusters),
            Some(first) => {
                let names: Vec<&str> = clusters.iter().map(|c| c.name.as_str()).collect();
                let why = format!(
                    "--first {first}: there is no such cluster here; there are {}",
                    names.join(", ")
                );
                Err(why.into())
            }
        }
    }
}
