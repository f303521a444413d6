//! Cases as JSON: written by those who ask, read again without a server.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader, BufWriter, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    compare::Effect,
    oracle::{Question, Told},
    server::Answer,
    way::Way,
};

/// A question that was asked, and the answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Its class.
    pub class: String,
    /// Its number in the class.
    pub number: u64,
    /// The seed of all.
    pub seed: u64,
    /// The server's minor version.
    pub kubernetes: String,
    /// The object's kind and group.
    pub kind: String,
    /// The set its manifest is from.
    pub set: String,
    /// What was edited.
    pub path: String,
    /// The definition beside the one that the object was made from.
    pub edited: Vec<String>,
    /// The object as it was.
    pub live: Option<Value>,
    /// The definition, the object that is sent, or the patch.
    pub desired: Value,
    /// How it is written.
    pub way: Way,
    /// Where: empty for the object itself.
    pub subresource: String,
    /// Who writes.
    pub manager: String,
    /// Whether by force.
    pub force: bool,
    /// What the server said.
    pub answer: Answer,
}

impl Asked {
    /// As a predictor gets it.
    pub fn question(&self) -> Question<'_> {
        Question {
            live: self.live.as_ref(),
            desired: &self.desired,
            way: self.way,
            subresource: &self.subresource,
            manager: &self.manager,
            force: self.force,
        }
    }

    pub(super) fn to_json(&self) -> Value {
        let answer = match &self.answer {
            Answer::Object { created, object } => json!({
                "status": if *created { 201 } else { 200 },
                "object": object,
                "effect": Effect::of(self.live.as_ref(), object).as_str(),
            }),
            Answer::Conflicts(all) => json!({"status": 409, "conflicts": all}),
            Answer::Refused { code, message } => json!({"status": code, "message": message}),
        };
        json!({
            "class": self.class, "number": self.number, "seed": self.seed, "kubernetes": self.kubernetes,
            "kind": self.kind, "set": self.set, "path": self.path, "edited": self.edited,
            "live": self.live, "desired": self.desired, "manager": self.manager, "force": self.force,
            "way": self.way.as_str(), "subresource": self.subresource,
            "answer": answer,
        })
    }

    fn from_json(mut line: Value) -> Option<Self> {
        let mut answer = line.get_mut("answer")?.take();
        let status = answer["status"].as_u64()?;
        let answer = match status {
            200 | 201 => Answer::Object {
                created: status == 201,
                object: answer["object"].take(),
            },
            _ => match answer["conflicts"].as_array() {
                Some(conflicts) => {
                    let word = |value: &Value| Some(value.as_str()?.to_owned());
                    let pair = |pair: &Value| Some((word(&pair[0])?, word(&pair[1])?));
                    Answer::Conflicts(conflicts.iter().map(pair).collect::<Option<_>>()?)
                }
                None => Answer::Refused {
                    code: u16::try_from(status).ok()?,
                    message: answer["message"].as_str().unwrap_or_default().to_owned(),
                },
            },
        };
        let edited = line["edited"].as_array().into_iter().flatten();
        let word = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
        Some(Self {
            class: word("class"),
            number: line["number"].as_u64()?,
            seed: line["seed"].as_u64()?,
            kubernetes: word("kubernetes"),
            kind: word("kind"),
            set: word("set"),
            path: word("path"),
            edited: edited.filter_map(|v| Some(v.as_str()?.to_owned())).collect(),
            manager: word("manager"),
            force: line["force"].as_bool()?,
            live: Some(line["live"].take()).filter(|live| !live.is_null()),
            desired: line["desired"].take(),
            way: Way::of(line["way"].as_str().unwrap_or_default()).unwrap_or_default(),
            subresource: line["subresource"].as_str().unwrap_or_default().to_owned(),
            answer,
        })
    }
}

/// A folder with every case: `cases.jsonl`, and what the server had been told first.
pub(super) struct Recorder(BufWriter<File>);

impl Recorder {
    pub(super) fn new(folder: &Path, told: &Told) -> Self {
        write_told(folder, told);
        Self(BufWriter::new(
            File::create(folder.join("cases.jsonl")).expect("a file"),
        ))
    }

    pub(super) fn add(&mut self, asked: &Asked) {
        writeln!(self.0, "{}", asked.to_json()).expect("written");
    }
}

const DEFINITIONS: &str = "crds.json";
const POLICIES: &str = "policies.json";

/// Writes down what the server had been told first.
pub(super) fn write_told(folder: &Path, told: &Told) {
    fs::create_dir_all(folder).expect("a folder");
    for (name, objects) in [(DEFINITIONS, &told.definitions), (POLICIES, &told.policies)] {
        fs::write(folder.join(name), json!(objects).to_string()).expect("a file");
    }
}

/// What the server of a case had been told first, as it stands beside the case.
pub(super) fn read_told(path: &Path, asked: &Asked) -> Told {
    let folder = if path.is_dir() {
        path
    } else {
        path.parent().unwrap_or(path)
    };
    let objects = |name: &str| {
        let text = fs::read_to_string(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        serde_json::from_str(&text).expect("a list of objects")
    };
    Told {
        kubernetes: asked.kubernetes.clone(),
        definitions: objects(DEFINITIONS),
        policies: objects(POLICIES),
    }
}

/// Writes one case into a file of its own.
pub(super) fn save(folder: &Path, asked: &Asked) -> PathBuf {
    let class = asked.class.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let path = folder.join(format!("{class}-{}-{}.json", asked.seed, asked.number));
    fs::write(&path, format!("{:#}\n", asked.to_json())).expect("a file");
    path
}

/// All cases of a file, or of the files in a folder: one in a `.json`, one a line in a `.jsonl`.
pub(super) fn read(path: &Path, tell: &mut dyn FnMut(Asked)) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder");
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
        paths.sort();
        for path in &paths {
            read(path, tell);
        }
        return;
    }
    let parsed = |text: &str| serde_json::from_str(text).ok().and_then(Asked::from_json);
    match path.extension().and_then(|end| end.to_str()) {
        // Other JSON may be in the folder.
        Some("json") => parsed(&fs::read_to_string(path).expect("a file"))
            .into_iter()
            .for_each(tell),
        Some("jsonl") => {
            for line in BufReader::new(File::open(path).expect("a file")).lines() {
                let line = line.expect("a line");
                tell(parsed(&line).unwrap_or_else(|| panic!("{}: no case: {line:.200}", path.display())));
            }
        }
        _ => {}
    }
}
