//! The promises of every source.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use fleet_core::{
    Cluster, InventorySource, Known, async_trait,
    conformance::{InventoryFixture, inventory_source},
};
use fleet_kube::HttpSource;
use serde_json::{Value, json};

use super::server::{Act, Server, answer, with_head};

/// A server that gives its inventories tags, and knows them again.
struct Fixture {
    source: HttpSource,
    bodies: Arc<Mutex<BTreeMap<String, String>>>,
}

#[async_trait]
impl InventoryFixture for Fixture {
    fn source(&self) -> &dyn InventorySource {
        &self.source
    }

    async fn publish(&self, cluster: &Cluster, known: Known) {
        let objects: Vec<Value> = known
            .objects()
            .iter()
            .map(|object| object.document().to_json())
            .collect();
        let body = json!({
            "apiVersion": "fleet.internal/v1", "kind": "Inventory", "cluster": cluster.name,
            "revision": known.revision().as_str(), "objects": objects,
        });
        self.bodies
            .lock()
            .unwrap()
            .insert(cluster.name.clone(), body.to_string());
    }

    async fn break_source(&self, cluster: &Cluster) {
        let mut bodies = self.bodies.lock().unwrap();
        let body = bodies.get_mut(&cluster.name).unwrap();
        body.truncate(body.len() - 2);
    }
}

#[tokio::test]
async fn it_keeps_the_promises_of_a_source() {
    let bodies = Arc::<Mutex<BTreeMap<String, String>>>::default();
    let served = bodies.clone();
    let server = Server::start(move |head| {
        let name = head["GET /".len()..].split(' ').next().unwrap();
        let served = served.lock().unwrap();
        let Some(body) = served.get(name) else {
            return Act::Say(answer("404 Not Found", "", "{}"));
        };
        let tag = format!(
            "\"{}\"",
            fleet_core::Digest::of_bytes(body.as_bytes()).short().as_str()
        );
        Act::Say(if head.contains(&tag) {
            with_head(&format!("304 Not Modified\r\nETag: {tag}"), "")
        } else {
            answer("200 OK", &format!("\r\nETag: {tag}"), body)
        })
    })
    .await;
    let source = HttpSource::new(&format!("{}/{{cluster}}", server.url())).unwrap();
    let violations = inventory_source(&Fixture { source, bodies }, &Cluster::new("eu-1")).await;
    assert!(violations.is_empty(), "{violations:#?}");
    assert!(server.seen().iter().any(|head| head.contains("if-none-match")));
}
