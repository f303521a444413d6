//! An object on its way into storage: what does not change stays where it was read, only the rest is made anew.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::document::{Builder, Document, Kind, Node, order};

/// A value: taken over as it is, or made.
#[derive(Clone)]
pub(crate) enum Tree<'n> {
    Node(Node<'n>),
    Json(Value),
    Map(Draft<'n>),
    List(Vec<Tree<'n>>),
}

/// A mapping that may be changed, sorted by key.
#[derive(Clone, Default)]
pub(crate) struct Draft<'n>(Vec<(Cow<'n, str>, Tree<'n>)>);

/// A value inside a tree, for reading.
#[derive(Clone, Copy)]
pub(crate) enum View<'t, 'n> {
    Node(Node<'n>),
    Tree(&'t Tree<'n>),
    Json(&'t Value),
}

impl<'n> Draft<'n> {
    /// From the entries of a mapping.
    pub(crate) fn of(node: Node<'n>) -> Self {
        Self(
            node.entries()
                .map(|(key, value)| (Cow::Borrowed(key), Tree::Node(value)))
                .collect(),
        )
    }

    /// With room for so many entries.
    pub(crate) fn with_capacity(entries: usize) -> Self {
        Self(Vec::with_capacity(entries))
    }

    /// Adds an entry that sorts after all that are there.
    pub(crate) fn push(&mut self, key: &'n str, value: Tree<'n>) {
        debug_assert!(self.0.last().is_none_or(|(last, _)| **last < *key));
        self.0.push((Cow::Borrowed(key), value));
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| order(known, key))
    }

    pub(crate) fn get<'t>(&'t self, key: &str) -> Option<View<'t, 'n>> {
        self.find(key).ok().map(|at| self.0[at].1.view())
    }

    pub(crate) fn at<'t>(&'t self, path: &[&str]) -> Option<View<'t, 'n>> {
        let (first, rest) = path.split_first()?;
        rest.iter().try_fold(self.get(first)?, |at, key| at.get(key))
    }

    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    pub(crate) fn contains(&self, key: &str) -> bool {
        self.find(key).is_ok()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(key, _)| &**key)
    }

    pub(crate) fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.put(key, Tree::Json(value.into()));
    }

    pub(crate) fn put(&mut self, key: &str, value: Tree<'n>) {
        match self.find(key) {
            Ok(at) => self.0[at].1 = value,
            Err(at) => self.0.insert(at, (Cow::Owned(key.to_owned()), value)),
        }
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Tree<'n>> {
        self.find(key).ok().map(|at| self.0.remove(at).1)
    }

    /// The mapping under a key, to be changed; made when there is none. None when something else is there.
    pub(crate) fn inner(&mut self, key: &str) -> Option<&mut Draft<'n>> {
        if !self.contains(key) {
            self.put(key, Tree::Map(Draft::default()));
        }
        self.existing(key)
    }

    /// The mapping under a key, to be changed.
    pub(crate) fn existing(&mut self, key: &str) -> Option<&mut Draft<'n>> {
        let at = self.find(key).ok()?;
        self.0[at].1.as_draft()
    }

    /// The list under a key, to be changed; empty when there is none.
    pub(crate) fn list(&mut self, key: &str) -> Option<&mut Vec<Tree<'n>>> {
        if !self.contains(key) {
            self.put(key, Tree::List(Vec::new()));
        }
        let at = self.find(key).ok()?;
        self.0[at].1.as_list()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn write(&self, out: &mut Builder<'_>) {
        out.begin();
        for (key, value) in &self.0 {
            if let Tree::Node(node) = value {
                out.entry(key, *node);
            } else {
                out.key(key);
                value.write(out);
            }
        }
        out.end_map();
    }

    /// The finished document. What comes from `base` is taken over from it.
    pub(crate) fn finish(&self, base: &Document) -> Document {
        let mut out = Builder::based_on(base);
        self.write(&mut out);
        out.finish()
    }
}

impl<'n> Tree<'n> {
    pub(crate) fn view(&self) -> View<'_, 'n> {
        match self {
            Self::Node(node) => View::Node(*node),
            Self::Json(value) => View::Json(value),
            Self::Map(_) | Self::List(_) => View::Tree(self),
        }
    }

