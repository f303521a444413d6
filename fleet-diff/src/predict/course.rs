//! What every write goes through, however it was asked for, once it is known what is to be stored.

use super::{Doubt, Prediction, Step, chosen, kinds, status, validity};
use crate::{
    Admission, Document, FieldPath, Gvk, Object, Schemas,
    document::Node,
    managed::{Managers, OtherVersion},
    rules,
    schema::{self, Conversion, KindSchema},
    storage::{self, Draft, InStorage, Stage, Status, Tree},
    typed::{self, Duplicates},
};

/// One write on its way.
#[derive(Clone, Copy)]
pub(super) struct Course<'a> {
    pub(super) gvk: &'a Gvk,
    pub(super) kind: KindSchema<'a>,
    pub(super) schemas: &'a Schemas,
    /// None: the object is made.
    pub(super) live: Option<&'a Object>,
    pub(super) admission: Option<&'a Admission>,
    pub(super) endpoint: Endpoint,
    /// What is stored is made from the live object's document: what was taken over from it need not be looked at.
    pub(super) based: bool,
    /// What only a server can know holds nothing up.
    pub(super) regardless: bool,
}

/// What is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Object,
    /// The endpoint `status`.
    Status,
}

impl<'a> Course<'a> {
    /// What only a server can know ends a prediction, unless it is to go on regardless.
    pub(super) fn doubt(&self, doubt: Doubt) -> Step<()> {
        if self.regardless {
            Ok(())
        } else {
            Err(Prediction::unsure(doubt))
        }
    }

    /// Whether the live object is one of its schema; nothing can be said of another.
    pub(super) fn check_live(&self) -> Step<()> {
        let Some(live) = self.live else { return Ok(()) };
        typed::validate(self.kind.layer, self.kind.root, live.root(), Duplicates::Allowed)
            .map_err(|wrong| Prediction::unsure(Doubt::LiveDoesNotFitSchema(wrong.path.to_string())))
    }

