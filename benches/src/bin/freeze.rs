//! Six clusters, three of them frozen: what the healthy ones lose. `cargo xtask bench-freeze`.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use fleet_benches::{Failure, machine, median, work};
use fleet_core::InventoryId;
use fleet_harness::{ControlPlane, Options, merged_kubeconfig};
use fleet_kube::{ConnectionOptions, DirectorySource, Fleet, KubeconfigConnect, KubeconfigRegistry, Wave};

const HEALTHY: [&str; 3] = ["a", "b", "c"];
const FROZEN: [&str; 3] = ["x", "y", "z"];
const OBJECTS: usize = 300;
const ROUNDS: usize = 5;

fn main() -> Result<(), Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Every pool that clusters could share is as small as it can be.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(run())
}

async fn run() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let all = HEALTHY.into_iter().chain(FROZEN);
    let planes = ControlPlane::start_all(all.map(|n| Options::new(n).controllers(false).pods(false)))?;
    let kubeconfig = dir.path().join("kubeconfig");
    merged_kubeconfig(&planes.iter().collect::<Vec<_>>(), &kubeconfig)?;
    let frozen = || planes.iter().filter(|p| FROZEN.contains(&p.name()));
    println!("{OBJECTS} objects on 6 clusters, a new revision for all; three frozen with watches open");
    println!("{}\n", machine());

    let mut alone = Vec::new();
    let mut beside = Vec::new();
    for round in 0..ROUNDS {
        alone.push(
            time(
                dir.path(),
                &kubeconfig,
                &HEALTHY,
                &format!("alone-{round}"),
                || Ok(()),
            )
            .await?,
        );
        let everyone: Vec<&str> = HEALTHY.into_iter().chain(FROZEN).collect();
        let freeze = || -> Result<(), Failure> { frozen().try_for_each(|p| Ok(p.freeze()?)) };
        beside.push(
            time(
                dir.path(),
                &kubeconfig,
                &everyone,
                &format!("beside-{round}"),
                freeze,
            )
            .await?,
        );
        frozen().try_for_each(ControlPlane::thaw)?;
    }
    let (alone, beside) = (median(alone), median(beside));
    println!(
        "the healthy ones, without the others:    {:>7} ms (median of {ROUNDS})",
        alone.as_millis()
    );
    println!(
        "the healthy ones, beside the frozen:     {:>7} ms (median of {ROUNDS})",
        beside.as_millis()
    );
    println!(
        "ratio                                    {:>7.2}",
        beside.as_secs_f64() / alone.as_secs_f64()
    );
    Ok(())
}

/// Converges `clusters`, does something to them, publishes a new revision, and times the healthy ones.
async fn time(
    dir: &Path,
    kubeconfig: &Path,
    clusters: &[&str],
    text: &str,
    then: impl FnOnce() -> Result<(), Failure>,
) -> Result<Duration, Failure> {
    let inventory = dir.join("inventory");
    write(&inventory, clusters, &format!("{text}-before"))?;
    let registry = KubeconfigRegistry::new(kubeconfig).contexts(clusters.iter().copied());
    let fleet = Fleet::builder(InventoryId::new("fleet")?)
        .connect(KubeconfigConnect::new(
            registry.clone(),
            ConnectionOptions::default(),
        ))
        .registry(registry)
        .source(DirectorySource::new(&inventory))
        .wave(Wave::All)
        .read_interval(Duration::from_millis(50))
        .build()?;
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    settled(&fleet, clusters, None).await?;
    let before = revision(&fleet).await?;
    then()?;
    write(&inventory, clusters, text)?;
    let begin = Instant::now();
    settled(&fleet, &HEALTHY, Some(&before)).await?;
    let took = begin.elapsed();
    task.abort();
    Ok(took)
}

/// Swaps the whole inventory at once, so that no half of it is ever read.
fn write(inventory: &Path, clusters: &[&str], text: &str) -> Result<(), Failure> {
    let new = inventory.with_extension("new");
    let objects = work::objects(OBJECTS, text);
    let documents: Vec<String> = objects.iter().map(|o| format!("---\n{o}\n")).collect();
    for cluster in clusters {
        std::fs::create_dir_all(new.join(cluster))?;
        std::fs::write(new.join(cluster).join("objects.yaml"), documents.concat())?;
    }
    if inventory.exists() {
        std::fs::rename(inventory, inventory.with_extension("old"))?;
    }
    std::fs::rename(&new, inventory)?;
    let old = inventory.with_extension("old");
    if old.exists() {
        std::fs::remove_dir_all(old)?;
    }
    Ok(())
}

async fn revision(fleet: &Fleet) -> Result<String, Failure> {
    let kept = fleet.kept();
    let one = kept
        .iter()
        .find(|k| k.cluster.name == HEALTHY[0])
        .ok_or("no cluster")?;
    let status = one.driver.status().await.ok_or("stopped")?;
    Ok(status.revision.ok_or("no revision")?.as_str().to_owned())
}

/// Waits until these clusters are clean, at another revision than `not`.
async fn settled(fleet: &Fleet, names: &[&str], not: Option<&str>) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        let kept = fleet.kept();
        let mut clean = 0;
        for one in kept.iter().filter(|k| names.contains(&k.cluster.name.as_str())) {
            let status = one.driver.status().await.ok_or("stopped")?;
            let news = not.is_none_or(|not| status.revision.as_ref().is_some_and(|r| r.as_str() != not));
            clean += usize::from(status.is_clean() && news);
        }
        if clean == names.len() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err("not converged within 120 s".into())
}
