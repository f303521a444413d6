//! Which files somebody is writing, by events of the file system.

use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use notify::{
    Event, EventKind,
    event::{AccessKind, AccessMode, CreateKind, ModifyKind},
};

/// Files that somebody has begun to write, and not closed.
#[derive(Clone, Default)]
pub(super) struct BeingWritten(Arc<Mutex<BTreeSet<PathBuf>>>);

impl BeingWritten {
    /// Only Linux tells when a file is closed.
    pub(super) const IS_KNOWN: bool = cfg!(any(target_os = "linux", target_os = "android"));

    pub(super) fn note(&self, event: &Event) {
        let begins = match event.kind {
            EventKind::Create(CreateKind::File) | EventKind::Modify(ModifyKind::Data(_)) => true,
            EventKind::Access(AccessKind::Close(AccessMode::Write))
            | EventKind::Modify(ModifyKind::Name(_))
            | EventKind::Remove(_) => false,
            _ => return,
        };
        for path in &event.paths {
            // Links come without being opened, and so are not closed.
            if begins && path.symlink_metadata().is_ok_and(|found| found.is_file()) {
                self.with(|files| files.insert(path.clone()));
            } else {
                self.with(|files| files.remove(path));
            }
        }
    }

    pub(super) fn is_none(&self) -> bool {
        !Self::IS_KNOWN || self.with(|files| files.is_empty())
    }

    pub(super) fn clear(&self) {
        self.with(BTreeSet::clear);
    }

    fn with<T>(&self, work: impl FnOnce(&mut BTreeSet<PathBuf>) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_being_written_until_it_is_closed_moved_or_gone() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        std::fs::write(&file, "x").unwrap();
        let create = EventKind::Create(CreateKind::File);
        let modify = EventKind::Modify(ModifyKind::Data(notify::event::DataChange::Any));
        let close = EventKind::Access(AccessKind::Close(AccessMode::Write));
        let moved = EventKind::Modify(ModifyKind::Name(notify::event::RenameMode::From));
        let removed = EventKind::Remove(notify::event::RemoveKind::File);
        for (begin, end) in [
            (create, close),
            (modify, close),
            (modify, moved),
            (create, removed),
        ] {
            let written = BeingWritten::default();
            written.note(&Event::new(begin).add_path(file.clone()));
            assert_eq!(written.is_none(), !BeingWritten::IS_KNOWN, "{begin:?}");
            written.note(&Event::new(end).add_path(file.clone()));
            assert!(written.is_none(), "{end:?}");
            // What is not there, or a link, is nothing to wait for.
            written.note(&Event::new(begin).add_path(link.clone()));
            assert!(written.is_none());
        }
    }
}
