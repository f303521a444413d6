//! What a server answers: a document that says of itself that it is an inventory.

use fleet_core::{Digest, DigestBuilder, Inventory, Known, Object, Revision};
use fleet_diff::{ReadLimits, read_values};
use serde_json::{Map, Value};

const API_VERSION: &str = "fleet.internal/v1";
const KIND: &str = "Inventory";
/// Longest revision, in bytes.
const REVISION_BYTES_MAX: usize = 256;
/// So much of a field's name is shown.
const NAME_CHARS_MAX: usize = 64;

/// The inventory of a text, if it is one for this cluster; else why not, without quoting it.
pub(super) fn read(text: &str, cluster: &str, is_required: bool, bytes_max: usize) -> Result<Known, String> {
    let mut limits = ReadLimits::default();
    limits.max_bytes = bytes_max;
    let mut documents = read_values(text, &limits).map_err(|error| error.to_string())?;
    let (Some(document), true) = (documents.pop(), documents.is_empty()) else {
        return Err("it is not one document".to_owned());
    };
    let Value::Object(mut fields) = document.value else {
        return Err("it is not a mapping".to_owned());
    };
    for (name, expect) in [("apiVersion", API_VERSION), ("kind", KIND)] {
        if fields.remove(name).as_ref().and_then(Value::as_str) != Some(expect) {
            return Err(format!("`{name}` is not `{expect}`"));
        }
    }
    if !is_whole(text) {
        return Err("it is YAML that does not close with a line `...`, so its end may be missing".to_owned());
    }
    let revision = take_revision(&mut fields)?;
    match fields.remove("cluster") {
        None if is_required => {
            return Err("`cluster` is missing, and it must say which one this is for".to_owned());
        }
        None => {}
        Some(Value::String(name)) if name == cluster => {}
        Some(_) => return Err(format!("`cluster` is not `{cluster}`")),
    }
    let objects = match fields.remove("objects") {
        Some(Value::Array(objects)) => objects,
        Some(_) => return Err("`objects` is not a list".to_owned()),
        None => return Err("`objects` is missing".to_owned()),
    };
    if let Some(name) = fields.keys().next() {
        let name: String = name.escape_debug().take(NAME_CHARS_MAX).collect();
        return Err(format!("`{name}` is not a field of an inventory"));
    }
    if objects.is_empty() {
        return Ok(Known::Empty(revision));
    }
    let objects: Result<Vec<Object>, String> = objects
        .into_iter()
        .enumerate()
        .map(|(i, value)| Object::from_json(value).map_err(|error| format!("objects[{i}]: {error}")))
        .collect();
    let inventory = Inventory::new(revision, objects?);
    inventory.map(Known::Objects).map_err(|error| error.to_string())
}

fn take_revision(fields: &mut Map<String, Value>) -> Result<Revision, String> {
    match fields.remove("revision") {
        None => Err("`revision` is missing".to_owned()),
        Some(Value::String(text)) if is_revision(&text) => Ok(text.as_str().into()),
        Some(_) => Err(format!(
            "`revision` is not a text of 1 to {REVISION_BYTES_MAX} bytes in one line"
        )),
    }
}

/// It is shown to people, and written into clusters.
fn is_revision(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= REVISION_BYTES_MAX && !text.contains(char::is_control)
}

/// JSON closes what it opens; YAML may be cut after any line.
fn is_whole(text: &str) -> bool {
    text.trim_start_matches('\u{feff}').trim_start().starts_with('{')
        || text.trim_end().lines().next_back() == Some("...")
}

