//! Whether a prediction and an answer say the same.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::CHOSEN;
use serde_json::{Map, Value};

use super::{
    oracle::{Conflicts, Predicted},
    server::Answer,
};

/// Takes out what servers choose themselves, where the other object has nothing: [`CHOSEN`] says which fields these
/// are. What an object had before is not chosen again.
pub(super) fn take_chosen(object: &mut Value, other: &Value, before: Option<&Value>) {
    let group = object["apiVersion"]
        .as_str()
        .and_then(|version| version.split_once('/'));
    let group = group.map_or(String::new(), |(group, _)| group.to_owned());
    let kind = object["kind"].as_str().unwrap_or_default().to_owned();
    let counts = |of: &str, what: &str| what.is_empty() || of == group && what == kind;
    for (_, _, path) in CHOSEN.iter().filter(|(group, kind, _)| counts(group, kind)) {
        let mut had = Vec::new();
        if let Some(before) = before {
            values_at(before, path, &mut had);
        }
        take(object, other, path, &had);
    }
}

/// All values at a path: `*` is every element of a list.
fn values_at<'a>(value: &'a Value, path: &[&str], found: &mut Vec<&'a Value>) {
    match path {
        [] => found.push(value),
        ["*", rest @ ..] => {
            let list = value.as_array().into_iter().flatten();
            list.for_each(|element| values_at(element, rest, found));
        }
        [name, rest @ ..] => {
            if let Some(value) = value.get(name) {
                values_at(value, rest, found);
            }
        }
    }
}

fn take(value: &mut Value, other: &Value, path: &[&str], had: &[&Value]) {
    match (path, value) {
        (["*", rest @ ..], Value::Array(list)) => {
            for (index, element) in list.iter_mut().enumerate() {
                take(element, other.get(index).unwrap_or(&Value::Null), rest, had);
            }
        }
        ([name], Value::Object(map)) => {
            let is_new = map.get(*name).is_some_and(|value| !had.contains(&value));
            if is_new && other.get(*name).is_none() {
                map.remove(*name);
            }
        }
        ([name, rest @ ..], Value::Object(map)) => {
            if let Some(value) = map.get_mut(*name) {
                let was_empty = is_empty(value);
                take(value, other.get(*name).unwrap_or(&Value::Null), rest, had);
                // A mapping that only held what was chosen.
                if is_empty(value) && !was_empty && other.get(*name).is_none() {
                    map.remove(*name);
                }
            }
        }
        _ => {}
    }
}

fn is_empty(value: &Value) -> bool {
    value.as_object().is_some_and(Map::is_empty)
}

/// A prediction beside an answer.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The same.
    Agrees,
    /// The prediction says that it does not know.
    Unsure(String),
    /// Not the same: where, what was predicted, what the server says.
    Differs(Vec<Difference>),
}

/// One place where they differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Where.
    pub place: String,
    /// What was predicted.
    pub predicted: String,
    /// What the server says.
    pub server: String,
}

/// Compares, for an object that was like `live` before.
pub(super) fn compare(predicted: &Predicted, answer: &Answer, live: Option<&Value>) -> Verdict {
    let differs = |predicted: String, server: String| {
        Verdict::Differs(vec![Difference {
            place: "answer".to_owned(),
            predicted,
            server,
        }])
    };
    match (predicted, answer) {
        (Predicted::Unsure(why), _) => Verdict::Unsure(why.clone()),
        (Predicted::Object(ours), Answer::Object { object, .. }) => objects(ours, object, live),
        (Predicted::Conflicts(ours), Answer::Conflicts(theirs)) => {
            let only = |a: &Conflicts, b: &Conflicts| a.difference(b).cloned().collect::<Vec<_>>();
            let mut found = Vec::new();
            for (manager, path) in only(ours, theirs) {
                found.push(Difference {
                    place: format!("conflict at {path}"),
                    predicted: manager,
                    server: String::new(),
                });
            }
            for (manager, path) in only(theirs, ours) {
                found.push(Difference {
                    place: format!("conflict at {path}"),
                    predicted: String::new(),
                    server: manager,
                });
            }
            if found.is_empty() {
                Verdict::Agrees
            } else {
                Verdict::Differs(found)
            }
        }
        (Predicted::Conflicts(_) | Predicted::Blocked(_), Answer::Refused { .. }) => Verdict::Agrees,
        (ours, theirs) => differs(in_short(ours), answer_in_short(theirs)),
    }
}

fn in_short(predicted: &Predicted) -> String {
    match predicted {
        Predicted::Object(_) => "an object".to_owned(),
        Predicted::Conflicts(all) => format!("conflicts {all:?}"),
        Predicted::Blocked(why) => format!("blocked: {why}"),
        Predicted::Unsure(why) => format!("unsure: {why}"),
    }
}

