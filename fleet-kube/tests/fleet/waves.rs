//! No change goes everywhere at once.

use std::time::Duration;

use fleet_kube::{Outcome, Wave};

use crate::bed::{Bed, bad, empty, keep_running, one, reach, source, stay};

fn failures(outcomes: &[Outcome]) -> String {
    let word = |o: &Outcome| match &o.failure {
        Some(reason) => format!("{}:{}", o.cluster, reason.code),
        None if o.is_clean() => format!("{}:clean", o.cluster),
        None => format!("{}:unclean", o.cluster),
    };
    outcomes.iter().map(word).collect::<Vec<_>>().join(" ")
}

#[tokio::test(start_paused = true)]
async fn an_apply_whose_first_fails_changes_nothing_elsewhere() {
    let bed = Bed::new(&["a", "b", "c"]);
    let source = source(&[
        ("a", bad("2")),
        ("b", one("2", "v1", "ConfigMap")),
        ("c", empty("2")),
    ]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    // For c it is no change, so that there is nothing to hold back.
    let begin = tokio::time::Instant::now();
    let outcomes = fleet.apply(&[]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:unclean b:first-failed c:clean");
    assert!(begin.elapsed() < Duration::from_secs(30), "{:?}", begin.elapsed());

    source.set("a", empty("2"));
    source.set("b", empty("2"));
    let outcomes = fleet.apply(&[]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:clean b:clean c:clean");
}

#[tokio::test(start_paused = true)]
async fn an_apply_passes_over_what_does_not_answer() {
    let bed = Bed::new(&["a", "b", "c"]);
    let source = source(&[("a", empty("2")), ("b", empty("2")), ("c", empty("2"))]);
    bed.change("a", |server| server.silent = true);
    let fleet = bed.fleet(&source, Some("a")).build().unwrap();
    let outcomes = fleet.apply(&[]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:unreachable b:clean c:clean");
    bed.change("a", |server| server.silent = false);
    source.set_unknown("a", "half written");
    let outcomes = fleet.apply(&[]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:inventory-unknown b:clean c:clean");
}

#[tokio::test(start_paused = true)]
async fn a_failed_wave_survives_unknown_answers() {
    let bed = Bed::new(&["a", "b", "c"]);
    let source = source(&[("a", empty("1")), ("b", empty("1")), ("c", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1 b=1 c=1").await;
    source.set("b", bad("2"));
    source.set("c", bad("2"));
    source.set("a", bad("2"));
    reach(&fleet, "a=2 b=1 c=1").await;
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(bed.count("a", "first-failed"), 1);
    // One hiccup for the others, and one for all.
    for names in [&["b", "c"][..], &["a", "b", "c"]] {
        for name in names {
            source.set_unknown(*name, "half written");
        }
        stay(&fleet, "a=2 b=1 c=1", 30).await;
        for name in ["a", "b", "c"] {
            source.set(name, bad("2"));
        }
        stay(&fleet, "a=2 b=1 c=1", 30).await;
    }
    assert_eq!(bed.count("a", "first-failed"), 1, "it is said once");
    for name in ["a", "b", "c"] {
        source.set(name, empty("3"));
    }
    reach(&fleet, "a=3 b=3 c=3").await;
}

#[tokio::test(start_paused = true)]
async fn after_a_restart_what_is_no_change_is_kept_at_once() {
    let bed = Bed::new(&["a", "b", "c"]);
    let source = source(&[
        ("a", bad("2")),
        ("b", one("2", "v1", "ConfigMap")),
        ("c", empty("2")),
    ]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=2 b c=2").await;
    stay(&fleet, "a=2 b c=2", 60).await;
    assert_eq!(bed.count("b", "waits-for-first"), 1, "{:?}", bed.said("b"));
    source.set("a", empty("3"));
    reach(&fleet, "a=3 b=2 c=2").await;
}

#[tokio::test(start_paused = true)]
async fn a_named_first_that_connects_late_is_waited_for() {
    let bed = Bed::new(&["a", "canary"]);
    bed.change("canary", |server| server.slow = Duration::from_secs(8));
    let source = source(&[("a", empty("1")), ("canary", bad("1"))]);
    let fleet = bed.fleet(&source, Some("canary")).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a").await;
    stay(&fleet, "a", 7).await;
    reach(&fleet, "a canary=1").await;
}

#[tokio::test(start_paused = true)]
async fn a_first_that_goes_silent_holds_nobody_up() {
    let bed = Bed::new(&["a", "b"]);
    let source = source(&[("a", empty("1")), ("b", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    let _running = keep_running(&fleet);
    reach(&fleet, "a=1 b=1").await;
    bed.change("a", |server| server.silent = true);
    source.set("a", one("2", "v1", "ConfigMap"));
    source.set("b", empty("2"));
    reach(&fleet, "a=2 b=1").await;
    reach(&fleet, "a=2 b=2").await;
    assert_eq!(bed.count("a", "first-lost"), 1);
    assert_eq!(bed.count("a", "first-failed"), 0);
    // Next time it is known not to answer, and passed over.
    source.set("a", empty("3"));
    source.set("b", bad("3"));
    reach(&fleet, "a=2 b=3").await;
    stay(&fleet, "a=2 b=3", 60).await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_ledger_is_searched_before_it_is_told_and_rebuilt_when_confirmed() {
    let bed = Bed::new(&["a", "b"]);
    let source = source(&[("a", empty("1")), ("b", empty("1"))]);
    let fleet = bed.fleet(&source, None).build().unwrap();
    bed.lose_ledger("a");
    let outcomes = fleet.plan().await.unwrap();
    assert_eq!(failures(&outcomes), "a:stuck b:clean");
    let token = outcomes[0]
        .plan
        .as_ref()
        .unwrap()
        .token
        .clone()
        .expect("what would be rebuilt");

    // It is the first one, so b waits, but for b it is no change.
    let outcomes = fleet.apply(&[]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:stuck b:clean");
    let outcomes = fleet.apply(&[token]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:clean b:clean");
    assert_eq!(failures(&fleet.plan().await.unwrap()), "a:clean b:clean");

    // While it is being rebuilt it has not failed: b gets its change, which this server refuses.
    let token = lose(&bed, &fleet).await;
    source.set("b", one("2", "v1", "ConfigMap"));
    let outcomes = fleet.apply(&[token]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:clean b:unclean");

    // And it is waited for where nobody else waits.
    bed.list(&["a"]);
    let token = lose(&bed, &fleet).await;
    let outcomes = fleet.apply(&[token]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:clean");
}

/// Loses the ledger of `a`; what confirms that it is made anew.
async fn lose(bed: &Bed, fleet: &fleet_kube::Fleet) -> String {
    bed.lose_ledger("a");
    let outcomes = fleet.plan().await.unwrap();
    outcomes[0]
        .plan
        .as_ref()
        .unwrap()
        .token
        .clone()
        .expect("what would be rebuilt")
}

#[tokio::test(start_paused = true)]
async fn a_first_that_takes_too_long_has_failed() {
    let bed = Bed::new(&["a", "b"]);
    let map = one("2", "v1", "ConfigMap");
    let source = source(&[("a", map.clone()), ("b", map)]);
    // Recording takes two seconds there.
    let wave = Wave::FirstThenRest {
        first: None,
        first_max: Duration::from_secs(1),
    };
    let fleet = bed.fleet(&source, None).wave(wave).build().unwrap();
    let outcomes = fleet.apply(&[]).await.unwrap();
    assert_eq!(failures(&outcomes), "a:not-converged b:first-failed");
    assert_eq!(
        outcomes[0].failure.as_ref().unwrap().message,
        "not done within 1.0 s"
    );
}
