//! Random changes of a definition.

use serde_json::{Map, Value, json};

use crate::random::Random;

/// Where a definition may be changed.
type Place = Vec<Step>;

#[derive(Clone)]
enum Step {
    Key(String),
    At(usize),
}

/// A definition changed in one to three places, and what was done.
pub(super) fn change(definition: &Value, random: &mut Random) -> (String, Value) {
    let mut value = definition.clone();
    let mut done = Vec::new();
    for _ in 0..=random.below(3) {
        done.push(one(&mut value, random));
    }
    (done.join(", "), value)
}

fn one(value: &mut Value, random: &mut Random) -> String {
    match random.below(8) {
        0 => return set(value, "labels", random),
        1 => return set(value, "annotations", random),
        _ => {}
    }
    let mut places = Vec::new();
    walk(value, &mut Vec::new(), &mut places);
    places.retain(is_content);
    let Some(place) = random.pick(&places).cloned() else {
        return set(value, "labels", random);
    };
    let name = name(&place);
    let Some((last, outer)) = place.split_last() else {
        return String::new();
    };
    let Some(holder) = find(value, outer) else {
        return String::new();
    };
    if random.once_in(2) {
        match (holder, last) {
            (Value::Object(map), Step::Key(key)) => drop(map.remove(key)),
            (Value::Array(items), Step::At(at)) => drop(items.remove(*at)),
            _ => {}
        }
        return format!("without {name}");
    }
    let Some(found) = find(holder, std::slice::from_ref(last)) else {
        return String::new();
    };
    match found {
        Value::String(text) => text.push('x'),
        Value::Number(number) => *found = json!(number.as_i64().unwrap_or(0) + 1),
        Value::Bool(flag) => *flag = !*flag,
        Value::Array(items) => {
            random.shuffle(items);
        }
        Value::Object(_) | Value::Null => {}
    }
    format!("with another {name}")
}

fn set(value: &mut Value, part: &str, random: &mut Random) -> String {
    let metadata = value["metadata"].as_object_mut();
    let map = metadata.map(|metadata| metadata.entry(part).or_insert_with(|| Map::new().into()));
    if let Some(Value::Object(map)) = map {
        map.insert(
            format!("example.com/k{}", random.below(3)),
            json!(format!("v{}", random.below(3))),
        );
    }
    format!("with one of the {part}")
}

fn walk(value: &Value, at: &mut Place, found: &mut Vec<Place>) {
    let steps: Vec<(Step, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (Step::Key(key.clone()), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, value)| (Step::At(at), value))
            .collect(),
        _ => Vec::new(),
    };
    for (step, inner) in steps {
        at.push(step);
        found.push(at.clone());
        walk(inner, at, found);
        at.pop();
    }
}

/// Everything but identity.
fn is_content(place: &Place) -> bool {
    let key = |at: usize| match place.get(at) {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    };
    match (key(0), key(1)) {
        ("apiVersion" | "kind" | "status", _) => false,
        ("metadata", part) => matches!(part, "labels" | "annotations") && place.len() > 2,
        _ => true,
    }
}

fn find<'v>(value: &'v mut Value, place: &[Step]) -> Option<&'v mut Value> {
    place.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key),
        Step::At(at) => value.get_mut(*at),
    })
}

fn name(place: &Place) -> String {
    let step = |step: &Step| match step {
        Step::Key(key) => format!(".{key}"),
        Step::At(at) => format!("[{at}]"),
    };
    place.iter().map(step).collect()
}
