//! Is the cluster one of those that the target means?

use fleet_core::Reason;

use crate::model::{ClusterInfo, ClusterSelector, Target};

/// Whether a target means this cluster, in this group of its groups; none: it has no groups.
pub(crate) fn is_targeted(target: &Target, group: Option<&ClusterSelector>, cluster: &ClusterInfo) -> bool {
    let is_named = target.clusters.is_empty() || target.clusters.iter().any(|name| name == cluster.name());
    let labels = &cluster.cluster.labels;
    is_named
        && target
            .spread
            .iter()
            .all(|spread| labels.contains_key(&spread.over))
        && group.is_none_or(|group| group.matches(cluster))
}

/// The same, and why not.
pub(crate) fn targeted(
    target: &Target,
    group: Option<&ClusterSelector>,
    cluster: &ClusterInfo,
) -> Result<(), Reason> {
    if is_targeted(target, group, cluster) {
        return Ok(());
    }
    if !target.clusters.is_empty() && !target.clusters.iter().any(|name| name == cluster.name()) {
        return Err(Reason::new("not-named", "the target names other clusters"));
    }
    if let Some(missing) = target
        .spread
        .iter()
        .find(|spread| !cluster.cluster.labels.contains_key(&spread.over))
    {
        let label = &missing.over;
        let message = format!("it has no label {label}, over which replicas are spread");
        return Err(Reason::new("no-domain", message).with("label", label));
    }
    let failed = group.and_then(|group| group.requirements().iter().find(|one| !one.matches(cluster)));
    match failed {
        None => Ok(()),
        Some(requirement) => {
            let has = requirement
                .value_in(cluster)
                .map_or("is not set".to_owned(), |value| format!("is {value}"));
            let message = format!("{requirement} is asked for, it {has}");
            Err(Reason::new("not-selected", message)
                .with("requirement", requirement)
                .with("key", &requirement.key))
        }
    }
}
