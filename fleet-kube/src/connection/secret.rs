//! Messages about Secrets. Servers quote what they refuse, so their words may hold a Secret's values.

use std::sync::Arc;

use fleet_core::{Document, Fault, Node, Object, ObjectKey, Patch};
use json_patch::PatchOperation;
use serde_json::Value;

/// Stands for what was taken out.
const MASK: &str = "***";

/// Shorter values are not searched for by content: they would take ordinary words apart. Quoting still covers them.
const SEARCHED_BYTES_MIN: usize = 4;

/// Words after which servers print a value, quoted or not, up to the next `: `.
const VALUE_FOLLOWS: &[&str] = &[
    "Invalid value: ",
    "Unsupported value: ",
    "Duplicate value: ",
    ", got ",
    "Value:",
];

/// What was sent of a Secret.
pub(crate) enum Sent<'a> {
    Nothing,
    Object(&'a Object),
    Patch(&'a Patch),
}

/// The fault without anything that could be a value of the Secret.
pub(crate) fn masked(mut fault: Fault, key: &ObjectKey, sent: &Sent<'_>) -> Fault {
    fault.message = Arc::from(mask(&fault.message, key, sent));
    // The error behind it was made from the same words.
    fault.source = None;
    fault
}

fn mask(message: &str, key: &ObjectKey, sent: &Sent<'_>) -> String {
    let mut text = message.to_owned();
    for value in values(sent) {
        text = text.replace(&value, MASK);
    }
    for word in VALUE_FOLLOWS {
        text = drop_after(&text, word);
    }
    drop_quoted(
        &text,
        &[key.name(), key.namespace().unwrap_or_default(), key.kind()],
    )
}

/// All values that are sent, as sent and, where they are encoded, also plain.
fn values(sent: &Sent<'_>) -> Vec<String> {
    let mut found = Vec::new();
    match sent {
        Sent::Nothing => {}
        Sent::Object(document) => {
            for field in ["data", "stringData"] {
                if let Some(value) = document.root().get(field) {
                    collect(value, &mut found);
                }
            }
            // `kubectl` keeps the whole object in here.
            if let Some(value) = document.metadata().get("annotations") {
                collect(value, &mut found);
            }
        }
        Sent::Patch(patch) => {
            let mut take = |value| collect(Document::from_json(value).root(), &mut found);
            match patch {
                Patch::Json(operations) => operations.iter().filter_map(written).for_each(take),
                Patch::Merge(value) => take(value),
                _ => {}
            }
        }
    }
    let plain: Vec<String> = found.iter().filter_map(|text| base64(text)).collect();
    found.extend(plain);
    found.retain(|text| text.len() >= SEARCHED_BYTES_MIN);
    found.dedup();
    // Longest first, so that no rest of a longer one is left over.
    found.sort_unstable_by_key(|text| std::cmp::Reverse(text.len()));
    found
}

/// The value in an operation of a patch.
fn written(operation: &PatchOperation) -> Option<&Value> {
    match operation {
        PatchOperation::Add(it) => Some(&it.value),
        PatchOperation::Replace(it) => Some(&it.value),
        PatchOperation::Test(it) => Some(&it.value),
        PatchOperation::Remove(_) | PatchOperation::Move(_) | PatchOperation::Copy(_) => None,
    }
}

fn collect(value: Node<'_>, found: &mut Vec<String>) {
    if let Some(text) = value.as_str() {
        found.push(text.to_owned());
        // As a server quotes it.
        let quoted = value.to_string();
        found.push(quoted[1..quoted.len() - 1].to_owned());
        found.extend(text.lines().skip(1).map(str::to_owned));
        found.extend(text.lines().next().map(str::to_owned));
    } else if value.as_number().is_some() {
        found.push(value.to_string());
    }
    value.items().for_each(|item| collect(item, found));
    value.entries().for_each(|(_, item)| collect(item, found));
}

/// Drops what follows each `word`, up to the next `: ` outside of quotes, or the end.
fn drop_after(text: &str, word: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let (before, after) = rest.split_at(at + word.len());
        out.push_str(before);
        out.push_str(MASK);
        rest = &after[value_end(after)..];
    }
    out.push_str(rest);
    out
}

