//! Finds the manifests below a folder.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use super::MANIFEST_FILES_MAX;
use crate::files::{FileError, Stamp};

/// Most entries of folders looked at for one cluster, manifests or not.
const ENTRIES_MAX: usize = 100_000;

/// A manifest file, and the state it was found in.
#[derive(PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) path: PathBuf,
    stamp: Stamp,
}

/// All manifests below `folder`, in the order of their paths.
///
/// # Errors
/// When a folder cannot be read, a link leads out of `root` (which must be its real path), nowhere or in a circle, or
/// there are too many files.
pub(super) fn manifests(root: &Path, folder: &Path) -> Result<Vec<Manifest>, FileError> {
    let mut walk = Walk {
        root,
        inside: Vec::new(),
        entries: 0,
        found: Vec::new(),
    };
    walk.folder(folder)?;
    walk.found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(walk.found)
}

/// The real path of something that must be inside `root`.
///
/// # Errors
/// When it is not there, or a link leads out of `root`.
pub(super) fn real_path(root: &Path, path: &Path) -> Result<PathBuf, FileError> {
    let real = path
        .canonicalize()
        .map_err(|error| cannot_be_read(path, &error))?;
    if real.starts_with(root) {
        Ok(real)
    } else {
        Err(FileError::new(path, "is a link out of the inventory's folder"))
    }
}

pub(super) fn cannot_be_read(path: &Path, error: &std::io::Error) -> FileError {
    FileError::new(path, format!("cannot be read: {error}"))
}

struct Walk<'a> {
    root: &'a Path,
    /// Real paths of the folders we are in.
    inside: Vec<PathBuf>,
    entries: usize,
    found: Vec<Manifest>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path) -> Result<(), FileError> {
        let real = real_path(self.root, folder)?;
        if self.inside.contains(&real) {
            return Err(FileError::new(folder, "is a link to a folder it is in"));
        }
        self.inside.push(real);
        let wrong = |error: std::io::Error| cannot_be_read(folder, &error);
        for entry in fs::read_dir(folder).map_err(wrong)? {
            let path = entry.map_err(wrong)?.path();
            self.entries += 1;
            if self.entries > ENTRIES_MAX {
                return Err(FileError::new(
                    folder,
                    format!("is one of more than {ENTRIES_MAX} files and folders"),
                ));
            }
            self.entry(path)?;
        }
        self.inside.pop();
        Ok(())
    }

    fn entry(&mut self, path: PathBuf) -> Result<(), FileError> {
        if is_hidden(&path) {
            return Ok(());
        }
        let wrong = |error: std::io::Error| cannot_be_read(&path, &error);
        let is_link = fs::symlink_metadata(&path).map_err(wrong)?.is_symlink();
        let stamp = Stamp::of(&path).map_err(wrong)?;
        if stamp.is_folder {
            return self.folder(&path);
        }
        if !is_manifest(&path) {
            return Ok(());
        }
        if is_link {
            real_path(self.root, &path)?;
        }
        if self.found.len() >= MANIFEST_FILES_MAX {
            return Err(FileError::new(
                &path,
                format!("is one of more than {MANIFEST_FILES_MAX} files"),
            ));
        }
        self.found.push(Manifest { path, stamp });
        Ok(())
    }
}

/// Whether a name begins with a dot.
pub(super) fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_none_or(|name| name.as_encoded_bytes().starts_with(b"."))
}

fn is_manifest(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"]
            .into_iter()
            .map(OsStr::new)
            .any(|e| e == extension)
    })
}
