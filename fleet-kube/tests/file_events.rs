//! Changes of files are hinted at, by whatever way they come about.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::PathBuf,
    time::{Duration, Instant},
};

use fleet_core::{Changed, Changes, Cluster, ClusterRegistry as _, InventorySource as _};
use fleet_kube::{DirectorySource, KubeconfigRegistry};
use futures_util::StreamExt as _;
use tokio::time::timeout;

/// Longest wait for a hint.
const PATIENCE: Duration = Duration::from_secs(20);
/// So long there must be none.
const SILENCE: Duration = Duration::from_millis(1200);
/// Longer than it takes to be told of what has happened.
const SHORT_SILENCE: Duration = Duration::from_millis(700);

const A: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// As the kubelet does: a folder with all files, then a link to it in the place of the one before.
    fn mount(&self, dir: &str, version: &str, text: &str) {
        self.write(&format!("{dir}/..{version}/a.yaml"), text);
        self.swap(&format!("..{version}"), &format!("{dir}/..data"));
    }

    fn swap(&self, target: &str, link: &str) {
        let new = self.path(&format!("{link}_tmp"));
        symlink(target, &new).unwrap();
        fs::rename(new, self.path(link)).unwrap();
    }
}

/// Waits until events are on their way.
async fn begun(mut changes: Changes) -> Changes {
    hinted(&mut changes, "the first hint").await;
    changes
}

async fn hinted(changes: &mut Changes, what: &str) {
    let hint = timeout(PATIENCE, changes.next()).await;
    assert_eq!(hint, Ok(Some(Changed::All)), "{what}");
}

async fn silent(changes: &mut Changes, what: &str) {
    let hint = timeout(SILENCE, changes.next()).await;
    assert!(hint.is_err(), "{what}");
}

#[tokio::test]
async fn every_way_to_change_a_folder_is_noticed() {
    type Change = fn(&Folder);
    let changes: &[(&str, Change)] = &[
        ("a file is written", |f| f.write("inv/c/a.yaml", "changed")),
        ("a file is renamed over another", |f| {
            f.write("inv/c/.new", "changed");
            fs::rename(f.path("inv/c/.new"), f.path("inv/c/a.yaml")).unwrap();
        }),
        ("a file goes", |f| {
            fs::remove_file(f.path("inv/c/deep/b.yaml")).unwrap();
        }),
        ("a file comes", |f| f.write("inv/c/deep/more.yaml", A)),
        ("folders come", |f| f.write("inv/new/and/deeper/a.yaml", A)),
        ("a file comes in a folder that has just come", |f| {
            f.write("inv/new/and/deeper/b.yaml", A);
        }),
        ("a folder goes", |f| {
            fs::remove_dir_all(f.path("inv/new")).unwrap();
        }),
        ("a folder is replaced by another", |f| {
            f.write("elsewhere/a.yaml", "other");
            fs::rename(f.path("inv/c/deep"), f.path("old")).unwrap();
            fs::rename(f.path("elsewhere"), f.path("inv/c/deep")).unwrap();
        }),
        ("a file of the folder that replaced it is written", |f| {
            f.write("inv/c/deep/a.yaml", "again");
        }),
        ("settings come", |f| {
            f.write("inv/fleet.yaml", "adoption: adopt\n");
        }),
        ("settings change", |f| {
            f.write("inv/fleet.yaml", "adoption: refuse\n");
        }),
        ("what a link leads to is written", |f| {
            f.write("inv/.base/shared.yaml", "changed");
        }),
        ("a config map is mounted anew", |f| {
            f.mount("inv/mounted", "2", "changed");
        }),
        ("and once more", |f| f.mount("inv/mounted", "3", "changed")),
        ("the folder is replaced as a whole", |f| {
            fs::rename(f.path("inv"), f.path("before")).unwrap();
            f.write("after/c/a.yaml", A);
            fs::rename(f.path("after"), f.path("inv")).unwrap();
        }),
        ("a file of the new folder is written", |f| {
            f.write("inv/c/a.yaml", "changed");
        }),
        ("the folder goes", |f| fs::remove_dir_all(f.path("inv")).unwrap()),
        ("and comes back", |f| f.write("inv/c/a.yaml", A)),
    ];
    let folder = Folder::new();
    folder.write("inv/c/a.yaml", A);
    folder.write("inv/c/deep/b.yaml", A);
    folder.write("inv/.base/shared.yaml", A);
    symlink("../.base/shared.yaml", folder.path("inv/c/shared.yaml")).unwrap();
    folder.mount("inv/mounted", "1", A);
    symlink("..data/a.yaml", folder.path("inv/mounted/a.yaml")).unwrap();
    let source = DirectorySource::new(folder.path("inv"));
    let mut hints = begun(source.changes()).await;
    for (what, change) in changes {
        // None is left over from the change before.
        while timeout(SHORT_SILENCE, hints.next()).await.is_ok() {}
        let start = Instant::now();
        change(&folder);
        hinted(&mut hints, what).await;
        println!("{what}: {} ms", start.elapsed().as_millis());
    }
}

