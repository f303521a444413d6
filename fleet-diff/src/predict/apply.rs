//! What a server would answer to a server-side apply.

use std::fmt;

use super::{
    Doubt, Prediction, Step,
    course::{self, Course, Endpoint, other_version},
    kinds, refused,
};
use crate::{
    Admission, Decision, Document, FieldIntentRules, FieldPath, FieldSet, Object, RuleError, decide,
    managed::{self, Applied, Managers, VersionError, last_applied},
    schema::{KindSchema, Schemas},
    storage::Draft,
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
    regardless: bool,
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
            regardless: false,
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

    /// For programs that play a server, and so cannot ask one: where [`predict`](Self::predict) would be unsure because
    /// only a server knows (what its admission makes of the object, what its validation says of what is left over), it
    /// goes on as if nothing changed the object and nothing were wrong with it. The answer is then a good guess, and no
    /// prediction. What cannot be computed at all stays [unsure](Prediction::Unsure).
    #[must_use]
    pub fn regardless_of_doubt(self, regardless: bool) -> Self {
        Self { regardless, ..self }
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
    let mut object = run.course.stored(run.desired).ok()?.draft;
    kinds::on_create(&mut object, run.desired.root(), apply.desired.gvk());
    Some(object.finish(run.desired))
}

/// An object that would come of it.
pub(crate) struct Foreseen {
    pub(crate) object: Object,
    /// Somebody would own other fields.
    pub(crate) owners_change: bool,
}

struct Run<'r, 'a> {
    ask: &'r Apply<'a>,
    course: Course<'a>,
    desired: &'a Document,
    live: Option<&'a Document>,
    /// Those of the live object, when they were read already.
    managers: Option<&'r Managers<'a>>,
}

impl<'r, 'a> Run<'r, 'a> {
    fn new(ask: &'r Apply<'a>, managers: Option<&'r Managers<'a>>) -> Step<Self> {
        let run = Self {
            ask,
            course: Course {
                gvk: ask.desired.gvk(),
                kind: ask.kind(),
                schemas: ask.schemas,
                live: ask.live,
                admission: ask.admission,
                endpoint: Endpoint::Object,
                based: true,
                regardless: ask.regardless,
            },
            desired: ask.desired.document(),
            live: ask.live.map(Object::document),
            managers,
        };
        run.check()?;
        Ok(run)
    }

    fn check(&self) -> Step<()> {
        let (desired, kind) = (self.desired.root(), self.course.kind);
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
        typed::validate(kind.layer, kind.root, desired, Duplicates::Refused)
            .map_err(|wrong| Prediction::refused(wrong.path.to_string(), wrong.problem))?;
        self.course.check_live()
    }

    fn predict(self) -> Step<Foreseen> {
        let gvk = self.ask.desired.gvk();
        let version = gvk.api_version();
        let target = managed::Target {
            kind: self.course.kind,
            gvk,
            version: &version,
            live: self.live,
            reset: self.course.kind.resets,
            other: &|version| other_version(self.ask.schemas, gvk, version),
        };
        let apply = managed::Apply {
            target,
            config: self.desired,
            manager: self.ask.manager,
            force: self.ask.force,
            time: self.ask.time,
        };
        let managers = match self.managers {
            Some(known) => known.clone(),
            None => self.course.managers()?,
        };
        let applied = managed::apply(&apply, managers).map_err(|error| match error {
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
            self.course.check_storage(&version)?;
        }
        if is_written || applied.owners_change {
            self.course.check_admission(self.ask.desired)?;
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
            let stored = self.course.stored(base)?;
            if let Some(field) = stored.empty {
                self.course.doubt(Doubt::Required(field))?;
            }
            stored.draft
        };
        if let (Some(merged), Some(live)) = (&applied.merged, self.live) {
            kinds::check_merged(merged.root(), live.root(), gvk)?;
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

    fn finish<'n>(&self, object: Draft<'n>, base: &Document, applied: &Applied<'a>) -> Step<Foreseen>
    where
        'a: 'n,
    {
        let owners_change = applied.owners_change;
        let has_time = self.ask.time.is_some() && applied.merged.is_some();
        let entries =
            (owners_change || self.live.is_none() || has_time).then(|| applied.managers.to_document());
        let mut object = object;
        self.course.complete(&mut object, self.desired.root())?;
        if applied.merged.is_some() || self.live.is_none() {
            self.course.check_valid(&object)?;
        }
        if let Some(entries) = &entries {
            course::own(&mut object, entries);
        }
        // What the schema of a custom resource requires was checked.
        if let (Some(path), Some(_), true) = (&applied.remains, &applied.merged, self.course.kind.native) {
            self.course.doubt(Doubt::Remains(path.to_string()))?;
        }
        let object = object.finish(base);
        if applied.merged.is_some() {
            self.course.check_spelling()?;
            self.course.check_changes(&object)?;
        }
        Ok(Foreseen {
            object: course::answered(object)?,
            owners_change,
        })
    }
}
