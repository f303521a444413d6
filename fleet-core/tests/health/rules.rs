//! Rules of the user's own.

use fleet_core::health::{Health, HealthRules, HealthState};
use fleet_core::{Object, Reason};
use serde_json::json;

use super::object;

const RULES: &str = r#"
health:
  - id: widgets
    kinds: {group: example.com, kinds: [Widget]}
    healthyWhen: self.status.phase == 'Up'
    failedWhen: self.status.phase == 'Broken' || self.status.errors > 3
    message: the widget is not up
  - id: claims
    kinds: {group: core, kinds: [PersistentVolumeClaim]}
    healthyWhen: self.status.phase in ['Bound', 'Pending']
  - id: balancers
    kinds: {group: core, kinds: [Service]}
    failedWhen: self.spec.type == 'LoadBalancer' && self.status.loadBalancer.ingress.exists(i, i.ip == '0.0.0.0')
  - id: all-gadgets
    kinds: {group: "*.example.com"}
    healthyWhen: self.status.ready
  - id: never-reached
    kinds: {group: tools.example.com}
    healthyWhen: "false"
"#;

#[test]
fn rules_over_the_builtin_ones() {
    let cases = [
        ("example.com/v1/Widget", "status: {phase: Up}", "Current"),
        (
            "example.com/v1/Widget",
            "status: {phase: Starting, errors: 1}",
            "InProgress: the widget is not up",
        ),
        (
            "example.com/v1/Widget",
            "status: {phase: Broken}",
            "Failed: the widget is not up",
        ),
        (
            "example.com/v1/Widget",
            "status: {phase: Up, errors: 4}",
            "Failed: the widget is not up",
        ),
        (
            "example.com/v1/Widget",
            "spec: {}",
            "InProgress: the widget is not up",
        ),
        (
            "example.com/v1/Widget",
            "status: {phase: Starting, errors: many}",
            "Unknown: rule `widgets` cannot be answered: `>` does not take values of such types",
        ),
        (
            "example.com/v1/Widget",
            "metadata: {name: a, deletionTimestamp: 2026-01-01T00:00:00Z}\nstatus: {phase: Up}",
            "Terminating",
        ),
        (
            "example.com/v1/Widget",
            "metadata: {name: a, generation: 2}\nstatus: {observedGeneration: 1, phase: Up}",
            "InProgress: its status is about generation 1, and it is at 2",
        ),
        (
            "example.com/v1/Widget",
            "status: {phase: Up, conditions: [{type: Stalled, status: 'True'}]}",
            "Current",
        ),
        ("v1/PersistentVolumeClaim", "status: {phase: Pending}", "Current"),
        (
            "v1/PersistentVolumeClaim",
            "status: {phase: Lost}",
            "InProgress: it is not healthy yet, says rule `claims`",
        ),
        (
            "v1/Service",
            "spec: {type: LoadBalancer, clusterIP: 10.0.0.1}",
            "Current",
        ),
        (
            "v1/Service",
            "spec: {type: LoadBalancer}",
            "InProgress: it has no cluster address yet",
        ),
        (
            "v1/Service",
            "spec: {type: LoadBalancer, clusterIP: 10.0.0.1}\nstatus: {loadBalancer: {ingress: [{ip: 0.0.0.0}]}}",
            "Failed: it has failed, says rule `balancers`",
        ),
        ("tools.example.com/v1/Gadget", "status: {ready: true}", "Current"),
        (
            "tools.example.com/v1/Gadget",
            "status: {ready: soon}",
            "Unknown: rule `all-gadgets` cannot be answered: the result is neither true nor false",
        ),
        (
            "batch/v1/Job",
            "status: {conditions: [{type: Complete, status: 'True'}]}",
            "Current",
        ),
    ];
    let health = HealthRules::from_yaml(RULES).unwrap();
    for (kind, rest, expect) in cases {
        assert_eq!(
            health.of(Some(&object(kind, rest))).to_string(),
            expect,
            "{kind}\n{rest}"
        );
    }
    assert_eq!(health.of(None), HealthState::NotFound);
}

struct Sick;

impl Health for Sick {
    fn health(&self, _: &Object) -> HealthState {
        HealthState::Failed(Reason::new("sick", "it is sick"))
    }
}

#[test]
fn rules_over_something_else() {
    let health = HealthRules::from_yaml(RULES).unwrap().over(Sick);
    let ask = |kind, rest| health.health(&object(kind, rest)).to_string();
    assert_eq!(ask("batch/v1/Job", ""), "Failed: it is sick");
    assert_eq!(ask("v1/Service", "spec: {type: ClusterIP}"), "Failed: it is sick");
    assert_eq!(ask("example.com/v1/Widget", "status: {phase: Up}"), "Current");
}

#[test]
fn rules_that_cannot_be_used() {
    let cases = [
        (
            "- id: a\n",
            "not rules for health: line 1: `a`: `healthyWhen` or `failedWhen` is missing",
        ),
        (
            "- id: a\n  healthyWhen: self.x\n  failedWhen: live.x\n",
            "not rules for health: line 3: `a`: its `failedWhen`, line 1, column 1: nothing here is called `live`",
        ),
        (
            "- id: a\n  healthyWhen: self.x ==\n",
            "not rules for health: line 2: `a`: its `healthyWhen`, line 1, column 10: the expression ends early",
        ),
        (
            "- id: a\n  healthyWhen: 'true'\n  when: x\n",
            "not rules for health: line 1: `a`: unknown field `when`",
        ),
        (
            "- {id: a, healthyWhen: 'true'}\n- {id: a, healthyWhen: 'true'}\n",
            "two rules have the id `a`",
        ),
        ("health: {}\n", "not rules for health: line 1: expected a list"),
    ];
    for (text, expect) in cases {
        let error = HealthRules::from_yaml(text).unwrap_err().to_string();
        assert!(error.starts_with(expect), "{text}\n{error}");
    }
    assert!(HealthRules::from_json(&json!({})).is_err());
    assert!(HealthRules::from_json(&json!([])).is_ok());
}

#[test]
fn what_rules_say_of_secrets_holds_no_value() {
    let rules = "- {id: a, healthyWhen: self.data.password > 1}\n";
    let secret = object("v1/Secret", "data: {password: aHVudGVyMg==}");
    let state = HealthRules::from_yaml(rules).unwrap().health(&secret);
    assert!(matches!(state, HealthState::Unknown(_)));
    assert!(!format!("{state} {state:?}").contains("aHVudGVyMg"));
}
