//! Scripts: what happens, and what is to be done about it.

use fleet_core::{EngineOptions, Known, ObjectKey, Reason, Status, Tick, Unknown};

use super::{Act, Offer, Presence, Rollout, Standing};
use crate::Wave;

struct Rig {
    rollout: Rollout,
    now: Tick,
}

/// `2` is a revision, `2*` the same revision kept by other settings.
fn offer(text: &str) -> Offer {
    let mut options = EngineOptions::default();
    if text.ends_with('*') {
        options.default_namespace = "other".to_owned();
    }
    Offer {
        known: Known::Empty(text.trim_end_matches('*').into()),
        options,
    }
}

fn text(offer: &Offer) -> String {
    let star = if offer.options.default_namespace == "other" {
        "*"
    } else {
        ""
    };
    format!("{}{star}", offer.revision())
}

impl Rig {
    fn present(&mut self, names: &[&str], presence: Presence) -> Vec<Act> {
        for name in names {
            self.rollout.present(name, presence, self.now);
        }
        self.rollout.step(None, self.now)
    }

    fn standing(
        &mut self,
        revision: &str,
        converged: bool,
        troubles: usize,
        stuck: Option<&str>,
    ) -> Vec<Act> {
        let standing = Standing {
            revision: Some(revision.into()),
            converged,
            troubles,
            stuck: stuck.map(str::to_owned),
        };
        self.rollout.step(Some(&standing), self.now)
    }

    fn run(&mut self, line: &str) -> Vec<Act> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (what, rest) = words.split_first().unwrap();
        match (*what, rest) {
            ("join", names) => self.present(names, Presence::Here { contact: true }),
            ("mute", names) => self.present(names, Presence::Here { contact: false }),
            ("try", names) => self.present(names, Presence::Trying),
            ("away", names) => self.present(names, Presence::Away),
            ("hold" | "free", names) => {
                for name in names {
                    self.rollout.hold(name, *what == "hold", self.now);
                }
                self.rollout.step(None, self.now)
            }
            ("plan-held", []) => self.rollout.plan_held(),
            ("stay", names) => {
                self.rollout
                    .retain(&names.iter().map(|n| (*n).to_owned()).collect());
                self.rollout.step(None, self.now)
            }
            ("read", answers) => {
                let answers = answers.iter().map(|answer| {
                    let (name, what) = answer.split_once('=').unwrap();
                    let answer = if what == "?" {
                        Err(Unknown::because("?"))
                    } else {
                        Ok(offer(what))
                    };
                    (name.to_owned(), answer)
                });
                self.rollout.take(answers.collect::<Vec<_>>(), self.now)
            }
            ("wait", [seconds]) => {
                self.now = Tick(self.now.0 + seconds.parse::<u64>().unwrap() * 1000);
                self.rollout.step(None, self.now)
            }
            ("clean", [revision]) => self.standing(revision, true, 0, None),
            ("busy", [revision]) => self.standing(revision, false, 1, None),
            ("troubles", [revision]) => self.standing(revision, true, 3, None),
            ("stuck", [revision]) => self.standing(revision, false, 0, Some("ledger")),
            ("looked", [name, what, changes]) => {
                let changes = changes.parse().ok();
                self.rollout.looked(name, &offer(what), changes, self.now)
            }
            ("again", [name]) => {
                let given = self.rollout.again(name, true);
                given
                    .into_iter()
                    .map(|offer| Act::Give {
                        to: (*name).to_owned(),
                        offer,
                    })
                    .collect()
            }
            ("replaced", [name]) => {
                assert!(self.rollout.again(name, false).is_none());
                Vec::new()
            }
            _ => panic!("{line}"),
        }
    }
}

fn words(act: &Act) -> String {
    match act {
        Act::Give { to, offer } => format!("{to}={}", text(offer)),
        Act::Tell { to, .. } => format!("{to}=?"),
        Act::Look { at, offer } => format!("look {at}={}", text(offer)),
        Act::Say { about, reason } => format!("{about}:{}", reason.code),
    }
}

/// Each line is `what happens -> what is done`.
fn check(first: Option<&str>, script: &str) {
    let policy = Wave::FirstThenRest {
        first: first.map(str::to_owned),
        first_max: std::time::Duration::from_secs(300),
    };
    play(policy, script);
}

fn play(policy: Wave, script: &str) -> Rollout {
    let mut rig = Rig {
        rollout: Rollout::new(policy),
        now: Tick(1_000_000),
    };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (input, expected) = line.split_once("->").unwrap_or((line, ""));
        let acts: Vec<String> = rig.run(input).iter().map(words).collect();
        assert_eq!(acts.join(" "), expected.trim(), "`{line}` of\n{script}");
    }
    rig.rollout
}

