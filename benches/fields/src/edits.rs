//! Changes of definitions.

use serde_json::{Value, json};

/// One of the changes that any definition can have: a value of its content, or a label, or an annotation.
pub(crate) fn edit(object: &Value, number: usize) -> Value {
    let mut edited = object.clone();
    let mut places = Vec::new();
    // What Secrets hold is encoded.
    let fields: &[&str] = if object["kind"] == "Secret" {
        &[]
    } else {
        &["spec", "data"]
    };
    for field in fields {
        find(&object[*field], &format!("/{field}"), &mut places);
    }
    match number % 4 {
        0 | 1 if !places.is_empty() => {
            let place = &places[number / 4 % places.len()];
            if let Some(value) = edited.pointer_mut(place) {
                *value = other(value);
            }
            edited
        }
        2 => mark(object, "annotations", number),
        _ => mark(object, "labels", number),
    }
}

/// With another label or annotation.
pub(crate) fn mark(object: &Value, field: &str, number: usize) -> Value {
    let mut edited = object.clone();
    edited["metadata"][field]["example.net/edited"] = json!(format!("edit-{number}"));
    edited
}

/// Numbers, images, and data: they can have another value and stay valid.
fn find(value: &Value, at: &str, places: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Number(number) if number.is_u64() => places.push(at.to_owned()),
        Value::String(_) if at.ends_with("/image") || at.starts_with("/data/") => places.push(at.to_owned()),
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                find(item, &format!("{at}/{i}"), places);
            }
        }
        Value::Object(map) => {
            for (key, value) in map {
                find(value, &format!("{at}/{}", escaped(key)), places);
            }
        }
        _ => {}
    }
}

fn other(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_u64().unwrap_or(0) + 1),
        Value::String(text) => json!(format!("{text}1")),
        other => other.clone(),
    }
}
