//! Contact: which state follows from what is heard, and when.

use fleet_core::{ContactLimits, ContactState, ContactStatus, Heard, Millis, Tick};
use proptest::prelude::*;

const START: Tick = Tick(1_750_000_000_000);

fn at(secs: u64) -> Tick {
    START + Millis::from_secs(secs)
}

/// Each line is `second what -> state since`; `ok` is an answer, a number the failures since the last one.
fn check(script: &str) {
    let limits = ContactLimits::default();
    let mut contact: Option<ContactStatus> = None;
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (input, expect) = line.split_once(" -> ").unwrap();
        let (second, what) = input.split_once(' ').unwrap();
        let now = at(second.parse().unwrap());
        let heard = what.parse().map_or(Heard::Answer, Heard::silence);
        match &mut contact {
            None => contact = Some(ContactStatus::first(heard, &limits, now)),
            Some(contact) => drop(contact.hear(heard, &limits, now)),
        }
        let seen = contact.unwrap();
        let seen = format!("{} {}", seen.state, seen.since.since(START).0 / 1000);
        assert_eq!(seen, expect, "`{line}` of\n{script}");
    }
}

#[test]
fn silence_makes_it_worse_step_by_step() {
    check(
        "0 ok -> online 0
         100 1 -> online 0
         109 2 -> online 0
         110 2 -> degraded 110
         159 9 -> degraded 110
         160 9 -> unreachable 160
         999 99 -> unreachable 160
         1000 99 -> lost 1000
         99999 999 -> lost 1000",
    );
    // Many failures are no interruption.
    check(
        "0 ok -> online 0
         1 1 -> online 0
         2 3 -> degraded 2",
    );
    // Nobody asked for long.
    check(
        "0 ok -> online 0
         1 1 -> online 0
         2000 2 -> lost 2000",
    );
    check(
        "0 1 -> online 0
         15 1 -> degraded 15",
    );
}

#[test]
fn it_must_answer_for_a_while_to_be_online_again() {
    check(
        "0 ok -> online 0
         1 1 -> online 0
         1000 9 -> lost 1000
         1001 ok -> degraded 1001
         1030 ok -> degraded 1001
         1031 ok -> online 1031",
    );
    // It comes and goes: one change, and no more.
    check(
        "0 ok -> online 0
         1 3 -> degraded 1
         10 ok -> degraded 1
         20 1 -> degraded 1
         30 ok -> degraded 1
         40 5 -> degraded 1
         50 ok -> degraded 1
         79 ok -> degraded 1
         80 ok -> online 80",
    );
    // A short interruption is none.
    check(
        "0 ok -> online 0
         1 1 -> online 0
         9 2 -> online 0
         10 ok -> online 0
         11 1 -> online 0
         20 2 -> online 0",
    );
}

#[test]
fn what_was_stored_goes_on() {
    let limits = ContactLimits::default();
    let mut contact = ContactStatus::first(Heard::silence(1), &limits, at(0));
    contact.hear(Heard::silence(9), &limits, at(1000));
    let text = serde_json::to_string(&contact).unwrap();
    let mut next: ContactStatus = serde_json::from_str(&text).unwrap();
    assert_eq!(next, contact);
    // A day later, in another process.
    assert!(!next.hear(Heard::silence(1), &limits, at(86_400)));
    assert_eq!((next.state, next.since), (ContactState::Lost, at(1000)));
}

proptest! {
    /// Whatever is heard whenever: states move along these edges, `since` moves only with the state, and the state is
    /// what the silence until now says.
    #[test]
    fn states_move_along_few_edges(
        steps in proptest::collection::vec((0..400_u64, proptest::option::of(1..5_u64)), 1..40),
    ) {
        let limits = ContactLimits::default();
        let mut now = 0;
        let mut contact: Option<ContactStatus> = None;
        let (mut silent_since, mut answers_since) = (None, None);
        for (wait, failures) in steps {
            now += wait;
            let heard = failures.map_or(Heard::Answer, Heard::silence);
            if failures.is_some() {
                silent_since.get_or_insert(now);
                answers_since = None;
            } else {
                silent_since = None;
                answers_since.get_or_insert(now);
            }
            let before = contact;
            let after = match contact {
                None => ContactStatus::first(heard, &limits, at(now)),
                Some(mut contact) => {
                    let changed = contact.hear(heard, &limits, at(now));
                    prop_assert_eq!(Some(contact.state) != before.map(|b| b.state), changed);
                    contact
                }
            };
            contact = Some(after);
            if let Some(before) = before {
                use ContactState::{Degraded, Lost, Online, Unreachable};
                let is_edge = matches!(
                    (before.state, after.state),
                    (Online, Degraded | Unreachable | Lost)
                        | (Degraded, Online | Unreachable | Lost)
                        | (Unreachable, Degraded | Lost)
                        | (Lost, Degraded)
                );
                prop_assert!(is_edge || before.state == after.state, "{before:?} {after:?}");
                let since = if before.state == after.state { before.since } else { at(now) };
                prop_assert_eq!(after.since, since);
                if after.state == Online && before.state != Online {
                    prop_assert!(answers_since.is_some_and(|since| now - since >= 30));
                }
            }
            let silence = silent_since.map_or(0, |since| now - since);
            prop_assert_eq!(silence >= 900, after.state == ContactState::Lost);
            prop_assert!(silence < 60 || after.state >= ContactState::Unreachable);
        }
    }
}
