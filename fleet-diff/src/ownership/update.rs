//! Who owns what after somebody wrote in another way than by applying.

use super::write::{OwnersError, read, with_managers};
use crate::{
    Object, Schemas,
    managed::{self, VersionError},
    predict::other_version,
};

/// One update, as a controller, `kubectl edit` or a patch sends it: the object before, as it is stored after, and who
/// wrote.
///
/// ```
/// use fleet_diff::{FieldPath, Object, Schemas, Update, managers_of};
/// use serde_json::json;
///
/// let object = |size| Object::from_json(json!({
///     "apiVersion": "example.com/v1", "kind": "Thing", "size": size,
///     "metadata": {"name": "a", "managedFields": [
///         {"manager": "fleet", "operation": "Apply", "apiVersion": "example.com/v1",
///          "fieldsType": "FieldsV1", "fieldsV1": {"f:size": {}}},
///     ]},
/// }));
/// let after = Update::new(&object(2)?, "operator", &Schemas::default()).of(Some(&object(1)?)).owners()?;
/// let owners = managers_of(&after, &FieldPath::keys(["size"]));
/// assert_eq!((owners.len(), &*owners[0].name), (1, "operator"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Update<'a> {
    written: &'a Object,
    live: Option<&'a Object>,
    manager: &'a str,
    schemas: &'a Schemas,
    subresource: &'a str,
    time: Option<&'a str>,
}

impl<'a> Update<'a> {
    /// An update that created `written`, until [`of`](Self::of) says what was there. `written` is the object as it
    /// was stored; its `managedFields` do not count.
    pub fn new(written: &'a Object, manager: &'a str, schemas: &'a Schemas) -> Self {
        Self {
            written,
            live: None,
            manager,
            schemas,
            subresource: "",
            time: None,
        }
    }

    /// The object before, with its `managedFields`.
    #[must_use]
    pub fn of(self, live: Option<&'a Object>) -> Self {
        Self { live, ..self }
    }

    /// The subresource that was written to, such as `status`.
    #[must_use]
    pub fn through(self, subresource: &'a str) -> Self {
        Self { subresource, ..self }
    }

    /// The time to write into the writer's entry, as the server would write it. Without one it gets none.
    #[must_use]
    pub fn at(self, time: &'a str) -> Self {
        Self {
            time: Some(time),
            ..self
        }
    }

    /// `written` with the `managedFields` that the server would give it: the writer owns what it added or modified,
    /// everybody else loses that and what was removed. An object that has no owners at all gets none.
    ///
    /// # Errors
    /// When the entries cannot be read or followed from one API version to another.
    pub fn owners(&self) -> Result<Object, OwnersError> {
        let gvk = self.written.gvk();
        let version = gvk.api_version();
        let managers = self.live.map_or_else(|| Ok(managed::Managers::default()), read)?;
        let none = crate::FieldSet::new();
        let update = managed::Update {
            target: managed::Target {
                kind: self.schemas.of(gvk),
                gvk,
                version: &version,
                live: self.live.map(Object::document),
                // What an endpoint does not write is in `written` as it was before.
                reset: &none,
                other: &|version| other_version(self.schemas, gvk, version),
            },
            written: self.written.document(),
            manager: self.manager,
            subresource: self.subresource,
            time: self.time,
        };
        let managers = managed::update(&update, managers).map_err(|error| match error {
            VersionError::Unknown(version) => OwnersError::OtherVersion(version),
            VersionError::DoesNotFit(wrong) => OwnersError::DoesNotFit(wrong.path.to_string()),
        })?;
        with_managers(self.written, &managers)
    }
}
