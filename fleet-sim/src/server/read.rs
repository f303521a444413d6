//! Reading objects and lists.

use std::sync::Arc;

use fleet_diff::Object;
use serde_json::{Value, json};

use super::{Ask, Said, Server};
use crate::{
    request::{Form, Selector, VersionMatch},
    status::Status,
    store::{Key, Stored},
};

/// Where a paged list goes on.
struct Token {
    revision: u64,
    after: (String, String),
}

impl Server {
    pub(super) fn get(&self, ask: &Ask<'_>) -> Result<Said, Status> {
        let name = ask.place.name.as_deref().unwrap_or("");
        let Some(stored) = self.store.get(&ask.table(), &ask.key(name)) else {
            return Err(Status::not_found(ask.about()));
        };
        match ask.place.subresource.as_deref() {
            None | Some("status") => Ok(Said::Value(200, ask.shown(&stored.object)?)),
            Some("scale") => self.read_scale(ask, stored),
            Some(_) => Err(Status::no_such_path()),
        }
    }

    pub(super) fn list(&self, ask: &Ask<'_>) -> Result<Said, Status> {
        let selector = ask.selector()?;
        let (table, options) = (ask.table(), &ask.options);
        let token = options.next.as_deref().map(Token::read).transpose()?;
        if token.is_some() && options.resource_version.is_some() {
            return Err(Status::bad_request(
                "specifying resource version is not allowed when using continue",
            ));
        }
        let exact = match (&token, self.asked_revision(options.resource_version.as_deref())?) {
            (Some(token), _) => Some(token.revision),
            (None, Some(revision)) if options.version_match == Some(VersionMatch::Exact) => Some(revision),
            _ => None,
        };
        let (revision, rows): (u64, Vec<(Key, Arc<Stored>)>) = match exact {
            Some(revision) if revision != self.store.revision() => {
                let rows = self.store.at(&table, revision).ok_or_else(|| match token {
                    Some(_) => Status::expired(
                        "The provided continue parameter is too old to display a consistent list result.",
                    ),
                    None => Status::expired(format!(
                        "The resourceVersion for the provided list is too old: {revision}"
                    )),
                })?;
                (revision, rows.into_iter().collect())
            }
            _ => {
                let rows = self.store.all(&table, ask.place.namespace.as_deref());
                let rows = rows.map(|(key, stored)| (key.clone(), stored.clone()));
                (self.store.revision(), rows.collect())
            }
        };
        let is_wanted = |(key, stored): &(Key, Arc<Stored>)| {
            let inside = ask
                .place
                .namespace
                .as_deref()
                .is_none_or(|namespace| &*key.namespace == namespace);
            let is_behind = token
                .as_ref()
                .is_none_or(|token| (&*key.namespace, &*key.name) > (&token.after.0, &token.after.1));
            inside && is_behind && selector.takes(&stored.object)
        };
        let mut rows: Vec<(Key, Arc<Stored>)> = rows.into_iter().filter(is_wanted).collect();
        let mut metadata = ask.list_metadata(revision);
        if let Some(limit) = options.limit.filter(|limit| rows.len() > *limit) {
            let rest = rows.split_off(limit);
            if let Some((last, _)) = rows.last() {
                metadata["continue"] = Token::text(revision, last).into();
            }
            // As on a server: with a selector nobody has counted.
            if selector == Selector::default() {
                metadata["remainingItemCount"] = rest.len().into();
            }
        }
        let items = rows
            .iter()
            .map(|(_, stored)| ask.shown_in_list(&stored.object))
            .collect::<Result<Vec<Value>, Status>>()?;
        // As Go writes a list that nobody has put anything into.
        let items = match ask.form {
            Form::Metadata if items.is_empty() => Value::Null,
            _ => items.into(),
        };
        let (api_version, kind) = match ask.form {
            Form::Whole => (ask.api_version(), ask.resource.list_kind.clone()),
            Form::Metadata => (
                "meta.k8s.io/v1".to_owned(),
                "PartialObjectMetadataList".to_owned(),
            ),
        };
        Ok(Said::Value(
            200,
            json!({"kind": kind, "apiVersion": api_version, "metadata": metadata, "items": items}),
        ))
    }

    /// The revision that a request names; `0` and none are any.
    pub(super) fn asked_revision(&self, text: Option<&str>) -> Result<Option<u64>, Status> {
        let Some(text) = text.filter(|text| *text != "0") else {
            return Ok(None);
        };
        let revision: u64 = text
            .parse()
            .map_err(|_| Status::bad_request(format!("Invalid resource version: {text:?}")))?;
        if revision > self.store.revision() {
            return Err(Status::too_large(revision, self.store.revision()));
        }
        Ok(Some(revision))
    }
}

impl Ask<'_> {
    /// Of the resource at its version.
    pub(crate) fn api_version(&self) -> String {
        self.resource.api_version()
    }

    /// What the request selects.
    pub(crate) fn selector(&self) -> Result<Selector, Status> {
        let options = &self.options;
        let core_kind = if self.resource.group.is_empty() {
            self.resource.kind.as_str()
        } else {
            ""
        };
        let selector = Selector::of(
            options.label_selector.as_deref(),
            options.field_selector.as_deref(),
            core_kind,
        )?;
        Ok(match self.place.name.as_deref() {
            Some(name) => selector.named(name),
            None => selector,
        })
    }

    /// An object as it is answered.
    pub(crate) fn shown(&self, object: &Object) -> Result<Value, Status> {
        let value = Server::at_version(object, &self.api_version())?.to_json();
        Ok(match self.form {
            Form::Whole => value,
            Form::Metadata => json!({
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": value["metadata"],
            }),
        })
    }

    /// Of a list at a revision.
    pub(crate) fn list_metadata(&self, revision: u64) -> Value {
        let mut metadata = json!({"resourceVersion": revision.to_string()});
        if self.resource.is_custom && self.form == Form::Whole {
            metadata["continue"] = "".into();
        }
        metadata
    }

    /// An item of a list; those of built-in kinds leave out what the list says.
    pub(crate) fn shown_in_list(&self, object: &Object) -> Result<Value, Status> {
        let mut value = self.shown(object)?;
        if self.form == Form::Whole
            && !self.resource.is_custom
            && let Some(map) = value.as_object_mut()
        {
            map.remove("kind");
            map.remove("apiVersion");
        }
        Ok(value)
    }
}

impl Token {
    fn read(text: &str) -> Result<Self, Status> {
        let wrong = || Status::bad_request("continue key is not valid");
        let mut parts = text.splitn(3, '/');
        let revision = parts
            .next()
            .and_then(|part| part.parse().ok())
            .ok_or_else(wrong)?;
        let namespace = parts.next().ok_or_else(wrong)?.to_owned();
        let name = parts.next().ok_or_else(wrong)?.to_owned();
        Ok(Self {
            revision,
            after: (namespace, name),
        })
    }

    /// Opaque to clients; names hold no slashes.
    fn text(revision: u64, last: &Key) -> String {
        format!("{revision}/{}/{}", last.namespace, last.name)
    }
}
