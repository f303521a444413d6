//! The objects of built-in kinds in folders of manifests.

use std::{collections::BTreeSet, fs, path::Path};

use fleet_diff::{Action, Object, ReadLimits, Schemas, read_objects};
use serde_json::{Value, json};

use crate::{PAIRS, Pair, Result, edits, live};

/// Pairs of these objects; every second one has a change. Where there are fewer objects than pairs, they come again
/// under other names and with other changes.
///
/// # Errors
/// When a manifest cannot be read, or when there are too few that can be used.
pub fn samples(folders: &[&Path], schemas: &Schemas) -> Result<Vec<Pair>> {
    let mut objects = Vec::new();
    for folder in folders {
        read(folder, schemas, &mut objects)?;
    }
    let mut pairs = Vec::new();
    let mut known = BTreeSet::new();
    for i in 0..10 * PAIRS {
        let object = &objects[i % objects.len()];
        if pairs.len() < PAIRS
            && let Some(pair) = pair(object, schemas, i, i / objects.len(), pairs.len() % 2 == 1)
            && known.insert(pair.clone())
        {
            pairs.push(pair);
        }
    }
    if pairs.len() < PAIRS {
        Err("too few manifests that can be used".into())
    } else {
        Ok(pairs)
    }
}

fn pair(object: &Object, schemas: &Schemas, number: usize, round: usize, changed: bool) -> Option<Pair> {
    let mut desired = object.to_json();
    if round > 0 {
        desired["metadata"]["name"] = json!(format!("{}-{round}", object.name()));
    }
    let live = live::live(&Object::from_json(desired.clone()).ok()?, schemas, number)?;
    if !changed {
        return live::pair(&desired, &live, Action::None, schemas);
    }
    let update = |desired: &Value| live::pair(desired, &live, Action::Update, schemas);
    update(&edits::edit(&desired, number)).or_else(|| update(&edits::mark(&desired, "labels", number)))
}

/// In the order of the names of files.
fn read(folder: &Path, schemas: &Schemas, objects: &mut Vec<Object>) -> Result {
    let mut paths = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    paths.sort();
    for path in paths {
        if path.is_dir() {
            read(&path, schemas, objects)?;
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            let found = read_objects(&fs::read_to_string(&path)?, &ReadLimits::default());
            // Some are broken on purpose.
            let found = found
                .unwrap_or_default()
                .into_iter()
                .map(|located| located.object);
            objects.extend(found.filter(|object| schemas.knows(object.gvk())));
        }
    }
    Ok(())
}
