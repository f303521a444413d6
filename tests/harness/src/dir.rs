use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::error::{Error, Result};
use crate::ports::DIR_PREFIX;

/// The directory of a cluster: `data` (etcd, keys, kubeconfig), `logs`, and a home for kubectl.
#[derive(Debug)]
pub(crate) struct ClusterDir {
    name: String,
    root: Option<TempDir>,
    path: PathBuf,
}

/// What is left of a directory when its cluster is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    Logs,
    All,
}

impl ClusterDir {
    pub(crate) fn create(name: &str) -> Result<Self> {
        let safe: String = name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let root = tempfile::Builder::new()
            .prefix(&format!("{DIR_PREFIX}{safe}-"))
            .tempdir()
            .map_err(Error::io("make a directory for a cluster"))?;
        let dir = ClusterDir {
            name: name.to_owned(),
            path: root.path().to_owned(),
            root: Some(root),
        };
        for part in [dir.data(), dir.logs(), dir.home()] {
            fs::create_dir(&part).map_err(Error::io(format!("make {}", part.display())))?;
        }
        Ok(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path.join("data")
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.path.join("home")
    }

    /// Removes what need not stay, and says where the rest is.
    pub(crate) fn close(&mut self, keep: Keep) {
        let Some(root) = self.root.take() else { return };
        match keep {
            Keep::Nothing => drop(root),
            Keep::Logs => {
                drop(root.keep());
                drop(fs::remove_dir_all(self.data()));
                drop(fs::remove_dir_all(self.home()));
                eprintln!("logs of cluster {}: {}", self.name, self.logs().display());
            }
            Keep::All => {
                eprintln!(
                    "data and logs of cluster {}: {}",
                    self.name,
                    root.keep().display()
                );
            }
        }
    }
}

/// The last lines of a log, for an error message.
pub(crate) fn tail(log: &Path) -> String {
    const LINES: usize = 25;
    let text = fs::read(log).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
