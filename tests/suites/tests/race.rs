//! A create that somebody else is faster than: nothing of ours is merged into their object.

use fleet_core::{Inventory, Object, Parts, Work};
use fleet_harness::{Cluster, Kind, Options};
use fleet_suites::{Bed, Hand, LastMoment, Notes, Settable, on_both_kinds};
use serde_json::json;

on_both_kinds! {
    a_create_never_merges_into_what_somebody_made_just_before: [];
}

async fn a_create_never_merges_into_what_somebody_made_just_before(kind: Kind) {
    let cluster = Cluster::start(kind, Options::new("race").controllers(false).pods(false)).unwrap();
    let bed = Bed::new([&cluster]);
    let somebody = Hand::new(&cluster, "default");
    let strategy = LastMoment::before(
        |work| matches!(work, Work::Create { document } if document.name() == "contended"),
    );
    let faster = somebody.clone();
    strategy.set(move || {
        let theirs = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "contended"}, "data": {"theirs": "1"}});
        faster.create("configmaps", &theirs).unwrap();
    });
    let ours = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "contended"}, "data": {"ours": "1"}});
    let inventory = Inventory::new("1", [Object::from_json(ours).unwrap()]).unwrap();
    let fleet = bed
        .fleet_of("race", Settable::new(inventory.snapshot()))
        .observer(Notes::default())
        .parts(Parts::default().strategy(strategy.clone()))
        .build()
        .unwrap();
    let outcomes = fleet.apply(&[]).await.unwrap();
    let status = outcomes[0].status.as_ref().unwrap();
    let blocked: Vec<&str> = status.blocked.values().map(|reason| &*reason.code).collect();
    assert_eq!(blocked, ["not-ours"], "{status:?}");
    assert!(strategy.is_over());
    let live = somebody.get("configmaps", "contended").unwrap();
    assert_eq!(live["data"], json!({"theirs": "1"}));
    assert!(
        !live.to_string().contains("fleet"),
        "no field, no mark and no manager of ours: {live}"
    );
    // It may be somebody's cluster.
    somebody.delete("configmaps", "contended").unwrap();
}
