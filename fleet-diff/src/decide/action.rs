//! What has to happen, and the fields that say so.

use std::fmt;

use serde::Serialize;

use super::{
    removals::{removals, without},
    effective::{Left, Ruled, Situation, effective},
    verdicts::{FieldVerdict, Verdict},
};
use crate::{
    Apply, Blocked, Conflict, Document, Doubt, FieldManager, FieldPath, FieldSet, Intent, Object, PathElement,
    Prediction, Refusal, Schemas,
    document::Node,
    managed::{ManagerKey, Managers},
    predict::{Foreseen, Step, is_chosen, stored_form},
    rules::{Applicable, Rules, is_same, set_by_server},
    schema::KindSchema,
    typed,
};

/// What has to happen to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Nothing: applying it would change nothing.
    None,
    /// Nothing of its content, only who owns which field.
    Adopt,
    /// It is absent and would be made.
    Create,
    /// Fields would change.
    Update,
    /// Fields would change that cannot change in place: the object would have to be made again.
    Recreate,
    /// The server would refuse it, or another manager would lose fields and nobody said that it may.
    Blocked,
    /// It cannot be said without asking the server.
    Unsure,
}

/// What applying a definition would do.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    apply: Apply<'a>,
    kind: KindSchema<'a>,
    /// The definition as the rules leave it.
    sent: Option<Object>,
    ruled: Vec<Ruled>,
    prediction: Prediction,
    action: Action,
    managers: Managers<'a>,
    /// What we wrote last time, when it was told us.
    memory: Option<&'a FieldSet>,
    /// What the apply alone would do.
    applying: Action,
    /// What a patch removes afterwards, and by which rule.
    pub(super) removed: Vec<(FieldPath, String)>,
    /// The object between apply and removal.
    before_removal: Option<Object>,
}

pub(crate) fn decide<'a>(apply: Apply<'a>) -> Decision<'a> {
    let kind = apply.kind();
    let desired = apply.desired();
    let live = apply.live();
    let (managers, readable) = match Managers::read(live.and_then(managed_fields)) {
        Ok(managers) => (managers, true),
        Err(_) => (Managers::default(), false),
    };
    let read = readable.then_some(&managers);
    let memory = apply.remembered();
    let usual;
    let rules = match apply.intents() {
        Some(rules) => rules,
        None => {
            usual = Rules::default();
            &usual
        }
    };
    let rules = Applicable::new(rules, desired);
    let situation = Situation {
        layer: kind.layer,
        root: kind.root,
        desired,
        live: live.map(Object::document),
        managers: &managers,
        manager: apply.manager(),
        memory,
        rules: &rules,
    };
    let (document, ruled) = effective(&situation);
    let sent = document.and_then(|document| Object::from_document(document).ok());
    let foreseen = match &sent {
        Some(sent) => apply.sending(sent).foresee(read),
        None => apply.foresee(read),
    };
    let action = action(&apply, &foreseen);
    let prediction = foreseen.map_or_else(|early| early, |foreseen| Prediction::Object(foreseen.object));
    let removed = Vec::new();
    let decision = Decision {
        apply, kind, sent, ruled, prediction, action, managers, memory, applying: action, removed, before_removal: None,
    };
    decision.with_removals(&rules)
}

fn managed_fields(object: &Object) -> Option<Node<'_>> {
    object.root().get("metadata")?.get("managedFields")
}

fn action(apply: &Apply<'_>, foreseen: &Step<Foreseen>) -> Action {
    match (foreseen, apply.live()) {
        (Err(Prediction::Unsure(_) | Prediction::Object(_)), _) => Action::Unsure,
        (Err(Prediction::Refused(_) | Prediction::Conflicts(_)), _) => Action::Blocked,
        (Err(Prediction::Blocked(blocked)), _) if blocked.iter().any(|blocked| blocked.grow_only) => Action::Blocked,
        (Err(Prediction::Blocked(_)), _) => Action::Recreate,
        (Ok(_), None) => Action::Create,
        (Ok(foreseen), Some(live)) => {
            if !crate::compare::is_same_but(live.root(), foreseen.object.root(), crate::LEFT_OUT) {
                Action::Update
            } else if foreseen.owners_change {
                Action::Adopt
            } else {
                Action::None
            }
        }
    }
}