/// An answer in a few words.
pub(super) fn answer_in_short(answer: &Answer) -> String {
    match answer {
        Answer::Object { created, .. } => if *created { "created" } else { "an object" }.to_owned(),
        Answer::Conflicts(all) => format!("conflicts {all:?}"),
        Answer::Refused { code, message } => format!("refused: {code} {message}"),
    }
}

fn objects(ours: &Value, theirs: &Value, live: Option<&Value>) -> Verdict {
    let (mut ours, mut theirs) = (ours.clone(), theirs.clone());
    let (our_entries, their_entries) = (entries(&mut ours), entries(&mut theirs));
    strip(&mut ours);
    strip(&mut theirs);
    take_chosen(&mut theirs, &ours, live);
    let mut found = Vec::new();
    values("", &ours, &theirs, &mut found);
    let names: BTreeSet<&String> = our_entries.keys().chain(their_entries.keys()).collect();
    for name in names {
        let place = |what: &str| format!("managedFields of {name}{what}");
        match (our_entries.get(name), their_entries.get(name)) {
            (Some(ours), Some(theirs)) if ours == theirs => {}
            (Some(ours), Some(theirs)) => {
                let (ours, theirs) = (paths(ours), paths(theirs));
                let only = |a: &BTreeSet<String>, b: &BTreeSet<String>| {
                    a.difference(b).cloned().collect::<Vec<_>>().join(" ")
                };
                found.push(Difference {
                    place: place(""),
                    predicted: only(&ours, &theirs),
                    server: only(&theirs, &ours),
                });
            }
            (ours, theirs) => found.push(Difference {
                place: place(""),
                predicted: ours.map(Value::to_string).unwrap_or_default(),
                server: theirs.map(Value::to_string).unwrap_or_default(),
            }),
        }
    }
    if found.is_empty() {
        Verdict::Agrees
    } else {
        Verdict::Differs(found)
    }
}

/// The fields of an entry, each by its way from the top.
fn paths(fields: &Value) -> BTreeSet<String> {
    fn walk(fields: &Value, path: &str, found: &mut BTreeSet<String>) {
        let below = fields.as_object().filter(|map| !map.is_empty());
        match below {
            Some(map) => map
                .iter()
                .for_each(|(name, fields)| walk(fields, &format!("{path}/{name}"), found)),
            None => drop(found.insert(path.to_owned())),
        }
    }
    let mut found = BTreeSet::new();
    walk(fields, "", &mut found);
    found
}

/// Takes out `managedFields`: who, how, at which version and where; and which fields.
fn entries(object: &mut Value) -> BTreeMap<String, Value> {
    let entries = object
        .get_mut("metadata")
        .and_then(Value::as_object_mut)
        .and_then(|metadata| metadata.remove("managedFields"));
    let named = |mut entry: Value| {
        let words = ["manager", "operation", "apiVersion", "subresource"]
            .map(|name| entry[name].as_str().unwrap_or_default().to_owned());
        (words.join(" ").trim_end().to_owned(), entry["fieldsV1"].take())
    };
    match entries {
        Some(Value::Array(entries)) => entries.into_iter().map(named).collect(),
        _ => BTreeMap::new(),
    }
}

fn strip(object: &mut Value) {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("resourceVersion");
        metadata.remove("generation");
    }
}

pub(super) fn values(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<Difference>) {
    let shown = |value: Option<&Value>| value.map_or_else(String::new, Value::to_string);
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let names: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for name in names {
                let place = format!("{path}.{name}");
                match (a.get(name), b.get(name)) {
                    (Some(a), Some(b)) => values(&place, a, b, found),
                    (a, b) => found.push(Difference {
                        place,
                        predicted: shown(a),
                        server: shown(b),
                    }),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                values(&format!("{path}[{index}]"), a, b, found);
            }
        }
        (a, b) if a == b => {}
        (a, b) => found.push(Difference {
            place: path.to_owned(),
            predicted: shown(Some(a)),
            server: shown(Some(b)),
        }),
    }
}

/// What an answer would change of a live object.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing.
    Nothing,
    /// Only who owns fields.
    Owners,
    /// What it says.
    Content,
}

