//! Who owns what after applies and updates, beside the simplest model of it: keys of one mapping.

mod support;

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::{Apply, Object, Prediction};
use proptest::{collection, prelude::*};
use serde_json::{Value, json};
use support::{cases, object, schemas, updated_at};

type Data = BTreeMap<String, String>;
/// Not an apply before an apply, as `false` sorts; then the name.
type Entry = (bool, &'static str);

#[derive(Clone, Debug)]
enum Write {
    Apply {
        by: &'static str,
        data: Data,
        force: bool,
    },
    Update {
        by: &'static str,
        data: Data,
    },
}

/// What there is, and whose it is.
#[derive(Clone, Debug, Default)]
struct Model {
    data: Data,
    owners: BTreeMap<Entry, BTreeSet<String>>,
    times: BTreeMap<Entry, String>,
}

impl Model {
    /// Keys that are there with another value than before, and keys that are gone.
    fn change(&self, after: &Data) -> (BTreeSet<String>, BTreeSet<String>) {
        let written = after
            .iter()
            .filter(|(key, value)| self.data.get(*key) != Some(*value));
        let gone = self.data.keys().filter(|key| !after.contains_key(*key));
        (
            written.map(|(key, _)| key.clone()).collect(),
            gone.cloned().collect(),
        )
    }

    fn take(&mut self, keys: &BTreeSet<String>, but: Option<Entry>) {
        for (entry, owned) in &mut self.owners {
            if Some(*entry) != but {
                owned.retain(|key| !keys.contains(key));
            }
        }
        self.owners.retain(|_, owned| !owned.is_empty());
        let owners = &self.owners;
        self.times.retain(|entry, _| owners.contains_key(entry));
    }

    fn update(&mut self, by: &'static str, data: &Data, time: &str) {
        let (written, gone) = self.change(data);
        self.take(&written.union(&gone).cloned().collect(), None);
        self.data.clone_from(data);
        if !written.is_empty() {
            self.owners.entry((false, by)).or_default().extend(written);
            self.times.insert((false, by), time.to_owned());
        }
    }

    /// The conflicts, if that is what it ends with.
    fn apply(&mut self, by: &'static str, data: &Data, force: bool) -> BTreeSet<(String, String)> {
        let ours = (true, by);
        let others = self.owners.iter().filter(|(entry, _)| **entry != ours);
        let theirs: BTreeSet<&String> = others.clone().flat_map(|(_, owned)| owned).collect();
        let mut after = self.data.clone();
        for key in self.owners.get(&ours).into_iter().flatten() {
            if !theirs.contains(key) {
                after.remove(key);
            }
        }
        after.extend(data.clone());
        let (written, gone) = self.change(&after);
        let conflicts = others.flat_map(|((_, name), owned)| {
            let lost = owned.intersection(&written);
            lost.map(|key| ((*name).to_owned(), format!(".data.{key}")))
        });
        let conflicts: BTreeSet<_> = conflicts.collect();
        if !conflicts.is_empty() && !force {
            return conflicts;
        }
        self.take(&written.union(&gone).cloned().collect(), Some(ours));
        self.data = after;
        self.owners.insert(ours, data.keys().cloned().collect());
        self.take(&BTreeSet::new(), None);
        BTreeSet::new()
    }

    /// Entries in the server's order: applies first, then by time.
    fn entries(&self) -> Vec<Value> {
        let mut all: Vec<_> = self.owners.iter().collect();
        all.sort_by_key(|((applied, name), _)| (!applied, self.times.get(&(*applied, *name)), *name));
        let entry = |((applied, name), keys): (&Entry, &BTreeSet<String>)| {
            let keys: BTreeMap<String, Value> =
                keys.iter().map(|key| (format!("f:{key}"), json!({}))).collect();
            let mut entry = json!({
                "manager": name, "operation": if *applied { "Apply" } else { "Update" },
                "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": keys},
            });
            if let Some(time) = self.times.get(&(*applied, *name)) {
                entry["time"] = json!(time);
            }
            entry
        };
        all.into_iter().map(entry).collect()
    }
}

const KEEPER: &str = "keeper";

fn config(data: &Data) -> Value {
    let mut config =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a"}});
    // An empty mapping would be a field of its own.
    if !data.is_empty() {
        config["data"] = json!(data);
    }
    config
}

fn write() -> impl Strategy<Value = Write> {
    let data = collection::btree_map("[abcd]", "[01]", 0..5);
    let by = prop::sample::select(vec!["fleet", "other", "third"]);
    prop_oneof![
        (by.clone(), data.clone(), any::<bool>()).prop_map(|(by, data, force)| Write::Apply {
            by,
            data,
            force
        }),
        (by, data).prop_map(|(by, data)| Write::Update { by, data }),
    ]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn owners_are_what_the_writes_say(writes in collection::vec(write(), 1..10)) {
        // One key that nobody else touches, so that the mapping itself never comes or goes.
        let kept = Data::from([(KEEPER.to_owned(), "1".to_owned())]);
        let mut model = Model::default();
        model.apply(KEEPER, &kept, false);
        let mut live = support::applied(None, &config(&kept), KEEPER);
        for (second, write) in writes.into_iter().enumerate() {
            match write {
                Write::Apply { by, data, force } => {
                    let desired = object(config(&data));
                    let conflicts = model.apply(by, &data, force);
                    match Apply::new(&desired, by, schemas()).to(Some(&live)).force(force).predict() {
                        Prediction::Object(after) => {
                            prop_assert!(conflicts.is_empty(), "{:?} are missed", conflicts);
                            live = after;
                        }
                        Prediction::Conflicts(found) => {
                            let found: BTreeSet<_> = found
                                .into_iter()
                                .map(|conflict| (conflict.manager, conflict.path.to_string()))
                                .collect();
                            prop_assert_eq!(found, conflicts);
                        }
                        other => panic!("{other:?}"),
                    }
                }
                Write::Update { by, mut data } => {
                    data.extend(kept.clone());
                    let time = format!("2020-01-01T00:00:{second:02}Z");
                    model.update(by, &data, &time);
                    live = updated_at(&live, by, &time, |live| live["data"] = json!(data));
                }
            }
            agree(&live, &model)?;
        }
    }
}

fn agree(live: &Object, model: &Model) -> Result<(), TestCaseError> {
    let live = live.to_json();
    prop_assert_eq!(&live["data"], &json!(model.data));
    prop_assert_eq!(&live["metadata"]["managedFields"], &json!(model.entries()));
    Ok(())
}