impl<'a> Decision<'a> {
    fn with_removals(mut self, rules: &Applicable) -> Self {
        let removed = removals(&self, rules);
        let Some(before) = self.predicted().filter(|_| !removed.is_empty()).cloned() else { return self };
        let Some(after) = without(&before, &removed, &self) else { return self };
        self.removed = removed;
        self.prediction = Prediction::Object(after);
        self.before_removal = Some(before);
        if self.action != Action::Create {
            self.action = Action::Update;
        }
        self
    }

    pub(super) fn before_removal(&self) -> Option<&Object> {
        self.before_removal.as_ref()
    }

    pub(super) fn kind(&self) -> KindSchema<'a> {
        self.kind
    }

    pub(super) fn manager(&self) -> &'a str {
        self.apply.manager()
    }

    pub(super) fn schemas(&self) -> &'a Schemas {
        self.apply.schemas()
    }

    /// What has to happen.
    pub fn action(&self) -> Action {
        self.action
    }

    /// What applying the document alone would do, without [`removals`](Self::removals).
    pub fn applying(&self) -> Action {
        self.applying
    }

    /// What would be sent: the definition as the rules leave it.
    pub fn document(&self) -> &Object {
        self.sent.as_ref().unwrap_or(self.apply.desired())
    }

    /// What the server would answer.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    /// The object as it would be, when that is known.
    pub fn predicted(&self) -> Option<&Object> {
        match &self.prediction {
            Prediction::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Who would lose which field.
    pub fn conflicts(&self) -> &[Conflict] {
        match &self.prediction {
            Prediction::Conflicts(conflicts) => conflicts,
            _ => &[],
        }
    }

    /// The fields that cannot change in place.
    pub fn blocked(&self) -> &[Blocked] {
        match &self.prediction {
            Prediction::Blocked(blocked) => blocked,
            _ => &[],
        }
    }

    /// Why the server would refuse the definition.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.prediction {
            Prediction::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Why it cannot be said.
    pub fn doubt(&self) -> Option<&Doubt> {
        match &self.prediction {
            Prediction::Unsure(doubt) => Some(doubt),
            _ => None,
        }
    }

    /// One verdict for every field that the definition, the live object or our memory has, in the server's order.
    pub fn fields(&self) -> Vec<FieldVerdict> {
        let (layer, root) = (self.kind.layer, self.kind.root);
        let leaves = |of: Node<'_>| typed::field_set(layer, root, of).leaves();
        let mut all = leaves(self.apply.desired().root());
        if let Some(live) = self.apply.live() {
            all = all.union(&leaves(live.root()));
        }
        if let Some(ours) = self.ours() {
            all = all.union(&ours.leaves());
        }
        let created = std::cell::OnceCell::new();
        let paths = all.leaves();
        let paths = paths.iter().filter(|path| !is_identity(path));
        let mut fields: Vec<FieldVerdict> = paths.map(|path| self.field(path, &created)).collect();
        fields.extend(self.reordered());
        fields.sort_by(|a, b| a.path.cmp(&b.path));
        fields
    }

    /// Lists whose elements are the same in another order.
    fn reordered(&self) -> Vec<FieldVerdict> {
        let (Some(live), Some(after)) = (self.apply.live(), self.predicted()) else { return Vec::new() };
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
        self.fields().into_iter().filter(|field| field.verdict.is_change()).collect()
    }

    /// What the definition says of a field. A Secret's `stringData` says it of `data`.
    fn defined(&self, path: &FieldPath) -> Option<Node<'_>> {
        let desired = self.apply.desired();
        let plain = || match path.elements() {
            [data, key] if desired.is_secret() && *data == PathElement::key("data") => {
                FieldPath::new([PathElement::key("stringData"), key.clone()]).find(desired.root())
            }
            _ => None,
        };
        path.find(desired.root()).or_else(plain)
    }

    fn field(&self, path: FieldPath, created: &std::cell::OnceCell<Option<Document>>) -> FieldVerdict {
        let desired = self.defined(&path);
        let live = self.apply.live().and_then(|live| path.find(live.root()));
        let after = self.predicted().map(|object| path.find(object.root()));
        let (verdict, rule) = self.verdict(&path, desired, live, after, created);
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

    fn verdict(
        &self,
        path: &FieldPath,
        desired: Option<Node<'_>>,
        live: Option<Node<'_>>,
        after: Option<Option<Node<'_>>>,
        created: &std::cell::OnceCell<Option<Document>>,
    ) -> (Verdict, Option<String>) {
        let plain = |verdict| (verdict, None);
        if let Some(ruled) = self.ruled.iter().find(|ruled| ruled.path == *path) {
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
        if let Some(blocked) = self.blocked().iter().find(|blocked| blocked.path == *path) {
            let verdict = if blocked.grow_only { Verdict::GrowOnly } else { Verdict::Immutable };
            return (verdict, Some(blocked.rule.to_owned()));
        }
        if self.conflicts().iter().any(|conflict| conflict.path == *path) {
            return plain(Verdict::Conflict);
        }
        let Some(after) = after else {
            return plain(match (desired, live) {
                (Some(desired), Some(live)) if desired == live => Verdict::Same,
                (Some(_), _) if self.doubt().is_some() => Verdict::Unsure,
                (Some(_), _) => Verdict::OursToChange,
                (None, _) => self.undefined(path, live, created),
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
            (Some(_), false) if after.is_none() && self.is_reset(path) => plain(Verdict::SetByServer),
            (Some(_), false) => plain(Verdict::Normalised),
            (None, true) if live.is_some() && (after.is_none() || self.is_ours(path)) => plain(Verdict::OursToRemove),
            (None, true) => plain(Verdict::SetByServer),
            (None, false) => plain(self.undefined(path, live, created)),
        }
    }

    /// A field that the definition does not have and that stays.
    pub(super) fn undefined(
        &self,
        path: &FieldPath,
        live: Option<Node<'_>>,
        created: &std::cell::OnceCell<Option<Document>>,
    ) -> Verdict {
        let Some(live) = live else {
            // Only remembered, and gone already.
            return Verdict::Same;
        };
        if self.is_reset(path) || is_kept_by_server(path) {
            return Verdict::SetByServer;
        }
        let fresh = created.get_or_init(|| self.created());
        if let Some(fresh) = fresh
            && let Some(default) = path.find(fresh.root())
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
        if self.owners_of(path).is_empty() { Verdict::ForeignUnknownWriter } else { Verdict::Foreign }
    }

    /// What the definition would be if it were made now: what is in there besides it are defaults.
    fn created(&self) -> Option<Document> {
        stored_form(self.apply.sending(self.document()).to(None))
    }

    /// What we applied last time.
    fn ours(&self) -> Option<std::borrow::Cow<'_, FieldSet>> {
        let own = || Some(self.managers.get(&ManagerKey::applied(self.apply.manager()))?.fields.to_set());
        self.memory.map(std::borrow::Cow::Borrowed).or_else(own)
    }

    fn is_ours(&self, path: &FieldPath) -> bool {
        match self.memory {
            Some(memory) => memory.covers(path),
            None => {
                let own = self.managers.get(&ManagerKey::applied(self.apply.manager()));
                own.is_some_and(|own| own.fields.covers(path.elements()))
            }
        }
    }

    /// Somebody applied it: then it is that manager's, whoever else may fill it in.
    fn is_foreign_apply(&self, path: &FieldPath) -> bool {
        self.managers.iter().any(|(key, owned)| key.applied && owned.fields.covers(path.elements()))
    }

    fn is_reset(&self, path: &FieldPath) -> bool {
        self.kind.resets.covers(path)
    }

    fn owners_of(&self, path: &FieldPath) -> Vec<FieldManager> {
        let owns = self.managers.iter().filter(|(_, owned)| owned.fields.covers(path.elements()));
        owns.map(|(key, owned)| key.describe(owned)).collect()
    }
}

/// What every object has of the server, and no definition means.
fn is_kept_by_server(path: &FieldPath) -> bool {
    const KEPT: [&str; 7] = [
        "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp",
        "deletionGracePeriodSeconds", "selfLink",
    ];
    let mut steps = path.elements().iter();
    let key = |element: Option<&PathElement>, name: &str| {
        matches!(element, Some(crate::PathElement::Key(key)) if **key == *name)
    };
    let metadata = steps.next();
    let field = steps.next();
    key(metadata, "metadata") && KEPT.iter().any(|name| key(field, name))
}

/// Fields that are the same by definition, or are shown apart.
fn is_identity(path: &FieldPath) -> bool {
    let same = [["apiVersion"].as_slice(), &["kind"], &["metadata", "name"], &["metadata", "namespace"]];
    path.starts_with(&FieldPath::keys(["metadata", "managedFields"]))
        || same.iter().any(|keys| *path == FieldPath::keys(keys.iter().copied()))
}

impl Action {
    /// The word of it, as in outputs for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Adopt => "adopt",
            Self::Create => "create",
            Self::Update => "update",
            Self::Recreate => "recreate",
            Self::Blocked => "blocked",
            Self::Unsure => "unsure",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