impl Effect {
    /// A word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Owners => "owners",
            Self::Content => "content",
        }
    }

    pub(super) fn of(live: Option<&Value>, object: &Value) -> Self {
        let Some(live) = live else {
            return Self::Content;
        };
        let (mut before, mut after) = (live.clone(), object.clone());
        let owners = (entries(&mut before), entries(&mut after));
        strip(&mut before);
        strip(&mut after);
        if before != after {
            Self::Content
        } else if owners.0 == owners.1 {
            Self::Nothing
        } else {
            Self::Owners
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn service(extra: &Value) -> Value {
        let mut object = json!({
            "apiVersion": "v1", "kind": "Service",
            "metadata": {"name": "a", "uid": "1", "resourceVersion": "5", "generation": 1, "managedFields": [
                {"manager": "a", "operation": "Apply", "apiVersion": "v1", "time": "now",
                 "fieldsV1": {"f:spec": {"f:type": {}}}},
                {"manager": "b", "operation": "Update", "apiVersion": "v1", "subresource": "status",
                 "fieldsV1": {"f:status": {}}},
            ]},
            "spec": {"type": "ClusterIP", "clusterIP": "10.0.0.1", "ports": [{"port": 80, "nodePort": 30000}]},
        });
        for (pointer, value) in extra.as_object().into_iter().flatten() {
            *object.pointer_mut(pointer).expect("a place") = value.clone();
        }
        object
    }

    fn places(predicted: &Predicted, answer: &Answer, live: Option<&Value>) -> Vec<String> {
        match compare(predicted, answer, live) {
            Verdict::Agrees => Vec::new(),
            Verdict::Unsure(why) => vec![why],
            Verdict::Differs(all) => all.into_iter().map(|difference| difference.place).collect(),
        }
    }

    #[test]
    fn an_object_is_compared_apart_from_what_cannot_be_known() {
        let check = |extra: Value, expected: &[&str]| {
            let live = service(&json!({}));
            let answer = Answer::Object {
                created: false,
                object: live.clone(),
            };
            let predicted = Predicted::Object(service(&extra));
            assert_eq!(places(&predicted, &answer, Some(&live)), expected, "{extra}");
        };
        check(json!({}), &[]);
        let entry = "/metadata/managedFields/0";
        check(
            json!({"/metadata/resourceVersion": "9", "/metadata/generation": 2, format!("{entry}/time"): "then"}),
            &[],
        );
        check(json!({"/metadata/uid": "2"}), &[".metadata.uid"]);
        check(json!({"/spec/clusterIP": "10.0.0.2"}), &[".spec.clusterIP"]);
        check(
            json!({format!("{entry}/fieldsV1"): {"f:spec": {"f:type": {}, "f:selector": {}}}}),
            &["managedFields of a Apply v1"],
        );
        check(
            json!({format!("{entry}/manager"): "c"}),
            &["managedFields of a Apply v1", "managedFields of c Apply v1"],
        );
    }

    #[test]
    fn what_a_server_chooses_may_be_left_open_of_what_is_created() {
        let mut open = service(&json!({}));
        for (place, name) in [
            ("/metadata", "uid"),
            ("/spec", "clusterIP"),
            ("/spec/ports/0", "nodePort"),
        ] {
            let map = open.pointer_mut(place).and_then(Value::as_object_mut);
            map.expect("a mapping").remove(name);
        }
        let object = service(&json!({}));
        let answer = Answer::Object {
            created: true,
            object: object.clone(),
        };
        let other = service(&json!({"/spec/ports/0/nodePort": 1}));
        let open = Predicted::Object(open);
        assert_eq!(places(&open, &answer, None), [""; 0]);
        // What was there stays, and what comes is open.
        let stays = [".metadata.uid", ".spec.clusterIP"];
        assert_eq!(places(&open, &answer, Some(&other)), stays);
        // What is said of it counts.
        assert_eq!(
            places(&Predicted::Object(other), &answer, None),
            [".spec.ports[0].nodePort"]
        );
    }

    #[test]
    fn a_refusal_is_foretold_by_whatever_holds_back() {
        let refused = Answer::Refused {
            code: 422,
            message: "immutable".to_owned(),
        };
        let conflict = |manager: &str| Conflicts::from([(manager.to_owned(), ".spec.type".to_owned())]);
        let check = |predicted: Predicted, answer: &Answer, expected: &[&str]| {
            assert_eq!(places(&predicted, answer, None), expected, "{predicted:?}");
        };
        check(Predicted::Blocked("immutable".to_owned()), &refused, &[]);
        check(Predicted::Conflicts(conflict("a")), &refused, &[]);
        check(Predicted::Object(service(&json!({}))), &refused, &["answer"]);
        let conflicts = Answer::Conflicts(conflict("a"));
        check(Predicted::Conflicts(conflict("a")), &conflicts, &[]);
        check(
            Predicted::Conflicts(conflict("b")),
            &conflicts,
            &["conflict at .spec.type", "conflict at .spec.type"],
        );
        check(
            Predicted::Blocked("immutable".to_owned()),
            &conflicts,
            &["answer"],
        );
    }
}
