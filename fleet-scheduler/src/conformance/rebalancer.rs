//! What a rebalancer promises.

use super::{
    Findings, Suite, Violation,
    answers::{self, Answers},
};
use crate::{moves::Rebalancer, pipeline::Candidate};

impl Suite {
    /// Runs the suite for a rebalancer.
    ///
    /// The promises:
    /// - `no-panic`, `deterministic`, `order`: as for a [filter](Self::filter).
    /// - `no-crowding`: a cluster is not worth more the fuller it is, or everybody would go where everybody is.
    /// - `no-flapping`: at the same load, a cluster is not worth less once the workload is there, or it would go back again.
    pub fn rebalancer(&self, rebalancer: &dyn Rebalancer) -> Vec<Violation> {
        let mut found = Findings::default();
        answers::laws(self, &rebalancer, &mut found);
        found.into_violations()
    }
}

/// How full clusters are, in millionths; the hostile ones last.
const LOADS: [i64; 8] = [
    0,
    1,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    i64::MAX - 1,
    i64::MAX,
];

impl Answers for &dyn Rebalancer {
    /// The worth at each load.
    type Said = Vec<i64>;

    fn ask(&self, candidate: &Candidate<'_>) -> Vec<i64> {
        LOADS.iter().map(|load| self.worth(candidate, *load)).collect()
    }

    fn look(&self, candidate: &Candidate<'_>, said: &Vec<i64>, what: &str, found: &mut Findings) {
        found.check(
            said.is_sorted_by(|emptier, fuller| emptier >= fuller),
            "no-crowding",
            || format!("{what}: {said:?} at loads {LOADS:?}"),
        );
        let at = |current: u64| Candidate {
            current,
            ..*candidate
        };
        let away = found.ask(|| what.to_owned(), || self.ask(&at(0)));
        let here = found.ask(|| what.to_owned(), || self.ask(&at(3)));
        if let (Some(away), Some(here)) = (away, here) {
            let stays = here.iter().zip(&away).all(|(here, away)| here >= away);
            found.check(stays, "no-flapping", || {
                format!("{what}: {away:?} while it is not there, {here:?} once it is")
            });
        }
    }
}
