//! The in-process server beside a real one: requests a second, and memory per cluster. `cargo xtask bench-sim`.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use fleet_benches::{Failure, machine, median, work};
use fleet_harness::{Cluster, ControlPlane, Kind, Options, User};
use fleet_kube::SimCluster;
use http_body_util::BodyExt as _;
use kube::{Client, client::Body};
use serde_json::Value;

/// Objects of a cluster.
const OBJECTS: usize = 1000;
/// How often each thing is done that is done again and again; figures are medians of rounds.
const ROUNDS: usize = 5;
/// Lists of a round.
const LISTS: usize = 20;
/// Watches that all get every event.
const WATCHES: usize = 20;
/// In-process clusters whose memory is measured together.
const CLUSTERS: usize = 20;

const APPLY: &str = "application/apply-patch+yaml";
const MAPS: &str = "/api/v1/namespaces/default/configmaps";

/// What one kind of server does in a second.
struct Measured {
    creates: f64,
    gets: f64,
    lists: f64,
    applies: f64,
    events: f64,
    memory: f64,
}

fn main() -> Result<(), Failure> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!(
        "{OBJECTS} objects, one request after the other, over kube's client; medians of {ROUNDS} rounds"
    );
    println!("{}\n", machine());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // First, so that nothing is in memory yet that was given back.
        let memory = memory_in_process().await?;
        let options = || Options::new("bench").controllers(false).pods(false);
        let own = measure(&Cluster::start(Kind::InProcess, options())?, memory).await?;
        let plane = std::sync::Arc::new(ControlPlane::start(options())?);
        let cluster = Cluster::from(plane.clone());
        let mut real = measure(&cluster, 0.0).await?;
        real.memory = mebibytes(plane.memory().ok_or("the server does not run")?);
        print(&own, &real);
        Ok(())
    })
}

fn print(own: &Measured, real: &Measured) {
    let row = |what: &str, own: &dyn Display, real: &dyn Display| println!("| {what} | {own} | {real} |");
    row("what", &"in this process", &"a real server");
    println!("|---|---|---|");
    let rows = [
        ("creates a second", own.creates, real.creates),
        ("gets a second", own.gets, real.gets),
        ("lists of 1,000 a second", own.lists, real.lists),
        ("unchanged applies a second", own.applies, real.applies),
        ("watch events a second, 20 watches", own.events, real.events),
    ];
    for (what, own, real) in rows {
        row(what, &format!("{own:.0}"), &format!("{real:.0}"));
    }
    let (own, real) = (
        format!("{:.1} MiB", own.memory),
        format!("{:.0} MiB", real.memory),
    );
    row("memory of a cluster with 1,000 objects", &own, &real);
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
async fn measure(cluster: &Cluster, memory: f64) -> Result<Measured, Failure> {
    let client = cluster.client(User::Fleet).await?;
    let objects = work::objects(OBJECTS, "1");
    let begin = Instant::now();
    for object in &objects {
        let path = work::path(object);
        let collection = path.rsplit_once('/').map_or("", |(collection, _)| collection);
        send(&client, "POST", collection, "application/json", object).await?;
    }
    let creates = a_second(OBJECTS, begin.elapsed());
    // Each object is applied once, so that the next apply changes nothing.
    for object in &objects {
        apply(&client, object).await?;
    }
    let mut gets = Vec::new();
    let mut applies = Vec::new();
    let mut lists = Vec::new();
    let mut events = Vec::new();
    for round in 0..ROUNDS {
        let begin = Instant::now();
        for object in &objects {
            send(&client, "GET", &work::path(object), "", &Value::Null).await?;
        }
        gets.push(begin.elapsed());
        let begin = Instant::now();
        for object in &objects {
            apply(&client, object).await?;
        }
        applies.push(begin.elapsed());
        events.push(fan_out(&client, round).await?);
    }
    maps(&client).await?;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        for _ in 0..LISTS {
            send(&client, "GET", MAPS, "", &Value::Null).await?;
        }
        lists.push(begin.elapsed());
    }
    Ok(Measured {
        creates,
        gets: a_second(OBJECTS, median(gets)),
        lists: a_second(LISTS, median(lists)),
        applies: a_second(OBJECTS, median(applies)),
        events: a_second(WATCHES * FAN_OUT, median(events)),
        memory,
    })
}

