//! The rules that everybody wants.

use std::sync::{Arc, LazyLock};

use super::{Intent, Kinds, Rule, RuleSet, Sharing};

struct Row {
    id: &'static str,
    group: Option<&'static str>,
    kinds: &'static [&'static str],
    path: &'static str,
    intent: Written,
}

/// An intent as it stands in the table.
#[derive(Clone, Copy)]
enum Written {
    NeverTouch,
    KeepLive,
    /// Theirs alone while this manager owns it.
    Owned(&'static str),
}

impl Written {
    fn intent(self) -> Intent {
        match self {
            Self::NeverTouch => Intent::NeverTouch,
            Self::KeepLive => Intent::KeepLive,
            Self::Owned(manager) => Intent::OwnedBy {
                manager: manager.into(),
                then: Sharing::GiveUp,
            },
        }
    }
}

const fn row(
    id: &'static str,
    group: Option<&'static str>,
    kinds: &'static [&'static str],
    path: &'static str,
    intent: Written,
) -> Row {
    Row {
        id,
        group,
        kinds,
        path,
        intent,
    }
}

/// Sources: the ignore lists and retain functions of Argo CD, Flux, kapp, Karmada and library-go, where they agree.
static ROWS: &[Row] = &[
    // Counters and records of the server; no definition means them.
    row(
        "metadata/resource-version",
        None,
        &[],
        ".metadata.resourceVersion",
        Written::NeverTouch,
    ),
    row("metadata/uid", None, &[], ".metadata.uid", Written::NeverTouch),
    row(
        "metadata/generation",
        None,
        &[],
        ".metadata.generation",
        Written::NeverTouch,
    ),
    row(
        "metadata/creation-timestamp",
        None,
        &[],
        ".metadata.creationTimestamp",
        Written::NeverTouch,
    ),
    row(
        "metadata/deletion-timestamp",
        None,
        &[],
        ".metadata.deletionTimestamp",
        Written::NeverTouch,
    ),
    row(
        "metadata/self-link",
        None,
        &[],
        ".metadata.selfLink",
        Written::NeverTouch,
    ),
    row(
        "metadata/managed-fields",
        None,
        &[],
        ".metadata.managedFields",
        Written::NeverTouch,
    ),
    // It repeats the object, values of Secrets included.
    row(
        "metadata/last-applied",
        None,
        &[],
        ".metadata.annotations[\"kubectl.kubernetes.io/last-applied-configuration\"]",
        Written::NeverTouch,
    ),
    // An administrator's choice of the default class is not the chart's.
    row(
        "storageclass/is-default",
        Some("storage.k8s.io"),
        &["StorageClass"],
        ".metadata.annotations[\"storageclass.kubernetes.io/is-default-class\"]",
        Written::KeepLive,
    ),
    row(
        "deployment/revision",
        Some("apps"),
        &["Deployment", "ReplicaSet"],
        ".metadata.annotations[\"deployment.kubernetes.io/*\"]",
        Written::NeverTouch,
    ),
    row(
        "daemonset/template-generation",
        Some("apps"),
        &["DaemonSet"],
        ".metadata.annotations[\"deprecated.daemonset.template.generation\"]",
        Written::NeverTouch,
    ),
    // Through the scale endpoint for an autoscaler: nothing else in it writes replicas of these kinds.
    row(
        "workload/autoscaled",
        Some("apps"),
        &["Deployment", "StatefulSet"],
        ".spec.replicas",
        AUTOSCALER,
    ),
    row(
        "replicationcontroller/autoscaled",
        Some("core"),
        &["ReplicationController"],
        ".spec.replicas",
        AUTOSCALER,
    ),
    // Generators write an empty list beside `aggregationRule`.
    row(
        "clusterrole/aggregated",
        Some("rbac.authorization.k8s.io"),
        &["ClusterRole"],
        ".rules",
        Written::Owned("clusterrole-aggregation-controller"),
    ),
    // A definition has to have something there in some versions; what counts is injected.
    row(
        "webhook/injected-ca",
        Some("admissionregistration.k8s.io"),
        &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"],
        ".webhooks[*].clientConfig.caBundle",
        CA_INJECTOR,
    ),
    row(
        "crd/injected-ca",
        Some("apiextensions.k8s.io"),
        &["CustomResourceDefinition"],
        ".spec.conversion.webhook.clientConfig.caBundle",
        CA_INJECTOR,
    ),
    row(
        "apiservice/injected-ca",
        Some("apiregistration.k8s.io"),
        &["APIService"],
        ".spec.caBundle",
        CA_INJECTOR,
    ),
];

const AUTOSCALER: Written = Written::Owned("kube-controller-manager");
const CA_INJECTOR: Written = Written::Owned("*cainjector*");

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
                intent: row.intent.intent(),
                sensitive: false,
                when: None,
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
