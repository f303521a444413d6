//! Which files are read, and what is wrong in those of clusters.

use std::fs;

use serde_json::json;

use super::{SMALL, small};

#[test]
fn files_may_be_many_and_standard_input() {
    let lab = small();
    let clusters = fs::read(lab.path("c.yaml")).unwrap();
    lab.feed("--clusters - --workloads w.yaml", &clusters)
        .expect(0, &["2 placed"]);
    lab.feed("--clusters - --workloads -", &clusters)
        .expect(1, &["`-` is given twice"]);
    lab.feed("--clusters - --workloads w.yaml", b"clusters: [{nam: a}]")
        .expect(
            1,
            &["standard input:1: clusters[0]: unknown field `nam`: did you mean `name`?"],
        );
    // One cluster a document, and one more file.
    lab.file(
        "one.yaml",
        "name: a\nallocatable: {cpu: 4}\n---\nname: b\nallocatable: {cpu: 4}\n",
    );
    lab.file("two.json", r#"[{"name": "c", "allocatable": {"cpu": "4"}}]"#);
    lab.run("--clusters one.yaml --clusters two.json --workloads w.yaml --workloads workloads.yaml")
        .expect(2, &["7 workloads on 3 clusters"]);
    lab.run("--clusters one.yaml --clusters c.yaml --workloads w.yaml")
        .expect(
            1,
            &["c.yaml:2: clusters[0]: cluster a is listed already, at one.yaml:1"],
        );
}

#[test]
fn what_was_observed_takes_the_place_of_what_is_written() {
    let lab = small();
    // As the registry and status files beside a kubeconfig are.
    lab.file(
        "c.yaml",
        "clusters: {a: {labels: {zone: north}}, b: {lifeCycle: ready}}",
    );
    lab.file(
        "status.json",
        json!({"version": 1, "clusters": {
            "b": {"id": "u-1", "capacity": {"allocatable": {"cpu": "8"}, "requested": {}, "observedAt": 1}},
            "a": {"contact": {"state": "lost", "since": 1}},
            "gone": {"id": "u-2"},
        }})
        .to_string(),
    );
    lab.run(SMALL).expect(2, &["no cluster offers cpu"]);
    lab.run(&format!("{SMALL} --status status.json"))
        .expect(0, &["b ×3", "b ×1"]);
    lab.run(&format!("{SMALL} --status status.json --by cluster"))
        .expect(0, &["lost", "50% of 8"]);
    lab.run(&format!("{SMALL} --status none.json"))
        .expect(1, &["none.json: there is no such file"]);
    lab.file("status.json", "{}")
        .run(&format!("{SMALL} --status status.json"))
        .expect(1, &["is not a status file"]);
}

#[test]
fn every_mistake_in_clusters_is_an_error_with_its_place() {
    let lab = small();
    for (clusters, expect) in [
        (
            "clusters:\n- name: a\n  lable: {}\n",
            "c.yaml:3: clusters[0]: unknown field `lable`: did you mean `labels`?",
        ),
        (
            "name: a\nlifecycle: ready\n",
            "c.yaml:2: unknown field `lifecycle`: did you mean `lifeCycle`?",
        ),
        (
            "clusters: [{name: a, lifeCycle: redy}]",
            "c.yaml:1: clusters[0].lifeCycle: unknown value `redy`: did you mean `ready`?",
        ),
        (
            "clusters: {a: {taints: [{key: x, effect: NoSchedul}]}}",
            "clusters.a.taints[0].effect: unknown value `NoSchedul`",
        ),
        (
            "- name: a\n- name: b\n  labels:\n    x: 1\n",
            "c.yaml:4: [1].labels.x: expected a text, found a number: put it in quotes",
        ),
        (
            "- {name: a, allocatable: {cpu: -4}}",
            "c.yaml:1: [0].allocatable: cpu: -4 is negative",
        ),
        (
            "- {name: a, allocatable: {memory: many}}",
            "memory: \"many\" is not a quantity",
        ),
        (
            "- {name: a, allocatable: {cpu: 1e18}}",
            "is too large to be counted",
        ),
        (
            "- {name: a, observedAt: 2026-13-01}",
            "[0].observedAt: `2026-13-01` is not a time that there is",
        ),
        (
            "- name: a\n  kinds: [Pod.v1, deployments.v1.apps]",
            "c.yaml:2: [0].kinds[1]: `deployments.v1.apps` is not of the form Kind.version.group, such as Deployment.v1.apps",
        ),
        ("- {}", "c.yaml:1: [0]: `name` is missing"),
        (
            "- {name: a}\n- {name: a}",
            "c.yaml:2: [1]: cluster a is listed already, at c.yaml:1: which of the two is meant is not known",
        ),
        (
            "clusters: []\ndata: [{name: d, clusters: [a]}]",
            "c.yaml:2: data[0].clusters[0]: data d names cluster a, which is not listed",
        ),
        (
            "clusters: [{name: eu-1}]\nscores:\n- name: s\n  clusters:\n    eu1: 5",
            "c.yaml:5: scores[0].clusters.eu1: score s names cluster eu1, which is not listed; did you mean eu-1?",
        ),
        (
            "scores: [{name: s, clusters: {}}]\n---\nscores:\n- {name: s, clusters: {}}",
            "c.yaml:4: scores[0]: scores s are listed already, at c.yaml:1",
        ),
        (
            "clusters: []\nstorm:\n  percent: 200",
            "c.yaml:3: storm.percent: expected a percentage, a whole number from 0 to 100, found 200",
        ),
        (
            "storm: {atLeast: 0}",
            "storm.atLeast: expected a whole number, at least 1, found 0",
        ),
        ("calm: {tolerance: -1}", "calm.tolerance: expected a percentage"),
        (
            "budgets: {fleet: {limit: 1, per: 0s}}",
            "budgets.fleet.per: a limit for no time limits nothing",
        ),
        (
            "clusters: []\n---\nclusters: []\nbudget: {}\n",
            "c.yaml:4: unknown field `budget`: did you mean `budgets`?",
        ),
        ("storm: {}\n---\nstorm: {}\n", "c.yaml: `storm` is said twice"),
        ("", "c.yaml: is empty; write `clusters: []` for none"),
        ("# soon\n", "c.yaml: is empty"),
        ("clusters: [", "c.yaml:1:"),
        ("{\"clusters\": [{\"name\": \"a\"}", "c.yaml:1:"),
        ("five", "c.yaml:1: expected a mapping"),
        (
            "clusters: [5]",
            "c.yaml:1: clusters[0]: expected a mapping, found 5",
        ),
        ("\u{0}", "c.yaml:1:"),
    ] {
        let answer = lab.file("c.yaml", clusters).run(SMALL);
        assert!(
            answer.err.contains(expect),
            "{clusters:?}: expected {expect}: {}",
            answer.err
        );
        assert_eq!((answer.code, answer.out.as_str()), (1, ""), "{clusters:?}");
    }
    lab.run("--clusters none.yaml --workloads w.yaml")
        .expect(1, &["none.yaml: cannot be read"]);
}
