//! Health by conditions of the user's own.

use std::{collections::BTreeSet, fmt, sync::Arc};

use fleet_diff::{Condition, EvaluationError, Kinds, Object};
use serde::Deserialize;

use super::{BuiltinHealth, Health, HealthState, sight::Sight};
use crate::words::Reason;

/// What `healthyWhen` and `failedWhen` may speak of: the object as it is in the cluster.
const VARIABLES: [&str; 1] = ["self"];

/// When objects of some kinds are healthy. As data: `id`, `kinds` (as in rules for fields), `healthyWhen`, `failedWhen`
/// (either or both, CEL, see [`Condition`]), and `message`, what is said while it is not healthy.
///
/// ```
/// use fleet_core::health::{Health, HealthRules};
/// use serde_json::json;
///
/// let health = HealthRules::from_json(&json!([{
///     "id": "rollouts", "kinds": {"group": "argoproj.io", "kinds": ["Rollout"]},
///     "healthyWhen": "self.status.phase == 'Healthy'", "failedWhen": "self.status.phase == 'Degraded'",
///     "message": "the rollout is not through",
/// }]))?;
/// let rollout = r#"{
///     "apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"namespace": "shop", "name": "web"},
///     "status": {"phase": "Progressing"}
/// }"#.parse()?;
/// assert_eq!(health.health(&rollout).to_string(), "InProgress: the rollout is not through");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Written")]
#[non_exhaustive]
pub struct HealthRule {
    /// Named in reasons.
    pub id: Arc<str>,
    /// Which objects it is for; all without it.
    pub kinds: Kinds,
    /// They are healthy when this is true, and in progress when it is not. Without it, as if there were no rule.
    pub healthy_when: Option<Condition>,
    /// They have failed when this is true, whatever else is.
    pub failed_when: Option<Condition>,
    /// What is said while it is not healthy.
    pub message: Option<Arc<str>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    id: Arc<str>,
    #[serde(default)]
    kinds: Kinds,
    #[serde(default)]
    healthy_when: Option<String>,
    #[serde(default)]
    failed_when: Option<String>,
    #[serde(default)]
    message: Option<Arc<str>>,
}

impl TryFrom<Written> for HealthRule {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        if written.healthy_when.is_none() && written.failed_when.is_none() {
            return Err("`healthyWhen` or `failedWhen` is missing".to_owned());
        }
        let compiled = |text: Option<String>, name: &str| {
            let condition = text.map(|text| Condition::new(&text, &VARIABLES));
            condition
                .transpose()
                .map_err(|error| format!("its `{name}`, {error}"))
        };
        Ok(Self {
            healthy_when: compiled(written.healthy_when, "healthyWhen")?,
            failed_when: compiled(written.failed_when, "failedWhen")?,
            id: written.id,
            kinds: written.kinds,
            message: written.message,
        })
    }
}

/// Why rules for health cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HealthRuleError {
    /// Two rules have one id.
    #[error("two rules have the id `{0}`")]
    SameId(Arc<str>),
    /// They are no list of rules, or a condition does not compile.
    #[error("not rules for health: {0}")]
    Unreadable(String),
}

/// Rules for health over those of another [`Health`]: of the rules that are for an object, the first one counts. An
/// object that is being deleted, or whose status is about an older generation, is so whatever a rule says.
///
/// A field that is not there makes `healthyWhen` not true yet, and `failedWhen` not true. Any other condition that cannot
/// be answered makes the health [`Unknown`](HealthState::Unknown).
#[derive(Clone)]
pub struct HealthRules {
    rules: Arc<[HealthRule]>,
    otherwise: Arc<dyn Health>,
}

