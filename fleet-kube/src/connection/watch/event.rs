//! Single events of a watch.

use fleet_core::{Document, Fault, Gvk, Live, Node, Object, ObjectError, Remedy};
use serde::Deserialize;

use super::super::refusal::Refusal;

/// Marks the bookmark behind the last initial object.
const INITIAL_END: &str = "k8s.io/initial-events-end";

pub(super) enum Event {
    Seen(Live),
    Gone(Live),
    Bookmark { version: String, initial_end: bool },
    Error(Refusal),
}

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "type")]
    kind: String,
    object: Document,
}

/// Reads one line.
pub(super) fn parse(line: &[u8], gvk: &Gvk) -> Result<Event, Fault> {
    let Ok(Line { kind, object }) = serde_json::from_slice(line) else {
        // Some gateways answer in the middle of a stream.
        return Err(unreadable(gvk, "not an event"));
    };
    match kind.as_str() {
        "ADDED" | "MODIFIED" => live(Object::from_document(object), gvk).map(Event::Seen),
        "DELETED" => live(Object::from_document(object), gvk).map(Event::Gone),
        "BOOKMARK" => {
            let text = |keys: &[&str]| object.root().at(keys).and_then(Node::as_str);
            let version = text(&["metadata", "resourceVersion"]).filter(|version| !version.is_empty());
            let version = version
                .ok_or_else(|| unreadable(gvk, "a bookmark without resourceVersion"))?
                .to_owned();
            let initial_end = text(&["metadata", "annotations", INITIAL_END]) == Some("true");
            Ok(Event::Bookmark { version, initial_end })
        }
        "ERROR" => Ok(Event::Error(Refusal::of_event(object.to_json()))),
        _ => Err(unreadable(gvk, "an event of unknown type")),
    }
}

/// An item of a list, which may leave out what the list says of itself.
pub(super) fn item(item: Document, gvk: &Gvk) -> Result<Live, Fault> {
    live(Object::from_item(item, gvk), gvk)
}

fn live(object: Result<Object, ObjectError>, gvk: &Gvk) -> Result<Live, Fault> {
    let object = object.map_err(|error| unreadable(gvk, &error.to_string()))?;
    if object.gvk() != gvk {
        return Err(unreadable(gvk, &format!("an object of {}", object.gvk())));
    }
    Live::new(object).map_err(|error| unreadable(gvk, &error.to_string()))
}

pub(super) fn unreadable(gvk: &Gvk, why: &str) -> Fault {
    Fault::new(
        Remedy::Unreachable,
        format!("the watch of {gvk} cannot be read: {why}"),
    )
}
