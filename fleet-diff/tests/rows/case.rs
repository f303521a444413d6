//! The rows of the table of built-in fields and the cases that play them, read from `cases/*.yaml`.
//!
//! Those who record the answers of a server include this file too.
#![allow(dead_code, reason = "each reader uses its part")]

mod edit;

use std::{collections::BTreeMap, fs, path::Path};

use fleet_diff::{ReadLimits, read_values};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

pub(crate) use edit::Edits;

/// Stands for a name that no other case has, everywhere in a case.
const NAME: &str = "NAME";

/// What is known of some fields, and how it is tested.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Row {
    /// The number in the table.
    #[serde(rename = "row")]
    pub(crate) number: u16,
    /// Which fields.
    pub(crate) of: String,
    /// What is to be known of them.
    pub(crate) says: String,
    /// What of this crate answers: the id of a rule, or a mechanism.
    pub(crate) by: String,
    /// The cases are made from it.
    #[serde(default)]
    document: Value,
    #[serde(default)]
    first: Vec<Value>,
    #[serde(default)]
    cases: Vec<Written>,
    /// Tests elsewhere, as `file::function`.
    #[serde(default)]
    pub(crate) tests: Vec<String>,
    /// Why no server can be asked about it.
    pub(crate) untestable: Option<String>,
}

/// A case as it is written down.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Written {
    case: String,
    /// In place of that of the row.
    document: Option<Value>,
    /// Objects that have to be there.
    #[serde(default)]
    first: Vec<Value>,
    /// In place of one apply of the document.
    steps: Option<Vec<WrittenStep>>,
    /// What is judged: edits of the document.
    #[serde(default)]
    desired: BTreeMap<String, Value>,
    #[serde(default)]
    without: Vec<String>,
    by: Option<String>,
    force: Option<bool>,
    #[serde(default)]
    rules: Value,
    #[serde(default)]
    versions: Vec<String>,
    expect: String,
    #[serde(default)]
    live: BTreeMap<String, Value>,
    #[serde(default)]
    fields: BTreeMap<String, Expected>,
    #[serde(default)]
    becomes: BTreeMap<String, Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    by: Option<String>,
    /// A subresource.
    at: Option<String>,
    apply: Option<BTreeMap<String, Value>>,
    create: Option<BTreeMap<String, Value>>,
    update: Option<BTreeMap<String, Value>>,
    merge: Option<Value>,
    #[serde(default)]
    without: Vec<String>,
}

/// The verdict on a field.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Expected {
    /// Whichever rule decided.
    Verdict(String),
    /// This verdict by this rule.
    Ruled(String, String),
}

/// One question to a server, and what this crate has to say.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// The row that it plays.
    pub(crate) row: u16,
    pub(crate) title: String,
    /// Its name among all cases, and the namespace of its objects.
    pub(crate) name: String,
    pub(crate) first: Vec<Value>,
    pub(crate) steps: Vec<Step>,
    pub(crate) desired: Value,
    pub(crate) manager: String,
    pub(crate) force: bool,
    pub(crate) rules: Value,
    pub(crate) versions: Vec<String>,
    /// The action.
    pub(crate) expect: String,
    /// What must be in the live object for the case to mean anything; null where nothing may be.
    pub(crate) live: BTreeMap<String, Value>,
    pub(crate) fields: BTreeMap<String, Expected>,
    /// What the server's answer has; null where it has nothing.
    pub(crate) becomes: BTreeMap<String, Value>,
}

/// One write in the making of the object.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) by: String,
    pub(crate) at: Option<String>,
    pub(crate) write: Write,
}

/// How it is written.
#[derive(Clone, Debug, Serialize)]
pub(crate) enum Write {
    /// A definition, by force.
    Apply(Value),
    /// A definition, by `POST`.
    Create(Value),
    /// The object with edits, by `PUT`.
    Update(Edits),
    /// A merge patch.
    Merge(Value),
}

/// All rows, by number.
pub(crate) fn rows(folder: &Path) -> Vec<Row> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rows {
        #[serde(default, rename = "shared")]
        _shared: Value,
        rows: Vec<Row>,
    }
    let mut rows = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder of cases") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a file of cases");
        let read = read_values(&text, &ReadLimits::default());
        let read = read.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for document in read {
            let read: Rows = serde_json::from_value(document.value)
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            rows.extend(read.rows);
        }
    }
    rows.sort_by_key(|row| row.number);
    rows
}

impl Row {
    /// Its cases.
    pub(crate) fn cases(&self) -> Vec<Case> {
        self.cases.iter().map(|case| self.case(case)).collect()
    }

    fn case(&self, written: &Written) -> Case {
        let title = format!("{}: {}", self.number, written.case);
        let name = format!("r{}-{:06x}", self.number, hash(&title) & 0xff_ffff);
        let document = named(written.document.as_ref().unwrap_or(&self.document), &name);
        let edits = |set: &BTreeMap<String, Value>, without: &[String]| Edits {
            set: set
                .iter()
                .map(|(pointer, value)| (pointer.clone(), named(value, &name)))
                .collect(),
            without: without.to_vec(),
        };
        let step = |step: &WrittenStep| {
            let write = match (&step.apply, &step.create, &step.update, &step.merge) {
                (Some(set), None, None, None) => Write::Apply(edits(set, &step.without).edit(&document)),
                (None, Some(set), None, None) => Write::Create(edits(set, &step.without).edit(&document)),
                (None, None, Some(set), None) => Write::Update(edits(set, &step.without)),
                (None, None, None, Some(patch)) => Write::Merge(named(patch, &name)),
                _ => panic!("{title}: a step is one write"),
            };
            let by = step.by.as_deref().unwrap_or("fleet").to_owned();
            Step {
                by,
                at: step.at.clone(),
                write,
            }
        };
        let steps = match &written.steps {
            Some(steps) => steps.iter().map(step).collect(),
            None => vec![Step {
                by: "fleet".to_owned(),
                at: None,
                write: Write::Apply(document.clone()),
            }],
        };
        Case {
            row: self.number,
            first: self
                .first
                .iter()
                .chain(&written.first)
                .map(|object| named(object, &name))
                .collect(),
            steps,
            desired: edits(&written.desired, &written.without).edit(&document),
            manager: written.by.as_deref().unwrap_or("fleet").to_owned(),
            force: written.force.unwrap_or(true),
            rules: written.rules.clone(),
            versions: written.versions.clone(),
            expect: written.expect.clone(),
            live: edits(&written.live, &[]).set,
            fields: written.fields.clone(),
            becomes: edits(&written.becomes, &[]).set,
            title,
            name,
        }
    }
}

impl Case {
    /// Whether servers of this version can be asked.
    pub(crate) fn is_for(&self, kubernetes: &str) -> bool {
        self.versions.is_empty() || self.versions.iter().any(|version| version == kubernetes)
    }

    /// Changes when anything that the server was told does.
    pub(crate) fn input(&self) -> String {
        let input = json!([
            self.first,
            self.steps,
            self.desired,
            self.manager,
            self.force,
            self.rules
        ]);
        format!("{:016x}", hash(&input.to_string()))
    }
}

/// With the case's name in all texts.
fn named(value: &Value, name: &str) -> Value {
    match value {
        Value::String(text) => text.replace(NAME, name).into(),
        Value::Array(list) => list.iter().map(|value| named(value, name)).collect(),
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace(NAME, name), named(value, name)))
            .collect(),
        other => other.clone(),
    }
}

/// FNV-1a: the same everywhere and for ever.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
