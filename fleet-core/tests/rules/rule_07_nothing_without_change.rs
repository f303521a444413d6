//! Rule 7: every write has a reason, and nothing is written when nothing would change.

use fleet_core::*;

use super::{Check, guarded, need, options};
use crate::support::*;

fn check(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.tolerant = true;
    let all = || {
        [
            namespace("shop"),
            map("a", "1"),
            secret("s", "eA=="),
            crd(),
            widget("v1", "w"),
        ]
    };
    world.publish("1", all());
    world.pass(Millis::from_mins(1));
    need!(!world.exhausted, "it never rests");
    for sent in world.writes() {
        need!(
            sent.reason.facts.contains_key("revision"),
            "a write without revision: {:?}",
            sent.reason
        );
    }
    world.publish("2", all());
    world.push(Event::Replan);
    world.reset_watches();
    world.run();
    world.pass(Millis::from_mins(120));
    let (sent, records) = (world.requests(), world.records);
    need!(
        sent.is_empty(),
        "{} requests although nothing changed",
        sent.len()
    );
    world.push(Event::Replan);
    need!(
        world.records == records,
        "the ledger was written although nothing changed"
    );

    // In a new process each object is compared once, and none is written.
    world.restart(options(switches));
    world.publish("2", all());
    world.pass(Millis::from_mins(1));
    need!(world.writes().is_empty(), "written although nothing changed");
    need!(
        world.records == records,
        "the ledger was written although nothing changed"
    );

    world.publish(
        "3",
        [
            namespace("shop"),
            map("a", "2"),
            secret("s", "eA=="),
            crd(),
            widget("v1", "w"),
        ],
    );
    let writes = world.writes();
    need!(writes.len() == 1, "{} writes for one change", writes.len());
    let reason = &writes[0].reason;
    need!(
        reason.code == "differs" && reason.facts["fields"] == ".data.k" && reason.facts["revision"] == "3",
        "{reason:?}"
    );
    Ok(())
}

#[test]
fn rule_07_nothing_is_written_when_nothing_would_change() {
    guarded(check, Switches::default().without_nothing_without_change());
}
