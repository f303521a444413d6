//! One case to a server.

use std::collections::BTreeSet;

use fleet_diff::{Apply, Object, RuleSet, Rules, Schemas};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use super::{
    case::{self, Case, Step},
    recording::{Answer, Recorded, Sent},
    steady::Steady,
};
use crate::truth::{Answer as Told, Server, Write};

/// How long the server may write to an object itself.
const PATIENCE: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);
/// Until admission plugins, which watch these kinds, know of a new object.
const SEEN: Duration = Duration::from_secs(1);
const WATCHED: [&str; 3] = ["IngressClass", "LimitRange", "StorageClass"];
/// Looks at an object that changes while it is asked about.
const LOOKS: usize = 20;
/// Characters that are kept of a refusal.
const MESSAGE: usize = 240;

/// Whose subresources are written.
const SUBRESOURCES: [&str; 8] = [
    "approval",
    "binding",
    "ephemeralcontainers",
    "finalize",
    "resize",
    "scale",
    "status",
    "token",
];

pub(super) struct Player {
    server: Server,
    kubernetes: String,
}

impl Player {
    pub(super) fn new(server: Server, kubernetes: &str) -> Self {
        Self {
            server,
            kubernetes: kubernetes.to_owned(),
        }
    }

    /// Installs the definitions of all custom resources at once, because that takes time.
    pub(super) async fn prepare(&mut self, cases: &[Case]) {
        let all = cases.iter().flat_map(|case| &case.first);
        let definitions: Vec<Value> = all.filter(|object| is_definition(object)).cloned().collect();
        self.server.prepare(&definitions).await;
    }

    /// The object as the steps made it, and the answers to dry runs.
    pub(super) async fn play(&self, case: &Case) -> Result<Recorded, String> {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": case.name}});
        let own: Vec<Value> = case
            .first
            .iter()
            .filter(|object| !is_definition(object))
            .cloned()
            .collect();
        let mut first = own.clone();
        if case.desired["metadata"]["namespace"] == *case.name {
            first.insert(0, namespace);
        }
        let wanted = first.len();
        if self.server.install(&first).await.len() != wanted {
            return Err("not all that has to be there could be made".to_owned());
        }
        if own
            .iter()
            .any(|object| WATCHED.iter().any(|kind| object["kind"] == *kind))
        {
            sleep(SEEN).await;
        }
        let played = self.ask(case).await;
        for object in own
            .iter()
            .filter(|object| object["metadata"]["namespace"].is_null())
        {
            self.server.delete(object).await;
        }
        played
    }

    async fn ask(&self, case: &Case) -> Result<Recorded, String> {
        let mut live = Value::Null;
        for step in &case.steps {
            live = self.step(case, step, &live).await?;
        }
        if !live.is_null() {
            live = self.at_rest(&case.desired).await?;
        }
        let (live, answer) = self.dry_run(case, &case.desired, live).await?;
        let document = document(case, &self.kubernetes, &live)?;
        let sent = if document == case.desired {
            None
        } else {
            let (_, answer) = self.dry_run(case, &document, live.clone()).await?;
            Some((document, answer))
        };
        let mut steady = Steady::of(case);
        let live = steady.value(&live);
        for (pointer, wanted) in &case.live {
            let is = live.pointer(pointer).unwrap_or(&Value::Null);
            if is != wanted {
                return Err(format!(
                    "live {pointer} is {is}, not {wanted}: it would be another case"
                ));
            }
        }
        let answer = recorded(&live, answer, &mut steady);
        let sent = sent.map(|(document, answer)| Sent {
            document: steady.value(&document),
            answer: recorded(&live, answer, &mut steady),
        });
        Ok(Recorded {
            input: case.input(),
            live,
            answer,
            sent,
        })
    }

    async fn step(&self, case: &Case, step: &Step, live: &Value) -> Result<Value, String> {
        let manager = step.by.clone();
        let subresource = match &step.at {
            Some(at) => Some(
                *SUBRESOURCES
                    .iter()
                    .find(|known| *known == at)
                    .ok_or("no known subresource")?,
            ),
            None => None,
        };
        let mut answer = None;
        // The server itself may write between the look and the write.
        for _ in 0..LOOKS {
            let (object, write) = match &step.write {
                case::Write::Apply(document) => {
                    let force = true;
                    (
                        document.clone(),
                        Write::Apply {
                            manager: manager.clone(),
                            force,
                            subresource,
                        },
                    )
                }
                case::Write::Create(document) => (
                    document.clone(),
                    Write::Create {
                        manager: manager.clone(),
                    },
                ),
                case::Write::Update(edits) => {
                    let object = edits.edit(&self.current(case).await?);
                    (
                        object,
                        Write::Put {
                            manager: manager.clone(),
                            subresource,
                        },
                    )
                }
                case::Write::Merge(patch) => {
                    let mut object = if live.is_null() {
                        case.desired.clone()
                    } else {
                        live.clone()
                    };
                    object["patch"] = patch.clone();
                    (
                        object,
                        Write::Merge {
                            manager: manager.clone(),
                            subresource,
                        },
                    )
                }
            };
            match self.server.write(&object, &write, false).await {
                Told::Object { object, .. } => {
                    return if subresource.is_some() {
                        self.current(case).await
                    } else {
                        Ok(object)
                    };
                }
                other @ Told::Refused { code: 409, .. } => answer = Some(other),
                other => return Err(format!("a step of {}: {other:?}", step.by)),
            }
        }
        Err(format!("a step of {}: {answer:?}", step.by))
    }

