//! Rules in unusual places.

#[path = "support/deployment.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod deployment;
mod support;

use deployment::{deployment, with};
use fleet_diff::{Action, RuleSet, Rules, Verdict};
use serde_json::{Value, json};
use support::{applied, decide_by, path, verdict};

#[test]
fn a_rule_on_a_field_that_is_defined_empty_counts() {
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "web"}, "data": {},
    });
    let live = applied(None, &settings, "fleet");
    let rules = json!([{"id": "theirs", "path": ".data", "do": "ignore"}]);
    let rules = Rules::builtin().with(RuleSet::from_json(&rules).unwrap());
    decide_by(&rules, &settings, &live, |decision| {
        assert_eq!(verdict(&decision, ".data"), Verdict::Ignored);
    });
}

#[test]
fn a_rule_inside_of_what_is_one_field_means_nothing() {
    let args = |value: &str| json!([value, "-v"]);
    let env = |value: &str| {
        let key = json!({"name": "settings", "key": value});
        json!([{"name": "MODE", "valueFrom": {"configMapKeyRef": key}}])
    };
    let reference = ".env[name=\"MODE\"].valueFrom.configMapKeyRef";
    let cases = [
        ("args", args("old"), args("new"), ".args", "[0]"),
        ("env", env("old"), env("new"), reference, ".key"),
    ];
    for (field, old, new, whole, inside) in cases {
        let pointer = format!("/spec/template/spec/containers/0/{field}");
        let defined = |value: Value| with(deployment(), &pointer, value);
        let live = applied(None, &defined(old), "fleet");
        let whole = format!(".spec.template.spec.containers[name=\"web\"]{whole}");
        let rules = json!([{"id": "inside", "path": format!("{whole}{inside}"), "do": "ignore"}]);
        let rules = Rules::builtin().with(RuleSet::from_json(&rules).unwrap());
        decide_by(&rules, &defined(new), &live, |decision| {
            assert_eq!(decision.action(), Action::Update);
            let changes = decision.changes();
            assert_eq!(changes.len(), 1);
            assert_eq!(changes[0].path, path(&whole));
        });
    }
}

#[test]
fn a_definition_whose_rules_cannot_be_read_is_blocked() {
    let rules = Rules::builtin().from_annotation("example.com/rules");
    let annotated = |text: &str| {
        let annotations = json!({"example.com/rules": text});
        with(deployment(), "/metadata/annotations", annotations)
    };
    let live = applied(None, &deployment(), "fleet");
    let rule = r#"[{"id": "mine", "path": ".spec.replicas", "do": "never-touch"}]"#;
    decide_by(&rules, &annotated(rule), &live, |decision| {
        assert_eq!(decision.action(), Action::Update);
    });
    for broken in [
        "",
        "[{",
        r#"[{"id": "mine", "path": ".spec.replicas", "do": "never"}]"#,
    ] {
        decide_by(&rules, &annotated(broken), &live, |decision| {
            assert_eq!(decision.action(), Action::Blocked);
            let refusal = decision.refusal().unwrap().to_string();
            let expected =
                "the object has rules that cannot be used: annotation `example.com/rules`: not rules: ";
            assert!(refusal.starts_with(expected), "{refusal}");
        });
    }
}

/// Rules, and what comes of an update of `replicas` and of `paused` by them.
#[test]
fn a_rule_counts_where_its_condition_holds() {
    let labelled = |value: &str| with(deployment(), "/metadata/labels", json!({"scaled": value}));
    let live = applied(None, &labelled("yes"), "fleet");
    let keep = |when: &str| json!({"id": when, "path": ".spec.replicas", "do": "keep-live", "when": when});
    let blocked = |text: &str| Err(text.to_owned());
    let cases = [
        (
            json!([keep("self.metadata.labels.scaled == 'yes'")]),
            Ok(Action::None),
        ),
        (
            json!([keep("self.metadata.labels.scaled == 'no'")]),
            Ok(Action::Update),
        ),
        (
            json!([keep("live != null && live.spec.replicas < 100")]),
            Ok(Action::None),
        ),
        (json!([keep("live == null")]), Ok(Action::Update)),
        // One with a condition beats one without, wherever they stand.
        (
            json!([{"id": "a", "path": ".spec.replicas", "do": "ours"}, keep("true")]),
            Ok(Action::None),
        ),
        (
            json!([keep("false"), {"id": "z", "path": ".spec.replicas", "do": "ignore"}]),
            Ok(Action::None),
        ),
        (
            json!([keep("true"), {"id": "z", "path": ".spec.replicas", "do": "ours", "when": "1 == 2"}]),
            Ok(Action::None),
        ),
        (
            json!([keep("true"), {"id": "z", "path": ".spec.replicas", "do": "ours", "when": "1 == 1"}]),
            blocked("rules `true` and `z` are for the same field and say different things"),
        ),
        // What is not for the object is not asked.
        (
            json!([{"id": "a", "kinds": {"kinds": ["Job"]}, "path": ".spec", "do": "ignore", "when": "self.x"}]),
            Ok(Action::Update),
        ),
        (
            json!([keep("self.metadata.labels.absent == 'x'")]),
            blocked(
                "rule `self.metadata.labels.absent == 'x'`: its `when` cannot be answered: there is no field `absent`",
            ),
        ),
        (
            json!([keep("self.metadata.name")]),
            blocked(
                "rule `self.metadata.name`: its `when` cannot be answered: the result is neither true nor false",
            ),
        ),
    ];
    for (rules, expect) in cases {
        let rules = Rules::builtin().with(RuleSet::from_json(&rules).unwrap());
        let desired = with(labelled("yes"), "/spec/replicas", json!(7));
        decide_by(&rules, &desired, &live, |decision| {
            let found = match decision.unusable_rules() {
                None => Ok(decision.action()),
                Some(error) => {
                    assert_eq!(decision.action(), Action::Blocked);
                    let refusal = decision.refusal().unwrap().to_string();
                    assert_eq!(
                        refusal,
                        format!("the object has rules that cannot be used: {error}")
                    );
                    Err(error.to_string())
                }
            };
            match (&found, &expect) {
                (Err(found), Err(expect)) => assert!(found.starts_with(expect), "{found}"),
                _ => assert_eq!(found, expect, "{rules:?}"),
            }
        });
    }
}

