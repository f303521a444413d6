//! Promises that were broken.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// Which promise, in kebab-case.
    pub promise: &'static str,
    /// What was seen instead.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.seen)
    }
}

/// How many violations of one promise are told: the first few say it all.
const MOST: usize = 3;

/// Collects violations.
#[derive(Default)]
pub(super) struct Findings {
    violations: Vec<Violation>,
    told: BTreeMap<&'static str, usize>,
}

impl Findings {
    pub(super) fn check(&mut self, kept: bool, promise: &'static str, seen: impl FnOnce() -> String) {
        if kept {
            return;
        }
        let told = self.told.entry(promise).or_default();
        *told += 1;
        if *told <= MOST {
            self.violations.push(Violation {
                promise,
                seen: seen(),
            });
        }
    }

    /// The promise `deterministic`, of one answer that was given twice, if it was.
    pub(super) fn same<T: PartialEq + fmt::Debug>(
        &mut self,
        one: &T,
        again: Option<&T>,
        what: impl FnOnce() -> String,
    ) {
        if let Some(again) = again {
            self.check(one == again, "deterministic", || {
                format!("{}: {one:?}, asked again {again:?}", what())
            });
        }
    }

    /// Whether asking on would only repeat what is known, or is of no use: the part panics again and again, or does not say
    /// twice the same.
    pub(super) fn is_over(&self) -> bool {
        let is_told = |promise| self.told.get(promise).is_some_and(|told| *told >= MOST);
        is_told("no-panic") || is_told("deterministic")
    }

    /// Whether the part says twice the same, as far as is known: otherwise it says nothing of other promises.
    pub(super) fn is_deterministic(&self) -> bool {
        !self.told.contains_key("deterministic")
    }

    /// Asks a part; none: it panicked, or has panicked so often that it is not asked any more.
    pub(super) fn ask<T>(&mut self, what: impl FnOnce() -> String, ask: impl FnOnce() -> T) -> Option<T> {
        if self.is_over() {
            return None;
        }
        match catch_unwind(AssertUnwindSafe(ask)) {
            Ok(answer) => Some(answer),
            Err(payload) => {
                self.check(false, "no-panic", || {
                    format!("{}: {}", what(), message(&*payload))
                });
                None
            }
        }
    }

    /// The promise `named`: a name in kebab-case.
    pub(super) fn name(&mut self, name: &str) {
        self.check(is_kebab(name), "named", || {
            format!("{name:?} is not in kebab-case")
        });
    }

    /// What was found. Of a part that does not say twice the same, nothing else than that is known.
    pub(super) fn into_violations(mut self) -> Vec<Violation> {
        if !self.is_deterministic() {
            self.violations
                .retain(|one| matches!(one.promise, "deterministic" | "no-panic" | "named"));
        }
        self.violations
    }
}

/// Small letters, digits and single hyphens between them.
pub(super) fn is_kebab(name: &str) -> bool {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    name.split('-').all(is_word)
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or("panicked".to_owned())
}
