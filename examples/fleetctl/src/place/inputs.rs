//! What is decided on: clusters, workloads, where everything was, and what is known.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use fleet_core::StatusSink as _;
use fleet_diff::Step;
use fleet_kube::FileStatus;
use fleet_scheduler::{
    ClusterFile, ClusterInfo, FleetView, Preference, Workload, WorkloadId, WrittenData, WrittenScore,
};
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
    pub(super) places: Places,
}

/// Where workloads are written.
#[derive(Default)]
pub(super) struct Places {
    texts: Vec<Text>,
    spots: BTreeMap<WorkloadId, Spot>,
}

impl Places {
    /// What is wrong with a workload, and where it is written.
    pub(super) fn problem(&self, id: &WorkloadId, why: &str) -> Option<Problem> {
        Some(Problem {
            workload: Some(id.clone()),
            mistake: self.spots.get(id)?.mistake(&self.texts, why),
        })
    }
}

/// A workload that cannot be read: what runs of it stays where it is.
pub(super) struct Problem {
    /// Its name, where that can be read.
    pub(super) workload: Option<WorkloadId>,
    pub(super) mistake: Mistake,
}

/// The clusters of all files together, and where each is written.
pub(super) fn clusters(paths: &[PathBuf]) -> Result<(ClusterFile, Listed), String> {
    let mut all = ClusterFile::default();
    let mut listed = Listed::default();
    for path in paths {
        let text = Text::open(path)?;
        let documents = text.documents()?;
        if documents.is_empty() {
            return Err(text.wrong("is empty; write `clusters: []` for none"));
        }
        for document in documents {
            let is_mapping = document.value.get("clusters").is_some_and(Value::is_object);
            // A list, or one cluster, as if it were in `clusters`.
            let (value, added) = match document.value {
                Value::Array(list) => (json!({ "clusters": list }), 1),
                Value::Object(one) if one.contains_key("name") && !one.contains_key("clusters") => {
                    (json!({ "clusters": [one] }), 2)
                }
                other => (other, 0),
            };
            let part: ClusterFile = text.parse(document.line, &[], added, value)?;
            listed.parts.push(Part {
                text: listed.texts.len(),
                line: document.line,
                added,
                is_mapping,
                names: part.clusters.iter().map(|cluster| cluster.name.clone()).collect(),
                data: part.data.clone(),
                scores: part.scores.clone(),
            });
            all = all.join(part).map_err(|error| text.wrong(&error.to_string()))?;
        }
        listed.texts.push(text);
    }
    listed.check()?;
    Ok((all, listed))
}

/// Where clusters are written, and what is said of them.
#[derive(Default)]
pub(super) struct Listed {
    texts: Vec<Text>,
    parts: Vec<Part>,
}

/// One document of clusters.
struct Part {
    /// The number of its text, and its line there.
    text: usize,
    line: usize,
    /// How many steps in front of each cluster are not written.
    added: usize,
    is_mapping: bool,
    names: Vec<String>,
    data: Vec<WrittenData>,
    scores: Vec<WrittenScore>,
}

impl Listed {
    /// What is wrong with a cluster, if it is written here.
    pub(super) fn mistake(&self, name: &str, why: &str) -> Option<Mistake> {
        let mut places = self.parts.iter().flat_map(|part| {
            part.names
                .iter()
                .enumerate()
                .map(move |(at, name)| (part, at, name))
        });
        let (part, at, _) = places.find(|(_, _, one)| *one == name)?;
        Some(self.at_cluster(part, at, why))
    }

    fn at_cluster(&self, part: &Part, at: usize, why: &str) -> Mistake {
        let step = match part.is_mapping {
            true => Step::Key(&part.names[at]),
            false => Step::Item(at),
        };
        self.at(part, &[Step::Key("clusters"), step][part.added..], why)
    }

