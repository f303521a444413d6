//! When rows of Services count.

use super::when::text;
use crate::document::Node;

/// Free when the Service becomes or was one without addresses.
pub(super) fn keeps_cluster_ip(live: Node<'_>, new: Node<'_>) -> bool {
    [live, new]
        .iter()
        .all(|of| text(*of, &["spec", "type"]) != "ExternalName")
}

/// The first address and the first family stay as long as there are addresses; second ones may come and go.
pub(super) fn moves_first_address(live: Node<'_>, new: Node<'_>) -> bool {
    keeps_cluster_ip(live, new) && first(live, "clusterIPs") != first(new, "clusterIPs")
}

pub(super) fn moves_first_family(live: Node<'_>, new: Node<'_>) -> bool {
    keeps_cluster_ip(live, new) && first(live, "ipFamilies") != first(new, "ipFamilies")
}

fn first<'v>(of: Node<'v>, field: &str) -> Option<&'v str> {
    of.at(&["spec", field]).and_then(|list| list.item(0)?.as_str())
}

pub(super) fn stays_load_balancer(live: Node<'_>, new: Node<'_>) -> bool {
    [live, new]
        .iter()
        .all(|of| text(*of, &["spec", "type"]) == "LoadBalancer")
}

pub(super) fn keeps_health_check_port(live: Node<'_>, new: Node<'_>) -> bool {
    let local = |of: &Node<'_>| text(*of, &["spec", "externalTrafficPolicy"]) == "Local";
    stays_load_balancer(live, new) && [live, new].iter().all(local)
}
