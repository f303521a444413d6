//! What changed of late: for watches, and for lists that go on where they began.

use std::{collections::BTreeMap, sync::Arc};

use super::{Key, Rows, Store, Stored, Table};

/// One write.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) revision: u64,
    pub(crate) key: Key,
    /// None when it was made.
    pub(crate) before: Option<Arc<Stored>>,
    /// None when it was taken away.
    pub(crate) after: Option<Arc<Stored>>,
}

impl Rows {
    pub(super) fn remember(&mut self, window: usize, change: Change) {
        self.changed = change.revision;
        self.history.push_back(change);
        while self.history.len() > window {
            if let Some(forgotten) = self.history.pop_front() {
                self.floor = forgotten.revision;
            }
        }
    }
}

impl Store {
    /// What changed after a revision; none when that is no longer known.
    pub(crate) fn changes_since(
        &self,
        table: &Table,
        revision: u64,
    ) -> Option<impl Iterator<Item = &Change>> {
        let rows = self.tables.get(table);
        if rows.is_some_and(|rows| revision < rows.floor) {
            return None;
        }
        let history = rows.map(|rows| {
            let from = rows.history.partition_point(|change| change.revision <= revision);
            rows.history.range(from..)
        });
        Some(history.into_iter().flatten())
    }

    /// The table as it was at a revision; none when that is no longer known.
    pub(crate) fn at(&self, table: &Table, revision: u64) -> Option<BTreeMap<Key, Arc<Stored>>> {
        let changes: Vec<&Change> = self.changes_since(table, revision)?.collect();
        let mut rows = self
            .tables
            .get(table)
            .map(|rows| rows.objects.clone())
            .unwrap_or_default();
        for change in changes.into_iter().rev() {
            match &change.before {
                Some(before) => drop(rows.insert(change.key.clone(), before.clone())),
                None => drop(rows.remove(&change.key)),
            }
        }
        Some(rows)
    }

    /// The oldest revision that changes are known after.
    pub(crate) fn floor(&self, table: &Table) -> u64 {
        self.tables.get(table).map_or(0, |rows| rows.floor)
    }

    /// Forgets all changes so far, as compaction does.
    pub(crate) fn compact(&mut self) {
        let revision = self.revision;
        for rows in self.tables.values_mut() {
            rows.history.clear();
            rows.floor = revision;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn table() -> Table {
        Table {
            group: "".into(),
            resource: "configmaps".into(),
        }
    }

    fn key(name: &str) -> Key {
        Key {
            namespace: "shop".into(),
            name: name.into(),
        }
    }

    fn map(name: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": name}})
    }

    #[test]
    fn the_past_is_known_as_far_as_the_window_reaches() {
        let mut store = Store::new(3);
        for name in ["a", "b", "c"] {
            store.put(&table(), &key(name), map(name)).unwrap();
        }
        let then = store.revision();
        store.remove(&table(), &key("b")).unwrap().unwrap();
        store.put(&table(), &key("d"), map("d")).unwrap();
        let names = |revision| -> Option<Vec<String>> {
            let rows = store.at(&table(), revision)?;
            Some(rows.keys().map(|key| key.name.to_string()).collect())
        };
        assert_eq!(names(store.revision()).unwrap(), ["a", "c", "d"]);
        assert_eq!(names(then).unwrap(), ["a", "b", "c"]);
        assert_eq!(names(then - 1).unwrap(), ["a", "b"]);
        assert_eq!(names(then - 2), None, "forgotten");
        assert!(store.changes_since(&table(), then - 2).is_none());
        assert_eq!(store.changes_since(&table(), then).unwrap().count(), 2);
        assert_eq!(store.floor(&table()), then - 1);
        store.compact();
        assert!(store.changes_since(&table(), then).is_none());
    }

    #[test]
    fn an_object_bears_the_revision_of_its_write() {
        let mut store = Store::new(9);
        let stored = store.put(&table(), &key("a"), map("a")).unwrap();
        let bears = |stored: &Stored| {
            stored.object.metadata_text("resourceVersion") == Some(&stored.revision.to_string())
        };
        assert!(bears(&stored));
        let last = store.remove(&table(), &key("a")).unwrap().unwrap();
        assert!(bears(&last) && last.revision > stored.revision);
        assert!(store.remove(&table(), &key("a")).unwrap().is_none());
    }
}
