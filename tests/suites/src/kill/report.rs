//! How cases came out.

use std::{fmt, time::Duration};

use super::cases::{At, Case, Disturbance};

/// Fewer writes than this would leave too little to be killed at.
const WRITES_MIN: usize = 40;

/// The last writes of a pass may not come in every run: how records are batched differs a little.
const UNSURE: usize = 3;

/// How a case came out.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The case.
    pub case: Case,
    /// Its write came.
    pub reached: bool,
    /// Writes of passes that ended before it came; such a pass is begun again.
    pub missed: Vec<usize>,
    /// Everything that was wrong.
    pub violations: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

/// How all of them came out.
#[derive(Clone, Debug)]
pub struct Report {
    /// Requests of the undisturbed pass that change something.
    pub writes: usize,
    /// The cases.
    pub findings: Vec<Finding>,
}

impl Finding {
    /// What is not as it must be: with all guards nothing is wrong, and without one its absence is noticed.
    fn failure(&self, writes: usize) -> Option<String> {
        if !self.reached {
            let near_the_end = matches!(
                self.case.disturbance,
                Disturbance::Kill(At::Number(number), _) if number + UNSURE > writes
            );
            let missed = &self.missed;
            return (!near_the_end)
                .then(|| format!("the write did not come: the passes had {missed:?} writes"));
        }
        match self.case.without {
            None if self.violations.is_empty() => None,
            None => Some(self.violations.join("; ")),
            Some(guard) => {
                let noticed = self.violations.iter().any(|seen| seen.contains(guard.symptom()));
                (!noticed).then(|| format!("nobody notices that the guard is off: {:?}", self.violations))
            }
        }
    }
}

impl Report {
    /// What is not as it must be, by case.
    pub fn failures(&self) -> Vec<String> {
        let failure =
            |finding: &Finding| Some(format!("{}: {}", finding.case, finding.failure(self.writes)?));
        let few = format!("only {} writes to be killed at", self.writes);
        let few = (self.writes < WRITES_MIN).then_some(few);
        few.into_iter()
            .chain(self.findings.iter().filter_map(failure))
            .collect()
    }
}

/// One line while cases run.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>6.1} s  {}: ", self.took.as_secs_f64(), self.case)?;
        match (self.reached, self.violations.as_slice()) {
            (false, _) => write!(f, "the write did not come ({:?} writes)", self.missed),
            (true, []) => f.write_str("nothing wrong"),
            (true, [first, rest @ ..]) => {
                let first = first.lines().next().unwrap_or_default();
                write!(f, "{first} (and {} more)", rest.len())
            }
        }
    }
}

/// The closing table.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let guarded = |finding: &&Finding| finding.case.without.is_none();
        let (with, without): (Vec<&Finding>, Vec<&Finding>) = self.findings.iter().partition(guarded);
        let unreached = self.findings.iter().filter(|finding| !finding.reached).count();
        let again: usize = self.findings.iter().map(|finding| finding.missed.len()).sum();
        let violations: usize = with.iter().map(|finding| finding.violations.len()).sum();
        let noticed = without
            .iter()
            .filter(|finding| finding.failure(self.writes).is_none())
            .count();
        for (what, count) in [
            ("writes of the pass, ledger included", self.writes),
            ("cases with all guards", with.len()),
            ("violations in them", violations),
            ("cases without a guard", without.len()),
            ("of these, noticed", noticed),
            ("passes that ended before their write", again),
            ("cases whose write never came", unreached),
        ] {
            writeln!(f, "{what:<44} {count:>9}")?;
        }
        Ok(())
    }
}