#[tokio::test]
async fn a_link_that_is_swapped_is_noticed() {
    let folder = Folder::new();
    folder.write("one/c/a.yaml", A);
    folder.write("two/c/a.yaml", A);
    symlink("one", folder.path("current")).unwrap();
    let source = DirectorySource::new(folder.path("current"));
    let mut hints = begun(source.changes()).await;
    folder.swap("two", "current");
    hinted(&mut hints, "the link leads elsewhere").await;
    folder.write("two/c/b.yaml", A);
    hinted(&mut hints, "where it leads now, a file comes").await;
    folder.write("one/c/b.yaml", A);
    silent(&mut hints, "where it led before is nobody's business").await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_file_that_is_being_written_is_waited_for() {
    use std::io::Write as _;

    let folder = Folder::new();
    folder.write("inv/c/a.yaml", A);
    let source = DirectorySource::new(folder.path("inv"));
    let mut hints = begun(source.changes()).await;
    let mut file = fs::File::create(folder.path("inv/c/b.yaml")).unwrap();
    file.write_all(b"apiVersion: v1\n").unwrap();
    silent(&mut hints, "half of it is there").await;
    drop(file);
    let start = Instant::now();
    hinted(&mut hints, "all of it is there").await;
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    // What is never closed is not waited for without end.
    let file = fs::File::create(folder.path("inv/c/c.yaml")).unwrap();
    hinted(&mut hints, "it stays open").await;
    drop(file);
}

#[tokio::test]
async fn reading_and_neighbours_are_no_changes() {
    let folder = Folder::new();
    folder.write("inv/c/a.yaml", A);
    let source = DirectorySource::new(folder.path("inv"));
    let mut hints = begun(source.changes()).await;
    for _ in 0..3 {
        source.snapshot(&Cluster::new("c")).await.unwrap();
        source.settings().unwrap();
    }
    silent(&mut hints, "it was only read").await;
    folder.write("beside/a.yaml", A);
    silent(&mut hints, "something else changed").await;
}

#[tokio::test]
async fn what_changed_before_anybody_listened_is_hinted_at() {
    let folder = Folder::new();
    let source = DirectorySource::new(folder.path("inv"));
    let mut hints = source.changes();
    source.snapshot(&Cluster::new("c")).await.unwrap_err();
    folder.write("inv/c/a.yaml", A);
    hinted(&mut hints, "the first hint").await;
    source.snapshot(&Cluster::new("c")).await.unwrap();
}

#[tokio::test]
async fn changes_of_kubeconfigs_and_registry_files_are_noticed() {
    let folder = Folder::new();
    let kubeconfig = "contexts: [{name: a, context: {cluster: a, user: b}}]";
    folder.write("pki/real", kubeconfig);
    symlink("pki/real", folder.path("config")).unwrap();
    let registry = KubeconfigRegistry::new(folder.path("config"));
    let mut hints = begun(registry.changes()).await;
    registry.clusters().await.unwrap();
    folder.write("something-else", "x");
    silent(&mut hints, "it was only read, and a neighbour changed").await;
    folder.write("config.clusters.yaml", "clusters: {a: {labels: {region: eu}}}");
    hinted(&mut hints, "the registry file comes").await;
    folder.write("pki/real", &kubeconfig.replace("name: a,", "name: b,"));
    hinted(&mut hints, "the kubeconfig changes where it really is").await;
    folder.write("config-2", kubeconfig);
    fs::rename(folder.path("config-2"), folder.path("config")).unwrap();
    hinted(&mut hints, "the kubeconfig is replaced").await;
}
