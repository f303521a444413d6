//! Judges of an embedder's own: each answer counts for what is absent as it does for what is there.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use fleet_core::*;
use serde_json::json;

use crate::support::*;

/// Answers about the map `a`; about all else the server is asked.
#[derive(Clone)]
struct Opinion<F>(F);

impl<F> Judge for Opinion<F>
where
    F: Fn(Subject<'_>) -> Judgement + Send + Sync + 'static,
{
    fn judge(&self, subject: Subject<'_>) -> Judgement {
        if *subject.document.key() == key("a") {
            (self.0)(subject)
        } else {
            ServerJudge.judge(subject)
        }
    }
}

/// The map `a` is to be changed, or made, and this is what the judge says to that.
fn judged(
    present: bool,
    opinion: impl Fn(Subject<'_>) -> Judgement + Send + Sync + 'static,
) -> (World, Arc<AtomicUsize>) {
    let mut world = World::new(EngineOptions::default());
    world.publish(
        "1",
        std::iter::once(namespace("shop")).chain(present.then(|| map("a", "1"))),
    );
    let times = Arc::new(AtomicUsize::new(0));
    let count = times.clone();
    let judge = Opinion(move |subject: Subject<'_>| {
        count.fetch_add(1, Ordering::Relaxed);
        opinion(subject)
    });
    world.restart_with(Parts::default().judge(judge), EngineOptions::default());
    world.publish("2", [namespace("shop"), map("a", "2"), map("b", "1")]);
    (world, times)
}

fn question(subject: &Subject<'_>) -> Request {
    Request::Apply {
        document: subject.document.clone(),
        manager: subject.manager.to_owned(),
        uid: None,
        version: None,
        force: true,
        dry_run: true,
    }
}

fn change(subject: &Subject<'_>) -> Judgement {
    match subject.live {
        None => Judgement::Create(subject.document.clone()),
        Some(_) => Judgement::Update(subject.document.clone(), Vec::new()),
    }
}

#[test]
fn what_a_judge_asks_first_is_asked_and_its_answer_shown_to_it() {
    let questions: [fn(&Subject<'_>) -> Request; 2] = [question, |_| Request::Get {
        key: namespace_key("shop"),
        gvk: GroupKind::new("", "Namespace").at("v1"),
    }];
    for present in [false, true] {
        for ask in questions {
            let (mut world, times) = judged(present, move |subject| match subject.exchanges {
                [] | [_] => Judgement::Ask(ask(&subject)),
                _ => change(&subject),
            });
            world.pass(Millis::from_mins(1));
            assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2", "{present}");
            assert!(
                world.engine.status().is_clean(),
                "{present}: {:?}",
                world.engine.status()
            );
            let (asked, judged) = (world.requests(), times.load(Ordering::Relaxed));
            assert!(asked.len() < 20 && judged < 10, "{judged}: {asked:?}");
        }
    }
}

#[test]
fn what_a_judge_refuses_or_cannot_say_holds_up_nothing_else_and_is_judged_again_later() {
    type Answer = fn(&Subject<'_>) -> Judgement;
    let answers: [(&str, Answer); 4] = [
        ("refused", |_| {
            Judgement::Refused(Fault::new(Remedy::Invalid, "no"))
        }),
        ("unsure", |_| {
            Judgement::Unsure(Fault::new(Remedy::Retry, "not now"))
        }),
        ("stale", |_| Judgement::Stale),
        ("asks in vain", |subject| match subject.exchanges {
            [] => Judgement::Ask(question(subject)),
            _ => Judgement::Refused(Fault::new(Remedy::Policy, "no")),
        }),
    ];
    for present in [false, true] {
        for (name, answer) in answers {
            let later = Arc::new(AtomicUsize::new(0));
            let minds = later.clone();
            let (mut world, times) = judged(present, move |subject| match minds.load(Ordering::Relaxed) {
                0 => answer(&subject),
                _ => change(&subject),
            });
            let tell = format!("{name}, there: {present}");
            world.pass(Millis::from_mins(3));
            assert!(world.get(&key("b")).is_some(), "{tell}");
            let status = world.engine.status();
            assert!(status.refused.contains_key(&key("a")), "{tell}: {status:?}");
            assert!(
                world.engine.is_settled() && status.converged,
                "{tell}: {status:?}"
            );
            let judged = times.load(Ordering::Relaxed);
            assert!((2..40).contains(&judged), "{tell}: judged {judged} times");
            later.store(1, Ordering::Relaxed);
            world.pass(Millis::from_mins(16));
            assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2", "{tell}");
            assert!(
                world.engine.status().is_clean(),
                "{tell}: {:?}",
                world.engine.status()
            );
        }
    }
}

#[test]
fn an_unsure_judge_of_a_create_is_asked_again_soon() {
    let first = AtomicUsize::new(0);
    let (mut world, _) = judged(false, move |subject| {
        if first.fetch_add(1, Ordering::Relaxed) == 0 {
            Judgement::Unsure(Fault::new(Remedy::Retry, "not yet"))
        } else {
            change(&subject)
        }
    });
    let status = world.engine.status();
    let waits = status.waiting.get(&key("a")).map(|r| &*r.code);
    assert_eq!(waits, Some("no-answer"));
    world.pass(Millis::from_secs(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn an_answer_that_does_not_fit_what_is_absent_ends_in_a_word_or_in_a_create() {
    // That applying it changes nothing cannot be: it is said, and looked at again.
    let (world, _) = judged(false, |_| Judgement::Nothing);
    let blocked = world.engine.status().blocked;
    assert_eq!(blocked.get(&key("a")).map(|r| &*r.code), Some("judged-absent"));
    assert!(world.engine.is_settled() && world.get(&key("b")).is_some());
    let (world, _) = judged(false, |subject| {
        Judgement::Update(subject.document.clone(), Vec::new())
    });
    assert!(world.engine.status().is_clean() && world.get(&key("a")).is_some());
}

/// Says that everything is right but for `data.foreign`.
struct Tidy;

impl Judge for Tidy {
    fn judge(&self, subject: Subject<'_>) -> Judgement {
        let foreign = FieldPath::keys(["data", "foreign"]);
        let before = subject.live.and_then(|live| foreign.find(live.object().root()));
        match (ServerJudge.judge(subject), before) {
            (Judgement::Nothing, Some(before)) => {
                let patch = json!([{"op": "remove", "path": "/data/foreign"}]);
                let change = FieldChange {
                    path: foreign,
                    before: Some(before.to_json()),
                    after: None,
                };
                Judgement::Remove(serde_json::from_value(patch).unwrap(), vec![change])
            }
            (other, _) => other,
        }
    }

    fn removes(&self, _: &Object) -> bool {
        true
    }
}

#[test]
fn what_others_added_is_removed_where_the_judge_says_so_and_not_for_ever() {
    let mut world = World::new(EngineOptions::default());
    world.restart_with(Parts::default().judge(Tidy), EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1")]);
    for round in 1..=5 {
        world.edit(&key("a"), "data.foreign", json!("x"), "somebody");
        world.run();
        world.pass(Millis::from_mins(1));
        let left = world.get(&key("a")).unwrap()["data"].get("foreign").is_some();
        assert_eq!(left, round > 3, "round {round}");
    }
    assert!(
        world.engine.status().contested.contains_key(&key("a")),
        "{:?}",
        world.engine.status()
    );
    // Together with a change of its own.
    world.publish("2", [namespace("shop"), map("a", "2")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(world.get(&key("a")).unwrap()["data"], json!({"k": "2"}));
}
