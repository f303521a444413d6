//! Rule 2: the record comes first. A process is killed at every write, ledger writes counted, and the next one, with
//! the same or another inventory, neither loses nor orphans anything.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::*;
use serde_json::Value;

use super::{Check, guarded, need, options};
use crate::support::*;

/// Before the pass that is killed.
fn first() -> Vec<Value> {
    vec![
        namespace("shop"),
        map("keep", "1"),
        map("change", "1"),
        map("drop-1", "1"),
        map("drop-2", "1"),
        secret("drop-3", "eA=="),
    ]
}

fn second() -> Vec<Value> {
    vec![
        namespace("shop"),
        map("keep", "1"),
        map("change", "2"),
        map("new-1", "1"),
        map("new-2", "1"),
        secret("new-3", "eA=="),
        crd(),
        widget("v1", "new-4"),
        widget("v1", "new-5"),
        namespace("other"),
        map_in("other", "new-6", "1"),
    ]
}

/// Without every second new object, and with one that was dropped back again.
fn third() -> Vec<Value> {
    vec![
        namespace("shop"),
        map("keep", "1"),
        map("change", "3"),
        map("drop-2", "2"),
        map("new-2", "1"),
        crd(),
        widget("v1", "new-5"),
        namespace("other"),
    ]
}

fn uid(world: &World, name: &str) -> String {
    world.get(&key(name)).unwrap()["metadata"]["uid"].to_string()
}

/// The pass from the first to the second inventory, killed there.
fn killed(switches: Switches, kill: Option<Kill>, wait: bool) -> World {
    let mut world = World::new(options(switches));
    world.publish("1", first());
    world.steps = 0;
    world.kill = kill;
    world.publish("2", second());
    if wait {
        world.pass(Millis::from_mins(5));
    }
    world
}

fn settle(world: &mut World, switches: Switches, after: &[Value]) -> Check {
    let kept = uid(world, "keep");
    let deleted_before = world.requests();
    let wrongly = |sent: &[Sent]| {
        let deletes = sent
            .iter()
            .filter(|s| matches!(s.request, Request::Delete { .. }));
        let mut names = deletes.map(|s| s.request.key().name().to_owned());
        names.find(|name| name == "keep" || name == "change" || name == "shop")
    };
    need!(wrongly(&deleted_before).is_none(), "a listed object was deleted");
    world.restart(options(switches));
    world.publish("3", after.iter().cloned());
    world.pass(Millis::from_mins(5));
    let wanted: BTreeSet<ObjectKey> = after.iter().map(|v| object(v.clone()).key().clone()).collect();
    let found: BTreeSet<ObjectKey> = world.objects.keys().cloned().collect();
    let lost: Vec<_> = wanted.difference(&found).collect();
    let orphaned: Vec<_> = found.difference(&wanted).collect();
    need!(lost.is_empty(), "lost: {lost:?}");
    need!(orphaned.is_empty(), "orphaned: {orphaned:?}");
    for value in after {
        let key = object(value.clone()).key().clone();
        let live = &world.objects[&key];
        need!(value.get("data") == live.get("data"), "{key} differs");
        need!(
            world.engine.marks().read(&object(live.clone())) == MarkState::Ours,
            "{key} has no mark"
        );
    }
    let entries: BTreeMap<ObjectKey, Entry> = world.ledger.clone().unwrap_or_default().entries;
    need!(
        entries.keys().cloned().collect::<BTreeSet<_>>() == wanted,
        "the ledger holds {:?}",
        entries.keys()
    );
    for (key, entry) in &entries {
        need!(
            entry.state == EntryState::Owned && entry.uid.is_some(),
            "the entry of {key} is {entry:?}"
        );
    }
    need!(uid(world, "keep") == kept, "an unchanged object was made again");
    need!(
        wrongly(&world.requests()).is_none(),
        "a listed object was deleted"
    );
    need!(
        world.engine.status().is_clean(),
        "not clean: {:?}",
        world.engine.status()
    );
    Ok(())
}

fn check(switches: Switches) -> Check {
    let writes = killed(switches, None, true).steps;
    need!(writes >= 15, "only {writes} writes to be killed at");
    for after in [second(), third()] {
        for at in 0..writes {
            for moment in [Moment::Before, Moment::After] {
                let kill = Kill { at, moment };
                let mut world = killed(switches, Some(kill), true);
                need!(world.killed, "{kill:?} was not reached");
                settle(&mut world, switches, &after).map_err(|why| format!("{kill:?}: {why}"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn rule_02_killed_at_any_write_nothing_is_lost_or_orphaned() {
    guarded(check, Switches::default().without_write_ahead());
}

fn record_first(switches: Switches) -> Check {
    let world = killed(switches, None, true);
    let mut recorded: BTreeSet<String> = BTreeSet::new();
    for line in &world.log {
        if let Some(writes) = line.strip_prefix("Record ") {
            let puts = writes
                .split("key: ")
                .skip(1)
                .filter_map(|rest| rest.split(',').next());
            recorded.extend(puts.map(str::to_owned));
        } else if line.starts_with("Send ") && line.contains("dry_run: false") {
            let about = line
                .split("Object(")
                .nth(1)
                .and_then(|rest| rest.rsplit_once(' '));
            let key = line
                .split("Object(")
                .nth(1)
                .and_then(|rest| rest.split(')').next())
                .and_then(|rest| rest.rsplit_once(' '))
                .map(|(key, _)| key.to_owned());
            need!(
                key.as_ref().is_some_and(|key| recorded.contains(key)),
                "{key:?} was written before it was recorded ({about:?})"
            );
        }
    }
    Ok(())
}

#[test]
fn rule_02_the_record_comes_before_the_write() {
    guarded(record_first, Switches::default().without_write_ahead());
}

/// Somebody deletes each object as soon as it is made, once; answers and events come in any order.
fn made_twice(switches: Switches, seed: u64, kill: Option<Kill>) -> World {
    let mut world = World::new(options(switches));
    world.shuffle = Some(seed);
    world.kill = kill;
    let mut deleted = BTreeSet::new();
    world.interfere = Some(Box::new(move |world, request| {
        let key = request.key().clone();
        let made = !world.objects.contains_key(&key)
            && matches!(request, Request::Apply { dry_run: false, .. })
            && deleted.insert(key.clone());
        made.then(|| {
            let answer = world.serve(request);
            world.vanish(&key);
            answer
        })
    }));
    world.publish("1", [map_in("default", "a", "1"), map_in("default", "b", "1")]);
    world
}

#[test]
fn rule_02_an_object_made_twice_is_ours_both_times() {
    for seed in 0..200 {
        let world = made_twice(Switches::default(), seed, None);
        assert!(
            world.engine.status().is_clean(),
            "seed {seed}: {:?}",
            world.engine.status()
        );
        for at in 0..world.steps {
            for moment in [Moment::Before, Moment::After] {
                let mut world = made_twice(Switches::default(), seed, Some(Kill { at, moment }));
                world.interfere = None;
                world.restart(options(Switches::default()));
                world.publish("1", [map_in("default", "a", "1"), map_in("default", "b", "1")]);
                let status = world.engine.status();
                assert!(
                    status.is_clean(),
                    "seed {seed}, killed at {at} {moment:?}: {status:?}"
                );
            }
        }
    }
}