/// All have revision 1.
const AT_ONE: &str = "
    join a b c
    read a=1 b=1 c=1 -> a=1
    clean 1 -> b=1 c=1
";

fn from_one(script: &str) {
    check(None, &format!("{AT_ONE}{script}"));
}

#[test]
fn one_goes_first_and_the_rest_follow_when_it_is_done() {
    from_one(
        "read a=2 b=2 c=2 -> a=2
         busy 2
         clean 2 -> b=2 c=2
         read a=2 b=2 c=2
         wait 1000",
    );
}

#[test]
fn a_first_that_fails_holds_the_rest_and_is_told_once() {
    for verdict in ["troubles 2", "stuck 2"] {
        from_one(&format!(
            "read a=2 b=2 c=2 -> a=2
             {verdict} -> a:first-failed
             {verdict}
             read a=2 b=2 c=2
             wait 1000
             clean 2 -> b=2 c=2 a:first-recovered"
        ));
    }
}

#[test]
fn a_first_that_takes_too_long_has_failed() {
    from_one(
        "read a=2 b=2 c=2 -> a=2
         wait 299
         busy 2
         wait 1 -> a:first-failed",
    );
}

#[test]
fn what_is_said_about_an_earlier_revision_is_no_verdict() {
    from_one(
        "read a=2 b=2 c=2 -> a=2
         troubles 1
         clean 1
         stuck 1
         wait 10
         clean 2 -> b=2 c=2",
    );
}

#[test]
fn an_unknown_answer_in_the_middle_forgets_nothing() {
    from_one(
        "read a=2 b=2 c=2 -> a=2
         troubles 2 -> a:first-failed
         read a=2 b=? c=? -> b=? c=?
         read a=? b=? c=? -> a=? b=? c=?
         wait 1000
         read a=2 b=2 c=2 -> a=2 b=1 c=1
         wait 1000",
    );
    // What is unknown at the moment gets no change either, and gets it later.
    from_one(
        "read a=2 b=2 c=2 -> a=2
         read a=2 b=? c=2 -> b=?
         clean 2 -> c=2
         read a=2 b=2 c=2 -> b=1 b=2",
    );
}

#[test]
fn what_is_published_during_a_wave_is_a_wave_of_its_own() {
    // Of the first one as well: the old wave is off.
    from_one(
        "read a=2 b=2 c=2 -> a=2
         read a=3 b=3 c=3 -> a=3
         clean 2
         clean 3 -> b=3 c=3",
    );
    // Of others only: they get neither unseen, and what is outdated never.
    from_one(
        "read a=2 b=2 c=2 -> a=2
         read a=2 b=3 c=3
         clean 2 -> b=3
         clean 3 -> c=3",
    );
    // Nothing else comes past a first one that failed, but the way back does.
    from_one(
        "read a=2 b=2 c=2 -> a=2
         troubles 2 -> a:first-failed
         read a=2 b=3 c=3
         wait 1000
         read a=1 b=1 c=1 -> a=1
         read a=2 b=2 c=2 -> a=2",
    );
}

#[test]
fn other_settings_are_a_change_too() {
    from_one(
        "read a=1* b=1* c=1* -> a=1*
         clean 1 -> b=1* c=1*",
    );
}

#[test]
fn a_first_that_goes_silent_holds_nobody_up() {
    from_one(
        "read a=2 b=2 c=2 -> a=2
         mute a
         wait 9
         join a
         mute a
         wait 9
         wait 1 -> a:first-lost b=2
         clean 2 -> c=2",
    );
    // With nobody else to go first it is waited for, and its time begins anew.
    from_one(
        "read a=2 b=2 -> a=2
         mute a b
         wait 1000
         join a
         wait 299
         wait 1 -> a:first-failed",
    );
}

#[test]
fn a_named_first_is_waited_for_while_first_attempts_last() {
    check(
        Some("canary"),
        "try a canary z
         join a
         read a=1
         join z
         read a=1 z=1
         wait 8
         join canary
         read a=1 canary=1 z=1 -> canary=1
         clean 1 -> a=1 z=1",
    );
    // Not longer than first attempts may last, and not at all if it certainly is not there.
    check(
        Some("canary"),
        "try a canary
         join a
         read a=1
         wait 9
         wait 1 -> a=1
         join canary
         read a=1 canary=1
         clean 1 -> canary=1",
    );
    check(
        Some("canary"),
        "try a canary
         join a
         read a=1
         away canary -> a=1",
    );
}

#[test]
fn a_named_first_that_comes_back_is_read_for_before_another_is_chosen() {
    check(
        Some("z"),
        "join a
         away z
         read a=1 -> a=1
         clean 1
         wait 100
         join z
         read a=2
         read a=2 z=2 -> z=2",
    );
}

