//! Frozen clusters cost the others nothing.

use std::time::Duration;

use fleet_core::{Inventory, Note, Object, Snapshot};
use fleet_harness::{Cluster, Kind, Options};
use fleet_kube::Wave;
use fleet_suites::{Bed, Notes, Settable, clean, on_both_kinds};
use serde_json::json;
use tokio::time::Instant;

on_both_kinds! {
    frozen_clusters_cost_the_others_nothing: [Own];
}

const HEALTHY: [&str; 3] = ["a", "b", "c"];
const FROZEN: [&str; 3] = ["x", "y", "z"];

fn inventory(revision: &str) -> Snapshot {
    let objects = (0..40).map(|i| {
        let value = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": format!("map-{i}"), "namespace": "default"}, "data": {"revision": revision},
        });
        Object::from_json(value).unwrap()
    });
    Inventory::new(revision, objects).unwrap().snapshot()
}

/// Every pool that clusters could share is small: two threads, or one, run all tasks.
async fn frozen_clusters_cost_the_others_nothing(kind: Kind) {
    let all = HEALTHY.into_iter().chain(FROZEN);
    let all = all.map(|name| Options::new(name).controllers(false).pods(false));
    let clusters = Cluster::start_all(kind, all).unwrap();
    let mut bed = Bed::new(&clusters);
    bed.options = bed
        .options
        .head_timeout(Duration::from_secs(5))
        .call_timeout(Duration::from_secs(10))
        .watch_idle_timeout(Duration::from_secs(5));
    let notes = Notes::default();
    let source = Settable::new(inventory("1"));
    let fleet = bed
        .fleet(source.clone())
        .observer(notes.clone())
        .wave(Wave::All)
        .read_interval(Duration::from_millis(200))
        .build()
        .unwrap();
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    clean(&fleet, &["a", "b", "c", "x", "y", "z"], Some("1")).await;

    let frozen = || clusters.iter().filter(|one| FROZEN.contains(&one.name()));
    frozen().for_each(|p| p.freeze().unwrap());
    source.set(inventory("2"));
    let begin = Instant::now();
    clean(&fleet, &HEALTHY, Some("2")).await;
    println!("the healthy ones converged in {} ms", begin.elapsed().as_millis());
    for one in fleet
        .kept()
        .iter()
        .filter(|k| FROZEN.contains(&k.cluster.name.as_str()))
    {
        let status = one.driver.status().await.unwrap();
        assert!(!status.converged, "{} cannot have converged", one.cluster.name);
    }

    // Each frozen one is reported, by itself.
    let deadline = Instant::now() + Duration::from_secs(40);
    let reported = |name: &str| {
        notes
            .all()
            .iter()
            .any(|(cluster, note)| cluster == name && matches!(note, Note::Contact { online: false, .. }))
    };
    while !FROZEN.iter().all(|name| reported(name)) {
        assert!(Instant::now() < deadline, "not every frozen cluster is reported");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(!HEALTHY.iter().any(|name| reported(name)));

    // And comes back by itself.
    frozen().for_each(|p| p.thaw().unwrap());
    clean(&fleet, &FROZEN, Some("2")).await;
    task.abort();
}
