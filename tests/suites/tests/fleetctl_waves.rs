//! `fleetctl` over two clusters: waves, exit codes, a lost ledger, and what changes while it runs.

use std::{
    io::Read,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig, write_kubeconfig};
use fleet_suites::{Desk, texts};

fn map(name: &str, value: &str) -> String {
    format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}}}\ndata: {{k: {value}}}\n")
}

/// A value of the map in a namespace, empty without the map.
fn value(plane: &ControlPlane, namespace: &str, name: &str) -> String {
    let mut kubectl = plane.kubectl().unwrap();
    kubectl.args([
        "get",
        "configmap",
        name,
        "--namespace",
        namespace,
        "--output",
        "jsonpath={.data.k}",
    ]);
    String::from_utf8(kubectl.output().unwrap().stdout).unwrap()
}

fn until(what: &str, mut reached: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !reached() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// A running program, killed at the end.
struct Running(Child);

impl Running {
    /// Stops it; everything it said.
    fn said(mut self) -> String {
        self.0.kill().unwrap();
        let mut text = String::new();
        self.0.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn one_goes_first_and_a_lost_ledger_is_rebuilt() {
    let planes = ControlPlane::start_many(2, &Options::new("c").controllers(false).pods(false)).unwrap();
    let desk = Desk::new();
    merged_kubeconfig(&planes.iter().collect::<Vec<_>>(), &desk.path("kubeconfig")).unwrap();
    for cluster in ["c-1", "c-2"] {
        desk.write(
            &format!("{cluster}/maps.yaml"),
            &(map("a", "old") + &map("b", "old")),
        );
    }
    let (code, said) = desk.said(&["apply", "--first", "c-3"]);
    assert!(
        code == 1 && said.contains("no such cluster here; there are c-1, c-2"),
        "{said}"
    );
    assert_eq!(desk.run(&["apply"]).0, 0);

    // The first one refuses it: the other keeps what it has, and that is no error.
    let bad = map("a", "new") + &map("b", "{not: a string}");
    for cluster in ["c-1", "c-2"] {
        desk.write(&format!("{cluster}/maps.yaml"), &bad);
    }
    let (code, said) = desk.said(&["apply", "--first", "c-2"]);
    assert!(
        code == 2 && said.contains("c-2 went first and is not done"),
        "{said}"
    );
    assert_eq!(
        (
            value(&planes[0], "default", "a"),
            value(&planes[1], "default", "a")
        ),
        ("old".into(), "new".into())
    );

    // What cannot be read cannot be planned.
    desk.write("c-1/more.yaml", "a: [\n");
    let (code, said) = desk.said(&["plan"]);
    assert!(
        code == 1 && said.contains("cannot be read") && said.contains("more.yaml:"),
        "{said}"
    );
    std::fs::remove_file(desk.path("inventory/c-1/more.yaml")).unwrap();

    // The ledger of one is gone: nothing is changed there until a person says what is ours.
    desk.write("c-1/maps.yaml", &(map("a", "new") + &map("b", "new")));
    let mut kubectl = planes[0].kubectl().unwrap();
    kubectl.args(["delete", "configmaps", "--all", "--namespace", "fleet-system"]);
    assert!(kubectl.output().unwrap().status.success());
    let (code, said) = desk.said(&["plan", "--context", "c-1"]);
    assert!(
        code == 1 && said.contains("2 objects would be recorded as ours again"),
        "{said}"
    );
    assert!(!said.contains("nothing to do"), "{said}");
    let token = said
        .split("--confirm ")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .to_owned();
    let (code, said) = desk.said(&["apply", "--context", "c-1"]);
    assert!(code == 1 && said.contains("--confirm "), "{said}");
    assert_eq!(value(&planes[0], "default", "a"), "old");
    let (code, said) = desk.said(&["apply", "--context", "c-1", "--confirm", &token]);
    assert_eq!(
        (code, value(&planes[0], "default", "a").as_str()),
        (0, "new"),
        "{said}"
    );
}

#[test]
fn a_running_fleet_takes_over_new_credentials_and_new_settings() {
    let planes = ControlPlane::start_many(2, &Options::new("c").controllers(false).pods(false)).unwrap();
    let desk = Desk::new();
    let access = |user: User, broken: bool| {
        let one = |plane: &ControlPlane| {
            let mut access = plane.access(user);
            plane.name().clone_into(&mut access.name);
            if broken {
                access.token = "revoked".to_owned();
            }
            access
        };
        let all: Vec<_> = planes.iter().map(one).collect();
        write_kubeconfig(&all, &desk.path("kubeconfig")).unwrap();
    };
    access(User::Fleet, false);
    for cluster in ["c-1", "c-2"] {
        desk.write(&format!("{cluster}/maps.yaml"), &map("a", "one"));
    }
    let rules = desk.path("rules.yaml");
    std::fs::write(&rules, "[]\n").unwrap();
    let mut command = desk.command(&["run", "--interval", "1"]);
    command.arg("--rules").arg(&rules);
    let running = Running(command.stderr(Stdio::piped()).spawn().unwrap());
    let everywhere = |namespace: &str, expected: &str| {
        planes
            .iter()
            .all(|plane| value(plane, namespace, "a") == expected)
    };
    until("the first content", || everywhere("default", "one"));

    // Credentials that do not work, and then others: both are noticed, and it goes on.
    access(User::Fleet, true);
    std::thread::sleep(Duration::from_secs(3));
    access(User::Someone, false);
    for cluster in ["c-1", "c-2"] {
        desk.write(&format!("{cluster}/maps.yaml"), &map("a", "two"));
    }
    until("the second content", || everywhere("default", "two"));

    // Objects without a namespace move to another one, as the settings now say.
    for plane in &planes {
        let mut kubectl = plane.kubectl().unwrap();
        assert!(
            kubectl
                .args(["create", "namespace", "shop"])
                .output()
                .unwrap()
                .status
                .success()
        );
    }
    desk.write("fleet.yaml", "defaultNamespace: shop\n");
    until("the move", || {
        everywhere("shop", "two") && everywhere("default", "")
    });

    // Rules that cannot be used change nothing; others are taken over.
    std::fs::write(&rules, "- {id: kept, path: .data.k, do: anything}\n").unwrap();
    std::thread::sleep(Duration::from_secs(2));
    for cluster in ["c-1", "c-2"] {
        desk.write(&format!("{cluster}/maps.yaml"), &map("a", "three"));
    }
    until("the third content", || everywhere("shop", "three"));
    std::fs::write(&rules, "- {id: kept, path: .data.k, do: keep-live}\n").unwrap();
    std::thread::sleep(Duration::from_secs(4));
    for cluster in ["c-1", "c-2"] {
        let more = map("a", "four").replace("{name: a}", "{name: a, labels: {as: fourth}}");
        desk.write(&format!("{cluster}/maps.yaml"), &more);
    }
    let label = |plane: &ControlPlane| {
        let mut kubectl = plane.kubectl().unwrap();
        let output = kubectl.args([
            "get",
            "configmap",
            "a",
            "-n",
            "shop",
            "-o",
            "jsonpath={.metadata.labels.as}",
        ]);
        texts(output.output().unwrap()).1
    };
    until("the fourth content", || {
        planes.iter().all(|plane| label(plane) == "fourth")
    });
    assert!(everywhere("shop", "three"), "what the new rule keeps");
    let said = running.said();
    assert_eq!(said.matches("go on to count").count(), 1, "{said}");
    assert!(said.contains("rules.yaml: "), "{said}");
    for cluster in ["c-1", "c-2"] {
        let count = |words: &str| said.matches(&format!("{cluster}: {words}")).count();
        assert_eq!(count("no contact, trying again: "), 1, "{said}");
        assert_eq!(count("settings changed (defaultNamespace)"), 1, "{said}");
        assert_eq!(count("settings changed (rules)"), 1, "{said}");
    }
    assert!(!said.contains("revoked"), "{said}");
}
