//! Takes out of objects what is another value each time.

use std::collections::BTreeMap;

use serde_json::Value;

use super::case::Case;

const TIME: &str = "2026-01-01T00:00:00Z";
/// What a token's volume is called before five characters at random.
const TOKEN: &str = "kube-api-access-";

/// What stands for what, in all objects of a case.
pub(super) struct Steady {
    /// Texts that the case itself has stay.
    own: String,
    texts: BTreeMap<String, String>,
    ports: BTreeMap<i64, i64>,
}

impl Steady {
    pub(super) fn of(case: &Case) -> Self {
        let own = serde_json::to_string(&(&case.steps, &case.desired, &case.first)).expect("JSON");
        Self {
            own,
            texts: BTreeMap::new(),
            ports: BTreeMap::new(),
        }
    }

    /// The object with what stands for its values.
    pub(super) fn value(&mut self, object: &Value) -> Value {
        self.learn(object);
        self.replaced("", object)
    }

    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (from, to) in &self.texts {
            text = text.replace(from, to);
        }
        text
    }

    fn learn(&mut self, object: &Value) {
        if let Some(uid) = object["metadata"]["uid"].as_str() {
            let next = format!("00000000-0000-0000-0000-{:012}", self.texts.len() + 1);
            self.learn_text(uid, next);
        }
        let addresses = [&object["spec"]["clusterIP"], &object["spec"]["clusterIPs"][0]];
        for address in addresses.into_iter().filter_map(Value::as_str) {
            if address != "None" && !address.is_empty() {
                let next = format!("127.96.255.{}", self.texts.len() + 1);
                self.learn_text(address, next);
            }
        }
        for volume in object["spec"]["volumes"].as_array().into_iter().flatten() {
            if let Some(name) = volume["name"].as_str().filter(|name| name.starts_with(TOKEN)) {
                self.learn_text(name, format!("{TOKEN}{:05}", self.texts.len() + 1));
            }
        }
        let ports = object["spec"]["ports"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|port| &port["nodePort"]);
        for port in ports
            .chain([&object["spec"]["healthCheckNodePort"]])
            .filter_map(Value::as_i64)
        {
            let next = 32_000 + i64::try_from(self.ports.len()).unwrap_or_default();
            if !self.own.contains(&port.to_string()) {
                self.ports.entry(port).or_insert(next);
            }
        }
    }

    fn learn_text(&mut self, text: &str, next: String) {
        if !self.own.contains(text) && !self.texts.values().any(|known| known == text) {
            self.texts.entry(text.to_owned()).or_insert(next);
        }
    }

    fn replaced(&self, key: &str, value: &Value) -> Value {
        match value {
            Value::String(text) if is_time(text) && !self.own.contains(text.as_str()) => TIME.into(),
            Value::String(_) if key == "resourceVersion" => "1".into(),
            Value::String(text) => self.text(text).into(),
            Value::Number(number) if matches!(key, "nodePort" | "healthCheckNodePort") => {
                let port = number.as_i64().unwrap_or_default();
                self.ports.get(&port).copied().unwrap_or(port).into()
            }
            Value::Array(list) => list.iter().map(|value| self.replaced(key, value)).collect(),
            Value::Object(map) => map
                .iter()
                .map(|(key, value)| (self.text(key), self.replaced(key, value)))
                .collect(),
            other => other.clone(),
        }
    }
}

/// `2026-01-01T00:00:00Z`, also with parts of seconds.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 20 && bytes[4] == b'-' && bytes[10] == b'T' && bytes[13] == b':' && text.ends_with('Z')
}
