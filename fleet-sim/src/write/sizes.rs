//! How much an object may hold (`pkg/apis/core/validation/validation.go`, `apimachinery/pkg/api/validation`).

use serde_json::Value;

use crate::{server::Ask, status::Status};

/// Of a `ConfigMap` or a `Secret`: the bytes of all values.
const DATA_MAX: usize = 1024 * 1024;

/// Of the annotations of any object: the bytes of all keys and values.
const ANNOTATIONS_MAX: usize = 256 * 1024;

/// Refuses what holds too much.
pub(super) fn check(ask: &Ask<'_>, object: &Value) -> Result<(), Status> {
    let name = object["metadata"]["name"].as_str().unwrap_or("");
    let too_long = |field: &str, limit: usize| {
        let problem = format!("Too long: may not be more than {limit} bytes");
        Err(Status::invalid(
            ask.about_kind(name),
            &[(field.to_owned(), problem)],
        ))
    };
    let texts = |value: &Value, with_keys: bool| -> usize {
        let all = value.as_object().into_iter().flatten();
        all.map(|(key, value)| {
            let own = if with_keys { key.len() } else { 0 };
            own + value.as_str().map_or(0, str::len)
        })
        .sum()
    };
    if texts(&object["metadata"]["annotations"], true) > ANNOTATIONS_MAX {
        return too_long("metadata.annotations", ANNOTATIONS_MAX);
    }
    let held = match (&*ask.resource.group, &*ask.resource.kind) {
        ("", "ConfigMap") => texts(&object["data"], false) + decoded(&object["binaryData"]),
        ("", "Secret") => decoded(&object["data"]),
        _ => 0,
    };
    match (held > DATA_MAX, &*ask.resource.kind) {
        (false, _) => Ok(()),
        (true, "Secret") => too_long("data", DATA_MAX),
        (true, _) => too_long("[]", DATA_MAX),
    }
}

/// The bytes that base64 texts stand for.
fn decoded(value: &Value) -> usize {
    let all = value.as_object().into_iter().flatten();
    all.filter_map(|(_, value)| value.as_str())
        .map(|text| text.trim_end_matches('=').len() * 3 / 4)
        .sum()
}
