//! The same change, carried out by every strategy: from the same live object, memory and rules they end in the same object,
//! or say why not.

mod edit;
mod run;

use std::{collections::BTreeMap, fmt, sync::Arc};

use fleet_core::{
    Answer, ApplyStrategy, ClusterTypes, Exchange, FieldPath, Gvk, History, JsonPatch, Judge, Judgement,
    Live, LocalJudge, Manner, MergePatch, Next, Object, Request, ServerSideApply, Subject, Update, Work,
    fleet_diff::json_changes,
};
use fleet_kube::Connection;
use serde_json::Value;

use crate::random::Random;

pub use run::{Options, run};

/// Where strategies of merging here remember what they wrote.
const MEMORY: &str = "fleet.internal/fields";

/// Questions of a judge before it must have answered.
const QUESTIONS: usize = 4;

/// Tries, for objects that controllers write to meanwhile.
const TRIES: usize = 5;

/// What came of it.
#[derive(Default, Debug)]
pub struct Ways {
    /// Changes that were tried.
    pub changes: usize,
    /// Changes that every strategy carried out, with the same end.
    pub equal: usize,
    /// Changes that change nothing for any of them.
    pub nothing: usize,
    /// Changes that none carried out, as the server or a prediction refuses them.
    pub refused: usize,
    /// Changes that some carried out and some did not, with the reason.
    pub partly: BTreeMap<String, usize>,
    /// What must not be.
    pub wrong: Vec<String>,
}

impl Ways {
    /// Both.
    pub fn add(&mut self, other: Self) {
        self.changes += other.changes;
        self.equal += other.equal;
        self.nothing += other.nothing;
        self.refused += other.refused;
        for (why, count) in other.partly {
            *self.partly.entry(why).or_default() += count;
        }
        self.wrong.extend(other.wrong);
    }
}

impl fmt::Display for Ways {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let partly: usize = self.partly.values().sum();
        writeln!(
            f,
            "{} changes: {} with equal ends, {} that change nothing, {} refused by all, {partly} refused by some, {} wrong",
            self.changes,
            self.equal,
            self.nothing,
            self.refused,
            self.wrong.len()
        )?;
        for (why, count) in &self.partly {
            writeln!(f, "  {count} x {why}")?;
        }
        Ok(())
    }
}

/// What one strategy makes of a change.
enum End {
    /// The object that a server answers, own bookkeeping aside.
    Object(Box<Value>),
    Nothing,
    Refused(String),
}

/// Objects that one manager applied, changed at random and made true by every strategy, as a dry run.
pub struct Tries<'a> {
    /// The server.
    pub connection: &'a Connection,
    /// The types of its objects.
    pub types: &'a ClusterTypes,
    /// Who applied them.
    pub manager: &'a str,
    /// What the changes are drawn from.
    pub seed: u64,
}

impl Tries<'_> {
    /// This many random changes of one object.
    pub async fn run(&self, definition: &Object, changes: usize) -> Ways {
        let mut ways = Ways::default();
        let text = definition.key().to_path();
        for number in 0..changes {
            let mut random = Random::of(self.seed, &text, u64::try_from(number).unwrap_or(0));
            let (what, edited) = edit::change(&definition.to_json(), &mut random);
            let Ok(edited) = Object::from_json(edited) else {
                continue;
            };
            ways.changes += 1;
            let name = format!(
                "{} {what} (change {number} of seed {})",
                definition.key(),
                self.seed
            );
            self.compare(&name, &edited, &mut ways).await;
        }
        ways
    }

    async fn compare(&self, name: &str, edited: &Object, ways: &mut Ways) {
        let strategies: [Arc<dyn ApplyStrategy>; 4] = [
            Arc::new(ServerSideApply),
            Arc::new(Update),
            Arc::new(JsonPatch),
            Arc::new(MergePatch),
        ];
        let mut last = Vec::new();
        // What differs because somebody wrote meanwhile does not differ again and again.
        for _ in 0..TRIES {
            last.clear();
            let mut live = None;
            for strategy in &strategies {
                let now = match self.read(edited).await {
                    Ok(now) => now,
                    Err(why) => return ways.wrong.push(format!("{name}: {why}")),
                };
                live = live.or_else(|| Some(now.clone()));
                last.push((
                    strategy.id().to_owned(),
                    self.end(&**strategy, edited, &now).await,
                ));
            }
            if judge_ends(name, &last, live.as_ref()).is_ok() {
                break;
            }
        }
        match judge_ends(name, &last, None) {
            Ok(Verdict::Equal) => ways.equal += 1,
            Ok(Verdict::Nothing) => ways.nothing += 1,
            Ok(Verdict::Refused) => ways.refused += 1,
            Ok(Verdict::Partly(why)) => *ways.partly.entry(why).or_default() += 1,
            Err(why) => ways.wrong.push(why),
        }
    }

    async fn read(&self, object: &Object) -> Result<Live, String> {
        let request = Request::Get {
            key: object.key().clone(),
            gvk: object.gvk().clone(),
        };
        match self.connection.execute(&request).await {
            Answer::Object(live) => Ok(live),
            other => Err(format!("{other:?}")),
        }
    }

    async fn end(&self, strategy: &dyn ApplyStrategy, edited: &Object, live: &Live) -> End {
        let merged = (strategy.manner() == Manner::Merged).then_some(MEMORY);
        let judge = LocalJudge::default();
        let mut exchanges = Vec::new();
        for _ in 0..QUESTIONS {
            let subject = Subject::new(edited, Some(live), self.manager)
                .types(Some(self.types))
                .exchanges(&exchanges)
                .merged_here(merged);
            let (document, changes) = match judge.judge(subject) {
                Judgement::Update(document, changes) => (document, changes),
                Judgement::Nothing => return End::Nothing,
                Judgement::Ask(request) => {
                    let answer = self.connection.execute(&request).await;
                    exchanges.push(Exchange { request, answer });
                    continue;
                }
                Judgement::Refused(fault) | Judgement::Unsure(fault) | Judgement::Recreate(_, fault) => {
                    return End::Refused(fault.to_string());
                }
                other => return End::Refused(format!("{other:?}")),
            };
            if changes.is_empty() {
                return End::Nothing;
            }
            let work = Work::Update {
                document,
                live: live.clone(),
            };
            return self.carry_out(strategy, &work).await;
        }
        End::Refused("the judge asks and asks".to_owned())
    }

    async fn carry_out(&self, strategy: &dyn ApplyStrategy, work: &Work) -> End {
        let history = History::new(self.manager);
        let request = match strategy.next(work, history) {
            Next::Send(request) => request,
            Next::Done => return End::Nothing,
            other => return End::Refused(format!("{other:?}")),
        };
        match self.connection.execute(&as_dry_run(request)).await {
            Answer::Object(live) => End::Object(Box::new(content(live.object()))),
            Answer::Refused(fault) => End::Refused(fault.to_string()),
            other => End::Refused(format!("{other:?}")),
        }
    }
}

