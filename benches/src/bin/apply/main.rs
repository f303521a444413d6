//! A thousand objects into one real server: Fleet beside kubectl and beside the limit. `cargo xtask bench-apply`.

mod repairs;

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use fleet_benches::{Failure, bare, machine, requests::Requests, usage::Stopwatch, work};
use fleet_core::InventoryId;
use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig};
use fleet_kube::{ConnectionOptions, DirectorySource, Fleet, KubeconfigConnect, KubeconfigRegistry};
use serde_json::Value;

const OBJECTS: usize = 1000;
const CONNECTIONS: usize = 8;
/// The limit and a first apply are measured so often; shown is the one in the middle.
const ROUNDS: usize = 5;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fleetctl = PathBuf::from(std::env::args().nth(1).ok_or("usage: apply PATH-OF-FLEETCTL")?);
    let dir = tempfile::tempdir()?;
    println!(
        "{OBJECTS} objects (Deployment, Service, ConfigMap, ServiceAccount) into one server without controllers"
    );
    println!("{}\n", machine());
    println!(
        "{:<36} {:>8} {:>8} {:>8} {}",
        "",
        "seconds",
        "CPU s",
        "x limit",
        Requests::head()
    );
    // In turn, so that what else the machine does weighs on both.
    let (mut limits, mut colds, mut agains, mut last) = (Vec::new(), Vec::new(), Vec::new(), None);
    for _ in 0..ROUNDS {
        limits.push(limit().await?);
        drop(last.take());
        let (plane, cold, again) = fleetctl_twice(&fleetctl, dir.path())?;
        colds.push(cold);
        agains.push(again);
        last = Some(plane);
    }
    let bare = middle(limits)?;
    let limit = bare.seconds;
    row(
        &format!("limit: bare applies, {CONNECTIONS} connections"),
        bare,
        limit,
    );
    row("fleetctl apply, cold", middle(colds)?, limit);
    row("fleetctl apply again, new process", middle(agains)?, limit);
    if let Some(plane) = last {
        row(
            "forced full plan, same process",
            full_plan(&plane, dir.path()).await?,
            limit,
        );
    }
    row("kubectl apply --server-side", kubectl(dir.path())?, limit);
    repairs::repairs(dir.path()).await
}

/// What one program took to do the work.
#[derive(Clone, Copy)]
struct Run {
    seconds: f64,
    /// Seconds of the program on processors, without the server's.
    cpu: f64,
    asked: Requests,
}

fn row(name: &str, run: Run, limit: f64) {
    println!(
        "{name:<36} {:>8.2} {:>8.2} {:>8.2} {}",
        run.seconds,
        run.cpu,
        run.seconds / limit,
        run.asked.row()
    );
}

/// The one that took the middle time; all did the same.
fn middle(mut runs: Vec<Run>) -> Result<Run, Failure> {
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    Ok(*runs.get(runs.len() / 2).ok_or("nothing was run")?)
}

fn plane(name: &str) -> Result<ControlPlane, Failure> {
    // All have the log by which requests are counted, so that it costs each the same.
    Ok(ControlPlane::start(
        Options::new(name).controllers(false).pods(false).audit(true),
    )?)
}

async fn limit() -> Result<Run, Failure> {
    let plane = plane("limit")?;
    let server = bare::Server {
        address: plane.url().trim_start_matches("https://").to_owned(),
        ca: plane.ca().to_owned(),
        token: plane.token(User::Fleet).to_owned(),
    };
    let documents = work::objects(OBJECTS, "one");
    let documents = documents
        .iter()
        .map(|o| (work::path(o), o.to_string().into()))
        .collect();
    let (mark, own) = (plane.audit_mark()?, Stopwatch::own()?);
    let seconds = bare::apply_all(&server, documents, CONNECTIONS).await?;
    Ok(Run {
        seconds,
        cpu: own.seconds()?.1,
        asked: Requests::since(&plane, mark)?,
    })
}

