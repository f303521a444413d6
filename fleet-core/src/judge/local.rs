//! The judge that knows the answer itself.

use std::sync::Arc;

use fleet_diff::{
    Action, Apply, Decision, FieldChange, FieldIntentRules, FieldPath, Object, RuleError, Rules,
};

use super::{Judge, Judgement, ServerJudge, Subject};
use crate::edge::{Fault, Remedy};

/// The annotation of a definition that holds rules for its fields, in [`LocalJudge::default`]: a JSON list. It is the
/// same for every domain of marks; for another, give [`LocalJudge::with_rules`] rules with an annotation of your own.
pub const RULES_ANNOTATION: &str = "fleet.internal/rules";

/// Foresees what the API server would answer (`fleet_diff::Apply`) and asks it only where it cannot: about kinds whose
/// types are not known, where admission may change what is written, and before it says that a change is impossible. An
/// absent object is a create and needs no question.
#[derive(Clone)]
pub struct LocalJudge {
    rules: Arc<dyn FieldIntentRules>,
}

impl Default for LocalJudge {
    fn default() -> Self {
        Self {
            rules: Arc::new(Self::usual_rules()),
        }
    }
}

impl LocalJudge {
    /// The rules of [`LocalJudge::default`]: the built-in ones, and before them those in [`RULES_ANNOTATION`].
    pub fn usual_rules() -> Rules {
        Rules::builtin().from_annotation(RULES_ANNOTATION)
    }

    /// With these rules for fields instead of the [usual ones](Self::usual_rules). What `remove-foreign` removes it
    /// leaves: an apply cannot.
    pub fn with_rules(rules: impl FieldIntentRules) -> Self {
        Self {
            rules: Arc::new(rules),
        }
    }
}

impl Judge for LocalJudge {
    fn uses_types(&self) -> bool {
        true
    }

    /// What rules that cannot be read were to protect is not known, and the server knows nothing of them.
    fn forbids(&self, definition: &Object) -> Option<Fault> {
        self.rules.layers(definition).err().map(unusable)
    }

    fn judge(&self, subject: Subject<'_>) -> Judgement {
        let rules = match self.rules.layers(subject.definition) {
            Ok(rules) => rules,
            Err(error) => return Judgement::Refused(unusable(error)),
        };
        let Some(types) = subject.types else {
            return ServerJudge.judge(subject);
        };
        let live = subject.live.map(crate::words::Live::object);
        let apply = Apply::new(subject.document, subject.manager, types.schemas())
            .to(live)
            // What is ours is forced: see rule 12 of the engine.
            .force(true)
            .rules(&rules)
            .admitted_by(types.admitted_by());
        if live.is_none() {
            // What it would become the answer to the create tells; only what is sent is to be found out.
            return match apply.document() {
                Ok(document) => Judgement::Create(document),
                Err(error) => Judgement::Refused(unusable(error)),
            };
        }
        let decision = apply.decide();
        let document = decision.document().clone();
        let asked = !subject.exchanges.is_empty();
        let known = types.schemas().knows(subject.document.gvk());
        // What a patch would remove beside the apply is no business of a strategy that applies.
        let action = decision.applying();
        if asked || !known || !is_sure(action) {
            let judgement = ServerJudge.judge(Subject {
                document: &document,
                ..subject
            });
            return match judgement {
                Judgement::Update(document, changes) => {
                    Judgement::Update(document, shown(&decision, changes))
                }
                other => other,
            };
        }
        match action {
            Action::None => Judgement::Nothing,
            _ => {
                let removed = |path: &FieldPath| {
                    decision
                        .removals()
                        .any(|removed| FieldPath::starts_with(path, removed))
                };
                let changes = decision
                    .changes()
                    .into_iter()
                    .filter(|field| !removed(&field.path));
                let changes = changes.map(|field| FieldChange {
                    path: field.path,
                    before: field.before,
                    after: field.after,
                });
                Judgement::Update(document, shown(&decision, changes.collect()))
            }
        }
    }
}

/// Without what rules call sensitive. What a Secret holds the engine hides, whoever judges.
fn shown(decision: &Decision<'_>, changes: Vec<FieldChange>) -> Vec<FieldChange> {
    if decision.document().is_secret() {
        changes
    } else {
        decision.masked(changes)
    }
}

fn unusable(error: RuleError) -> Fault {
    Fault::new(Remedy::Invalid, format!("its rules cannot be used: {error}"))
}

/// What the server would refuse it says better itself, and what cannot be foreseen only it knows.
fn is_sure(action: Action) -> bool {
    matches!(action, Action::None | Action::Adopt | Action::Update)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_whose_rules_cannot_be_read_is_not_written() {
        let judge = LocalJudge::with_rules(Rules::builtin().from_annotation("example.com/rules"));
        let document = |rules: &str| {
            let text = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "a", "annotations": {"example.com/rules": rules}}});
            Object::from_json(text).expect("an object")
        };
        let judged = |document: &Object| judge.judge(Subject::new(document, None, "fleet"));
        let Judgement::Refused(fault) = judged(&document("[{\"id\": ")) else {
            panic!("what was to be protected is not known");
        };
        assert!(
            fault.message.contains("annotation `example.com/rules`"),
            "{fault}"
        );
        assert!(!matches!(judged(&document("[]")), Judgement::Refused(_)));
    }
}
