//! What is wrong with a workload.

use serde::{Deserialize, Serialize};

use crate::model::WorkloadId;

/// What is wrong with a workload: whoever wrote it must correct it. Until then, what runs stays where it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "error", content = "what")]
#[non_exhaustive]
pub enum InvalidWorkload {
    /// It has no name.
    #[error("a workload has no name")]
    Unnamed,
    /// It does not say where it is to run.
    #[error("it has no targets")]
    NoTargets,
    /// Two of its targets have one name.
    #[error("two of its targets are called {0}")]
    TargetTwice(String),
    /// A requirement makes no sense.
    #[error("target {target}: {message}")]
    Requirement {
        /// Of which target.
        target: String,
        /// What is wrong.
        message: String,
    },
    /// No cluster can ever meet these together.
    #[error("target {target}: no cluster can meet these together: {}", requirements.join("; "))]
    Contradiction {
        /// Of which target.
        target: String,
        /// The smallest set that contradicts itself.
        requirements: Vec<String>,
    },
    /// What one of its bounds means makes no sense: the bound would never count.
    #[error("target {target}: bounds[{bound}]: {selector}")]
    Bound {
        /// Of which target.
        target: String,
        /// Which bound, from 0.
        bound: usize,
        /// What is wrong.
        selector: InvalidSelector,
    },
    /// What one of its preferences is for makes no sense: the preference would never count.
    #[error("prefer[{preference}]: {selector}")]
    Preferred {
        /// Which preference, from 0.
        preference: usize,
        /// What is wrong.
        selector: InvalidSelector,
    },
    /// A limit at least is above the limit at most.
    #[error("target {target}: {what}: at least {min}, but at most {max}")]
    MinAboveMax {
        /// Of which target.
        target: String,
        /// Of what.
        what: String,
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// At most none of something: to run nowhere is asked for by no replicas.
    #[error("target {target}: at most 0 {what} leaves no place")]
    MostIsNone {
        /// Of which target.
        target: String,
        /// Of what.
        what: String,
    },
    /// It says what goes with a number of replicas in all, and has the same number on each cluster.
    #[error(
        "target {target}: {what} is for replicas that are divided, not for the same number on each cluster"
    )]
    NotDivided {
        /// Of which target.
        target: String,
        /// What it says.
        what: String,
    },
    /// There must never be two of it, and more than one is asked for.
    #[error("there must never be two of a singleton, and {} are asked for", asked(*replicas))]
    TwoOfASingleton {
        /// How many are asked for; none: as many as there are clusters.
        replicas: Option<u64>,
    },
    /// A preference has a weight out of range.
    #[error("a preference has the weight {weight}: from -{most} to {most} is possible")]
    Preference {
        /// Its weight.
        weight: i32,
        /// The greatest there may be.
        most: i32,
    },
    /// A kind that it asks for is of another form than those of clusters.
    #[error(
        "`{kind}` is not of the form Kind.version.group, such as Deployment.v1.apps, or Pod.v1 in the core group"
    )]
    NotAKind {
        /// As it was written.
        kind: String,
    },
    /// All clusters have the weight 0, and weights are what it is divided by.
    #[error("target {target}: all weights are 0, so nothing can be divided")]
    NoWeight {
        /// Of which target.
        target: String,
    },
    /// More of something than can be decided on: of replicas, of replicas at least, of levels of domains.
    #[error("target {target}: {count} {what} are more than {most}, the most that can be decided on")]
    TooMany {
        /// Of which target.
        target: String,
        /// Of what.
        what: String,
        /// How many.
        count: u64,
        /// How many there may be.
        most: u64,
    },
    /// What it needs in all cannot be counted.
    #[error("target {target}: what all its replicas need together is too large to be counted")]
    TooLarge {
        /// Of which target.
        target: String,
    },
    /// It runs beside itself, by way of others.
    #[error("it waits for itself: {}", cycle(workloads))]
    Cycle {
        /// The workloads of the circle, each beside the next.
        workloads: Vec<WorkloadId>,
    },
    /// It must run beside a workload, and one of the two must keep away from the other.
    #[error(
        "it cannot run: {}, and the first and the last must keep apart",
        chain(workloads)
    )]
    Torn {
        /// From this workload on, each beside the next.
        workloads: Vec<WorkloadId>,
    },
    /// It must run beside a workload and must keep away from it.
    #[error("it must run beside {0} and keep away from it")]
    BesideAndApart(WorkloadId),
    /// It must keep away from itself.
    #[error("it must keep away from itself: say over which domains its replicas are spread instead")]
    ApartFromItself,
}

/// What is wrong with the requirements of a selector.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "error", content = "what")]
#[non_exhaustive]
pub enum InvalidSelector {
    /// A requirement makes no sense.
    #[error("{0}")]
    Requirement(String),
    /// No cluster can ever meet these together: the smallest set that contradicts itself.
    #[error("no cluster can meet these together: {}", .0.join("; "))]
    Contradiction(Vec<String>),
}

fn chain(workloads: &[WorkloadId]) -> String {
    let names: Vec<&str> = workloads.iter().map(WorkloadId::as_str).collect();
    format!("it must be {}", names.join(" beside "))
}

fn asked(replicas: Option<u64>) -> String {
    replicas.map_or_else(
        || "as many as there are clusters".to_owned(),
        |count| count.to_string(),
    )
}

fn cycle(workloads: &[WorkloadId]) -> String {
    let names: Vec<&str> = workloads
        .iter()
        .chain(workloads.first())
        .map(WorkloadId::as_str)
        .collect();
    names.join(" beside ")
}

impl InvalidWorkload {
    /// What a target means makes no sense.
    pub(crate) fn meant(target: &str, invalid: InvalidSelector) -> Self {
        let target = target.to_owned();
        match invalid {
            InvalidSelector::Requirement(message) => Self::Requirement { target, message },
            InvalidSelector::Contradiction(requirements) => Self::Contradiction { target, requirements },
        }
    }
}
