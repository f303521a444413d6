//! An object that was sent, or that a patch has made, on its way into storage (apiserver, `endpoints/handlers/update.go`
//! and `registry/generic/registry/store.go`).

use super::{
    Doubt, Prediction, Step, Write,
    course::{self, Course, Endpoint, other_version},
    kinds, refused, status,
};
use crate::{
    Document, FieldSet, Object,
    document::{Kind, Node},
    managed::{self, Managers, VersionError},
    storage::{self, Draft, Stage},
    typed::{self, Duplicates},
};

pub(super) fn predict(write: &Write<'_>, sent: &Object) -> Step<Object> {
    let endpoint = match write.subresource {
        "" => Endpoint::Object,
        "status" => Endpoint::Status,
        other => return Err(Prediction::unsure(Doubt::Subresource(other.to_owned()))),
    };
    let run = Run {
        write,
        sent,
        course: Course {
            gvk: sent.gvk(),
            kind: write.schemas.of(sent.gvk()),
            schemas: write.schemas,
            live: write.live,
            admission: write.admission,
            endpoint,
            // What is written of a status is put into the live object.
            based: endpoint == Endpoint::Status,
            regardless: write.regardless,
        },
    };
    run.predict()
}

struct Run<'a> {
    write: &'a Write<'a>,
    sent: &'a Object,
    course: Course<'a>,
}

impl Run<'_> {
    fn predict(&self) -> Step<Object> {
        self.check_target()?;
        let (gvk, kind) = (self.course.gvk, self.course.kind);
        refused::check_sent(self.sent, self.course.live, &self.course.kind)?;
        let known = typed::known(kind.layer, kind.root, self.sent.document());
        let sent = known.as_ref().unwrap_or(self.sent.document());
        self.check_fits(sent)?;
        self.course.check_live()?;
        let written = self.written(sent);
        let stored = self.course.stored(&written)?;
        let mut object = stored.draft;
        kinds::as_read(&mut object, gvk)?;
        let seen = match stored.is_prepared {
            true => {
                let mut decoded = self.course.at(Stage::Decoded, &written)?.draft;
                kinds::as_read(&mut decoded, gvk)?;
                decoded.finish(&written)
            }
            false => object.finish(&written),
        };
        let decoded = storage::as_decoded(kind, &seen, written.root());
        let entries = self.entries(decoded.as_ref().unwrap_or(&seen))?;
        if let Some(live) = self.course.live
            && self.course.endpoint == Endpoint::Object
        {
            kinds::check_merged(written.root(), live.root(), gvk)?;
        }
        self.course.complete(&mut object, sent.root())?;
        course::own(&mut object, &entries);
        let after = object.finish(&written);
        self.course.check_spelling()?;
        if let Some(live) = self.course.live
            && is_same(live.root(), after.root())
        {
            return Ok(live.clone());
        }
        self.course.check_storage(&gvk.api_version())?;
        self.course.check_admission(self.sent)?;
        if let Some(field) = stored.empty {
            self.course.doubt(Doubt::Required(field))?;
        }
        self.course.check_valid(&object)?;
        if let (Endpoint::Status, Some(live)) = (self.course.endpoint, self.course.live) {
            kinds::check_status(live.root(), after.root(), gvk)?;
        }
        self.course.check_changes(&after)?;
        course::answered(after)
    }

    /// Whether it is this object that is written, and the endpoint has it.
    fn check_target(&self) -> Step<()> {
        let refused = |path: &str, problem: &str| Err(Prediction::refused(path.to_owned(), problem));
        let (kind, is_status) = (self.course.kind, self.course.endpoint == Endpoint::Status);
        if is_status && !kind.keeps_status() {
            return Err(Prediction::unsure(Doubt::Subresource("status".to_owned())));
        }
        let Some(live) = self.course.live else {
            return if is_status {
                refused("", "is not there")
            } else {
                Ok(())
            };
        };
        if live.gvk().group_kind() != self.course.gvk.group_kind() {
            return refused(".kind", "is not that of the object");
        }
        if live.gvk() != self.course.gvk {
            return match self.write.is_patch() {
                true => refused(".apiVersion", "must not change"),
                false => Err(Prediction::unsure(Doubt::LiveAtOtherVersion)),
            };
        }
        if live.name() != self.sent.name() {
            return refused(".metadata.name", "is not that of the object");
        }
        let is_other = |namespace: &str| live.namespace().is_some_and(|live| live != namespace);
        if self.sent.namespace().is_some_and(is_other) {
            return refused(".metadata.namespace", "is not that of the object");
        }
        Ok(())
    }

    /// Whether it is of its types. The same element may be in a list of a built-in kind twice.
    fn check_fits(&self, sent: &Document) -> Step<()> {
        let kind = self.course.kind;
        let validate =
            |of: &Document, duplicates| typed::validate(kind.layer, kind.root, of.root(), duplicates);
        let live = self.course.live.map(Object::document);
        let duplicates =
            match kind.native || live.is_some_and(|live| validate(live, Duplicates::Refused).is_err()) {
                true => Duplicates::Allowed,
                false => Duplicates::Refused,
            };
        validate(sent, duplicates).map_err(|wrong| Prediction::refused(wrong.path.to_string(), wrong.problem))
    }

    /// What this endpoint takes of what was sent.
    fn written(&self, sent: &Document) -> Document {
        let live = self.course.live;
        if let (Endpoint::Status, Some(live)) = (self.course.endpoint, live) {
            return status::written(self.course.kind, live, sent.root());
        }
        let mut object = Draft::of(sent.root());
        if let Some(metadata) = object.existing("metadata") {
            refused::SYSTEM
                .iter()
                .filter(|field| live.is_none() || **field == "selfLink")
                .for_each(|field| drop(metadata.remove(field)));
            if let Some(namespace) = live.and_then(Object::namespace)
                && !metadata.contains("namespace")
            {
                metadata.set("namespace", namespace);
            }
        }
        object.finish(sent)
    }

    /// The entries of `managedFields` afterwards.
    fn entries(&self, written: &Document) -> Step<Document> {
        let (gvk, kind) = (self.course.gvk, self.course.kind);
        let version = gvk.api_version();
        let status_resets;
        let reset: &FieldSet = match self.course.endpoint {
            Endpoint::Object => kind.resets,
            Endpoint::Status => {
                status_resets = status::resets(kind, gvk);
                &status_resets
            }
        };
        let update = managed::Update {
            target: managed::Target {
                kind,
                gvk,
                version: &version,
                live: self.course.live.map(Object::document),
                reset,
                other: &|version| other_version(self.course.schemas, gvk, version),
            },
            written,
            manager: self.write.manager,
            subresource: self.write.subresource,
            time: self.write.time,
        };
        match managed::update(&update, self.managers()?) {
            Ok(managers) => Ok(managers.to_document()),
            Err(VersionError::Unknown(version)) => Err(Prediction::unsure(Doubt::OtherVersion(version))),
            // Servers of different versions keep the entries then, or drop them all.
            Err(VersionError::DoesNotFit(wrong)) => Err(Prediction::unsure(Doubt::ManagedFields(format!(
                "{} is not there at a version at which fields are owned",
                wrong.path
            )))),
        }
    }

    /// Who owned what: the entries that were sent count, if they can be read.
    fn managers(&self) -> Step<Managers<'_>> {
        let sent = self.sent.metadata().get("managedFields");
        if let Some(sent) = sent.filter(|_| self.course.endpoint == Endpoint::Object) {
            if is_reset(sent, self.course.kind.native) {
                return Ok(Managers::default());
            }
            match Managers::read(Some(sent)) {
                Ok(found) if !found.is_empty() => return Ok(found),
                _ => {}
            }
        }
        self.course.managers()
    }
}

