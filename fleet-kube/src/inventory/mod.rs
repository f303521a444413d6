//! Where inventories come from: folders on disk, one per cluster, and HTTP(S) servers.

mod fleet_file;
#[cfg(feature = "file-events")]
mod folders;
#[cfg(feature = "http")]
mod http;
mod read;
#[cfg(test)]
mod tests;
mod texts;
mod walk;

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use fleet_core::{Cluster, EngineOptions, InventorySource, Known, Snapshot, Unknown};

pub use fleet_file::{Budgets, FleetFile, Leaving, Waiting};
#[cfg(feature = "http")]
pub use http::{HttpLimits, HttpSource, HttpSourceError};

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
/// a change that stops half-way between two files cannot be told from one that was meant. Every file is read each time,
/// and made into objects again only when its text is another. Clones remember together.
///
/// With this crate's feature `file-events` it hints at changes once nothing has changed for 500 ms and (on Linux) no
/// file is open for writing, or after 10 s of changes: in the folder, in what links in it lead to, and when `DIR` itself is replaced. Without it, and where
/// events cannot be had or get lost (network file systems), a change is found at the next reading.
#[derive(Clone)]
pub struct DirectorySource {
    dir: PathBuf,
    texts: Arc<Texts>,
    #[cfg(feature = "file-events")]
    trouble: crate::files::events::Trouble,
}

impl DirectorySource {
    /// Over a folder; nothing is read yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            texts: Arc::default(),
            #[cfg(feature = "file-events")]
            trouble: crate::files::events::Trouble::default(),
        }
    }

    /// Who is told when changes cannot be noticed by events and will be found only at the interval: once for each such
    /// time. Default: it is logged as a warning.
    #[cfg(feature = "file-events")]
    #[must_use]
    pub fn on_trouble(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.trouble = crate::files::events::Trouble::new(tell);
        self
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The settings, as they are now. Without the file they are the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or is not valid.
    pub fn settings(&self) -> Result<FleetFile, FileError> {
        self.find_settings().map(Option::unwrap_or_default)
    }

    /// The settings, as they are now; none where there is no such file, or no content in it.
    ///
    /// # Errors
    /// When the file cannot be read or is not valid.
    pub fn find_settings(&self) -> Result<Option<FleetFile>, FileError> {
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

    #[cfg(feature = "file-events")]
    fn changes(&self) -> fleet_core::Changes {
        let dir = self.dir.clone();
        crate::files::events::changes(self.trouble.clone(), move || folders::watched(&dir))
    }
}

impl fmt::Debug for DirectorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DirectorySource({})", self.dir.display())
    }
}
