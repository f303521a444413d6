//! Decisions as data, for other programs.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{Action, Decision, FieldVerdict};
use crate::{Conflict, Document, Secrets};

/// What a [`Decision`] says, as data that other programs read: `serde_json` makes one mapping of it, with every key
/// always there.
///
/// ```
/// use fleet_diff::{Apply, Object, Schemas, Secrets};
/// use serde_json::json;
///
/// let desired = Object::from_json(json!({
///     "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "db"}, "data": {"password": "YQ=="},
/// }))?;
/// let schemas = Schemas::builtin();
/// let report = Apply::new(&desired, "fleet", &schemas).decide().report(Secrets::Hidden);
/// let json = serde_json::to_value(&report)?;
/// assert_eq!(json["action"], "create");
/// assert_eq!(json["fields"][0], json!({
///     "path": ".data.password", "verdict": "ours-to-change", "rule": null,
///     "before": null, "after": "(secret)", "managers": [],
/// }));
/// assert_eq!(json["predicted"]["data"]["password"], "(secret)");
/// assert_eq!((&json["conflicts"], &json["blocked"], &json["unsure"]), (&json!([]), &json!([]), &json!(null)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Report {
    /// What has to happen.
    pub action: Action,
    /// One verdict for every field, in the server's order.
    pub fields: Vec<FieldVerdict>,
    /// The whole object as the server would answer; none when that is not known.
    pub predicted: Option<Document>,
    /// Who would lose which field.
    pub conflicts: Vec<Conflict>,
    /// Why it cannot be done, where that is not for conflicts.
    pub blocked: Vec<Obstacle>,
    /// Why it cannot be said without asking the server.
    pub unsure: Option<String>,
}

/// Something that a server would not do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Obstacle {
    /// The field, as the server writes it; empty for the whole object.
    pub path: String,
    /// What is wrong with it, such as `cannot change in place`.
    pub problem: String,
    /// The id of the rule that says so, where one does.
    pub rule: Option<String>,
}

impl Decision<'_> {
    /// All of it as data. Hidden are the values of a Secret and those of fields that a rule calls sensitive, wherever
    /// they stand, also in the annotation in which client-side applies repeat the object.
    pub fn report(&self, secrets: Secrets) -> Report {
        let hide = secrets == Secrets::Hidden;
        let mut blocked: Vec<Obstacle> = self.blocked().iter().map(Obstacle::of_rule).collect();
        let refusal = if hide {
            self.hidden_refusal()
        } else {
            self.refusal().cloned()
        };
        blocked.extend(refusal.map(|refusal| Obstacle {
            path: refusal.path,
            problem: refusal.problem,
            rule: None,
        }));
        let doubt = if hide {
            self.hidden_doubt()
        } else {
            self.doubt().cloned()
        };
        Report {
            action: self.action(),
            fields: if hide { self.hidden_fields() } else { self.fields() },
            predicted: if hide {
                self.hidden_prediction()
            } else {
                self.predicted().map(|object| object.document().clone())
            },
            conflicts: if hide {
                self.hidden_conflicts()
            } else {
                self.conflicts().to_vec()
            },
            blocked,
            unsure: doubt.map(|doubt| doubt.to_string()),
        }
    }
}

impl Obstacle {
    fn of_rule(blocked: &crate::Blocked) -> Self {
        let problem = if blocked.grow_only {
            "may only grow"
        } else {
            "cannot change in place"
        };
        Self {
            path: blocked.path.to_string(),
            problem: problem.to_owned(),
            rule: Some(blocked.rule.to_owned()),
        }
    }
}

impl Report {
    /// Why this is the action, in one line for people.
    pub fn reason(&self) -> String {
        match self.action {
            Action::None => "nothing would change".to_owned(),
            Action::Adopt => "only who owns which field would change".to_owned(),
            Action::Create => "there is none yet".to_owned(),
            Action::Update => match self
                .fields
                .iter()
                .filter(|field| field.verdict.is_change())
                .count()
            {
                0 => "the server would fill in something anew".to_owned(),
                1 => "1 field would change".to_owned(),
                count => format!("{count} fields would change"),
            },
            Action::Unsure => self.unsure.clone().unwrap_or_default(),
            Action::Recreate | Action::Blocked => self.obstacles(),
        }
    }

    fn obstacles(&self) -> String {
        let Some(first) = self.blocked.first() else {
            return self.conflict();
        };
        let Obstacle { path, problem, rule } = first;
        let path = if path.is_empty() { "the object" } else { path };
        let rule = rule
            .as_ref()
            .map_or(String::new(), |rule| format!(" (rule {rule})"));
        let more = match self.blocked.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        format!("{path} {problem}{rule}{more}")
    }

    fn conflict(&self) -> String {
        let fields = self
            .conflicts
            .iter()
            .map(|conflict| &conflict.path)
            .collect::<BTreeSet<_>>();
        let managers = self
            .conflicts
            .iter()
            .map(|conflict| &*conflict.manager)
            .collect::<BTreeSet<_>>();
        let managers = managers.into_iter().collect::<Vec<_>>().join(", ");
        match fields.len() {
            1 => format!("a field belongs to {managers}, and the apply is not forced"),
            count => format!("{count} fields belong to {managers}, and the apply is not forced"),
        }
    }
}
