//! The story, step by step. Every figure it prints is measured while it is told.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anstyle::{AnsiColor, Style};
use fleet_core::{Action, Cluster, Note};
use fleet_kube::{DirectorySource, Fleet, Kept};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::api::{Api, Patch, PatchParams};
use tokio::time::{Instant, sleep};

use crate::{
    Failure,
    clusters::{self, Clusters},
    inventory::{Folder, REGIONS},
};

/// How long anything in this story may take.
const PATIENCE: Duration = Duration::from_secs(60);
const TITLE: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default();

/// Notes of all clusters, with their time.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<(String, Note)>>>);

impl Heard {
    fn all(&self) -> Vec<(String, Note)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn done(&self, action: Action) -> usize {
        self.all()
            .iter()
            .filter(|(_, note)| matches!(note, Note::Done { action: a, .. } if *a == action))
            .count()
    }
}

/// Clusters that are named one by one.
const SHOWN: usize = 3;

fn shortly(names: &[&str]) -> String {
    match names.len().checked_sub(SHOWN) {
        None | Some(0) => names.join(", "),
        Some(more) => format!("{} and {more} more", names[..SHOWN].join(", ")),
    }
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}

fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    first.to_uppercase() + rest
}

fn title(number: u8, text: &str) {
    anstream::println!("\n{TITLE}{number}. {text}{TITLE:#}");
}

fn result(text: &str) {
    anstream::println!("   {GOOD}{text}{GOOD:#}");
}

fn detail(text: &str) {
    anstream::println!("   {text}");
}

pub(crate) async fn tell(real: bool) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let regions = if real { &REGIONS[..3] } else { &REGIONS[..] };
    if real {
        clusters::build()?;
    }
    let names: Vec<&str> = regions.iter().map(|region| region.name).collect();
    let count = if real { "three" } else { "twenty" };
    let began = Instant::now();
    title(1, &format!("{} clusters start", capital(count)));
    let begin = Instant::now();
    let clusters = if real {
        Clusters::start(&names, dir.path())?
    } else {
        Clusters::simulate(&names)
    };
    detail(&format!(
        "{} in {}, {}",
        shortly(&names),
        seconds(begin),
        clusters.kind()
    ));

    let folder = Folder::write(dir.path(), regions)?;
    let heard = Heard::default();
    let fleet = assemble(&clusters, &folder, heard.clone())?;

    title(2, "The inventory is made true, one cluster first");
    let begin = Instant::now();
    let keeper = fleet.clone();
    let keeping = tokio::spawn(async move { keeper.run().await });
    let kept = converged(&fleet, names.len()).await?;
    for one in kept.iter().take(SHOWN) {
        let status = one.driver.status().await.ok_or("a driver has stopped")?;
        detail(&format!(
            "{}: {} objects in sync at revision {}",
            one.cluster.name,
            status.in_sync,
            status.revision.as_ref().map_or("none", |r| r.as_str())
        ));
    }
    if kept.len() > SHOWN {
        detail(&format!("and so on in {} others", kept.len() - SHOWN));
    }
    result(&format!("converged in {}", seconds(begin)));

    title(3, "A forced second pass");
    let before = requests(&kept);
    for one in &kept {
        one.driver.replan().await;
    }
    converged(&fleet, names.len()).await?;
    result(&format!("{} requests about objects", requests(&kept) - before));

    title(4, "Somebody edits a field in eu-west");
    heard.forget();
    let theirs: Api<ConfigMap> = Api::namespaced(clusters.client("eu-west").await?, "shop");
    let edit = Patch::Merge(serde_json::json!({"data": {"CURRENCY": "DOGE"}}));
    theirs.patch("web", &PatchParams::default(), &edit).await?;
    let begin = Instant::now();
    until(|| heard.done(Action::Update) > 0).await?;
    let took = begin.elapsed();
    let data = theirs.get("web").await?.data.unwrap_or_default();
    let value = data.get("CURRENCY").map_or("nothing", String::as_str);
    result(&format!(
        "CURRENCY is {value} again, {} ms later",
        took.as_millis()
    ));

    title(5, "An object is renamed in the inventory");
    heard.forget();
    folder.edit("monitoring.yaml", "name: alert-rules", "name: alerts")?;
    until(|| heard.done(Action::Delete) == names.len()).await?;
    result(&format!(
        "alerts is there, alert-rules is gone, in all {count} clusters"
    ));

    title(6, "A file of the inventory cannot be read");
    heard.forget();
    let good = std::fs::read_to_string(folder.dir.join("us-east").join("shop.yaml"))?;
    folder.put(
        "us-east",
        "shop.yaml",
        &good[..good.len() / 2].replace("image: registry", "image: [registry"),
    )?;
    until(|| {
        heard
            .all()
            .iter()
            .any(|(_, note)| matches!(note, Note::InventoryUnknown { .. }))
    })
    .await?;
    for (cluster, note) in heard.all() {
        if let Note::InventoryUnknown { reason } = note {
            detail(&format!(
                "{cluster}: {}",
                reason
                    .message
                    .replace(&folder.dir.display().to_string(), "inventory")
            ));
        }
    }
    result(&format!(
        "nothing changed: {} writes",
        heard.done(Action::Delete) + heard.done(Action::Update)
    ));
    folder.put("us-east", "shop.yaml", &good)?;
    converged(&fleet, names.len()).await?;

    title(7, "Twelve objects vanish from the inventory at once");
    heard.forget();
    folder.remove("campaigns.yaml")?;
    until(|| held(&heard).is_some()).await?;
    let (cluster, why, token) = held(&heard).ok_or("nothing was held")?;
    detail(&format!("{cluster}: stopped: {why}"));
    result(&format!(
        "{} deletes done; to confirm them: {token}",
        heard.done(Action::Delete)
    ));
    for one in fleet.kept() {
        let name = &one.cluster.name;
        let deadline = Instant::now() + PATIENCE;
        // The next cluster gets the change when the one before has done it.
        while Instant::now() < deadline && !held_in(&heard, name) {
            sleep(Duration::from_millis(50)).await;
        }
        let status = one.driver.status().await.ok_or("a driver has stopped")?;
        let token = status.held.as_ref().and_then(|h| h.facts.get("token").cloned());
        one.driver.confirm(token.ok_or("nothing is held there")?).await;
    }
    until(|| heard.done(Action::Delete) == 12 * names.len()).await?;
    result(&format!("confirmed: {} deletes done", heard.done(Action::Delete)));

    keeping.abort();
    anstream::println!(
        "\nTold in {}. Everything it started is being stopped. Next: examples/fleetctl, with your own clusters.",
        seconds(began)
    );
    Ok(())
}

