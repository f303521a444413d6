//! What is decided on: clusters, workloads, where everything was, and what is known.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use fleet_core::StatusSink as _;
use fleet_diff::Step;
use fleet_kube::FileStatus;
use fleet_scheduler::{ClusterFile, ClusterInfo, Facts, FleetView, Workload, WorkloadId};
use serde_json::{Map, Value, json};

use super::{
    args::PlaceArgs,
    read::{Mistake, Text},
    words::nearest,
};

/// The workloads of all files, and what is wrong with others.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) workloads: BTreeMap<WorkloadId, Workload>,
    pub(super) problems: Vec<Problem>,
}

/// A workload that cannot be read: what runs of it stays where it is.
pub(super) struct Problem {
    /// Its name, where that can be read.
    pub(super) workload: Option<WorkloadId>,
    pub(super) mistake: Mistake,
}

/// The clusters of all files together.
pub(super) fn clusters(paths: &[PathBuf]) -> Result<ClusterFile, String> {
    let mut all = ClusterFile::default();
    for path in paths {
        let text = Text::open(path)?;
        let documents = text.documents()?;
        if documents.is_empty() {
            return Err(text.wrong("is empty; write `clusters: []` for none"));
        }
        for document in documents {
            // A list, or one cluster, as if it were in `clusters`.
            let (value, added) = match document.value {
                Value::Array(list) => (json!({ "clusters": list }), 1),
                Value::Object(one) if one.contains_key("name") && !one.contains_key("clusters") => {
                    (json!({ "clusters": [one] }), 2)
                }
                other => (other, 0),
            };
            let part: ClusterFile = text.parse(document.line, &[], added, value)?;
            all = all.join(part).map_err(|error| text.wrong(&error.to_string()))?;
        }
    }
    Ok(all)
}

/// Files as people call them, for what is wrong with all of them together.
pub(super) fn named(paths: &[PathBuf]) -> String {
    let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
    names.join(", ")
}

/// What was observed takes the place of what the files say of contact and room.
pub(super) async fn observed(mut fleet: FleetView, path: &Path) -> Result<FleetView, String> {
    if !path.is_file() {
        return Err(format!("{}: there is no such file", path.display()));
    }
    let all = FileStatus::new(path).load().await;
    let all = all.map_err(|unknown| unknown.message().to_owned())?;
    for (name, observed) in all {
        let Some(cluster) = fleet.get(&name) else { continue };
        let mut seen = ClusterInfo::new(cluster.cluster.clone());
        seen.capacity = observed.capacity.or_else(|| cluster.capacity.clone());
        seen.contact = observed.contact.or(cluster.contact);
        fleet.replace(seen).map_err(|error| error.to_string())?;
    }
    Ok(fleet)
}

/// The workloads of all files.
///
/// # Errors
/// When a file cannot be read at all. A workload that cannot is a [`Problem`] and stops no other.
pub(super) fn workloads(paths: &[PathBuf]) -> Result<Wanted, String> {
    let texts: Vec<Text> = paths
        .iter()
        .map(|path| Text::open(path))
        .collect::<Result<_, _>>()?;
    let mut wanted = Wanted::default();
    let mut spots: BTreeMap<WorkloadId, Spot<'_>> = BTreeMap::new();
    for text in &texts {
        let documents = text.documents()?;
        if documents.is_empty() {
            return Err(text.wrong("is empty; write `workloads: []` for none"));
        }
        for document in documents {
            let (elements, form) = elements(text, document.line, document.value)?;
            for (place, element) in elements.into_iter().enumerate() {
                let spot = Spot {
                    text,
                    document: document.line,
                    way: form.way(place),
                };
                let name = element.get("name").and_then(Value::as_str);
                let id = name.filter(|name| !name.is_empty()).map(WorkloadId::from);
                if let Some((id, first)) = id.as_ref().and_then(|id| Some((id, spots.get(id)?))) {
                    // Which of two is meant is not known, so neither counts.
                    let first = first.mistake("");
                    let why = format!(
                        "it is listed already, at {}:{}: which of the two is meant is not known",
                        first.file, first.line
                    );
                    wanted.workloads.remove(id);
                    wanted.problems.push(Problem {
                        workload: Some(id.clone()),
                        mistake: spot.mistake(&why),
                    });
                    continue;
                }
                match text.parse::<Workload>(spot.document, &spot.way, 0, element) {
                    Ok(workload) => drop(wanted.workloads.insert(workload.name.clone(), workload)),
                    Err(mistake) => wanted.problems.push(Problem {
                        workload: id.clone(),
                        mistake,
                    }),
                }
                spots.extend(id.map(|id| (id, spot)));
            }
        }
    }
    Ok(wanted)
}

/// Where a workload is written.
struct Spot<'a> {
    text: &'a Text,
    document: usize,
    way: Vec<Step<'a>>,
}

impl Spot<'_> {
    fn mistake(&self, why: &str) -> Mistake {
        self.text.mistake(self.document, &self.way, why)
    }
}

