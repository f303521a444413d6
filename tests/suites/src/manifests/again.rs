//! Live objects judged again, each by its own definition.

use std::collections::BTreeSet;

use fleet_core::{
    ClusterTypes, Gvk, Object,
    fleet_diff::{Action, Apply, Decision, Doubt, Secrets, comparable},
};
use fleet_kube::{Connection, ConnectionOptions};
use kube::Client;
use serde_json::Value;

use super::Plain;

/// Judgements of one object. Only the first may propose anything.
const TIMES: usize = 3;

/// What came of it.
#[derive(Default)]
pub struct Again {
    /// Objects that nothing would change in.
    pub unchanged: usize,
    /// Objects that only had to be adopted, once.
    pub adopted: usize,
    /// Objects that the server itself would change once more, as its own dry run says.
    pub unsettled: Vec<String>,
    /// Objects of which only the server knows, as mutating admission matches them.
    pub mutated: usize,
    /// What must not be: the object, and what was said of it.
    pub wrong: Vec<String>,
}

impl Again {
    /// Both.
    pub fn add(&mut self, other: Self) {
        self.unchanged += other.unchanged;
        self.adopted += other.adopted;
        self.unsettled.extend(other.unsettled);
        self.mutated += other.mutated;
        self.wrong.extend(other.wrong);
    }
}

/// Judges objects that are there as this manager would, three times, and carries the first judgement out.
/// A change of ownership must be what the server says too. A change of content must be none that the server would not make
/// as well: one that made an object at another version may not have come to rest.
pub async fn judge_again(client: Client, plain: &Plain, objects: &[&Object], manager: &str) -> Again {
    let types = types_of(client, objects).await;
    let mut found = Again::default();
    for object in objects {
        let key = plain.key(object);
        match judge_one(&types, plain, object, manager).await {
            Ok(Outcome::Unchanged) => found.unchanged += 1,
            Ok(Outcome::Adopted) => found.adopted += 1,
            Ok(Outcome::Unsettled(places)) => found.unsettled.push(format!("{key}: {places}")),
            Ok(Outcome::Mutated) => found.mutated += 1,
            Err(what) => found
                .wrong
                .push(format!("{key} judged again as {manager}: {what}")),
        }
    }
    found
}

enum Outcome {
    Unchanged,
    Adopted,
    Unsettled(String),
    Mutated,
}

async fn judge_one(
    types: &ClusterTypes,
    plain: &Plain,
    object: &Object,
    manager: &str,
) -> Result<Outcome, String> {
    let definition = object.with_namespace(plain.key(object).namespace());
    let mut outcome = Outcome::Unchanged;
    for time in 1..=TIMES {
        let live = plain.get(object).await.map_err(|refused| refused.message)?;
        let live = Object::from_json(live).map_err(|error| error.to_string())?;
        let apply = Apply::new(&definition, manager, types.schemas());
        let decision = apply
            .to(Some(&live))
            .force(true)
            .admitted_by(types.admitted_by())
            .decide();
        match decision.action() {
            Action::None => {}
            action @ (Action::Adopt | Action::Update) if time == 1 => {
                let document = decision.document();
                let answer = plain.dry_run(document, manager).await;
                let answer =
                    answer.map_err(|refused| format!("{action}, and the server says {}", refused.message))?;
                outcome = if action == Action::Adopt {
                    if owners(&answer) == owners(&live.to_json()) {
                        return Err("adopt, and the server would change no ownership".to_owned());
                    }
                    Outcome::Adopted
                } else {
                    let answer = Object::from_json(answer).map_err(|error| error.to_string())?;
                    let predicted = decision.predicted().ok_or("update, and no object is predicted")?;
                    if comparable(&answer, predicted) != comparable(predicted, predicted) {
                        return Err(told(&decision, time));
                    }
                    Outcome::Unsettled(told(&decision, time))
                };
                plain
                    .write(document, manager)
                    .await
                    .map_err(|refused| refused.message)?;
            }
            Action::Unsure if matches!(decision.doubt(), Some(Doubt::Mutates(_))) => {
                return Ok(Outcome::Mutated);
            }
            _ => return Err(told(&decision, time)),
        }
    }
    Ok(outcome)
}

fn told(decision: &Decision<'_>, time: usize) -> String {
    let (action, report) = (decision.action(), decision.report(Secrets::Hidden));
    let changes = decision.changes();
    let places: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
    format!(
        "{action} the {time}. time: {} {}",
        report.reason(),
        places.join(", ")
    )
}

/// Who owns what, times aside.
fn owners(object: &Value) -> BTreeSet<String> {
    let entries = object["metadata"]["managedFields"].as_array();
    let entry = |entry: &Value| {
        let mut entry = entry.clone();
        entry.as_object_mut().map(|entry| entry.remove("time"));
        entry.to_string()
    };
    entries.into_iter().flatten().map(entry).collect()
}

/// The types as the reconciler learns them.
async fn types_of(client: Client, objects: &[&Object]) -> ClusterTypes {
    let connection = Connection::over(client, ConnectionOptions::default())
        .await
        .expect("a connection");
    let kinds = connection.discover().await.expect("discovery");
    let wanted: BTreeSet<Gvk> = objects.iter().map(|object| object.gvk().clone()).collect();
    let (types, faults) = connection.learn_types(&wanted, &kinds).await;
    assert!(faults.is_empty(), "types that cannot be learnt: {faults:?}");
    types
}