#[test]
fn a_condition_that_cannot_be_answered_shows_no_value() {
    let secret = "hunter2-hunter2";
    let live = with(deployment(), "/metadata/labels", json!({"token": "other"}));
    let live = applied(None, &live, "fleet");
    let desired = with(deployment(), "/metadata/labels", json!({"token": secret}));
    let rules = json!([
        {"id": "odd", "path": ".spec.paused", "do": "ignore", "when": "self.metadata.labels.token > 1"},
        {"id": "hidden", "path": ".metadata.labels", "do": "ours", "sensitive": true, "when": "false"},
    ]);
    let rules = Rules::builtin().with(RuleSet::from_json(&rules).unwrap());
    decide_by(&rules, &desired, &live, |decision| {
        let error = decision.unusable_rules().unwrap();
        assert!(!format!("{error} {error:?} {:?}", decision.refusal()).contains(secret));
        let report = serde_json::to_string(&decision.report(fleet_diff::Secrets::Hidden)).unwrap();
        assert!(!report.contains(secret), "{report}");
        let change = fleet_diff::FieldChange {
            path: path(".metadata.labels.token"),
            before: None,
            after: Some(json!(secret)),
        };
        let shown = decision.masked(vec![change]);
        assert!(
            !format!("{:?}", shown[0].after).contains(secret),
            "what rules hide stays hidden"
        );
    });
}

#[test]
fn rules_with_conditions_are_read_and_written() {
    let rules = json!([{"id": "a", "path": ".spec", "do": "ignore", "when": "self.metadata.name == 'a'"}]);
    let set = RuleSet::from_json(&rules).unwrap();
    assert_eq!(
        serde_json::to_value(set.rules()).unwrap(),
        json!([
            {"id": "a", "kinds": {}, "path": ".spec", "do": "ignore", "when": "self.metadata.name == 'a'"},
        ])
    );
    let same = json!([
        {"id": "a", "path": ".spec", "do": "ignore", "when": "true"},
        {"id": "b", "path": ".spec", "do": "ours", "when": "true"},
    ]);
    assert!(
        RuleSet::from_json(&same)
            .unwrap_err()
            .to_string()
            .starts_with("rules `a` and `b` are for the same field")
    );
}

/// Texts of rules, and what is wrong with them and where.
#[cfg(feature = "yaml")]
#[test]
fn rules_that_do_not_compile_name_their_line() {
    let cases = [
        (
            "- {id: a, path: .spec, do: ignore}\n- id: b\n  path: .spec.x\n  do: ignore\n  when: self.x ==\n",
            "not rules: line 5: `b`: its `when`, line 1, column 10: the expression ends early",
        ),
        (
            "# mine\nrules:\n  - id: a\n    when: |\n      self.x == 1 &&\n      selv.y\n    path: .spec\n    do: ignore\n",
            "not rules: line 5: `a`: its `when`, line 2, column 1: nothing here is called `selv`",
        ),
        (
            "- {id: a, path: .spec, do: ignore}\n---\nrules:\n- {id: b, path: .spec, do: ignore}\n- id: c\n  path: spec\n  do: ignore\n",
            "not rules: line 5: `c`: ",
        ),
        (
            "- id: a\n  path: .spec\n  do: nonsense\n",
            "not rules: line 1: `a`: unknown variant `nonsense`",
        ),
        ("- 7\n", "not rules: line 1: invalid type"),
        ("id: a\n", "not rules: line 1: expected a list"),
        ("rules: 7\n", "not rules: line 1: expected a list"),
        ("- [\n", "not rules: line 1, column 3: not valid YAML"),
        (
            "[\n  {\"id\": \"a\", \"path\": \".spec\", \"do\": \"ignore\",\n   \"when\": \"x\"}\n]",
            "not rules: line 3: `a`: its `when`, line 1, column 1: nothing here is called `x`",
        ),
        (
            "- id: a\n  path: .spec\n  do: ignore\n  when: self.data.all(k, true)\n- id: a\n  path: .status\n  do: ignore\n",
            "two rules have the id `a`",
        ),
    ];
    for (text, expect) in cases {
        let error = RuleSet::from_yaml(text).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{text}\n{error}");
    }
}
