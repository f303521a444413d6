//! The truth test: what a prediction says that a server would answer to a dry run of an apply, beside what a real server
//! answers.
//!
//! Objects are made by real writes of several managers; then many definitions are asked about by dry runs, which change
//! nothing. Questions come in classes. The same seed gives the same questions.

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
mod random;
mod record;
mod report;
mod rich;
mod run;
mod schema;
mod server;
mod site;

use std::{io::Write as _, path::PathBuf, time::Instant};

use fleet_harness::{ControlPlane, Options as PlaneOptions, User};
use kube::Client;

use crate::{Bed, manifests};
use compare::compare;
use live::Lives;
use run::Lab;
use server::Server;

pub use compare::{Difference, Effect, Verdict};
pub use oracle::{AlwaysUnsure, Conflicts, Predicted, Predictor, Question};
pub use report::{Report, Row};
pub use server::Answer;

/// What to ask.
#[derive(Clone, Debug)]
pub struct Options {
    /// The same seed gives the same cases.
    pub seed: u64,
    /// Cases of each class.
    pub cases: usize,
    /// Only classes whose names contain one of these; all when there is none.
    pub classes: Vec<String>,
    /// Only manifests of these sets; all when there is none.
    pub sets: Vec<String>,
    /// A folder for every case, as lines of JSON, and for the definitions of custom resources.
    pub record: Option<PathBuf>,
    /// Whether it is said why the server refused.
    pub verbose: bool,
}

/// Asks a server and a predictor the same questions.
pub async fn run(options: &Options, predictor: &dyn Predictor) -> Report {
    let begin = Instant::now();
    let plane =
        ControlPlane::start(PlaneOptions::new("truth").controllers(false).pods(false)).expect("a cluster");
    let bed = Bed::new([&plane]);
    let client = Client::try_from(bed.config(plane.name(), User::Admin).await).expect("a client");
    let (mut sets, _) = manifests::all();
    sets.retain(|set| options.sets.is_empty() || options.sets.contains(&set.name));
    let mut server = Server::new(client).await;
    let first = base::first(&sets);
    server.prepare(&first).await;
    let ready = begin.elapsed();
    let lives = evolve(&mut server, options.seed).await;
    server.install(&own::policies()).await;
    let bases = base::bases(&server, &sets, options.seed).await;
    println!(
        "{} definitions; server ready after {ready:.1?}, definitions after {:.1?}",
        bases.len(),
        begin.elapsed()
    );
    let mut out = options.record.as_ref().map(|folder| {
        std::fs::create_dir_all(folder).expect("a folder");
        let text = serde_json::to_vec_pretty(&first).expect("JSON");
        std::fs::write(folder.join("crds.json"), text).expect("a file");
        let file = std::fs::File::create(folder.join("cases.jsonl")).expect("a file");
        std::io::BufWriter::new(file)
    });
    let lab = Lab::new(&server, &bases, options.seed, lives);
    let mut report = Report::default();
    for class in classes::ALL {
        let is_wanted =
            options.classes.is_empty() || options.classes.iter().any(|name| class.name().contains(name));
        if !is_wanted {
            continue;
        }
        let mut row = Row::default();
        let begin = Instant::now();
        lab.ask(class, options.cases, |asked| {
            let question = Question {
                live: asked.live.as_ref(),
                desired: &asked.desired,
                manager: &asked.manager,
                force: asked.force,
            };
            let verdict = compare(&predictor.predict(&question), &asked.answer);
            if let Some(out) = &mut out {
                let line = record::line(&asked, options.seed, plane.kubernetes().as_str());
                writeln!(out, "{line}").expect("written");
            }
            row.count(&asked, &verdict);
        })
        .await;
        println!("{}: {:.1?}", class.name(), begin.elapsed());
        report.rows.push((class.name(), row));
    }
    println!("{} objects; {:?}", lab.lives.count(), lab.counts);
    report
}

/// Makes objects of the kinds whose schemas change, and changes the schemas.
async fn evolve(server: &mut Server, seed: u64) -> Lives {
    let before = base::evolving(server).await;
    let lab = Lab::new(server, &before, seed, Lives::default());
    lab.make_all(&classes::EVOLVED, &before).await;
    let lives = lab.lives;
    let evolved = own::evolved();
    server.install(&evolved).await;
    let is_new = |schema: schema::Schema<'_>| {
        schema.field("spec").is_some_and(|spec| spec.known_fields().contains(&"fresh"))
    };
    server.await_schemas(&evolved, is_new).await;
    lives.look_again(server).await;
    lives
}
