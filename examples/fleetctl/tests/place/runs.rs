//! From one run to the next.

use std::fs;

use serde_json::json;

use super::{SMALL, small};

#[test]
fn runs_are_chained_and_the_second_changes_nothing() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json"))
        .expect(0, &["web", "a ×3", "2 placed"]);
    lab.run(&format!("{SMALL} --previous s.json"))
        .expect(0, &["nothing changed since"]);

    // Output for programs will do, too.
    let json = lab.run(&format!("{SMALL} --previous s.json --output json"));
    json.expect(0, &[]);
    let first = json.json();
    lab.file("o.json", &json.out);
    lab.run(&format!("{SMALL} --previous o.json"))
        .expect(0, &["nothing changed since"]);
    assert_eq!(first["placements"], lab.json("s.json")["placements"]);
    assert_eq!(first["byWorkload"]["web"], json!({"a": 3}));
    assert_eq!(first["byCluster"]["b"]["workloads"], json!({"db": 1}));
    assert_eq!(
        first["byCluster"]["b"]["resources"]["cpu"],
        json!({"offered": "4", "used": "1", "percent": 25})
    );
    assert_eq!(first["summary"]["replicas"], 4);
    assert_eq!(first["changes"], json!([]));

    // What is new is put beside what is there, and what is not wanted any more goes.
    lab.file(
        "w.yaml",
        "- {name: web, needs: {cpu: 1}, targets: [{replicas: 4}]}\n",
    );
    let other = lab.run(&format!("{SMALL} --previous s.json --save s.json"));
    other.expect(
        2,
        &[
            "~ web",
            "a ×4 (+1)",
            "- db",
            "removed",
            "b ×0 (-1)",
            "2 workloads changed",
        ],
    );
    assert_eq!(lab.json("s.json")["placements"].as_object().unwrap().len(), 1);
    lab.run(&format!("{SMALL} --previous s.json")).expect(0, &[]);
}

#[test]
fn a_workload_that_ended_frees_its_place() {
    let lab = small();
    lab.file(
        "w.yaml",
        "{name: train, needs: {cpu: 4}, targets: [{replicas: 2}], completes: true}",
    );
    lab.run(&format!("{SMALL} --save s.json"))
        .expect(0, &["a ×1, b ×1"]);
    lab.run(&format!("{SMALL} --previous s.json --finished train"))
        .expect(2, &["finished", "a ×0 (-1), b ×0 (-1)"]);
}

#[test]
fn what_is_better_off_elsewhere_moves_when_that_is_asked_for() {
    let lab = small();
    lab.file(
        "w.yaml",
        "- {name: web, needs: {cpu: 1}, targets: [{replicas: 3}]}\n",
    );
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &["a ×3"]);
    let later = "--clusters c.yaml --workloads w.yaml --now 2026-11-28T18:05:00Z --previous s.json";
    lab.file(
        "cheap.yaml",
        "{name: c, allocatable: {cpu: 8}, cost: {cpu: -500}}",
    );
    lab.run(&format!("{later} --with cheap.yaml"))
        .expect(0, &["nothing would change"]);
    lab.run(&format!("{later} --with cheap.yaml --rebalance"))
        .expect(2, &["c ×3 (+3)", "3 move from a to c (it is better off there)"]);
}

#[test]
fn what_is_stopped_to_make_room_is_told_at_both() {
    let lab = small();
    lab.file(
        "w.yaml",
        "- {name: lo, needs: {cpu: 1}, targets: [{replicas: 8}]}\n",
    );
    lab.run(&format!("{SMALL} --save s.json"))
        .expect(0, &["a ×4, b ×4"]);
    lab.file(
        "w.yaml",
        "- {name: lo, needs: {cpu: 1}, targets: [{replicas: 8}]}\n\
         - {name: hi, priority: 9, preempts: true, needs: {cpu: 2}, targets: [{replicas: 1}]}\n",
    );
    let told = lab.run(&format!("{SMALL} --previous s.json"));
    told.expect(2, &["2 stopped to make room"]);
    let stopped = "2 of lo on a were stopped to make room for hi";
    assert_eq!(told.out.matches(stopped).count(), 2, "{}", told.out);
    assert!(!told.out.contains("move"), "{}", told.out);
}

#[test]
fn nothing_clears_a_placement() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &[]);
    let saved = fs::read_to_string(lab.path("s.json")).unwrap();
    let before = lab.json("s.json")["placements"].clone();
    let again = format!("{SMALL} --previous s.json --save s.json");
    // Files that cannot be read: an error, and what was saved stays as it was.
    for (name, content, expect) in [
        ("w.yaml", "", "w.yaml: is empty; write `workloads: []` for none"),
        ("w.yaml", "workloads:\n", "w.yaml:1: workloads: expected a list"),
        (
            "w.yaml",
            "workloads: {web: {}}",
            "w.yaml:1: workloads: expected a list",
        ),
        (
            "w.yaml",
            "workload: []\n",
            "w.yaml:1: expected a list of workloads, perhaps below `workloads`",
        ),
        (
            "w.yaml",
            "workloads: []\nmore: 1\n",
            "w.yaml:2: more: unknown field `more`",
        ),
        ("w.yaml", "- name: web\n  targets: [", "w.yaml:2:"),
        ("w.yaml", "web", "expected a list of workloads"),
        ("s.json", "", "s.json: is not one document"),
        ("s.json", "{}", "s.json:1: `version` is missing"),
        ("s.json", "{\"version\": 1}", "s.json:1: `placements` is missing"),
        (
            "s.json",
            "{\"version\": 2, \"placements\": {}}",
            "s.json: is of version 2, not 1",
        ),
        ("s.json", &saved[..saved.len() / 2], "s.json:"),
        ("s.json", "[]", "s.json: is not a mapping"),
    ] {
        let good = fs::read(lab.path(name)).unwrap();
        lab.file(name, content);
        let answer = lab.run(&again);
        assert!(
            answer.out.contains(expect) || answer.err.contains(expect),
            "{content:?}: {}{}",
            answer.out,
            answer.err
        );
        assert_ne!(answer.code, 0, "{content:?}");
        lab.file(name, good);
        assert_eq!(lab.json("s.json")["placements"], before, "{content:?}");
    }
    // No clusters: nothing fits, and everything is where it was.
    lab.file("c.yaml", "clusters: []");
    lab.run(&again)
        .expect(2, &["2 workloads on 0 clusters", "left the fleet"]);
    let after = lab.json("s.json")["placements"].clone();
    for name in ["web", "db"] {
        assert_eq!(after[name]["targets"], before[name]["targets"], "{name}");
    }
    lab.run(SMALL)
        .expect(2, &["2 unschedulable", "no cluster passes all filters"]);
    // A resource that nobody offers.
    lab.file(
        "c.yaml",
        "- {name: a, allocatable: {cpu: 4}}\n- {name: b, allocatable: {cpu: 4}}\n",
    );
    lab.file(
        "w.yaml",
        "- {name: new, needs: {fpga: 1}, targets: [{replicas: 1}]}",
    );
    lab.run(SMALL)
        .expect(2, &["1 of 1 has no place", "no cluster offers fpga"]);
    // A previous file that is not there is a mistake, not a fleet in which nothing runs.
    lab.run(&format!("{SMALL} --previous none.json"))
        .expect(1, &["none.json: cannot be read"]);
}
