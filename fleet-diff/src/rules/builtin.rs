//! The rules that everybody wants.

use std::sync::{Arc, LazyLock};

use super::intent::{Intent, Kinds, Rule, RuleSet};

struct Row {
    id: &'static str,
    group: Option<&'static str>,
    kinds: &'static [&'static str],
    path: &'static str,
    intent: Intent,
}

const fn row(
    id: &'static str,
    group: Option<&'static str>,
    kinds: &'static [&'static str],
    path: &'static str,
    intent: Intent,
) -> Row {
    Row { id, group, kinds, path, intent }
}

/// Sources: the ignore lists and retain functions of Argo CD, Flux, kapp, Karmada and library-go, where they agree.
static ROWS: &[Row] = &[
    // Counters and records of the server; no definition means them.
    row("metadata/resource-version", None, &[], ".metadata.resourceVersion", Intent::NeverTouch),
    row("metadata/uid", None, &[], ".metadata.uid", Intent::NeverTouch),
    row("metadata/generation", None, &[], ".metadata.generation", Intent::NeverTouch),
    row("metadata/creation-timestamp", None, &[], ".metadata.creationTimestamp", Intent::NeverTouch),
    row("metadata/deletion-timestamp", None, &[], ".metadata.deletionTimestamp", Intent::NeverTouch),
    row("metadata/self-link", None, &[], ".metadata.selfLink", Intent::NeverTouch),
    row("metadata/managed-fields", None, &[], ".metadata.managedFields", Intent::NeverTouch),
    // It repeats the object, values of Secrets included.
    row(
        "metadata/last-applied",
        None,
        &[],
        ".metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]",
        Intent::NeverTouch,
    ),
    // An administrator's choice of the default class is not the chart's.
    row(
        "storageclass/is-default",
        Some("storage.k8s.io"),
        &["StorageClass"],
        ".metadata.annotations[\"storageclass.kubernetes.io/is-default-class\"]",
        Intent::KeepLive,
    ),
    row(
        "deployment/revision",
        Some("apps"),
        &["Deployment", "ReplicaSet"],
        ".metadata.annotations[\"deployment.kubernetes.io/*\"]",
        Intent::NeverTouch,
    ),
    row(
        "daemonset/template-generation",
        Some("apps"),
        &["DaemonSet"],
        ".metadata.annotations[\"deprecated.daemonset.template.generation\"]",
        Intent::NeverTouch,
    ),
];

/// The built-in rules, made once.
pub(super) fn rules() -> Arc<RuleSet> {
    static RULES: LazyLock<Arc<RuleSet>> = LazyLock::new(|| {
        let rules = ROWS.iter().filter_map(|row| {
            Some(Rule {
                id: row.id.into(),
                kinds: Kinds {
                    group: row.group.map(Into::into),
                    kinds: row.kinds.iter().map(|kind| (*kind).into()).collect(),
                    ..Kinds::default()
                },
                path: row.path.parse().ok()?,
                intent: row.intent.clone(),
                sensitive: false,
            })
        });
        Arc::new(RuleSet::new(rules).unwrap_or_default())
    });
    RULES.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_rows_are_rules() {
        assert_eq!(rules().len(), ROWS.len());
    }
}
