//! Rule 15: values of Secrets appear nowhere.

use std::fmt::Write as _;

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

const VALUES: [&str; 4] = [
    "c2VjcmV0LW9uZQ==",
    "c2VjcmV0LXR3bw==",
    "c2VjcmV0LXRocmVl",
    "c2VjcmV0LWZvdXI=",
];

fn check(switches: Switches) -> Check {
    let mut said = String::new();
    let mut hear = |world: &mut World| {
        said.push_str(&world.log.join("\n"));
        world.log.clear();
        for note in &world.notes {
            said.push_str(&serde_json::to_string(note).unwrap());
            write!(said, "{note:?}").unwrap();
        }
        let (plan, status) = (world.engine.plan(), world.engine.status());
        said.push_str(&serde_json::to_string(&plan).unwrap());
        said.push_str(&serde_json::to_string(&status.refused).unwrap_or_default());
        write!(said, "{plan:?}{status:?}").unwrap();
        said.push_str(
            &serde_json::to_string(
                &world
                    .ledger
                    .as_ref()
                    .map(|l| l.entries.values().cloned().collect::<Vec<_>>()),
            )
            .unwrap(),
        );
    };
    let mut world = World::new(options(switches));
    world.publish(
        "1",
        [
            namespace("shop"),
            secret("s", VALUES[0]),
            secret("twice", VALUES[0]),
        ],
    );
    hear(&mut world);
    world.publish(
        "2",
        [
            namespace("shop"),
            secret("s", VALUES[1]),
            secret("twice", VALUES[0]),
        ],
    );
    hear(&mut world);
    let s = ObjectKey::new("", "Secret", Some("shop"), "s");
    for _ in 0..5 {
        world.edit(&s, "data.password", json!(VALUES[2]), "rotator");
        world.run();
        hear(&mut world);
    }
    // A plan that would change one, and one that somebody else made.
    let mut dry = options(switches);
    dry.approval = Approval::Never;
    dry.adoption = Adoption::AdoptEqual;
    world.restart(dry);
    world.make(secret("theirs", VALUES[3]));
    world.publish(
        "3",
        [
            namespace("shop"),
            secret("s", VALUES[0]),
            secret("theirs", VALUES[1]),
        ],
    );
    hear(&mut world);
    world.restart(options(switches));
    world.publish("4", [namespace("shop")]);
    hear(&mut world);
    need!(said.contains("Secret"), "nothing was said at all");
    for value in VALUES {
        need!(!said.contains(value), "a value was said");
    }
    Ok(())
}

#[test]
fn rule_15_secrets_are_said_nowhere() {
    guarded(check, Switches::default().without_mask());
}
