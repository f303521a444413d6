//! From the command line to a fleet.

use std::{collections::BTreeSet, error::Error};

use async_trait::async_trait;
use fleet_core::{Changes, Cluster, ClusterRegistry, Observer, Unknown};
use fleet_kube::{FileStatus, Fleet, FleetBuilder};

use crate::{
    args::Common, inventory::Inventory, registry::Registry, render, rulebook::Rulebook, settings::Settings,
};

/// The fleet of an inventory and a registry.
pub(crate) struct Assembly {
    pub(crate) builder: FleetBuilder,
    pub(crate) clusters: Listed,
    pub(crate) rules: Rulebook,
}

/// The clusters of a registry; of a folder, those that it has a folder for.
#[derive(Clone)]
pub(crate) struct Listed {
    pub(crate) registry: Registry,
    pub(crate) inventory: Inventory,
    /// Read again together with the clusters.
    pub(crate) settings: Settings,
    /// Likewise.
    rules: Rulebook,
    only: Vec<String>,
}

pub(crate) async fn assemble(
    common: &Common,
    observer: impl Observer,
) -> Result<Assembly, Box<dyn Error + Send + Sync>> {
    let inventory = Inventory::of(&common.inventory)?;
    let settings = Settings::read(&inventory)?;
    if matches!(inventory, Inventory::Server(..)) && !settings.started().empty.is_empty() {
        let name = inventory.settings_name();
        return Err(format!("`empty` in {name} is for folders: a server says itself what is empty").into());
    }
    let rules = Rulebook::read(&common.rules, common.health.as_deref())?;
    let registry = Registry::of(&common.registry).await?;
    let clusters = Listed {
        registry: registry.clone(),
        inventory: inventory.clone(),
        settings: settings.clone(),
        rules: rules.clone(),
        only: common.contexts.clone(),
    };
    let started = settings.started().clone();
    let (book, chosen) = (rules.clone(), rules.clone());
    let mut builder = Fleet::builder(started.inventory)
        .registry(clusters.clone())
        .connect(registry.connect)
        .source(inventory.source())
        .observer(observer)
        .status(FileStatus::beside(&common.registry.kubeconfig))
        .parts_by(move |options| book.parts(options))
        .settings(move |_| {
            let mut options = settings.options()?;
            chosen.choose(&mut options);
            Ok(options)
        });
    if let Some(budget) = started.budgets.fleet {
        builder = builder.budget(budget);
    }
    Ok(Assembly {
        builder,
        clusters,
        rules,
    })
}

#[async_trait]
impl ClusterRegistry for Listed {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        let folders = self.refresh().await?;
        let mut clusters = self.registry.clusters.clusters().await?;
        let Registry { name, entry, .. } = &self.registry;
        let known: Vec<String> = clusters.iter().map(|c| c.name.clone()).collect();
        if let Some(missing) = self.only.iter().find(|name| !known.contains(name)) {
            return Err(Unknown::because(format!("{name} has no {entry} `{missing}`")));
        }
        let has_folder = |name: &String| folders.as_ref().is_none_or(|folders| folders.contains(name));
        if let Some(missing) = self.only.iter().find(|name| !has_folder(name)) {
            return Err(Unknown::because(format!(
                "the inventory has no folder `{missing}`"
            )));
        }
        clusters.retain(|c| has_folder(&c.name) && (self.only.is_empty() || self.only.contains(&c.name)));
        if clusters.is_empty() {
            let entries = known.join(", ");
            let folders = folders.into_iter().flatten().collect::<Vec<_>>().join(", ");
            let why = format!(
                "no {entry} of {name} has a folder in the inventory ({entry}s: {entries}; folders: {folders})"
            );
            return Err(Unknown::because(why));
        }
        let fleet = self.settings.maintenance();
        for cluster in &mut clusters {
            cluster.maintenance = std::mem::take(&mut cluster.maintenance).within(&fleet);
        }
        Ok(clusters)
    }

    fn changes(&self) -> Changes {
        self.registry.clusters.changes()
    }
}

impl Listed {
    /// Reads settings and rules again, and which folders there are, off the threads that serve everything else.
    async fn refresh(&self) -> Result<Option<BTreeSet<String>>, Unknown> {
        let listed = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            listed.settings.refresh();
            if let Some(problem) = listed.rules.refresh() {
                anstream::eprintln!("{}", render::warn(&problem));
            }
            listed.inventory.folders()
        });
        task.await
            .map_err(|_| Unknown::because("the task that reads the inventory's settings failed"))?
    }

    /// Folders that no cluster is for: a mistyped name would go unnoticed. Empty while that is unknown.
    pub(crate) async fn folders_of_nobody(&self) -> Vec<String> {
        let folders = self.inventory.folders();
        let (Ok(Some(folders)), Ok(clusters)) = (folders, self.registry.clusters.clusters().await) else {
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
                "warning: folder `{folder}` of the inventory has no {} in {}: nothing is done for it",
                self.registry.entry,
                self.registry.name
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
