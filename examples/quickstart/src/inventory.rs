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
/// What differs from cluster to cluster.
const WEB_CONFIG: &str = include_str!("../inventory/web-config.yaml");

/// A cluster, with what is special there.
#[derive(Clone, Copy)]
pub(crate) struct Region {
    pub(crate) name: &'static str,
    currency: &'static str,
    language: &'static str,
}

const fn region(name: &'static str, currency: &'static str, language: &'static str) -> Region {
    Region {
        name,
        currency,
        language,
    }
}

/// All regions; the first three are those of a small fleet.
pub(crate) const REGIONS: [Region; 20] = [
    region("ap-south", "INR", "en"),
    region("eu-west", "EUR", "de"),
    region("us-east", "USD", "en"),
    region("af-south", "ZAR", "en"),
    region("ap-east", "HKD", "zh"),
    region("ap-north", "JPY", "ja"),
    region("ap-southeast", "SGD", "en"),
    region("au-east", "AUD", "en"),
    region("au-west", "AUD", "en"),
    region("ca-central", "CAD", "fr"),
    region("ca-west", "CAD", "en"),
    region("eu-central", "EUR", "de"),
    region("eu-north", "SEK", "sv"),
    region("eu-south", "EUR", "it"),
    region("me-central", "AED", "ar"),
    region("me-south", "BHD", "ar"),
    region("mx-central", "MXN", "es"),
    region("sa-east", "BRL", "pt"),
    region("uk-south", "GBP", "en"),
    region("us-west", "USD", "en"),
];

/// An inventory folder that may be edited.
pub(crate) struct Folder {
    pub(crate) dir: PathBuf,
    regions: &'static [Region],
}

impl Folder {
    /// Writes the example fleet of these clusters.
    pub(crate) fn write(dir: &Path, regions: &'static [Region]) -> Result<Self, Failure> {
        let folder = Self {
            dir: dir.join("inventory"),
            regions,
        };
        fs::create_dir_all(&folder.dir)?;
        fs::write(folder.dir.join("fleet.yaml"), FLEET)?;
        for region in regions {
            fs::create_dir_all(folder.dir.join(region.name))?;
            for (name, text) in EVERYWHERE {
                folder.put(region.name, name, text)?;
            }
            let config = WEB_CONFIG
                .replace("(region)", region.name)
                .replace("(currency)", region.currency)
                .replace("(language)", region.language);
            folder.put(region.name, "web-config.yaml", &config)?;
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
        for region in self.regions {
            let text = fs::read_to_string(self.dir.join(region.name).join(name))?;
            self.put(region.name, name, &text.replace(from, to))?;
        }
        Ok(())
    }

    /// Removes a file in every cluster.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        for region in self.regions {
            fs::remove_file(self.dir.join(region.name).join(name))?;
        }
        Ok(())
    }
}
