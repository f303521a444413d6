//! The ledger in config maps of a real API server.

use std::{sync::LazyLock, time::Instant};

use fleet_core::{
    conformance::{LedgerFixture, ledger},
    *,
};
use fleet_harness::{ControlPlane, Options, User};
use fleet_kube::{ConfigMapLedger, Connection, ConnectionOptions, LEDGER_NAMESPACE};
use fleet_suites::{Bed, on_runtime};
use serde_json::Value;

static PLANE: LazyLock<ControlPlane> =
    LazyLock::new(|| ControlPlane::start(Options::new("ledger").audit(true)).expect("a cluster"));

struct Real;

impl Real {
    async fn connect() -> Connection {
        let config = Bed::new([&*PLANE]).config(PLANE.name(), User::Fleet).await;
        Connection::connect(config, ConnectionOptions::default())
            .await
            .expect("a connection")
    }

    /// Config maps of the inventory, as `kubectl` shows them.
    fn config_maps(inventory: &str) -> Vec<Value> {
        let label = format!("fleet.internal/ledger={inventory}");
        let mut kubectl = PLANE.kubectl().expect("kubectl");
        let output = kubectl.args([
            "get",
            "configmaps",
            "-n",
            LEDGER_NAMESPACE,
            "-l",
            &label,
            "-o",
            "json",
        ]);
        let output = output.output().expect("kubectl runs");
        assert!(output.status.success());
        let list: Value = serde_json::from_slice(&output.stdout).expect("json");
        list["items"].as_array().expect("a list").clone()
    }
}

#[async_trait]
impl LedgerFixture for Real {
    async fn open(&self) -> Box<dyn Ledger> {
        Box::new(ConfigMapLedger::new(Self::connect().await))
    }

    async fn damage(&self, target: &Target) -> bool {
        let maps = Self::config_maps(target.inventory.as_str());
        let names = maps.iter().filter_map(|map| map["metadata"]["name"].as_str());
        let shard = names
            .filter(|name| !name.ends_with("-head"))
            .max()
            .expect("a shard")
            .to_owned();
        let mut kubectl = PLANE.kubectl().expect("kubectl");
        let output = kubectl
            .args(["delete", "configmap", "-n", LEDGER_NAMESPACE, &shard])
            .output();
        output.expect("kubectl runs").status.success()
    }
}

/// One test at a time: the other one's requests are not to be counted.
static ALONE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn the_ledger_keeps_its_promises_on_a_real_server() {
    let _alone = ALONE.lock();
    on_runtime(async {
        let cluster = Real::connect().await.cluster().clone();
        let target = Target::new(cluster, InventoryId::new("promises").expect("an id"));
        let violations = ledger(&Real, &target).await;
        assert!(violations.is_empty(), "{violations:#?}");
    });
}

#[test]
fn ten_thousand_entries_are_a_few_dozen_requests_and_one_more_is_one() {
    let _alone = ALONE.lock();
    on_runtime(async {
        let connection = Real::connect().await;
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
            let (mark, begin) = (PLANE.audit_mark().expect("a mark"), Instant::now());
            ledger.record(&target, writes).await.expect("recorded");
            let millis = begin.elapsed().as_millis();
            let requests = PLANE.audit_since(mark).expect("an audit log");
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

        let maps = Real::config_maps("many");
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
    });
}
