//! Clusters that leave, or have left, and who still names them.

use fleet_core::{ClusterRegistry, LifeCycle};
use fleet_kube::FLEET_FILE;

use crate::{assemble::Listed, inventory::Inventory};

/// A cluster that leaves, or has left, and what still names it.
#[derive(PartialEq, Eq, Debug)]
pub(crate) struct StillNamed {
    pub(crate) cluster: String,
    /// The registry has it.
    pub(crate) is_here: bool,
    pub(crate) by: Vec<String>,
}

/// Who still names clusters that leave, and clusters that the registry does not have.
pub(crate) async fn still_named(listed: &Listed) -> Vec<StillNamed> {
    let gone = listed.folders_of_nobody().await;
    let here = listed.clusters().await.unwrap_or_default();
    let leaving = here
        .into_iter()
        .filter(|cluster| cluster.life_cycle == LifeCycle::Leaving);
    let named = |cluster: String, is_here: bool| {
        let mut by = Vec::new();
        if let Inventory::Folder(source) = &listed.inventory {
            let folder = source.dir().join(&cluster);
            if folder.is_dir() {
                by.push(format!("folder {}", folder.display()));
            }
            if listed.settings.calls_empty(&cluster) {
                let file = source.dir().join(FLEET_FILE);
                by.push(format!("`empty` in {}", file.display()));
            }
        }
        if is_here {
            by.extend(listed.registry.places.iter().cloned());
        }
        StillNamed { cluster, is_here, by }
    };
    let mut all: Vec<StillNamed> = gone.into_iter().map(|name| named(name, false)).collect();
    all.extend(leaving.map(|cluster| named(cluster.name, true)));
    all
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::{
        args::{Args, Command},
        assemble::assemble,
    };

    #[tokio::test]
    async fn clusters_have_their_windows_and_those_that_leave_are_listed_with_what_names_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for cluster in ["stays", "leaves", "gone"] {
            std::fs::create_dir_all(path("inventory").join(cluster)).unwrap();
        }
        std::fs::write(
            path("inventory").join(FLEET_FILE),
            "empty: [emptied]\nmaintenance: {windows: [{from: '22:00', until: '04:00'}]}\n",
        )
        .unwrap();
        let contexts = ["stays", "leaves", "emptied"]
            .map(|name| format!("- {{name: {name}, context: {{cluster: c, user: u}}}}\n"))
            .concat();
        let config = format!("apiVersion: v1\nkind: Config\ncontexts:\n{contexts}");
        std::fs::write(path("config"), config).unwrap();
        let entries = "clusters: {leaves: {lifeCycle: leaving, maintenance: {windows: [{from: '1:00', until: '2:00'}]}}, emptied: {lifeCycle: leaving}}\n";
        std::fs::write(path("config.clusters.yaml"), entries).unwrap();
        let text = |name: &str| path(name).display().to_string();
        let (inventory, kubeconfig) = (text("inventory"), text("config"));
        let args = [
            "fleetctl",
            "status",
            "-i",
            &inventory,
            "--kubeconfig",
            &kubeconfig,
        ];
        let Command::Status { common, .. } = Args::parse_from(args).command else {
            panic!("it is a status");
        };
        let assembly = assemble(&common, fleet_core::Silent).await.unwrap();
        let clusters = assembly.clusters.clusters().await.unwrap();
        let begins: Vec<(&str, &str)> = clusters
            .iter()
            .map(|cluster| {
                (
                    cluster.name.as_str(),
                    cluster.maintenance.windows[0].from.as_str(),
                )
            })
            .collect();
        let expect = [("emptied", "22:00"), ("leaves", "1:00"), ("stays", "22:00")];
        assert_eq!(begins, expect, "its own windows, or else those of the inventory");
        let named = still_named(&assembly.clusters).await;
        let expect = |cluster: &str, is_here: bool, by: &[&str]| StillNamed {
            cluster: cluster.to_owned(),
            is_here,
            by: by
                .iter()
                .map(|by| by.replace("DIR", &dir.path().display().to_string()))
                .collect(),
        };
        let [context, entry] = [
            "its context in DIR/config",
            "its entry in DIR/config.clusters.yaml",
        ];
        assert_eq!(
            named,
            [
                expect("gone", false, &["folder DIR/inventory/gone"]),
                expect(
                    "emptied",
                    true,
                    &["`empty` in DIR/inventory/fleet.yaml", context, entry]
                ),
                expect("leaves", true, &["folder DIR/inventory/leaves", context, entry]),
            ]
        );
    }
}