enum Verdict {
    Equal,
    Nothing,
    Refused,
    Partly(String),
}

/// Whether these ends are one.
fn judge_ends(name: &str, ends: &[(String, End)], live: Option<&Live>) -> Result<Verdict, String> {
    let live = live.map(|live| content(live.object()));
    let mut objects: Vec<(&str, &Value)> = Vec::new();
    let mut refusals: Vec<(&str, &str)> = Vec::new();
    let mut nothing: Vec<&str> = Vec::new();
    for (strategy, end) in ends {
        match end {
            End::Object(value) => objects.push((strategy, value)),
            End::Nothing => nothing.push(strategy),
            End::Refused(why) => refusals.push((strategy, why)),
        }
    }
    if let [(first, value), rest @ ..] = &objects[..] {
        for (other, theirs) in rest {
            if value != theirs {
                let changes = json_changes(value, theirs);
                let places: Vec<String> = changes
                    .iter()
                    .map(|c| format!("{} {:?} / {:?}", c.path, c.before, c.after))
                    .collect();
                return Err(format!(
                    "{name}: {first} and {other} differ in {}",
                    places.join(", ")
                ));
            }
        }
        if let Some(nothing) = nothing.first()
            && live.as_ref() != Some(value)
        {
            let places: Vec<String> = live
                .iter()
                .flat_map(|live| json_changes(live, value))
                .map(|change| change.path.to_string())
                .collect();
            return Err(format!(
                "{name}: {nothing} does nothing, and {first} changes {}",
                places.join(", ")
            ));
        }
    }
    match (objects.is_empty(), nothing.is_empty(), &refusals[..]) {
        (_, _, []) if objects.is_empty() => Ok(Verdict::Nothing),
        (_, _, []) => Ok(Verdict::Equal),
        (true, true, _) => Ok(Verdict::Refused),
        (_, _, [(strategy, why), ..]) => {
            let start: String = why.chars().take(120).collect();
            Ok(Verdict::Partly(format!("{strategy}: {start}")))
        }
    }
}

/// Content without our own bookkeeping and what servers count.
pub fn content(object: &Object) -> Value {
    let metadata = |field: &str| FieldPath::keys(["metadata", field]);
    let left_out = [
        metadata("managedFields"),
        metadata("resourceVersion"),
        metadata("generation"),
        FieldPath::keys(["metadata", "annotations", MEMORY]),
        FieldPath::keys(["status"]),
    ];
    let rest = object.without(&left_out);
    let mut value = rest.map_or_else(|_| object.to_json(), |rest| rest.to_json());
    // What held nothing but the memory.
    if value.pointer("/metadata/annotations") == Some(&serde_json::json!({}))
        && let Some(metadata) = value["metadata"].as_object_mut()
    {
        metadata.remove("annotations");
    }
    value
}

fn as_dry_run(mut request: Request) -> Request {
    if let Request::Apply { dry_run, .. }
    | Request::Create { dry_run, .. }
    | Request::Update { dry_run, .. }
    | Request::Patch { dry_run, .. } = &mut request
    {
        *dry_run = true;
    }
    request
}

/// The kinds of these objects.
pub fn kinds_of<'a>(objects: impl IntoIterator<Item = &'a Object>) -> std::collections::BTreeSet<Gvk> {
    objects.into_iter().map(|object| object.gvk().clone()).collect()
}
