//! What versions of Kubernetes serve of themselves.

use std::sync::{Arc, OnceLock};

use super::{Resource, order::Rank, table::read::read};

/// The tables, oldest first.
const TABLES: [(&str, &str); 2] = [
    ("1.36", include_str!("kubernetes-1.36.txt")),
    ("1.37", include_str!("kubernetes-1.37.txt")),
];

/// What a version serves of itself.
#[derive(Debug, Default)]
pub(crate) struct Builtin {
    /// As `/version` says it: `v1.36.3`.
    pub(crate) kubernetes: String,
    /// In the order of discovery, the core first.
    pub(crate) versions: Vec<Served>,
}

/// A version of a group.
#[derive(Debug)]
pub(crate) struct Served {
    /// Empty for the core.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) rank: Rank,
    /// In the order of discovery.
    pub(crate) resources: Vec<Arc<Resource>>,
}

/// Of a minor version like `1.36`, or of the newest one that is known. Read once in a process.
pub(crate) fn of(kubernetes: &str) -> &'static Builtin {
    static READ: [OnceLock<Builtin>; TABLES.len()] = [const { OnceLock::new() }; TABLES.len()];
    let at = TABLES.iter().position(|(minor, _)| *minor == kubernetes);
    let at = at.unwrap_or(TABLES.len() - 1);
    // A test reads every table.
    READ[at].get_or_init(|| read(TABLES[at].1).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::order;

    #[test]
    fn every_table_can_be_read() {
        for (minor, text) in TABLES {
            let table = read(text).expect(minor);
            assert!(
                table.kubernetes.starts_with(&format!("v{minor}.")),
                "{}",
                table.kubernetes
            );
            let resources = table.versions.iter().flat_map(|version| &version.resources);
            let lines: usize = resources.map(|one| 1 + one.subresources.len()).sum();
            // The remark and the version of Kubernetes have a line each.
            assert_eq!(2 + table.versions.len() + lines, text.lines().count(), "{minor}");
            assert!(text.len() < 40_000, "{minor}: {} bytes", text.len());
        }
    }

    #[test]
    fn tables_are_in_the_order_of_their_priorities() {
        for (minor, text) in TABLES {
            let table = read(text).expect(minor);
            assert_eq!(table.versions[0].group, "", "{minor}: the core comes first");
            let others = &table.versions[1..];
            for pair in others.windows(2) {
                let [a, b] = pair else { continue };
                let in_order = if a.group == b.group {
                    order::versions((a.rank, &a.version), (b.rank, &b.version)).is_lt()
                } else {
                    (b.rank.group, &a.group) < (a.rank.group, &b.group)
                };
                assert!(
                    in_order,
                    "{minor}: {}/{} before {}/{}",
                    a.group, a.version, b.group, b.version
                );
            }
        }
    }

    #[test]
    fn all_servers_share_one() {
        assert!(std::ptr::eq(of("1.36"), of("1.36")));
        assert!(std::ptr::eq(of("9.99"), of("1.37")));
        assert!(of("1.36").kubernetes.starts_with("v1.36."));
    }
}
