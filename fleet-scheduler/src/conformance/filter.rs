//! What a filter promises.

use std::borrow::Cow;

use fleet_core::Tick;

use super::{
    Findings, Suite, Violation,
    answers::{self, Answers},
    findings::is_kebab,
};
use crate::{
    model::{Target, Workload},
    pipeline::{Basis, Candidate, Filter, Pass},
};

impl Suite {
    /// Runs the suite for a filter.
    ///
    /// The promises:
    /// - `named`: its name is in kebab-case.
    /// - `no-panic`: it answers, whatever the numbers.
    /// - `deterministic`: asked again, it says the same.
    /// - `order`: the answer depends neither on the order clusters are listed in nor on their names.
    /// - `passes-as-check`: both ways of asking have one answer.
    /// - `says-why`: a refusal has a code in kebab-case and words for people.
    /// - `until`: a cluster passes for as long as was said, and that is later than now.
    /// - `basis-nothing`: on [`Basis::Nothing`] every cluster passes, always.
    /// - `basis-key`: workloads with one key get one answer where nothing runs.
    /// - `basis-cluster`: on [`Basis::Cluster`] neither placements, nor room, nor other clusters change the answer.
    /// - `basis-time`: nor does time, but as was said; a refusal lasts.
    pub fn filter(&self, filter: &dyn Filter) -> Vec<Violation> {
        let mut found = Findings::default();
        found.name(filter.name());
        answers::laws(self, &filter, &mut found);
        found.into_violations()
    }
}

impl Answers for &dyn Filter {
    type Said = Result<Pass, Cow<'static, str>>;

    fn ask(&self, candidate: &Candidate<'_>) -> Self::Said {
        self.check(candidate).map_err(|reason| reason.code)
    }

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        Filter::basis(*self, workload, target)
    }

    fn look(&self, candidate: &Candidate<'_>, said: &Self::Said, what: &str, found: &mut Findings) {
        if let Some(passes) = found.ask(|| what.to_owned(), || self.passes(candidate)) {
            found.check(passes == said.as_ref().ok().copied(), "passes-as-check", || {
                format!("{what}: check says {said:?}, passes {passes:?}")
            });
        }
        match said {
            Err(code) => {
                let reason = found.ask(|| what.to_owned(), || self.check(candidate).err());
                let has_words = reason.flatten().is_none_or(|reason| !reason.message.is_empty());
                found.check(is_kebab(code) && has_words, "says-why", || {
                    format!("{what}: code {code:?}")
                });
            }
            Ok(pass) => {
                let is_later = pass.until().is_none_or(|until| until > candidate.now);
                found.check(is_later, "until", || {
                    format!("{what}: passes until {pass:?}, which is not later than now")
                });
            }
        }
    }

    fn is_nothing(said: &Self::Said) -> bool {
        *said == Ok(Pass::Always)
    }

    fn is_alike(one: &Self::Said, other: &Self::Said) -> bool {
        one.as_ref().ok() == other.as_ref().ok()
    }

    fn is_true_until(before: &Self::Said, after: &Self::Said, at: Tick) -> bool {
        match before {
            Ok(pass) => after.is_ok() || pass.until().is_some_and(|until| until <= at),
            Err(_) => true,
        }
    }

    fn is_kept_until(before: &Self::Said, after: &Self::Said, at: Tick) -> bool {
        match before {
            Ok(_) => Self::is_true_until(before, after, at),
            Err(_) => after.is_err(),
        }
    }
}
