//! Rule 11, its first sentence: losing contact never changes that cluster's own inventory.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn check(switches: Switches) -> Check {
    let first = || [namespace("shop"), map("a", "1"), map("b", "1"), map("c", "1")];
    let second = || [namespace("shop"), map("a", "1"), map("b", "2")];
    let mut world = World::new(options(switches));
    world.tolerant = true;
    world.publish("1", first());
    world.restart(options(switches));
    world.tolerant = true;
    // Contact is lost before the first object could be read.
    world
        .unlistable
        .extend(world.kinds.kinds.keys().cloned().collect::<Vec<_>>());
    world.mute = true;
    world.interfere = Some(Box::new(|_, _| Some(Answer::Lost(lost()))));
    let (objects, ledger) = (world.keys(), world.ledger.clone());
    world.publish("2", second());
    world.pass(Millis::from_mins(24 * 60));
    need!(world.keys() == objects, "objects changed");
    need!(world.ledger == ledger, "the ledger changed: {:?}", world.ledger);
    need!(world.engine.status().listed == 3, "its inventory changed");

    world.unlistable.clear();
    world.interfere = None;
    world.mute = false;
    world.reset_watches();
    world.run();
    world.pass(Millis::from_mins(16));
    need!(
        world.keys() == ["ConfigMap shop/a", "ConfigMap shop/b", "Namespace shop"],
        "{:?}",
        world.keys()
    );
    need!(
        world.get(&key("b")).unwrap()["data"]["k"] == "2",
        "the plan was forgotten"
    );
    need!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    Ok(())
}

#[test]
fn rule_11_losing_contact_changes_nothing_in_the_cluster() {
    guarded(check, Switches::default().without_contact());
}

#[test]
fn rule_11_what_happened_while_nobody_looked_is_seen_afterwards() {
    let mut world = World::new(EngineOptions::default());
    world.publish(
        "1",
        [namespace("shop"), map("a", "1"), map("b", "1"), map("c", "1")],
    );
    world.deaf = true;
    world.vanish(&key("a"));
    world.edit(&key("b"), "data.k", json!("drift"), "someone");
    let mut bare = world.get(&key("c")).unwrap().clone();
    bare["metadata"]["labels"] = json!({});
    bare["data"]["k"] = json!("drift");
    world.store(bare);
    world.pass(Millis::from_mins(60));
    world.reset_watches();
    world.run();
    for name in ["a", "b", "c"] {
        assert_eq!(world.get(&key(name)).unwrap()["data"]["k"], "1", "{name}");
    }
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}
