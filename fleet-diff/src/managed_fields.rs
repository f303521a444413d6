//! Reading `metadata.managedFields`, whatever stands there.

use crate::{Node, Object};

/// One entry, borrowed. Absent texts are empty.
pub(crate) struct Entry<'a> {
    pub(crate) manager: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) subresource: &'a str,
    pub(crate) api_version: &'a str,
    pub(crate) time: Option<&'a str>,
    pub(crate) fields: Option<Node<'a>>,
}

/// What an entry says apart from its time.
pub(crate) type Claim<'a> = (&'a str, &'a str, Option<Node<'a>>);

impl Entry<'_> {
    /// Subresource, API version and fields.
    pub(crate) fn claim(&self) -> Claim<'_> {
        (self.subresource, self.api_version, self.fields)
    }
}

/// All entries in the object's order; what is not a mapping is passed over.
pub(crate) fn entries(object: &Object) -> impl Iterator<Item = Entry<'_>> {
    let list = object.metadata().get("managedFields");
    let entries = list
        .into_iter()
        .flat_map(Node::items)
        .filter(|entry| entry.is_map());
    entries.map(|entry| {
        let text = |field: &str| entry.get(field).and_then(Node::as_str);
        Entry {
            manager: text("manager").unwrap_or(""),
            operation: text("operation").unwrap_or(""),
            subresource: text("subresource").unwrap_or(""),
            api_version: text("apiVersion").unwrap_or(""),
            time: text("time"),
            fields: entry.get("fieldsV1").filter(|fields| fields.is_map()),
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
