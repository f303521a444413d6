//! Reading `metadata.managedFields`, whatever stands there.

use serde_json::{Map, Value};

use crate::Object;

/// One entry, borrowed. Absent texts are empty.
pub(crate) struct Entry<'a> {
    pub(crate) manager: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) time: Option<&'a str>,
    pub(crate) fields: Option<&'a Map<String, Value>>,
}

/// What an entry says apart from its time.
pub(crate) type Claim<'a> = (&'a str, &'a str, Option<&'a Map<String, Value>>);

impl Entry<'_> {
    /// Subresource, API version and fields.
    pub(crate) fn claim(&self) -> Claim<'_> {
        (self.subresource, self.api_version, self.fields)
    }
}

/// All entries in the object's order; what is not a mapping is passed over.
pub(crate) fn entries(object: &Object) -> impl Iterator<Item = Entry<'_>> {
    let list = object.metadata().get("managedFields").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .map(|entry| {
            let text = |field: &str| entry.get(field).and_then(Value::as_str);
            Entry {
                manager: text("manager").unwrap_or(""),
                operation: text("operation").unwrap_or(""),
                subresource: text("subresource").unwrap_or(""),
                api_version: text("apiVersion").unwrap_or(""),
                time: text("time"),
                fields: entry.get("fieldsV1").and_then(Value::as_object),
            }
        })
}

/// What `manager` applied, ordered by subresource and API version: the server orders by time, which is not content.
pub(crate) fn applied_by<'a>(object: &'a Object, manager: &str) -> Vec<Entry<'a>> {
    let mut found: Vec<Entry<'a>> = entries(object)
        .filter(|entry| entry.manager == manager && entry.operation == "Apply")
        .collect();
    found.sort_by_key(|entry| (entry.subresource, entry.api_version));
    found
}
