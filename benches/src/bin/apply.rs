//! A thousand objects into one real server: Fleet beside kubectl and beside the limit. `cargo xtask bench-apply`.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use fleet_benches::{Failure, bare, machine, median, work};
use fleet_core::{Inventory, InventoryId, Object};
use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig};
use fleet_kube::{ConnectionOptions, DirectorySource, Fleet, KubeconfigConnect, KubeconfigRegistry};
use serde_json::Value;

const OBJECTS: usize = 1000;
const CONNECTIONS: usize = 8;
const EDITS: usize = 10;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let fleetctl = PathBuf::from(std::env::args().nth(1).ok_or("usage: apply PATH-OF-FLEETCTL")?);
    let dir = tempfile::tempdir()?;
    println!(
        "{OBJECTS} objects (Deployment, Service, ConfigMap, ServiceAccount) into one server without controllers"
    );
    println!("{}\n", machine());
    println!("{:<44} {:>8} {:>9} {:>9}", "", "seconds", "requests", "x limit");

    let limit = limit().await?;
    row("limit: bare applies, 8 connections", limit, 1.0);
    row("kubectl apply --server-side", kubectl(dir.path())?, limit.0);
    fleet(&fleetctl, dir.path(), limit.0).await?;
    repairs(dir.path()).await
}

fn row(name: &str, (seconds, requests): (f64, u64), limit: f64) {
    let limit = if name.starts_with("limit") { seconds } else { limit };
    println!("{name:<44} {seconds:>8.2} {requests:>9} {:>9.2}", seconds / limit);
}

fn plane(name: &str) -> Result<ControlPlane, Failure> {
    Ok(ControlPlane::start(
        Options::new(name).controllers(false).pods(false),
    )?)
}