/// Changes that watches are told of in a round.
const FAN_OUT: usize = 100;

/// How long it takes until all watches have heard of all changes.
async fn fan_out(client: &Client, round: usize) -> Result<Duration, Failure> {
    let mut watches = Vec::new();
    let now: Value =
        serde_json::from_slice(&send(client, "GET", &format!("{MAPS}?limit=1"), "", &Value::Null).await?)?;
    let version = now["metadata"]["resourceVersion"]
        .as_str()
        .unwrap_or("")
        .to_owned();
    for _ in 0..WATCHES {
        let path = format!("{MAPS}?watch=1&resourceVersion={version}");
        let request = http::Request::get(path).body(Body::empty())?;
        watches.push(client.send(request).await?.into_body());
    }
    let begin = Instant::now();
    let readers: Vec<_> = watches
        .into_iter()
        .map(|mut body| {
            tokio::spawn(async move {
                let mut heard = 0;
                while heard < FAN_OUT {
                    let Some(Ok(frame)) = body.frame().await else {
                        break;
                    };
                    let lines = frame.into_data().unwrap_or_default();
                    heard += lines.split(|byte| *byte == b'\n').count() - 1;
                }
                heard
            })
        })
        .collect();
    for change in 0..FAN_OUT {
        let map = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "told", "namespace": "default"}, "data": {"at": format!("{round} {change}")}});
        apply(client, &map).await?;
    }
    for reader in readers {
        if reader.await? != FAN_OUT {
            return Err("a watch ended early".into());
        }
    }
    Ok(begin.elapsed())
}

/// Makes as many config maps as a list is to have.
async fn maps(client: &Client) -> Result<(), Failure> {
    let now: Value = serde_json::from_slice(&send(client, "GET", MAPS, "", &Value::Null).await?)?;
    let there = now["items"].as_array().map_or(0, Vec::len);
    for number in there..OBJECTS {
        let map = serde_json::json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": format!("more-{number}")}, "data": {"mode": "on"}});
        send(client, "POST", MAPS, "application/json", &map).await?;
    }
    Ok(())
}

/// Memory that an in-process cluster with its objects takes, in MiB.
#[allow(clippy::cast_precision_loss, reason = "figures for people")]
async fn memory_in_process() -> Result<f64, Failure> {
    let objects = work::objects(OBJECTS, "1");
    let fill = async |seed: u64| -> Result<SimCluster, Failure> {
        let cluster = SimCluster::start(fleet_sim::Settings::default().seed(seed));
        let client = cluster.client();
        for object in &objects {
            apply(&client, object).await?;
        }
        // Controllers have done what they do.
        cluster.with(fleet_sim::Server::settle);
        Ok(cluster)
    };
    // What is read once in a process, and what the requests need.
    let first = fill(0).await?;
    let before = resident()?;
    let mut clusters = Vec::new();
    for seed in 1..=CLUSTERS as u64 {
        clusters.push(fill(seed).await?);
    }
    let after = resident()?;
    drop((first, clusters));
    Ok(mebibytes(after.saturating_sub(before)) / CLUSTERS as f64)
}

/// Memory of this process (`VmRSS`), in bytes.
fn resident() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.ok_or("no VmRSS in /proc/self/status")?.parse::<u64>()? * 1024)
}

async fn apply(client: &Client, object: &Value) -> Result<Vec<u8>, Failure> {
    let path = format!("{}?fieldManager=bench&force=true", work::path(object));
    send(client, "PATCH", &path, APPLY, object).await
}

async fn send(
    client: &Client,
    method: &str,
    path: &str,
    content: &str,
    body: &Value,
) -> Result<Vec<u8>, Failure> {
    let body = if body.is_null() {
        Vec::new()
    } else {
        serde_json::to_vec(body)?
    };
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content)
        .header("accept", "application/json")
        .body(Body::from(body))?;
    let response = client.send(request).await?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes().to_vec();
    match status.is_success() {
        true => Ok(bytes),
        false => Err(format!("{method} {path}: {status} {}", String::from_utf8_lossy(&bytes)).into()),
    }
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn a_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

#[allow(clippy::cast_precision_loss, reason = "figures for people")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
