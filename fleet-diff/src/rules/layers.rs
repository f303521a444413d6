//! Which rules count for an object: the strategy, and the usual one.

use std::sync::Arc;

use super::set::{RuleError, RuleSet};
use crate::Object;

/// Chooses the rules for an object. Rules are data; the trait only says which ones count where.
pub trait FieldIntentRules: Send + Sync + 'static {
    /// The layers of rules, the one that counts most first.
    ///
    /// # Errors
    /// When it cannot be said which rules count: then nothing is done with the object.
    fn layers(&self, desired: &Object) -> Result<Vec<Arc<RuleSet>>, RuleError>;
}

/// The same layers for every object: those that were found before, say.
impl FieldIntentRules for Vec<Arc<RuleSet>> {
    fn layers(&self, _: &Object) -> Result<Vec<Arc<RuleSet>>, RuleError> {
        Ok(self.clone())
    }
}

/// The usual rules: those of the user over the built-in ones. Annotations of the definition count before both.
#[derive(Clone, Debug)]
pub struct Rules {
    user: Arc<RuleSet>,
    builtin: Arc<RuleSet>,
    annotation: Option<Arc<str>>,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            user: Arc::default(),
            builtin: super::builtin::rules(),
            annotation: None,
        }
    }
}

impl Rules {
    /// The built-in rules.
    pub fn builtin() -> Self {
        Self::default()
    }

    /// No rules at all.
    pub fn none() -> Self {
        Self {
            user: Arc::default(),
            builtin: Arc::default(),
            annotation: None,
        }
    }

    /// With these rules over the built-in ones.
    #[must_use]
    pub fn with(self, user: RuleSet) -> Self {
        Self {
            user: Arc::new(user),
            ..self
        }
    }

    /// With rules in an annotation of the definition, as a JSON list, over all others. A definition whose annotation
    /// cannot be read is blocked, and says why: what its author wanted to protect is not known.
    #[must_use]
    pub fn from_annotation(self, annotation: &str) -> Self {
        Self {
            annotation: Some(annotation.into()),
            ..self
        }
    }
}

impl FieldIntentRules for Rules {
    fn layers(&self, desired: &Object) -> Result<Vec<Arc<RuleSet>>, RuleError> {
        let annotated = match &self.annotation {
            Some(name) => from_annotation(desired, name)?,
            None => None,
        };
        let layers = annotated.map(Arc::new).into_iter();
        Ok(layers.chain([self.user.clone(), self.builtin.clone()]).collect())
    }
}

fn from_annotation(desired: &Object, name: &Arc<str>) -> Result<Option<RuleSet>, RuleError> {
    let Some(text) = desired.annotation(name) else {
        return Ok(None);
    };
    serde_json::from_str(text)
        .map_err(|error| RuleError::Unreadable(format!("no JSON: {error}")))
        .and_then(|value| RuleSet::from_json(&value))
        .map(Some)
        .map_err(|problem| RuleError::Annotation(name.clone(), Box::new(problem)))
}
