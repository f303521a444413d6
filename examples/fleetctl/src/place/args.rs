//! The command line of `fleetctl place`.

use std::path::PathBuf;

use clap::{Args as Group, ValueEnum};
use fleet_core::{Millis, Tick};
use fleet_scheduler::{moment, span};

use crate::args::Output;

#[derive(Group, Debug, Clone)]
pub(crate) struct PlaceArgs {
    /// The clusters, in YAML or JSON: a list, or a mapping by name, below `clusters`; or one cluster a document. With
    /// `data`, `scores`, `budgets`, `storm` and `calm` where wanted. `-`: standard input. May be given more than once.
    #[arg(long, value_name = "FILE", required = true)]
    pub(super) clusters: Vec<PathBuf>,
    /// The workloads, in YAML or JSON: a list, perhaps below `workloads`; or one workload a document. `-`: standard
    /// input. May be given more than once.
    #[arg(long, value_name = "FILE", required = true)]
    pub(super) workloads: Vec<PathBuf>,
    /// What was observed of clusters, as `fleetctl run --capacity` writes it beside its kubeconfig (`KUBECONFIG.status.json`):
    /// contact and room of those that `--clusters` lists count from here.
    #[arg(long, value_name = "FILE")]
    pub(super) status: Option<PathBuf>,
    /// Where everything is: what an earlier `--save` or `--output json` wrote. Without this, nothing is anywhere.
    #[arg(long, value_name = "FILE")]
    pub(super) previous: Option<PathBuf>,
    /// Writes where everything is from now on, for the next `--previous`; which may be the same file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["without", "with", "cordon", "drain", "lose"])]
    pub(super) save: Option<PathBuf>,
    /// The time to decide for, like 2026-11-27T19:04:00Z, or in milliseconds since 1970. Default: the clock's.
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(super) now: Option<Tick>,

    /// Also moves what is better off elsewhere, as far as prices and budgets allow.
    #[arg(long)]
    pub(super) rebalance: bool,

    /// Begins to replace a cluster by another: everything of OLD is started on NEW, a few replicas at a time. Kept in what
    /// `--save` writes, and gone on with from there. May be given more than once.
    #[arg(long, value_name = "OLD=NEW", help_heading = "Replacing a cluster")]
    pub(super) replace: Vec<String>,
    /// How many replicas of a target may be on their way and not healthy yet, where `--replace` begins. Default: 1.
    #[arg(
        long,
        value_name = "REPLICAS",
        requires = "replace",
        help_heading = "Replacing a cluster"
    )]
    pub(super) surge: Option<u64>,
    /// How long the old copies stay once everything is healthy, where `--replace` begins, such as 30m. Default: 1h.
    #[arg(long, value_name = "SPAN", requires = "replace", value_parser = span, help_heading = "Replacing a cluster")]
    pub(super) soak: Option<Millis>,
    /// Takes a replacement back: what is still on OLD stays there.
    #[arg(long, value_name = "OLD", help_heading = "Replacing a cluster")]
    pub(super) take_back: Vec<String>,

    /// Approves a proposal by its token. May be given more than once, as all that follow may.
    #[arg(long, value_name = "TOKEN", help_heading = "What is known")]
    pub(super) approve: Vec<String>,
    /// All replicas of a workload on a cluster are healthy: what they stand in for may go.
    #[arg(long, value_name = "WORKLOAD@CLUSTER", help_heading = "What is known")]
    pub(super) healthy: Vec<String>,
    /// Nothing of a workload runs on a cluster any more, for sure; or no more than so many replicas of it.
    #[arg(
        long,
        value_name = "WORKLOAD@CLUSTER[=REPLICAS]",
        help_heading = "What is known"
    )]
    pub(super) stopped: Vec<String>,
    /// A workload has run to its end.
    #[arg(long, value_name = "WORKLOAD", help_heading = "What is known")]
    pub(super) finished: Vec<String>,

    /// What if this cluster were not there? Shows what would change; nothing is saved.
    #[arg(long, value_name = "CLUSTER", help_heading = "What if")]
    pub(super) without: Vec<String>,
    /// What if these clusters were there, too? In the format of `--clusters`.
    #[arg(long, value_name = "FILE", help_heading = "What if")]
    pub(super) with: Vec<PathBuf>,
    /// What if nothing new came to this cluster?
    #[arg(long, value_name = "CLUSTER", help_heading = "What if")]
    pub(super) cordon: Vec<String>,
    /// What if this cluster were emptied?
    #[arg(long, value_name = "CLUSTER", help_heading = "What if")]
    pub(super) drain: Vec<String>,
    /// What if this cluster were lost, and had been for long?
    #[arg(long, value_name = "CLUSTER", help_heading = "What if")]
    pub(super) lose: Vec<String>,

    /// Says why everything is where it is, and not elsewhere; with a cluster, why it is there, or not.
    #[arg(
        long,
        value_name = "CLUSTER",
        num_args = 0..=1,
        default_missing_value = "",
        help_heading = "What is shown"
    )]
    pub(super) explain: Option<String>,
    /// Shows and explains only this workload. May be given more than once. Everything is decided all the same.
    #[arg(long, value_name = "WORKLOAD", help_heading = "What is shown")]
    pub(super) workload: Vec<String>,
    /// What the table has a line for.
    #[arg(long, value_enum, default_value_t, help_heading = "What is shown")]
    pub(super) by: By,
    /// How the result is printed.
    #[arg(long, short, value_enum, default_value_t, help_heading = "What is shown")]
    pub(super) output: Output,
}

#[derive(ValueEnum, Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum By {
    /// Each workload, and where it is.
    #[default]
    Workload,
    /// Each cluster, how full it is, and what is on it.
    Cluster,
}

impl PlaceArgs {
    /// Whether it is asked what would be if something were otherwise.
    pub(super) fn is_what_if(&self) -> bool {
        let names = [&self.without, &self.cordon, &self.drain, &self.lose];
        !self.with.is_empty() || names.iter().any(|names| !names.is_empty())
    }
}
