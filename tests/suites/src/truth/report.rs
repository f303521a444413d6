//! How it went, class by class.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

use super::{
    compare::{Effect, Verdict},
    record::Asked,
    server::Answer,
};

/// What a class must have to say something: cases, pairs of a kind and a path, and percents of cases.
const CASES_MIN: usize = 200;
const PAIRS_MIN: usize = 50;
const REFUSED_MAX: usize = 10;
const CHANGED_MIN: usize = 25;
const UNCHANGED_MIN: usize = 25;
/// Where schemas and owners are all that is needed to tell the answer.
const UNSURE_MAX: usize = 5;

/// Disagreements that are told in full.
const TOLD: usize = 100;

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
    /// Every answer creates something.
    pub creates: bool,
    /// Schemas and owners are all that is needed to tell the answer.
    pub can_be_told: bool,
    pairs: BTreeSet<(String, String)>,
    kinds: BTreeSet<String>,
    refusals: BTreeMap<String, usize>,
    doubts: BTreeMap<String, usize>,
}

impl Row {
    /// Different pairs of a kind and a path.
    pub fn pairs(&self) -> usize {
        self.pairs.len()
    }

    fn count(&mut self, asked: &Asked, verdict: &Verdict) {
        self.cases += 1;
        match verdict {
            Verdict::Agrees => self.agree += 1,
            Verdict::Differs(_) => self.disagree += 1,
            Verdict::Unsure(why) => {
                self.unsure += 1;
                *self.doubts.entry(why.clone()).or_default() += 1;
            }
        }
        match &asked.answer {
            Answer::Conflicts(_) => self.conflicts += 1,
            Answer::Refused { code, message } => {
                self.refused += 1;
                let words: Vec<&str> = message.split_whitespace().collect();
                let words = words.join(" ");
                let tail = words.rsplit(": ").next().unwrap_or_default();
                let why = format!("{} {}: {code} {tail:.80}", asked.kind, asked.path);
                *self.refusals.entry(why).or_default() += 1;
            }
            Answer::Object { object, created } => {
                self.creates |= created;
                match Effect::of(asked.live.as_ref(), object) {
                    Effect::Content => self.content += 1,
                    Effect::Owners => self.owners += 1,
                    Effect::Nothing => self.nothing += 1,
                }
            }
        }
        self.pairs.insert((asked.kind.clone(), asked.path.clone()));
        self.kinds.insert(asked.kind.clone());
    }

    fn percent(&self, count: usize) -> usize {
        (count * 100 + self.cases / 2) / self.cases.max(1)
    }

    /// What it lacks to say something.
    fn lacks(&self, cases: usize) -> Vec<String> {
        let mut found = Vec::new();
        let mut least = |what: &str, count: usize, min: usize| {
            if count < min {
                found.push(format!("{count} {what}, at least {min} are needed"));
            }
        };
        least("cases", self.cases, cases.min(CASES_MIN));
        if cases < CASES_MIN {
            return found;
        }
        least("pairs of kind and path", self.pairs(), PAIRS_MIN);
        if !self.creates {
            least("% changed", self.percent(self.content), CHANGED_MIN);
            least(
                "% unchanged",
                self.percent(self.owners + self.nothing),
                UNCHANGED_MIN,
            );
        }
        let mut most = |what: &str, count: usize, max: usize| {
            if count > max {
                found.push(format!("{count} {what}, at most {max} are allowed"));
            }
        };
        most("% refused", self.percent(self.refused), REFUSED_MAX);
        if self.can_be_told {
            most("% unsure", self.percent(self.unsure), UNSURE_MAX);
        }
        found
    }
}

/// All classes.
#[derive(Default, Clone, Debug)]
pub struct Report {
    /// By class, in the order they were asked.
    pub rows: Vec<(String, Row)>,
    /// How long predicting took, in all.
    pub predicting: Duration,
    disagreements: Vec<String>,
    skipped: Vec<String>,
}

impl Report {
    pub(super) fn begin(&mut self, class: &str, can_be_told: bool) {
        let row = Row {
            can_be_told,
            ..Row::default()
        };
        self.rows.push((class.to_owned(), row));
    }

    pub(super) fn skip(&mut self, class: &str, why: &str) {
        self.skipped.push(format!("{class}: {why}"));
    }

