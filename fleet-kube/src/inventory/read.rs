//! One reading of an inventory's folder.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Component, Path, PathBuf},
};

use fleet_core::{DigestBuilder, Inventory, Known, Object, ObjectKey, Revision};
use fleet_diff::Located;

use super::{
    FLEET_FILE, FleetFile, INVENTORY_BYTES_MAX, MANIFEST_BYTES_MAX,
    texts::{Objects, Texts},
    walk::{cannot_be_read, is_hidden, manifests, real_path},
};
use crate::files::{FileError, read_settings, read_text};

/// An inventory's folder by its real path.
pub(super) struct Tree {
    root: PathBuf,
    shown: PathBuf,
}

impl Tree {
    pub(super) fn open(dir: &Path) -> Result<Self, FileError> {
        let root = dir.canonicalize().map_err(|error| cannot_be_read(dir, &error))?;
        if root.is_dir() {
            Ok(Self {
                root,
                shown: dir.to_owned(),
            })
        } else {
            Err(FileError::new(dir, "is not a folder"))
        }
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// None where nothing is said.
    pub(super) fn settings(&self) -> Result<Option<FleetFile>, FileError> {
        for other in ["fleet.yml", "fleet.json"].map(|name| self.root.join(name)) {
            if is_there(&other)? {
                return Err(FileError::new(
                    &other,
                    format!("is not read: settings must be named {FLEET_FILE}"),
                ));
            }
        }
        let path = self.root.join(FLEET_FILE);
        if !is_there(&path)? {
            return Ok(None);
        }
        real_path(&self.root, &path)?;
        read_settings(&path, &read_text(&path, MANIFEST_BYTES_MAX)?)
    }

    pub(super) fn clusters(&self) -> Result<BTreeSet<String>, FileError> {
        let mut names: BTreeSet<String> = self.settings()?.unwrap_or_default().empty.into_iter().collect();
        let wrong = |error: std::io::Error| cannot_be_read(&self.root, &error);
        for entry in fs::read_dir(&self.root).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            if let Some(name) = path.file_name().and_then(|name| name.to_str())
                && !is_hidden(&path)
                && path.is_dir()
            {
                names.insert(name.to_owned());
            }
        }
        Ok(names)
    }

    /// What the cluster should hold.
    pub(super) fn read(&self, context: &str, texts: &Texts) -> Result<Known, FileError> {
        let settings = self.settings()?.unwrap_or_default();
        let folder = self.folder(context)?;
        let meant_to_be_empty = settings.empty.iter().any(|name| name == context);
        if meant_to_be_empty && !is_there(&folder)? {
            return Ok(Known::Empty(EMPTY.into()));
        }
        let read = self.files(&folder, texts)?;
        let objects: Vec<Object> = read
            .iter()
            .flat_map(|objects| objects.iter())
            .map(|located| located.object.clone())
            .collect();
        texts.keep(context, read);
        match (objects.is_empty(), meant_to_be_empty) {
            (true, true) => Ok(Known::Empty(EMPTY.into())),
            (true, false) => {
                let why = format!(
                    "has no documents; if that is meant, list `{context}` under `empty` in {FLEET_FILE}"
                );
                Err(FileError::new(&folder, why))
            }
            (false, true) => {
                let why = format!("has documents, and {FLEET_FILE} lists `{context}` under `empty`");
                Err(FileError::new(&folder, why))
            }
            (false, false) => {
                let revision = revision(&objects, &settings.default_namespace);
                let inventory = Inventory::new(revision, objects);
                inventory
                    .map(Known::Objects)
                    .map_err(|error| FileError::new(&folder, error.to_string()))
            }
        }
    }

    fn folder(&self, context: &str) -> Result<PathBuf, FileError> {
        let mut parts = Path::new(context).components();
        let folder = self.root.join(context);
        match (parts.next(), parts.next()) {
            (Some(Component::Normal(name)), None) if name == context && !is_hidden(&folder) => Ok(folder),
            _ => Err(FileError::new(
                &self.root,
                format!("can have no folder for a cluster named `{context}`"),
            )),
        }
    }

    /// What every file below the folder holds, each object once, while nothing there changes.
    fn files(&self, folder: &Path, texts: &Texts) -> Result<Vec<Objects>, FileError> {
        let files = manifests(&self.root, folder)?;
        let mut bytes_left = INVENTORY_BYTES_MAX;
        let mut seen: BTreeMap<ObjectKey, (&Path, usize)> = BTreeMap::new();
        let mut read = Vec::new();
        for file in &files {
            let objects = read_file(&file.path, &mut bytes_left, texts)?;
            for Located { object, line, .. } in &*objects {
                if let Some((other, other_line)) = seen.insert(object.key().clone(), (&file.path, *line)) {
                    let other = self.shown.join(other.strip_prefix(&self.root).unwrap_or(other));
                    let why = format!(
                        "{} is listed here and in {}:{other_line}",
                        object.key(),
                        other.display()
                    );
                    return Err(FileError::at(&file.path, *line, why));
                }
            }
            read.push(objects);
        }
        if manifests(&self.root, folder)? == files {
            Ok(read)
        } else {
            Err(FileError::new(folder, "changed while it was read"))
        }
    }
}

/// The revision of what is known to be empty.
const EMPTY: &str = "empty";

fn read_file(path: &Path, bytes_left: &mut usize, texts: &Texts) -> Result<Objects, FileError> {
    let text = read_text(path, MANIFEST_BYTES_MAX)?;
    *bytes_left = bytes_left.checked_sub(text.len()).ok_or_else(|| {
        FileError::new(
            path,
            format!("is one of files with more than {INVENTORY_BYTES_MAX} bytes together"),
        )
    })?;
    texts
        .read(&text)
        .map_err(|error| FileError::at(path, error.line(), error.reason().to_string()))
}

/// Of the objects in any order, and of what they are taken to mean.
fn revision(objects: &[Object], default_namespace: &str) -> Revision {
    let mut sorted: Vec<&Object> = objects.iter().collect();
    sorted.sort_by_key(|object| object.key());
    let digest = sorted
        .iter()
        .fold(DigestBuilder::new().text(default_namespace), |all, one| {
            all.digest(&one.digest())
        });
    digest.finish().short().as_str().into()
}

/// Whether there is something at the path, if only a link to nowhere.
fn is_there(path: &Path) -> Result<bool, FileError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(cannot_be_read(path, &error)),
    }
}
