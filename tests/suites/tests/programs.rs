//! The programs that people start from, run as they would run them.

use std::process::Command;

use fleet_harness::{ControlPlane, Options, merged_kubeconfig};
use fleet_suites::{Desk, program, texts};
use serde_json::Value;

fn maps(names: std::ops::Range<usize>) -> String {
    let map =
        |i| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{i}}}\ndata: {{k: v}}\n");
    names.map(map).collect::<Vec<_>>().concat()
}

#[test]
fn fleetctl_plans_applies_refuses_and_confirms() {
    let planes = ControlPlane::start_many(2, &Options::new("c").controllers(false).pods(false)).unwrap();
    let fleetctl = Desk::new();
    merged_kubeconfig(&planes.iter().collect::<Vec<_>>(), &fleetctl.path("kubeconfig")).unwrap();
    let (code, _, errors) = fleetctl.run(&["plan"]);
    assert_eq!(code, 1, "there is no inventory yet");
    assert!(errors.contains("inventory"), "{errors}");

    // One folder: the other context is not part of the fleet.
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n";
    fleetctl.write("c-1/maps.yaml", &(maps(0..14) + secret));
    let (code, plan, _) = fleetctl.run(&["plan"]);
    assert_eq!(code, 2, "{plan}");
    assert!(
        plan.contains("c-1") && !plan.contains("c-2") && plan.contains("15 to create"),
        "{plan}"
    );
    assert!(
        !plan.contains("\x1b["),
        "no colour where the output is no terminal: {plan}"
    );
    let (code, out, errors) = fleetctl.run(&["apply"]);
    assert_eq!(code, 0, "{out}{errors}");
    assert!(errors.contains("create") && !(errors + &out).contains("hunter2"));
    let (code, plan, _) = fleetctl.run(&["plan"]);
    assert_eq!((code, plan.contains("nothing to do")), (0, true), "{plan}");

    // A folder that is for no cluster is told, and holds nothing up.
    fleetctl.write("c-9/maps.yaml", &maps(0..1));
    let (code, _, errors) = fleetctl.run(&["plan"]);
    assert_eq!((code, errors.contains("`c-9`")), (0, true), "{errors}");
    std::fs::remove_dir_all(fleetctl.path("inventory").join("c-9")).unwrap();

    // A change of a Secret is shown, its value is not.
    fleetctl.write(
        "c-1/maps.yaml",
        &(maps(0..14) + &secret.replace("hunter2", "hunter3")),
    );
    let (code, plan, _) = fleetctl.run(&["plan"]);
    assert_eq!((code, plan.contains("1 to update")), (2, true), "{plan}");
    let leaks = ["hunter", "aHVudGVyM", "aHVudGVyMg"];
    assert!(!leaks.iter().any(|leak| plan.contains(leak)), "{plan}");
    let (_, json, _) = fleetctl.run(&["plan", "--output", "json"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value[0]["plan"]["changes"][0]["action"], "update", "{json}");
    assert!(!leaks.iter().any(|leak| json.contains(leak)), "{json}");

    // Too many deletes at once are held; the token of the plan lets exactly these go.
    fleetctl.write("c-1/maps.yaml", &maps(0..2));
    let (code, plan, _) = fleetctl.run(&["plan"]);
    assert_eq!((code, plan.contains("13 to delete")), (2, true), "{plan}");
    let token = plan.split("--confirm ").nth(1).unwrap().trim().to_owned();
    let (code, out, _) = fleetctl.run(&["apply"]);
    assert_eq!((code, out.contains("held")), (2, true), "{out}");
    let (code, _, errors) = fleetctl.run(&["apply", "--confirm", "1-bad"]);
    assert_eq!((code, errors.contains("token")), (2, true), "{errors}");
    let (code, out, errors) = fleetctl.run(&["apply", "--confirm", &token]);
    assert_eq!(code, 0, "{out}{errors}");

    // What cannot be read changes nothing, and says where.
    fleetctl.write("c-1/more.yaml", "a: [\n");
    let (code, out, errors) = fleetctl.run(&["apply"]);
    assert_ne!(code, 0);
    assert!((out.clone() + &errors).contains("more.yaml:"), "{out}{errors}");
    let (_, status, _) = fleetctl.run(&["status"]);
    assert!(status.contains("more.yaml:"), "{status}");
    let kept = planes[0]
        .kubectl()
        .unwrap()
        .args(["get", "configmaps", "map-0", "map-1"])
        .output()
        .unwrap();
    assert!(kept.status.success());
    std::fs::remove_file(fleetctl.path("inventory").join("c-1/more.yaml")).unwrap();

    // Rules say whose fields are whose: those of a file, and those of a definition itself.
    let rules = fleetctl.path("rules.yaml");
    std::fs::write(&rules, "- {id: first-stays, path: .data.k, do: write-once}\n").unwrap();
    let rules = rules.to_str().unwrap().to_owned();
    let map = |i: usize, annotation: &str| {
        format!(
            "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{i}, annotations: {{{annotation}}}}}\n\
             data: {{k: changed}}\n"
        )
    };
    fleetctl.write("c-1/maps.yaml", &(map(0, "") + &maps(1..2)));
    let (code, plan, _) = fleetctl.run(&["plan"]);
    assert_eq!((code, plan.contains("1 to update")), (2, true), "{plan}");
    let (code, plan, _) = fleetctl.run(&["plan", "--rules", &rules]);
    assert_eq!((code, plan.contains("nothing to do")), (0, true), "{plan}");
    let rule = r#"fleet.internal/rules: '[{"id": "own", "path": ".data.k", "do": "ours"}]'"#;
    fleetctl.write("c-1/maps.yaml", &(map(0, rule) + &maps(1..2)));
    let (code, _, errors) = fleetctl.run(&["apply", "--rules", &rules]);
    assert_eq!(code, 0, "{errors}");
    let value = planes[0]
        .kubectl()
        .unwrap()
        .args(["get", "configmap", "map-0", "-o", "jsonpath={.data.k}"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&value.stdout), "changed");
    // What cannot be read protects its object.
    fleetctl.write(
        "c-1/maps.yaml",
        &(map(0, "fleet.internal/rules: '[{'") + &maps(1..2)),
    );
    let (code, plan, _) = fleetctl.run(&["plan"]);
    assert_eq!(
        (code, plan.contains("its rules cannot be used")),
        (2, true),
        "{plan}"
    );
}

#[test]
fn the_embedding_example_converges_and_keeps_its_databases() {
    let plane = ControlPlane::start(Options::new("tenant")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let kubeconfig = dir.path().join("kubeconfig");
    merged_kubeconfig(&[&plane], &kubeconfig).unwrap();
    let program = program("embed");
    let run = || texts(Command::new(&program).arg(&kubeconfig).output().unwrap());
    let (code, out, errors) = run();
    assert_eq!(code, 0, "{out}{errors}");
    assert_eq!(out.matches("create").count(), 6, "{out}");
    let (code, out, _) = run();
    assert_eq!(
        (code, out.as_str()),
        (0, "tenant: done\n"),
        "the second run has nothing to do"
    );
    // The program's own rule: a quota that somebody raised stays raised. What no rule gives away is repaired.
    let patch = |kind: &str, name: &str, patch: &str| {
        let mut kubectl = plane.kubectl().unwrap();
        let words = [
            "--namespace",
            "blue",
            "patch",
            kind,
            name,
            "--type",
            "merge",
            "--patch",
            patch,
        ];
        let (code, _, errors) = texts(kubectl.args(words).output().unwrap());
        assert_eq!(code, 0, "{errors}");
    };
    patch(
        "resourcequota",
        "default",
        r#"{"spec": {"hard": {"pods": "50"}}}"#,
    );
    assert_eq!(run().1, "tenant: done\n");
    patch("configmap", "database", r#"{"data": {"host": "elsewhere"}}"#);
    assert_eq!(run().1, "tenant: update ConfigMap blue/database\ntenant: done\n");
}
