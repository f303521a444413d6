//! Which clusters a policy means.

use serde::Deserialize;

use crate::model::{ClusterInfo, ClusterSelector, Fact, Operator, Requirement};

/// The label that says what Karmada's `spec.provider` of a cluster says.
pub const PROVIDER: &str = "provider";
/// The label that says what Karmada's `spec.region` of a cluster says.
pub const REGION: &str = "region";
/// The label that says what Karmada's `spec.zone` of a cluster says.
pub const ZONE: &str = "zone";

/// Which clusters may be selected; all that is said must hold. Empty: any.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterAffinity {
    /// What it is called, in a list of several.
    pub affinity_name: String,
    /// By labels.
    pub label_selector: ClusterSelector,
    /// By provider, region and zone.
    pub field_selector: FieldSelector,
    /// Only these. Empty: any.
    pub cluster_names: Vec<String>,
    /// Not these.
    pub exclude: Vec<String>,
    /// Further clusters, tier by tier, that are used once these are full. The first tier with a cluster counts for it.
    pub overflow_affinities: Vec<ClusterAffinity>,
}

/// Which clusters by provider, region and zone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(try_from = "WrittenFields")]
pub struct FieldSelector(ClusterSelector);

impl ClusterAffinity {
    /// The clusters of these names.
    pub fn named(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            cluster_names: names.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The same as requirements, without the overflow.
    pub fn selector(&self) -> ClusterSelector {
        let fields = self.field_selector.0.requirements().iter().cloned();
        let names = [
            (Operator::In, &self.cluster_names),
            (Operator::NotIn, &self.exclude),
        ];
        let names = names
            .into_iter()
            .filter(|(_, names)| !names.is_empty())
            .map(|(operator, names)| Requirement::name(operator, names));
        fields
            .chain(names)
            .fold(self.label_selector.clone(), ClusterSelector::and)
    }

    /// Which tier a cluster is in: 0 for these, 1 for the first overflow. None: it is in none.
    pub fn tier(&self, cluster: &ClusterInfo) -> Option<usize> {
        std::iter::once(self)
            .chain(&self.overflow_affinities)
            .position(|tier| tier.selector().matches(cluster))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WrittenFields {
    #[serde(default)]
    match_expressions: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    key: String,
    operator: Operator,
    #[serde(default)]
    values: Vec<String>,
}

impl TryFrom<WrittenFields> for FieldSelector {
    type Error = String;

    fn try_from(written: WrittenFields) -> Result<Self, String> {
        let mut selector = ClusterSelector::everything();
        for Field {
            key,
            operator,
            values,
        } in written.match_expressions
        {
            if ![PROVIDER, REGION, ZONE].contains(&key.as_str()) {
                return Err(format!("fields are provider, region and zone, not {key}"));
            }
            if !matches!(operator, Operator::In | Operator::NotIn) {
                return Err(format!(
                    "{key}: fields are compared by In and NotIn, not {operator:?}"
                ));
            }
            let requirement = Requirement::new(Fact::Label, key, operator, values);
            requirement.check().map_err(|error| error.to_string())?;
            selector = selector.and(requirement);
        }
        Ok(Self(selector))
    }
}
