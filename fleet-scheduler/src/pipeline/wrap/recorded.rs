//! A part whose answers are written down.

use std::{
    collections::VecDeque,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use fleet_core::Reason;

use crate::{
    decision::Limit,
    model::{FleetView, Slot, Target, Workload, WorkloadId},
    moves::{Consent, Move, MoveGate, Rebalancer, Step},
    pipeline::{
        Basis, Candidate, Candidates, Divider, Estimate, Estimator, Filter, Pass, Ranked, Scorer, Selected,
        Selector, Units, Wish,
    },
};

/// An answer that a part has given.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Record {
    /// The part's name.
    pub part: String,
    /// For which workload.
    pub workload: WorkloadId,
    /// Of which cluster; none where the answer is about several.
    pub cluster: Option<String>,
    /// What it said, for people.
    pub said: String,
}

/// Keeps what [`Recorded`] parts answer: how often they were asked, and the latest answers. A clone is another handle on the
/// same records.
#[derive(Clone, Debug)]
pub struct Recorder(Arc<Mutex<Records>>);

#[derive(Debug)]
struct Records {
    asked: u64,
    latest: VecDeque<Record>,
    most: usize,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::keeping(1_000)
    }
}

impl Recorder {
    /// Keeps the latest so many answers; 1,000 by default.
    pub fn keeping(most: usize) -> Self {
        Self(Arc::new(Mutex::new(Records {
            asked: 0,
            latest: VecDeque::new(),
            most,
        })))
    }

    /// How many answers were given.
    pub fn asked(&self) -> u64 {
        self.records().asked
    }

    /// The latest answers, oldest first.
    pub fn latest(&self) -> Vec<Record> {
        self.records().latest.iter().cloned().collect()
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, part: &str, workload: &WorkloadId, cluster: Option<&str>, said: String) {
        let mut records = self.records();
        records.asked = records.asked.saturating_add(1);
        records.latest.push_back(Record {
            part: part.to_owned(),
            workload: workload.clone(),
            cluster: cluster.map(str::to_owned),
            said,
        });
        while records.latest.len() > records.most {
            records.latest.pop_front();
        }
    }
}

/// A part whose answers are written down: to see in a test what was asked, or in service what a plug-in says. It answers as
/// the part does, and what need not be asked again is not: two workloads that ask the same are one record.
///
/// ```
/// # use fleet_scheduler::{Recorded, Recorder, Scheduler, SchedulerBuilder, Taints};
/// let recorder = Recorder::default();
/// let scheduler = SchedulerBuilder::bare().filter(Recorded::new(Taints, &recorder)).build();
/// assert_eq!(recorder.asked(), 0);
/// # drop(scheduler);
/// ```
#[derive(Clone, Debug)]
pub struct Recorded<T> {
    part: T,
    recorder: Recorder,
}

impl<T> Recorded<T> {
    /// The part, whose answers are written down there.
    pub fn new(part: T, recorder: &Recorder) -> Self {
        Self {
            part,
            recorder: recorder.clone(),
        }
    }

    fn keep(&self, part: &str, candidate: &Candidate<'_>, said: String) {
        let cluster = candidate.cluster.name();
        self.recorder
            .keep(part, &candidate.workload.name, Some(cluster), said);
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Filter> Filter for Recorded<T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        let answer = self.part.check(candidate);
        let said = match &answer {
            Ok(pass) => pass_said(*pass),
            Err(reason) => reason.to_string(),
        };
        self.keep(self.part.name(), candidate, said);
        answer
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        let answer = self.part.passes(candidate);
        let said = answer.map_or("refuses".to_owned(), pass_said);
        self.keep(self.part.name(), candidate, said);
        answer
    }

