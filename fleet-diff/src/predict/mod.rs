//! What a server-side apply would answer.

mod chosen;
mod kinds;
mod outcome;
mod refused;
mod validity;

use std::fmt;

pub(crate) use chosen::is_chosen;
pub use chosen::{CHOSEN, comparable};
pub(crate) use kinds::emptied_data;
pub use outcome::{Blocked, Conflict, Doubt, Prediction, Refusal};

use crate::{
    Admission, Decision, Document, FieldIntentRules, FieldPath, FieldSet, Gvk, Object, RuleError, decide,
    document::Node,
    managed::{self, Applied, Managers, OtherVersion, VersionError, last_applied},
    rules,
    schema::{self, Conversion, KindSchema, Schemas},
    storage::{self, Draft, InStorage, Tree},
    typed::{self, Duplicates},
};

/// One apply: what would be sent, as whom, to what.
///
/// ```
/// use fleet_diff::{Apply, Object, Prediction, Schemas};
/// use serde_json::json;
///
/// let object = |value| Object::from_json(value);
/// let desired = object(json!({"apiVersion": "example.com/v1", "kind": "Thing", "metadata": {"name": "a"}, "size": 2}))?;
/// let live = object(json!({
///     "apiVersion": "example.com/v1", "kind": "Thing", "size": 1,
///     "metadata": {"name": "a", "managedFields": [
///         {"manager": "operator", "operation": "Update", "apiVersion": "example.com/v1",
///          "fieldsType": "FieldsV1", "fieldsV1": {"f:size": {}}},
///     ]},
/// }))?;
/// let schemas = Schemas::default();
/// let Prediction::Conflicts(conflicts) = Apply::new(&desired, "fleet", &schemas).to(Some(&live)).predict() else {
///     panic!("somebody else owns the size");
/// };
/// assert_eq!(conflicts[0].to_string(), "operator: .size");
/// # Ok::<(), fleet_diff::ObjectError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Apply<'a> {
    desired: &'a Object,
    live: Option<&'a Object>,
    manager: &'a str,
    force: bool,
    schemas: &'a Schemas,
    time: Option<&'a str>,
    rules: Option<&'a dyn FieldIntentRules>,
    memory: Option<&'a FieldSet>,
    admission: Option<&'a Admission>,
}

impl<'a> Apply<'a> {
    /// An apply that creates the object, until [`to`](Self::to) says what is there.
    pub fn new(desired: &'a Object, manager: &'a str, schemas: &'a Schemas) -> Self {
        Self {
            desired,
            live: None,
            manager,
            force: false,
            schemas,
            time: None,
            rules: None,
            memory: None,
            admission: None,
        }
    }

    /// The object as it is now; none when it is absent.
    #[must_use]
    pub fn to(self, live: Option<&'a Object>) -> Self {
        Self { live, ..self }
    }

    /// Takes fields from their owners instead of reporting conflicts.
    #[must_use]
    pub fn force(self, force: bool) -> Self {
        Self { force, ..self }
    }

    /// The time to write into our entry of `managedFields` when the object changes, as the server would write it
    /// (`2020-01-01T00:00:00Z`). Without one, the entry keeps its time.
    #[must_use]
    pub fn at(self, time: &'a str) -> Self {
        Self {
            time: Some(time),
            ..self
        }
    }

    /// The rules that [`decide`](Self::decide) follows; without this the built-in ones.
    #[must_use]
    pub fn rules(self, rules: &'a dyn FieldIntentRules) -> Self {
        Self {
            rules: Some(rules),
            ..self
        }
    }

    /// What we wrote last time, where the live object does not say so itself: for ways to write that leave no `Apply`
    /// entry in `managedFields`.
    #[must_use]
    pub fn remembering(self, memory: Option<&'a FieldSet>) -> Self {
        Self { memory, ..self }
    }

    /// What may change the object on its way into the cluster; without this nothing.
    #[must_use]
    pub fn admitted_by(self, admission: &'a Admission) -> Self {
        Self {
            admission: Some(admission),
            ..self
        }
    }

