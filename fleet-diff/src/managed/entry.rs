//! The entries of `metadata.managedFields`.

use std::{borrow::Cow, collections::BTreeMap};

use crate::{
    Document, FieldManager, FieldSet, PathElement,
    document::{Builder, Kind, Node},
    set::name_of,
};

/// Who owns what, by who wrote it. What is not changed stays as it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Managers<'n>(BTreeMap<ManagerKey<'n>, Owned<'n>>);

/// What tells entries apart: an apply has one entry whatever version it is written in, updates have one for each
/// (apimachinery, `managedfields/internal/managedfields.go`, `BuildManagerIdentifier`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ManagerKey<'n> {
    pub(crate) name: Cow<'n, str>,
    pub(crate) applied: bool,
    pub(crate) subresource: Cow<'n, str>,
    /// Empty for an apply.
    version: Cow<'n, str>,
}

/// One entry.
#[derive(Clone, Debug)]
pub(crate) struct Owned<'n> {
    pub(crate) version: Cow<'n, str>,
    pub(crate) time: Option<Cow<'n, str>>,
    pub(crate) fields: Fields<'n>,
}

/// The fields of an entry.
#[derive(Clone, Debug)]
pub(crate) enum Fields<'n> {
    /// As they stand in the live object: a mapping in `FieldsV1` form.
    Raw(Node<'n>),
    Set(FieldSet),
}

/// Why the entries cannot be read. The server refuses an apply then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("managedFields entry {position}: {problem}")]
pub(crate) struct ManagersError {
    pub(crate) position: usize,
    pub(crate) problem: String,
}

impl Fields<'_> {
    /// As a set. Entries that cannot be read own nothing.
    pub(crate) fn to_set(&self) -> Cow<'_, FieldSet> {
        match self {
            Self::Raw(node) => Cow::Owned(FieldSet::from_node(*node).unwrap_or_default()),
            Self::Set(set) => Cow::Borrowed(set),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Raw(node) => node.is_empty(),
            Self::Set(set) => set.is_empty(),
        }
    }

    /// True when this very field is among them, or one around it as a whole: see [`FieldSet::owns`].
    pub(crate) fn owns(&self, path: &[PathElement]) -> bool {
        match self {
            Self::Set(set) => set.owns_elements(path),
            Self::Raw(node) => raw_owns(*node, path),
        }
    }

    /// Those that are in the other set too.
    pub(crate) fn intersection(&self, other: &FieldSet) -> FieldSet {
        match self {
            Self::Set(set) => set.intersection(other),
            Self::Raw(node) => raw_intersection(*node, other),
        }
    }
}

fn is_member(node: Node<'_>) -> bool {
    node.is_empty() || node.get(".").is_some()
}

fn child<'n>(node: Node<'n>, element: &PathElement) -> Option<Node<'n>> {
    node.get(&name_of(element))
        .filter(|child| matches!(child.kind(), Kind::Map | Kind::Null))
}

fn raw_owns(node: Node<'_>, path: &[PathElement]) -> bool {
    let Some((first, rest)) = path.split_first() else {
        return false;
    };
    child(node, first).is_some_and(|inner| {
        if rest.is_empty() {
            is_member(inner)
        } else {
            inner.is_empty() || raw_owns(inner, rest)
        }
    })
}

fn raw_intersection(node: Node<'_>, other: &FieldSet) -> FieldSet {
    let mut found = FieldSet::new();
    for entry in other.entries() {
        if let Some(inner) = child(node, &entry.element) {
            let member = entry.member && is_member(inner);
            found.add(
                entry.element.clone(),
                member,
                raw_intersection(inner, &entry.inside),
            );
        }
    }
    found
}

impl<'n> ManagerKey<'n> {
    pub(crate) fn applied(name: &'n str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            applied: true,
            subresource: Cow::Borrowed(""),
            version: Cow::Borrowed(""),
        }
    }

    /// The same entry of another manager.
    pub(crate) fn of(&self, name: &'n str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            ..self.clone()
        }
    }

    /// The same writer's entry at another version.
    pub(crate) fn at(&self, version: &'n str) -> Self {
        Self {
            version: Cow::Borrowed(if self.applied { "" } else { version }),
            ..self.clone()
        }
    }

    pub(crate) fn describe(&self, owned: &Owned<'_>) -> FieldManager {
        FieldManager {
            name: self.name.to_string(),
            operation: if self.applied { "Apply" } else { "Update" }.to_owned(),
            subresource: self.subresource.to_string(),
            api_version: owned.version.to_string(),
            time: owned.time.as_deref().map(str::to_owned),
        }
    }

    pub(crate) fn updated(name: &'n str, version: &str) -> Self {
        Self::wrote(name, version, "")
    }

    /// An update through a subresource, or of the object itself when that is empty.
    pub(crate) fn wrote(name: &'n str, version: &str, subresource: &'n str) -> Self {
        Self {
            applied: false,
            version: Cow::Owned(version.to_owned()),
            subresource: Cow::Borrowed(subresource),
            ..Self::applied(name)
        }
    }
}