/// Where a printed value ends.
fn value_end(text: &str) -> usize {
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' if !escaped => quoted = !quoted,
            ':' if !quoted && text[at..].starts_with(": ") => return at,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    text.len()
}

/// Drops everything in quotes and braces that is not one of `kept`; with an open quote, everything after it.
fn drop_quoted(text: &str, kept: &[&str]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut last = ' ';
    while let Some(c) = rest.chars().next() {
        let close = match c {
            '"' | '`' => Some(c),
            // Not the apostrophe of a word.
            '\'' if !last.is_alphanumeric() => Some(c),
            '{' => Some('}'),
            _ => None,
        };
        last = c;
        let after = &rest[c.len_utf8()..];
        let Some(close) = close else {
            out.push(c);
            rest = after;
            continue;
        };
        let Some(end) = closing(after, c, close) else {
            out.push_str(MASK);
            break;
        };
        let inside = &after[..end];
        out.push(c);
        out.push_str(if kept.contains(&inside) && !inside.is_empty() {
            inside
        } else {
            MASK
        });
        out.push(close);
        last = close;
        rest = &after[end + close.len_utf8()..];
    }
    out
}

/// Where the quote or brace opened before `text` closes.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 1_usize;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if c == close && !escaped {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        } else if c == open && open != close {
            depth += 1;
        }
        escaped = c == '\\' && open != '{' && !escaped;
    }
    None
}

/// The text behind standard base64, if it is that and text.
fn base64(text: &str) -> Option<String> {
    let digits = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(digits.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in digits.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).unwrap_or_default());
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use fleet_core::Remedy;
    use serde_json::json;

    #[test]
    fn values_are_taken_out_of_the_servers_words() {
        let document = Object::from_json(json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": {"namespace": "shop", "name": "db", "annotations": {"last": "old-pass"}},
            "data": {"password": "aHVudGVyMg==", "pin": 4711},
            "stringData": {"plain": "correct \"horse\"", "key": "line one\nline two"},
        }))
        .unwrap();
        let cases = [
            (
                r#"Secret "db" is invalid: data[password]: Invalid value: "hunter2": must be longer"#,
                r#"Secret "db" is invalid: data[password]: Invalid value: ***: must be longer"#,
            ),
            (
                "failed to create typed patch object (shop/db; /v1, Kind=Secret): .data.pin: expected string, got &value.valueUnstructured{Value:4711}",
                "failed to create typed patch object (shop/db; /v1, Kind=Secret): .data.pin: expected string, got ***",
            ),
            (
                r#"admission webhook "w" denied the request: hunter2 is weak, aHVudGVyMg== too, so is old-pass"#,
                r#"admission webhook "***" denied the request: *** is weak, *** too, so is ***"#,
            ),
            (
                r#"cannot take correct \"horse\" or "correct \"horse\"" now"#,
                r#"cannot take *** or "***" now"#,
            ),
            ("the value 'other' can't be used", "the value '***' can't be used"),
            (r#"open "quote never ends"#, "open ***"),
            (r"quoted line one\nline two", "quoted ***"),
            (
                r#"map[string]string{"a":{"b":"c"}} tail"#,
                "map[string]string{***} tail",
            ),
            (
                r#"secrets "db" is forbidden: User "u" cannot patch resource "secrets" in the namespace "shop""#,
                r#"secrets "db" is forbidden: User "***" cannot patch resource "***" in the namespace "shop""#,
            ),
            (
                "data: Invalid value: 12: too short",
                "data: Invalid value: ***: too short",
            ),
        ];
        for (message, expect) in cases {
            let fault = masked(
                Fault::new(Remedy::Invalid, message),
                document.key(),
                &Sent::Object(&document),
            );
            assert_eq!(&*fault.message, expect);
        }
    }

    #[test]
    fn decodes_base64() {
        for (text, expect) in [
            ("aHVudGVyMg==", Some("hunter2")),
            ("aGk", Some("hi")),
            ("no way", None),
            ("/w==", None),
        ] {
            assert_eq!(base64(text).as_deref(), expect);
        }
    }
}
