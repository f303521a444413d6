//! Rule 1: unknown changes nothing; only what says that it is empty is empty.

use fleet_core::*;

use super::{Check, guarded, need, options};
use crate::support::*;

fn check(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    let before = world.keys();
    world.requests();
    world.unknown("the folder cannot be read");
    world.pass(Millis::from_mins(60));
    need!(
        world.keys() == before,
        "unknown changed objects: {:?}",
        world.keys()
    );
    need!(world.writes().is_empty(), "unknown wrote something");

    // Nor in a new process, which never knew.
    world.restart(options(switches));
    world.unknown("the folder cannot be read");
    world.pass(Millis::from_mins(60));
    need!(
        world.keys() == before,
        "unknown changed objects: {:?}",
        world.keys()
    );
    need!(
        world.ledger.as_ref().unwrap().entries.len() == 3,
        "unknown closed entries"
    );

    // Drift of what was listed last waits too: nothing is known of what should be.
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    need!(world.engine.status().is_clean(), "it does not go on afterwards");
    Ok(())
}

#[test]
fn rule_01_unknown_changes_nothing() {
    guarded(check, Switches::default().without_unknown());
}

#[test]
fn rule_01_known_to_be_empty_deletes() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1")]);
    world.publish("2", []);
    assert_eq!(
        world.keys(),
        ["Namespace shop"],
        "it may not go without a permission"
    );
    assert!(world.codes().contains(&"permission-needed".into()));
}

#[test]
fn rule_01_unknown_in_the_middle_of_deletes_stops_them() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    // The answer to the reservation comes after the source stopped answering.
    world.grants = Grants::Silent;
    world.publish("2", [namespace("shop"), map("b", "1")]);
    assert_eq!(world.reserved, [(1, false)]);
    world.unknown("gone");
    world.grants = Grants::Given;
    world.pass(Millis::from_mins(10));
    assert!(world.get(&key("a")).is_some());
    world.publish("2", [namespace("shop"), map("b", "1")]);
    world.pass(Millis::from_mins(10));
    assert!(world.get(&key("a")).is_none());
}
