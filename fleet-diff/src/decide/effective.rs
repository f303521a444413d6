//! The definition as the rules leave it: what is sent.

use std::collections::BTreeMap;

use crate::{
    Apply, Document, FieldPath, FieldSet, Intent, Object, PathElement, Rule, Sharing,
    document::{Builder, Node},
    managed::Managers,
    path::Finder,
    predict::emptied_data,
    rules::{Applicable, RuleError, Rules},
    schema::{KindSchema, Layer, TypeId},
    storage::Draft,
    typed::{self, Shape},
};

/// A field that a rule decided.
#[derive(Clone, Debug)]
pub(super) struct Ruled {
    pub(super) path: FieldPath,
    pub(super) rule: Rule,
    pub(super) left: Left,
}

/// What the rule did to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Left {
    /// It is not sent.
    Out,
    /// It is sent with the live value: leaving it out would remove it, because nobody else owns it.
    AsItIs,
}

/// What is sent, and what it was made from.
pub(super) struct Sending<'a> {
    pub(super) kind: KindSchema<'a>,
    pub(super) managers: Managers<'a>,
    /// Whether it can be read who owns what.
    pub(super) readable: bool,
    pub(super) rules: Applicable,
    /// Why it is not known which rules count.
    pub(super) broken: Option<RuleError>,
    /// What is sent, where it is not the definition itself.
    pub(super) sent: Option<Object>,
    pub(super) ruled: Vec<Ruled>,
}

impl<'a> Sending<'a> {
    pub(super) fn new(apply: Apply<'a>) -> Self {
        let kind = apply.kind();
        let desired = apply.desired();
        let live = apply.live();
        let (managers, readable) = match Managers::read(live.and_then(managed_fields)) {
            Ok(managers) => (managers, true),
            Err(_) => (Managers::default(), false),
        };
        let usual;
        let rules = if let Some(rules) = apply.intents() {
            rules
        } else {
            usual = Rules::default();
            &usual
        };
        let (rules, broken) = match Applicable::new(rules, desired, live) {
            Ok(rules) => (rules, None),
            Err(error) => (Applicable::hiding(rules, desired), Some(error)),
        };
        let situation = Situation {
            layer: kind.layer,
            root: kind.root,
            desired,
            live: live.map(Object::document),
            managers: &managers,
            manager: apply.manager(),
            memory: apply.remembered(),
            rules: &rules,
        };
        let (document, ruled) = effective(&situation);
        let sent = document.and_then(|document| Object::from_document(document).ok());
        let sent = without_empty_data(sent.as_ref().unwrap_or(desired), live).or(sent);
        Self {
            kind,
            managers,
            readable,
            rules,
            broken,
            sent,
            ruled,
        }
    }
}

/// What would be sent.
pub(crate) fn document(apply: Apply<'_>) -> Result<Object, RuleError> {
    let sending = Sending::new(apply);
    match sending.broken {
        Some(error) => Err(error),
        None => Ok(sending.sent.unwrap_or_else(|| apply.desired().clone())),
    }
}

/// The definition without the empty mapping that the live object, which is immutable, has not. When something is in the
/// live object in its place, it stays: then it is a change.
fn without_empty_data(desired: &Object, live: Option<&Object>) -> Option<Object> {
    let live = live?.root();
    let (field, _) = emptied_data(desired.root(), live, desired.gvk())?;
    if live.get(field).is_some() {
        return None;
    }
    let mut draft = Draft::of(desired.root());
    draft.remove(field);
    Object::from_document(draft.finish(desired.document())).ok()
}

fn managed_fields(object: &Object) -> Option<Node<'_>> {
    object.root().get("metadata")?.get("managedFields")
}

/// What the rules need to know.
struct Situation<'a> {
    layer: &'a Layer,
    root: TypeId,
    desired: &'a Object,
    live: Option<&'a Document>,
    managers: &'a Managers<'a>,
    manager: &'a str,
    /// What we wrote last time, when it was told us.
    memory: Option<&'a FieldSet>,
    rules: &'a Applicable,
}

/// The document to send when it is not the definition itself, and what rules did to it.
fn effective(situation: &Situation<'_>) -> (Option<Document>, Vec<Ruled>) {
    if situation.rules.is_empty() || !situation.rules.mean_something_in(situation.desired.root()) {
        return (None, Vec::new());
    }
    let fields = situation
        .rules
        .meant_of(situation.layer, situation.root, situation.desired.root())
        .leaves();
    let mut ruled = Vec::new();
    let found = situation.live.map(|live| Finder::new(live.root()));
    let mut edits = Edits::default();
    for path in fields.iter() {
        let Some(rule) = situation.rules.of(&path) else {
            continue;
        };
        let Some(left) = situation.left(&path, &rule.intent, found.as_ref()) else {
            continue;
        };
        edits.at(path.elements()).edit = Some(left);
        ruled.push(Ruled {
            path,
            rule: rule.clone(),
            left,
        });
    }
    if ruled.is_empty() {
        return (None, ruled);
    }
    let mut walk = Walk {
        layer: situation.layer,
        out: Builder::based_on(situation.desired.document()),
    };
    let live = situation.live.map(Document::root);
    if !walk.value(situation.root, situation.desired.root(), live, &edits) {
        walk.out.null();
    }
    (Some(walk.out.finish()), ruled)
}

