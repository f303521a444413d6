//! kube-apiserver and etcd by the conventions of envtest. The programs here are the project's control plane in scripts
//! that take the flags of the real ones: the API server itself reads them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use fleet_harness::{Cluster, ControlPlane, Error, Kind, Need, Options, User};
use serde_json::{Value, json};

const ETCD: &str = r#"#!/bin/sh
for arg in "$@"; do
    case $arg in
    --data-dir=*) data=${arg#*=} ;;
    --listen-client-urls=*) port=${arg##*:} ;;
    esac
done
exec "$CONTROL_PLANE" etcd --data "$data" --port "$port"
"#;

/// The control plane has certificates of its own, and clients must find their authority where the real program puts it.
/// It also has a user of its own, and ends `serve` with the port that it is given.
const SERVER: &str = r#"#!/bin/bash
args=()
for arg in "$@"; do
    case $arg in
    --etcd-servers=*) etcd=${arg#*=} ;;
    --secure-port=*) port=${arg#*=} ;;
    --cert-dir=*) certificates=${arg#*=} ;;
    --token-auth-file=*) tokens=${arg#*=} ;;
    *) args+=("--apiserver-arg=$arg") ;;
    esac
done
data=$certificates/serve
mkdir -p "$data"
{ cat "$tokens"; echo own,controllers,controllers,system:masters; } > "$data/tokens.csv"
( until [ -s "$data/pki/ca.crt" ]; do sleep 0.05; done; cp "$data/pki/ca.crt" "$certificates/apiserver.crt" ) &
exec "$CONTROL_PLANE" serve --controllers=false --pods=false --data "$data" --port "$port" --etcd-url "$etcd" "${args[@]}"
"#;

/// Set in the process that has the programs.
const INSIDE: &str = "FLEET_TEST_INSIDE";

fn script(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a program");
}

#[test]
fn programs_of_envtest_are_clusters_without_controllers() {
    let dir = tempfile::tempdir().expect("a directory");
    script(dir.path(), "etcd", ETCD);
    script(dir.path(), "kube-apiserver", SERVER);
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "inside", "--nocapture"])
        .env("KUBEBUILDER_ASSETS", dir.path())
        .env("CONTROL_PLANE", ControlPlane::program().expect("a control plane"))
        .env(INSIDE, "1")
        .output()
        .expect("a process");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("inside is done"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// What is to be true of them; does nothing unless the other test starts it.
#[test]
fn inside() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let refused = Cluster::start(Kind::Real, Options::new("more"));
    assert!(
        matches!(&refused, Err(Error::Unsuitable { why, .. }) if why.contains("controller manager")),
        "{refused:?}"
    );
    let why = Kind::Real
        .hindrance(&[Need::Audit, Need::Controllers])
        .expect("known");
    assert!(why.expect("a reason").contains("controller manager"));
    assert_eq!(
        Kind::Real.hindrance(&[Need::Audit, Need::Own]).expect("known"),
        None
    );

    let options = Options::new("env").controllers(false).pods(false).audit(true);
    let clusters = Cluster::start_all(Kind::Real, [options.clone(), options]).expect("clusters");
    let cluster = &clusters[0];
    let path = "/api/v1/namespaces/default/configmaps";
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}});
    let ask = |cluster: &Cluster, user, method: &str, path: &str, body: &Value| {
        cluster
            .ask(user, method, path, "application/json", body)
            .expect("an answer")
    };
    let mark = cluster.audit_mark().expect("a mark");
    for user in [User::Fleet, User::Someone] {
        let said = ask(cluster, user, "POST", path, &map);
        assert_eq!(said.code, if user == User::Fleet { 201 } else { 409 }, "{said:?}");
    }
    let noted = cluster.audit_since(mark).expect("a log");
    let noted: Vec<(&str, u16)> = noted
        .iter()
        .map(|event| (event.user.as_str(), event.code))
        .collect();
    assert_eq!(noted, [("fleet", 201), ("someone", 409)]);
    let other = ask(
        &clusters[1],
        User::Admin,
        "GET",
        &format!("{path}/a"),
        &Value::Null,
    );
    assert_eq!(other.code, 404, "the second is another one");
    let binding = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/fleet-harness:users";
    assert!(ask(cluster, User::Admin, "GET", binding, &Value::Null).is_ok());
    let token = "/api/v1/namespaces/default/serviceaccounts/a/token";
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "a"}});
    ask(
        cluster,
        User::Admin,
        "POST",
        "/api/v1/namespaces/default/serviceaccounts",
        &account,
    );
    let request = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}});
    let said = ask(cluster, User::Admin, "POST", token, &request);
    assert_eq!(said.code, 201, "the key for service accounts is one: {said:?}");
    println!("inside is done");
}