    /// As a mapping to be changed; none when it is none.
    pub(crate) fn as_draft(&mut self) -> Option<&mut Draft<'n>> {
        match self {
            Self::Node(node) if node.is_map() => *self = Self::Map(Draft::of(*node)),
            Self::Json(Value::Object(map)) => {
                let mut draft = Draft::default();
                for (key, value) in std::mem::take(map) {
                    draft.put(&key, Self::Json(value));
                }
                *self = Self::Map(draft);
            }
            _ => {}
        }
        match self {
            Self::Map(draft) => Some(draft),
            _ => None,
        }
    }

    pub(crate) fn as_list(&mut self) -> Option<&mut Vec<Tree<'n>>> {
        match self {
            Self::Node(node) if node.is_list() => *self = Self::List(node.items().map(Tree::Node).collect()),
            Self::Json(Value::Array(items)) => {
                *self = Self::List(std::mem::take(items).into_iter().map(Tree::Json).collect());
            }
            _ => {}
        }
        match self {
            Self::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Node(node) => node.to_json(),
            Self::Json(value) => value.clone(),
            Self::List(items) => Value::Array(items.iter().map(Tree::to_json).collect()),
            Self::Map(draft) => {
                let entries = draft
                    .0
                    .iter()
                    .map(|(key, value)| (key.to_string(), value.to_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    fn write(&self, out: &mut Builder<'_>) {
        match self {
            Self::Node(node) => out.node(*node),
            Self::Json(value) => out.json(value),
            Self::Map(draft) => draft.write(out),
            Self::List(items) => {
                out.begin();
                for item in items {
                    item.write(out);
                }
                out.end_list();
            }
        }
    }
}

impl<'t, 'n> View<'t, 'n> {
    pub(crate) fn as_str(self) -> Option<&'t str>
    where
        'n: 't,
    {
        match self {
            Self::Node(node) => node.as_str(),
            Self::Json(value) => value.as_str(),
            Self::Tree(_) => None,
        }
    }

    pub(crate) fn as_bool(self) -> Option<bool> {
        match self {
            Self::Node(node) => node.as_bool(),
            Self::Json(value) => value.as_bool(),
            Self::Tree(_) => None,
        }
    }

    pub(crate) fn as_i64(self) -> Option<i64> {
        match self {
            Self::Node(node) => node.as_i64(),
            Self::Json(value) => value.as_i64(),
            Self::Tree(_) => None,
        }
    }

    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Node(node) => node.kind(),
            Self::Json(Value::Null) => Kind::Null,
            Self::Json(Value::Bool(_)) => Kind::Bool,
            Self::Json(Value::Number(_)) => Kind::Number,
            Self::Json(Value::String(_)) => Kind::Text,
            Self::Json(Value::Array(_)) | Self::Tree(Tree::List(_)) => Kind::List,
            Self::Json(Value::Object(_)) | Self::Tree(Tree::Map(_)) => Kind::Map,
            Self::Tree(inner) => inner.view().kind(),
        }
    }

    pub(crate) fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// How many elements or entries.
    pub(crate) fn len(self) -> usize {
        match self {
            Self::Node(node) => node.len(),
            Self::Json(Value::Array(items)) => items.len(),
            Self::Json(Value::Object(map)) => map.len(),
            Self::Tree(Tree::List(items)) => items.len(),
            Self::Tree(Tree::Map(draft)) => draft.0.len(),
            Self::Json(_) | Self::Tree(_) => 0,
        }
    }

    pub(crate) fn get(self, key: &str) -> Option<Self> {
        match self {
            Self::Node(node) => node.get(key).map(Self::Node),
            Self::Json(value) => value.get(key).map(Self::Json),
            Self::Tree(Tree::Map(draft)) => draft.get(key),
            Self::Tree(_) => None,
        }
    }

    pub(crate) fn items(self) -> Vec<Self> {
        match self {
            Self::Node(node) => node.items().map(Self::Node).collect(),
            Self::Json(Value::Array(items)) => items.iter().map(Self::Json).collect(),
            Self::Tree(Tree::List(items)) => items.iter().map(Tree::view).collect(),
            Self::Json(_) | Self::Tree(_) => Vec::new(),
        }
    }

    pub(crate) fn to_json(self) -> Value {
        match self {
            Self::Node(node) => node.to_json(),
            Self::Json(value) => value.clone(),
            Self::Tree(tree) => tree.to_json(),
        }
    }
}
