//! What was measured, for people and for programs.

use std::{collections::BTreeMap, time::Duration};

use fleet_measure::median;
use fleet_scheduler::{Limit, Round};
use serde_json::{Value, json};

use crate::verify::Use;

/// Everything that was measured on one instance.
pub(crate) struct Figures {
    pub(crate) workloads: usize,
    pub(crate) clusters: usize,
    pub(crate) sets: usize,
    pub(crate) seed: u64,
    pub(crate) used: Use,
    pub(crate) shortfall: Shortfall,
    /// Pairs of workload and cluster.
    pub(crate) seats: usize,
    /// The digest of all decisions from nothing.
    pub(crate) decisions: String,
    /// The digest of all placements after everything that was measured.
    pub(crate) history: String,
    pub(crate) from_nothing: Duration,
    pub(crate) unchanged: Spans,
    pub(crate) everything: Duration,
    pub(crate) new: Spans,
    pub(crate) observation: Spans,
    /// A full explanation of one workload: every cluster with all reasons and scores, and what would make it fit.
    pub(crate) explanation: Spans,
    pub(crate) lost: Spans,
    /// What is better elsewhere is looked for, over everything.
    pub(crate) rebalance: Spans,
    /// Replicas that moved because of that.
    pub(crate) better: u64,
    /// Replicas that moved from lost clusters.
    pub(crate) moves: u64,
    /// Workloads that were on lost clusters.
    pub(crate) lost_seats: usize,
    /// Bytes that planner and decisions hold.
    pub(crate) memory: u64,
    pub(crate) peak_memory: u64,
}

/// What has no place.
pub(crate) struct Shortfall {
    /// Workloads that have not everything they want.
    workloads: usize,
    /// Replicas that have no place, by what keeps them away.
    replicas: BTreeMap<String, u64>,
}

impl Shortfall {
    pub(crate) fn of(round: &Round) -> Self {
        let mut replicas: BTreeMap<String, u64> = BTreeMap::new();
        let short = round.values().filter(|decision| decision.short() > 0);
        for target in short.clone().flat_map(|decision| &decision.targets) {
            let Some(limit) = &target.limit else { continue };
            let name = match limit {
                Limit::Room => "room",
                Limit::NoCluster => "no cluster",
                Limit::ClusterMax => "most on a cluster",
                Limit::Clusters { .. } => "clusters",
                Limit::Domains { .. } => "domains",
                Limit::Skew => "skew",
                Limit::Named { .. } => "named clusters",
                _ => "others",
            };
            *replicas.entry(name.to_owned()).or_default() += target.short;
        }
        Self {
            workloads: short.count(),
            replicas,
        }
    }

    fn replicas(&self) -> u64 {
        self.replicas.values().sum()
    }
}

/// The middle and the worst of many times.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spans {
    pub(crate) count: usize,
    pub(crate) median: Duration,
    /// One of a hundred takes longer.
    pub(crate) late: Duration,
    pub(crate) worst: Duration,
}

impl Spans {
    pub(crate) fn of(mut spans: Vec<Duration>) -> Self {
        spans.sort();
        Self {
            count: spans.len(),
            late: spans.get(spans.len() * 99 / 100).copied().unwrap_or_default(),
            worst: spans.last().copied().unwrap_or_default(),
            median: median(spans),
        }
    }

    fn json(&self) -> Value {
        json!({
            "count": self.count,
            "medianMicros": micros(self.median),
            "p99Micros": micros(self.late),
            "worstMicros": micros(self.worst),
        })
    }
}

