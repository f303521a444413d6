//! The in-process server beside a real one: the same operations, and what they answer differently.

mod normal;
mod objects;
mod ops;
mod world;

use std::{collections::BTreeMap, fmt::Write as _};

use fleet_harness::{ControlPlane, Options as PlaneOptions, User};
use kube::Client;
use serde_json::{Value, json};

use crate::{Bed, random::Random};
use normal::Normal;
use objects::{KINDS, NAMESPACE};
use ops::With;
use world::{Sent, World};

/// The seed of the tests.
pub const SEED: u64 = 1;

/// What became of the operations.
#[derive(Debug, Default)]
pub struct Report {
    /// By operation: how often, how often refused, how often answered differently.
    pub rows: BTreeMap<String, [usize; 3]>,
    /// How often something was done with each kind.
    pub kinds: BTreeMap<&'static str, usize>,
    /// What was answered differently, one text each.
    pub differences: Vec<String>,
}

/// Does `count` random operations to both, and prints those on the object `trace`, such as `configmaps/one`.
pub async fn run(seed: u64, count: usize, trace: Option<&str>) -> Report {
    let plane =
        ControlPlane::start(PlaneOptions::new("alike").controllers(false).pods(false)).expect("a cluster");
    let bed = Bed::new([&plane]);
    let client = Client::try_from(bed.config(plane.name(), User::Admin).await).expect("a client");
    let mut real = World::Real(client);
    let version = real.send(&Sent::get("/version")).await.body;
    let minor = ["major", "minor"].map(|part| version[part].as_str().unwrap_or("").to_owned());
    let mut worlds = [real, World::simulated(&minor.join("."))];
    let mut normals = [Normal::default(), Normal::default()];
    for world in &mut worlds {
        begin(world).await;
    }
    let mut watches = Vec::new();
    for kind in KINDS.iter().filter(|kind| kind.namespaced) {
        let path = format!("{}?watch=1&timeoutSeconds=3000", kind.collection());
        let mut pair = Vec::new();
        for world in &mut worlds {
            pair.push(world.watch(&Sent::get(path.clone())).await);
        }
        watches.push((path, pair));
    }
    let mut report = Report::default();
    for number in 0..count {
        let mut random = Random::of(seed, "alike", number as u64);
        let name = ops::random(&mut random);
        let with = With::random(&mut random);
        let mut answers = Vec::new();
        for (world, normal) in worlds.iter_mut().zip(&mut normals) {
            let said = ops::perform(name, &with, world).await;
            if with.kind.plural == "customresourcedefinitions" {
                world.rest(&with.path()).await;
            }
            answers.push(
                said.iter()
                    .map(|said| Answer {
                        code: said.code,
                        body: normal.of(with.kind.plural, &said.body),
                        warnings: said.warnings.clone(),
                    })
                    .collect::<Vec<_>>(),
            );
        }
        if trace == Some(&format!("{}/{}", with.kind.plural, with.name)) {
            println!("{number} {name}");
            for (world, answers) in worlds.iter().zip(&answers) {
                for Answer { code, body, warnings } in answers {
                    println!("  {:<10} {code} {body} {warnings:?}", world.name());
                }
            }
        }
        *report.kinds.entry(with.kind.plural).or_default() += 1;
        let row = report.rows.entry(name.to_owned()).or_default();
        row[0] += 1;
        row[1] += usize::from(answers[0].last().is_some_and(|last| last.code >= 400));
        if let Some(difference) = between(&answers[0], &answers[1]) {
            row[2] += 1;
            let path = format!("{}/{}", with.kind.plural, with.name);
            report
                .differences
                .push(format!("{number} {name} {path}: {difference}"));
        }
    }
    for (path, mut pair) in watches {
        let mut told = Vec::new();
        for ((world, telling), normal) in worlds
            .iter_mut()
            .zip(&mut pair)
            .zip([Normal::default(), Normal::default()])
        {
            let mut normal = normal;
            let events = world.told(telling).await;
            let events: Vec<Value> = events
                .iter()
                .map(|event| json!({"type": event["type"], "object": normal.of(&path, &event["object"])}))
                .collect();
            told.push(events);
        }
        let row = report.rows.entry("watch".to_owned()).or_default();
        row[0] += told[0].len();
        for (real, simulated) in told[0].iter().zip(&told[1]) {
            if let Some(difference) = first_difference(real, simulated, "") {
                row[2] += 1;
                let (event, uid) = (&real["type"], &real["object"]["metadata"]["uid"]);
                report
                    .differences
                    .push(format!("watch {path}: {event} {uid}: {difference}"));
                break;
            }
        }
        if told[0].len() != told[1].len() {
            row[2] += 1;
            let counts = format!(
                "watch {path}: {} events, simulated {}",
                told[0].len(),
                told[1].len()
            );
            report.differences.push(counts);
        }
    }
    report
}

