//! A create that somebody else is faster than: nothing of ours is merged into their object.

use std::sync::Arc;

use fleet_core::{Inventory, Object, Parts, Work};
use fleet_harness::{ControlPlane, Options, User};
use fleet_suites::{Bed, LastMoment, Notes, Settable, on_runtime};
use serde_json::{Value, json};

fn kubectl(plane: &ControlPlane, words: &[&str]) -> String {
    let output = plane
        .kubectl_as(User::Someone)
        .unwrap()
        .args(words)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_create_never_merges_into_what_somebody_made_just_before() {
    let plane = Arc::new(ControlPlane::start(Options::new("race").controllers(false).pods(false)).unwrap());
    let bed = Bed::new([&*plane]);
    let strategy = LastMoment::before(
        |work| matches!(work, Work::Create { document } if document.name() == "contended"),
    );
    let theirs = plane.clone();
    strategy.set(move || {
        kubectl(
            &theirs,
            &["create", "configmap", "contended", "--from-literal=theirs=1"],
        );
    });
    let ours = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "contended"}, "data": {"ours": "1"}});
    let inventory = Inventory::new("1", [Object::from_json(ours).unwrap()]).unwrap();
    on_runtime(async {
        let fleet = bed
            .fleet(Settable::new(inventory.snapshot()))
            .observer(Notes::default())
            .parts(Parts::default().strategy(strategy.clone()))
            .build()
            .unwrap();
        let outcomes = fleet.apply(&[]).await.unwrap();
        let status = outcomes[0].status.as_ref().unwrap();
        let blocked: Vec<&str> = status.blocked.values().map(|reason| reason.code).collect();
        assert_eq!(blocked, ["not-ours"], "{status:?}");
        assert!(strategy.is_over());
    });
    let live: Value = serde_json::from_str(&kubectl(
        &plane,
        &[
            "get",
            "configmap",
            "contended",
            "-o",
            "json",
            "--show-managed-fields",
        ],
    ))
    .unwrap();
    assert_eq!(live["data"], json!({"theirs": "1"}));
    assert!(
        !live.to_string().contains("fleet"),
        "no field, no mark and no manager of ours: {live}"
    );
}
