//! What a running cluster does.

use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use fleet_harness::{ControlPlane, Error, Options, Stage, User, merged_kubeconfig};

/// One cluster for the tests of this file.
static SHARED: LazyLock<ControlPlane> = LazyLock::new(|| {
    let begin = Instant::now();
    let cluster = ControlPlane::start(Options::new("shared").audit(true)).expect("a cluster");
    eprintln!(
        "ready after {:?}, {} MB",
        begin.elapsed(),
        cluster.memory().unwrap_or(0) / 1_000_000
    );
    cluster
});

/// Runs a command and returns what it wrote to stdout.
fn stdout(mut command: Command) -> String {
    let output = command.output().expect("kubectl runs");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).expect("text")
}

fn kubectl(cluster: &ControlPlane, args: &[&str]) -> String {
    let mut command = cluster.kubectl().expect("kubectl is built");
    command.args(args);
    stdout(command)
}

#[test]
fn namespaces_and_users_are_there() {
    let cluster = &*SHARED;
    let names = kubectl(cluster, &["get", "namespaces", "-o", "name"]);
    assert!(
        names.contains("namespace/default\n") && names.contains("namespace/kube-system\n"),
        "{names}"
    );
    for (user, masters) in [(User::Fleet, false), (User::Someone, false), (User::Admin, true)] {
        let mut whoami = cluster.kubectl_as(user).expect("kubectl is built");
        whoami.args(["auth", "whoami", "-o", "jsonpath={.status.userInfo}"]);
        let whoami = stdout(whoami);
        assert!(
            whoami.contains(&format!(r#""username":"{}""#, user.as_str())),
            "{whoami}"
        );
        assert_eq!(whoami.contains("system:masters"), masters, "{whoami}");
    }
    assert!(
        cluster
            .version()
            .starts_with(&format!("v{}.", cluster.kubernetes())),
        "{}",
        cluster.version()
    );
}

#[test]
fn a_deployment_becomes_available() {
    let cluster = &*SHARED;
    kubectl(
        cluster,
        &["create", "deployment", "web", "--image=web", "--replicas=2"],
    );
    let wait = [
        "wait",
        "--for=condition=Available",
        "--timeout=20s",
        "deployment/web",
    ];
    kubectl(cluster, &wait);
    let pods = kubectl(cluster, &["get", "pods", "-l", "app=web", "--no-headers"]);
    assert_eq!(pods.matches("1/1").count(), 2, "{pods}");
}

#[test]
fn a_job_completes() {
    let cluster = &*SHARED;
    kubectl(cluster, &["create", "job", "once", "--image=once"]);
    kubectl(
        cluster,
        &["wait", "--for=condition=Complete", "--timeout=20s", "job/once"],
    );
}

#[test]
fn a_namespace_goes_with_what_is_in_it() {
    let cluster = &*SHARED;
    kubectl(cluster, &["create", "namespace", "going"]);
    kubectl(cluster, &["create", "configmap", "in-it", "-n", "going"]);
    kubectl(cluster, &["delete", "namespace", "going", "--timeout=30s"]);
    assert!(!kubectl(cluster, &["get", "namespaces", "-o", "name"]).contains("going"));
}

#[test]
fn requests_are_counted_by_user() {
    let cluster = &*SHARED;
    let mark = cluster.audit_mark().expect("an audit log");
    kubectl(cluster, &["create", "configmap", "counted", "--dry-run=server"]);
    kubectl(cluster, &["create", "configmap", "counted"]);
    let mut command = cluster.kubectl_as(User::Someone).expect("kubectl is built");
    command.args(["label", "configmap", "counted", "by=someone"]);
    stdout(command);

    let events = cluster.audit_since(mark).expect("events");
    let about = |user: User| {
        events
            .iter()
            .filter(|e| e.user == user.as_str() && e.resource == "configmaps" && e.is_object_request())
            .filter(|e| e.uri.contains("/default/"))
            .collect::<Vec<_>>()
    };
    let fleet = about(User::Fleet);
    assert_eq!(
        fleet
            .iter()
            .map(|e| (e.verb.as_str(), e.dry_run))
            .collect::<Vec<_>>(),
        [("create", true), ("create", false)]
    );
    assert!(
        fleet
            .iter()
            .all(|e| e.code == 201 && e.stage == Stage::ResponseComplete && e.group.is_empty())
    );
    let someone = about(User::Someone);
    assert_eq!(
        someone
            .iter()
            .filter(|e| e.is_write())
            .map(|e| e.verb.as_str())
            .collect::<Vec<_>>(),
        ["patch"]
    );
    assert!(someone.iter().all(|e| e.name == "counted"));
}

#[test]
fn a_kubeconfig_holds_a_context_per_cluster() {
    let cluster = &*SHARED;
    let path = cluster.log_dir().join("fleet.kubeconfig");
    merged_kubeconfig(&[cluster], &path).expect("written");
    let mut command = cluster.kubectl().expect("kubectl is built");
    command
        .env("KUBECONFIG", &path)
        .args(["--context", "shared", "auth", "whoami"]);
    assert!(stdout(command).contains("fleet"));
}

#[test]
fn a_killed_cluster_comes_back_and_a_frozen_one_thaws() {
    let cluster = ControlPlane::start(Options::new("broken").pods(false)).expect("a cluster");
    let (url, pid) = (cluster.url().to_owned(), cluster.pid());
    kubectl(&cluster, &["create", "configmap", "kept", "--from-literal=a=b"]);

    cluster.kill().expect("killed");
    assert_eq!(cluster.pid(), None);
    let mut refused = cluster.kubectl().expect("kubectl is built");
    assert!(
        !refused
            .args(["get", "configmap", "kept"])
            .output()
            .expect("kubectl runs")
            .status
            .success()
    );

    let begin = Instant::now();
    cluster.restart().expect("restarted");
    eprintln!("restarted after {:?}", begin.elapsed());
    assert_eq!(cluster.url(), url);
    assert_ne!(cluster.pid(), pid);
    assert_eq!(
        kubectl(
            &cluster,
            &["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]
        ),
        "b"
    );

    cluster.freeze().expect("frozen");
    let begin = Instant::now();
    let mut timed_out = cluster.kubectl().expect("kubectl is built");
    timed_out.args(["get", "configmap", "kept", "--request-timeout=1s"]);
    assert!(!timed_out.output().expect("kubectl runs").status.success());
    assert!(
        begin.elapsed() >= Duration::from_secs(1),
        "it was refused, not left waiting"
    );
    cluster.thaw().expect("thawed");
    assert_eq!(
        kubectl(
            &cluster,
            &["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]
        ),
        "b"
    );
    cluster.stop().expect("stopped");
}

#[test]
fn etcd_can_be_killed_alone() {
    let options = Options::new("split").separate_etcd(true).controllers(false);
    let cluster = ControlPlane::start(options).expect("a cluster");
    kubectl(&cluster, &["create", "configmap", "kept", "--from-literal=a=b"]);
    let (server, etcd) = (cluster.pid(), cluster.etcd_pid());
    assert!(etcd.is_some() && etcd != server);

    cluster.kill_etcd().expect("killed");
    cluster.restart_etcd().expect("restarted");
    assert_eq!(cluster.pid(), server);
    assert_ne!(cluster.etcd_pid(), etcd);
    // The API server's connection comes back by itself.
    assert_eq!(
        kubectl(
            &cluster,
            &["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]
        ),
        "b"
    );

    cluster.restart().expect("restarted");
    assert_eq!(
        kubectl(
            &cluster,
            &["get", "configmap", "kept", "-o", "jsonpath={.data.a}"]
        ),
        "b"
    );
}

#[test]
fn a_failed_start_shows_the_end_of_the_log() {
    let options = Options::new("wrong").apiserver_arg("--no-such-flag=1");
    let error = ControlPlane::start(options).expect_err("no cluster");
    let words = error.to_string();
    assert!(
        words.contains("no-such-flag") && words.contains("cluster wrong ended"),
        "{words}"
    );
    // The logs of a failed start are kept; these have done their service.
    let Error::Ended { log, .. } = error else {
        panic!("{error:?}")
    };
    let dir = log.ancestors().nth(2).expect("the cluster's directory");
    std::fs::remove_dir_all(dir).expect("kept logs");
}
