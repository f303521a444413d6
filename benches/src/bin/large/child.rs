//! One piece of work in a process of its own, which measures itself.

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use fleet_benches::{
    Failure,
    usage::{Stopwatch, peak_memory},
};
use fleet_core::{Changed, Changes, Cluster, Hints, InventoryId, InventorySource, Note, Observer, Snapshot};
use fleet_kube::{
    ConnectionOptions, DirectorySource, Fleet, Kept, KubeconfigConnect, KubeconfigRegistry, Outcome,
};
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::timeout};

use super::CLUSTER;

/// Plan everything again.
pub(crate) const REPLAN: &str = "replan";
/// Read the inventory again, which has changed.
pub(crate) const REREAD: &str = "reread";
/// Read the inventory again, which has not changed.
pub(crate) const REREAD_UNCHANGED: &str = "reread-unchanged";

/// Most time that anything may take.
const PATIENCE: Duration = Duration::from_secs(1800);

/// What a process does.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(crate) enum Work {
    /// Reads the inventory.
    Parse,
    /// Says what would be done.
    Plan,
    /// Makes the cluster what the inventory says.
    Apply,
    /// Keeps it so, and does what is asked for on standard input.
    Keep,
}

impl Work {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Parse => "parse",
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Keep => "keep",
        }
    }
}

/// What a piece of work took.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measured {
    /// From beginning to end.
    pub(crate) seconds: f64,
    /// On processors.
    pub(crate) cpu: f64,
    /// Most memory of the process so far, in bytes.
    pub(crate) peak: u64,
    /// Objects read, changes planned, or objects in sync.
    pub(crate) count: usize,
}

impl Measured {
    fn since(watch: &Stopwatch, count: usize) -> Result<Self, Failure> {
        let (seconds, cpu) = watch.seconds()?;
        Ok(Self {
            seconds,
            cpu,
            peak: peak_memory()?,
            count,
        })
    }

    fn print(&self) -> Result<(), Failure> {
        println!("{}", serde_json::to_string(self)?);
        Ok(())
    }
}

#[tokio::main]
pub(crate) async fn run(work: Work, inventory: PathBuf, kubeconfig: PathBuf) -> Result<(), Failure> {
    let watch = Stopwatch::own()?;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let source = Hinted {
        inner: DirectorySource::new(inventory),
        hints: Hints::new(),
    };
    let count = match work {
        Work::Parse => match source.snapshot(&Cluster::new(CLUSTER)).await {
            Ok(known) => known.objects().len(),
            Err(unknown) => return Err(unknown.message().into()),
        },
        Work::Plan => {
            let outcome = only(fleet(source, &kubeconfig, fleet_core::Silent)?.plan().await)?;
            outcome.plan.ok_or("no plan")?.changes.len()
        }
        Work::Apply => {
            let outcome = only(fleet(source, &kubeconfig, fleet_core::Silent)?.apply(&[]).await)?;
            if !outcome.is_clean() {
                return Err("not everything was done".into());
            }
            outcome.status.ok_or("no status")?.in_sync
        }
        Work::Keep => return keep(source, &kubeconfig, watch).await,
    };
    Measured::since(&watch, count)?.print()
}

fn fleet(source: Hinted, kubeconfig: &Path, observer: impl Observer) -> Result<Fleet, Failure> {
    let registry = KubeconfigRegistry::new(kubeconfig);
    Ok(Fleet::builder(InventoryId::new("fleet")?)
        .connect(KubeconfigConnect::new(
            registry.clone(),
            ConnectionOptions::default(),
        ))
        .registry(registry)
        .source(source)
        .observer(observer)
        .settle_max(PATIENCE)
        // Only when it is told to.
        .read_interval(PATIENCE)
        .build()?)
}

fn only(outcomes: Result<Vec<Outcome>, fleet_core::Unknown>) -> Result<Outcome, Failure> {
    let mut outcomes = outcomes.map_err(|unknown| unknown.message().to_owned())?;
    let outcome = outcomes.pop().ok_or("no cluster")?;
    match &outcome.failure {
        Some(failure) => Err(failure.to_string().into()),
        None => Ok(outcome),
    }
}

/// Keeps the cluster until standard input ends, and answers each line of it when there is nothing left to do.
async fn keep(source: Hinted, kubeconfig: &Path, mut watch: Stopwatch) -> Result<(), Failure> {
    let hints = source.hints.clone();
    let (done, mut converged) = watch::channel(0);
    let fleet = fleet(source.clone(), kubeconfig, Ends(done))?;
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    until(&mut converged, 0).await?;
    let kept: Kept = fleet.kept().pop().ok_or("no cluster")?;
    loop {
        let status = kept.driver.status().await.ok_or("the driver has stopped")?;
        if !status.is_clean() {
            return Err("not everything was done".into());
        }
        // Telling how things stand is not part of the work.
        Measured::since(&watch, status.in_sync)?.print()?;
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line)? == 0 {
            task.abort();
            return Ok(());
        }
        watch = Stopwatch::own()?;
        let before = *converged.borrow();
        match line.trim() {
            REPLAN => kept.driver.replan().await,
            REREAD => hints.tell(&Changed::All),
            // Nobody is told that nothing changed.
            REREAD_UNCHANGED => {
                source
                    .snapshot(&kept.cluster)
                    .await
                    .map_err(|unknown| unknown.message().to_owned())?;
                continue;
            }
            other => return Err(format!("what is `{other}`?").into()),
        }
        until(&mut converged, before).await?;
    }
}

/// Waits until everything was done once more than `before`.
async fn until(converged: &mut watch::Receiver<u64>, before: u64) -> Result<(), Failure> {
    let done = timeout(PATIENCE, converged.wait_for(|count| *count > before)).await;
    done.map_err(|_| "not done in time")??;
    Ok(())
}

/// Counts how often everything was done.
struct Ends(watch::Sender<u64>);

impl Observer for Ends {
    fn note(&self, cluster: &Cluster, note: &Note) {
        match note {
            Note::Converged { .. } => self.0.send_modify(|count| *count += 1),
            Note::Remark { reason } => eprintln!("{}: {reason}", cluster.name),
            Note::Refused { key, reason } | Note::Blocked { key, reason } => {
                eprintln!("{}: {key}: {reason}", cluster.name);
            }
            _ => {}
        }
    }
}

/// A folder that is read again when somebody says so.
#[derive(Clone)]
struct Hinted {
    inner: DirectorySource,
    hints: Hints,
}

#[async_trait]
impl InventorySource for Hinted {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        self.inner.snapshot(cluster).await
    }

    fn changes(&self) -> Changes {
        self.hints.subscribe()
    }
}
