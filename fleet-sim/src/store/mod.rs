//! What is stored: objects by their addresses, one revision counter, and what changed of late
//! (`apiserver/pkg/storage/etcd3/store.go`, `storage/cacher/watch_cache.go`).

mod history;

use std::{
    collections::{BTreeMap, VecDeque},
    ops::Bound,
    sync::Arc,
};

use fleet_diff::Object;
use serde_json::Value;

pub(crate) use history::Change;

/// All objects of a resource, whatever the version: group and plural.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Table {
    pub(crate) group: Arc<str>,
    pub(crate) resource: Arc<str>,
}

/// One object of a table. The namespace is empty where there are none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) namespace: Arc<str>,
    pub(crate) name: Arc<str>,
}

/// An object as it was written, with its resourceVersion in it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) object: Object,
    /// Of the write that made it what it is.
    pub(crate) revision: u64,
}

#[derive(Debug, Default)]
struct Rows {
    objects: BTreeMap<Key, Arc<Stored>>,
    history: VecDeque<Change>,
    /// Changes up to this revision are forgotten.
    floor: u64,
    /// Of the last write.
    changed: u64,
}

/// The only place where revisions are made.
#[derive(Debug)]
pub(crate) struct Store {
    revision: u64,
    tables: BTreeMap<Table, Rows>,
    /// Most changes that are remembered of each table.
    window: usize,
}

impl Store {
    pub(crate) fn new(window: usize) -> Self {
        Self {
            revision: 1,
            tables: BTreeMap::new(),
            window,
        }
    }

    /// Of the last write.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// The last write of a resource; 0 before the first.
    pub(crate) fn changed(&self, group: &str, resource: &str) -> u64 {
        let of = |(table, rows): (&Table, &Rows)| {
            (&*table.group == group && &*table.resource == resource).then_some(rows.changed)
        };
        self.tables.iter().find_map(of).unwrap_or(0)
    }

    pub(crate) fn get(&self, table: &Table, key: &Key) -> Option<&Arc<Stored>> {
        self.tables.get(table)?.objects.get(key)
    }

    /// All of a table, or of one namespace of it, in the order of their keys.
    pub(crate) fn all<'s>(
        &'s self,
        table: &Table,
        namespace: Option<&str>,
    ) -> impl Iterator<Item = (&'s Key, &'s Arc<Stored>)> + use<'s> {
        let rows = self.tables.get(table).map(|rows| &rows.objects);
        let from = namespace.map_or(Bound::Unbounded, |namespace| {
            Bound::Included(Key {
                namespace: namespace.into(),
                name: "".into(),
            })
        });
        let namespace = namespace.map(str::to_owned);
        rows.into_iter()
            .flat_map(move |rows| rows.range((from.clone(), Bound::Unbounded)))
            .take_while(move |(key, _)| {
                namespace
                    .as_deref()
                    .is_none_or(|wanted| &*key.namespace == wanted)
            })
    }

    /// The tables that have or had objects.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.keys()
    }

    /// Writes an object, with the next revision in it.
    pub(crate) fn put(&mut self, table: &Table, key: &Key, object: Value) -> Result<Arc<Stored>, String> {
        let revision = self.revision + 1;
        let stored = Arc::new(Stored {
            object: at_revision(object, revision)?,
            revision,
        });
        self.revision = revision;
        let window = self.window;
        let rows = self.rows(table);
        let before = rows.objects.insert(key.clone(), stored.clone());
        rows.remember(
            window,
            Change {
                revision,
                key: key.clone(),
                before,
                after: Some(stored.clone()),
            },
        );
        Ok(stored)
    }

    /// Takes an object away. What is returned is the object as it was, with the revision of its end.
    pub(crate) fn remove(&mut self, table: &Table, key: &Key) -> Result<Option<Arc<Stored>>, String> {
        let Some(before) = self.get(table, key).cloned() else {
            return Ok(None);
        };
        let revision = self.revision + 1;
        let last = Arc::new(Stored {
            object: at_revision(before.object.to_json(), revision)?,
            revision,
        });
        self.revision = revision;
        let window = self.window;
        let rows = self.rows(table);
        rows.objects.remove(key);
        rows.remember(
            window,
            Change {
                revision,
                key: key.clone(),
                before: Some(before),
                after: None,
            },
        );
        Ok(Some(last))
    }

    fn rows(&mut self, table: &Table) -> &mut Rows {
        self.tables.entry(table.clone()).or_default()
    }
}

fn at_revision(mut object: Value, revision: u64) -> Result<Object, String> {
    object["metadata"]["resourceVersion"] = revision.to_string().into();
    Object::from_json(object).map_err(|error| error.to_string())
}
