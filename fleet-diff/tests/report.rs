//! What reports say, and what they hide.

use fleet_diff::{
    Apply, Object, ObjectKey, RenderOptions, Report, RuleSet, Rules, Schemas, Secrets, ShownFields,
    ShownOwners, render_report,
};
use serde_json::{Value, json};

fn object(value: &Value) -> Object {
    Object::from_json(value.clone()).unwrap()
}

struct Case {
    desired: Value,
    live: Option<Value>,
    schemas: Schemas,
    rules: Rules,
}

impl Case {
    fn new(desired: Value, live: Option<Value>) -> Self {
        Self {
            desired,
            live,
            schemas: Schemas::for_kubernetes("1.36").unwrap(),
            rules: Rules::builtin(),
        }
    }

    fn report(&self, secrets: Secrets) -> Report {
        let desired = object(&self.desired);
        let live = self.live.as_ref().map(object);
        let apply = Apply::new(&desired, "fleet", &self.schemas).to(live.as_ref());
        let apply = apply.rules(&self.rules);
        let decision = apply.decide();
        assert_eq!(apply.document().as_ref(), Ok(decision.document()));
        decision.report(secrets)
    }

    fn json(&self, secrets: Secrets) -> Value {
        serde_json::to_value(self.report(secrets)).unwrap()
    }

    fn text(&self, fields: ShownFields) -> String {
        let mut options = RenderOptions::default();
        options.fields = fields;
        render_report(
            object(&self.desired).key(),
            &self.report(Secrets::Hidden),
            &options,
        )
    }

    /// Every way to print it has none of these texts.
    fn hides(&self, what: &[&str]) {
        let json = self.json(Secrets::Hidden).to_string();
        for text in [json, self.text(ShownFields::All), self.text(ShownFields::Told)] {
            for what in what {
                assert!(!text.contains(what), "{what} in {text}");
            }
        }
    }
}

fn entry(manager: &str, operation: &str, api_version: &str, fields: Value) -> Value {
    json!({
        "manager": manager, "operation": operation, "apiVersion": api_version,
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    })
}

fn secret(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "db"}, "data": data})
}

#[test]
fn values_of_secrets_are_hidden_everywhere() {
    let mut live = secret(json!({"same": "aHVudGVyMQ==", "other": "aHVudGVyMg==", "gone": "aHVudGVyMw=="}));
    live["type"] = json!("Opaque");
    live["metadata"]["annotations"] = json!({
        "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"same\":\"aHVudGVyMQ==\"}}",
        "example.com/token": "hunter4",
    });
    live["metadata"]["managedFields"] = json!([
        entry(
            "fleet",
            "Apply",
            "v1",
            json!({"f:data": {"f:same": {}, "f:gone": {}}})
        ),
        entry("vault", "Update", "v1", json!({"f:data": {"f:other": {}}})),
    ]);
    let mut update = secret(json!({"same": "aHVudGVyMQ==", "new": "aHVudGVyNQ=="}));
    update["stringData"] = json!({"text": "hunter6"});
    let update = Case::new(update, Some(live.clone()));
    let conflict = Case::new(secret(json!({"other": "aHVudGVyNw=="})), Some(live.clone()));
    let refused = secret(json!(["hunter8"]));
    let refused = Case::new(refused, Some(live.clone()));
    let create = Case::new(secret(json!({"new": "aHVudGVyNQ=="})), None);
    live["immutable"] = json!(true);
    let immutable = Case::new(secret(json!({"same": "aHVudGVyOQ=="})), Some(live));
    for case in [&update, &conflict, &refused, &create, &immutable] {
        case.hides(&["hunter", "aHVudGVy"]);
    }

    let report = update.json(Secrets::Hidden);
    assert_eq!(report["action"], "update");
    let hidden = json!({"same": "(secret)", "other": "(secret)", "new": "(secret)", "text": "(secret)"});
    assert_eq!(report["predicted"]["data"], hidden);
    assert_eq!(
        report["predicted"]["metadata"]["managedFields"]
            .as_array()
            .unwrap()
            .len(),
        2,
        "owners are shown"
    );
    assert_eq!(
        conflict.json(Secrets::Hidden)["conflicts"],
        json!([{"manager": "vault", "path": ".data.other"}])
    );
    assert_eq!(immutable.json(Secrets::Hidden)["action"], "recreate");
    assert_eq!(refused.json(Secrets::Hidden)["action"], "blocked");

    let shown = update.json(Secrets::Shown);
    assert_eq!(shown["predicted"]["data"]["new"], "aHVudGVyNQ==");
    assert_eq!(
        shown["predicted"]["metadata"]["annotations"]["example.com/token"],
        "hunter4"
    );
}

