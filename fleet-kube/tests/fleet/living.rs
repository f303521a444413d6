//! What changes around a fleet while it runs.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use fleet_core::{Adoption, EngineOptions, Unknown};
use fleet_kube::FLEET_ITSELF;
use tokio::time::sleep;

use crate::bed::{Bed, bad, empty, keep_running, reach, source, stay};

#[tokio::test(start_paused = true)]
async fn refused_credentials_are_replaced() {
    let bed = Bed::new(&["a"]);
    let source = source(&[("a", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1").await;
    sleep(Duration::from_secs(600)).await;
    assert_eq!(bed.connects("a"), 1);
    bed.change("a", |server| server.locked = true);
    sleep(Duration::from_secs(600)).await;
    let connects = bed.connects("a");
    assert!(
        (5..30).contains(&connects),
        "tried again, less and less often: {connects}"
    );
    assert_eq!(bed.count("a", "unreachable"), 1, "it is said once");
    bed.change("a", |server| server.locked = false);
    sleep(Duration::from_secs(120)).await;
    let connects = bed.connects("a");
    assert!(
        bed.said("a")
            .ends_with(&["connected".into(), "contact-online".into()]),
        "{:?}",
        bed.said("a")
    );
    reach(&fleet, "a=1").await;
    sleep(Duration::from_secs(600)).await;
    assert_eq!(bed.connects("a"), connects);
}

#[tokio::test(start_paused = true)]
async fn a_changed_entry_is_connected_to_anew_and_kept_as_before() {
    let bed = Bed::new(&["a", "b"]);
    let source = source(&[("a", empty("1")), ("b", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1 b=1").await;
    let before = fleet.kept();
    bed.change("b", |server| server.entry = 1);
    sleep(Duration::from_secs(60)).await;
    assert_eq!((bed.connects("a"), bed.connects("b")), (1, 2));
    reach(&fleet, "a=1 b=1").await;
    let after = fleet.kept();
    assert!(Arc::ptr_eq(&before[0].driver, &after[0].driver));
    assert!(!Arc::ptr_eq(&before[1].driver, &after[1].driver));
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_ends_is_told_and_started_again() {
    let bed = Bed::new(&["a"]);
    let source = source(&[("a", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    bed.panic_at_next(3);
    let _running = keep_running(&fleet);
    sleep(Duration::from_secs(60)).await;
    reach(&fleet, "a=1").await;
    assert_eq!((bed.count("a", "driver-stopped"), bed.connects("a")), (3, 4));
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_cannot_be_read_is_told_once_and_changes_nothing() {
    let bed = Bed::new(&["a"]);
    let source = source(&[("a", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1").await;
    for why in ["line 3", "line 4"] {
        bed.unknown(Some(why));
        stay(&fleet, "a=1", 60).await;
    }
    bed.unknown(None);
    stay(&fleet, "a=1", 60).await;
    let expected = ["registry-unknown", "registry-unknown", "registry-read"];
    assert_eq!(bed.said(FLEET_ITSELF), expected);
}

#[tokio::test(start_paused = true)]
async fn a_renamed_entry_is_the_cluster_from_then_on() {
    let bed = Bed::new(&["old"]);
    let source = source(&[("old", empty("1")), ("new", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "old=1").await;
    bed.add("new", "uid-old");
    sleep(Duration::from_secs(60)).await;
    assert_eq!(bed.count("new", "same-cluster-twice"), 1);
    stay(&fleet, "old=1", 1).await;
    bed.list(&["new"]);
    reach(&fleet, "new=1").await;
}

#[tokio::test(start_paused = true)]
async fn a_name_that_means_another_cluster_gives_its_old_one_free() {
    let bed = Bed::new(&["a"]);
    let source = source(&[("a", empty("1")), ("b", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1").await;
    source.set_unknown("a", "half written");
    bed.change("a", |server| {
        server.entry = 1;
        server.uid = "uid-new".to_owned();
    });
    // Nothing is done with the new one until somebody says that it is meant.
    sleep(Duration::from_secs(60)).await;
    stay(&fleet, "a=1", 1).await;
    assert_eq!(bed.count("a", "another-cluster"), 1, "it is said once");
    bed.change("a", |server| server.expected = Some("uid-new"));
    // What the old one was given is not for the new one.
    sleep(Duration::from_secs(60)).await;
    stay(&fleet, "a", 1).await;
    source.set("a", empty("1"));
    bed.add("b", "uid-a");
    reach(&fleet, "a=1 b=1").await;
    assert_eq!(bed.count("b", "same-cluster-twice"), 0);
}

#[tokio::test(start_paused = true)]
async fn changed_settings_go_to_one_cluster_first() {
    let bed = Bed::new(&["a", "b"]);
    let source = source(&[("a", empty("1")), ("b", empty("1"))]);
    let settings: Arc<Mutex<Result<EngineOptions, Unknown>>> =
        Arc::new(Mutex::new(Ok(EngineOptions::default())));
    let read = settings.clone();
    let fleet = bed.fleet(&source, None);
    let fleet = fleet
        .settings(move |_| read.lock().unwrap().clone())
        .build()
        .unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1 b=1").await;
    let before = fleet.kept();

    *settings.lock().unwrap() = Err(Unknown::because("half written"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!(bed.said("a").last(), Some(&"inventory-unknown".into()));
    // While the first one fails, the other is kept by the old ones.
    let mut changed = EngineOptions::default();
    changed.adoption = Adoption::Adopt;
    *settings.lock().unwrap() = Ok(changed);
    source.set("a", bad("2"));
    let count = |name| bed.count(name, "settings-changed");
    reach(&fleet, "a=2 b=1").await;
    stay(&fleet, "a=2 b=1", 60).await;
    assert_eq!((count("a"), count("b")), (1, 0));
    source.set("a", empty("3"));
    sleep(Duration::from_secs(60)).await;
    assert_eq!((count("a"), count("b")), (1, 1));
    let after = fleet.kept();
    assert!(!Arc::ptr_eq(&before[0].driver, &after[0].driver));
    assert!(!Arc::ptr_eq(&before[1].driver, &after[1].driver));
    reach(&fleet, "a=3 b=1").await;
}

#[tokio::test(start_paused = true)]
async fn a_pause_counts_at_once_and_its_end_with_the_next_connection() {
    let bed = Bed::new(&["a"]);
    let source = source(&[("a", empty("1"))]);
    let options = Arc::new(Mutex::new(EngineOptions::default()));
    let read = options.clone();
    let fleet = bed.fleet(&source, None);
    let fleet = fleet
        .options(move |_| read.lock().unwrap().clone())
        .build()
        .unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1").await;
    let on_hold = || fleet.kept()[0].driver.progress().on_hold;
    assert!(!on_hold());
    // No connection comes about any more, and the one that is there goes on.
    bed.change("a", |server| {
        server.paused = Some("upgrade");
        server.slow = Duration::from_secs(1 << 20);
    });
    sleep(Duration::from_secs(12)).await;
    assert!(on_hold());
    options.lock().unwrap().adoption = Adoption::Adopt;
    sleep(Duration::from_secs(60)).await;
    assert!(on_hold(), "also with other settings");
    bed.change("a", |server| server.paused = None);
    sleep(Duration::from_secs(60)).await;
    assert!(on_hold(), "what permits waits");
    bed.change("a", |server| {
        server.entry = 1;
        server.slow = Duration::ZERO;
    });
    sleep(Duration::from_secs(60)).await;
    assert!(!on_hold());
}
