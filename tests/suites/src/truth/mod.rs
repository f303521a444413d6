//! The truth test: what a prediction says that a server would answer to a dry run of an apply, an update or a patch, beside
//! what a real server answers.
//!
//! Objects are made by real writes of several managers; then many definitions are asked about by dry runs, which change
//! nothing. Questions come in classes. The same seed gives the same questions. Cases can be recorded, and predicted
//! again without a server.

mod base;
mod case;
mod classes;
mod compare;
mod edit;
mod frozen;
mod live;
mod oracle;
mod own;
mod place;
mod record;
mod report;
mod rich;
mod run;
mod schema;
mod server;
mod site;
mod status;
mod way;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use fleet_harness::{ControlPlane, Options as PlaneOptions, User};
use kube::Client;
use serde_json::Value;

use crate::{Bed, manifests};
use compare::compare;
use live::Lives;
use record::Recorder;
use run::Lab;
use schema::Schema;
pub(crate) use server::{Server, Write};

pub use compare::{Difference, Effect, Verdict};
pub use oracle::{Conflicts, Local, Predicted, Predictor, Question, Told};
pub use record::Asked;
pub use report::{Report, Row};
pub use server::Answer;
pub use way::Way;

/// The seed of the tests.
pub const SEED: u64 = 1;

/// What to ask.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The same seed gives the same cases.
    pub seed: u64,
    /// Cases of each class.
    pub cases: usize,
    /// Only classes whose names contain one of these; all when there is none.
    pub classes: Vec<String>,
    /// Only manifests of these sets; all when there is none.
    pub sets: Vec<String>,
    /// Only the case of this number, in each class.
    pub only: Option<u64>,
    /// A folder for every case, as lines of JSON, and for what the server was told first.
    pub record: Option<PathBuf>,
    /// A folder for cases that were predicted wrongly, each in a file of its own.
    pub save: Option<PathBuf>,
}

/// Asks a server and a predictor the same questions.
pub async fn run<P: Predictor>(options: &Options, predictor: impl FnOnce(&Told) -> P) -> Report {
    let begin = Instant::now();
    let plane =
        ControlPlane::start(PlaneOptions::new("truth").controllers(false).pods(false)).expect("a cluster");
    let bed = Bed::new([&plane]);
    let client = Client::try_from(bed.config(plane.name(), User::Admin).await).expect("a client");
    let (mut sets, absent) = manifests::all();
    sets.retain(|set| options.sets.is_empty() || options.sets.contains(&set.name));
    let mut server = Server::new(client, plane.kubernetes().as_str()).await;
    let mut first = base::first(&sets);
    server.prepare(&first).await;
    let lives = evolve(&mut server, options.seed, &mut first).await;
    let is_mutating = server.install(&own::policies()).await.len() == own::policies().len();
    let bases = base::bases(&server, &sets, options.seed).await;
    println!("{} definitions after {:.1?}", bases.len(), begin.elapsed());
    let told = Told {
        kubernetes: server.kubernetes.clone(),
        definitions: first,
        policies: if is_mutating { own::policies() } else { Vec::new() },
    };
    let predictor = predictor(&told);
    if let Some(folder) = &options.save {
        record::write_told(folder, &told);
    }
    let mut recorder = options.record.as_ref().map(|folder| Recorder::new(folder, &told));
    let lab = Lab::new(&server, &bases, options.seed, lives);
    let mut report = Report::default();
    for what in absent {
        report.skip("all classes", &what);
    }
    for class in classes::ALL {
        let is_named = |name: &String| class.name().contains(name.as_str());
        if !options.classes.is_empty() && !options.classes.iter().any(is_named) {
            continue;
        }
        if class.namespace() == base::MUTATED && !is_mutating {
            report.skip(class.name(), "this server has no mutating admission policies");
            continue;
        }
        report.begin(class.name(), class.can_be_told());
        let begin = Instant::now();
        let has_any = lab
            .ask(class, options.cases, options.only, |asked| {
                if let Some(recorder) = &mut recorder {
                    recorder.add(&asked);
                }
                judge(&asked, &predictor, options.save.as_deref(), &mut report);
            })
            .await;
        if !has_any {
            report.skip(class.name(), "these sets have nothing for it");
        }
        println!("{}: {:.1?}", class.name(), begin.elapsed());
    }
    println!("{} objects; {:?}", lab.lives.count(), lab.counts);
    report
}

/// Predicts cases that were recorded or saved: a file, or all files of a folder.
pub fn replay<P: Predictor>(path: &Path, predictor: impl Fn(&Told) -> P) -> Report {
    let mut report = Report::default();
    let mut by_version = BTreeMap::new();
    record::read(path, &mut |asked| {
        let predictor = by_version
            .entry(asked.kubernetes.clone())
            .or_insert_with(|| predictor(&record::read_told(path, &asked)));
        judge(&asked, predictor, None, &mut report);
    });
    report
}

fn judge(asked: &Asked, predictor: &dyn Predictor, save: Option<&Path>, report: &mut Report) {
    let begin = Instant::now();
    let predicted = predictor.predict(&asked.question());
    report.predicting += begin.elapsed();
    let verdict = compare(&predicted, &asked.answer, asked.live.as_ref());
    if let (Verdict::Differs(_), Some(folder)) = (&verdict, save) {
        record::save(folder, asked);
    }
    report.count(asked, &verdict);
}

/// Makes objects of the kinds whose schemas change, and changes the schemas.
async fn evolve(server: &mut Server, seed: u64, definitions: &mut [Value]) -> Lives {
    let before = base::evolving(server).await;
    let lab = Lab::new(server, &before, seed, Lives::default());
    lab.make_all(&classes::EVOLVED, &before).await;
    let lives = lab.lives;
    let evolved = own::evolved();
    server.install(&evolved).await;
    let is_new = |schema: Schema<'_>| {
        schema
            .field("spec")
            .is_some_and(|spec| spec.known_fields().contains(&"fresh"))
    };
    server.await_schemas(&evolved, is_new).await;
    lives.look_again(server).await;
    for definition in definitions {
        let then = evolved
            .iter()
            .find(|then| then["metadata"]["name"] == definition["metadata"]["name"]);
        if let Some(then) = then {
            *definition = then.clone();
        }
    }
    lives
}