/// Something with values that nobody may see in a mapping, a set, keys of a list, and a list without names.
fn vault() -> Schemas {
    let text = json!({"type": "string"});
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "vaults.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"plural": "vaults", "kind": "Vault"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {
                "type": "object", "properties": {"spec": {"type": "object", "properties": {
                    "size": {"type": "integer"},
                    "settings": {"type": "object", "additionalProperties": text},
                    "tokens": {"type": "array", "x-kubernetes-list-type": "set", "items": text},
                    "users": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["key"],
                        "items": {"type": "object", "required": ["key"], "properties": {"key": text, "password": text}}},
                    "pairs": {"type": "array", "items": {"type": "object", "properties": {"a": text, "b": text}}},
                }}},
            }}}]},
    });
    Schemas::for_kubernetes("1.36")
        .unwrap()
        .with_crd(&object(&crd))
        .unwrap()
}

fn sensitive(paths: &[&str]) -> Rules {
    let rules = paths.iter().enumerate().map(|(i, path)| {
        json!({"id": format!("r{i}"), "kinds": {"kinds": ["Vault"]}, "path": path, "do": "ours", "sensitive": true})
    });
    Rules::builtin().with(RuleSet::from_json(&rules.collect()).unwrap())
}

fn custom(spec: Value) -> Value {
    json!({"apiVersion": "example.com/v1", "kind": "Vault", "metadata": {"namespace": "shop", "name": "v"}, "spec": spec})
}

#[test]
fn values_of_sensitive_fields_are_hidden_everywhere() {
    let desired = custom(json!({
        "size": 2,
        "settings": {"a": "hunter1", "b": "open"},
        "tokens": ["hunter2", "hunter3"],
        "users": [{"key": "hunter4", "password": "hunter5"}, {"key": "hunter6", "password": "hunter7"}],
        "pairs": [{"a": "open", "b": "hunter8"}],
    }));
    let mut live = custom(json!({
        "size": 1,
        "settings": {"a": "hunter1", "b": "closed"},
        "tokens": ["hunter3", "hunter9", "hunter9"],
        "users": [
            {"key": "hunter6", "password": "hunter10"},
            {"key": "hunter11", "password": "hunter12"}, {"key": "hunter11", "password": "hunter13"},
        ],
        "pairs": [{"a": "open", "b": "hunter14"}],
    }));
    live["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": "{\"spec\":{\"tokens\":[\"hunter15\"]}}"});
    let fields = json!({"f:spec": {
        "f:tokens": {"v:\"hunter3\"": {}, "v:\"hunter9\"": {}},
        "f:users": {"k:{\"key\":\"hunter6\"}": {".": {}, "f:password": {}, "f:key": {}}},
    }});
    live["metadata"]["managedFields"] = json!([entry("other", "Apply", "example.com/v1", fields)]);
    let rules = || {
        sensitive(&[
            ".spec.settings.a",
            ".spec.tokens[*]",
            ".spec.users[*].key",
            ".spec.users[*].password",
            ".spec.pairs[*].b",
        ])
    };
    let case = |desired: &Value, live: Option<&Value>| Case {
        schemas: vault(),
        rules: rules(),
        ..Case::new(desired.clone(), live.cloned())
    };
    let create = case(&desired, None);
    let conflict = case(&desired, Some(&live));
    let mut own = live.clone();
    own["metadata"]["managedFields"][0]["manager"] = json!("fleet");
    let update = case(&desired, Some(&own));
    let mut twice = desired.clone();
    twice["spec"]["tokens"] = json!(["hunter2", "hunter2"]);
    let refused = case(&twice, None);
    let mut broken = own.clone();
    broken["spec"]["users"][0]["odd"] = json!(1);
    let unsure = case(&desired, Some(&broken));
    for (case, action) in [
        (&create, "create"),
        (&conflict, "blocked"),
        (&update, "update"),
        (&refused, "blocked"),
        (&unsure, "unsure"),
    ] {
        case.hides(&["hunter"]);
        assert_eq!(case.json(Secrets::Hidden)["action"], action);
    }

    let hidden = "(secret)";
    let expect = json!({
        "size": 2,
        "settings": {"a": hidden, "b": "open"},
        "tokens": [hidden, hidden],
        "users": [{"key": hidden, "password": hidden}, {"key": hidden, "password": hidden}],
        "pairs": hidden,
    });
    assert_eq!(create.json(Secrets::Hidden)["predicted"]["spec"], expect);
    let owned = json!({"f:spec": {
        "f:pairs": {}, "f:settings": {"f:a": {}, "f:b": {}}, "f:size": {}, "f:tokens": {}, "f:users": {},
    }});
    assert_eq!(
        create.json(Secrets::Hidden)["predicted"]["metadata"]["managedFields"][0]["fieldsV1"],
        owned
    );
    assert_eq!(
        conflict.json(Secrets::Hidden)["conflicts"],
        json!([{"manager": "other", "path": ".spec.users"}])
    );
    assert_eq!(
        refused.json(Secrets::Hidden)["blocked"],
        json!([{"path": ".spec.tokens", "problem": refused.report(Secrets::Shown).blocked[0].problem, "rule": null}])
    );
    let plain = Case {
        rules: Rules::builtin(),
        ..create
    };
    assert!(
        plain.json(Secrets::Hidden).to_string().contains("hunter8"),
        "nothing is hidden without a rule"
    );
}