    /// Counts a case, and tells of it if the prediction is wrong.
    pub(super) fn count(&mut self, asked: &Asked, verdict: &Verdict) {
        if self.rows.last().is_none_or(|(class, _)| *class != asked.class) {
            match self.rows.iter().position(|(class, _)| *class == asked.class) {
                Some(at) => {
                    let row = self.rows.remove(at);
                    self.rows.push(row);
                }
                None => self.begin(&asked.class, false),
            }
        }
        if let Some((_, row)) = self.rows.last_mut() {
            row.count(asked, verdict);
        }
        if let Verdict::Differs(differences) = verdict {
            let text = told(asked, differences);
            if self.disagreements.len() < TOLD {
                println!("{text}");
            }
            self.disagreements.push(text);
        }
    }

    /// What is not as it must be; `cases` were wanted of each class.
    pub fn failures(&self, cases: usize) -> Vec<String> {
        let of_one = |(class, row): &(String, Row)| -> Vec<String> {
            row.lacks(cases)
                .into_iter()
                .map(|what| format!("{class}: {what}"))
                .collect()
        };
        let lacks = self.rows.iter().flat_map(of_one);
        let wrong = (!self.disagreements.is_empty())
            .then(|| format!("{} predictions are wrong", self.disagreements.len()));
        lacks.chain(wrong).collect()
    }

    /// Why the server refused and why the prediction was unsure, with how often.
    pub fn reasons(&self) -> Vec<String> {
        let of = |class: &str, what: &str, reasons: &BTreeMap<String, usize>| -> Vec<String> {
            let line = |(why, count): (&String, &usize)| format!("{class}, {what} {count} times: {why}");
            reasons.iter().map(line).collect()
        };
        self.rows
            .iter()
            .flat_map(|(class, row)| {
                let refused = of(class, "refused", &row.refusals);
                refused.into_iter().chain(of(class, "unsure", &row.doubts))
            })
            .collect()
    }
}

/// All that is needed to look into a disagreement.
fn told(asked: &Asked, differences: &[super::compare::Difference]) -> String {
    let mut lines = vec![format!(
        "wrong: {}, case {} of seed {}: {} {} (set {}): {}{} by {}{}",
        asked.class,
        asked.number,
        asked.seed,
        asked.kind,
        asked.path,
        asked.set,
        asked.way.as_str(),
        match &*asked.subresource {
            "" => String::new(),
            name => format!(" through {name}"),
        },
        asked.manager,
        if asked.force { " by force" } else { "" },
    )];
    lines.extend(asked.edited.iter().map(|edit| format!("  asked with {edit}")));
    for difference in differences {
        let shown = |text: &str| {
            if text.is_empty() {
                "nothing".to_owned()
            } else {
                format!("{text:.300}")
            }
        };
        lines.push(format!(
            "  {}: predicted {}, the server says {}",
            difference.place,
            shown(&difference.predicted),
            shown(&difference.server)
        ));
    }
    lines.push(format!(
        "  again: cargo xtask truth --seed {} --class '{}' --only {}",
        asked.seed, asked.class, asked.number
    ));
    lines.join("\n")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |words: [&str; 12]| {
            write!(f, "{:<24}", words[0])?;
            for (word, width) in words[1..].iter().zip([7, 7, 9, 7, 8, 10, 6, 6, 8, 7, 8]) {
                write!(f, "{word:>width$}")?;
            }
            writeln!(f)
        };
        line([
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
            "nothing",
        ])?;
        let mut sum = Row::default();
        for (name, row) in &self.rows {
            line(row.words(name).each_ref().map(String::as_str))?;
            sum.add(row);
        }
        line(sum.words("in all").each_ref().map(String::as_str))?;
        for what in &self.skipped {
            writeln!(f, "skipped: {what}")?;
        }
        if sum.cases > 0 {
            let each =
                self.predicting.as_secs_f64() * 1e6 / f64::from(u32::try_from(sum.cases).unwrap_or(u32::MAX));
            writeln!(f, "{each:.0} µs a prediction")?;
        }
        Ok(())
    }
}

impl Row {
    fn words(&self, name: &str) -> [String; 12] {
        let percent = |count: usize| format!("{} %", self.percent(count));
        let number = |count: usize| count.to_string();
        [
            name.to_owned(),
            number(self.cases),
            number(self.agree),
            number(self.disagree),
            number(self.unsure),
            number(self.refused),
            number(self.conflicts),
            number(self.kinds.len()),
            number(self.pairs()),
            percent(self.content),
            percent(self.owners),
            percent(self.nothing),
        ]
    }

    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.agree += other.agree;
        self.disagree += other.disagree;
        self.unsure += other.unsure;
        self.refused += other.refused;
        self.conflicts += other.conflicts;
        self.content += other.content;
        self.owners += other.owners;
        self.nothing += other.nothing;
        self.pairs.extend(other.pairs.iter().cloned());
        self.kinds.extend(other.kinds.iter().cloned());
    }
}
