//! Reasons as data; renderers are elsewhere.

use std::{borrow::Cow, collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// Why something was done, or not: a tree of codes and facts. Facts name things and never hold field values.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Reason {
    /// What kind of reason, in kebab-case; stable, for programs.
    pub code: Cow<'static, str>,
    /// One sentence for people.
    pub message: String,
    /// Facts by name, for programs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<Cow<'static, str>, String>,
    /// What lies behind it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Reason>,
}

impl Reason {
    /// A reason without facts.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            facts: BTreeMap::new(),
            because: Vec::new(),
        }
    }

    /// Adds a fact.
    #[must_use]
    #[allow(
        clippy::needless_pass_by_value,
        reason = "numbers and texts are passed plainly"
    )]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl ToString) -> Self {
        self.facts.insert(name.into(), value.to_string());
        self
    }

    /// Adds what lies behind it.
    #[must_use]
    pub fn because(mut self, cause: Reason) -> Self {
        self.because.push(cause);
        self
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.because.iter().try_for_each(|cause| write!(f, "; {cause}"))
    }
}