#[test]
fn kinds_that_nobody_knows_are_unsure() {
    let desired = custom(json!({"size": 1}));
    for live in [None, Some(desired.clone())] {
        let report = Case::new(desired.clone(), live).json(Secrets::Hidden);
        assert_eq!(report["action"], "unsure");
        assert_eq!(report["unsure"], "no schema of example.com/v1 Vault is known");
        assert_eq!(report["predicted"], Value::Null);
    }
    let mut refused = desired;
    refused["metadata"]["managedFields"] = json!([{}]);
    let refused = Case {
        rules: Rules::none(),
        ..Case::new(refused, None)
    };
    assert_eq!(refused.json(Secrets::Hidden)["action"], "blocked");
}

fn deployment(edit: impl FnOnce(&mut Value)) -> Value {
    let mut value = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1"}]},
            },
        },
    });
    edit(&mut value);
    value
}

/// A deployment as a server would have it after our apply.
fn live(edit: impl FnOnce(&mut Value)) -> Value {
    let mut value = Case::new(deployment(|_| {}), None).json(Secrets::Hidden)["predicted"].take();
    edit(&mut value);
    value
}

#[test]
fn reports_have_every_key_and_a_reason() {
    let scale = |value: &mut Value| {
        value["spec"]["replicas"] = json!(3);
        let entry = entry("hpa", "Update", "apps/v1", json!({"f:spec": {"f:replicas": {}}}));
        value["metadata"]["managedFields"]
            .as_array_mut()
            .unwrap()
            .push(entry);
    };
    let cases = [
        (deployment(|_| {}), None, "create", "there is none yet"),
        (
            deployment(|_| {}),
            Some(live(|_| {})),
            "none",
            "nothing would change",
        ),
        (
            deployment(|d| d["spec"]["replicas"] = json!(1)),
            Some(live(|_| {})),
            "adopt",
            "only who owns which field would change",
        ),
        (
            deployment(|d| d["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2")),
            Some(live(|_| {})),
            "update",
            "1 field would change",
        ),
        (
            deployment(|d| d["spec"]["replicas"] = json!(2)),
            Some(live(scale)),
            "blocked",
            "a field belongs to hpa, and the apply is not forced",
        ),
        (
            deployment(|d| {
                d["spec"]["selector"]["matchLabels"]["app"] = json!("api");
                d["spec"]["template"]["metadata"]["labels"]["app"] = json!("api");
            }),
            Some(live(|_| {})),
            "recreate",
            ".spec.selector cannot change in place (rule deployment/selector)",
        ),
        (
            deployment(|d| d["spec"]["hunter"] = json!(2)),
            None,
            "blocked",
            ".spec.hunter is not a field of its schema",
        ),
        (
            deployment(|_| {}),
            Some(live(|l| {
                l["metadata"]["managedFields"] = json!([{"operation": "x"}]);
            })),
            "unsure",
            "metadata.managedFields cannot be read: managedFields entry 0: its operation is neither Apply nor Update",
        ),
    ];
    for (desired, live, action, reason) in cases {
        let case = Case::new(desired, live);
        let report = case.json(Secrets::Hidden);
        assert_eq!(
            (&report["action"], &*case.report(Secrets::Hidden).reason()),
            (&json!(action), reason)
        );
        let keys = |value: &Value| {
            value
                .as_object()
                .unwrap()
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(keys(&report), "action blocked conflicts fields predicted unsure");
        for field in report["fields"].as_array().unwrap() {
            assert_eq!(keys(field), "after before managers path rule verdict");
        }
        let known = ["none", "adopt", "create", "update"].contains(&action);
        assert_eq!(report["predicted"].is_object(), known, "{action}");
        assert_eq!(report["unsure"].is_string(), action == "unsure", "{action}");
    }
}

#[test]
fn reports_for_people_tell_what_counts() {
    let desired = deployment(|d| {
        d["spec"]["replicas"] = json!(2);
        d["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:2");
    });
    let now = live(|l| {
        l["spec"]["replicas"] = json!(3);
        l["metadata"]["labels"] = json!({"by": "nobody\u{1b}[31m"});
        let entry = json!({
            "manager": "hpa\u{1b}[31m", "operation": "Update", "apiVersion": "apps/v1", "time": "2026-01-02T03:04:05Z",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}},
        });
        l["metadata"]["managedFields"].as_array_mut().unwrap().push(entry);
    });
    let case = Case::new(desired, Some(now));
    let told = case.text(ShownFields::Told);
    assert_eq!(
        told,
        "\
! blocked Deployment.apps shop/web: a field belongs to hpa\\u{1b}[31m, and the apply is not forced
  ! .spec.replicas: 3 → 2  (conflict, hpa\\u{1b}[31m since 2026-01-02T03:04:05Z)
  ~ .spec.template.spec.containers[name=\"web\"].image: \"web:1\" → \"web:2\"
  = .metadata.labels.by: \"nobody\\u001b[31m\"  (not ours, nobody owns it)
  18 more fields stay as they are
"
    );
    let mut options = RenderOptions::default();
    options.fields = ShownFields::Meant;
    options.owners = ShownOwners::All;
    let key = ObjectKey::new("apps", "Deployment", Some("shop"), "web");
    let meant = render_report(&key, &case.report(Secrets::Hidden), &options);
    for line in [
        "  ! .spec.replicas: 3 → 2  (conflict, hpa\\u{1b}[31m since 2026-01-02T03:04:05Z)\n",
        "  ~ .spec.template.spec.containers[name=\"web\"].image: \"web:1\" → \"web:2\"  (defined otherwise, fleet)\n",
        "  = .spec.template.spec.containers[name=\"web\"].name: \"web\"  (as defined, fleet)\n",
        "  = .spec.revisionHistoryLimit: 10  (default)\n",
    ] {
        assert!(meant.contains(line), "{line}{meant}");
    }
    assert!(
        !meant.contains("set by the server") && meant.contains("more field"),
        "{meant}"
    );
    let all = case.text(ShownFields::All);
    assert!(all.contains("set by the server"), "{all}");
    assert!(all.lines().count() > 20 && !all.contains("more fields"), "{all}");
    let none = Case::new(deployment(|_| {}), Some(live(|_| {}))).text(ShownFields::Told);
    assert!(
        none.starts_with("= none Deployment.apps shop/web: nothing would change\n  "),
        "{none}"
    );
    assert!(
        none.ends_with(" fields stay as they are\n") && none.lines().count() == 2,
        "{none}"
    );
}

#[test]
fn what_others_put_into_an_element_of_ours_is_not_ours() {
    let desired = deployment(|d| {
        d["spec"]["template"]["spec"]["containers"][0]["image"] = json!("web:1");
    });
    let element = |fields: Value| {
        let container = json!({"k:{\"name\":\"web\"}": fields});
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": container}}}})
    };
    let now = live(|l| {
        let container = &mut l["spec"]["template"]["spec"]["containers"][0];
        container["image"] = json!("web:9");
        container["tty"] = json!(true);
        l["metadata"]["managedFields"] = json!([
            {"manager": "fleet", "operation": "Apply", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
             "fieldsV1": element(json!({".": {}, "f:name": {}}))},
            {"manager": "kubectl-set", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
             "fieldsV1": element(json!({"f:image": {}}))},
        ]);
    });
    let report = Case::new(desired, Some(now)).report(Secrets::Hidden);
    let found = |field: &str| {
        let path = format!(".spec.template.spec.containers[name=\"web\"].{field}");
        let found = report
            .fields
            .iter()
            .find(|found| found.path.to_string() == path)
            .unwrap();
        let owners: Vec<&str> = found.managers.iter().map(|owner| owner.name.as_str()).collect();
        (found.verdict.as_str(), owners.join(","))
    };
    assert_eq!(found("name"), ("same", "fleet".to_owned()));
    assert_eq!(found("image"), ("conflict", "kubectl-set".to_owned()));
    assert_eq!(found("tty"), ("foreign-unknown-writer", String::new()));
    assert_eq!(found("terminationMessagePath"), ("default", String::new()));
}

#[test]
fn what_we_drop_is_ours_also_beside_a_conflict() {
    let mut now = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"},
        "data": {"ours": "1", "both": "2", "theirs": "3"},
    });
    now["metadata"]["managedFields"] = json!([
        entry(
            "fleet",
            "Apply",
            "v1",
            json!({"f:data": {"f:ours": {}, "f:both": {}}})
        ),
        entry(
            "other",
            "Update",
            "v1",
            json!({"f:data": {"f:both": {}, "f:theirs": {}}})
        ),
    ]);
    let mut desired = now.clone();
    desired["metadata"] = json!({"name": "a"});
    desired["data"] = json!({"theirs": "4"});
    let report = Case::new(desired, Some(now)).json(Secrets::Hidden);
    let verdicts: Vec<String> = report["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| {
            format!(
                "{} {}",
                field["path"].as_str().unwrap(),
                field["verdict"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            ".data.both foreign",
            ".data.ours ours-to-remove",
            ".data.theirs conflict"
        ]
    );
}