fn assemble(clusters: &Clusters, folder: &Folder, heard: Heard) -> Result<Fleet, Failure> {
    let source = DirectorySource::new(&folder.dir);
    let settings = source.settings()?;
    let options = settings.options();
    let fleet = clusters
        .known_to(Fleet::builder(settings.inventory))
        .source(source)
        .options(move |_| options.clone())
        .budget(fleet_core::DeleteBudget::unlimited())
        .read_interval(Duration::from_millis(500))
        .observer(move |cluster: &Cluster, note: &Note| {
            heard
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push((cluster.name.clone(), note.clone()));
        })
        .build()?;
    Ok(fleet)
}

/// Waits until every cluster is as its inventory says.
async fn converged(fleet: &Fleet, count: usize) -> Result<Vec<Kept>, Failure> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let kept = fleet.kept();
        let mut clean = kept.len() == count;
        for one in &kept {
            clean &= one.driver.status().await.is_some_and(|s| s.is_clean());
        }
        if clean {
            return Ok(kept);
        }
        if Instant::now() > deadline {
            return Err(format!("not converged within {} s", PATIENCE.as_secs()).into());
        }
        sleep(Duration::from_millis(20)).await;
    }
}

async fn until(mut what: impl FnMut() -> bool) -> Result<(), Failure> {
    let deadline = Instant::now() + PATIENCE;
    while !what() {
        if Instant::now() > deadline {
            return Err(format!("it did not happen within {} s", PATIENCE.as_secs()).into());
        }
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}

fn requests(kept: &[Kept]) -> u64 {
    kept.iter()
        .map(|one| one.connection.contact().object_requests())
        .sum()
}

fn held(heard: &Heard) -> Option<(String, String, String)> {
    heard.all().into_iter().find_map(|(cluster, note)| match note {
        Note::DeletesHeld { reason, .. } => Some((
            cluster,
            reason.message.clone(),
            reason.facts.get("token")?.clone(),
        )),
        _ => None,
    })
}

fn held_in(heard: &Heard, cluster: &str) -> bool {
    heard
        .all()
        .iter()
        .any(|(name, note)| name == cluster && matches!(note, Note::DeletesHeld { .. }))
}
