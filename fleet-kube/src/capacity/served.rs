//! What a cluster serves, in the words of [`Capacity`](fleet_core::Capacity).

use std::collections::BTreeSet;

use fleet_core::KindMap;

/// Every kind whose objects can be listed, at every version: `Kind.version.group`.
pub(super) fn kinds(map: &KindMap) -> BTreeSet<String> {
    let listable = map.kinds.iter().filter(|(_, info)| info.listable);
    let names = listable.flat_map(|(kind, info)| {
        let dot = if kind.group().is_empty() { "" } else { "." };
        let name = move |version| format!("{}.{version}{dot}{}", kind.kind(), kind.group());
        info.versions.iter().map(name)
    });
    names.collect()
}

/// Adds what was served before of groups for which discovery cannot speak at the moment: the server behind one is down,
/// and its kinds are not gone.
pub(crate) fn keep_unspoken(kinds: &mut BTreeSet<String>, before: &BTreeSet<String>, map: &KindMap) {
    let group = |name: &str| name.splitn(3, '.').nth(2).unwrap_or_default().to_owned();
    let unspoken = before.iter().filter(|name| !map.is_complete(&group(name)));
    kinds.extend(unspoken.cloned());
}

/// `v1.36.3` without its letter.
pub(super) fn version(text: &str) -> &str {
    text.strip_prefix('v').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use fleet_core::{GroupKind, KindInfo};

    use super::*;

    #[test]
    fn kinds_of_a_dead_server_stay() {
        let mut map = KindMap::default();
        let mut add = |group: &str, kind: &str, versions: &[&str], listable| {
            let mut info = KindInfo::new("x", true, versions.iter().map(|v| (*v).to_owned()));
            info.listable = listable;
            map.kinds.insert(GroupKind::new(group, kind), info);
        };
        add("", "Pod", &["v1"], true);
        add("", "Binding", &["v1"], false);
        add("example.com", "Widget", &["v1", "v1beta1"], true);
        map.incomplete.insert("metrics.k8s.io".to_owned());
        let mut found = kinds(&map);
        let names = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<BTreeSet<_>>();
        let served = ["Pod.v1", "Widget.v1.example.com", "Widget.v1beta1.example.com"];
        assert_eq!(found, names(&served));
        let before = names(&[
            "NodeMetrics.v1beta1.metrics.k8s.io",
            "Gone.v1.example.com",
            "Old.v1",
        ]);
        keep_unspoken(&mut found, &before, &map);
        let mut expect = names(&served);
        expect.insert("NodeMetrics.v1beta1.metrics.k8s.io".to_owned());
        assert_eq!(found, expect);
        assert_eq!(
            (version("v1.36.3+k3s1"), version("1.33")),
            ("1.36.3+k3s1", "1.33")
        );
    }
}
