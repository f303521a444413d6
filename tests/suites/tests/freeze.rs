//! Frozen clusters cost the others nothing.

use std::time::{Duration, Instant};

use fleet_core::{Inventory, Note, Object, Snapshot};
use fleet_harness::{ControlPlane, Options};
use fleet_kube::Wave;
use fleet_suites::{Bed, Notes, Settable, clean};
use serde_json::json;

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

#[test]
fn frozen_clusters_cost_the_others_nothing() {
    let all = HEALTHY.into_iter().chain(FROZEN);
    let planes =
        ControlPlane::start_all(all.map(|n| Options::new(n).controllers(false).pods(false))).unwrap();
    let mut bed = Bed::new(&planes);
    bed.options = bed
        .options
        .head_timeout(Duration::from_secs(5))
        .call_timeout(Duration::from_secs(10))
        .watch_idle_timeout(Duration::from_secs(5));
    // Every pool that clusters could share is as small as it can be: threads that run tasks, threads that block.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
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

        let frozen = || planes.iter().filter(|p| FROZEN.contains(&p.name()));
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
    });
}
