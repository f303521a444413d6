//! Broken and hostile input: an answer or an error, in bounded time and memory, and never a panic.
//!
//! Each target is a plain function from a value to nothing, so that any fuzzer can drive it too.

mod support;

use std::{fs, path::Path, sync::LazyLock};

use fleet_diff::{
    Admission, Apply, Document, FieldPath, FieldSet, Object, PathPattern, RuleSet, Schemas, Update, extract,
    json_patch, managers_of, masked_value, merge_patch, migrate_updates, read_objects, rename_manager,
    repair_versions,
};
use proptest::{collection::vec, prelude::*, sample::Index};
use serde_json::{Map, Value, json};
use support::schemas;

/// Objects of the fixtures, to be damaged.
static FIXTURES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let mut dirs = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures")];
    let mut files = Vec::new();
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            match path.extension().and_then(|name| name.to_str()) {
                _ if path.is_dir() => dirs.push(path),
                Some("yaml") => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    let objects = files.iter().flat_map(|path| {
        let text = fs::read_to_string(path).unwrap();
        read_objects(&text, &fleet_diff::ReadLimits::default()).unwrap_or_default()
    });
    objects.map(|found| found.object.to_json()).collect()
});

fn odd() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        prop::sample::select(vec![
            "1e400",
            "-",
            "0x1",
            "1Ei",
            "9999999999999999999999",
            "object",
            "array",
            "string",
            "integer",
            "atomic",
            "granular",
            "map",
            "set",
            "int-or-string",
            "#/components/schemas/io.k8s.api.core.v1.Pod",
            "Apply",
            "Update",
            "FieldsV1",
            "v1",
            "apps/v1",
            "2020-01-01T00:00:00Z",
            "f:spec",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(("[a-z.:{}\"]{0,6}", inner), 0..4)
                .prop_map(|entries| Value::Object(entries.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// One damage: where, and what is there instead. None removes.
type Damage = (Vec<Index>, Option<Value>);

fn damages() -> impl Strategy<Value = Vec<Damage>> {
    vec((vec(any::<Index>(), 1..9), prop::option::of(odd())), 1..6)
}

fn damage(value: &mut Value, damages: &[Damage]) {
    for (place, new) in damages {
        strike(value, place, new.as_ref());
    }
}

fn strike(value: &mut Value, place: &[Index], new: Option<&Value>) {
    let (Some(first), rest) = (place.first(), place.get(1..).unwrap_or_default()) else {
        return;
    };
    match value {
        Value::Object(map) if !map.is_empty() => {
            let key = map.keys().nth(first.index(map.len())).unwrap().clone();
            match (rest, new) {
                ([], None) => drop(map.remove(&key)),
                ([], Some(new)) => drop(map.insert(key, new.clone())),
                _ => strike(map.get_mut(&key).unwrap(), rest, new),
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let at = first.index(list.len());
            match (rest, new) {
                ([], None) => drop(list.remove(at)),
                // Twice: lists have no duplicates until somebody writes one.
                ([], Some(_)) => list.push(list[at].clone()),
                _ => strike(&mut list[at], rest, new),
            }
        }
        other => {
            if let Some(new) = new {
                *other = new.clone();
            }
        }
    }
}

/// All that can be asked of two objects.
fn ask_everything(desired: &Object, live: Option<&Object>, schemas: &Schemas) {
    for force in [false, true] {
        let apply = Apply::new(desired, "fleet", schemas).to(live).force(force);
        let decision = apply.decide();
        let _ = format!("{decision:?} {}", decision.action());
        for field in decision.fields() {
            let _ = format!("{field:?}");
        }
        if let Some(after) = decision.predicted() {
            let before = live.map_or_else(|| json!({}), Object::to_json);
            let after = after.to_json();
            let mut patched = before.clone();
            json_patch::patch(&mut patched, &json_patch(&before, &after))
                .expect("a patch fits what it was made of");
            assert_eq!(patched, after);
            let mut merged = before.clone();
            json_patch::merge(&mut merged, &merge_patch(&before, &after));
        }
    }
    let admission = Admission::from_objects([desired]);
    let _ = Apply::new(desired, "fleet", schemas)
        .to(live)
        .admitted_by(&admission)
        .decide();
    let _ = Update::new(desired, "them", schemas).of(live).owners();
    if let Some(live) = live {
        let _ = extract(live, "fleet", schemas);
        let _ = migrate_updates(live, &["them"], "fleet");
        let _ = rename_manager(live, "fleet", "us");
        let _ = repair_versions(live, schemas);
        let _ = managers_of(live, &FieldPath::keys(["spec"]));
        let _ = masked_value(live.key(), live.to_json());
    }
}

fn fuzz_objects(desired: Value, live: Value) {
    let Ok(desired) = Object::from_json(desired) else {
        return;
    };
    let live = Object::from_json(live).ok();
    let live = live.filter(|live| live.key() == desired.key());
    ask_everything(&desired, live.as_ref(), schemas());
}

fn fuzz_crd(crd: Value, object: &Value) {
    let Ok(crd) = Object::from_json(crd) else { return };
    match Schemas::builtin().with_crd(&crd) {
        Ok(schemas) => {
            if let Ok(object) = Object::from_json(object.clone()) {
                ask_everything(&object, Some(&object), &schemas);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn fuzz_openapi(document: &Value, object: &Value) {
    let document = Document::from_json(document);
    match Schemas::builtin().with_openapi(&document) {
        Ok(schemas) => {
            if let Ok(object) = Object::from_json(object.clone()) {
                ask_everything(&object, Some(&object), &schemas);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn fuzz_texts(text: &str) {
    if let Ok(document) = text.parse::<Document>() {
        let _ = FieldSet::from_fields_v1(&document);
        let _ = Schemas::default().with_openapi(&document);
        let _ = RuleSet::from_json(&document.to_json());
    }
    let _ = text.parse::<FieldPath>();
    let _ = text.parse::<PathPattern>();
    let _ = FieldPath::from_json_pointer(text, schemas_root().root());
    let _ = FieldPath::from_server(text, schemas_root().root());
    let _ = RuleSet::from_yaml(text);
    let _ = text.parse::<fleet_diff::Quantity>();
}

fn schemas_root() -> &'static Document {
    static ROOT: LazyLock<Document> = LazyLock::new(|| Document::from_json(&FIXTURES[0]));
    &ROOT
}

fn is_crd(value: &Value) -> bool {
    value["kind"] == "CustomResourceDefinition"
}

/// A document like a server's, with a type that contains itself.
fn openapi() -> Value {
    json!({"openapi": "3.0.0", "components": {"schemas": {
        "net.example.v1.Tree": {
            "type": "object",
            "x-kubernetes-group-version-kind": [{"group": "example.net", "version": "v1", "kind": "Tree"}],
            "properties": {
                "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"},
                "spec": {"allOf": [{"$ref": "#/components/schemas/net.example.v1.Node"}], "default": {}},
            },
        },
        "net.example.v1.Node": {
            "type": "object", "required": ["name"],
            "properties": {
                "name": {"type": "string", "default": "x"},
                "child": {"$ref": "#/components/schemas/net.example.v1.Node"},
                "children": {"type": "array", "items": {"$ref": "#/components/schemas/net.example.v1.Node"},
                    "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]},
                "size": {"x-kubernetes-int-or-string": true},
            },
        },
    }}})
}

/// Types that hold themselves, which no server has: each could be followed without an end.
#[test]
fn types_without_an_end() {
    let reference = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    let document = |types: Value| -> fleet_diff::Document {
        let text = json!({"openapi": "3.0.0", "components": {"schemas": types}}).to_string();
        text.parse().unwrap()
    };
    let gvk =
        |group: &str, version: &str, kind: &str| json!([{"group": group, "version": version, "kind": kind}]);
    // A struct of a built-in kind that holds itself, not by a pointer.
    let deployments = json!({
        "io.k8s.api.apps.v1.Deployment": {"type": "object",
            "x-kubernetes-group-version-kind": gvk("apps", "v1", "Deployment"),
            "properties": {"spec": reference("io.k8s.api.apps.v1.DeploymentSpec")}},
        "io.k8s.api.apps.v1.DeploymentSpec": {"type": "object",
            "properties": {"template": reference("io.k8s.api.apps.v1.DeploymentSpec")}},
    });
    // A default that holds itself.
    let holder = "net.example.v1.Holder";
    let holders = json!({
        holder: {"type": "object", "x-kubernetes-group-version-kind": gvk("example.net", "v1", "Holder"),
            "properties": {"inner": {"allOf": [reference(holder)], "default": {}}}},
    });
    // Twice as many ways with each step.
    let mut steps = serde_json::Map::new();
    for step in 0..60 {
        let next = reference(&format!("net.example.v1.Step{}", step + 1));
        let both = json!({"left": next, "right": next});
        let list = json!({"list": {"type": "array", "items": next}});
        let mut of = json!({"type": "object", "properties": if step == 0 { list } else { both }});
        if step == 0 {
            of["x-kubernetes-group-version-kind"] = gvk("example.net", "v1", "Step");
        }
        steps.insert(format!("net.example.v1.Step{step}"), of);
    }
    steps.insert("net.example.v1.Step60".to_owned(), json!({"type": "object"}));
    for (types, object) in [
        (
            deployments,
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}}),
        ),
        (
            holders,
            json!({"apiVersion": "example.net/v1", "kind": "Holder", "metadata": {"name": "a"}}),
        ),
        (
            Value::Object(steps),
            json!({"apiVersion": "example.net/v1", "kind": "Step", "metadata": {"name": "a"}, "list": [{}]}),
        ),
    ] {
        let schemas = schemas().clone().with_openapi(&document(types)).unwrap();
        let mut other = object.clone();
        other["list"] = json!([{"left": {}}]);
        for (desired, live) in [(&object, None), (&object, Some(&object)), (&other, Some(&object))] {
            let object = |value: &Value| Object::from_json(value.clone()).unwrap();
            let (desired, live) = (object(desired), live.map(object));
            let decision = Apply::new(&desired, "fleet", &schemas)
                .to(live.as_ref())
                .force(true)
                .decide();
            decision.fields();
        }
    }
}

fn tree() -> Value {
    json!({"apiVersion": "example.net/v1", "kind": "Tree", "metadata": {"name": "a"},
        "spec": {"name": "r", "child": {"name": "c", "child": {"name": "d"}}, "children": [{"name": "a"}, {"name": "b"}]}})
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(160))]

    #[test]
    fn damaged_objects(which in any::<Index>(), ours in damages(), theirs in damages()) {
        let (mut desired, made) = { let of = which.get(&FIXTURES).clone(); (of.clone(), of) };
        let made = Object::from_json(made).unwrap();
        // A live object as a server has it, then damaged.
        let mut live = match Apply::new(&made, "fleet", schemas()).predict() {
            fleet_diff::Prediction::Object(object) => object.to_json(),
            _ => made.to_json(),
        };
        damage(&mut desired, &ours);
        damage(&mut live, &theirs);
        fuzz_objects(made.to_json(), live.clone());
        fuzz_objects(desired.clone(), made.to_json());
        fuzz_objects(desired, live);
    }

    #[test]
    fn damaged_custom_resource_definitions(which in any::<Index>(), damages in damages()) {
        let crds: Vec<&Value> = FIXTURES.iter().filter(|object| is_crd(object)).collect();
        let mut crd = (*which.get(&crds)).clone();
        let kind = crd["spec"]["names"]["kind"].clone();
        let object = FIXTURES.iter().find(|object| object["kind"] == kind).cloned();
        damage(&mut crd["spec"], &damages);
        fuzz_crd(crd, &object.unwrap_or_default());
    }

    #[test]
    fn damaged_openapi(damages in damages(), also in damages()) {
        let (mut document, mut object) = (openapi(), tree());
        damage(&mut document["components"], &damages);
        fuzz_openapi(&document, &object);
        damage(&mut object, &also);
        fuzz_openapi(&document, &object);
        fuzz_openapi(&openapi(), &object);
    }

    #[test]
    fn any_text(text in "\\PC{0,60}", json in "[{}\\[\\]\"fkvi:.,=*0-9ae-]{0,60}") {
        fuzz_texts(&text);
        fuzz_texts(&json);
    }
}

/// What is deep or endless is refused or answered, and soon.
#[test]
fn deep_wide_and_endless_input() {
    // A schema that contains only itself.
    let mut document = openapi();
    document["components"]["schemas"]["net.example.v1.Node"] =
        json!({"$ref": "#/components/schemas/net.example.v1.Node"});
    fuzz_openapi(&document, &tree());
    let mut pair = openapi();
    pair["components"]["schemas"]["a"] = json!({"$ref": "#/components/schemas/b"});
    pair["components"]["schemas"]["b"] = json!({"$ref": "#/components/schemas/a"});
    pair["components"]["schemas"]["net.example.v1.Node"] =
        json!({"allOf": [{"$ref": "#/components/schemas/a"}]});
    fuzz_openapi(&pair, &tree());
    let mut nowhere = openapi();
    nowhere["components"]["schemas"]["net.example.v1.Node"] = json!({"$ref": "#/components/schemas/nowhere"});
    fuzz_openapi(&nowhere, &tree());

    // An object as deep as it can be read.
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(deep(100_000).parse::<Document>().is_err());
    let readable = (1..2_000)
        .rev()
        .find(|levels| deep(*levels).parse::<Document>().is_ok())
        .unwrap();
    let mut desired = tree();
    desired["spec"]["child"] = deep(readable - 3).parse::<Document>().unwrap().to_json();
    fuzz_openapi(&openapi(), &desired);
    let mut chain = json!({"name": "end"});
    for _ in 0..readable / 3 {
        chain = json!({"name": "n", "child": chain});
    }
    desired["spec"] = chain;
    fuzz_openapi(&openapi(), &desired);

    // 3 MB, in one text, in many keys, in many elements.
    let settings = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "a", "name": "big"}, "data": data});
    let one = settings(json!({"a": "x".repeat(3 << 20)}));
    let many: Map<String, Value> = (0..60_000)
        .map(|i| (format!("key-{i}"), json!("0123456789012345678901234567890")))
        .collect();
    for desired in [one, settings(many.into())] {
        fuzz_objects(desired.clone(), desired);
    }
    let children: Vec<Value> = (0..20_000)
        .map(|i| json!({"name": format!("n{i}"), "size": i}))
        .collect();
    desired["spec"] = json!({"name": "r", "children": children});
    let mut reversed = desired.clone();
    reversed["spec"]["children"].as_array_mut().unwrap().reverse();
    let schemas = Schemas::builtin()
        .with_openapi(&Document::from_json(&openapi()))
        .unwrap();
    let (desired, reversed) = (
        Object::from_json(desired).unwrap(),
        Object::from_json(reversed).unwrap(),
    );
    ask_everything(&desired, Some(&reversed), &schemas);
}

/// An error names the place.
#[test]
fn errors_name_the_path() {
    let crd = |schema: Value| {
        let crd = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "trees.example.net"},
            "spec": {"group": "example.net", "scope": "Namespaced", "names": {"kind": "Tree", "plural": "trees"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]},
        });
        Schemas::builtin().with_crd(&Object::from_json(crd).unwrap())
    };
    let bad = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {"a": {"type": "list"}}}}});
    let error = crd(bad).unwrap_err().to_string();
    assert!(error.contains("spec"), "{error}");

    let wrong = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a", "namespace": "b"},
        "spec": {"template": {"spec": {"containers": [{"name": "web", "image": 3}]}}}});
    let wrong = Object::from_json(wrong).unwrap();
    let decision = Apply::new(&wrong, "fleet", schemas()).decide();
    let refusal = decision.refusal().expect("a number is no image").to_string();
    assert!(
        refusal.contains(r#".spec.template.spec.containers[name="web"].image"#),
        "{refusal}"
    );
}
