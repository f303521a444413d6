//! Looking up many paths in one document.

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use super::{FieldPath, PathElement, Scalar};
use crate::document::Node;

/// Lists of more elements than these are indexed when they are first looked into.
const FEW: usize = 16;

/// Finds the values of paths as [`FieldPath::find`] does, in time that does not grow with the length of lists.
pub(crate) struct Finder<'v> {
    root: Node<'v>,
    /// By where the list is.
    lists: RefCell<HashMap<usize, Index>>,
}

/// The first element of each name.
struct Index {
    /// The key fields of names, none for values.
    keys: BTreeSet<Arc<str>>,
    /// Every element has a name.
    is_complete: bool,
    places: HashMap<PathElement, usize>,
}

impl<'v> Finder<'v> {
    pub(crate) fn new(root: Node<'v>) -> Self {
        Self {
            root,
            lists: RefCell::default(),
        }
    }

    pub(crate) fn find(&self, path: &FieldPath) -> Option<Node<'v>> {
        path.elements()
            .iter()
            .try_fold(self.root, |node, element| self.step(node, element))
    }

    /// As [`find`](Self::find). Where an element was only found because it says nothing in a key field, `is_named` says
    /// whether it has that name: by its default it may have another one.
    pub(crate) fn find_named(
        &self,
        path: &FieldPath,
        is_named: impl FnOnce(&FieldPath) -> bool,
    ) -> Option<Node<'v>> {
        let mut node = self.root;
        let mut open = None;
        for (i, element) in path.elements().iter().enumerate() {
            node = self.step(node, element)?;
            if let PathElement::ListKey(fields) = element
                && !super::has_fields(node, fields)
            {
                open = Some(i);
            }
        }
        let Some(last) = open else { return Some(node) };
        let outer = FieldPath::new(path.elements()[..=last].iter().cloned());
        is_named(&outer).then_some(node)
    }

    fn step(&self, node: Node<'v>, element: &PathElement) -> Option<Node<'v>> {
        let is_long = node.is_list() && node.len() > FEW;
        if !is_long || matches!(element, PathElement::Index(_) | PathElement::Key(_)) {
            return element.find(node);
        }
        let mut lists = self.lists.borrow_mut();
        let index = lists
            .entry(node.place())
            .or_insert_with(|| Index::of(node, element));
        match index.places.get(element) {
            Some(place) => node.item(*place),
            None if index.is_for(element) => None,
            // By other key fields than the list is indexed by, or in a list whose elements do not all have them.
            None => element.find(node),
        }
    }
}

impl Index {
    /// By the key fields of the first name that is asked for.
    fn of(list: Node<'_>, element: &PathElement) -> Self {
        let keys: BTreeSet<Arc<str>> = match element {
            PathElement::ListKey(fields) => fields.keys().cloned().collect(),
            _ => BTreeSet::new(),
        };
        let mut places = HashMap::new();
        let mut is_complete = true;
        for (place, item) in list.items().enumerate() {
            let name = match element {
                PathElement::ListKey(_) => {
                    let field = |key: &Arc<str>| Some((key.clone(), Scalar::from_node(item.get(key)?)?));
                    keys.iter()
                        .map(field)
                        .collect::<Option<_>>()
                        .map(PathElement::ListKey)
                }
                _ => Scalar::from_node(item).map(PathElement::Value),
            };
            match name {
                Some(name) => drop(places.entry(name).or_insert(place)),
                None => is_complete = false,
            }
        }
        Self {
            keys,
            is_complete,
            places,
        }
    }

    fn is_for(&self, element: &PathElement) -> bool {
        match element {
            PathElement::ListKey(fields) => self.is_complete && fields.keys().eq(&self.keys),
            _ => self.keys.is_empty(),
        }
    }
}
