//! `PATCH`: server-side apply, JSON patch and merge patch.

use fleet_diff::{Apply, Prediction};
use serde_json::Value;

use super::{
    body::object,
    generation::{count, write_template_generation},
    refusal::conflicting,
    stamp,
};
use crate::{
    request::PatchType,
    server::{Ask, Said, Server},
    status::Status,
    store::Stored,
};

impl Server {
    pub(crate) fn patch(&mut self, ask: &Ask<'_>, patch: PatchType) -> Result<Said, Status> {
        if ask.place.subresource.as_deref() == Some("scale") {
            return self.patch_scale(ask, patch);
        }
        match patch {
            PatchType::Apply => self.apply(ask),
            PatchType::Json | PatchType::Merge => {
                let name = ask.place.name.clone().unwrap_or_default();
                let key = ask.key(&name);
                let Some(live) = self.store.get(&ask.table(), &key).cloned() else {
                    return Err(Status::not_found(ask.about()));
                };
                let value = Server::at_version(&live.object, &ask.api_version())?.to_json();
                let value = patched(ask, patch, value)?;
                self.replace(ask, &key, &live, value)
            }
        }
    }

    fn apply(&mut self, ask: &Ask<'_>) -> Result<Said, Status> {
        let Some(manager) = ask.options.field_manager.clone() else {
            let about = crate::status::About {
                group: "meta.k8s.io",
                resource: "PatchOptions",
                name: "",
            };
            let problem = "Required value: is required for apply patch".to_owned();
            return Err(Status::invalid(about, &[("fieldManager".to_owned(), problem)]));
        };
        let name = ask.place.name.clone().unwrap_or_default();
        let key = ask.key(&name);
        let mut value = ask.placed(ask.yaml()?)?;
        let live = self.store.get(&ask.table(), &key).cloned();
        check_preconditions(ask, &value, live.as_deref())?;
        if let Some(metadata) = value["metadata"].as_object_mut() {
            // Conditions are no fields.
            metadata.remove("uid");
            metadata.remove("resourceVersion");
        }
        if live.is_none() {
            self.admit_into_namespace(ask, &name)?;
        }
        let sent = object(value)?;
        let at_version = live
            .as_ref()
            .map(|live| Server::at_version(&live.object, &ask.api_version()))
            .transpose()?;
        let time = stamp(ask.now);
        let prediction = Apply::new(&sent, &manager, &self.schemas)
            .to(at_version.as_ref())
            .force(ask.options.force)
            .at(&time)
            .regardless_of_doubt(true)
            .predict();
        if let Prediction::Conflicts(conflicts) = &prediction {
            return Err(conflicting(conflicts, &manager, at_version.as_ref()));
        }
        let mut found = ask.predicted(prediction, &name)?.to_json();
        match &at_version {
            None => self.begin(&ask.resource, &mut found, ask.now),
            Some(before) => {
                count(&ask.resource, &before.to_json(), &mut found);
                write_template_generation(&ask.resource, &before.to_json(), &mut found);
            }
        }
        self.finish(ask, &key, live.as_ref(), found)
    }
}

/// What a JSON patch or a merge patch makes of a value.
pub(super) fn patched(ask: &Ask<'_>, patch: PatchType, mut value: Value) -> Result<Value, Status> {
    let body = ask.json()?;
    if patch == PatchType::Merge {
        json_patch::merge(&mut value, &body);
        return Ok(value);
    }
    let patch: json_patch::Patch =
        serde_json::from_value(body).map_err(|error| Status::bad_request(error.to_string()))?;
    json_patch::patch(&mut value, &patch).map_err(|error| {
        Status::unprocessable(format!(
            "the server rejected our request due to an error in our request: {error}"
        ))
    })?;
    Ok(value)
}

fn is_apply(ask: &Ask<'_>) -> bool {
    let found = crate::request::text(ask.headers, http::header::CONTENT_TYPE);
    found.is_some_and(|found| found.starts_with("application/apply-patch"))
}

/// UID and resourceVersion in what is sent must be those of what is there.
pub(super) fn check_preconditions(ask: &Ask<'_>, value: &Value, live: Option<&Stored>) -> Result<(), Status> {
    let text = |key: &str| {
        let found = value["metadata"][key].as_str();
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let (uid, version) = (text("uid"), text("resourceVersion"));
    match live {
        // A version alone is passed over where nothing is, as a server does.
        None if uid.is_some() => {
            let why = format!(
                "uid mismatch: the provided object specified uid {}, and no existing object was found",
                uid.unwrap_or_default()
            );
            Err(Status::conflict(ask.about(), &why))
        }
        None => Ok(()),
        Some(live) => {
            let found = live.object.metadata_text("uid").unwrap_or("");
            if let Some(uid) = uid.filter(|uid| uid != found) {
                if ask.options.field_manager.is_some() && is_apply(ask) {
                    let problem = format!("Invalid value: {uid:?}: field is immutable");
                    return Err(Status::invalid(
                        ask.about_kind(live.object.name()),
                        &[("metadata.uid".to_owned(), problem)],
                    ));
                }
                let why =
                    format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {found}");
                return Err(Status::conflict(ask.about(), &why));
            }
            if version.is_some_and(|version| version != live.revision.to_string()) {
                return Err(Status::modified(ask.about()));
            }
            Ok(())
        }
    }
}
