//! Who owns what after a creation that is no apply.

mod support;

use fleet_diff::Update;
use serde_json::{Value, json};
use support::{applied, object, owners, schemas};

#[test]
fn who_creates_owns_what_is_there_but_its_identity() {
    let created = object(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
        "metadata": {"namespace": "shop", "name": "a", "uid": "u", "labels": {"app": "a"}}}),
    );
    let update = Update::new(&created, "kubectl-create", schemas()).at("2020-01-01T00:00:01Z");
    let expected = (
        "kubectl-create Update v1 - 2020-01-01T00:00:01Z".to_owned(),
        json!({"f:data": {".": {}, "f:a": {}}, "f:metadata": {"f:labels": {".": {}, "f:app": {}}}}),
    );
    assert_eq!(owners(&update.owners().unwrap()), [expected]);
    // Without a time the entry has none.
    let update = Update::new(&created, "kubectl-create", schemas());
    assert_eq!(
        owners(&update.owners().unwrap())[0].0,
        "kubectl-create Update v1 - -"
    );
}

/// What a Go type has when it is empty is nobody's: here `spec`, `strategy`, `template` and its `spec`, and a zero.
#[test]
fn who_creates_does_not_own_what_is_empty_anyway() {
    let fields = |desired: &Value| {
        let mut stored = applied(None, desired, "fleet").to_json();
        stored["metadata"]
            .as_object_mut()
            .unwrap()
            .remove("managedFields");
        let stored = object(stored);
        let created = Update::new(&stored, "kubectl-create", schemas())
            .owners()
            .unwrap();
        owners(&created).pop().unwrap().1
    };
    let labels = json!({"f:labels": {".": {}, "f:app": {}}});
    let names = |names: &[&str]| -> Value {
        names
            .iter()
            .map(|name| (format!("f:{name}"), json!({})))
            .collect()
    };
    let with = |mut fields: Value, more: Value| {
        fields
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        fields
    };
    let web = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web", "labels": {"app": "web"}},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {
            "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}},
    });
    let container = [
        "image",
        "imagePullPolicy",
        "name",
        "resources",
        "terminationMessagePath",
        "terminationMessagePolicy",
    ];
    let container = with(names(&container), json!({".": {}}));
    let pod = [
        "dnsPolicy",
        "restartPolicy",
        "schedulerName",
        "securityContext",
        "terminationGracePeriodSeconds",
    ];
    let pod = with(
        names(&pod),
        json!({"f:containers": {"k:{\"name\":\"web\"}": container}}),
    );
    let rolling = with(names(&["maxSurge", "maxUnavailable"]), json!({".": {}}));
    let spec = names(&[
        "progressDeadlineSeconds",
        "replicas",
        "revisionHistoryLimit",
        "selector",
    ]);
    let spec = with(
        spec,
        json!({
            "f:strategy": {"f:rollingUpdate": rolling, "f:type": {}},
            "f:template": {"f:metadata": labels, "f:spec": pod},
        }),
    );
    assert_eq!(fields(&web), json!({"f:metadata": labels, "f:spec": spec}));

    let class = |value: i64| {
        json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass", "metadata": {"name": "a"},
            "value": value})
    };
    assert_eq!(fields(&class(0)), names(&["preemptionPolicy"]));
    assert_eq!(fields(&class(1)), names(&["preemptionPolicy", "value"]));
}
