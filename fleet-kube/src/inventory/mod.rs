//! Inventories on disk: one folder per cluster.

mod fleet_file;
mod read;
#[cfg(test)]
mod tests;
mod texts;
mod walk;

use std::{collections::BTreeSet, path::PathBuf, sync::Arc};

use async_trait::async_trait;
use fleet_core::{Cluster, EngineOptions, InventorySource, Known, Snapshot, Unknown};

pub use fleet_file::{Budgets, FleetFile};

use crate::files::FileError;
use read::Tree;
use texts::Texts;

/// The settings file of an inventory.
pub const FLEET_FILE: &str = "fleet.yaml";
/// Largest manifest file, and largest settings file, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 16 << 20;
/// All manifests of one cluster together, in bytes.
pub const INVENTORY_BYTES_MAX: usize = 256 << 20;
/// Most manifest files of one cluster.
pub const MANIFEST_FILES_MAX: usize = 10_000;

/// Reads `DIR/<context>/**/*.{yaml,yml,json}`: everything below the folder of a cluster's name is what that cluster
/// should hold. Settings are in `DIR/fleet.yaml` ([`FleetFile`]).
///
/// The answer is unknown, and so changes nothing, whenever something is not as it should be:
///
/// - a folder is missing or without documents, unless `fleet.yaml` lists it under `empty`; or it has documents and
///   is listed there;
/// - a file cannot be read, is not valid, is larger than a limit, or changes while it is read; or any file comes or
///   goes meanwhile;
/// - an object is listed twice;
/// - a link leads out of `DIR`, nowhere, or in a circle;
/// - the cluster's name cannot be a folder's (it has a `/`, or begins with a dot).
///
/// The reason names file and line, never content. Names that begin with a dot and other extensions are passed over.
///
/// The revision is the hash of the objects and of the namespace of those that name none: the same objects in other
/// files, or in another order, have the same revision.
///
/// Whoever changes the folder should do it in one step, by renaming a folder or a link (`DIR` itself may be a link):
/// a change that stops half-way between two files cannot be told from one that was meant. There are no hints of
/// change; the driver reads at its interval. Every file is read each time, and made into objects again only when its
/// text is another. Clones remember together.
#[derive(Clone, Debug)]
pub struct DirectorySource {
    dir: PathBuf,
    texts: Arc<Texts>,
}

impl DirectorySource {
    /// Over a folder; nothing is read yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            texts: Arc::default(),
        }
    }

    /// The settings, as they are now. Without the file they are the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or is not valid.
    pub fn settings(&self) -> Result<FleetFile, FileError> {
        self.on_tree(Tree::settings)
    }

    /// Names of the clusters it speaks about: its folders, and those said to be empty.
    ///
    /// # Errors
    /// When the folder or the settings cannot be read.
    pub fn clusters(&self) -> Result<BTreeSet<String>, FileError> {
        let clusters = self.on_tree(Tree::clusters)?;
        self.texts.only(|cluster| clusters.contains(cluster));
        Ok(clusters)
    }

    /// The engine's options that the settings ask for.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub fn options(&self) -> Result<EngineOptions, FileError> {
        Ok(self.settings()?.options())
    }

    fn read(&self, context: &str) -> Result<Known, FileError> {
        self.on_tree(|tree| tree.read(context, &self.texts))
    }

    /// Works on the folder's real path, so that one answer comes from one folder even if `DIR` is a link that is
    /// changed meanwhile; errors name paths as they were given.
    fn on_tree<T>(&self, work: impl FnOnce(&Tree) -> Result<T, FileError>) -> Result<T, FileError> {
        let tree = Tree::open(&self.dir)?;
        work(&tree).map_err(|error| error.rebased(tree.root(), &self.dir))
    }
}

#[async_trait]
impl InventorySource for DirectorySource {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let (source, context) = (self.clone(), cluster.name.clone());
        // Files are read away from the threads that drive clusters.
        match tokio::task::spawn_blocking(move || source.read(&context)).await {
            Ok(answer) => answer.map_err(Unknown::from),
            Err(error) => Err(Unknown::caused_by(error)),
        }
    }
}
