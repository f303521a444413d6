//! Inventories on disk: one folder per cluster.

mod fleet_file;
mod walk;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use fleet_core::{
    Cluster, EngineOptions, Inventory, InventorySource, Known, Object, Snapshot, Unknown,
};
use fleet_diff::{ReadLimits, read_objects};

pub use fleet_file::{Budgets, FleetFile};

use crate::files::{FileError, read_settings, read_text};

/// The settings file of an inventory.
pub const FLEET_FILE: &str = "fleet.yaml";
/// Largest manifest file, in bytes.
pub const MANIFEST_BYTES_MAX: usize = 16 << 20;
/// Most manifest files of one cluster.
pub const MANIFEST_FILES_MAX: usize = 10_000;

/// Reads `DIR/<context>/**/*.{yaml,yml,json}`: everything below the folder of a cluster's name is what that cluster
/// should hold. Settings are in `DIR/fleet.yaml` ([`FleetFile`]).
///
/// The answer is unknown, and so changes nothing, whenever something is not as it should be: a folder is missing or
/// without documents (unless `fleet.yaml` says that it is meant to be empty), a file cannot be read, is not valid,
/// or changes while it is read, an object is listed twice. The reason names file and line, never content.
///
/// Names that begin with a dot and other extensions are passed over; links are followed as long as they stay inside
/// `DIR`. The revision is the content's hash: the same objects in other files have the same revision.
#[derive(Clone, Debug)]
pub struct DirectorySource {
    dir: PathBuf,
}

impl DirectorySource {
    /// Over a folder; nothing is read yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }

    /// The settings, as they are now. Without the file they are the defaults.
    ///
    /// # Errors
    /// When the file cannot be read or is not valid.
    pub fn settings(&self) -> Result<FleetFile, FileError> {
        let path = self.dir.join(FLEET_FILE);
        if !self.dir.is_dir() {
            return Err(FileError::new(&self.dir, "is not a folder"));
        }
        if !path.exists() {
            return Ok(FleetFile::default());
        }
        let file: FleetFile = read_settings(&path, &read_text(&path, MANIFEST_BYTES_MAX)?)?;
        file.check().map_err(|why| FileError::new(&path, why))?;
        Ok(file)
    }

    /// Names of the clusters it speaks about: its folders, and those said to be empty.
    ///
    /// # Errors
    /// When the folder or the settings cannot be read.
    pub fn clusters(&self) -> Result<BTreeSet<String>, FileError> {
        let mut names: BTreeSet<String> = self.settings()?.empty.into_iter().collect();
        let wrong = |error: std::io::Error| FileError::new(&self.dir, format!("cannot be read: {error}"));
        for entry in std::fs::read_dir(&self.dir).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            if entry.path().is_dir() {
                names.insert(name.to_owned());
            }
        }
        Ok(names)
    }

    /// The engine's options that the settings ask for.
    ///
    /// # Errors
    /// When the settings cannot be read.
    pub fn options(&self) -> Result<EngineOptions, FileError> {
        Ok(self.settings()?.options())
    }

    fn read(&self, context: &str) -> Result<Known, Unknown> {
        let settings = self.settings()?;
        let folder = self.dir.join(context);
        let meant_to_be_empty = settings.empty.iter().any(|name| name == context);
        if meant_to_be_empty && !folder.exists() {
            return Ok(Known::Empty("empty".into()));
        }
        let mut seen: BTreeMap<_, PathBuf> = BTreeMap::new();
        let mut objects: Vec<Object> = Vec::new();
        for path in walk::manifests(&self.dir, &folder)? {
            for object in read_file(&path)? {
                if let Some(other) = seen.insert(object.key().clone(), path.clone()) {
                    let why = format!("{} is listed here and in {}", object.key(), other.display());
                    return Err(FileError::new(&path, why).into());
                }
                objects.push(object);
            }
        }
        match (objects.is_empty(), meant_to_be_empty) {
            (true, true) => Ok(Known::Empty("empty".into())),
            (true, false) => {
                let why = format!("has no documents; if that is meant, list `{context}` under `empty` in {FLEET_FILE}");
                Err(FileError::new(&folder, why).into())
            }
            (false, true) => {
                let why = format!("has documents, and {FLEET_FILE} lists `{context}` under `empty`");
                Err(FileError::new(&folder, why).into())
            }
            (false, false) => Ok(Known::Objects(Inventory::with_content_revision(objects)?)),
        }
    }
}

fn read_file(path: &Path) -> Result<Vec<Object>, FileError> {
    let text = read_text(path, MANIFEST_BYTES_MAX)?;
    let found = read_objects(&text, &ReadLimits::default())
        .map_err(|error| FileError::at(path, error.line(), error.reason().to_string()))?;
    Ok(found.into_iter().map(|located| located.object).collect())
}

#[async_trait]
impl InventorySource for DirectorySource {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let (source, context) = (self.clone(), cluster.name.clone());
        // Files are read away from the threads that drive clusters.
        match tokio::task::spawn_blocking(move || source.read(&context)).await {
            Ok(snapshot) => snapshot,
            Err(error) => Err(Unknown::caused_by(error)),
        }
    }
}
