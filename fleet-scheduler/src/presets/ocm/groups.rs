//! Groups of decisions.

use serde::Deserialize;

use super::placement::WrittenSelector;
use crate::model::{ClusterInfo, ClusterSelector};

/// How many clusters one `PlacementDecision` lists at most.
const PAGE: usize = 100;

/// How clusters that are decided on are put into groups.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct DecisionStrategy {
    /// By these.
    pub group_strategy: GroupStrategy,
}

/// By what clusters are put into groups.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct GroupStrategy {
    /// Groups by selector, in order: the first that a cluster meets has it. Others have no name.
    pub decision_groups: Vec<NamedGroup>,
    /// How many clusters a group has at most.
    pub clusters_per_decision_group: PerGroup,
}

/// A group by selector.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(from = "WrittenGroup")]
#[non_exhaustive]
pub struct NamedGroup {
    /// What it is called.
    pub name: String,
    /// Which clusters it has.
    pub selector: ClusterSelector,
}

impl NamedGroup {
    /// A group of the clusters that meet this.
    pub fn new(name: impl Into<String>, selector: ClusterSelector) -> Self {
        Self {
            name: name.into(),
            selector,
        }
    }
}

/// How many clusters a group has at most. What is 0, or more than there are, means all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(try_from = "WrittenPerGroup")]
pub enum PerGroup {
    /// So many.
    Count(u32),
    /// So many percent of all that are decided on, rounded up.
    Percent(u32),
}

impl Default for PerGroup {
    fn default() -> Self {
        Self::Percent(100)
    }
}

impl PerGroup {
    fn of(self, total: usize) -> usize {
        let count = match self {
            Self::Count(count) => u64::from(count),
            Self::Percent(percent) => (total as u64).saturating_mul(u64::from(percent)).div_ceil(100),
        };
        match usize::try_from(count).unwrap_or(usize::MAX) {
            0 => total,
            count => count.min(total),
        }
        // Pieces of nothing have a length, too.
        .max(1)
    }
}

/// A group of clusters that are decided on.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct DecisionGroup {
    /// Its name; empty where it has none.
    pub name: String,
    /// Its clusters, page by page: each page is one `PlacementDecision`, of 100 clusters at most.
    pub pages: Vec<Vec<String>>,
}

impl DecisionGroup {
    /// How many clusters it has.
    pub fn cluster_count(&self) -> usize {
        self.pages.iter().map(Vec::len).sum()
    }
}

/// Puts clusters into groups, keeping their order: named groups first, in their order, then the rest; each in pieces of
/// as many as a group may have. Where there is no cluster, there is one group without any.
pub fn decision_groups(strategy: &DecisionStrategy, clusters: &[&ClusterInfo]) -> Vec<DecisionGroup> {
    let strategy = &strategy.group_strategy;
    let per_group = strategy.clusters_per_decision_group.of(clusters.len());
    let mut rest: Vec<&ClusterInfo> = clusters.to_vec();
    let mut groups = Vec::new();
    for named in &strategy.decision_groups {
        let (meant, others): (Vec<&ClusterInfo>, Vec<&ClusterInfo>) = rest
            .into_iter()
            .partition(|cluster| named.selector.matches(cluster));
        rest = others;
        groups.extend(meant.chunks(per_group).map(|piece| group(&named.name, piece)));
    }
    groups.extend(rest.chunks(per_group).map(|piece| group("", piece)));
    if groups.is_empty() {
        groups.push(group("", &[]));
    }
    groups
}

fn group(name: &str, clusters: &[&ClusterInfo]) -> DecisionGroup {
    let names = |page: &[&ClusterInfo]| page.iter().map(|cluster| cluster.name().to_owned()).collect();
    let mut pages: Vec<Vec<String>> = clusters.chunks(PAGE).map(names).collect();
    if pages.is_empty() {
        pages.push(Vec::new());
    }
    DecisionGroup {
        name: name.to_owned(),
        pages,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenGroup {
    group_name: String,
    #[serde(default)]
    group_cluster_selector: WrittenSelector,
}

impl From<WrittenGroup> for NamedGroup {
    fn from(written: WrittenGroup) -> Self {
        Self::new(written.group_name, written.group_cluster_selector.into())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenPerGroup {
    Count(i64),
    Text(String),
}

impl TryFrom<WrittenPerGroup> for PerGroup {
    type Error = String;

    fn try_from(written: WrittenPerGroup) -> Result<Self, String> {
        match written {
            WrittenPerGroup::Count(count) => Ok(Self::Count(u32::try_from(count.max(0)).unwrap_or(u32::MAX))),
            WrittenPerGroup::Text(text) => {
                let percent = text.strip_suffix('%').and_then(|percent| percent.parse().ok());
                percent
                    .map(Self::Percent)
                    .ok_or_else(|| format!("{text:?} is neither a number nor percent, such as 25%"))
            }
        }
    }
}
