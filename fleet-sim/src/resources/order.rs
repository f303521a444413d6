//! Which version of a group, and which group, comes first.

use std::cmp::{Ordering, Reverse};

/// How important a version of a group is: what its `APIService` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rank {
    /// `groupPriorityMinimum`: the highest one of a group counts for all of it.
    pub(crate) group: u32,
    /// `versionPriority`, within the group.
    pub(crate) version: u32,
}

impl Rank {
    /// Of what CRDs define (`crdRegistrationController` of `k8s.io/kubernetes/pkg/controlplane/controller`).
    pub(crate) const CUSTOM: Self = Self {
        group: 1000,
        version: 100,
    };
}

/// The order of a group's versions, best first (`ByVersionPriority` of kube-aggregator).
pub(crate) fn versions(a: (Rank, &str), b: (Rank, &str)) -> Ordering {
    let by_rank = b.0.version.cmp(&a.0.version);
    by_rank.then_with(|| by_maturity(a.1, b.1))
}

/// v2, v1, v1beta2, v1beta1, v1alpha1, and then whatever else by its letters (`CompareKubeAwareVersionStrings` of
/// `k8s.io/apimachinery/pkg/version`, best first).
pub(crate) fn by_maturity(a: &str, b: &str) -> Ordering {
    match (read(a), read(b)) {
        (None, None) => a.cmp(b),
        (a, b) => Reverse(a).cmp(&Reverse(b)),
    }
}

/// Maturity (stable is 2), major and minor number of a version; none if it is not made of those.
fn read(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, rest) = rest.split_at(end);
    let (maturity, minor) = match rest.strip_prefix("alpha") {
        Some(minor) => (0, minor),
        None => match rest.strip_prefix("beta") {
            Some(minor) => (1, minor),
            None if rest.is_empty() => (2, "0"),
            None => return None,
        },
    };
    // A sign is no digit.
    if !minor.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((maturity, major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_in_the_order_of_the_api_documentation() {
        // Of "Version priority" in Kubernetes' documentation of CRDs, and what is no version.
        let expected = [
            "v10",
            "v2",
            "v1",
            "v11beta2",
            "v10beta3",
            "v3beta1",
            "v12alpha1",
            "v11alpha2",
            "foo1",
            "foo10",
            "v",
            "v1beta",
            "v1beta+1",
            "v1gamma1",
        ];
        let mut versions = expected;
        versions.reverse();
        versions.sort_by(|a, b| by_maturity(a, b));
        assert_eq!(versions, expected);
    }

    #[test]
    fn priority_comes_before_maturity() {
        let rank = |version| Rank { group: 1, version };
        assert_eq!(
            super::versions((rank(9), "v1alpha1"), (rank(2), "v1")),
            Ordering::Less
        );
        assert_eq!(
            super::versions((rank(9), "v1alpha1"), (rank(9), "v1")),
            Ordering::Greater
        );
    }
}
