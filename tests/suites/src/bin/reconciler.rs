//! A whole reconciler as a process of its own, to be killed: makes one cluster what a file says, once.
//!
//! `reconciler KUBECONFIG INVENTORY ID [GUARD]…`: the kubeconfig has one context, the inventory is a JSON array of
//! objects, and each guard named is switched off. It ends when all is as the inventory says, finalizers included; with
//! 2 if somebody else's object with our marks is in the way, or if what was to be made again had to be restored. It also ends when its stdin does, so that it lives no
//! longer than the process that started it.

use std::{
    error::Error,
    io::Read,
    process::{ExitCode, exit},
    time::{Duration, Instant},
};

use fleet_core::{DeleteBudget, EngineOptions, GroupKind, Inventory, InventoryId, Millis, Object, Status};
use fleet_kube::{ConnectionOptions, Fleet, KubeconfigConnect, KubeconfigRegistry, Wave};
use fleet_suites::{Notes, Settable, on_runtime};

/// For the whole run, waiting for finalizers included.
const RUN_MAX: Duration = Duration::from_secs(60);

/// The same without a guard: such a run may come to no end.
const UNGUARDED_MAX: Duration = Duration::from_secs(10);

/// Between two looks at how far it is.
const LOOK: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    std::thread::spawn(|| {
        drop(std::io::stdin().read_to_end(&mut Vec::new()));
        exit(3);
    });
    let words: Vec<String> = std::env::args().skip(1).collect();
    match on_runtime(run(&words)) {
        Ok(status) => {
            println!("{}", serde_json::to_string_pretty(&status).expect("json"));
            if status.is_clean() {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(2)
            }
        }
        Err(error) => {
            println!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(words: &[String]) -> Result<Status, Box<dyn Error>> {
    let [kubeconfig, inventory, id, off @ ..] = words else {
        return Err("usage: reconciler KUBECONFIG INVENTORY ID [GUARD]...".into());
    };
    let objects: Vec<Object> = serde_json::from_slice(&std::fs::read(inventory)?)?;
    let snapshot = Inventory::with_content_revision(objects)?.snapshot();
    let options = options(off)?;
    let registry = KubeconfigRegistry::new(kubeconfig);
    let fleet = Fleet::builder(InventoryId::new(id)?)
        .connect(KubeconfigConnect::new(
            registry.clone(),
            ConnectionOptions::default(),
        ))
        .registry(registry)
        .source(Settable::new(snapshot))
        .observer(Notes::default())
        .options(move |_| options.clone())
        .budget(DeleteBudget::unlimited())
        .wave(Wave::All)
        .build()?;
    tokio::select! {
        () = fleet.run() => Err("it ended by itself".into()),
        status = done(&fleet, if off.is_empty() { RUN_MAX } else { UNGUARDED_MAX }) => status,
    }
}

/// All is as the inventory says, but for objects that somebody put in the place of ours, and for restored ones.
fn is_done(status: &Status) -> bool {
    let mut rest = status.clone();
    rest.blocked
        .retain(|_, reason| reason.code != "mark-with-other-uid");
    rest.refused
        .retain(|_, reason| !reason.message.contains("and then restored"));
    rest.is_clean()
}

/// Waits until everything is done, and also what was deleted is gone.
async fn done(fleet: &Fleet, limit: Duration) -> Result<Status, Box<dyn Error>> {
    let end = Instant::now() + limit;
    loop {
        let kept = fleet.kept();
        let status = match kept.first() {
            Some(cluster) => cluster.driver.status().await,
            None => None,
        };
        match status {
            Some(status) if is_done(&status) => return Ok(status),
            status if Instant::now() >= end => return Err(format!("not done in time: {status:#?}").into()),
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

fn options(off: &[String]) -> Result<EngineOptions, String> {
    let mut options = EngineOptions::default();
    options.budget = DeleteBudget::unlimited();
    options.permitted_kinds.extend([
        GroupKind::new("", "Namespace"),
        GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition"),
    ]);
    // Other inventories change what the cluster serves: what could not be listed is looked at again soon.
    options.limits.refused_first = Millis::from_secs(1);
    options.limits.refused_max = Millis::from_secs(1);
    options.limits.retry_max = Millis::from_secs(1);
    for guard in off {
        options.switches = match guard.as_str() {
            "write-ahead" => options.switches.without_write_ahead(),
            "delete-guards" => options.switches.without_delete_guards(),
            other => return Err(format!("no guard {other}")),
        };
    }
    Ok(options)
}
