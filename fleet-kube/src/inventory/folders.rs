//! Where something can change what an inventory's folder says.

use std::{fs, io, path::Path};

use super::walk::is_hidden;
use crate::files::events::Watched;

/// The folder, what is in it, where links in it lead, and its own name.
///
/// # Errors
/// When a folder cannot be read, or there are too many.
pub(super) fn watched(dir: &Path) -> io::Result<Watched> {
    let mut watched = Watched::default();
    watched.entry(dir);
    match dir.canonicalize() {
        Ok(root) => visit(&root, &root, &mut watched)?,
        // Its name tells when it comes.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    Ok(watched)
}

/// A real path.
fn visit(root: &Path, folder: &Path, watched: &mut Watched) -> io::Result<()> {
    if !watched.folder(folder.to_owned())? {
        return Ok(());
    }
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return passing(error),
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let kind = entry.file_type()?;
        if is_hidden(&path) || kind.is_file() {
            continue;
        }
        if kind.is_dir() {
            visit(root, &path, watched)?;
        }
        if !kind.is_symlink() {
            continue;
        }
        // Other links are not followed by who reads, either.
        let Some(real) = path.canonicalize().ok().filter(|real| real.starts_with(root)) else {
            continue;
        };
        match (real.is_dir(), real.parent()) {
            (true, _) => visit(root, &real, watched)?,
            (false, Some(parent)) => _ = watched.folder(parent.to_owned())?,
            (false, None) => {}
        }
    }
    Ok(())
}

/// What went meanwhile is told by the folder it was in.
fn passing(error: io::Error) -> io::Result<()> {
    if matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    ) {
        Ok(())
    } else {
        Err(error)
    }
}
