//! What has to happen, and the fields that say so.

use std::fmt;

use serde::Serialize;

use super::{
    effective::{Ruled, Sending},
    removals::{removals, without},
};
use crate::{
    Apply, Blocked, Conflict, Doubt, FieldPath, FieldSet, Object, Prediction, Refusal, Schemas,
    managed::Managers,
    predict::{Foreseen, Step},
    rules::{Applicable, RuleError},
    schema::KindSchema,
};

/// What has to happen to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// Nothing: applying it would change nothing.
    None,
    /// Nothing of its content, only who owns which field.
    Adopt,
    /// It is absent and would be made.
    Create,
    /// Fields would change.
    Update,
    /// Fields would change that cannot change in place: the object would have to be made again.
    Recreate,
    /// The server would refuse it, or another manager would lose fields and nobody said that it may.
    Blocked,
    /// It cannot be said without asking the server.
    Unsure,
}

/// What applying a definition would do.
#[derive(Clone, Debug)]
pub struct Decision<'a> {
    pub(super) apply: Apply<'a>,
    pub(super) kind: KindSchema<'a>,
    /// The definition as the rules leave it.
    sent: Option<Object>,
    pub(super) ruled: Vec<Ruled>,
    prediction: Prediction,
    action: Action,
    pub(super) managers: Managers<'a>,
    /// What we wrote last time, when it was told us.
    pub(super) memory: Option<&'a FieldSet>,
    /// What the apply alone would do.
    applying: Action,
    /// What a patch removes afterwards, and by which rule.
    pub(super) removed: Vec<(FieldPath, String)>,
    /// The object between apply and removal.
    before_removal: Option<Object>,
    rules: Applicable,
    /// Why it is not known which rules count.
    broken: Option<RuleError>,
}

pub(crate) fn decide(apply: Apply<'_>) -> Decision<'_> {
    let Sending {
        kind,
        managers,
        readable,
        rules,
        broken,
        sent,
        ruled,
    } = Sending::new(apply);
    let read = readable.then_some(&managers);
    let foreseen = match &sent {
        Some(sent) => apply.sending(sent).foresee(read),
        None => apply.foresee(read),
    };
    let foreseen = match (&broken, foreseen) {
        (Some(error), _) => {
            let problem = format!("has rules that cannot be used: {error}");
            Err(Prediction::refused(String::new(), problem))
        }
        (_, foreseen @ Err(Prediction::Refused(_))) => foreseen,
        _ if kind.deduced => {
            let doubt = Doubt::NoSchema(apply.desired().gvk().clone());
            Err(Prediction::Unsure(doubt))
        }
        (_, foreseen) => foreseen,
    };
    let action = action(&apply, &foreseen);
    let prediction = foreseen.map_or_else(|early| early, |foreseen| Prediction::Object(foreseen.object));
    let removed = Vec::new();
    let decision = Decision {
        apply,
        kind,
        sent,
        ruled,
        prediction,
        action,
        managers,
        memory: apply.remembered(),
        applying: action,
        removed,
        before_removal: None,
        rules,
        broken,
    };
    decision.with_removals()
}

fn action(apply: &Apply<'_>, foreseen: &Step<Foreseen>) -> Action {
    match (foreseen, apply.live()) {
        (Err(Prediction::Unsure(_) | Prediction::Object(_)), _) => Action::Unsure,
        (Err(Prediction::Refused(_) | Prediction::Conflicts(_)), _) => Action::Blocked,
        (Err(Prediction::Blocked(blocked)), _) if blocked.iter().any(|blocked| blocked.grow_only) => {
            Action::Blocked
        }
        (Err(Prediction::Blocked(_)), _) => Action::Recreate,
        (Ok(_), None) => Action::Create,
        (Ok(foreseen), Some(live)) => {
            if !crate::compare::is_same_but(live.root(), foreseen.object.root(), crate::LEFT_OUT) {
                Action::Update
            } else if foreseen.owners_change {
                Action::Adopt
            } else {
                Action::None
            }
        }
    }
}

impl<'a> Decision<'a> {
    fn with_removals(mut self) -> Self {
        let removed = removals(&self);
        let Some(before) = self.predicted().filter(|_| !removed.is_empty()).cloned() else {
            return self;
        };
        let Some(after) = without(&before, &removed, &self) else {
            return self;
        };
        self.removed = removed;
        self.prediction = Prediction::Object(after);
        self.before_removal = Some(before);
        if self.action != Action::Create {
            self.action = Action::Update;
        }
        self
    }

    pub(super) fn before_removal(&self) -> Option<&Object> {
        self.before_removal.as_ref()
    }

    pub(super) fn kind(&self) -> KindSchema<'a> {
        self.kind
    }

    /// The object as it is; none when it is absent.
    pub fn live(&self) -> Option<&'a Object> {
        self.apply.live()
    }

    pub(super) fn manager(&self) -> &'a str {
        self.apply.manager()
    }

    pub(super) fn schemas(&self) -> &'a Schemas {
        self.apply.schemas()
    }

    /// Why it is not known which rules count, if so: they cannot be read, or the condition of one cannot be answered.
    /// Then the action is [`Action::Blocked`], and a server should not be asked: it knows nothing of rules.
    pub fn unusable_rules(&self) -> Option<&RuleError> {
        self.broken.as_ref()
    }

    /// What has to happen.
    pub fn action(&self) -> Action {
        self.action
    }

    /// What applying the document alone would do, without [`removals`](Self::removals).
    pub fn applying(&self) -> Action {
        self.applying
    }

    /// What would be sent: the definition as the rules leave it. Where it is not known which rules count, which
    /// [`refusal`](Self::refusal) tells, nothing may be sent.
    pub fn document(&self) -> &Object {
        self.sent.as_ref().unwrap_or(self.apply.desired())
    }

    /// What the server would answer.
    pub fn prediction(&self) -> &Prediction {
        &self.prediction
    }

    /// The object as it would be, when that is known.
    pub fn predicted(&self) -> Option<&Object> {
        match &self.prediction {
            Prediction::Object(object) => Some(object),
            _ => None,
        }
    }

    /// Who would lose which field.
    pub fn conflicts(&self) -> &[Conflict] {
        match &self.prediction {
            Prediction::Conflicts(conflicts) => conflicts,
            _ => &[],
        }
    }

    /// The fields that cannot change in place.
    pub fn blocked(&self) -> &[Blocked] {
        match &self.prediction {
            Prediction::Blocked(blocked) => blocked,
            _ => &[],
        }
    }

    /// Why the server would refuse the definition.
    pub fn refusal(&self) -> Option<&Refusal> {
        match &self.prediction {
            Prediction::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    /// Why it cannot be said.
    pub fn doubt(&self) -> Option<&Doubt> {
        match &self.prediction {
            Prediction::Unsure(doubt) => Some(doubt),
            _ => None,
        }
    }

    /// True when it is not known which rules count, and so neither whose a field is nor whether it may be shown.
    pub(super) fn rules_unknown(&self) -> bool {
        self.broken.is_some()
    }

    /// The rules that count for the object.
    pub(super) fn rules(&self) -> &Applicable {
        &self.rules
    }
}

impl Action {
    /// The word of it, as in outputs for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Adopt => "adopt",
            Self::Create => "create",
            Self::Update => "update",
            Self::Recreate => "recreate",
            Self::Blocked => "blocked",
            Self::Unsure => "unsure",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
