//! `HttpSource` against servers that behave and servers that do not.
#![allow(clippy::unwrap_used)]

mod answers;
mod requests;
mod server;
mod suite;
mod tls;

use fleet_kube::{HttpLimits, HttpSource};
use serde_json::{Value, json};
use server::Server;

/// A value that no message may repeat.
const SECRET: &str = "hunter2";

/// Room for 64 KiB; nothing waits for a limit of time.
fn limits() -> HttpLimits {
    let mut limits = HttpLimits::default();
    limits.body_bytes_max = 64 << 10;
    limits
}

fn source(server: &Server) -> HttpSource {
    let url = format!("{}/{{cluster}}.json?token={SECRET}", server.url());
    HttpSource::new(&url).unwrap().limits(limits())
}

fn inventory(revision: &str, objects: &[&str]) -> String {
    let object = |name: &&str| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}});
    let objects: Vec<Value> = objects.iter().map(object).collect();
    json!({"apiVersion": "fleet.internal/v1", "kind": "Inventory", "revision": revision, "objects": objects})
        .to_string()
}
