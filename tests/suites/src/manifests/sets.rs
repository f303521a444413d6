//! Sets of manifests on disk: the project's own, and those of public projects where they are at hand.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use fleet_core::{GroupKind, Object};
use fleet_diff::{Located, ReadLimits, read_objects};

/// Namespaces that objects of a set fall into when they name none; `default` for the other sets.
const DEFAULT_NAMESPACES: [(&str, &str); 2] =
    [("argo-workflows", "argo"), ("opentelemetry-demo", "otel-demo")];

/// One application, at one version or at two.
pub struct Set {
    /// Its folder's name.
    pub name: String,
    /// Where objects go that name no namespace.
    pub default_namespace: &'static str,
    /// Its versions, oldest first.
    pub versions: Vec<SetVersion>,
}

/// A set at one version.
pub struct SetVersion {
    /// `v1`, `v2`, or empty for a set without versions.
    pub name: String,
    /// All objects, as written.
    pub objects: Vec<Object>,
}

impl Set {
    /// Objects of all versions, each identity once.
    pub fn identities(&self) -> BTreeSet<String> {
        self.objects().map(|object| object.key().to_path()).collect()
    }

    /// Kinds and names of all versions, whatever their namespace.
    pub fn names(&self) -> BTreeSet<String> {
        self.objects()
            .map(|object| format!("{} {}", object.key().group_kind(), object.name()))
            .collect()
    }

    /// Kinds of all versions.
    pub fn kinds(&self) -> BTreeSet<GroupKind> {
        self.objects()
            .map(|object| object.key().group_kind().clone())
            .collect()
    }

    fn objects(&self) -> impl Iterator<Item = &Object> {
        self.versions.iter().flat_map(|version| &version.objects)
    }
}

/// All sets there are, and the folders that are not there.
pub fn all() -> (Vec<Set>, Vec<String>) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let own = tests.join("fixtures");
    let public = tests.join("../../shared/manifests");
    let mut sets = sets(&own);

    let mut absent = Vec::new();
    if public.is_dir() {
        sets.extend(self::sets(&public));
    } else {
        absent.push("manifests of public projects (shared/manifests beside the checkout)".to_owned());
    }
    (sets, absent)
}

fn sets(folder: &Path) -> Vec<Set> {
    let named = |path: PathBuf| Set {
        name: name(&path),
        default_namespace: DEFAULT_NAMESPACES
            .iter()
            .find(|(set, _)| *set == name(&path))
            .map_or("default", |(_, namespace)| namespace),
        versions: versions(&path),
    };
    entries(folder)
        .into_iter()
        .filter(|path| path.is_dir())
        .map(named)
        .collect()
}

fn versions(set: &Path) -> Vec<SetVersion> {
    let folders: Vec<PathBuf> = entries(set).into_iter().filter(|path| path.is_dir()).collect();
    if folders.is_empty() {
        return vec![SetVersion {
            name: String::new(),
            objects: objects(set),
        }];
    }
    let version = |folder: &PathBuf| SetVersion {
        name: name(folder),
        objects: objects(folder),
    };
    folders.iter().map(version).collect()
}

fn objects(folder: &Path) -> Vec<Object> {
    let files = entries(folder)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"));
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a readable file");
        read_objects(&text, &ReadLimits::default())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    files
        .flat_map(read)
        .map(|Located { object, .. }| object)
        .collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
