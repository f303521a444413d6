//! What is left when a definition drops fields.

#[path = "support/deployment.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod deployment;
mod support;

use deployment::{deployment, with, with_owner};
use fleet_diff::{Action, Apply, Doubt, Prediction, Schemas};
use serde_json::{Value, json};
use support::{applied, decide, forced, object};

/// A Rack of the truth suite in short: every key of a stop has a default, and what it holds says what it is.
fn racks() -> Schemas {
    let stop = json!({"type": "object", "properties": {"name": {"type": "string"},
        "number": {"type": "integer", "default": 1}}});
    let spec = json!({"type": "object", "properties": {
        "held": {"type": "object", "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true},
        "stops": {"type": "array", "items": stop, "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["number"]}}});
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "racks.example.net"},
        "spec": {"group": "example.net", "scope": "Namespaced", "names": {"kind": "Rack", "plural": "racks"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}]}});
    Schemas::builtin().with_crd(&object(crd)).unwrap()
}

/// A volume of ours whose source others share a part of: a server asks for the rest of it.
#[test]
fn what_removal_leaves_undefined_is_not_foreseen() {
    let volume = |source: Value| {
        let mut volume = json!({"name": "keys"});
        volume
            .as_object_mut()
            .unwrap()
            .extend(source.as_object().unwrap().clone());
        with(deployment(), "/spec/template/spec/volumes", json!([volume]))
    };
    let secret = volume(json!({"secret": {"secretName": "keys", "optional": true}}));
    let live = applied(None, &secret, "fleet");
    let shared = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"template": {"spec": {"volumes": [{"name": "keys", "secret": {"optional": true}}]}}}});
    let live = applied(Some(&live), &shared, "them");
    decide(&volume(json!({})), &live, |decision| {
        assert_eq!(decision.action(), Action::Unsure);
        let doubt = decision.doubt().unwrap().to_string();
        assert!(
            doubt.contains(r#".spec.template.spec.volumes[name="keys"].secret"#),
            "{doubt}"
        );
    });
    // What is still defined, in part, the definition answers for.
    decide(
        &volume(json!({"secret": {"secretName": "keys"}})),
        &live,
        |decision| {
            assert_eq!(decision.action(), Action::Adopt);
        },
    );
    decide(
        &volume(json!({"secret": {"optional": true, "secretName": "others"}})),
        &live,
        |decision| {
            assert_eq!(decision.action(), Action::Update);
        },
    );
}

/// Each as a real server answered it.
#[test]
fn what_removal_leaves_behind_is_refused() {
    let rack = |spec: Value| {
        object(json!({"apiVersion": "example.net/v1", "kind": "Rack",
            "metadata": {"namespace": "shop", "name": "one"}, "spec": spec}))
    };
    let schemas = racks();
    let apply = |live: Option<&fleet_diff::Object>, desired: &fleet_diff::Object, manager: &str| {
        Apply::new(desired, manager, &schemas)
            .to(live)
            .force(true)
            .predict()
    };
    let one = |desired: &fleet_diff::Object, live: Option<&fleet_diff::Object>, manager: &str| match apply(
        live, desired, manager,
    ) {
        Prediction::Object(object) => object,
        other => panic!("{desired:?} ends with {other:?}"),
    };
    let refused =
        |live: &fleet_diff::Object, desired: &fleet_diff::Object| match apply(Some(live), desired, "fleet") {
            Prediction::Refused(refusal) => refusal.to_string(),
            other => panic!("{desired:?} ends with {other:?}"),
        };

    let live = one(&rack(json!({"stops": [{"name": "first"}]})), None, "fleet");
    let refusal = refused(&live, &rack(json!({"stops": [{}]})));
    assert!(refusal.starts_with(".spec.stops"), "{refusal}");

    let held = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}});
    let live = one(&rack(json!({"held": held})), None, "fleet");
    let note = rack(json!({"held": {"apiVersion": "v1", "kind": "ConfigMap", "note": "theirs"}}));
    let live = one(&note, Some(&live), "them");
    let mut owners = live.to_json();
    let theirs = &mut owners["metadata"]["managedFields"][1];
    assert_eq!(theirs["manager"], json!("them"));
    // They let go of what we own too.
    theirs["fieldsV1"] = json!({"f:spec": {"f:held": {"f:note": {}}}});
    let refusal = refused(&object(owners), &rack(json!({})));
    assert!(refusal.starts_with(".spec.held"), "{refusal}");
}

/// An apply makes its manager the owner of an element and its key; somebody may have edited that.
#[test]
fn an_element_of_which_we_own_only_a_part_stays() {
    let with_env = |name: &str| {
        let env = json!([{"name": name, "value": "on"}]);
        with(deployment(), "/spec/template/spec/containers/0/env", env)
    };
    let live = applied(None, &with_env("MODE"), "fleet");
    let mut live = applied(Some(&live), &with_env("OTHER"), "someone").to_json();
    let containers = "/metadata/managedFields/0/fieldsV1/f:spec/f:template/f:spec/f:containers";
    let fields = live.pointer_mut(containers).unwrap();
    fields["k:{\"name\":\"web\"}"]["f:env"]["k:{\"name\":\"MODE\"}"] = json!({"f:value": {}});
    let Prediction::Unsure(Doubt::Remains(at)) = forced(Some(&object(live)), &deployment(), "fleet") else {
        panic!("an element with nothing but its name is left, which only the server's types know");
    };
    assert!(at.ends_with("env[name=\"MODE\"]"), "{at}");
}

/// Validation on the server may ask for what we no longer define together with what others still do.
#[test]
fn a_struct_of_which_others_keep_a_part_is_not_sure() {
    let with_context = |context: Value| with(deployment(), "/spec/template/spec/securityContext", context);
    let both = json!({"runAsUser": 1, "runAsGroup": 2, "fsGroup": 3});
    let live = applied(None, &with_context(both), "fleet");
    let theirs = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": deployment()["metadata"],
        "spec": {"template": {"spec": {"securityContext": {"runAsGroup": 2}}}}});
    let shared = applied(Some(&live), &theirs, "someone");
    let smaller = with_context(json!({"fsGroup": 3}));
    let Prediction::Unsure(Doubt::Remains(at)) = forced(Some(&shared), &smaller, "fleet") else {
        panic!("what is left is no longer what one of them asked for");
    };
    assert_eq!(at, ".spec.template.spec.securityContext");
    // All of it goes where nobody else has a part.
    let after = applied(Some(&live), &smaller, "fleet").to_json();
    assert_eq!(
        after["spec"]["template"]["spec"]["securityContext"],
        json!({"fsGroup": 3})
    );
}

/// Somebody who owns a field inside it that is not there keeps it from going.
#[test]
fn a_struct_of_which_nothing_is_left_is_no_leftover() {
    let limits = json!({"limits": {"cpu": "1"}});
    let limited = with(deployment(), "/spec/template/spec/containers/0/resources", limits);
    let live = applied(None, &limited, "fleet");
    let live = with_owner(
        &live,
        &json!({"k:{\"name\":\"web\"}": {"f:resources": {"f:claims": {}}}}),
    );
    let left = applied(Some(&live), &deployment(), "fleet").to_json();
    assert_eq!(
        left["spec"]["template"]["spec"]["containers"][0]["resources"],
        json!({})
    );
}
