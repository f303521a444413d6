//! What makes a cluster better than another.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The best and, negated, the worst score.
pub(super) const MAX: i64 = 100;

/// The largest weight.
const MAX_WEIGHT: i32 = 10;

/// What makes a cluster better than another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Prioritizer {
    /// Few other placements have decided on it.
    Balance,
    /// This placement has decided on it.
    Steady,
    /// It offers much CPU, whether that is free or not.
    ResourceAllocatableCpu,
    /// It offers much memory, whether that is free or not.
    ResourceAllocatableMemory,
    /// Somebody gives it a high score: an `AddOnPlacementScore`, which is
    /// [`FleetView::score`](crate::FleetView::score) of [`score_name`].
    AddOn {
        /// The name of the resource.
        resource_name: String,
        /// The name of the score in it.
        score_name: String,
    },
}

impl Prioritizer {
    /// By a score that somebody gives.
    pub fn add_on(resource_name: impl Into<String>, score_name: impl Into<String>) -> Self {
        Self::AddOn {
            resource_name: resource_name.into(),
            score_name: score_name.into(),
        }
    }

    /// Its name in explanations, in kebab-case as far as given names are.
    pub fn name(&self) -> String {
        match self {
            Self::Balance => "balance".to_owned(),
            Self::Steady => "steady".to_owned(),
            Self::ResourceAllocatableCpu => "resource-allocatable-cpu".to_owned(),
            Self::ResourceAllocatableMemory => "resource-allocatable-memory".to_owned(),
            Self::AddOn {
                resource_name,
                score_name: name,
            } => format!("add-on-{resource_name}-{name}").to_lowercase(),
        }
    }
}

/// The name by which a fleet knows the score of an `AddOnPlacementScore`.
pub fn score_name(resource_name: &str, score_name: &str) -> String {
    format!("add-on/{resource_name}/{score_name}")
}

/// Brings a measured value to a score, as providers of scores do: -100 up to `min`, 100 from `max` on, in between in
/// proportion, rounded towards zero.
pub fn to_score(value: i64, min: i64, max: i64) -> i64 {
    if value >= max {
        return MAX;
    }
    if value <= min {
        return -MAX;
    }
    scale(value.into(), min.into(), max.into())
}

/// From `min` to `max` linearly from -100 to 100, rounded towards zero; where both are the same, 100.
pub(super) fn scale(value: i128, min: i128, max: i128) -> i64 {
    if min == max {
        return MAX;
    }
    let best = i128::from(MAX);
    let score = (2 * best * (value - min) - best * (max - min)) / (max - min);
    i64::try_from(score.clamp(-best, best)).unwrap_or(0)
}

/// Which prioritizers count how much.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, try_from = "Written")]
#[non_exhaustive]
pub struct PrioritizerPolicy {
    /// What counts that is not said.
    pub mode: Mode,
    /// What is said: from -10 to 10; 0 counts nothing.
    pub weights: BTreeMap<Prioritizer, i32>,
}

/// What counts that is not said.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum Mode {
    /// `Balance` and `Steady`, once each.
    #[default]
    #[serde(alias = "")]
    Additive,
    /// Nothing.
    Exact,
}

impl PrioritizerPolicy {
    /// What counts how much. Weights beyond -10 to 10 are cut to that.
    pub fn effective(&self) -> BTreeMap<Prioritizer, i32> {
        let mut weights = match self.mode {
            Mode::Additive => BTreeMap::from([(Prioritizer::Balance, 1), (Prioritizer::Steady, 1)]),
            Mode::Exact => BTreeMap::new(),
        };
        weights.extend(self.weights.clone());
        weights.retain(|_, weight| *weight != 0);
        weights
            .into_iter()
            .map(|(prioritizer, weight)| (prioritizer, weight.clamp(-MAX_WEIGHT, MAX_WEIGHT)))
            .collect()
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    mode: Mode,
    configurations: Vec<Configuration>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Configuration {
    score_coordinate: ScoreCoordinate,
    #[serde(default = "one")]
    weight: i32,
}

fn one() -> i32 {
    1
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct ScoreCoordinate {
    r#type: String,
    built_in: String,
    add_on: Option<AddOn>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AddOn {
    resource_name: String,
    score_name: String,
}

impl TryFrom<Written> for PrioritizerPolicy {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let mut weights = BTreeMap::new();
        for Configuration {
            score_coordinate: coordinate,
            weight,
        } in written.configurations
        {
            if !(-MAX_WEIGHT..=MAX_WEIGHT).contains(&weight) {
                return Err(format!("a prioritizer weighs from -10 to 10, not {weight}"));
            }
            let prioritizer = match (
                coordinate.r#type.as_str(),
                coordinate.built_in.as_str(),
                coordinate.add_on,
            ) {
                ("" | "BuiltIn", "Balance", None) => Prioritizer::Balance,
                ("" | "BuiltIn", "Steady", None) => Prioritizer::Steady,
                ("" | "BuiltIn", "ResourceAllocatableCPU", None) => Prioritizer::ResourceAllocatableCpu,
                ("" | "BuiltIn", "ResourceAllocatableMemory", None) => Prioritizer::ResourceAllocatableMemory,
                ("AddOn", "", Some(add_on)) => Prioritizer::AddOn {
                    resource_name: add_on.resource_name,
                    score_name: add_on.score_name,
                },
                (kind, name, _) => return Err(format!("no prioritizer of type {kind:?} is called {name:?}")),
            };
            weights.insert(prioritizer, weight);
        }
        Ok(Self {
            mode: written.mode,
            weights,
        })
    }
}
