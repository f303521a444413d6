//! What is tested: a prediction of what a server would answer to a dry run.

use std::collections::BTreeSet;

use fleet_diff::{Admission, Apply, Object, Prediction, Schemas, Write};
use serde_json::Value;

use super::way::Way;

/// What would a server answer if this were written?
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The object as it is; `None` when there is none.
    pub live: Option<&'a Value>,
    /// The definition, the object that is sent, or the patch.
    pub desired: &'a Value,
    /// How it is written.
    pub way: Way,
    /// Where: empty for the object itself.
    pub subresource: &'a str,
    /// Who writes.
    pub manager: &'a str,
    /// Whether fields of others are taken.
    pub force: bool,
}

/// Who is in the way, and where: the path as the server prints it.
pub type Conflicts = BTreeSet<(String, String)>;

/// A prediction.
#[derive(Clone, PartialEq, Debug)]
pub enum Predicted {
    /// The whole object, `managedFields` included.
    Object(Value),
    /// These conflicts.
    Conflicts(Conflicts),
    /// The server refuses, and why.
    Blocked(String),
    /// It cannot be told, and why.
    Unsure(String),
}

/// Predicts.
pub trait Predictor: Sync {
    /// What the server would answer.
    fn predict(&self, question: &Question<'_>) -> Predicted;
}

/// What may be known of a server beforehand.
#[derive(Clone, Default, Debug)]
pub struct Told {
    /// The minor version.
    pub kubernetes: String,
    /// Definitions of custom resources, and other objects that were made first.
    pub definitions: Vec<Value>,
    /// Mutating policies and what binds them.
    pub policies: Vec<Value>,
}

/// `fleet-diff`, with its own tables of built-in kinds.
pub struct Local {
    schemas: Schemas,
    admission: Admission,
}

impl Local {
    /// For a server of which this is known.
    pub fn new(told: &Told) -> Self {
        let object = |value: &Value| Object::from_json(value.clone()).expect("an object");
        let mut schemas = Schemas::for_kubernetes(&told.kubernetes).expect("a known version");
        for definition in told
            .definitions
            .iter()
            .filter(|it| it["kind"] == "CustomResourceDefinition")
        {
            schemas = schemas
                .with_crd(&object(definition))
                .expect("a definition that a server took");
        }
        let policies: Vec<Object> = told.policies.iter().map(object).collect();
        Self {
            schemas,
            admission: Admission::from_objects(&policies),
        }
    }
}

impl Predictor for Local {
    fn predict(&self, question: &Question<'_>) -> Predicted {
        let object = |value: &Value| Object::from_json(value.clone()).expect("an object");
        let live = question.live.map(object);
        let written = |write: Write<'_>| {
            write
                .to(live.as_ref())
                .through(question.subresource)
                .admitted_by(&self.admission)
                .predict()
        };
        let predicted = match question.way {
            Way::Apply => Apply::new(&object(question.desired), question.manager, &self.schemas)
                .to(live.as_ref())
                .force(question.force)
                .admitted_by(&self.admission)
                .predict(),
            Way::Create | Way::Update => written(Write::update(
                &object(question.desired),
                question.manager,
                &self.schemas,
            )),
            Way::MergePatch => written(Write::merge_patch(
                question.desired,
                question.manager,
                &self.schemas,
            )),
            Way::JsonPatch => {
                let patch = serde_json::from_value(question.desired.clone()).expect("a JSON patch");
                written(Write::json_patch(&patch, question.manager, &self.schemas))
            }
        };
        match predicted {
            Prediction::Object(object) => Predicted::Object(object.to_json()),
            Prediction::Conflicts(conflicts) => Predicted::Conflicts(
                conflicts
                    .into_iter()
                    .map(|conflict| (conflict.manager, conflict.path.to_string()))
                    .collect(),
            ),
            Prediction::Refused(refusal) => Predicted::Blocked(refusal.to_string()),
            Prediction::Blocked(blocked) => {
                let paths: Vec<String> = blocked
                    .iter()
                    .map(|blocked| format!("{} ({})", blocked.path, blocked.rule))
                    .collect();
                Predicted::Blocked(paths.join(", "))
            }
            Prediction::Unsure(doubt) => Predicted::Unsure(doubt.to_string()),
            other => panic!("no known prediction: {other:?}"),
        }
    }
}
