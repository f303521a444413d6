//! The built-in tables know what real manifests are made of.

use std::{collections::BTreeSet, fs, path::Path};

use fleet_diff::{Object, ReadLimits, Schemas, read_objects};

/// Every object of the project's own manifests.
fn fixtures() -> Vec<Object> {
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")];
    let mut found = Vec::new();
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir).expect("the manifests") {
            let path = entry.expect("a manifest").path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|ending| ending == "yaml") {
                let text = fs::read_to_string(&path).expect("a manifest");
                let objects = read_objects(&text, &ReadLimits::default()).expect("objects");
                found.extend(objects.into_iter().map(|located| located.object));
            }
        }
    }
    found
}

#[test]
fn all_kinds_of_the_fixtures_are_known() {
    let objects = fixtures();
    for version in Schemas::KUBERNETES {
        let mut schemas = Schemas::for_kubernetes(version).expect("a table");
        for object in &objects {
            if object.gvk().kind() == "CustomResourceDefinition" {
                schemas = schemas.with_crd(object).expect("a definition");
            }
        }
        let kinds = objects.iter().map(Object::gvk);
        let known = |kind: &_| schemas.knows(kind) && schemas.is_namespaced(kind).is_some();
        let (known, unknown): (BTreeSet<_>, BTreeSet<_>) = kinds.partition(|kind| known(kind));
        // The manifests have one kind that no server has served for long.
        let unknown: Vec<String> = unknown.into_iter().map(ToString::to_string).collect();
        assert_eq!(unknown, ["policy/v1beta1 PodDisruptionBudget"], "{version}");
        assert!(known.len() > 40, "the fixtures have few kinds: {known:?}");
    }
}
