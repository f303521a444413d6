//! What was observed of clusters, in a file.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use fleet_core::{Observed, StatusSink, Unknown};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::files::{FileError, read_text};

/// Largest status file, in bytes. A cluster takes some 500 bytes of it; with what it can carry, some 50 more for
/// each kind that it serves.
pub const STATUS_BYTES_MAX: usize = 64 << 20;

/// Added to the kubeconfig's name, the name of the status file beside it: `fleet.kubeconfig.status.json`.
pub const STATUS_FILE_SUFFIX: &str = ".status.json";

/// A JSON file with what was observed of clusters: contact and since when, which cluster each name means, and what it can
/// carry.
///
/// It is replaced as a whole and only when something has changed; what other processes stored of other clusters stays,
/// unless they store at the very same moment. A file that cannot be read is replaced at the next change.
#[derive(Clone, Debug)]
pub struct FileStatus {
    path: Arc<PathBuf>,
    /// One writer of this process at a time.
    writing: Arc<Mutex<()>>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    clusters: BTreeMap<String, Observed>,
}

const VERSION: u32 = 1;

impl FileStatus {
    /// This file; it need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: Arc::new(path.into()),
            writing: Arc::default(),
        }
    }

    /// The one beside a kubeconfig.
    pub fn beside(kubeconfig: &Path) -> Self {
        let mut name = kubeconfig.as_os_str().to_owned();
        name.push(STATUS_FILE_SUFFIX);
        Self::new(PathBuf::from(name))
    }
}

fn read(path: &Path) -> Result<BTreeMap<String, Observed>, FileError> {
    if matches!(path.symlink_metadata(), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        return Ok(BTreeMap::new());
    }
    let text = read_text(path, STATUS_BYTES_MAX)?;
    let content: Content = serde_json::from_str(&text)
        .map_err(|error| FileError::at(path, error.line(), "is not a status file"))?;
    if content.version == VERSION {
        Ok(content.clusters)
    } else {
        let version = content.version;
        Err(FileError::new(
            path,
            format!("is a status file of version {version}, not {VERSION}"),
        ))
    }
}

fn write(path: &Path, clusters: BTreeMap<String, Observed>) -> Result<(), FileError> {
    let content = Content {
        version: VERSION,
        clusters,
    };
    let wrong = |error: io::Error| FileError::new(path, format!("cannot be written: {error}"));
    let mut text = serde_json::to_string_pretty(&content).map_err(|error| wrong(error.into()))?;
    text.push('\n');
    if text.len() > STATUS_BYTES_MAX {
        return Err(FileError::new(
            path,
            format!("would be larger than {STATUS_BYTES_MAX} bytes"),
        ));
    }
    // Of this process alone: two that write at once must not write into one.
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let new = PathBuf::from(name);
    let replaced = fs::File::create(&new)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path));
    if replaced.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&new);
    }
    replaced.map_err(wrong)
}

#[async_trait]
impl StatusSink for FileStatus {
    async fn load(&self) -> Result<BTreeMap<String, Observed>, Unknown> {
        let path = self.path.clone();
        let task = tokio::task::spawn_blocking(move || read(&path));
        task.await
            .map_err(|_| Unknown::because("the task that reads the status file failed"))?
            .map_err(Unknown::from)
    }

    async fn store(&self, changed: &BTreeMap<String, Option<Observed>>) -> Result<(), Unknown> {
        let _alone = self.writing.lock().await;
        let (path, changed) = (self.path.clone(), changed.clone());
        let task = tokio::task::spawn_blocking(move || {
            let before = read(&path).unwrap_or_default();
            let mut clusters = before.clone();
            for (name, observed) in changed {
                match observed {
                    Some(observed) => drop(clusters.insert(name, observed)),
                    None => drop(clusters.remove(&name)),
                }
            }
            if clusters == before {
                return Ok(());
            }
            write(&path, clusters)
        });
        task.await
            .map_err(|_| Unknown::because("the task that writes the status file failed"))?
            .map_err(Unknown::from)
    }
}

#[cfg(test)]
mod tests {
    use fleet_core::{
        ClusterId,
        conformance::{StatusFixture, status_sink},
    };

    use super::*;

    fn observed(id: &str) -> Observed {
        let mut observed = Observed::default();
        observed.id = Some(ClusterId::from(id));
        observed
    }

    struct Fixture(PathBuf);

    #[async_trait]
    impl StatusFixture for Fixture {
        async fn open(&self) -> Box<dyn StatusSink> {
            Box::new(FileStatus::new(&self.0))
        }
    }

    #[tokio::test]
    async fn it_keeps_the_promises_of_a_status_sink() {
        let dir = tempfile::tempdir().unwrap();
        let violations = status_sink(&Fixture(dir.path().join("status.json"))).await;
        assert!(violations.is_empty(), "{violations:#?}");
    }

    #[tokio::test]
    async fn what_is_stored_is_there_for_the_next_process() {
        let dir = tempfile::tempdir().unwrap();
        let kubeconfig = dir.path().join("fleet.kubeconfig");
        let file = FileStatus::beside(&kubeconfig);
        assert_eq!(file.load().await.unwrap(), BTreeMap::new());
        let (a, b) = (observed("1"), observed("2"));
        file.store(&[("a".into(), Some(a.clone())), ("b".into(), Some(b.clone()))].into())
            .await
            .unwrap();
        // Another process: it leaves alone what it does not name.
        let other = FileStatus::beside(&kubeconfig);
        other
            .store(&[("c".into(), Some(a.clone())), ("a".into(), None)].into())
            .await
            .unwrap();
        assert_eq!(
            file.load().await.unwrap(),
            [("b".into(), b.clone()), ("c".into(), a)].into()
        );
        let path = dir.path().join("fleet.kubeconfig.status.json");
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        file.store(&[("b".into(), Some(b))].into()).await.unwrap();
        assert_eq!(
            fs::metadata(&path).unwrap().modified().unwrap(),
            written,
            "nothing changed"
        );
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            1,
            "nothing is left over"
        );
    }

    #[tokio::test]
    async fn a_file_that_cannot_be_read_is_said_and_begun_anew() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("status.json");
        let file = FileStatus::new(&path);
        for text in [
            "",
            "{\"version\": 1",
            "{\"version\": 2, \"clusters\": {}}",
            "{\"version\": 1, \"clusters\": {}, \"x\": 1}",
            "[]",
            "\u{0}",
        ] {
            fs::write(&path, text).unwrap();
            let unknown = file.load().await.unwrap_err();
            assert!(unknown.message().contains("status.json:"), "{text}: {unknown}");
            file.store(&[("a".into(), Some(observed("1")))].into())
                .await
                .unwrap();
            assert_eq!(
                file.load().await.unwrap(),
                [("a".into(), observed("1"))].into(),
                "{text}"
            );
        }
        let large = fs::File::create(&path).unwrap();
        large.set_len(STATUS_BYTES_MAX as u64 + 1).unwrap();
        assert!(
            file.load()
                .await
                .unwrap_err()
                .message()
                .contains("is larger than")
        );
        let nowhere = FileStatus::new(dir.path().join("nowhere").join("status.json"));
        let unknown = nowhere
            .store(&[("a".into(), Some(observed("1")))].into())
            .await
            .unwrap_err();
        assert!(unknown.message().contains("cannot be written"), "{unknown}");
    }
}
