//! The entries of `metadata.managedFields`.

use std::collections::BTreeMap;

use crate::{
    FieldManager, FieldSet,
    document::{Builder, Node},
};

/// Who owns what, by who wrote it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Managers(BTreeMap<ManagerKey, Owned>);

/// What tells entries apart: an apply has one entry whatever version it is written in, updates have one for each
/// (apimachinery, `managedfields/internal/managedfields.go`, `BuildManagerIdentifier`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ManagerKey {
    pub(crate) name: String,
    pub(crate) applied: bool,
    pub(crate) subresource: String,
    /// Empty for an apply.
    version: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Owned {
    pub(crate) version: String,
    pub(crate) time: Option<String>,
    pub(crate) fields: FieldSet,
}

/// Why the entries cannot be read. The server refuses an apply then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("managedFields entry {position}: {problem}")]
pub(crate) struct ManagersError {
    pub(crate) position: usize,
    pub(crate) problem: String,
}

impl ManagerKey {
    pub(crate) fn applied(name: &str) -> Self {
        Self { name: name.to_owned(), applied: true, subresource: String::new(), version: String::new() }
    }

    pub(crate) fn describe(&self, owned: &Owned) -> FieldManager {
        FieldManager {
            name: self.name.clone(),
            operation: if self.applied { "Apply" } else { "Update" }.to_owned(),
            subresource: self.subresource.clone(),
            api_version: owned.version.clone(),
            time: owned.time.clone(),
        }
    }

    pub(crate) fn updated(name: &str, version: &str) -> Self {
        Self { applied: false, version: version.to_owned(), ..Self::applied(name) }
    }
}

impl Managers {
    /// From `metadata.managedFields` of a live object.
    pub(crate) fn read(list: Option<Node<'_>>) -> Result<Self, ManagersError> {
        let mut found = BTreeMap::new();
        for (position, entry) in list.into_iter().flat_map(Node::items).enumerate() {
            let error = |problem: &str| ManagersError { position, problem: problem.to_owned() };
            let text = |key: &str| entry.get(key).and_then(Node::as_str).unwrap_or("");
            let applied = match text("operation") {
                "Apply" => true,
                "Update" => false,
                _ => return Err(error("its operation is neither Apply nor Update")),
            };
            let version = text("apiVersion");
            if version.is_empty() {
                return Err(error("it has no apiVersion"));
            }
            if text("fieldsType") != "FieldsV1" {
                return Err(error("its fieldsType is not FieldsV1"));
            }
            let fields = match entry.get("fieldsV1") {
                Some(fields) => FieldSet::from_node(fields)
                    .map_err(|cause| ManagersError { position, problem: cause.to_string() })?,
                None => FieldSet::new(),
            };
            let key = ManagerKey {
                name: text("manager").to_owned(),
                applied,
                subresource: text("subresource").to_owned(),
                version: if applied { String::new() } else { version.to_owned() },
            };
            let time = entry.get("time").and_then(Node::as_str).map(str::to_owned);
            found.insert(key, Owned { version: version.to_owned(), time, fields });
        }
        Ok(Self(found))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, key: &ManagerKey) -> Option<&Owned> {
        self.0.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ManagerKey, &Owned)> {
        self.0.iter()
    }

    pub(crate) fn set(&mut self, key: ManagerKey, owned: Owned) {
        self.0.insert(key, owned);
    }

    pub(crate) fn remove(&mut self, key: &ManagerKey) {
        self.0.remove(key);
    }

    /// Changes what each manager owns; entries that own nothing any more go.
    pub(crate) fn change(&mut self, mut change: impl FnMut(&ManagerKey, &mut Owned)) {
        for (key, owned) in &mut self.0 {
            change(key, owned);
        }
    }

    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|_, owned| !owned.fields.is_empty());
    }

    /// Writes the list in the server's order: applies first, then by time, name, version and subresource.
    pub(crate) fn write(&self, out: &mut Builder<'_>) {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by(|(a, x), (b, y)| {
            let order = |key: &ManagerKey| !key.applied;
            order(a)
                .cmp(&order(b))
                .then_with(|| x.time.cmp(&y.time))
                .then_with(|| a.name.cmp(&b.name))
                .then_with(|| x.version.cmp(&y.version))
                .then_with(|| a.subresource.cmp(&b.subresource))
        });
        out.begin();
        for (key, owned) in entries {
            out.begin();
            let mut text = |name: &str, value: &str| {
                out.key(name);
                out.text(value);
            };
            text("apiVersion", &owned.version);
            text("fieldsType", "FieldsV1");
            text("operation", if key.applied { "Apply" } else { "Update" });
            if !key.name.is_empty() {
                text("manager", &key.name);
            }
            if !key.subresource.is_empty() {
                text("subresource", &key.subresource);
            }
            if let Some(time) = &owned.time {
                text("time", time);
            }
            out.key("fieldsV1");
            owned.fields.write(out);
            out.end_map();
        }
        out.end_list();
    }
}