    fn at(&self, part: &Part, way: &[Step<'_>], why: &str) -> Mistake {
        self.texts[part.text].mistake(part.line, way, why)
    }

    /// That no name is listed twice, and that only clusters are named that are listed.
    fn check(&self) -> Result<(), Mistake> {
        let mut seen: BTreeMap<&str, (&Part, usize)> = BTreeMap::new();
        for part in &self.parts {
            for (at, name) in part.names.iter().enumerate() {
                if let Some((first, place)) = seen.insert(name, (part, at)) {
                    let first = self.at_cluster(first, place, "");
                    let why = format!(
                        "cluster {name} is listed already, at {}:{}: which of the two is meant is not known",
                        first.file, first.line
                    );
                    return Err(self.at_cluster(part, at, &why));
                }
            }
        }
        let not_listed = |what: String, cluster: &str| {
            let near = meant(nearest(cluster, seen.keys().copied()));
            format!("{what} names cluster {cluster}, which is not listed{near}")
        };
        let mut scores: BTreeMap<&str, (&Part, usize)> = BTreeMap::new();
        for part in &self.parts {
            for (at, data) in part.data.iter().enumerate() {
                for (place, cluster) in data.clusters.iter().enumerate() {
                    if !seen.contains_key(cluster.as_str()) {
                        let way = [
                            Step::Key("data"),
                            Step::Item(at),
                            Step::Key("clusters"),
                            Step::Item(place),
                        ];
                        return Err(self.at(part, &way, &not_listed(format!("data {}", data.name), cluster)));
                    }
                }
            }
            for (at, score) in part.scores.iter().enumerate() {
                let way = [Step::Key("scores"), Step::Item(at)];
                if let Some((first, place)) = scores.insert(&score.name, (part, at)) {
                    let first = self.at(first, &[Step::Key("scores"), Step::Item(place)], "");
                    let why = format!(
                        "scores {} are listed already, at {}:{}",
                        score.name, first.file, first.line
                    );
                    return Err(self.at(part, &way, &why));
                }
                for cluster in score.clusters.keys() {
                    if !seen.contains_key(cluster.as_str()) {
                        let way = [way[0], way[1], Step::Key("clusters"), Step::Key(cluster)];
                        return Err(self.at(
                            part,
                            &way,
                            &not_listed(format!("score {}", score.name), cluster),
                        ));
                    }
                }
            }
        }
        Ok(())
    }
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
    let mut wanted = Wanted::default();
    for path in paths {
        wanted.places.texts.push(Text::open(path)?);
    }
    let Places { texts, spots } = &mut wanted.places;
    for (number, text) in texts.iter().enumerate() {
        let documents = text.documents()?;
        if documents.is_empty() {
            return Err(text.wrong("is empty; write `workloads: []` for none"));
        }
        for document in documents {
            let (elements, form) = elements(text, document.line, document.value)?;
            for (place, element) in elements.into_iter().enumerate() {
                let spot = Spot {
                    text: number,
                    document: document.line,
                    way: form.way(place),
                };
                let name = element.get("name").and_then(Value::as_str);
                let id = name.filter(|name| !name.is_empty()).map(WorkloadId::from);
                if let Some((id, first)) = id.as_ref().and_then(|id| Some((id, spots.get(id)?))) {
                    // Which of two is meant is not known, so neither counts.
                    let first = first.mistake(texts, "");
                    let why = format!(
                        "it is listed already, at {}:{}: which of the two is meant is not known",
                        first.file, first.line
                    );
                    wanted.workloads.remove(id);
                    wanted.problems.push(Problem {
                        workload: Some(id.clone()),
                        mistake: spot.mistake(texts, &why),
                    });
                    continue;
                }
                let read = text
                    .parse::<Workload>(spot.document, &spot.way, 0, element)
                    .and_then(|workload| in_range(text, &spot, workload));
                match read {
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

/// Numbers that are out of their range.
fn in_range(text: &Text, spot: &Spot, workload: Workload) -> Result<Workload, Mistake> {
    let wrong = |preference: &Preference| !(-100..=100).contains(&preference.weight);
    let Some(at) = workload.prefer.iter().position(wrong) else {
        return Ok(workload);
    };
    let mut way = spot.way.clone();
    way.extend([Step::Key("prefer"), Step::Item(at), Step::Key("weight")]);
    let why = format!(
        "{} is not a whole number from -100 to 100",
        workload.prefer[at].weight
    );
    Err(text.mistake(spot.document, &way, why))
}

/// Where a workload is written: the number of the text, the line of its document, and the way within that.
struct Spot {
    text: usize,
    document: usize,
    way: Vec<Step<'static>>,
}

impl Spot {
    fn mistake(&self, texts: &[Text], why: &str) -> Mistake {
        texts[self.text].mistake(self.document, &self.way, why)
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

/// A workload that must be listed or placed.
pub(super) fn known(flag: &str, name: &str, known: &[WorkloadId]) -> Result<WorkloadId, String> {
    let id = WorkloadId::from(name);
    if known.contains(&id) {
        return Ok(id);
    }
    let near = nearest(name, known.iter().map(WorkloadId::as_str));
    Err(format!("{flag} {name}: there is no such workload{}", meant(near)))
}

/// The names that `--workload` gives, each of which there is.
pub(super) fn narrowed(args: &PlaceArgs, known: &[WorkloadId]) -> Result<Vec<WorkloadId>, String> {
    let names = args.workload.iter();
    names.map(|name| self::known("--workload", name, known)).collect()
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

pub(super) fn meant(near: Option<&str>) -> String {
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
