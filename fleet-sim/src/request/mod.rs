//! Reads a request: what is asked, of which resource, with which options.

mod path;
mod query;
mod selector;

use http::{HeaderMap, Method, header};

pub(crate) use path::{Path, Place};
pub(crate) use query::{Options, Propagation, VersionMatch};
pub(crate) use selector::Selector;

use crate::status::Status;

/// What is asked of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    List,
    Watch,
    Create,
    Update,
    Patch(PatchType),
    Delete,
    DeleteCollection,
}

/// How a patch is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PatchType {
    /// Server-side apply.
    Apply,
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
}

/// In which form objects are sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Whole,
    /// `PartialObjectMetadata`.
    Metadata,
}

/// The media types of patches that are taken.
const PATCHES: [(&str, PatchType); 4] = [
    ("application/json-patch+json", PatchType::Json),
    ("application/merge-patch+json", PatchType::Merge),
    ("application/apply-patch+yaml", PatchType::Apply),
    ("application/apply-patch+json", PatchType::Apply),
];

impl Verb {
    /// What a method means at a place.
    ///
    /// # Errors
    /// When the place does not take the method, or not in this format.
    pub(crate) fn of(
        method: &Method,
        place: &Place,
        options: &Options,
        headers: &HeaderMap,
    ) -> Result<Self, Status> {
        let named = place.name.is_some();
        match (method, named) {
            (&Method::GET, _) if options.watch => Ok(Self::Watch),
            (&Method::GET, true) => Ok(Self::Get),
            (&Method::GET, false) => Ok(Self::List),
            (&Method::POST, false) => Ok(Self::Create),
            (&Method::PUT, true) => Ok(Self::Update),
            (&Method::PATCH, true) => patch_type(headers).map(Self::Patch),
            (&Method::DELETE, true) => Ok(Self::Delete),
            (&Method::DELETE, false) => Ok(Self::DeleteCollection),
            _ => Err(Status::method_not_allowed()),
        }
    }

    /// As discovery names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::List => "list",
            Self::Watch => "watch",
            Self::Create => "create",
            Self::Update => "update",
            Self::Patch(_) => "patch",
            Self::Delete => "delete",
            Self::DeleteCollection => "deletecollection",
        }
    }
}

fn patch_type(headers: &HeaderMap) -> Result<PatchType, Status> {
    let found = text(headers, header::CONTENT_TYPE).unwrap_or("");
    let essence = found.split(';').next().unwrap_or("").trim();
    PATCHES
        .iter()
        .find(|(name, _)| *name == essence)
        .map(|(_, patch)| *patch)
        .ok_or_else(|| Status::unsupported(&PATCHES.map(|(name, _)| name)))
}

/// The first form in an `Accept` header that is known here; whole objects when it names none.
pub(crate) fn form(headers: &HeaderMap) -> Form {
    let Some(accept) = text(headers, header::ACCEPT) else {
        return Form::Whole;
    };
    for choice in accept.split(',') {
        let wanted = choice.split(';').find_map(|part| part.trim().strip_prefix("as="));
        match wanted {
            Some("PartialObjectMetadata" | "PartialObjectMetadataList") => return Form::Metadata,
            None => return Form::Whole,
            Some(_) => {}
        }
    }
    Form::Whole
}

/// A header's text.
pub(crate) fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}
