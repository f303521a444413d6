//! The judge that knows the answer itself.

use std::sync::Arc;

use fleet_diff::{
    Action, Apply, Decision, FieldChange, FieldIntentRules, FieldPath, Intent, Node, Object, RuleError, Rules,
};

use super::{Judge, Judgement, ServerJudge, Subject, merged::Merging};
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

    /// With these rules for fields instead of the [usual ones](Self::usual_rules).
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

    /// What others added is removed after the apply, by a patch: no apply can.
    fn removes(&self, definition: &Object) -> bool {
        let layers = self.rules.layers(definition).unwrap_or_default();
        let mut rules = layers.iter().flat_map(|layer| layer.rules());
        rules.any(|rule| rule.intent == Intent::RemoveForeign && rule.kinds.has(definition))
    }

    fn judge(&self, subject: Subject<'_>) -> Judgement {
        let rules = match self.rules.layers(subject.definition) {
            Ok(rules) => rules,
            Err(error) => return Judgement::Refused(unusable(error)),
        };
        let Some(types) = subject.types else {
            return ServerJudge.judge(subject);
        };
        if let Some(key) = subject.memory_key {
            let merging = Merging {
                subject,
                types,
                rules: &rules,
                key,
            };
            return merging.judge();
        }
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
        if let Some(error) = decision.unusable_rules() {
            return Judgement::Refused(unusable(error.clone()));
        }
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
                Judgement::Recreate(_, fault) => recreation(&decision, fault),
                Judgement::Refused(fault)
                    if decision.action() == Action::Recreate && fault.remedy == Remedy::Invalid =>
                {
                    recreation(&decision, fault)
                }
                other => other,
            };
        }
        match action {
            Action::None => match decision.removal_patch() {
                Some(patch) => Judgement::Remove(patch, shown(&decision, removed_fields(&decision))),
                None => Judgement::Nothing,
            },
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

/// What a patch removes.
fn removed_fields(decision: &Decision<'_>) -> Vec<FieldChange> {
    let before = |path: &FieldPath| {
        decision
            .live()
            .and_then(|live| path.find(live.root()))
            .map(Node::to_json)
    };
    let removed = decision.removals().map(|path| FieldChange {
        path: path.clone(),
        before: before(path),
        after: None,
    });
    removed.collect()
}

/// What stands in the way of a change in place.
pub(super) fn recreation(decision: &Decision<'_>, fault: Fault) -> Judgement {
    let sides = (decision.live(), decision.document().root());
    let fields = decision.blocked().iter().map(|blocked| FieldChange {
        path: blocked.path.clone(),
        before: sides
            .0
            .and_then(|live| blocked.path.find(live.root()))
            .map(Node::to_json),
        after: blocked.path.find(sides.1).map(Node::to_json),
    });
    Judgement::Recreate(shown(decision, fields.collect()), fault)
}

/// Without what rules call sensitive. What a Secret holds the engine hides, whoever judges.
pub(super) fn shown(decision: &Decision<'_>, changes: Vec<FieldChange>) -> Vec<FieldChange> {
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

    #[test]
    fn a_condition_that_cannot_be_answered_blocks_and_is_not_left_to_the_server() {
        let rules = r#"[{"id": "odd", "path": ".data", "do": "keep-live", "when": "self.data.mode > 3"}]"#;
        let value = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"mode": "fast"},
            "metadata": {"name": "a", "uid": "1", "resourceVersion": "2", "annotations": {RULES_ANNOTATION: rules}}});
        let object = Object::from_json(value).expect("an object");
        let live = crate::words::Live::new(object.clone()).expect("live");
        let types = crate::words::ClusterTypes::new(fleet_diff::Schemas::builtin().clone(), "1");
        for memory in [None, Some("example.com/fields")] {
            let subject = Subject::new(&object, Some(&live), "fleet")
                .types(Some(&types))
                .merged_here(memory);
            let Judgement::Refused(fault) = LocalJudge::default().judge(subject) else {
                panic!("it is not known whether the rule counts");
            };
            assert!(fault.message.contains("its rules cannot be used"), "{fault}");
        }
    }
}
