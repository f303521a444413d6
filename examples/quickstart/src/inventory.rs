//! The example fleet on disk: what every cluster has, and what differs.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::Failure;

const FLEET: &str = include_str!("../inventory/fleet.yaml");
/// Files that every cluster has.
const EVERYWHERE: [(&str, &str); 4] = [
    ("rbac.yaml", include_str!("../inventory/everywhere/rbac.yaml")),
    (
        "monitoring.yaml",
        include_str!("../inventory/everywhere/monitoring.yaml"),
    ),
    ("shop.yaml", include_str!("../inventory/everywhere/shop.yaml")),
    (
        "campaigns.yaml",
        include_str!("../inventory/everywhere/campaigns.yaml"),
    ),
];
/// Files of one cluster.
const SINGLE: [(&str, &str); 3] = [
    ("ap-south", include_str!("../inventory/ap-south/web-config.yaml")),
    ("eu-west", include_str!("../inventory/eu-west/web-config.yaml")),
    ("us-east", include_str!("../inventory/us-east/web-config.yaml")),
];

/// Names of the clusters.
pub(crate) const CLUSTERS: [&str; 3] = ["ap-south", "eu-west", "us-east"];

/// An inventory folder that may be edited.
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
}

impl Folder {
    /// Writes the example fleet.
    pub(crate) fn write(dir: &Path) -> Result<Self, Failure> {
        let folder = Self {
            dir: dir.join("inventory"),
        };
        fs::create_dir_all(&folder.dir)?;
        fs::write(folder.dir.join("fleet.yaml"), FLEET)?;
        for (cluster, config) in SINGLE {
            fs::create_dir_all(folder.dir.join(cluster))?;
            for (name, text) in EVERYWHERE {
                folder.put(cluster, name, text)?;
            }
            folder.put(cluster, "web-config.yaml", config)?;
        }
        Ok(folder)
    }

    /// Replaces a file of one cluster as a careful tool does: whole or not at all.
    pub(crate) fn put(&self, cluster: &str, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.dir.join(cluster).join(name);
        let part = path.with_extension("part");
        fs::write(&part, text)?;
        fs::rename(part, path)?;
        Ok(())
    }

    /// Edits a file in every cluster.
    pub(crate) fn edit(&self, name: &str, from: &str, to: &str) -> Result<(), Failure> {
        for cluster in CLUSTERS {
            let text = fs::read_to_string(self.dir.join(cluster).join(name))?;
            self.put(cluster, name, &text.replace(from, to))?;
        }
        Ok(())
    }

    /// Removes a file in every cluster.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        for cluster in CLUSTERS {
            fs::remove_file(self.dir.join(cluster).join(name))?;
        }
        Ok(())
    }
}
