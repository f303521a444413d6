//! How tools mark what they manage.

use super::Predecessor;

/// kubectl (`pkg/cmd/apply`, `create`, `replace`), Helm 3 and 4 (`pkg/action/validate.go`, `pkg/kube/client.go`), Argo CD
/// (`docs/user-guide/resource_tracking.md`; objects it tracks by the label `app.kubernetes.io/instance` keep that, which
/// others use too), Flux (`fluxcd/pkg/ssa`, kustomize-controller and helm-controller).
pub(super) fn all() -> Vec<Predecessor> {
    let mut helm = Predecessor::new("Helm")
        .managers(["helm"])
        .annotations(["meta.helm.sh/release-name", "meta.helm.sh/release-namespace"]);
    helm.labels
        .push(("app.kubernetes.io/managed-by".to_owned(), Some("Helm".to_owned())));
    // An upgrade of its release that no longer holds the object leaves it alone.
    helm.farewell
        .push(("helm.sh/resource-policy".to_owned(), "keep".to_owned()));
    vec![
        Predecessor::new("kubectl")
            .managers([
                "kubectl",
                "kubectl-client-side-apply",
                "kubectl-create",
                "kubectl-replace",
                "kubectl-last-applied",
            ])
            .annotations(["kubectl.kubernetes.io/last-applied-configuration"]),
        helm,
        Predecessor::new("Argo CD")
            .managers(["argocd-controller", "argocd-application-controller"])
            .annotations([
                "argocd.argoproj.io/tracking-id",
                "argocd.argoproj.io/installation-id",
            ]),
        Predecessor::new("Flux")
            .managers(["kustomize-controller", "helm-controller"])
            .labels([
                "kustomize.toolkit.fluxcd.io/name",
                "kustomize.toolkit.fluxcd.io/namespace",
                "helm.toolkit.fluxcd.io/name",
                "helm.toolkit.fluxcd.io/namespace",
            ]),
    ]
}
