//! The ledger in config maps of an API server.

use std::time::Instant;

use fleet_core::{
    conformance::{LedgerFixture, ledger},
    *,
};
use fleet_harness::{Cluster as Member, Kind, Options, User};
use fleet_kube::{ConfigMapLedger, Connection, ConnectionOptions, LEDGER_NAMESPACE};
use fleet_suites::{Hand, on_both_kinds};
use serde_json::Value;

on_both_kinds! {
    the_ledger_keeps_its_promises: [];
    ten_thousand_entries_are_a_few_dozen_requests_and_one_more_is_one: [Audit];
}

/// A cluster to keep ledgers in.
struct Keeper(Member);

impl Keeper {
    fn start(kind: Kind, options: Options) -> Self {
        Self(Member::start(kind, options.controllers(false).pods(false)).expect("a cluster"))
    }

    async fn connect(&self) -> Connection {
        let connection = self.0.connect(User::Fleet, ConnectionOptions::default()).await;
        connection.expect("a connection")
    }

    fn somebody(&self) -> Hand {
        Hand::new(&self.0, LEDGER_NAMESPACE)
    }

    /// Config maps of the inventory.
    fn config_maps(&self, inventory: &str) -> Vec<Value> {
        let label = format!("configmaps?labelSelector=fleet.internal%2Fledger%3D{inventory}");
        let list = self.somebody().list(&label).expect("a list");
        list["items"].as_array().expect("a list").clone()
    }
}

#[async_trait]
impl LedgerFixture for Keeper {
    async fn open(&self) -> Box<dyn Ledger> {
        Box::new(ConfigMapLedger::new(self.connect().await))
    }

    async fn damage(&self, target: &Target) -> bool {
        let maps = self.config_maps(target.inventory.as_str());
        let names = maps.iter().filter_map(|map| map["metadata"]["name"].as_str());
        let shard = names
            .filter(|name| !name.ends_with("-head"))
            .max()
            .expect("a shard")
            .to_owned();
        self.somebody().delete("configmaps", &shard).is_ok()
    }
}

async fn the_ledger_keeps_its_promises(kind: Kind) {
    let keeper = Keeper::start(kind, Options::new("ledger"));
    let cluster = keeper.connect().await.cluster().clone();
    let target = Target::new(cluster, InventoryId::new("promises").expect("an id"));
    let violations = ledger(&keeper, &target).await;
    assert!(violations.is_empty(), "{violations:#?}");
}

async fn ten_thousand_entries_are_a_few_dozen_requests_and_one_more_is_one(kind: Kind) {
    let keeper = Keeper::start(kind, Options::new("ledger").audit(true));
    let connection = keeper.connect().await;
    let target = Target::new(
        connection.cluster().clone(),
        InventoryId::new("many").expect("an id"),
    );
    let ledger = ConfigMapLedger::new(connection);
    let entry = |n: usize| {
        let mut entry = Entry::new(
            ObjectKey::new("apps", "Deployment", Some("shop"), &format!("web-{n}")),
            "v1",
        );
        entry.uid = Some(format!("8e1f1f0c-5a3b-4c39-9f0e-{n:012}").as_str().into());
        LedgerWrite::Put(entry)
    };
    let puts: Vec<LedgerWrite> = (0..10_000).map(entry).collect();
    let took = async |what: &str, writes: &[LedgerWrite]| {
        let (mark, begin) = (keeper.0.audit_mark().expect("a mark"), Instant::now());
        ledger.record(&target, writes).await.expect("recorded");
        let millis = begin.elapsed().as_millis();
        let requests = keeper.0.audit_since(mark).expect("an audit log");
        let requests: Vec<_> = requests
            .iter()
            .filter(|request| request.user == User::Fleet.as_str())
            .collect();
        println!("{what}: {millis} ms, {} requests", requests.len());
        requests.len()
    };
    // A list, the namespace if it is not there yet, the head twice, and each shard.
    assert!(took("10,000 entries at once", &puts).await <= 2 + 3 + 33);
    assert_eq!(took("one entry more", &[entry(10_000)]).await, 1);
    assert_eq!(took("the same again", &[entry(10_000)]).await, 0);
    assert!(took("100 entries", &(20_000..20_100).map(entry).collect::<Vec<_>>()).await <= 33);

    let maps = keeper.config_maps("many");
    let sizes: Vec<usize> = maps.iter().map(|map| map["data"].to_string().len()).collect();
    println!(
        "{} config maps, largest data {} bytes",
        maps.len(),
        sizes.iter().max().expect("some")
    );
    let begin = Instant::now();
    let LedgerAnswer::Known(content) = ledger.load(&target).await.expect("loaded") else {
        panic!("not known")
    };
    println!(
        "loading {} entries: {} ms",
        content.entries.len(),
        begin.elapsed().as_millis()
    );
    assert_eq!(content.entries.len(), 10_101);
}
