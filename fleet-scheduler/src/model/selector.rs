//! Which clusters are meant: requirements on labels and properties.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::ClusterInfo;

/// Requirements on a cluster, all of which must hold: Kubernetes' label selector, and the same on properties and names.
/// Empty: every cluster.
///
/// ```
/// # use fleet_scheduler::ClusterSelector;
/// let selector: ClusterSelector = serde_json::from_str(r#"{
///     "matchLabels": {"tier": "prod"},
///     "matchExpressions": [{"key": "region", "operator": "In", "values": ["eu", "us"]}],
///     "matchProperties": [{"key": "gpu-memory-gb", "operator": "Ge", "values": ["40"]}],
///     "matchNames": [{"operator": "NotIn", "values": ["eu-9"]}]
/// }"#)?;
/// assert_eq!(
///     selector.to_string(),
///     "label region in (eu, us), label tier is prod, property gpu-memory-gb >= 40, name is not eu-9"
/// );
/// assert_eq!(serde_json::from_value::<ClusterSelector>(serde_json::to_value(&selector)?)?, selector);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct ClusterSelector {
    requirements: Vec<Requirement>,
}

impl ClusterSelector {
    /// Every cluster.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Clusters with this label.
    pub fn label(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self::everything().and(Requirement::new(Fact::Label, key, Operator::In, [value]))
    }

    /// Clusters of these names.
    pub fn named(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::everything().and(Requirement::name(Operator::In, names))
    }

    /// This, too, must hold.
    #[must_use]
    pub fn and(mut self, requirement: Requirement) -> Self {
        self.requirements.push(requirement);
        self.requirements.sort();
        self.requirements.dedup();
        self
    }

    /// The same without the requirement that reads so.
    pub(crate) fn without(&self, requirement: &str) -> Self {
        let rest = self
            .requirements
            .iter()
            .filter(|one| one.to_string() != requirement);
        Self {
            requirements: rest.cloned().collect(),
        }
    }

    /// All requirements, in a fixed order.
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// Whether a cluster meets all of them.
    pub fn matches(&self, cluster: &ClusterInfo) -> bool {
        self.requirements
            .iter()
            .all(|requirement| requirement.matches(cluster))
    }
}

/// What a requirement is about.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Fact {
    /// A label of the cluster.
    Label,
    /// A property of the cluster.
    Property,
    /// The name of the cluster, whatever the key.
    Name,
}

/// How a value is compared. A key that is not there meets `NotIn` and `DoesNotExist`, and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum Operator {
    /// One of the values.
    In,
    /// None of the values.
    NotIn,
    /// There.
    Exists,
    /// Not there.
    DoesNotExist,
    /// A whole number above the value.
    Gt,
    /// A whole number, at least the value.
    Ge,
    /// A whole number below the value.
    Lt,
    /// A whole number, at most the value.
    Le,
}

/// One requirement. It stays as it was made, so that two that ask the same are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Requirement {
    pub(crate) fact: Fact,
    /// Empty for names.
    pub(crate) key: String,
    pub(crate) operator: Operator,
    /// Sorted, and each once.
    pub(crate) values: Vec<String>,
}

/// Why a requirement makes no sense.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{key}: {operator:?} needs {needs}")]
pub struct InvalidRequirement {
    key: String,
    operator: Operator,
    needs: &'static str,
}

impl Requirement {
    /// A requirement; of names, the key is of no account. Values that are not whole numbers never hold where numbers are compared; [`check`](Self::check)
    /// says so.
    pub fn new(
        fact: Fact,
        key: impl Into<String>,
        operator: Operator,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let mut values: Vec<String> = values.into_iter().map(Into::into).collect();
        values.sort();
        values.dedup();
        let key = match fact {
            Fact::Name => String::new(),
            Fact::Label | Fact::Property => key.into(),
        };
        Self {
            fact,
            key,
            operator,
            values,
        }
    }

    /// A requirement on the cluster's name.
    pub fn name(operator: Operator, values: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::new(Fact::Name, "", operator, values)
    }

    /// On what.
    pub fn fact(&self) -> Fact {
        self.fact
    }

    /// On which label or property; empty for names.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How it is compared.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// With what; sorted, and each once.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// Whether operator and values belong together.
    ///
    /// # Errors
    /// When they do not: it must be corrected by who wrote it.
    pub fn check(&self) -> Result<(), InvalidRequirement> {
        let needs = match self.operator {
            Operator::In | Operator::NotIn if self.values.is_empty() => "at least one value",
            Operator::Exists | Operator::DoesNotExist if !self.values.is_empty() => "no values",
            Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le
                if self.values.len() != 1 || self.number().is_none() =>
            {
                "one whole number"
            }
            _ => return Ok(()),
        };
        Err(InvalidRequirement {
            key: self.key.clone(),
            operator: self.operator,
            needs,
        })
    }