#[test]
fn texts_of_a_secret_are_told_as_what_they_become() {
    let texts = |password: &str| {
        let mut value = secret(json!({"plain": "eA=="}));
        value["stringData"] = json!({"password": password});
        value
    };
    let verdicts = |case: &Case| -> Vec<String> {
        let report = case.json(Secrets::Shown);
        let fields = report["fields"].as_array().unwrap().iter();
        let told = fields.map(|field| {
            let text = |key: &str| field[key].as_str().unwrap_or("-").to_owned();
            format!(
                "{} {} {} {}",
                text("path"),
                text("verdict"),
                text("before"),
                text("after")
            )
        });
        told.filter(|told| !told.starts_with(".type")).collect()
    };
    let create = Case::new(texts("a"), None);
    assert_eq!(
        verdicts(&create),
        [
            ".data.password ours-to-change - YQ==",
            ".data.plain ours-to-change - eA==",
            ".stringData.password normalised - -"
        ]
    );
    let live = create.json(Secrets::Shown)["predicted"].take();
    let same = Case::new(texts("a"), Some(live.clone()));
    assert_eq!(
        verdicts(&same),
        [
            ".data.password same YQ== -",
            ".data.plain same eA== -",
            ".stringData.password normalised - -"
        ]
    );
    let update = Case::new(texts("b"), Some(live));
    assert_eq!(verdicts(&update)[0], ".data.password ours-to-change YQ== Yg==");
    assert_eq!(update.report(Secrets::Hidden).reason(), "1 field would change");
}