/// Requests the server has counted so far, watches aside.
fn requests(plane: &ControlPlane) -> Result<u64, Failure> {
    let output = plane
        .kubectl_as(User::Admin)?
        .args(["get", "--raw", "/metrics"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text
        .lines()
        .filter(|l| l.starts_with("apiserver_request_total{") && !l.contains("verb=\"WATCH\""));
    let counts = lines.filter_map(|l| l.rsplit(' ').next()?.parse::<u64>().ok());
    Ok(counts.sum())
}

/// Seconds and requests of some work on a fresh server; what the server does by itself meanwhile is in it too.
fn measured(
    plane: &ControlPlane,
    work: impl FnOnce() -> Result<f64, Failure>,
) -> Result<(f64, u64), Failure> {
    let before = requests(plane)?;
    let seconds = work()?;
    Ok((seconds, requests(plane)?.saturating_sub(before)))
}

async fn limit() -> Result<(f64, u64), Failure> {
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
    let before = requests(&plane)?;
    let seconds = bare::apply_all(&server, documents, CONNECTIONS).await?;
    Ok((seconds, requests(&plane)? - before))
}

fn kubectl(dir: &Path) -> Result<(f64, u64), Failure> {
    let plane = plane("kubectl")?;
    let file = dir.join("objects.yaml");
    std::fs::write(&file, documents(&work::objects(OBJECTS, "one")))?;
    measured(&plane, || {
        let mut command = plane.kubectl_as(User::Fleet)?;
        command.args(["apply", "--server-side", "-f"]).arg(&file);
        timed(&mut command)
    })
}

fn documents(objects: &[Value]) -> String {
    objects.iter().fold(String::new(), |mut text, object| {
        let _ = writeln!(text, "---\n{object}");
        text
    })
}

/// Seconds of a whole process.
fn timed(command: &mut Command) -> Result<f64, Failure> {
    let begin = Instant::now();
    let output = command.output()?;
    let seconds = begin.elapsed().as_secs_f64();
    if output.status.success() {
        Ok(seconds)
    } else {
        Err(format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )
        .into())
    }
}

fn write_inventory(dir: &Path, clusters: &[&str], objects: &[Value]) -> Result<PathBuf, Failure> {
    let inventory = dir.join(format!("inventory-{}", clusters.len()));
    for cluster in clusters {
        std::fs::create_dir_all(inventory.join(cluster))?;
        std::fs::write(inventory.join(cluster).join("objects.yaml"), documents(objects))?;
    }
    Ok(inventory)
}

async fn fleet(fleetctl: &Path, dir: &Path, limit: f64) -> Result<(), Failure> {
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
        timed(&mut command)
    };
    row("fleetctl apply, cold", measured(&plane, apply)?, limit);
    row(
        "fleetctl apply again, new process",
        measured(&plane, apply)?,
        limit,
    );

    let source = DirectorySource::new(&inventory);
    let fleet = keep(source, &kubeconfig)?;
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    let kept = settled(&fleet, 1).await?;
    let before = kept[0].connection.contact().object_requests();
    let begin = Instant::now();
    kept[0].driver.replan().await;
    settled(&fleet, 1).await?;
    let seconds = begin.elapsed().as_secs_f64();
    row(
        "forced full plan, same process",
        (seconds, kept[0].connection.contact().object_requests() - before),
        limit,
    );
    task.abort();
    Ok(())
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

/// From somebody's edit to its repair, over three clusters.
async fn repairs(dir: &Path) -> Result<(), Failure> {
    let names = ["a", "b", "c"];
    let planes =
        ControlPlane::start_all(names.map(|name| Options::new(name).controllers(false).pods(false)))?;
    let kubeconfig = dir.join("kubeconfig-3");
    merged_kubeconfig(&planes.iter().collect::<Vec<_>>(), &kubeconfig)?;
    let objects = work::objects(300, "one");
    let inventory = write_inventory(dir, &names, &objects)?;
    let count = Inventory::new(
        "1",
        objects
            .iter()
            .cloned()
            .map(Object::from_json)
            .collect::<Result<Vec<_>, _>>()?,
    )?;
    let fleet = keep(DirectorySource::new(inventory), &kubeconfig)?;
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    settled(&fleet, names.len()).await?;
    let mut spans = Vec::new();
    for edit in 0..EDITS {
        // Spread over clusters and objects, the same in every run.
        let plane = &planes[edit % planes.len()];
        let object = &objects[(edit * 97 + 13) % objects.len()];
        spans.push(repair(plane, object).await?);
    }
    task.abort();
    println!(
        "\nfrom a foreign edit to its repair, {EDITS} objects on {} clusters x {} objects: median {} ms, worst {} ms",
        names.len(),
        count.objects().len(),
        median(spans.clone()).as_millis(),
        spans.iter().max().map_or(0, Duration::as_millis)
    );
    Ok(())
}

async fn repair(plane: &ControlPlane, object: &Value) -> Result<Duration, Failure> {
    let client = client(plane).await?;
    let path = work::path(object);
    let patch = serde_json::json!({"metadata": {"labels": {"text": "edited"}}}).to_string();
    let edit = http_request("PATCH", &format!("{path}?fieldManager=someone"), patch)?;
    client.request_text(edit).await?;
    let begin = Instant::now();
    loop {
        let text = client
            .request_text(http_request("GET", &path, String::new())?)
            .await?;
        let live: Value = serde_json::from_str(&text)?;
        if live["metadata"]["labels"]["text"] == "one" {
            return Ok(begin.elapsed());
        }
        if begin.elapsed() > Duration::from_secs(30) {
            return Err(format!("{path} was not repaired within 30 s").into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn http_request(method: &str, path: &str, body: String) -> Result<hyper::Request<Vec<u8>>, Failure> {
    let request = hyper::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/merge-patch+json");
    Ok(request.body(body.into_bytes())?)
}

async fn client(plane: &ControlPlane) -> Result<kube::Client, Failure> {
    let text = std::fs::read_to_string(plane.kubeconfig())?;
    let kubeconfig = kube::config::Kubeconfig::from_yaml(&text)?;
    let options = kube::config::KubeConfigOptions {
        context: Some(User::Someone.as_str().to_owned()),
        ..Default::default()
    };
    Ok(kube::Client::try_from(
        kube::Config::from_custom_kubeconfig(kubeconfig, &options).await?,
    )?)
}
