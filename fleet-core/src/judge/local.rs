//! The judge that knows the answer itself.

use std::sync::Arc;

use fleet_diff::{Action, Apply, FieldChange, FieldIntentRules, FieldPath, Rules};

use super::{Judge, Judgement, ServerJudge, Subject};
use crate::edge::{Fault, Remedy};

/// The annotation of a definition that holds rules for its fields, in [`LocalJudge::default`]: a JSON list.
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
            rules: Arc::new(Rules::builtin().from_annotation(RULES_ANNOTATION)),
        }
    }
}

impl LocalJudge {
    /// With these rules for fields instead of the built-in ones and those in [`RULES_ANNOTATION`]. What `remove-foreign` removes it leaves: an apply
    /// cannot.
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

    fn judge(&self, subject: Subject<'_>) -> Judgement {
        if let Err(error) = self.rules.layers(subject.document) {
            // The server knows nothing of our rules and would take it.
            let message = format!("its rules cannot be used: {error}");
            return Judgement::Refused(Fault::new(Remedy::Invalid, message));
        }
        let Some(types) = subject.types else {
            return ServerJudge.judge(subject);
        };
        let live = subject.live.map(crate::words::Live::object);
        let apply = Apply::new(subject.document, subject.manager, types.schemas())
            .to(live)
            // What is ours is forced: see rule 12 of the engine.
            .force(true)
            .rules(&*self.rules)
            .admitted_by(types.admitted_by());
        if live.is_none() {
            // What it would become the answer to the create tells; only what is sent is to be found out.
            return Judgement::Create(apply.document());
        }
        let decision = apply.decide();
        let document = decision.document().clone();
        let asked = !subject.exchanges.is_empty();
        let known = types.schemas().knows(subject.document.gvk());
        // What a patch would remove beside the apply is no business of a strategy that applies.
        let action = decision.applying();
        let ask = asked || !known || !is_sure(action);
        if ask {
            return ServerJudge.judge(Subject {
                document: &document,
                ..subject
            });
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
                Judgement::Update(document, changes.collect())
            }
        }
    }
}

/// What the server would refuse it says better itself, and what cannot be foreseen only it knows.
fn is_sure(action: Action) -> bool {
    matches!(action, Action::None | Action::Adopt | Action::Update)
}

#[cfg(test)]
mod tests {
    use fleet_diff::Object;

    use super::*;

    #[test]
    fn an_object_whose_rules_cannot_be_read_is_not_written() {
        let judge = LocalJudge::with_rules(Rules::builtin().from_annotation("example.com/rules"));
        let document = |rules: &str| {
            let text = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "a", "annotations": {"example.com/rules": rules}}});
            Object::from_json(text).expect("an object")
        };
        let judged = |document: &Object| {
            judge.judge(Subject {
                document,
                manager: "fleet",
                live: None,
                types: None,
                exchanges: &[],
            })
        };
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
