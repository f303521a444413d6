//! What may not be meant: names and selectors that match nothing.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{Millis, Tick};
use fleet_scheduler::{
    ClusterFile, ClusterInfo, ClusterSelector, Decision, FleetView, LostPolicy, Survives, Take, Target,
    Workload, WorkloadId,
};
use serde::Serialize;

use super::effect;

/// Something that may not be meant, or has no effect.
#[derive(Serialize, Clone, PartialEq, Eq, Debug)]
pub(crate) struct Note {
    /// Of which workload, if of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) workload: Option<WorkloadId>,
    pub(crate) message: String,
    /// Less is done than was asked for.
    #[serde(skip)]
    pub(crate) is_less: bool,
}

impl Note {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            workload: None,
            message: message.into(),
            is_less: false,
        }
    }

    fn of(workload: &WorkloadId, message: impl Into<String>) -> Self {
        Self {
            workload: Some(workload.clone()),
            ..Self::new(message)
        }
    }

    fn less(self) -> Self {
        Self {
            is_less: true,
            ..self
        }
    }
}

/// What is to be said of the fleet as a whole.
pub(super) fn of_fleet(fleet: &FleetView) -> Option<Note> {
    if fleet.is_empty() {
        return Some(Note::new("the fleet has no clusters").less());
    }
    let none = !fleet.clusters().any(ClusterInfo::is_in_contact);
    let all = match fleet.len() {
        1 => "the only one is".to_owned(),
        all => format!("all {all} are"),
    };
    none.then(|| Note::new(format!("no cluster answers: {all} lost or unreachable")).less())
}

/// What is said of clusters, and of none that there is.
pub(super) fn of_file(file: &ClusterFile) -> Option<Note> {
    let domain = file.storm.as_ref()?.domain.as_ref()?;
    let has = file
        .clusters
        .iter()
        .any(|cluster| cluster.labels.contains_key(domain));
    (!has && !file.clusters.is_empty())
        .then(|| Note::new(format!("storm.domain: no cluster has the label {domain}")))
}

/// Looks for names and selectors of workloads that match nothing.
pub(super) struct Hints<'a> {
    fleet: &'a FleetView,
    now: Tick,
    known: BTreeSet<&'a WorkloadId>,
    /// Workloads that follow themselves.
    rings: BTreeMap<&'a WorkloadId, Vec<&'a WorkloadId>>,
    /// What was found out of selectors and labels.
    matches: BTreeMap<ClusterSelector, bool>,
    labels: BTreeSet<&'a str>,
    /// By data, what is to be said of it.
    data: BTreeMap<String, Option<String>>,
    notes: Vec<Note>,
    /// Targets that are to be on every cluster that they mean, in words, and whether there are some.
    everywhere: Everywhere,
}

impl<'a> Hints<'a> {
    pub(super) fn new(
        fleet: &'a FleetView,
        now: Tick,
        known: impl Iterator<Item = &'a WorkloadId>,
        workloads: &'a BTreeMap<WorkloadId, Workload>,
    ) -> Self {
        let labels = fleet.clusters().flat_map(|cluster| cluster.cluster.labels.keys());
        Self {
            fleet,
            now,
            known: known.collect(),
            rings: effect::rings(workloads),
            matches: BTreeMap::new(),
            labels: labels.map(String::as_str).collect(),
            data: BTreeMap::new(),
            notes: Vec::new(),
            everywhere: BTreeMap::new(),
        }
    }

