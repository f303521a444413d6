//! `fleetctl status --unmanaged`, against a real server: what nobody answers for is told, and nothing else.

use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig};
use fleet_suites::{Desk, texts};
use serde_json::Value;

#[test]
fn what_nobody_answers_for_is_listed_with_who_made_it() {
    let plane = ControlPlane::start(Options::new("c")).unwrap();
    let fleetctl = Desk::new();
    merged_kubeconfig(&[&plane], &fleetctl.path("kubeconfig")).unwrap();
    fleetctl.write(
        "c/all.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ours}\ndata: {k: v}\n",
    );
    assert_eq!(fleetctl.run(&["apply"]).0, 0);
    let told = || {
        let (code, text, errors) = fleetctl.run(&["status", "--unmanaged", "--output", "json"]);
        assert_eq!(code, 0, "{text}{errors}");
        let all: Value = serde_json::from_str(&text).unwrap();
        let found = all[0]["objects"].as_array().unwrap().clone();
        let name = |object: &Value| object["key"].as_str().unwrap().to_owned();
        let mut names: Vec<String> = found.iter().map(name).collect();
        // Made by the harness, for its users.
        names.retain(|name| !name.ends_with("/control-plane:users"));
        names
    };
    assert_eq!(told(), [""; 0], "of a new cluster nothing is left over");
    let files = [
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: by-hand}\n",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: experiment}\nspec:\n  selector: {matchLabels: {app: x}}\n  template:\n    metadata: {labels: {app: x}}\n    spec: {containers: [{name: x, image: x}]}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: of-helm\n  labels: {app.kubernetes.io/managed-by: Helm}\n",
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: of-flux\n  labels: {kustomize.toolkit.fluxcd.io/name: x}\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: forgotten}\n",
    ];
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("all.yaml"), files.join("---\n")).unwrap();
    let file = dir.path().join("all.yaml");
    let mut kubectl = plane.kubectl_as(User::Someone).unwrap();
    let (code, _, errors) = texts(kubectl.args(["create", "-f"]).arg(&file).output().unwrap());
    assert_eq!(code, 0, "{errors}");
    // What controllers make of it is theirs.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let mut kubectl = plane.kubectl_as(User::Someone).unwrap();
        let (_, pods, _) = texts(kubectl.args(["get", "pods", "-o", "name"]).output().unwrap());
        if !pods.is_empty() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "no pods");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(
        told(),
        [
            "/ConfigMap/default/by-hand",
            "/Namespace//forgotten",
            "apps/Deployment/default/experiment"
        ]
    );
    let (_, text) = fleetctl.said(&["status", "--unmanaged"]);
    assert!(
        text.contains("ConfigMap default/by-hand") && text.contains("kubectl-create"),
        "{text}"
    );
}
