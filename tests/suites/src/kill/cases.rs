//! Which cases there are, and which of them a short run takes.

use std::fmt;

use http::Method;

use crate::{
    proxy::{Moment, Write},
    random::Random,
};

/// The seed of short runs.
pub const SEED: u64 = 26;

/// A guard to be switched off.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Guard {
    /// The record before the write.
    WriteAhead,
    /// UID check, UID precondition, resourceVersion precondition, and the look at marks of what is to be deleted.
    Deletes,
}

impl Guard {
    /// As the reconciler's command line has it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::WriteAhead => "write-ahead",
            Self::Deletes => "delete-guards",
        }
    }

    /// What is seen of it when it is missing.
    pub(super) fn symptom(self) -> &'static str {
        match self {
            Self::WriteAhead => "is orphaned",
            Self::Deletes => "of somebody else is gone",
        }
    }
}

/// Which write of a pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum At {
    /// By its number.
    Number(usize),
    /// The first apply of the config map of this name, wherever it comes in the pass.
    Apply(&'static str),
}

impl At {
    pub(super) fn is(self, write: &Write) -> bool {
        match self {
            Self::Number(number) => write.number == number,
            Self::Apply(name) => {
                write.method == Method::PATCH && write.path.ends_with(&format!("/configmaps/{name}"))
            }
        }
    }
}

/// When somebody replaces an object that is about to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Replaced {
    /// While its delete is on its way.
    Meanwhile,
    /// After the reconciler was killed just before its delete.
    AfterKill,
}

/// How a pass is disturbed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Disturbance {
    Kill(At, Moment),
    Replaced(Replaced),
}

/// One pass of A, disturbed, and then B.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Case {
    pub(super) disturbance: Disturbance,
    pub(super) without: Option<Guard>,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.disturbance {
            Disturbance::Kill(at, moment) => {
                match at {
                    At::Number(number) => write!(f, "write {number}, ")?,
                    At::Apply(name) => write!(f, "apply of {name}, ")?,
                }
                f.write_str(match moment {
                    Moment::Before => "not passed on",
                    Moment::Applied => "applied and not answered",
                    Moment::Answered => "answered",
                })?;
            }
            Disturbance::Replaced(Replaced::Meanwhile) => {
                f.write_str("replaced while its delete is on its way")?;
            }
            Disturbance::Replaced(Replaced::AfterKill) => {
                f.write_str("killed before a delete, then replaced")?;
            }
        }
        match self.without {
            Some(guard) => write!(f, ", without {}", guard.word()),
            None => Ok(()),
        }
    }
}

/// Three moments of each write of a pass.
pub(super) fn every_point(writes: usize) -> Vec<Case> {
    let moments = [Moment::Before, Moment::Applied, Moment::Answered];
    let kill = |number, moment| Case {
        disturbance: Disturbance::Kill(At::Number(number), moment),
        without: None,
    };
    (1..=writes)
        .flat_map(|number| moments.map(|moment| kill(number, moment)))
        .collect()
}

/// `count` of these points; the same ones for the same seed and number of points.
pub fn seeded(mut points: Vec<Case>, count: usize, seed: u64) -> Vec<Case> {
    let mut random = Random::new(seed);
    let mut chosen = Vec::new();
    while chosen.len() < count && !points.is_empty() {
        chosen.push(points.swap_remove(random.below(points.len())));
    }
    chosen
}

/// The cases that need a guard, each with it and without it.
pub(super) fn guards() -> Vec<Case> {
    let needs = [
        // B drops `new-2` again: only the record can tell that it is ours.
        (
            Disturbance::Kill(At::Apply("new-2"), Moment::Applied),
            Guard::WriteAhead,
        ),
        (Disturbance::Replaced(Replaced::Meanwhile), Guard::Deletes),
        (Disturbance::Replaced(Replaced::AfterKill), Guard::Deletes),
    ];
    let case = |disturbance, without| Case { disturbance, without };
    needs
        .into_iter()
        .flat_map(|(disturbance, guard)| [None, Some(guard)].map(|without| case(disturbance, without)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_chooses_the_same_points_and_none_twice() {
        let all = every_point(40);
        assert_eq!(all.len(), 120);
        let chosen = seeded(all.clone(), 30, 1);
        assert_eq!(chosen, seeded(all.clone(), 30, 1));
        assert_ne!(chosen, seeded(all.clone(), 30, 2));
        assert!((1..30).all(|i| !chosen[..i].contains(&chosen[i])));
        assert_eq!(seeded(all, 200, 1).len(), 120);
    }
}