    /// What a workload says of clusters, labels and workloads that are not there.
    pub(super) fn look(&mut self, workload: &Workload) {
        if self.fleet.is_empty() {
            return;
        }
        let mut found = Vec::new();
        for (at, target) in workload.targets.iter().enumerate() {
            let of = match (workload.targets.len(), target.name.as_str()) {
                (1, _) => String::new(),
                (_, "") => format!("target {}: ", at + 1),
                (_, name) => format!("target {name}: "),
            };
            let mut of_target = Vec::from_iter(effect::of_target(target));
            self.look_at_bounds(target, &mut of_target);
            found.extend(of_target.into_iter().map(|what| format!("{of}{what}")));
            if let Take::Each {
                replicas: 1..,
                clusters: None,
            } = target.take
            {
                let meant = (words(target), self.is_any_meant(target));
                let everywhere = self.everywhere.entry(workload.name.clone()).or_default();
                everywhere.insert(at, meant);
            }
        }
        for preference in &workload.prefer {
            if !self.matches(&preference.selector) {
                found.push(format!("prefer: no cluster matches {}", preference.selector));
            }
        }
        let others = [("beside", &workload.beside), ("apart", &workload.apart)];
        for (field, relation) in others
            .iter()
            .flat_map(|(field, all)| all.iter().map(move |one| (field, one)))
        {
            let other = &relation.workload;
            if !self.known.contains(other) {
                found.push(format!("{field}: there is no workload {other}"));
            }
            if let Some(label) = relation
                .over
                .as_ref()
                .filter(|label| !self.labels.contains(label.as_str()))
            {
                found.push(format!("{field}: no cluster has the label {label}"));
            }
        }
        if let LostPolicy::Follow(other) = &workload.lost
            && !self.known.contains(other)
        {
            found.push(format!("lost: there is no workload {other} to follow"));
        }
        if let Survives::AnyDomain(label) = &workload.survives
            && !self.labels.contains(label.as_str())
        {
            found.push(format!(
                "survives: no cluster has the label {label}, so each is a domain of its own"
            ));
        }
        if workload.moves.limit.is_some() && workload.moves.per == Millis(0) {
            found.push("moves: a limit for no time limits nothing: say `per`, such as 1h".to_owned());
        }
        for data in workload.data.iter().filter(|data| data.preferred) {
            let said = self.data.entry(data.name.clone());
            found.extend(
                said.or_insert_with(|| effect::of_data(&data.name, self.fleet, self.now))
                    .clone(),
            );
        }
        found.extend(effect::of_workload(workload, &self.rings));
        self.notes
            .extend(found.into_iter().map(|message| Note::of(&workload.name, message)));
    }

    fn look_at_bounds(&mut self, target: &Target, found: &mut Vec<String>) {
        let Take::Divided { bounds, .. } = &target.take else {
            return;
        };
        for bound in bounds {
            for name in bound
                .clusters
                .iter()
                .filter(|name| self.fleet.get(name).is_none())
            {
                found.push(format!("bounds: no cluster is called {name}"));
            }
            if !self.matches(&bound.selector) {
                found.push(format!("bounds: no cluster matches {}", bound.selector));
            }
        }
    }

    fn is_any_meant(&mut self, target: &Target) -> bool {
        let is_named =
            target.clusters.is_empty() || target.clusters.iter().any(|name| self.fleet.get(name).is_some());
        let mut groups = target.groups.iter();
        is_named && (target.groups.is_empty() || groups.any(|group| self.matches(group)))
    }

    fn matches(&mut self, selector: &ClusterSelector) -> bool {
        if let Some(known) = self.matches.get(selector) {
            return *known;
        }
        let matches = self.fleet.clusters().any(|cluster| selector.matches(cluster));
        self.matches.insert(selector.clone(), matches);
        matches
    }

    /// Targets that were to be on every cluster that they mean, and are on none.
    pub(super) fn nowhere(everywhere: &Everywhere, decisions: &[Decision]) -> Vec<Note> {
        let mut notes = Vec::new();
        for decision in decisions {
            for (at, (words, is_any)) in everywhere.get(&decision.workload).into_iter().flatten() {
                let Some(target) = decision.targets.get(*at).filter(|target| target.wanted == 0) else {
                    continue;
                };
                let of = match decision.targets.len() {
                    1 => String::new(),
                    _ => format!("target {}: ", target.target),
                };
                let message = match is_any {
                    false => format!("{of}no cluster matches {words}"),
                    true => format!("{of}no cluster that it means can take it"),
                };
                notes.push(Note::of(&decision.workload, message).less());
            }
        }
        notes
    }

    /// What was found: notes, and which targets are to be on every cluster that they mean.
    pub(super) fn found(self) -> (Vec<Note>, Everywhere) {
        (self.notes, self.everywhere)
    }
}

/// By workload and the place of the target: the clusters it means in words, and whether there is one.
pub(super) type Everywhere = BTreeMap<WorkloadId, BTreeMap<usize, (String, bool)>>;

/// The clusters that a target means.
fn words(target: &Target) -> String {
    let names = (!target.clusters.is_empty()).then(|| format!("name in ({})", target.clusters.join(", ")));
    let groups: Vec<String> = target.groups.iter().map(ToString::to_string).collect();
    let groups = (!groups.is_empty()).then(|| groups.join(" or "));
    let both: Vec<String> = names.into_iter().chain(groups).collect();
    both.join(", ")
}
