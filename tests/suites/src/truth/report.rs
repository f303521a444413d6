//! How it went, class by class.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{
    compare::{Effect, Verdict},
    run::Asked,
    server::Answer,
};

/// What is counted of a class.
#[derive(Default, Clone, Debug)]
pub struct Row {
    /// Questions.
    pub cases: usize,
    /// Predictions that were right.
    pub agree: usize,
    /// Predictions that were wrong.
    pub disagree: usize,
    /// Predictions that say they do not know.
    pub unsure: usize,
    /// Answers that are neither an object nor conflicts.
    pub refused: usize,
    /// Answers that name conflicts.
    pub conflicts: usize,
    /// Answers that change the object.
    pub content: usize,
    /// Answers that change only who owns fields.
    pub owners: usize,
    /// Answers that change nothing.
    pub nothing: usize,
    pairs: BTreeSet<(String, String)>,
    kinds: BTreeSet<String>,
    reasons: BTreeMap<String, usize>,
}

impl Row {
    /// Different pairs of a kind and a path.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    pub(super) fn count(&mut self, asked: &Asked, verdict: &Verdict) {
        self.cases += 1;
        match verdict {
            Verdict::Agrees => self.agree += 1,
            Verdict::Unsure(_) => self.unsure += 1,
            Verdict::Differs(_) => self.disagree += 1,
        }
        match &asked.answer {
            Answer::Conflicts(_) => self.conflicts += 1,
            Answer::Refused { code, message } => {
                self.refused += 1;
                let tail = message.rsplit(": ").next().unwrap_or_default();
                let why = format!("{} {} {code} {tail:.100}", asked.kind, asked.path);
                *self.reasons.entry(why).or_default() += 1;
            }
            Answer::Object { object, .. } => match Effect::of(asked.live.as_ref(), object) {
                Effect::Content => self.content += 1,
                Effect::Owners => self.owners += 1,
                Effect::Nothing => self.nothing += 1,
            },
        }
        self.pairs.insert((asked.kind.clone(), asked.path.clone()));
        self.kinds.insert(asked.kind.clone());
    }
}

/// All classes.
#[derive(Default, Clone, Debug)]
pub struct Report {
    /// By class, in the order they were asked.
    pub rows: Vec<(&'static str, Row)>,
}

impl Report {
    /// Why the server refused, with how often.
    pub fn refusals(&self) -> impl Iterator<Item = String> {
        self.rows.iter().flat_map(|(class, row)| {
            row.reasons
                .iter()
                .map(move |(why, count)| format!("{class}: {count} times {why}"))
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<24} {:>6} {:>6} {:>8} {:>6} {:>7} {:>9} {:>5} {:>6} {:>7} {:>6} {:>7}",
            "class",
            "cases",
            "agree",
            "disagree",
            "unsure",
            "refused",
            "conflicts",
            "kinds",
            "pairs",
            "content",
            "owners",
            "nothing"
        )?;
        for (name, row) in &self.rows {
            let percent = |count: usize| format!("{} %", (count * 100 + row.cases / 2) / row.cases.max(1));
            writeln!(
                f,
                "{name:<24} {:>6} {:>6} {:>8} {:>6} {:>7} {:>9} {:>5} {:>6} {:>7} {:>6} {:>7}",
                row.cases,
                row.agree,
                row.disagree,
                row.unsure,
                row.refused,
                row.conflicts,
                row.kinds.len(),
                row.pairs(),
                percent(row.content),
                percent(row.owners),
                percent(row.nothing),
            )?;
        }
        Ok(())
    }
}