    async fn current(&self, case: &Case) -> Result<Value, String> {
        let object = self.server.get(&case.desired).await;
        object.ok_or_else(|| "the object is gone".to_owned())
    }

    /// The object when the server writes no more to it.
    async fn at_rest(&self, which: &Value) -> Result<Value, String> {
        let deadline = Instant::now() + PATIENCE;
        let mut before = self.server.get(which).await.ok_or("the object is gone")?;
        loop {
            sleep(LOOK).await;
            let now = self.server.get(which).await.ok_or("the object is gone")?;
            let is_done = !is_definition(&now) || is_established(&now);
            if is_done && now == before {
                return Ok(now);
            }
            if Instant::now() > deadline {
                return Err("the server does not stop writing to it".to_owned());
            }
            before = now;
        }
    }

    /// The answer, and the object as it was then.
    async fn dry_run(&self, case: &Case, document: &Value, live: Value) -> Result<(Value, Told), String> {
        let mut live = live;
        for _ in 0..LOOKS {
            let answer = self.server.ask(document, &case.manager, case.force).await;
            if live.is_null() {
                return Ok((live, answer));
            }
            let now = self.server.get(&case.desired).await.ok_or("the object is gone")?;
            if now == live {
                return Ok((live, answer));
            }
            live = now;
        }
        Err("the object changes all the time".to_owned())
    }
}

fn is_definition(object: &Value) -> bool {
    object["kind"] == "CustomResourceDefinition"
}

fn is_established(object: &Value) -> bool {
    let conditions = object["status"]["conditions"].as_array().into_iter().flatten();
    conditions
        .filter(|condition| condition["status"] == "True")
        .count()
        >= 2
}

/// The definition as the rules leave it.
fn document(case: &Case, kubernetes: &str, live: &Value) -> Result<Value, String> {
    let object = |value: &Value| Object::from_json(value.clone()).map_err(|error| error.to_string());
    let mut schemas = Schemas::for_kubernetes(kubernetes).ok_or("no known version")?;
    for definition in case.first.iter().filter(|object| is_definition(object)) {
        schemas = schemas
            .with_crd(&object(definition)?)
            .map_err(|error| error.to_string())?;
    }
    let mut rules = Rules::builtin();
    if !case.rules.is_null() {
        rules = rules.with(RuleSet::from_json(&case.rules).map_err(|error| error.to_string())?);
    }
    let live = if live.is_null() { None } else { Some(object(live)?) };
    let desired = object(&case.desired)?;
    let apply = Apply::new(&desired, &case.manager, &schemas)
        .to(live.as_ref())
        .force(case.force)
        .rules(&rules);
    Ok(apply.decide().document().to_json())
}

fn recorded(live: &Value, told: Told, steady: &mut Steady) -> Answer {
    match told {
        Told::Object {
            created: true,
            object,
        } => Answer::Created {
            object: steady.value(&object),
        },
        Told::Object { object, .. } => Answer::Changed {
            patch: json_patch::diff(live, &steady.value(&object)),
        },
        Told::Conflicts(conflicts) => Answer::Conflicts {
            conflicts: conflicts.into_iter().collect(),
        },
        Told::Refused { code, message } => Answer::Refused {
            status: code,
            message: steady.text(&message).chars().take(MESSAGE).collect(),
        },
    }
}

/// Where two recordings of a case are different.
pub(super) fn differs(then: &Recorded, now: &Recorded) -> String {
    if then.input != now.input {
        return "the case is another one now".to_owned();
    }
    let json = |of: &Recorded| serde_json::to_value(of).expect("JSON");
    let patch = json_patch::diff(&json(then), &json(now));
    let places: BTreeSet<String> = patch.0.iter().map(ToString::to_string).collect();
    places.into_iter().collect::<Vec<_>>().join("; ")
}
