//! What two servers say differently although they mean the same: UIDs, versions, times, addresses.

use std::collections::HashMap;

use serde_json::Value;

/// Names for what one server has chosen, in the order in which it was seen.
#[derive(Default)]
pub(super) struct Normal {
    uids: HashMap<String, String>,
    /// How many objects of one address there were.
    lives: HashMap<String, usize>,
    /// The version that each object had last, by UID.
    versions: HashMap<String, String>,
}

/// Fields whose values servers choose.
const CHOSEN: [(&str, &str); 4] = [
    ("clusterIP", "an address"),
    ("nodePort", "a port"),
    ("healthCheckNodePort", "a port"),
    ("continue", "a token"),
];

impl Normal {
    /// The same with names instead of what was chosen; `resource` is what it is about.
    pub(super) fn of(&mut self, resource: &str, value: &Value) -> Value {
        let mut value = value.clone();
        self.name(resource, &value);
        self.version(&mut value);
        for item in value["items"].as_array_mut().into_iter().flatten() {
            self.name(resource, item);
            self.version(item);
        }
        self.walk(&mut value);
        value
    }

    /// Names an object by its address, and which one of that address it is.
    fn name(&mut self, resource: &str, value: &Value) {
        let metadata = &value["metadata"];
        if let (Some(uid), Some(name)) = (metadata["uid"].as_str(), metadata["name"].as_str())
            && !self.uids.contains_key(uid)
        {
            let address = format!("{resource}/{name}");
            let life = self.lives.entry(address.clone()).or_default();
            *life += 1;
            self.uids.insert(uid.to_owned(), format!("{address} {life}"));
        }
    }

    /// Of an object, whether its version is the one it had.
    fn version(&mut self, value: &mut Value) {
        let Some(metadata) = value.get_mut("metadata").filter(|metadata| metadata.is_object()) else {
            return;
        };
        let Some(version) = metadata["resourceVersion"].as_str().map(str::to_owned) else {
            return;
        };
        let uid = metadata["uid"].as_str().unwrap_or("").to_owned();
        if uid.is_empty() {
            metadata["resourceVersion"] = "of a list".into();
            return;
        }
        let before = self.versions.insert(uid, version.clone());
        let word = match before {
            None => "first",
            Some(before) if before == version => "same",
            Some(_) => "new",
        };
        metadata["resourceVersion"] = word.into();
    }

    fn walk(&mut self, value: &mut Value) {
        match value {
            Value::Object(map) => {
                // A condition that turns twice within a second has one time.
                map.remove("f:lastTransitionTime");
                for (key, inner) in map {
                    match &**key {
                        "managedFields" => sort(inner),
                        // Those of a namespace come out of a map of Go.
                        "finalizers" => sort_texts(inner),
                        _ => {}
                    }
                    let chosen = CHOSEN.iter().find(|(name, _)| name == key);
                    match chosen {
                        Some((_, word)) if !inner.is_null() && inner != "None" && inner != "" => {
                            *inner = (*word).into();
                        }
                        _ if key == "clusterIPs" && inner[0] != "None" => *inner = "addresses".into(),
                        _ => self.walk(inner),
                    }
                }
            }
            Value::Array(list) => list.iter_mut().for_each(|inner| self.walk(inner)),
            Value::String(text) => *text = self.text(text),
            _ => {}
        }
    }

    fn text(&mut self, text: &str) -> String {
        if is_time(text) {
            return "a time".to_owned();
        }
        if is_uid(text) {
            return self.uids.get(text).cloned().unwrap_or_else(|| "a UID".to_owned());
        }
        text.to_owned()
    }
}

/// Entries stand in the order of their times, which are not those of the other server.
fn sort(entries: &mut Value) {
    let name = |entry: &Value| {
        ["manager", "operation", "subresource", "apiVersion"].map(|key| entry[key].to_string())
    };
    if let Some(list) = entries.as_array_mut() {
        // What a server writes by itself bears the name of its program.
        for entry in list
            .iter_mut()
            .filter(|entry| entry["manager"] == "control-plane")
        {
            entry["manager"] = "kube-apiserver".into();
        }
        list.sort_by_key(name);
    }
}

fn sort_texts(list: &mut Value) {
    if let Some(list) = list.as_array_mut() {
        list.sort_by_key(Value::to_string);
    }
}

/// A message without what servers choose: times, UIDs and versions.
pub(super) fn words(message: &str) -> String {
    let ends = |letter: char| !(letter.is_ascii_alphanumeric() || "-:.".contains(letter));
    let words = message.split_inclusive(ends);
    let plain = words.map(|word| {
        let name = word.trim_end_matches(ends);
        let is_version = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_digit());
        let name_only = name.trim_end_matches([':', '.']);
        if is_time(name_only) || is_uid(name_only) || is_version {
            word.replacen(name_only, "CHOSEN", 1)
        } else {
            word.to_owned()
        }
    });
    plain.collect()
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()
}

fn is_uid(text: &str) -> bool {
    let parts: Vec<usize> = text.split('-').map(str::len).collect();
    parts == [8, 4, 4, 4, 12]
        && text
            .chars()
            .all(|letter| letter.is_ascii_hexdigit() || letter == '-')
}