/// `isResetManagedFields`: of a custom resource an empty list cannot be told from none.
fn is_reset(list: Node<'_>, native: bool) -> bool {
    match list.len() {
        0 => list.is_list() && native,
        1 => list.items().all(|entry| entry.is_map() && entry.is_empty()),
        _ => false,
    }
}

/// The same but for times of entries, which are no change by themselves
/// (`endpoints/handlers/fieldmanager/equality.go`, `IgnoreManagedFieldsTimestampsTransformer`).
fn is_same(before: Node<'_>, after: Node<'_>) -> bool {
    let same_entries = |(key, value): (&str, Node<'_>), (other, now): (&str, Node<'_>)| {
        key == other
            && match key {
                "managedFields" => without_times(value) == without_times(now),
                _ => value == now,
            }
    };
    let same_metadata = |before: Node<'_>, after: Node<'_>| {
        before.len() == after.len()
            && before
                .entries()
                .zip(after.entries())
                .all(|(before, after)| same_entries(before, after))
    };
    before.kind() == Kind::Map
        && before.len() == after.len()
        && before.entries().zip(after.entries()).all(|(one, other)| {
            one.0 == other.0
                && match one.0 {
                    "metadata" => same_metadata(one.1, other.1),
                    _ => one.1 == other.1,
                }
        })
}

/// Entries, whatever their order, which depends on their times.
fn without_times(list: Node<'_>) -> Vec<String> {
    let entry = |entry: Node<'_>| {
        let mut entry = entry.to_json();
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("time");
        }
        entry.to_string()
    };
    let mut entries: Vec<String> = list.items().map(entry).collect();
    entries.sort_unstable();
    entries
}
