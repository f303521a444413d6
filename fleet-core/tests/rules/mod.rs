//! One file a rule or a small group of them; what goes on around the rules is in `around`,
//! `being_deleted`, `contact`, `drift`, `judges`, `life_cycle`, `resting` and `strategies`.

mod around;
mod being_deleted;
mod contact;
mod drift;
mod judges;
mod life_cycle;
mod order;
mod removal;
mod resting;
mod rule_01_unknown;
mod rule_02_write_ahead;
mod rule_03_deletes;
mod rule_04_containers;
mod rule_05_identity;
mod rule_06_incomplete;
mod rule_07_nothing_without_change;
mod rule_08_conflict;
mod rule_09_lost_answers;
mod rule_10_limits;
mod rule_11_contact;
mod rule_12_not_ours;
mod rule_13_recreate;
mod rule_14_contested;
mod rule_15_secrets;
mod rule_16_determinism;
mod strategies;
mod unread;

use fleet_core::{EngineOptions, Switches};

/// What a check answers: an error says what it saw.
type Check = Result<(), String>;

/// The check passes with all guards, and fails without this one.
fn guarded(check: impl Fn(Switches) -> Check, off: Switches) {
    if let Err(why) = check(Switches::default()) {
        panic!("with all guards: {why}");
    }
    assert!(
        check(off).is_err(),
        "the check does not notice that its guard is off"
    );
}

fn options(switches: Switches) -> EngineOptions {
    let mut options = EngineOptions::default();
    options.switches = switches;
    options
}

/// Fails the check, saying what was seen.
macro_rules! need {
    ($condition:expr, $($words:tt)+) => {
        if !$condition {
            return Err(format!($($words)+));
        }
    };
}
use need;
