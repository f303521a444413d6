//! Rule 8: on a conflict, read again, judge again, and write only what is still right.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn is_write(request: &Request) -> bool {
    matches!(request, Request::Apply { dry_run: false, .. })
}

/// Drift is seen and judged, and undone by somebody just before its repair arrives.
fn undone_just_before(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", [namespace("shop"), map("a", "1")]);
    let before = world.get(&key("a")).unwrap().clone();
    world.edit(&key("a"), "data.k", json!("drift"), "someone");
    world.interfere = Some(Box::new(move |world, request| {
        if is_write(request) && world.objects[request.key()]["data"]["k"] == "drift" {
            world.store(before.clone());
        }
        None
    }));
    world.requests();
    world.run();
    let writes = world.writes();
    need!(!writes.is_empty(), "the drift was not seen");
    need!(
        writes.iter().all(|s| s.code == 409),
        "a repair was written on an old sight of the object"
    );
    need!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    Ok(())
}

#[test]
fn rule_08_conflict_is_judged_again() {
    guarded(undone_just_before, Switches::default().without_judge_again());
}

#[test]
fn rule_08_an_object_that_changes_all_the_time_is_tried_within_limits() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    world.edit(&key("a"), "data.k", json!("drift"), "someone");
    let mut count = 0;
    world.interfere = Some(Box::new(move |world, request| {
        if is_write(request) && request.key().name() == "a" {
            count += 1;
            world.edit(request.key(), "data.other", json!(count.to_string()), "someone");
        }
        None
    }));
    world.requests();
    world.run();
    world.publish("2", [namespace("shop"), map("a", "1"), map("b", "2")]);
    world.pass(Millis::from_mins(2));
    assert!(world.writes().len() < 40, "it waits between its tries");
    assert_eq!(world.get(&key("b")).unwrap()["data"]["k"], "2", "others go on");
    world.interfere = None;
    world.pass(Millis::from_mins(20));
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}