impl<'n> Managers<'n> {
    /// From `metadata.managedFields` of a live object.
    pub(crate) fn read(list: Option<Node<'n>>) -> Result<Self, ManagersError> {
        let mut found = BTreeMap::new();
        for (position, entry) in list.into_iter().flat_map(Node::items).enumerate() {
            let error = |problem: &str| ManagersError {
                position,
                problem: problem.to_owned(),
            };
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
            let fields = match entry.get("fieldsV1").filter(|fields| !fields.is_null()) {
                Some(fields) => {
                    check(fields).map_err(error)?;
                    Fields::Raw(fields)
                }
                None => Fields::Set(FieldSet::new()),
            };
            let key = ManagerKey {
                name: Cow::Borrowed(text("manager")),
                applied,
                subresource: Cow::Borrowed(text("subresource")),
                version: Cow::Borrowed(if applied { "" } else { version }),
            };
            let time = entry.get("time").and_then(Node::as_str).map(Cow::Borrowed);
            found.insert(
                key,
                Owned {
                    version: Cow::Borrowed(version),
                    time,
                    fields,
                },
            );
        }
        Ok(Self(found))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn get(&self, key: &ManagerKey<'n>) -> Option<&Owned<'n>> {
        self.0.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ManagerKey<'n>, &Owned<'n>)> {
        self.0.iter()
    }

    pub(crate) fn set(&mut self, key: ManagerKey<'n>, owned: Owned<'n>) {
        self.0.insert(key, owned);
    }

    pub(crate) fn remove(&mut self, key: &ManagerKey<'n>) -> Option<Owned<'n>> {
        self.0.remove(key)
    }

    /// Gives an entry another name, in place of what has that name.
    pub(crate) fn rename(&mut self, from: &ManagerKey<'n>, to: ManagerKey<'n>) {
        if let Some(owned) = self.0.remove(from) {
            self.0.insert(to, owned);
        }
    }

    /// Changes what each manager owns.
    pub(crate) fn change(&mut self, mut change: impl FnMut(&ManagerKey<'n>, &mut Owned<'n>)) {
        for (key, owned) in &mut self.0 {
            change(key, owned);
        }
    }

    /// Entries that own nothing go.
    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|_, owned| !owned.fields.is_empty());
    }

    /// In the server's order: applies first, then by time, name, version and subresource.
    fn sorted(&self) -> Vec<(&ManagerKey<'n>, &Owned<'n>)> {
        let mut entries: Vec<_> = self.0.iter().collect();
        entries.sort_by(|(a, x), (b, y)| {
            let order = |key: &ManagerKey<'_>| !key.applied;
            order(a)
                .cmp(&order(b))
                .then_with(|| x.time.cmp(&y.time))
                .then_with(|| a.name.cmp(&b.name))
                .then_with(|| x.version.cmp(&y.version))
                .then_with(|| a.subresource.cmp(&b.subresource))
        });
        entries
    }

    /// Who has entries, in the server's order.
    pub(crate) fn in_order(&self) -> impl Iterator<Item = &ManagerKey<'n>> {
        self.sorted().into_iter().map(|(key, _)| key)
    }

    /// The list of entries, in the server's order.
    pub(crate) fn to_document(&self) -> Document {
        let mut out = Builder::new();
        self.write(&mut out);
        out.finish()
    }

    fn write(&self, out: &mut Builder<'_>) {
        out.begin();
        for (key, owned) in self.sorted() {
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
            match &owned.fields {
                Fields::Raw(node) => out.entry("fieldsV1", *node),
                Fields::Set(set) => {
                    out.key("fieldsV1");
                    set.write(out);
                }
            }
            out.end_map();
        }
        out.end_list();
    }
}

/// Whether a mapping has the form of a set; a quick look at names only.
fn check(node: Node<'_>) -> Result<(), &'static str> {
    if node.kind() != Kind::Map {
        return Err("its fieldsV1 is no mapping");
    }
    for inner in node.values() {
        let is_known = inner.word().is_some_and(|word| word.of_field().is_some());
        match inner.key().as_bytes() {
            _ if is_known => {}
            b"." => continue,
            [b'f', b':', ..] => {}
            [_, b':', ..] => crate::set::check_name(inner.key())?,
            _ => return Err("its fieldsV1 has a name without `f:`, `k:`, `v:` or `i:`"),
        }
        match inner.kind() {
            Kind::Map => check(inner)?,
            Kind::Null => {}
            _ => return Err("its fieldsV1 has a value that is no mapping"),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_element_of_a_list_is_owned_apart_from_what_is_in_it() {
        let text =
            r#"{"f:spec": {"f:list": {"k:{\"name\":\"a\"}": {".": {}, "f:name": {}}}, "f:whole": {}}}"#;
        let fields: Document = text.parse().unwrap();
        let set = FieldSet::from_fields_v1(&fields).unwrap();
        for (path, owned) in [
            (r#".spec.list[name="a"]"#, true),
            (r#".spec.list[name="a"].name"#, true),
            (r#".spec.list[name="a"].image"#, false),
            (r#".spec.list[name="b"].name"#, false),
            (".spec.whole", true),
            (".spec.whole.part", true),
            (".spec", false),
        ] {
            let path: crate::FieldPath = path.parse().unwrap();
            assert_eq!(Fields::Raw(fields.root()).owns(path.elements()), owned, "{path}");
            assert_eq!(Fields::Set(set.clone()).owns(path.elements()), owned, "{path}");
        }
    }
}