    /// What this apply would do with the rules for its fields, and why.
    pub fn decide(&self) -> Decision<'a> {
        decide::decide(*self)
    }

    /// What this apply would send: the definition as the rules leave it. As [`Decision::document`], where nothing else
    /// of the decision is wanted.
    ///
    /// # Errors
    /// When it is not known which rules count.
    pub fn document(&self) -> Result<Object, RuleError> {
        decide::document(*self)
    }

    pub(crate) fn kind(&self) -> KindSchema<'a> {
        self.schemas.of(self.desired.gvk())
    }

    pub(crate) fn desired(&self) -> &'a Object {
        self.desired
    }

    pub(crate) fn live(&self) -> Option<&'a Object> {
        self.live
    }

    pub(crate) fn schemas(&self) -> &'a Schemas {
        self.schemas
    }

    pub(crate) fn manager(&self) -> &'a str {
        self.manager
    }

    pub(crate) fn intents(&self) -> Option<&'a dyn FieldIntentRules> {
        self.rules
    }

    pub(crate) fn remembered(&self) -> Option<&'a FieldSet> {
        self.memory
    }

    /// The same apply of another definition.
    pub(crate) fn sending<'b>(&self, desired: &'b Object) -> Apply<'b>
    where
        'a: 'b,
    {
        Apply { desired, ..*self }
    }

    /// What the server would answer to this apply as a dry run.
    pub fn predict(&self) -> Prediction {
        match self.foresee(None) {
            Ok(foreseen) => Prediction::Object(foreseen.object),
            Err(early) => early,
        }
    }

    /// As [`predict`](Self::predict); the managers of the live object are given when they were read already.
    pub(crate) fn foresee(&self, managers: Option<&Managers<'a>>) -> Step<Foreseen> {
        Run::new(self, managers)?.predict()
    }
}

impl fmt::Debug for Apply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Apply({:?} as {})", self.desired, self.manager)
    }
}

/// The definition as it would be stored if the object were made now, admission aside. None when it would be refused.
pub(crate) fn stored_form(apply: Apply<'_>) -> Option<Document> {
    let run = Run::new(&apply, None).ok()?;
    let mut object = run.stored(run.desired).ok()?.draft;
    kinds::on_create(&mut object, run.desired.root(), apply.desired.gvk());
    Some(object.finish(run.desired))
}

/// Answers that come before the end are errors here.
pub(crate) type Step<T> = Result<T, Prediction>;

/// An object that would come of it.
pub(crate) struct Foreseen {
    pub(crate) object: Object,
    /// Somebody would own other fields.
    pub(crate) owners_change: bool,
}

struct Run<'r, 'a> {
    ask: &'r Apply<'a>,
    kind: KindSchema<'a>,
    desired: &'a Document,
    live: Option<&'a Document>,
    /// Those of the live object, when they were read already.
    managers: Option<&'r Managers<'a>>,
}

impl<'r, 'a> Run<'r, 'a> {
    fn new(ask: &'r Apply<'a>, managers: Option<&'r Managers<'a>>) -> Step<Self> {
        let kind = ask.schemas.of(ask.desired.gvk());
        let run = Self {
            ask,
            kind,
            desired: ask.desired.document(),
            live: ask.live.map(Object::document),
            managers,
        };
        run.check()?;
        Ok(run)
    }

    fn check(&self) -> Step<()> {
        let desired = self.desired.root();
        if desired
            .get("metadata")
            .and_then(|metadata| metadata.get("managedFields"))
            .is_some_and(|f| !f.is_null())
        {
            let path = FieldPath::keys(["metadata", "managedFields"]);
            return Err(Prediction::refused(
                path.to_string(),
                "must not be in what is applied",
            ));
        }
        if let Some(live) = self.ask.live
            && live.gvk() != self.ask.desired.gvk()
        {
            return Err(Prediction::unsure(Doubt::LiveAtOtherVersion));
        }
        refused::check_identity(desired, self.live.map(Document::root))?;
        typed::validate(self.kind.layer, self.kind.root, desired, Duplicates::Refused)
            .map_err(|wrong| Prediction::refused(wrong.path.to_string(), wrong.problem))?;
        if let Some(live) = self.live {
            typed::validate(self.kind.layer, self.kind.root, live.root(), Duplicates::Allowed)
                .map_err(|wrong| Prediction::unsure(Doubt::LiveDoesNotFitSchema(wrong.path.to_string())))?;
        }
        Ok(())
    }

