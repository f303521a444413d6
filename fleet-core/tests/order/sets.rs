//! Sets of manifests: those of the project, and those of public projects that may lie beside the checkout.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use fleet_core::{
    Object,
    order::{Cause, Hope, Order, Progress, Reached, Removal},
};

use super::objects;

/// Every folder that has manifests in it.
fn sets(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    if entries
        .iter()
        .any(|path| path.extension().is_some_and(|end| end == "yaml"))
    {
        found.push(folder.to_owned());
    }
    for inner in entries.iter().filter(|path| path.is_dir()) {
        sets(inner, found);
    }
}

fn read(folder: &Path) -> Vec<Object> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let yaml = files
        .iter()
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"));
    let found: Vec<Object> = yaml
        .flat_map(|path| objects(&fs::read_to_string(path).unwrap()))
        .collect();
    // As the engine does: what has a namespace gets the default one. Which kinds those are, the sets themselves show.
    let named: BTreeSet<_> = found
        .iter()
        .filter(|o| o.namespace().is_some())
        .map(|o| o.gvk().group_kind())
        .collect();
    let defines = |object: &Object| {
        let scopes = found
            .iter()
            .filter(|o| o.key().kind() == "CustomResourceDefinition");
        scopes.into_iter().any(|crd| {
            let text = |keys: &[&str]| crd.root().at(keys).and_then(|text| text.as_str());
            text(&["spec", "names", "kind"]) == Some(object.gvk().kind())
                && text(&["spec", "scope"]) == Some("Namespaced")
        })
    };
    let builtin = [
        "Pod",
        "Job",
        "CronJob",
        "Deployment",
        "Service",
        "ConfigMap",
        "Secret",
        "PersistentVolumeClaim",
    ];
    found
        .iter()
        .map(|object| {
            let namespaced = named.contains(object.gvk().group_kind())
                || defines(object)
                || builtin.contains(&object.gvk().kind());
            let namespace = object.namespace().unwrap_or("default");
            object.with_namespace(namespaced.then_some(namespace))
        })
        .collect()
}

fn all_sets() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    sets(&root.join("tests/fixtures"), &mut found);
    sets(&root.join("../shared/manifests"), &mut found);
    assert!(found.len() >= 12, "{found:?}");
    found
}

/// True when the text stands somewhere in the object.
fn names(object: &Object, text: &str) -> bool {
    object.root().to_string().contains(&format!("\"{text}\""))
}

#[test]
fn no_set_has_a_circle_and_every_reference_is_in_the_objects() {
    let mut causes = BTreeSet::new();
    for folder in all_sets() {
        let objects = read(&folder);
        let order = Order::new(&objects, "fleet.internal");
        assert!(
            order.cycles().is_empty(),
            "{}: {:?}",
            folder.display(),
            order.cycles()
        );
        assert_eq!(order.dropped().count(), 0, "{}", folder.display());
        let listed = |key: &fleet_core::ObjectKey| objects.iter().find(|object| object.key() == key);
        for object in &objects {
            assert!(order.block(object.key()).is_none(), "{object:?}");
            for edge in order.waits_for(object.key()) {
                causes.insert(edge.cause);
                let on = listed(edge.on).unwrap_or_else(|| panic!("{edge}: not listed"));
                let told = match edge.cause {
                    // What names the two is a third object, or nothing.
                    Cause::Grant | Cause::LimitRange | Cause::Counted | Cause::Backend => true,
                    Cause::Definition => names(on, object.gvk().kind()) && names(on, object.gvk().group()),
                    Cause::Namespace => object.namespace() == Some(on.name()),
                    Cause::ServiceAccount if on.name() == "default" => true,
                    _ => names(object, on.name()),
                };
                assert!(told, "{}: {edge}", folder.display());
            }
        }
    }
    for cause in [
        Cause::Namespace,
        Cause::Definition,
        Cause::ServiceAccount,
        Cause::Volume,
        Cause::Environment,
        Cause::Role,
        Cause::Grant,
        Cause::PodClass,
        Cause::Class,
        Cause::Governing,
        Cause::Counted,
    ] {
        assert!(causes.contains(&cause), "{cause:?} occurs in no set");
    }
}

#[test]
fn every_set_is_applied_and_deleted_whole() {
    for folder in all_sets() {
        let objects = read(&folder);
        let order = Arc::new(Order::new(&objects, "fleet.internal"));
        let mut progress = Progress::new(order.clone());
        let mut left: Vec<_> = progress.ready().cloned().collect();
        let mut applied = 0;
        while let Some(key) = left.pop() {
            applied += 1;
            left.extend(progress.reach(&key, Reached::Healthy, Hope::Open));
        }
        assert_eq!(applied, order.len(), "{}", folder.display());
        let mut removal = Removal::new(order.clone());
        let mut left: Vec<_> = removal.free().cloned().collect();
        let mut gone = 0;
        while let Some(key) = left.pop() {
            gone += 1;
            left.extend(removal.gone(&key));
        }
        assert_eq!(gone, order.len(), "{}", folder.display());
    }
}
