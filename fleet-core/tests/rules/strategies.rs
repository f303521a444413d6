//! Strategies of an embedder's own: whatever one says of a delete, the pass ends and the delete is not forgotten.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use fleet_core::*;

use crate::support::*;

/// Answers deletes like this until it changes its mind; all else is server-side apply.
struct Stubborn {
    answer: fn(&Work, History<'_>) -> Next,
    gives_in: Arc<AtomicBool>,
}

impl ApplyStrategy for Stubborn {
    fn id(&self) -> &'static str {
        "stubborn"
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        if matches!(work, Work::Delete { .. }) && !self.gives_in.load(Ordering::Relaxed) {
            (self.answer)(work, history)
        } else {
            ServerSideApply.next(work, history)
        }
    }
}

/// A map and its namespace are to go, and the strategy has its own mind about the map.
fn removed(answer: fn(&Work, History<'_>) -> Next) -> (World, Arc<AtomicBool>) {
    let mut options = EngineOptions::default();
    options.permitted_kinds = [GroupKind::new("", "Namespace")].into();
    let mut world = World::new(options.clone());
    world.publish("1", [namespace("shop"), map("a", "1"), namespace("other")]);
    let gives_in = Arc::new(AtomicBool::new(false));
    let strategy = Stubborn {
        answer,
        gives_in: gives_in.clone(),
    };
    world.restart_with(Parts::default().strategy(strategy), options);
    (world, gives_in)
}

fn check_tried_again(name: &str, answer: fn(&Work, History<'_>) -> Next) {
    let (mut world, gives_in) = removed(answer);
    world.publish("2", [namespace("other")]);
    world.pass(Millis::from_mins(3));
    let status = world.engine.status();
    assert!(
        world.engine.is_settled() && status.converged,
        "{name}: {status:?}"
    );
    assert!(
        status.blocked.contains_key(&key("a")) || status.refused.contains_key(&key("a")),
        "{name}: {status:?}"
    );
    assert_eq!(world.keys().len(), 3, "{name}: what goes after it waits");
    assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 3, "{name}");
    gives_in.store(true, Ordering::Relaxed);
    world.pass(Millis::from_mins(16));
    assert_eq!(world.keys(), ["Namespace other"], "{name}");
    assert!(
        world.engine.status().is_clean(),
        "{name}: {:?}",
        world.engine.status()
    );
}

#[test]
fn a_delete_that_is_said_to_be_done_at_once_is_looked_at_now_and_then() {
    check_tried_again("done", |_, _| Next::Done);
    check_tried_again("look", |_, _| Next::Look);
}

#[test]
fn a_declined_delete_is_tried_again_now_and_then_and_holds_back_what_goes_after_it() {
    check_tried_again("declined", |_, _| {
        Next::Declined(Reason::new("not-today", "not today"))
    });
}