#[test]
fn a_silent_cluster_is_never_the_first() {
    check(
        Some("b"),
        "join a b c
         mute a b
         read a=1 b=1 c=1 -> c=1
         clean 1 -> a=1 b=1",
    );
}

#[test]
fn after_a_restart_clusters_are_looked_at_when_the_first_is_slow_or_fails() {
    check(
        None,
        "join a b c
         read a=2 b=2 c=2 -> a=2
         wait 4
         wait 1 -> look b=2 look c=2
         wait 1
         looked b 2 0 -> b=2
         looked c 2 7 -> c:waits-for-first
         troubles 2 -> a:first-failed
         wait 1000
         read a=2 b=2 c=2
         read a=3 b=3 c=3 -> a=3
         clean 3 -> b=3 c=3",
    );
    // A look that came to nothing changes nothing; one at an outdated offer neither.
    check(
        None,
        "join a b c
         read a=2 b=2 c=2 -> a=2
         troubles 2 -> a:first-failed look b=2 look c=2
         looked b 2 none
         read a=2 b=2 c=4 -> look c=4
         looked c 2 0
         looked c 4 0 -> c=4",
    );
    // Nor does one that ends while the answer is unknown.
    check(
        None,
        "join a b
         read a=2 b=2 -> a=2
         troubles 2 -> a:first-failed look b=2
         read b=? -> b=?
         looked b 2 0",
    );
    // What was given something is not looked at: it is kept at that.
    from_one("read a=2 b=2 c=2 -> a=2\n troubles 2 -> a:first-failed\n wait 100");
}

#[test]
fn a_cluster_that_joins_later_is_looked_at_while_a_wave_has_failed() {
    from_one(
        "join d
         read a=1 b=1 c=1 d=1 -> d=1
         wait 1
         read a=2 b=2 c=2 d=2 -> a=2
         troubles 2 -> a:first-failed
         join e
         read a=2 b=2 c=2 d=2 e=2 -> look e=2
         looked e 2 5 -> e:waits-for-first
         clean 2 -> b=2 c=2 d=2 a:first-recovered e=2",
    );
}

#[test]
fn the_first_of_a_failed_wave_stays_the_first() {
    from_one(
        "mute a
         read a=2 b=2 c=2 -> b=2
         troubles 2 -> b:first-failed
         join a
         read a=3 b=3 c=3 -> b=3
         clean 3 -> a=3 c=3",
    );
}

#[test]
fn what_is_on_hold_does_not_go_first() {
    from_one(
        "hold a
         read a=2 b=2 c=2 -> b=2
         clean 2 -> a=2 c=2",
    );
    // Its window closes while it has the change.
    from_one(
        "read a=2 b=2 c=2 -> a=2
         hold a -> a:first-lost b=2
         clean 2 -> c=2",
    );
    // Nobody is open: the first that opens goes first.
    from_one(
        "hold a b c
         read a=2 b=2 c=2
         wait 1000
         free b c -> b=2
         clean 2 -> a=2 c=2",
    );
    // With nobody else to go first it is waited for, and its time begins anew.
    from_one(
        "hold b c
         read a=2 b=2 c=2 -> a=2
         hold a
         wait 1000
         free a
         wait 299
         wait 1 -> a:first-failed",
    );
    // Whoever does not wait has it planned where nothing is written.
    from_one(
        "hold a b c
         read a=2 b=2 c=2
         plan-held -> a=2 b=2 c=2",
    );
}

#[test]
fn a_new_driver_gets_what_the_cluster_was_given_last() {
    from_one(
        "read a=2 b=2 c=2 -> a=2
         again b -> b=1
         again a -> a=2
         replaced c
         clean 2 -> b=2 c=2",
    );
}

#[test]
fn a_first_that_leaves_the_fleet_is_replaced() {
    from_one(
        "read a=2 b=2 c=2 -> a=2
         stay b c -> b=2
         clean 2 -> c=2",
    );
}

#[test]
fn without_waves_all_get_it_at_once() {
    play(
        Wave::All,
        "try a\n join b c\n read b=1 c=1 -> b=1 c=1\n join a\n read a=1 b=1 c=? -> c=? a=1\n read c=1 -> c=1",
    );
}

#[test]
fn contested_fields_are_no_failure() {
    let key = ObjectKey::new("", "ConfigMap", Some("default"), "a");
    let mut status = Status::default();
    status.converged = true;
    status
        .contested
        .insert(key.clone(), [(".data.k".to_owned(), "other".to_owned())].into());
    assert_eq!(Standing::from(&status).troubles, 0);
    status.blocked.insert(key.clone(), Reason::new("x", "x"));
    status.refused.insert(key, Reason::new("x", "x"));
    assert_eq!(Standing::from(&status).troubles, 2);
}
