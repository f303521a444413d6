//! The verdict on each field.

use std::borrow::Cow;
use std::{
    cell::OnceCell,
    collections::{BTreeMap, BTreeSet},
};

use super::{
    action::Decision,
    effective::{Left, Ruled},
    verdicts::{FieldVerdict, Verdict},
};
use crate::{
    Blocked, Document, FieldManager, FieldPath, FieldSet, Intent, PathElement,
    document::Node,
    managed::ManagerKey,
    path::Finder,
    predict::{is_chosen, stored_form},
    rules::{is_same, set_by_server},
    typed,
};

/// What is known of an object's fields.
pub(super) struct Sides<'v> {
    desired: Finder<'v>,
    /// The definition's fields, with defaults in the names of elements.
    named: OnceCell<FieldSet>,
    live: Option<Finder<'v>>,
    after: Option<Finder<'v>>,
    /// The definition as if it were made now.
    fresh: Option<Finder<'v>>,
    ruled: BTreeMap<&'v FieldPath, &'v Ruled>,
    conflicts: BTreeSet<&'v FieldPath>,
}

impl Decision<'_> {
    /// One verdict for every field that the definition, the live object or our memory has, in the server's order. None
    /// where it is not known which rules count.
    pub fn fields(&self) -> Vec<FieldVerdict> {
        if self.rules_unknown() {
            return Vec::new();
        }
        let (layer, root) = (self.kind.layer, self.kind.root);
        let leaves = |of: Node<'_>| typed::field_set(layer, root, of).leaves();
        let mut all = leaves(self.apply.desired().root());
        if let Some(live) = self.apply.live() {
            all = all.union(&leaves(live.root()));
        }
        if let Some(ours) = self.ours() {
            all = all.union(&ours.leaves());
        }
        for (key, _) in self.texts() {
            all.insert(&FieldPath::keys(["data", key]));
        }
        let fresh = self.fresh();
        let sides = self.sides(fresh.as_ref());
        let paths = all.leaves();
        let paths = paths.iter().filter(|path| !is_identity(path));
        let mut fields: Vec<FieldVerdict> = paths.map(|path| self.field(path, &sides)).collect();
        fields.extend(self.reordered());
        fields.sort_by(|a, b| a.path.cmp(&b.path));
        fields
    }

    /// Lists whose elements are the same in another order.
    fn reordered(&self) -> Vec<FieldVerdict> {
        let (Some(live), Some(after)) = (self.apply.live(), self.predicted()) else {
            return Vec::new();
        };
        let found = typed::reordered(self.kind.layer, self.kind.root, live.root(), after.root());
        let verdict = |path: FieldPath| FieldVerdict {
            verdict: Verdict::OursToChange,
            rule: None,
            before: path.find(live.root()).map(Node::to_json),
            after: path.find(after.root()).map(Node::to_json),
            managers: self.owners_of(&path),
            path,
        };
        found.into_iter().map(verdict).collect()
    }

    /// The fields that would change.
    pub fn changes(&self) -> Vec<FieldVerdict> {
        self.fields()
            .into_iter()
            .filter(|field| field.verdict.is_change())
            .collect()
    }

    /// The objects to look fields up in.
    pub(super) fn sides<'v>(&'v self, fresh: Option<&'v Document>) -> Sides<'v> {
        Sides {
            desired: Finder::new(self.apply.desired().root()),
            named: OnceCell::new(),
            live: self.apply.live().map(|live| Finder::new(live.root())),
            after: self.predicted().map(|after| Finder::new(after.root())),
            fresh: fresh.map(|fresh| Finder::new(fresh.root())),
            ruled: self.ruled.iter().map(|ruled| (&ruled.path, ruled)).collect(),
            conflicts: self.conflicts().iter().map(|conflict| &conflict.path).collect(),
        }
    }

    fn field(&self, path: FieldPath, sides: &Sides<'_>) -> FieldVerdict {
        let desired = self.defined(&path, sides);
        let live = sides.live.as_ref().and_then(|live| live.find(&path));
        let after = sides.after.as_ref().map(|after| after.find(&path));
        let (verdict, rule) = self.verdict(&path, desired, live, after, sides);
        let managers = self.owners_of(&path);
        let after = match after {
            Some(after) => after.filter(|after| live.is_none_or(|live| live != *after)),
            None => desired.filter(|desired| live.is_none_or(|live| live != *desired)),
        };
        FieldVerdict {
            path,
            verdict,
            rule,
            before: live.map(Node::to_json),
            after: after.map(Node::to_json),
            managers,
        }
    }

    /// What the definition has there.
    pub(super) fn defined<'v>(&self, path: &FieldPath, sides: &Sides<'v>) -> Option<Node<'v>> {
        sides.desired.find_named(path, |element| {
            let (layer, root) = (self.kind.layer, self.kind.root);
            let named = || typed::field_set(layer, root, self.apply.desired().root());
            sides.named.get_or_init(named).contains(element)
        })
    }

    fn verdict(
        &self,
        path: &FieldPath,
        desired: Option<Node<'_>>,
        live: Option<Node<'_>>,
        after: Option<Option<Node<'_>>>,
        sides: &Sides<'_>,
    ) -> (Verdict, Option<String>) {
        let plain = |verdict| (verdict, None);
        if let Some(ruled) = sides.ruled.get(path) {
            let verdict = match (&ruled.rule.intent, ruled.left) {
                (Intent::WriteOnce | Intent::KeepLive, _) => Verdict::KeptWriteOnce,
                (Intent::OwnedBy { .. }, Left::Out) => Verdict::Foreign,
                _ => Verdict::Ignored,
            };
            return (verdict, Some(ruled.rule.id.to_string()));
        }
        if let Some((_, rule)) = self.removed.iter().find(|(removed, _)| path.starts_with(removed)) {
            return (Verdict::OursToRemove, Some(rule.clone()));
        }
        let is_meant = |blocked: &&Blocked| {
            blocked.path == *path || path.starts_with(&blocked.path) && desired.is_some() && desired != live
        };
        if let Some(blocked) = self.blocked().iter().find(is_meant) {
            let verdict = if blocked.grow_only {
                Verdict::GrowOnly
            } else {
                Verdict::Immutable
            };
            return (verdict, Some(blocked.rule.to_owned()));
        }
        if sides.conflicts.contains(path) {
            return plain(Verdict::Conflict);
        }
        let Some(after) = after else {
            return plain(match (desired, live) {
                (Some(desired), Some(live)) if desired == live => Verdict::Same,
                (Some(_), _) if self.doubt().is_some() => Verdict::Unsure,
                (Some(_), _) => Verdict::OursToChange,
                (None, _) => match self.undefined(path, live, sides) {
                    Verdict::Foreign if !self.is_ours_alone(path) => Verdict::Foreign,
                    Verdict::Foreign if self.doubt().is_some() => Verdict::Unsure,
                    Verdict::Foreign => Verdict::OursToRemove,
                    other => other,
                },
            });
        };
        let changes = match (live, after) {
            (Some(live), Some(after)) => live != after,
            (None, None) => false,
            _ => true,
        };
        match (desired, changes) {
            (Some(_), true) => plain(Verdict::OursToChange),
            (Some(desired), false) if live.is_some_and(|live| live == desired) => plain(Verdict::Same),
            (Some(_), false) if self.is_reset(path) => plain(Verdict::SetByServer),
            (Some(_), false) => plain(Verdict::Normalised),
            (None, true) if self.is_of_text(path) => plain(Verdict::OursToChange),
            (None, false) if self.is_of_text(path) => plain(Verdict::Same),
            (None, true) if live.is_some() && (after.is_none() || self.is_ours(path)) => {
                plain(Verdict::OursToRemove)
            }
            (None, true) => plain(Verdict::SetByServer),
            (None, false) => match self.undefined(path, live, sides) {
                Verdict::SetByServer => (Verdict::SetByServer, self.filled_in_by(path)),
                verdict => plain(verdict),
            },
        }
    }

    /// A field that the definition does not have and that stays.
    pub(super) fn undefined(&self, path: &FieldPath, live: Option<Node<'_>>, sides: &Sides<'_>) -> Verdict {
        let Some(live) = live else {
            // Only remembered, and gone already.
            return Verdict::Same;
        };
        if self.is_reset(path) || is_kept_by_server(path) {
            return Verdict::SetByServer;
        }
        if let Some(fresh) = &sides.fresh
            && let Some(default) = fresh.find(path)
            && (default == live || is_same(&default.to_json(), &live.to_json()))
        {
            return Verdict::Default;
        }
        let gvk = self.apply.desired().gvk();
        if is_chosen(gvk, path) {
            return Verdict::ChosenByServer;
        }
        if set_by_server(gvk, path).is_some() && !self.is_foreign_apply(path) {
            return Verdict::SetByServer;
        }
        if self.owners_of(path).is_empty() {
            Verdict::ForeignUnknownWriter
        } else {
            Verdict::Foreign
        }
    }

    /// The id of the row that says that servers fill a field in.
    fn filled_in_by(&self, path: &FieldPath) -> Option<String> {
        set_by_server(self.apply.desired().gvk(), path).map(str::to_owned)
    }

    /// What the definition would be if it were made now: what is in there besides it are defaults.
    pub(super) fn fresh(&self) -> Option<Document> {
        stored_form(self.apply.sending(self.document()).to(None))
    }

    /// What we applied last time, by the object and by what we remember.
    fn ours(&self) -> Option<Cow<'_, FieldSet>> {
        let own = || {
            Some(
                self.managers
                    .get(&ManagerKey::applied(self.apply.manager()))?
                    .fields
                    .to_set(),
            )
        };
        match (self.memory, own()) {
            (Some(memory), Some(own)) => Some(Cow::Owned(memory.union(&own))),
            (memory, own) => memory.map(Cow::Borrowed).or(own),
        }
    }

    fn is_ours(&self, path: &FieldPath) -> bool {
        let own = self.managers.get(&ManagerKey::applied(self.apply.manager()));
        self.memory.is_some_and(|memory| memory.owns(path))
            || own.is_some_and(|own| own.fields.owns(path.elements()))
    }

    /// What a Secret's definition gives as texts. A server turns them into `data`.
    fn texts(&self) -> impl Iterator<Item = (&str, Node<'_>)> {
        let definition = self.document();
        let texts = definition
            .root()
            .get("stringData")
            .filter(|_| definition.is_secret());
        texts.into_iter().flat_map(Node::entries)
    }

    fn is_of_text(&self, path: &FieldPath) -> bool {
        match path.elements() {
            [PathElement::Key(data), PathElement::Key(key)] if **data == *"data" => {
                self.texts().any(|(text, _)| *text == **key)
            }
            _ => false,
        }
    }

    fn is_ours_alone(&self, path: &FieldPath) -> bool {
        self.is_ours(path)
            && self
                .owners_of(path)
                .iter()
                .all(|owner| owner.name == self.apply.manager())
    }

    /// Somebody applied it: then it is that manager's, whoever else may fill it in.
    fn is_foreign_apply(&self, path: &FieldPath) -> bool {
        self.managers
            .iter()
            .any(|(key, owned)| key.applied && owned.fields.owns(path.elements()))
    }

    fn is_reset(&self, path: &FieldPath) -> bool {
        self.kind.resets.covers(path)
    }

    fn owners_of(&self, path: &FieldPath) -> Vec<FieldManager> {
        let owns = self
            .managers
            .iter()
            .filter(|(_, owned)| owned.fields.owns(path.elements()));
        owns.map(|(key, owned)| key.describe(owned)).collect()
    }
}

/// What every object has of the server, and no definition means.
fn is_kept_by_server(path: &FieldPath) -> bool {
    const KEPT: [&str; 7] = [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
    ];
    let mut steps = path.elements().iter();
    let key = |element: Option<&PathElement>, name: &str| matches!(element, Some(PathElement::Key(key)) if **key == *name);
    let metadata = steps.next();
    let field = steps.next();
    key(metadata, "metadata") && KEPT.iter().any(|name| key(field, name))
}

/// Fields that are the same by definition, or are shown apart.
fn is_identity(path: &FieldPath) -> bool {
    let same = [
        ["apiVersion"].as_slice(),
        &["kind"],
        &["metadata", "name"],
        &["metadata", "namespace"],
    ];
    path.starts_with(&FieldPath::keys(["metadata", "managedFields"]))
        || same
            .iter()
            .any(|keys| *path == FieldPath::keys(keys.iter().copied()))
}
