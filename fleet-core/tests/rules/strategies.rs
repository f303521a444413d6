//! Strategies of an embedder's own: whatever one says of a delete, the pass ends and the delete is not forgotten.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use fleet_core::*;

use crate::support::*;

type Stance = fn(&Work, History<'_>) -> Next;

/// Answers deletes like this until it changes its mind; all else is server-side apply.
struct Stubborn {
    answer: Stance,
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
fn removed(answer: Stance) -> (World, Arc<AtomicBool>) {
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

fn check_tried_again(name: &str, answer: Stance) {
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

/// Sends what server-side apply sends, and takes any answer for the end of it.
struct Credulous;

impl ApplyStrategy for Credulous {
    fn id(&self) -> &'static str {
        "credulous"
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        match history.since {
            [] => ServerSideApply.next(work, history),
            _ => Next::Done,
        }
    }
}

#[test]
fn work_that_is_said_to_be_done_without_an_answer_that_shows_it_is_looked_at() {
    let answers = [
        Answer::Lost(Fault::new(Remedy::Retry, "the connection broke")),
        Answer::Refused(Fault::new(Remedy::Policy, "no").code(403)),
    ];
    for answer in answers {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
        world.restart_with(Parts::default().strategy(Credulous), EngineOptions::default());
        world.tolerant = true;
        let said = answer.clone();
        world.interfere = Some(Box::new(move |_, request| {
            request.is_write().then(|| said.clone())
        }));
        world.requests();
        // One is to be changed, one to be deleted, one to be made.
        world.publish("2", [namespace("shop"), map("a", "2"), map("c", "1")]);
        world.pass(Millis::from_mins(5));
        assert!(!world.exhausted, "{answer:?}: it never rests");
        let status = world.engine.status();
        assert!(world.engine.is_settled(), "{answer:?}: {status:?}");
        let refused: Vec<String> = status.refused.keys().map(ToString::to_string).collect();
        assert_eq!(
            refused,
            ["ConfigMap shop/a", "ConfigMap shop/b", "ConfigMap shop/c"],
            "{answer:?}: {status:?}"
        );
        world.interfere = None;
        world.pass(Millis::from_mins(16));
        assert_eq!(
            world.keys(),
            ["ConfigMap shop/a", "ConfigMap shop/c", "Namespace shop"],
            "{answer:?}"
        );
        assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    }
}