impl Situation<'_> {
    /// What becomes of a field; none when it is sent as it is defined.
    fn left(&self, path: &FieldPath, intent: &Intent, live: Option<&Finder<'_>>) -> Option<Left> {
        let live = live.and_then(|live| live.find(path));
        match intent {
            Intent::Ours | Intent::RemoveForeign => None,
            Intent::NeverTouch | Intent::Ignore => Some(self.leave(path, live)),
            Intent::WriteOnce => self.live.map(|_| self.leave(path, live)),
            Intent::KeepLive => live.map(|_| self.leave(path, live)),
            Intent::OwnedBy { manager, then } => {
                let theirs = self.managers.iter().any(|(key, owned)| {
                    crate::rules::glob(manager, &key.name)
                        && !self.is_us(key)
                        && owned.fields.owns(path.elements())
                });
                match then {
                    Sharing::Share if theirs => Some(Left::AsItIs),
                    Sharing::GiveUp if theirs => Some(Left::Out),
                    Sharing::Force | Sharing::Share | Sharing::GiveUp => None,
                }
            }
        }
    }

    /// Leaves a field alone.
    fn leave(&self, path: &FieldPath, live: Option<Node<'_>>) -> Left {
        let mut own = self.managers.iter().filter(|(key, _)| self.is_us(key));
        let ours = self.memory.is_some_and(|memory| memory.owns(path))
            || own.any(|(_, owned)| owned.fields.owns(path.elements()));
        let shared = || {
            let mut others = self.managers.iter().filter(|(key, _)| !self.is_us(key));
            others.any(|(_, owned)| owned.fields.owns(path.elements()))
        };
        if live.is_some() && ours && !shared() {
            Left::AsItIs
        } else {
            Left::Out
        }
    }

    fn is_us(&self, key: &crate::managed::ManagerKey<'_>) -> bool {
        key.applied && key.subresource.is_empty() && key.name == self.manager
    }
}

#[derive(Default)]
struct Edits {
    edit: Option<Left>,
    inside: BTreeMap<PathElement, Edits>,
}

impl Edits {
    fn at(&mut self, path: &[PathElement]) -> &mut Self {
        path.iter()
            .fold(self, |at, element| at.inside.entry(element.clone()).or_default())
    }
}

struct Walk<'s, 'b> {
    layer: &'s Layer,
    out: Builder<'b>,
}

impl Walk<'_, '_> {
    /// Writes the value; false when nothing is left of it.
    fn value(&mut self, id: TypeId, value: Node<'_>, live: Option<Node<'_>>, edits: &Edits) -> bool {
        match (edits.edit, live) {
            (Some(Left::AsItIs), Some(live)) => {
                self.out.node(live);
                return true;
            }
            (Some(_), _) => return false,
            (None, _) if edits.inside.is_empty() => {
                self.out.node(value);
                return true;
            }
            (None, _) => {}
        }
        match typed::shape(self.layer, id, Some(value)) {
            Shape::Map(of) => {
                self.out.begin();
                for (key, inner) in value.entries() {
                    match edits.inside.get(&PathElement::key(key)) {
                        None => self.out.entry(key, inner),
                        Some(edits) => {
                            self.out.key(key);
                            let id = of.of(key).unwrap_or(TypeId::DEDUCED);
                            self.value(id, inner, live.and_then(|live| live.get(key)), edits);
                        }
                    }
                }
                self.end(true)
            }
            Shape::List(of) => {
                self.out.begin();
                for item in value.items() {
                    let name = typed::element_name(self.layer, of, item).ok();
                    match name
                        .as_ref()
                        .and_then(|name| Some((name, edits.inside.get(name)?)))
                    {
                        None => self.out.node(item),
                        Some((name, edits)) => {
                            let path = FieldPath::new([name.clone()]);
                            self.value(of.element, item, live.and_then(|live| path.find(live)), edits);
                        }
                    }
                }
                self.end(false)
            }
            Shape::Scalar(_) | Shape::Nothing => {
                self.out.node(value);
                true
            }
        }
    }

    /// Closes a container, or gives it up when all that was in it went.
    fn end(&mut self, is_map: bool) -> bool {
        if self.out.children() == 0 {
            self.out.abandon();
            return false;
        }
        if is_map {
            self.out.end_map();
        } else {
            self.out.end_list();
        }
        true
    }
}
