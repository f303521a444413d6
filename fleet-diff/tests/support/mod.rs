//! Objects with a history, made by what the crate itself says servers do: the truth test compares that with real ones.
#![allow(dead_code, reason = "each test uses its part")]

use fleet_diff::{Apply, Decision, FieldPath, Object, Prediction, Rules, Schemas, Update, Verdict};
use proptest::prelude::ProptestConfig;
use serde_json::Value;

pub(crate) fn schemas() -> &'static Schemas {
    static SCHEMAS: std::sync::OnceLock<Schemas> = std::sync::OnceLock::new();
    SCHEMAS.get_or_init(Schemas::builtin)
}

pub(crate) fn object(value: Value) -> Object {
    Object::from_json(value).unwrap()
}

/// What a forced apply makes of it.
pub(crate) fn applied(live: Option<&Object>, desired: &Value, manager: &str) -> Object {
    match forced(live, desired, manager) {
        Prediction::Object(object) => object,
        other => panic!("an apply of {desired} ends with {other:?}"),
    }
}

/// What a forced apply ends with.
pub(crate) fn forced(live: Option<&Object>, desired: &Value, manager: &str) -> Prediction {
    let desired = object(desired.clone());
    Apply::new(&desired, manager, schemas())
        .to(live)
        .force(true)
        .predict()
}

/// What an update makes of it.
pub(crate) fn updated(
    live: &Object,
    manager: &str,
    subresource: &str,
    edit: impl FnOnce(&mut Value),
) -> Object {
    write(live, manager, subresource, "2020-01-01T00:00:00Z", edit)
}

/// What an update of the object itself makes of it at a time.
pub(crate) fn updated_at(live: &Object, manager: &str, time: &str, edit: impl FnOnce(&mut Value)) -> Object {
    write(live, manager, "", time, edit)
}

fn write(
    live: &Object,
    manager: &str,
    subresource: &str,
    time: &str,
    edit: impl FnOnce(&mut Value),
) -> Object {
    let mut value = live.to_json();
    edit(&mut value);
    let update = object(value);
    let update = Update::new(&update, manager, schemas())
        .of(Some(live))
        .through(subresource);
    update.at(time).owners().unwrap()
}

/// What the built-in rules decide.
pub(crate) fn decide(desired: &Value, live: &Object, then: impl FnOnce(Decision<'_>)) {
    then(
        Apply::new(&object(desired.clone()), "fleet", schemas())
            .to(Some(live))
            .force(true)
            .decide(),
    );
}

/// What these rules decide.
pub(crate) fn decide_by(rules: &Rules, desired: &Value, live: &Object, then: impl FnOnce(Decision<'_>)) {
    let desired = object(desired.clone());
    then(
        Apply::new(&desired, "fleet", schemas())
            .to(Some(live))
            .force(true)
            .rules(rules)
            .decide(),
    );
}

/// The verdict on one field, in the server's notation.
pub(crate) fn verdict(decision: &Decision<'_>, path: &str) -> Verdict {
    let fields = decision.fields();
    let found = fields.iter().find(|field| field.path.to_string() == path);
    found
        .unwrap_or_else(|| panic!("no {path} among {fields:?}"))
        .verdict
}

pub(crate) fn path(text: &str) -> FieldPath {
    text.parse().unwrap()
}

/// So many cases of a property, unless `PROPTEST_CASES` says how many.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    let default = ProptestConfig::default();
    let is_set = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if is_set { default.cases } else { count },
        ..default
    }
}

/// Who has an entry (manager, operation, version, subresource and time), and its fields, in the order of the object.
pub(crate) fn owners(object: &Object) -> Vec<(String, Value)> {
    let object = object.to_json();
    let entries = object["metadata"]["managedFields"].as_array();
    let who = |entry: &Value| {
        let words = ["manager", "operation", "apiVersion", "subresource", "time"];
        let words = words.map(|word| entry[word].as_str().unwrap_or("-"));
        (words.join(" "), entry["fieldsV1"].clone())
    };
    entries.into_iter().flatten().map(who).collect()
}