    /// Who owns what of the live object.
    pub(super) fn managers(&self) -> Step<Managers<'a>> {
        let list = self
            .live
            .and_then(|live| live.root().get("metadata")?.get("managedFields"));
        Managers::read(list).map_err(|error| Prediction::unsure(Doubt::ManagedFields(error.to_string())))
    }

    /// What is written may be converted, or stored in a way that no schema tells.
    pub(super) fn check_storage(&self, version: &str) -> Step<()> {
        match self.kind.conversion {
            Conversion::Renames | Conversion::Webhook { stored: true } => Ok(()),
            Conversion::Webhook { stored: false } => self.doubt(Doubt::Conversion(version.to_owned())),
            Conversion::Unknown => self.doubt(Doubt::Storage(self.gvk.clone())),
        }
    }

    /// What is written may be changed by admission.
    pub(super) fn check_admission(&self, written: &Object) -> Step<()> {
        let hook = self.admission.and_then(|admission| {
            let namespaced = self.schemas.is_namespaced(self.gvk);
            let subresource = match self.endpoint {
                Endpoint::Object => "",
                Endpoint::Status => "status",
            };
            admission.may_change(written, self.live, namespaced, subresource)
        });
        match hook {
            Some(hook) => self.doubt(Doubt::Mutates(hook.to_owned())),
            None => Ok(()),
        }
    }

    /// The object as it would be stored.
    pub(super) fn stored<'n>(&self, object: &'n Document) -> Step<InStorage<'n>>
    where
        'a: 'n,
    {
        self.at(Stage::Prepared, object)
    }

    /// The object on its way into storage.
    pub(super) fn at<'n>(&self, stage: Stage, object: &'n Document) -> Step<InStorage<'n>>
    where
        'a: 'n,
    {
        let live = self.live.map(Object::document);
        let status = match self.endpoint {
            Endpoint::Object if self.kind.keeps_status() => live.map_or(Status::Initial, Status::Kept),
            Endpoint::Object | Endpoint::Status => Status::Written,
        };
        let base = live.filter(|_| self.based);
        let stored = if self.kind.native {
            storage::store_native(self.kind, object.root(), base, status, stage)
        } else {
            storage::store_custom(self.kind, object.root(), base, status)
        };
        stored.map_err(|wrong| Prediction::refused(wrong.path, wrong.problem))
    }

    /// What a server fills in, keeps and drops by itself. `definition` is what was sent of an object that is new.
    pub(super) fn complete<'n>(&self, object: &mut Draft<'n>, definition: Node<'_>) -> Step<()>
    where
        'a: 'n,
    {
        if self.schemas.is_namespaced(self.gvk) == Some(false)
            && let Some(metadata) = object.existing("metadata")
            && metadata.contains("namespace")
        {
            metadata.remove("namespace");
        }
        kinds::check_read(object, self.gvk)?;
        match self.live {
            None => {
                kinds::check_create(self, object)?;
                kinds::on_create(object, definition, self.gvk);
                if self.regardless {
                    kinds::guess(object, self.gvk);
                }
            }
            Some(before) => {
                chosen::keep_identity(object, before.root());
                if self.endpoint == Endpoint::Status {
                    status::keep_parts(object, before);
                }
                if self.endpoint == Endpoint::Object || kinds::counts_its_templates(self.gvk) {
                    kinds::on_update(object, before.root(), self.gvk);
                }
            }
        }
        Ok(())
    }

    /// Validation of what is written.
    pub(super) fn check_valid(&self, object: &Draft<'_>) -> Step<()> {
        validity::check(object, self.gvk)
    }

    /// Whether the server would take for a change what is none.
    pub(super) fn check_spelling(&self) -> Step<()> {
        let live = self.live.filter(|_| self.kind.native);
        match live.and_then(|live| kinds::has_two_spellings(live.root(), self.gvk)) {
            Some(path) => self.doubt(Doubt::Spelling(path)),
            None => Ok(()),
        }
    }

    /// Changes that no server lets happen, or that only the server can judge.
    pub(super) fn check_changes(&self, after: &Document) -> Step<()> {
        let Some(before) = self.live.map(Object::document) else {
            return Ok(());
        };
        if rules::may_be_broken(self.gvk, before.root(), after.root()) {
            self.check_rules(before, after)?;
        }
        match schema::watched_change(self.kind, before.root(), after.root()) {
            Some(path) => self.doubt(Doubt::ValidationRule(path)),
            None => Ok(()),
        }
    }

    fn check_rules(&self, before: &Document, after: &Document) -> Step<()> {
        let (layer, root) = (self.kind.layer, self.kind.root);
        let (compare, reordered) = match self.based {
            true => (
                typed::compare_based as typed::Compare,
                typed::reordered_based as typed::Reordered,
            ),
            false => (
                typed::compare as typed::Compare,
                typed::reordered as typed::Reordered,
            ),
        };
        let found = compare(layer, root, before.root(), after.root());
        let mut changed = found.modified.union(&found.added).union(&found.removed);
        for list in reordered(layer, root, before.root(), after.root()) {
            changed.insert(&list);
        }
        let same = |path: &FieldPath, a: Node<'_>, b: Node<'_>| storage::is_same_at(layer, root, path, a, b);
        let broken = rules::broken(self.gvk, &changed, before.root(), after.root(), &same);
        if broken.is_empty() {
            Ok(())
        } else {
            Err(Prediction::blocked(broken))
        }
    }
}

/// Writes these entries into the object, or none when the list is empty.
pub(super) fn own<'n>(object: &mut Draft<'n>, entries: &'n Document) {
    if let Some(metadata) = object.existing("metadata") {
        if entries.root().is_empty() {
            drop(metadata.remove("managedFields"));
        } else {
            metadata.put("managedFields", Tree::Node(entries.root()));
        }
    }
}

/// A document as an object, as it would be answered.
pub(super) fn answered(document: Document) -> Step<Object> {
    Object::from_document(document).map_err(|error| Prediction::unsure(Doubt::NoObject(error.to_string())))
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
