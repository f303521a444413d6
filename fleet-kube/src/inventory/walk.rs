//! Finds the manifests below a folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::MANIFEST_FILES_MAX;
use crate::files::FileError;

/// Deepest nesting of folders: a loop of links ends here.
const DEPTH_MAX: usize = 32;

/// All manifests below `folder`, in the order of their paths.
///
/// # Errors
/// When a folder cannot be read, a link leads out of `root` or nowhere, or there are too many files.
pub(super) fn manifests(root: &Path, folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let root = root.canonicalize().map_err(|error| FileError::new(root, format!("cannot be read: {error}")))?;
    let mut found = Vec::new();
    walk(&root, folder, 0, &mut found)?;
    found.sort();
    Ok(found)
}

fn walk(root: &Path, folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), FileError> {
    let wrong = |error: std::io::Error| FileError::new(folder, format!("cannot be read: {error}"));
    if depth > DEPTH_MAX {
        return Err(FileError::new(folder, format!("is nested deeper than {DEPTH_MAX} folders")));
    }
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let path = entry.map_err(wrong)?.path();
        let hidden = path.file_name().and_then(|name| name.to_str()).is_none_or(|name| name.starts_with('.'));
        if hidden {
            continue;
        }
        let real = path.canonicalize().map_err(|error| FileError::new(&path, format!("cannot be read: {error}")))?;
        if !real.starts_with(root) {
            return Err(FileError::new(&path, "is a link out of the inventory's folder"));
        }
        if real.is_dir() {
            walk(root, &path, depth + 1, found)?;
        } else if is_manifest(&path) {
            if found.len() >= MANIFEST_FILES_MAX {
                return Err(FileError::new(folder, format!("holds more than {MANIFEST_FILES_MAX} files")));
            }
            found.push(path);
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    path.extension().and_then(|ext| ext.to_str()).is_some_and(|ext| ["yaml", "yml", "json"].contains(&ext))
}