    fn managers(&self) -> Step<Managers<'a>> {
        if let Some(known) = self.managers {
            return Ok(known.clone());
        }
        let list = self
            .live
            .and_then(|live| live.root().get("metadata")?.get("managedFields"));
        Managers::read(list).map_err(|error| Prediction::unsure(Doubt::ManagedFields(error.to_string())))
    }

    fn predict(self) -> Step<Foreseen> {
        let version = self.ask.desired.gvk().api_version();
        let target = managed::Target {
            kind: self.kind,
            gvk: self.ask.desired.gvk(),
            version: &version,
            live: self.live,
            reset: self.kind.resets,
            other: &|version| other_version(self.ask.schemas, self.ask.desired.gvk(), version),
        };
        let apply = managed::Apply {
            target,
            config: self.desired,
            manager: self.ask.manager,
            force: self.ask.force,
            time: self.ask.time,
        };
        let applied = managed::apply(&apply, self.managers()?).map_err(|error| match error {
            managed::ApplyError::Conflicts(conflicts) => Prediction::conflicts(conflicts),
            managed::ApplyError::Version(VersionError::Unknown(version)) => {
                Prediction::unsure(Doubt::OtherVersion(version))
            }
            managed::ApplyError::Version(VersionError::DoesNotFit(wrong)) => Prediction::refused(
                wrong.path.to_string(),
                format!("{} at a version others own fields at", wrong.problem),
            ),
        })?;
        let is_written = applied.merged.is_some() || self.ask.live.is_none();
        if is_written {
            self.check_storage(&version)?;
        }
        if is_written || applied.owners_change {
            self.check_admission()?;
        }
        if let (None, false, Some(live)) = (&applied.merged, applied.owners_change, self.ask.live)
            && self.ask.manager != last_applied::MANAGER
            && !kinds::is_completed_on_every_write(live.gvk())
        {
            return Ok(Foreseen {
                object: live.clone(),
                owners_change: false,
            });
        }
        let base = applied.merged.as_ref().or(self.live).unwrap_or(self.desired);
        let mut object = if let (None, Some(live)) = (&applied.merged, self.live) {
            Draft::of(live.root())
        } else {
            let stored = self.stored(base)?;
            if let Some(field) = stored.empty {
                return Err(Prediction::unsure(Doubt::Required(field)));
            }
            stored.draft
        };
        if let (Some(merged), Some(live)) = (&applied.merged, self.live) {
            kinds::check_merged(merged.root(), live.root(), self.ask.desired.gvk())?;
        }
        if self.ask.manager == last_applied::MANAGER {
            self.renew_last_applied(applied.merged.as_ref(), &mut object);
        }
        self.finish(object, base, &applied)
    }

    fn renew_last_applied(&self, merged: Option<&Document>, object: &mut Draft<'_>) {
        let Some(merged) = merged.or(self.live) else {
            return;
        };
        let Some(text) = last_applied::renewed(merged.root(), self.desired) else {
            return;
        };
        if let Some(annotations) = object
            .existing("metadata")
            .and_then(|metadata| metadata.existing("annotations"))
        {
            if text.is_empty() {
                annotations.remove(last_applied::ANNOTATION);
            } else {
                annotations.set(last_applied::ANNOTATION, text);
            }
        }
    }

    /// What is written may be converted, or stored in a way that no schema tells.
    fn check_storage(&self, version: &str) -> Step<()> {
        match self.kind.conversion {
            Conversion::Renames | Conversion::Webhook { stored: true } => Ok(()),
            Conversion::Webhook { stored: false } => {
                Err(Prediction::unsure(Doubt::Conversion(version.to_owned())))
            }
            Conversion::Unknown => Err(Prediction::unsure(Doubt::Storage(self.ask.desired.gvk().clone()))),
        }
    }

    /// What is written may be changed by admission.
    fn check_admission(&self) -> Step<()> {
        let hook = self.ask.admission.and_then(|admission| {
            let namespaced = self.ask.schemas.is_namespaced(self.ask.desired.gvk());
            admission.may_change(self.ask.desired, self.ask.live, namespaced)
        });
        match hook {
            Some(hook) => Err(Prediction::unsure(Doubt::Mutates(hook.to_owned()))),
            None => Ok(()),
        }
    }

    /// The merged object as it would be stored.
    fn stored<'n>(&'n self, merged: &'n Document) -> Step<InStorage<'n>> {
        let refused = |wrong: storage::Unstorable| Prediction::refused(wrong.path, wrong.problem);
        let stored = if self.kind.native {
            storage::store_native(self.kind, merged.root(), self.live)
        } else {
            storage::store_custom(self.kind, merged.root(), self.live)
        };
        stored.map_err(refused)
    }

    fn finish<'n>(&self, object: Draft<'n>, base: &Document, applied: &Applied<'a>) -> Step<Foreseen>
    where
        'a: 'n,
    {
        let owners_change = applied.owners_change;
        let gvk = self.ask.desired.gvk();
        let has_time = self.ask.time.is_some() && applied.merged.is_some();
        let managers =
            (owners_change || self.live.is_none() || has_time).then(|| applied.managers.to_document());
        let mut object = object;
        if self.ask.schemas.is_namespaced(gvk) == Some(false)
            && let Some(metadata) = object.existing("metadata")
            && metadata.contains("namespace")
        {
            metadata.remove("namespace");
        }
        match self.live {
            None => {
                kinds::check_create(&object, gvk)?;
                kinds::on_create(&mut object, self.desired.root(), gvk);
            }
            Some(before) => {
                chosen::keep_identity(&mut object, before.root());
                kinds::on_update(&mut object, before.root(), gvk);
            }
        }
        if applied.merged.is_some() || self.live.is_none() {
            validity::check(&object, gvk)?;
        }
        if let (Some(managers), Some(metadata)) = (&managers, object.existing("metadata")) {
            if managers.root().is_empty() {
                drop(metadata.remove("managedFields"));
            } else {
                metadata.put("managedFields", Tree::Node(managers.root()));
            }
        }
        // What the schema of a custom resource requires was checked.
        if let (Some(path), Some(_), true) = (&applied.remains, &applied.merged, self.kind.native) {
            return Err(Prediction::unsure(Doubt::Remains(path.to_string())));
        }
        let object = object.finish(base);
        if let (Some(before), Some(_)) = (self.live, &applied.merged) {
            self.check_changes(before, &object)?;
        }
        Object::from_document(object)
            .map(|object| Foreseen {
                object,
                owners_change,
            })
            .map_err(|error| Prediction::unsure(Doubt::NoObject(error.to_string())))
    }

    /// Changes that no server lets happen, or that only the server can judge.
    fn check_changes(&self, before: &Document, after: &Document) -> Step<()> {
        let gvk = self.ask.desired.gvk();
        if rules::may_be_broken(gvk, before.root(), after.root()) {
            self.check_rules(before, after)?;
        }
        match schema::watched_change(self.kind, before.root(), after.root()) {
            Some(path) => Err(Prediction::unsure(Doubt::ValidationRule(path))),
            None => Ok(()),
        }
    }

    fn check_rules(&self, before: &Document, after: &Document) -> Step<()> {
        let (layer, root) = (self.kind.layer, self.kind.root);
        let found = typed::compare_based(layer, root, before.root(), after.root());
        let mut changed = found.modified.union(&found.added).union(&found.removed);
        for list in typed::reordered_based(layer, root, before.root(), after.root()) {
            changed.insert(&list);
        }
        let same = |path: &FieldPath, a: Node<'_>, b: Node<'_>| storage::is_same_at(layer, root, path, a, b);
        let gvk = self.ask.desired.gvk();
        let broken = rules::broken(gvk, &changed, before.root(), after.root(), &same);
        if broken.is_empty() {
            Ok(())
        } else {
            Err(Prediction::blocked(broken))
        }
    }
}

/// What a server does with entries at another version of a kind.
pub(crate) fn other_version<'a>(schemas: &'a Schemas, gvk: &Gvk, version: &str) -> OtherVersion<'a> {
    let kind = schemas.of(gvk);
    let (native, renames) = (kind.native, kind.conversion == Conversion::Renames);
    match Gvk::from_api_version(version, gvk.kind()) {
        Some(other) if !native && renames && schemas.knows(&other) => OtherVersion::Same(schemas.of(&other)),
        Some(other) if native && !schemas.knows(&other) => OtherVersion::Gone,
        _ => OtherVersion::Unknown,
    }
}
