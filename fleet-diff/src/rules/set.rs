//! Rules of one origin.

use std::{collections::BTreeSet, sync::Arc};

use super::{pattern::Weight, rule::Rule};
use crate::{EvaluationError, Object};

/// Rules of one origin. Inside it the longest path wins, an exact key beats a wildcard, an object beats a kind beats
/// a group, and a rule with a condition beats one without.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// Where they are, the most specific first.
    order: Vec<usize>,
}

/// Why rules cannot be used together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// Two rules have one id.
    #[error("two rules have the id `{0}`")]
    SameId(Arc<str>),
    /// Two rules mean the same field of the same object, and neither is more specific.
    #[error(
        "rules `{0}` and `{1}` are for the same field and say different things: make one path or kind narrower"
    )]
    Tie(Arc<str>, Arc<str>),
    /// The text or value is no list of rules.
    #[error("not rules: {0}")]
    Unreadable(String),
    /// The rules in this annotation cannot be used.
    #[error("annotation `{0}`: {1}")]
    Annotation(Arc<str>, Box<RuleError>),
    /// It cannot be said whether the condition of a rule holds.
    #[error("rule `{0}`: its `when` cannot be answered: {1}")]
    Condition(Arc<str>, EvaluationError),
}

impl RuleSet {
    /// Checks that no two rules contradict one another.
    ///
    /// # Errors
    /// When two rules have one id, or two equally specific ones say different things of the same field. Of rules with
    /// different conditions that is found out where both hold.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, RuleError> {
        let rules: Vec<Rule> = rules.into_iter().collect();
        let mut ids = BTreeSet::new();
        for (i, rule) in rules.iter().enumerate() {
            if !ids.insert(&rule.id) {
                return Err(RuleError::SameId(rule.id.clone()));
            }
            let tie = rules[..i].iter().find(|other| {
                contradict(other, rule) && other.kinds.overlaps(&rule.kinds) && other.when == rule.when
            });
            if let Some(other) = tie {
                return Err(RuleError::Tie(other.id.clone(), rule.id.clone()));
            }
        }
        let weight = |at: usize| -> (Weight, u8, bool) {
            let rule = &rules[at];
            (rule.path.weight(), rule.kinds.weight(), rule.when.is_some())
        };
        let mut order: Vec<usize> = (0..rules.len()).collect();
        order.sort_by(|a, b| {
            weight(*b)
                .cmp(&weight(*a))
                .then_with(|| rules[*a].id.cmp(&rules[*b].id))
        });
        Ok(Self { rules, order })
    }

    /// From a `serde_json` value: a list of rules.
    ///
    /// ```
    /// use fleet_diff::RuleSet;
    /// use serde_json::json;
    ///
    /// let rules = RuleSet::from_json(&json!([
    ///     {"id": "autoscaled", "kinds": {"group": "apps", "kinds": ["Deployment"]}, "path": ".spec.replicas", "do": "keep-live"},
    ///     {"id": "mesh", "path": ".metadata.annotations[\"mesh.example.com/*\"]", "do": "owned-by", "manager": "mesh"},
    /// ]))?;
    /// assert_eq!(rules.len(), 2);
    /// # Ok::<(), fleet_diff::RuleError>(())
    /// ```
    ///
    /// # Errors
    /// When it is no list of rules, and as [`RuleSet::new`].
    pub fn from_json(value: &serde_json::Value) -> Result<Self, RuleError> {
        let rules: Vec<Rule> = serde_json::from_value(value.clone())
            .map_err(|error| RuleError::Unreadable(error.to_string()))?;
        Self::new(rules)
    }

    /// From a YAML or JSON text: a list of rules, or a mapping with a list `rules`.
    ///
    /// ```
    /// use fleet_diff::RuleSet;
    ///
    /// let text = "
    /// - id: autoscaled
    ///   path: .spec.replicas
    ///   do: keep-live
    ///   when: self.metadata.labels[
    /// ";
    /// assert_eq!(
    ///     RuleSet::from_yaml(text).unwrap_err().to_string(),
    ///     "not rules: line 5: `autoscaled`: its `when`, line 1, column 22: the expression ends early",
    /// );
    /// ```
    ///
    /// # Errors
    /// As [`RuleSet::from_json`], with the line of the rule, or of its condition when that does not compile.
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, RuleError> {
        use crate::Condition;
        let wrong_part = |rule: &serde_json::Value| {
            let when = rule.get("when")?.as_str()?;
            Condition::new(when, &Rule::VARIABLES).is_err().then_some("when")
        };
        let rules = crate::read_list(text, &crate::ReadLimits::default(), "rules", wrong_part)
            .map_err(|error| RuleError::Unreadable(error.to_string()))?;
        Self::new(rules)
    }

    /// The rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How many rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// True without any rule.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Where the rules are that count for an object, the most specific first.
    pub(super) fn for_object(&self, object: &Object, live: Option<&Object>) -> Result<Vec<usize>, RuleError> {
        let mut found: Vec<usize> = Vec::new();
        for at in &self.order {
            let rule = &self.rules[*at];
            if !rule.kinds.has(object) || !rule.counts(object, live)? {
                continue;
            }
            // Only conditions can have let these through, and such rules are neighbours.
            let others = found.iter().rev().map(|other| &self.rules[*other]);
            let mut rivals = others.take_while(|other| other.path.weight() == rule.path.weight());
            if rule.when.is_some()
                && let Some(other) = rivals.find(|other| other.when.is_some() && contradict(other, rule))
            {
                return Err(RuleError::Tie(other.id.clone(), rule.id.clone()));
            }
            found.push(*at);
        }
        Ok(found)
    }
}

/// For the same field, equally specific, and of different intents.
fn contradict(one: &Rule, other: &Rule) -> bool {
    one.path == other.path && one.kinds.weight() == other.kinds.weight() && one.intent != other.intent
}

impl Rule {
    fn counts(&self, object: &Object, live: Option<&Object>) -> Result<bool, RuleError> {
        let Some(condition) = &self.when else {
            return Ok(true);
        };
        let holds = condition.holds(&[Some(object.root()), live.map(Object::root)]);
        holds.map_err(|error| RuleError::Condition(self.id.clone(), error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn contradictions_are_refused() {
        let ask = |rules| RuleSet::from_json(&rules).unwrap_err().to_string();
        let same = json!([
            {"id": "a", "path": ".spec", "do": "ignore"},
            {"id": "a", "path": ".status", "do": "ignore"},
        ]);
        assert_eq!(ask(same), "two rules have the id `a`");
        let tie = json!([
            {"id": "a", "kinds": {"kinds": ["X", "Y"]}, "path": ".spec", "do": "ignore"},
            {"id": "b", "kinds": {"kinds": ["Y"]}, "path": ".spec", "do": "keep-live"},
        ]);
        assert!(ask(tie).starts_with("rules `a` and `b` are for the same field"));
        for bad in [
            json!({}),
            json!([{"id": "a", "path": "spec", "do": "ignore"}]),
            json!([{"id": "a", "path": ".spec", "do": "x"}]),
            json!([{"id": "a", "path": ".spec"}]),
            json!([{"id": "a", "path": ".spec", "do": "owned-by"}]),
        ] {
            assert!(ask(bad.clone()).starts_with("not rules: "), "{bad}");
        }
    }
}