const WORKLOADS: &str = "workloads";

/// How the workloads of a document are written.
enum Form {
    /// The document is one.
    Document,
    /// The document is a list of them.
    List,
    /// They are a list below [`WORKLOADS`].
    Named,
}

impl Form {
    /// To the one at this place.
    fn way(&self, place: usize) -> Vec<Step<'static>> {
        match self {
            Self::Document => Vec::new(),
            Self::List => vec![Step::Item(place)],
            Self::Named => vec![Step::Key(WORKLOADS), Step::Item(place)],
        }
    }
}

fn elements(text: &Text, line: usize, value: Value) -> Result<(Vec<Value>, Form), String> {
    match value {
        Value::Array(list) => Ok((list, Form::List)),
        Value::Object(mut map) if map.contains_key(WORKLOADS) => {
            let list = map.remove(WORKLOADS).unwrap_or_default();
            if let Some(other) = map.keys().next() {
                let why = format!("unknown field `{other}`: known is {WORKLOADS}");
                return Err(text.mistake(line, &[Step::Key(other)], why).into());
            }
            match list {
                Value::Array(list) => Ok((list, Form::Named)),
                _ => Err(text
                    .mistake(
                        line,
                        &[Step::Key(WORKLOADS)],
                        "expected a list; write [] for none",
                    )
                    .into()),
            }
        }
        Value::Object(one) if one.contains_key("name") || one.contains_key("targets") => {
            Ok((vec![Value::Object(one)], Form::Document))
        }
        _ => {
            let why =
                "expected a list of workloads, perhaps below `workloads`, or one with `name` and `targets`";
            Err(text.mistake(line, &[], why).into())
        }
    }
}

/// What the command line says is known, of workloads and clusters that there are.
pub(super) fn facts(args: &PlaceArgs, known: &[WorkloadId], fleet: &FleetView) -> Result<Facts, String> {
    let workload = |flag: &str, name: &str| -> Result<WorkloadId, String> {
        let id = WorkloadId::from(name);
        if known.contains(&id) {
            return Ok(id);
        }
        let near = nearest(name, known.iter().map(WorkloadId::as_str));
        Err(format!("{flag} {name}: there is no such workload{}", meant(near)))
    };
    let both = |flag: &str, text: &str| -> Result<(WorkloadId, String), String> {
        let (name, cluster) = text
            .split_once('@')
            .filter(|(name, cluster)| !name.is_empty() && !cluster.is_empty())
            .ok_or_else(|| format!("{flag} {text}: write WORKLOAD@CLUSTER"))?;
        Ok((workload(flag, name)?, cluster.to_owned()))
    };
    let mut facts = Facts::none();
    for text in &args.healthy {
        let (workload, cluster) = both("--healthy", text)?;
        facts = facts.healthy(workload, in_fleet("--healthy", &cluster, fleet)?);
    }
    for text in &args.stopped {
        // Its cluster may have left the fleet.
        let (workload, cluster) = both("--stopped", text)?;
        facts = facts.stopped(workload, cluster);
    }
    for name in &args.finished {
        facts = facts.finished(workload("--finished", name)?);
    }
    for token in &args.approve {
        facts = facts.approve(token);
    }
    Ok(facts)
}

/// The names that `--workload` gives, each of which there is.
pub(super) fn narrowed(args: &PlaceArgs, known: &[WorkloadId]) -> Result<Vec<WorkloadId>, String> {
    let asked = args.workload.iter().map(|name| WorkloadId::from(name.as_str()));
    asked
        .map(|id| {
            if known.contains(&id) {
                return Ok(id);
            }
            let near = nearest(id.as_str(), known.iter().map(WorkloadId::as_str));
            Err(format!(
                "--workload {id}: there is no such workload{}",
                meant(near)
            ))
        })
        .collect()
}

/// A cluster that must be in the fleet.
pub(super) fn in_fleet(flag: &str, name: &str, fleet: &FleetView) -> Result<String, String> {
    if fleet.get(name).is_some() {
        return Ok(name.to_owned());
    }
    let near = nearest(name, fleet.clusters().map(ClusterInfo::name));
    Err(format!(
        "{flag} {name}: no cluster of that name is listed{}",
        meant(near)
    ))
}

fn meant(near: Option<&str>) -> String {
    near.map_or(String::new(), |near| format!("; did you mean {near}?"))
}

/// Standard input can be read once.
pub(super) fn one_stdin(args: &PlaceArgs) -> Result<(), String> {
    let files = args
        .clusters
        .iter()
        .chain(&args.workloads)
        .chain(&args.previous)
        .chain(&args.with);
    if files.filter(|path| path.as_path() == Path::new("-")).count() > 1 {
        return Err("`-` is given twice, and standard input can be read once".to_owned());
    }
    Ok(())
}

/// A mapping of a file that may say more than what is asked for.
pub(super) fn fields(map: &mut Map<String, Value>, names: &[&str]) -> Value {
    let taken = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), map.remove(*name)?)));
    Value::Object(taken.collect())
}
