//! What is read again and again, and cannot always be used.

/// The last reading that could be used, and why a later one could not. For rules that are read again while they are in
/// use: what cannot be used is told, and changes nothing.
///
/// ```
/// use fleet_core::LastGood;
/// use fleet_diff::RuleSet;
/// use serde_json::json;
///
/// let read = |when: &str| {
///     RuleSet::from_json(&json!([{"id": "a", "path": ".spec", "do": "ignore", "when": when}]))
/// };
/// let mut rules = LastGood::new(read("self.kind == 'Job'")?);
/// assert!(!rules.take(read("self.kind ==")));
/// assert!(rules.problem().is_some() && rules.good().len() == 1);
/// assert!(rules.take(read("true")) && rules.problem().is_none());
/// # Ok::<(), fleet_diff::RuleError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastGood<T, E> {
    good: T,
    problem: Option<E>,
}

impl<T: PartialEq, E> LastGood<T, E> {
    /// With a first one, without which nothing can begin.
    pub fn new(good: T) -> Self {
        Self { good, problem: None }
    }

    /// Takes the next reading. True if what counts is another now.
    pub fn take(&mut self, reading: Result<T, E>) -> bool {
        match reading {
            Ok(good) => {
                self.problem = None;
                let is_other = good != self.good;
                self.good = good;
                is_other
            }
            Err(problem) => {
                self.problem = Some(problem);
                false
            }
        }
    }

    /// What counts.
    pub fn good(&self) -> &T {
        &self.good
    }

    /// Why the last reading does not count, if so.
    pub fn problem(&self) -> Option<&E> {
        self.problem.as_ref()
    }
}