async fn begin(world: &mut World) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    for (path, body) in [("/api/v1/namespaces", namespace), (crds, objects::definition())] {
        let said = world.send(&Sent::new("POST", path, &body)).await;
        assert_eq!(said.code, 201, "{}: {}", world.name(), said.body);
    }
    for _ in 0..100 {
        let racks = Sent::get(format!("/apis/example.net/v1/namespaces/{NAMESPACE}/racks"));
        if world.send(&racks).await.code == 200 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("{}: the CRD is not served", world.name());
}

/// An answer without what servers choose.
struct Answer {
    code: u16,
    body: Value,
    warnings: Vec<String>,
}

impl Answer {
    /// Code, reason and, where they are the same on purpose, words of a refusal.
    fn refusal(&self) -> String {
        let text = |key: &str| self.body[key].as_str().unwrap_or("");
        let words = match text("reason") {
            // Each server names the fields that are wrong in its own order, and has its own words for values.
            "Invalid" | "BadRequest" | "" => "",
            _ => &normal::words(text("message")),
        };
        format!("{} {} {words}", self.code, text("reason"))
    }
}

fn between(real: &[Answer], simulated: &[Answer]) -> Option<String> {
    if real.len() != simulated.len() {
        return Some(format!("{} answers, simulated {}", real.len(), simulated.len()));
    }
    real.iter().zip(simulated).find_map(|(real, simulated)| {
        if real.code != simulated.code || real.code >= 400 {
            let (a, b) = (real.refusal(), simulated.refusal());
            let all = |answer: &Answer| {
                answer.body["message"]
                    .as_str()
                    .unwrap_or("")
                    .chars()
                    .take(200)
                    .collect::<String>()
            };
            return (a != b).then(|| format!("{a} ({}), simulated {b} ({})", all(real), all(simulated)));
        }
        if real.warnings != simulated.warnings {
            return Some(format!("{:?}, simulated {:?}", real.warnings, simulated.warnings));
        }
        first_difference(&real.body, &simulated.body, "")
    })
}

/// The first place where two values differ, and how.
fn first_difference(a: &Value, b: &Value, path: &str) -> Option<String> {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let keys: std::collections::BTreeSet<&String> = x.keys().chain(y.keys()).collect();
            keys.into_iter().find_map(|key| {
                let null = &Value::Null;
                match (x.get(key), y.get(key)) {
                    (Some(x), Some(y)) => first_difference(x, y, &format!("{path}.{key}")),
                    (x, y) => {
                        let (x, y) = (x.unwrap_or(null), y.unwrap_or(null));
                        Some(format!("{path}.{key}: {x}, simulated {y}"))
                    }
                }
            })
        }
        (Value::Array(x), Value::Array(y)) if x.len() == y.len() => {
            let mut all = x.iter().zip(y).enumerate();
            all.find_map(|(at, (x, y))| first_difference(x, y, &format!("{path}[{at}]")))
        }
        (a, b) if a == b => None,
        (a, b) => Some(format!("{path}: {a}, simulated {b}")),
    }
}

impl Report {
    /// Operations that were done, and those of them that were refused by the real server.
    pub fn counts(&self) -> [usize; 2] {
        let operations = self.rows.iter().filter(|(name, _)| *name != "watch");
        operations.fold([0, 0], |[done, refused], (_, row)| {
            [done + row[0], refused + row[1]]
        })
    }

    /// A line for each operation.
    pub fn table(&self) -> String {
        let mut out = format!(
            "{:<45} {:>7} {:>7} {:>9}\n",
            "operation", "done", "refused", "different"
        );
        for (name, [done, refused, different]) in &self.rows {
            // Writing to a text does not fail.
            let _ = writeln!(out, "{name:<45} {done:>7} {refused:>7} {different:>9}");
        }
        out
    }
}