impl HealthRules {
    /// Over [`BuiltinHealth`].
    ///
    /// # Errors
    /// When two rules have one id.
    pub fn new(rules: impl IntoIterator<Item = HealthRule>) -> Result<Self, HealthRuleError> {
        let rules: Vec<HealthRule> = rules.into_iter().collect();
        let mut ids = BTreeSet::new();
        if let Some(twice) = rules.iter().find(|rule| !ids.insert(&rule.id)) {
            return Err(HealthRuleError::SameId(twice.id.clone()));
        }
        Ok(Self {
            rules: rules.into(),
            otherwise: Arc::new(BuiltinHealth),
        })
    }

    /// From a `serde_json` value: a list of rules.
    ///
    /// # Errors
    /// When it is no list of rules, a condition does not compile, and as [`HealthRules::new`].
    pub fn from_json(value: &serde_json::Value) -> Result<Self, HealthRuleError> {
        let rules: Vec<HealthRule> = serde_json::from_value(value.clone())
            .map_err(|error| HealthRuleError::Unreadable(error.to_string()))?;
        Self::new(rules)
    }

    /// From a YAML or JSON text: a list of rules, or a mapping with a list `health`.
    ///
    /// # Errors
    /// As [`HealthRules::from_json`], with the line of the rule, or of its condition when that does not compile.
    #[cfg(feature = "yaml")]
    pub fn from_yaml(text: &str) -> Result<Self, HealthRuleError> {
        let wrong_part = |rule: &serde_json::Value| {
            ["healthyWhen", "failedWhen"].into_iter().find(|part| {
                let condition = rule.get(part).and_then(serde_json::Value::as_str);
                condition.is_some_and(|text| Condition::new(text, &VARIABLES).is_err())
            })
        };
        let limits = fleet_diff::ReadLimits::default();
        let rules: Vec<HealthRule> = fleet_diff::read_list(text, &limits, "health", wrong_part)
            .map_err(|error| HealthRuleError::Unreadable(error.to_string()))?;
        Self::new(rules)
    }

    /// Over something else than [`BuiltinHealth`].
    #[must_use]
    pub fn over(self, otherwise: impl Health) -> Self {
        Self {
            otherwise: Arc::new(otherwise),
            ..self
        }
    }
}

impl Health for HealthRules {
    fn health(&self, object: &Object) -> HealthState {
        let Some(rule) = self.rules.iter().find(|rule| rule.kinds.has(object)) else {
            return self.otherwise.health(object);
        };
        if let Some(state) = Sight::of(object).whatever_its_status_says() {
            return state;
        }
        match rule.ask(rule.failed_when.as_ref(), object) {
            Ok(Some(true)) => return HealthState::Failed(rule.says("it has failed")),
            Ok(_) => {}
            Err(state) => return state,
        }
        match rule.ask(rule.healthy_when.as_ref(), object) {
            Ok(Some(true)) => HealthState::Current,
            Ok(Some(false)) => HealthState::InProgress(rule.says("it is not healthy yet")),
            Ok(None) => self.otherwise.health(object),
            Err(state) => state,
        }
    }
}

impl HealthRule {
    /// Nothing where there is no condition. What is missing is not true.
    fn ask(&self, condition: Option<&Condition>, object: &Object) -> Result<Option<bool>, HealthState> {
        let Some(condition) = condition else {
            return Ok(None);
        };
        match condition.holds(&[Some(object.root())]) {
            Ok(truth) => Ok(Some(truth)),
            Err(error) if error.is_missing() => Ok(Some(false)),
            Err(error) => Err(HealthState::Unknown(self.unanswered(&error))),
        }
    }

    fn says(&self, otherwise: &str) -> Reason {
        let message = match &self.message {
            Some(message) => message.to_string(),
            None => format!("{otherwise}, says rule `{}`", self.id),
        };
        Reason::new("health-rule", message).with("rule", &self.id)
    }

    fn unanswered(&self, error: &EvaluationError) -> Reason {
        let message = format!("rule `{}` cannot be answered: {error}", self.id);
        Reason::new("health-rule-unanswered", message).with("rule", &self.id)
    }
}

impl fmt::Debug for HealthRules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HealthRules").field(&self.rules).finish()
    }
}
