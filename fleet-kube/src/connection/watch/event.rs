//! Single events of a watch.

use fleet_core::{Fault, Gvk, Live, Object, Remedy};
use serde::Deserialize;
use serde_json::Value;

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
    object: Value,
}

/// Reads one line.
pub(super) fn parse(line: &[u8], gvk: &Gvk) -> Result<Event, Fault> {
    let Ok(Line { kind, object }) = serde_json::from_slice(line) else {
        // Some gateways answer in the middle of a stream.
        return Err(unreadable(gvk, "not an event"));
    };
    match kind.as_str() {
        "ADDED" | "MODIFIED" => live(object, gvk).map(Event::Seen),
        "DELETED" => live(object, gvk).map(Event::Gone),
        "BOOKMARK" => {
            let metadata = &object["metadata"];
            let version = metadata["resourceVersion"]
                .as_str()
                .filter(|version| !version.is_empty());
            let version = version
                .ok_or_else(|| unreadable(gvk, "a bookmark without resourceVersion"))?
                .to_owned();
            let initial_end = metadata["annotations"][INITIAL_END] == "true";
            Ok(Event::Bookmark { version, initial_end })
        }
        "ERROR" => Ok(Event::Error(Refusal::of_event(object))),
        _ => Err(unreadable(gvk, "an event of unknown type")),
    }
}

/// An item of a list, which may leave out what the list says of itself.
pub(super) fn item(mut object: Value, gvk: &Gvk) -> Result<Live, Fault> {
    if let Some(map) = object.as_object_mut() {
        map.entry("apiVersion")
            .or_insert_with(|| gvk.api_version().into());
        map.entry("kind").or_insert_with(|| gvk.kind().into());
    }
    live(object, gvk)
}

fn live(object: Value, gvk: &Gvk) -> Result<Live, Fault> {
    let object = Object::from_json(object).map_err(|error| unreadable(gvk, &error.to_string()))?;
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