/// Of the objects in any order.
pub(super) fn content(known: &Known) -> Digest {
    let mut objects: Vec<&Object> = known.objects().iter().collect();
    objects.sort_by_key(|object| object.key());
    let digest = objects
        .iter()
        .fold(DigestBuilder::new(), |all, object| all.digest(&object.digest()));
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#""apiVersion": "fleet.internal/v1", "kind": "Inventory""#;
    const MAP: &str = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "hunter2"}}"#;

    fn told(text: &str) -> String {
        match read(text, "eu-1", false, 1 << 20) {
            Ok(Known::Empty(revision)) => format!("empty at {revision}"),
            Ok(known) => format!("{} at {}", known.objects().len(), known.revision()),
            Err(why) => why,
        }
    }

    #[test]
    fn whom_it_is_for_may_have_to_be_said() {
        let with = |cluster: &str| format!(r#"{{{HEAD}, "revision": "r", {cluster}"objects": []}}"#);
        for (text, expect) in [
            (with(r#""cluster": "eu-1", "#), None),
            (with(r#""cluster": "eu-2", "#), Some("`cluster` is not `eu-1`")),
            (with(""), Some("`cluster` is missing")),
        ] {
            let read = read(&text, "eu-1", true, 1 << 20);
            match (read, expect) {
                (Ok(_), None) => {}
                (Err(why), Some(words)) => assert!(why.contains(words), "{why}"),
                (read, _) => panic!("{text}: {read:?}"),
            }
        }
    }

    #[test]
    fn only_what_says_that_it_is_an_inventory_is_one() {
        let json = |rest: &str| format!("{{{HEAD}{rest}}}");
        let yaml = "apiVersion: fleet.internal/v1\nkind: Inventory\nrevision: a\nobjects:\n\
                    - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n";
        let not_whole = "it is YAML that does not close with a line `...`, so its end may be missing";
        let cases = [
            (
                json(&format!(r#", "revision": "r", "objects": [{MAP}]"#)),
                "1 at r",
            ),
            (
                json(&format!(
                    r#", "revision": "r", "cluster": "eu-1", "objects": [{MAP}]"#
                )),
                "1 at r",
            ),
            (json(r#", "revision": "r", "objects": []"#), "empty at r"),
            (format!("{yaml}..."), "1 at a"),
            (format!("# made by hand\n---\n{yaml}...\n\n"), "1 at a"),
            (yaml.to_owned(), not_whole),
            (
                yaml.replace(
                    "- {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n",
                    "[]\n",
                ),
                "line 5",
            ),
            (format!("{yaml}  ...\n"), "line 6"),
            (json(r#", "objects": []"#), "`revision` is missing"),
            (
                json(r#", "revision": "", "objects": []"#),
                "`revision` is not a text",
            ),
            (
                json(r#", "revision": 7, "objects": []"#),
                "`revision` is not a text",
            ),
            (
                json(r#", "revision": "a\nb", "objects": []"#),
                "`revision` is not a text",
            ),
            (
                json(&format!(r#", "revision": "{}", "objects": []"#, "r".repeat(257))),
                "`revision` is not a text",
            ),
            (json(r#", "revision": "r""#), "`objects` is missing"),
            (
                json(r#", "revision": "r", "objects": null"#),
                "`objects` is not a list",
            ),
            (
                json(r#", "revision": "r", "objects": {}"#),
                "`objects` is not a list",
            ),
            (
                json(r#", "revision": "r", "objects": [], "continue": "x""#),
                "`continue` is not a field",
            ),
            (
                json(r#", "revision": "r", "cluster": "eu-2", "objects": []"#),
                "`cluster` is not `eu-1`",
            ),
            (
                json(r#", "revision": "r", "cluster": null, "objects": []"#),
                "`cluster` is not `eu-1`",
            ),
            (
                json(r#", "revision": "r", "objects": ["hunter2"]"#),
                "objects[0]: ",
            ),
            (
                json(&format!(r#", "revision": "r", "objects": [{MAP}, {MAP}]"#)),
                "is listed twice",
            ),
            (
                json(r#", "revision": "r", "revision": "s", "objects": []"#),
                "line 1, column",
            ),
            (format!("{}{}", json(""), json("")), "it is not one document"),
            (
                r#"{"error": "hunter2"}"#.to_owned(),
                "`apiVersion` is not `fleet.internal/v1`",
            ),
            (HEAD.replace("Inventory", "hunter2"), "line 1"),
            (
                r#"{"apiVersion": "fleet.internal/v1", "kind": "hunter2"}"#.to_owned(),
                "`kind` is not `Inventory`",
            ),
            ("[]".to_owned(), "it is not a mapping"),
            ("hunter2".to_owned(), "it is not a mapping"),
            (String::new(), "it is not one document"),
            (
                format!("{{{HEAD}, \"revision\": \"r\", \"objects\": [{MAP}"),
                "line 1",
            ),
        ];
        for (text, expect) in cases {
            let told = told(&text);
            assert!(told.contains(expect), "{text}\n expected {expect}: {told}");
            let may_name = expect == "is listed twice";
            assert!(may_name || !told.contains("hunter2"), "{told}");
        }
    }

    /// Of no beginning of a text is an inventory made, whatever was cut off.
    #[test]
    fn no_beginning_of_an_inventory_is_one() {
        let json = format!("{{{HEAD}, \"revision\": \"r\", \"objects\": [{MAP}]}}");
        let yaml = "apiVersion: fleet.internal/v1\nkind: Inventory\nrevision: abc\nobjects:\n\
                    - apiVersion: v1\n  kind: ConfigMap\n  metadata: {name: a}\n  data:\n    text: |\n      ...\n\
                    - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}\n...";
        for text in [json.as_str(), yaml] {
            assert!(read(text, "eu-1", false, 1 << 20).is_ok());
            for end in 0..text.len() {
                assert!(
                    read(&text[..end], "eu-1", false, 1 << 20).is_err(),
                    "{}",
                    &text[..end]
                );
            }
        }
    }
}
