//! Why everything is where it is, and not elsewhere.

use fleet_core::{Reason, Tick};
use fleet_scheduler::{
    ClusterExplanation, Decision, Explanation, Facts, Placements, Planner, Refusal, TargetExplanation,
    WorkloadId,
};

use super::{Answer, args::PlaceArgs, hints::Note, inputs};

/// On what reasons are asked for.
pub(super) struct Asking<'a> {
    /// Only of these; empty: of all.
    pub(super) narrowed: &'a [WorkloadId],
    /// What is.
    pub(super) base: &'a Planner,
    /// What would be, where that is asked for; else what is.
    pub(super) planner: &'a Planner,
    pub(super) facts: &'a Facts,
    pub(super) now: Tick,
}

/// What was explained, and what is to be said of the cluster that it is of.
#[derive(Default)]
pub(super) struct Explained {
    pub(super) explanations: Option<Vec<Explanation>>,
    pub(super) note: Option<Note>,
}

/// Explanations, where they are asked for: of one cluster, or of all.
///
/// # Errors
/// When the cluster is not in the fleet, nothing was placed there, and nothing leaves it out.
pub(super) fn explained(
    args: &PlaceArgs,
    asking: &Asking<'_>,
    before: &Placements,
    answer: &Answer,
) -> Result<Explained, String> {
    let Some(cluster) = args.explain.as_deref() else {
        return Ok(Explained::default());
    };
    let asked = answer.last_decisions().filter(|one| asking.is_asked(one));
    let mut explanations: Vec<Explanation> = asked.filter_map(|one| asking.explain(one)).collect();
    let mut note = None;
    if !cluster.is_empty() {
        let targets = explanations.iter_mut().flat_map(|one| &mut one.targets);
        targets.for_each(|target| target.clusters.retain(|one| one.cluster == cluster));
        if asking.planner.fleet().get(cluster).is_none() {
            let absent = Absent {
                cluster,
                is_left_out: asking.base.fleet().get(cluster).is_some(),
            };
            note = Some(absent.note(asking, before, answer)?);
            for explanation in &mut explanations {
                absent.add(explanation, asking, answer);
            }
        }
    }
    Ok(Explained {
        explanations: Some(explanations),
        note,
    })
}

/// Why what has no place has none: of those that are shown, the first few, as each costs about a decision more.
pub(super) fn reasons(asking: &Asking<'_>, answer: &Answer) -> Vec<Explanation> {
    let would_be = answer.what_if.as_ref();
    let decisions = would_be.map_or(&answer.decisions, |would_be| &would_be.decisions);
    let short = decisions.iter().filter(|decision| decision.short() > 0);
    short
        .filter(|decision| asking.is_asked(decision))
        .take(
            REASONED
                .min(CLUSTERS_REASONED / asking.planner.fleet().len().max(1))
                .max(1),
        )
        .filter_map(|decision| asking.explain(decision))
        .collect()
}

/// Of how many workloads without a place the reasons are told without `--explain`, and with how many clusters in all.
const REASONED: usize = 10;
const CLUSTERS_REASONED: usize = 100_000;

impl Asking<'_> {
    fn is_asked(&self, decision: &Decision) -> bool {
        self.narrowed.is_empty() || self.narrowed.contains(&decision.workload)
    }

    fn explain(&self, decision: &Decision) -> Option<Explanation> {
        self.planner.explain_decision(decision, self.facts, self.now)
    }
}

/// A cluster that is not in the fleet.
struct Absent<'a> {
    cluster: &'a str,
    /// It is listed, and `--without` leaves it out.
    is_left_out: bool,
}

impl Absent<'_> {
    /// What was placed there, and what would bring it back.
    fn note(&self, asking: &Asking<'_>, before: &Placements, answer: &Answer) -> Result<Note, String> {
        let cluster = self.cluster;
        let placements = if self.is_left_out {
            &answer.placements
        } else {
            before
        };
        let placed: Vec<String> = placements
            .iter()
            .map(|(id, placement)| (id, placement.on(cluster)))
            .filter(|(_, replicas)| *replicas > 0)
            .map(|(id, replicas)| format!("{id} ×{replicas}"))
            .collect();
        if placed.is_empty() && !self.is_left_out {
            inputs::in_fleet("--explain", cluster, asking.planner.fleet())?;
        }
        let placed = match placed.as_slice() {
            [] => "nothing is placed there".to_owned(),
            placed => format!("placed there: {}", placed.join(", ")),
        };
        let message = match self.is_left_out {
            true => format!("--explain {cluster}: --without leaves it out of the fleet; {placed}"),
            false => format!(
                "--explain {cluster}: it is not in the fleet any more; {placed}; list it in --clusters again to use it"
            ),
        };
        Ok(Note::new(message))
    }

    /// What is to be said of each target.
    fn add(&self, explanation: &mut Explanation, asking: &Asking<'_>, answer: &Answer) {
        let decisions = &mut answer.decisions.iter();
        let base = decisions.find(|base| self.is_left_out && base.workload == explanation.workload);
        let base = base.and_then(|base| asking.base.explain_decision(base, asking.facts, asking.now));
        for (at, target) in explanation.targets.iter_mut().enumerate() {
            if target.clusters.is_empty() {
                target
                    .clusters
                    .push(ClusterExplanation::not_in_fleet(self.cluster, 0, 0));
            }
            let base = base.as_ref().and_then(|base| base.targets.get(at));
            let base = base.and_then(|base: &TargetExplanation| {
                base.clusters.iter().find(|one| one.cluster == self.cluster)
            });
            for entry in &mut target.clusters {
                back(entry, base);
            }
        }
    }
}

/// What would be if it came back; none: nothing is known of it.
fn back(entry: &mut ClusterExplanation, base: Option<&ClusterExplanation>) {
    let Some(base) = base else { return };
    let would = match (base.refusals.as_slice(), base.fits) {
        ([], None) => "any number more would fit".to_owned(),
        ([], Some(fits)) => format!("{fits} more would fit"),
        (_, _) => "it would be refused all the same".to_owned(),
    };
    for Refusal { reason, .. } in &mut entry.refusals {
        let message = format!("{}: back in it, {would}", reason.message);
        *reason = Reason::new(reason.code.clone(), message);
    }
    entry.refusals.extend(base.refusals.iter().cloned());
}