impl Figures {
    /// Prints a table.
    pub(crate) fn print(&self) {
        let Self {
            workloads,
            clusters,
            sets,
            seed,
            used,
            ..
        } = self;
        println!(
            "{workloads} workloads with {sets} distinct constraint sets, {clusters} clusters, seed {seed}"
        );
        println!(
            "used once all is placed: cpu {}.{} %, memory {}.{} %; {} pairs of workload and cluster",
            used.cpu / 10,
            used.cpu % 10,
            used.memory / 10,
            used.memory % 10,
            self.seats
        );
        println!(
            "without a place: {} replicas of {} workloads, because of {:?}",
            self.shortfall.replicas(),
            self.shortfall.workloads,
            self.shortfall.replicas
        );
        println!("decisions {}\nafter all  {}\n", self.decisions, self.history);
        println!("{:<44} {:>12} {:>12} {:>12}", "", "median", "p99", "worst");
        let one = |name: &str, span: Duration| println!("{name:<44} {:>12}", say(span));
        let many = |name: &str, spans: &Spans| {
            let Spans {
                median, late, worst, ..
            } = *spans;
            println!(
                "{name:<44} {:>12} {:>12} {:>12}",
                say(median),
                say(late),
                say(worst)
            );
        };
        one("everything from nothing", self.from_nothing);
        one("everything decided again", self.everything);
        many("nothing changed", &self.unchanged);
        many(
            &format!("one new workload ({} of them)", self.new.count),
            &self.new,
        );
        many(
            &format!("one observation ({} clusters)", self.observation.count),
            &self.observation,
        );
        many(
            &format!("one explanation ({} workloads)", self.explanation.count),
            &self.explanation,
        );
        many(
            &format!("one cluster lost ({} of them)", self.lost.count),
            &self.lost,
        );
        let lost = self.lost.count.max(1);
        println!(
            "{:<44} {} workloads, {} moved replicas",
            "  each time",
            self.lost_seats / lost,
            self.moves / lost as u64
        );
        many(
            &format!("looking for better places ({} times)", self.rebalance.count),
            &self.rebalance,
        );
        println!("{:<44} {} moved replicas", "  in all", self.better);
        println!(
            "{:<44} {:>12}   {} bytes a workload, decisions kept; {} at most",
            "memory",
            mib(self.memory),
            self.per_workload(),
            mib(self.peak_memory)
        );
    }

    fn per_workload(&self) -> u64 {
        self.memory / (self.workloads.max(1) as u64)
    }

    /// The same for programs; spans in microseconds, memory in bytes.
    pub(crate) fn json(&self) -> Value {
        json!({
            "workloads": self.workloads,
            "clusters": self.clusters,
            "constraintSets": self.sets,
            "seed": self.seed,
            "usedPerMille": {"cpu": self.used.cpu, "memory": self.used.memory},
            "unschedulable": self.shortfall.workloads,
            "missingReplicas": self.shortfall.replicas,
            "pairs": self.seats,
            "decisions": self.decisions,
            "history": self.history,
            "fromNothingMicros": micros(self.from_nothing),
            "everythingAgainMicros": micros(self.everything),
            "unchanged": self.unchanged.json(),
            "newWorkload": self.new.json(),
            "observation": self.observation.json(),
            "explanation": self.explanation.json(),
            "lostCluster": self.lost.json(),
            "lostWorkloads": self.lost_seats,
            "movedReplicas": self.moves,
            "rebalance": self.rebalance.json(),
            "betterReplicas": self.better,
            "memoryBytes": self.memory,
            "bytesPerWorkload": self.per_workload(),
            "peakMemoryBytes": self.peak_memory,
        })
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).unwrap_or(u64::MAX)
}

/// A span in the unit that suits it.
pub(crate) fn say(span: Duration) -> String {
    match span.as_micros() {
        0..1_000 => format!("{:.1} us", span.as_secs_f64() * 1e6),
        1_000..1_000_000 => format!("{:.2} ms", span.as_secs_f64() * 1e3),
        _ => format!("{:.2} s", span.as_secs_f64()),
    }
}

/// Bytes for people.
pub(crate) fn mib(bytes: u64) -> String {
    format!("{} MiB", bytes >> 20)
}
