//! Rule 16: the same events give the same commands, byte for byte.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn story(switches: Switches) -> String {
    let mut world = World::new(options(switches));
    let maps = |range: std::ops::Range<u32>| range.map(|i| map(&format!("m-{i:02}"), "1"));
    world.publish(
        "1",
        maps(0..60).chain([namespace("shop"), crd(), widget("v1", "w")]),
    );
    world.edit(&key("m-30"), "data.k", json!("drift"), "someone");
    world.vanish(&key("m-31"));
    world.run();
    world.interfere = Some(Box::new(|_, request| {
        (request.key().name() == "m-50").then(|| Answer::Lost(lost()))
    }));
    world.publish("2", maps(5..65).chain([namespace("shop"), crd()]));
    world.pass(Millis::from_mins(10));
    world.interfere = None;
    world.pass(Millis::from_mins(10));
    world.restart(options(switches));
    world.publish("3", maps(10..60).chain([namespace("shop")]));
    world.pass(Millis::from_mins(10));
    world.log.join("\n")
}

fn check(switches: Switches) -> Check {
    let (once, again) = (story(switches), story(switches));
    need!(once.len() > 10_000, "little was said");
    need!(once == again, "two runs differ");
    Ok(())
}

#[test]
fn rule_16_determinism_same_events_same_commands() {
    guarded(check, Switches::default().without_order());
}