fn kubectl(dir: &Path) -> Result<Run, Failure> {
    let plane = plane("kubectl")?;
    let file = dir.join("objects.yaml");
    std::fs::write(&file, documents(&work::objects(OBJECTS, "one")))?;
    let mut command = plane.kubectl_as(User::Fleet)?;
    command.args(["apply", "--server-side", "-f"]).arg(&file);
    timed(&plane, &mut command)
}

fn documents(objects: &[Value]) -> String {
    objects.iter().fold(String::new(), |mut text, object| {
        let _ = writeln!(text, "---\n{object}");
        text
    })
}

/// A whole process.
fn timed(plane: &ControlPlane, command: &mut Command) -> Result<Run, Failure> {
    let (mark, watch) = (plane.audit_mark()?, Stopwatch::children()?);
    let output = command.output()?;
    let (seconds, cpu) = watch.seconds()?;
    if !output.status.success() {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        return Err((text(&output.stdout) + &text(&output.stderr)).into());
    }
    Ok(Run {
        seconds,
        cpu,
        asked: Requests::since(plane, mark)?,
    })
}

fn write_inventory(dir: &Path, clusters: &[&str], objects: &[Value]) -> Result<PathBuf, Failure> {
    let inventory = dir.join(format!("inventory-{}", clusters.len()));
    for cluster in clusters {
        std::fs::create_dir_all(inventory.join(cluster))?;
        std::fs::write(inventory.join(cluster).join("objects.yaml"), documents(objects))?;
    }
    Ok(inventory)
}

/// A first apply to a fresh server, and the same again by a new process.
fn fleetctl_twice(fleetctl: &Path, dir: &Path) -> Result<(ControlPlane, Run, Run), Failure> {
    let plane = plane("one")?;
    let kubeconfig = dir.join("kubeconfig");
    merged_kubeconfig(&[&plane], &kubeconfig)?;
    let inventory = write_inventory(dir, &["one"], &work::objects(OBJECTS, "one"))?;
    let apply = || {
        let mut command = Command::new(fleetctl);
        command
            .arg("apply")
            .arg("--inventory")
            .arg(&inventory)
            .arg("--kubeconfig")
            .arg(&kubeconfig);
        timed(&plane, &mut command)
    };
    let (cold, again) = (apply()?, apply()?);
    if cold.asked.writes != u64::try_from(OBJECTS)? || again.asked.dry_runs + again.asked.writes > 0 {
        return Err(format!(
            "not each object was written once, or one was asked about: {:?}, {:?}",
            cold.asked, again.asked
        )
        .into());
    }
    Ok((plane, cold, again))
}

/// A full plan of a process that keeps the cluster.
async fn full_plan(plane: &ControlPlane, dir: &Path) -> Result<Run, Failure> {
    let source = DirectorySource::new(dir.join("inventory-1"));
    let fleet = keep(source, &dir.join("kubeconfig"))?;
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    let kept = settled(&fleet, 1).await?;
    let (mark, own) = (plane.audit_mark()?, Stopwatch::own()?);
    kept[0].driver.replan().await;
    settled(&fleet, 1).await?;
    let (seconds, cpu) = own.seconds()?;
    task.abort();
    Ok(Run {
        seconds,
        cpu,
        asked: Requests::since(plane, mark)?,
    })
}

fn keep(source: DirectorySource, kubeconfig: &Path) -> Result<Fleet, Failure> {
    let registry = KubeconfigRegistry::new(kubeconfig);
    Ok(Fleet::builder(InventoryId::new("fleet")?)
        .connect(KubeconfigConnect::new(
            registry.clone(),
            ConnectionOptions::default(),
        ))
        .registry(registry)
        .source(source)
        .build()?)
}

async fn settled(fleet: &Fleet, clusters: usize) -> Result<Vec<fleet_kube::Kept>, Failure> {
    let deadline = Instant::now() + Duration::from_secs(120);
    while Instant::now() < deadline {
        let kept = fleet.kept();
        let mut clean = kept.len() == clusters;
        for one in &kept {
            clean &= one.driver.status().await.is_some_and(|s| s.is_clean());
        }
        if clean {
            return Ok(kept);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err("not converged within 120 s".into())
}