    fn passes_each(&self, candidates: &Candidates<'_>) -> Vec<Option<Pass>> {
        let answers = self.part.passes_each(candidates);
        for (candidate, answer) in candidates.iter().zip(&answers) {
            let said = answer.map_or("refuses".to_owned(), pass_said);
            self.keep(self.part.name(), &candidate, said);
        }
        answers
    }

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        self.part.basis(workload, target)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Scorer> Scorer for Recorded<T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        let score = self.part.score(candidate);
        self.keep(self.part.name(), candidate, score.to_string());
        score
    }

    fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
        let scores = self.part.score_each(candidates);
        for (candidate, score) in candidates.iter().zip(&scores) {
            self.keep(self.part.name(), &candidate, score.to_string());
        }
        scores
    }

    fn weight(&self, workload: &Workload, target: &Target) -> i64 {
        self.part.weight(workload, target)
    }

    fn normalise(&self, scores: &mut [i64]) {
        self.part.normalise(scores);
    }

    fn is_unknown(&self, score: i64) -> bool {
        self.part.is_unknown(score)
    }

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        self.part.basis(workload, target)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Estimator> Estimator for Recorded<T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn estimate(&self, candidate: &Candidate<'_>) -> Option<Estimate> {
        let estimate = self.part.estimate(candidate);
        let said = estimate.map_or("not known".to_owned(), |estimate| estimate.replicas.to_string());
        self.keep(self.part.name(), candidate, said);
        estimate
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Selector> Selector for Recorded<T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let answer = self.part.select(wish, ranked);
        let said = match &answer {
            Ok(selected) => {
                let slots = selected.clusters.iter().map(|one| (one.slot, None));
                clusters_said(wish.fleet, slots)
            }
            Err(limit) => limit.to_string(),
        };
        self.recorder
            .keep(self.part.name(), &wish.workload.name, None, said);
        answer
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Divider> Divider for Recorded<T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let answer = self.part.grow(wish, selected);
        let said = match &answer {
            Ok(units) => units_said(wish.fleet, units),
            Err(limit) => limit.to_string(),
        };
        self.recorder
            .keep(self.part.name(), &wish.workload.name, None, said);
        answer
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        let units = self.part.shrink(wish, ranked);
        let said = units_said(wish.fleet, &units);
        self.recorder
            .keep(self.part.name(), &wish.workload.name, None, said);
        units
    }
}

/// Recorded as `rebalancer`.
#[deny(clippy::missing_trait_methods)]
impl<T: Rebalancer> Rebalancer for Recorded<T> {
    fn worth(&self, candidate: &Candidate<'_>, load: i64) -> i64 {
        let worth = self.part.worth(candidate, load);
        self.keep("rebalancer", candidate, worth.to_string());
        worth
    }
}

/// Recorded as `gate`, with the cluster that the move comes from.
#[deny(clippy::missing_trait_methods)]
impl<T: MoveGate> MoveGate for Recorded<T> {
    fn ask(&self, step: Step, one: &Move) -> Consent {
        let consent = self.part.ask(step, one);
        let said = match &consent {
            Consent::Go => format!("{step:?}: go"),
            Consent::Wait(reason) => format!("{step:?}: wait: {reason}"),
            Consent::Refuse(reason) => format!("{step:?}: refuse: {reason}"),
        };
        self.recorder.keep("gate", &one.workload, Some(&one.from), said);
        consent
    }
}

fn pass_said(pass: Pass) -> String {
    match pass.until() {
        None => "passes".to_owned(),
        Some(until) => format!("passes until {}", until.0),
    }
}

fn units_said(fleet: &FleetView, units: &Units) -> String {
    let mut said = clusters_said(
        fleet,
        units.units.iter().map(|(slot, units)| (*slot, Some(*units))),
    );
    if units.short > 0 {
        // Writing to a string never fails.
        let _ = write!(said, "; {} short", units.short);
    }
    said
}

fn clusters_said(fleet: &FleetView, clusters: impl Iterator<Item = (Slot, Option<u64>)>) -> String {
    let one = |(slot, units): (Slot, Option<u64>)| {
        let name = fleet.at(slot).name();
        units.map_or(name.to_owned(), |units| format!("{name} {units}"))
    };
    clusters.map(one).collect::<Vec<_>>().join(", ")
}
