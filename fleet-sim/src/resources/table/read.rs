//! Reading a table.

use std::sync::Arc;

use super::ALL;
use crate::resources::{
    Resource, Subresource,
    builtin::{Builtin, Served},
    group_version,
    order::Rank,
    storage,
};

/// Why a text is no table: the line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BadLine(pub(crate) String);

/// Reads a table. Tables are checked in, and a test reads each.
pub(crate) fn read(text: &str) -> Result<Builtin, BadLine> {
    let mut kubernetes = String::new();
    let mut open: Vec<Open> = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        read_line(line, &mut kubernetes, &mut open).ok_or_else(|| BadLine(line.to_owned()))?;
    }
    Ok(Builtin {
        kubernetes,
        versions: open.into_iter().map(Open::close).collect(),
    })
}

/// A version whose resources are still being read.
struct Open {
    api_version: String,
    rank: Rank,
    resources: Vec<Resource>,
}

impl Open {
    fn close(self) -> Served {
        let (group, version) = group_version(&self.api_version);
        Served {
            group: group.to_owned(),
            version: version.to_owned(),
            rank: self.rank,
            resources: self.resources.into_iter().map(Arc::new).collect(),
        }
    }
}

fn read_line(line: &str, kubernetes: &mut String, open: &mut Vec<Open>) -> Option<()> {
    let (subject, words) = line.split_once(": ")?;
    if subject == "kubernetes" {
        words.clone_into(kubernetes);
    } else if let Some(api_version) = subject.strip_prefix("version ") {
        let (group, version) = words.split_once(' ')?;
        open.push(Open {
            api_version: api_version.to_owned(),
            rank: Rank {
                group: group.parse().ok()?,
                version: version.parse().ok()?,
            },
            resources: Vec::new(),
        });
    } else {
        let of = open.last_mut()?;
        let name = subject.strip_prefix(of.api_version.as_str())?.strip_prefix('/')?;
        match name.split_once('/') {
            None => of.resources.push(resource(&of.api_version, name, words)?),
            Some((plural, name)) => {
                let parent = of.resources.last_mut().filter(|last| last.plural == plural)?;
                let subresource = subresource(parent, name, words)?;
                parent.subresources.push(subresource);
            }
        }
    }
    Some(())
}

fn resource(api_version: &str, plural: &str, words: &str) -> Option<Resource> {
    let (group, version) = group_version(api_version);
    let mut words = words.split(' ');
    let kind = words.next()?;
    let singular = words.next()?;
    let namespaced = match words.next()? {
        "namespaced" => true,
        "cluster" => false,
        _ => return None,
    };
    let mut resource = Resource {
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        list_kind: format!("{kind}List"),
        plural: plural.to_owned(),
        singular: singular.to_owned(),
        short_names: Vec::new(),
        categories: Vec::new(),
        namespaced,
        verbs: verbs(words.next()?),
        subresources: Vec::new(),
        storage_version: None,
        storage_hash: String::new(),
        is_custom: false,
    };
    for word in words {
        match word.split_once('=')? {
            ("short", names) => resource.short_names = list(names),
            ("categories", names) => resource.categories = list(names),
            ("stored", at) => {
                let (group, version) = group_version(at);
                resource.storage_hash = storage::hash(group, version, kind);
                resource.storage_version = Some(at.to_owned());
            }
            _ => return None,
        }
    }
    Some(resource)
}

fn subresource(parent: &Resource, name: &str, words: &str) -> Option<Subresource> {
    let (kind, served) = words.split_once(' ')?;
    let ((group, version), kind) = match kind.rsplit_once('/') {
        None => ((&*parent.group, &*parent.version), kind),
        Some((api_version, kind)) => (group_version(api_version), kind),
    };
    Some(Subresource {
        name: name.to_owned(),
        group: group.to_owned(),
        version: version.to_owned(),
        kind: kind.to_owned(),
        verbs: verbs(served),
    })
}

fn verbs(word: &str) -> Vec<String> {
    list(if word == "all" { ALL } else { word })
}

fn list(words: &str) -> Vec<String> {
    words.split(',').map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "\
# A remark.
kubernetes: v1.2.3
version v1: 18000 1
v1/nodes: Node node cluster get,list short=no stored=v1
version apps/v1: 17800 15
apps/v1/deployments: Deployment deployment namespaced all short=d,dp categories=all stored=extensions/v1beta1
apps/v1/deployments/scale: autoscaling/v1/Scale get,update
apps/v1/deployments/status: Deployment get
";

    #[test]
    fn what_a_line_says_is_what_is_served() {
        let table = read(TABLE).expect("a table");
        assert_eq!(table.kubernetes, "v1.2.3");
        let [core, apps] = &table.versions[..] else {
            panic!("two versions")
        };
        assert_eq!((&*core.group, &*core.version), ("", "v1"));
        assert_eq!((&*apps.group, &*apps.version), ("apps", "v1"));
        assert_eq!(
            apps.rank,
            Rank {
                group: 17800,
                version: 15
            }
        );
        let node = &core.resources[0];
        assert_eq!(
            (&*node.api_version(), node.namespaced, node.verbs.join(" ")),
            ("v1", false, "get list".into())
        );
        let found = &apps.resources[0];
        assert_eq!(
            (
                &*found.kind,
                &*found.list_kind,
                &*found.plural,
                &*found.singular,
                found.namespaced
            ),
            ("Deployment", "DeploymentList", "deployments", "deployment", true)
        );
        assert_eq!(
            (found.short_names.join(" "), found.categories.join(" ")),
            ("d dp".into(), "all".into())
        );
        assert_eq!(found.verbs.join(","), ALL);
        assert_eq!(found.storage_version.as_deref(), Some("extensions/v1beta1"));
        assert_eq!(
            found.storage_hash,
            storage::hash("extensions", "v1beta1", "Deployment")
        );
        let scale = found.subresource("scale").expect("a subresource");
        assert_eq!(
            (&*scale.group, &*scale.version, &*scale.kind),
            ("autoscaling", "v1", "Scale")
        );
        let status = found.subresource("status").expect("a subresource");
        assert_eq!(
            (&*status.group, &*status.version, &*status.kind),
            ("apps", "v1", "Deployment")
        );
    }

    #[test]
    fn a_line_that_makes_no_sense_is_named() {
        let after = "version apps/v1: 1 1\napps/v1/a: A a cluster get\n";
        for line in [
            "nonsense",
            "version apps/v2: high 1",
            "version apps/v2: 1",
            "batch/v1/jobs: Job job namespaced get",
            "apps/v1/b: B b everywhere get",
            "apps/v1/b: B b cluster",
            "apps/v1/b: B b cluster get size=3",
            "apps/v1/b/status: B get",
            "apps/v1/a/status: A",
        ] {
            assert_eq!(
                read(&format!("{after}{line}\n")).err(),
                Some(BadLine(line.to_owned()))
            );
        }
    }
}
