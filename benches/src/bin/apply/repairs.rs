//! How long drift lives.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use fleet_benches::{Failure, median, work};
use fleet_core::{Inventory, Object};
use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig};
use fleet_kube::DirectorySource;
use serde_json::Value;

use super::{keep, settled, write_inventory};

/// Edits that are timed.
const EDITS: usize = 10;

/// From somebody's edit to its repair, over three clusters.
pub(crate) async fn repairs(dir: &Path) -> Result<(), Failure> {
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