    /// Whether a cluster meets it.
    pub fn matches(&self, cluster: &ClusterInfo) -> bool {
        self.holds(self.value_in(cluster))
    }

    /// What the cluster says of it.
    pub fn value_in<'a>(&self, cluster: &'a ClusterInfo) -> Option<&'a str> {
        let facts = match self.fact {
            Fact::Label => &cluster.cluster.labels,
            Fact::Property => &cluster.cluster.properties,
            Fact::Name => return Some(cluster.name()),
        };
        facts.get(&self.key).map(String::as_str)
    }

    /// Whether this value meets it.
    pub(crate) fn holds(&self, value: Option<&str>) -> bool {
        let compared = |holds: fn(&i64, &i64) -> bool| {
            let number = value.and_then(|value| value.parse().ok());
            matches!((number, self.number()), (Some(number), Some(limit)) if holds(&number, &limit))
        };
        match self.operator {
            Operator::In => value.is_some_and(|value| self.values.iter().any(|one| one == value)),
            Operator::NotIn => value.is_none_or(|value| self.values.iter().all(|one| one != value)),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
            Operator::Gt => compared(i64::gt),
            Operator::Ge => compared(i64::ge),
            Operator::Lt => compared(i64::lt),
            Operator::Le => compared(i64::le),
        }
    }

    /// The number that is compared with, where the operator compares numbers and the value is one.
    pub(crate) fn number(&self) -> Option<i64> {
        match self.values.as_slice() {
            [value] => value.parse().ok(),
            _ => None,
        }
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Label => "label",
            Self::Property => "property",
            Self::Name => "name",
        })
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fact, key, values, ..
        } = self;
        let listed = values.join(", ");
        let key = if *fact == Fact::Name {
            ""
        } else {
            &format!(" {key}")
        };
        match (self.operator, values.len()) {
            (Operator::In, 1) => write!(f, "{fact}{key} is {listed}"),
            (Operator::In, _) => write!(f, "{fact}{key} in ({listed})"),
            (Operator::NotIn, 1) => write!(f, "{fact}{key} is not {listed}"),
            (Operator::NotIn, _) => write!(f, "{fact}{key} not in ({listed})"),
            (Operator::Exists, _) => write!(f, "{fact}{key} exists"),
            (Operator::DoesNotExist, _) => write!(f, "{fact}{key} does not exist"),
            (Operator::Gt, _) => write!(f, "{fact}{key} > {listed}"),
            (Operator::Ge, _) => write!(f, "{fact}{key} >= {listed}"),
            (Operator::Lt, _) => write!(f, "{fact}{key} < {listed}"),
            (Operator::Le, _) => write!(f, "{fact}{key} <= {listed}"),
        }
    }
}

impl fmt::Display for ClusterSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.requirements.is_empty() {
            return f.write_str("every cluster");
        }
        for (at, requirement) in self.requirements.iter().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{requirement}")?;
        }
        Ok(())
    }
}

/// As people write it.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[derive(Default)]
#[allow(clippy::struct_field_names, reason = "the names are Kubernetes'")]
struct Written {
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    match_labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    match_expressions: Vec<Expression>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    match_properties: Vec<Expression>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    match_names: Vec<NameExpression>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Expression {
    key: String,
    operator: Operator,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NameExpression {
    operator: Operator,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    values: Vec<String>,
}

impl TryFrom<Written> for ClusterSelector {
    type Error = InvalidRequirement;

    fn try_from(written: Written) -> Result<Self, InvalidRequirement> {
        let labels = written
            .match_labels
            .into_iter()
            .map(|(key, value)| Requirement::new(Fact::Label, key, Operator::In, [value]));
        let expressions = |fact, list: Vec<Expression>| {
            list.into_iter().map(
                move |Expression {
                          key,
                          operator,
                          values,
                      }| Requirement::new(fact, key, operator, values),
            )
        };
        let names = written
            .match_names
            .into_iter()
            .map(|NameExpression { operator, values }| Requirement::name(operator, values));
        labels
            .chain(expressions(Fact::Label, written.match_expressions))
            .chain(expressions(Fact::Property, written.match_properties))
            .chain(names)
            .try_fold(Self::everything(), |selector, requirement| {
                requirement.check()?;
                Ok(selector.and(requirement))
            })
    }
}

impl From<ClusterSelector> for Written {
    fn from(selector: ClusterSelector) -> Self {
        let mut written = Self::default();
        for Requirement {
            fact,
            key,
            operator,
            values,
            ..
        } in selector.requirements
        {
            let list = match fact {
                Fact::Label => &mut written.match_expressions,
                Fact::Property => &mut written.match_properties,
                Fact::Name => {
                    written.match_names.push(NameExpression { operator, values });
                    continue;
                }
            };
            list.push(Expression {
                key,
                operator,
                values,
            });
        }
        written
    }
}
