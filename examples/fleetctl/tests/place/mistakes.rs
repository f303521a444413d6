//! What is wrong with workloads stops no other.

use serde_json::json;

use super::{SMALL, small};

/// A workload `web` that is wrong, and what is told of it.
const WRONG: [(&str, &str); 26] = [
    (
        "targets: [{replicas: -1}]",
        "w.yaml:2: [1].targets[0].replicas: -1 is not a whole number from 0 to 18446744073709551615",
    ),
    ("targets: [{replicas: 1.5}]", "1.5 is not a whole number"),
    (
        "targets: [{replicas: -18446744073709551617}]",
        "replicas: -18446744073709551617 is not a whole number",
    ),
    (
        "targets: [{replicas: 2e20}]",
        "replicas: 2e20 is not a whole number",
    ),
    (
        "targets: [{replicas: 99999999999999999999}]",
        "[1].targets[0].replicas: 99999999999999999999 is not a whole number from 0 to 18446744073709551615",
    ),
    (
        "targets: [{replicas: 18446744073709551615}]",
        "the most that can be decided on",
    ),
    (
        "needs: {cpu: 9000000000000}, targets: [{replicas: 1000000}]",
        "need together is too large to be counted",
    ),
    (
        "needs: {cpu: -1}, targets: [{replicas: 1}]",
        "[1].needs: cpu: -1 is negative",
    ),
    (
        "needs: {cpu: true}, targets: [{replicas: 1}]",
        "[1].needs.cpu: expected a quantity",
    ),
    (
        "needs: [1], targets: [{replicas: 1}]",
        "[1].needs: expected a mapping, found a list",
    ),
    (
        "kinds: [Pod.v1, Deployment], targets: [{replicas: 1}]",
        "[1].kinds[1]: `Deployment` is not of the form Kind.version.group, such as Deployment.v1.apps, or Pod.v1",
    ),
    (
        "kinds: [apps/v1/Deployment], targets: [{replicas: 1}]",
        "[1].kinds[0]: `apps/v1/Deployment` is not of the form",
    ),
    ("targets: []", "it has no targets"),
    (
        "target: [{replicas: 1}]",
        "[1]: unknown field `target`: did you mean `targets`?",
    ),
    (
        "targets: [{replicas: 1, spread: [{ovr: zone}]}]",
        "[1].targets[0].spread[0]: unknown field `ovr`: did you mean `over`?",
    ),
    (
        "targets: [{replicas: 1, spread: [{over: zone, min: 3, max: 2}]}]",
        "domains of zone: at least 3, but at most 2",
    ),
    (
        "targets: [{replicas: 1, where: {matchLabels: {zone: north}, matchExpressions: [{key: zone, operator: In, values: [south]}]}}]",
        "no cluster can meet these together: label zone is north; label zone is south",
    ),
    (
        "targets: [{replicas: 1, where: {matchProperties: [{key: m, operator: Gt, values: ['5']}, {key: m, operator: Lt, values: ['6']}]}}]",
        "no cluster can meet these together: property m > 5; property m < 6",
    ),
    (
        "targets: [{replicas: 1, where: {matchProperties: [{key: m, operator: Gt, values: [5]}]}}]",
        "values[0]: expected a text, found a number",
    ),
    (
        "targets: [{replicas: 1, divideBy: weight, bounds: [{weight: 0}]}]",
        "all weights are 0",
    ),
    (
        "targets: [{replicas: 1}], beside: [{workload: web}]",
        "it waits for itself",
    ),
    (
        "targets: [{replicas: 1}], beside: [{workload: x}], apart: [{workload: x}]",
        "beside x and keep away from it",
    ),
    (
        "targets: [{replicas: 1}], lost: respin",
        "[1].lost: `respin` needs a time: write {respin: {after: 10m}}",
    ),
    (
        "targets: [{replicas: 1}], lost: {respin: {after: 10 minutes}}",
        "[1].lost.respin.after: `10 minutes` is not a span of time",
    ),
    (
        "targets: [{replicas: 1}], prefer: [{where: {}, weight: 1000}]",
        "w.yaml:2: [1].prefer[0].weight: 1000 is not a whole number from -100 to 100",
    ),
    (
        "targets: [{replicas: 1}], moves: {per: -5}",
        "[1].moves.per: expected a span of time such as 10m",
    ),
];

#[test]
fn a_wrong_workload_is_told_stays_and_stops_no_other() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &[]);
    let before = lab.json("s.json")["placements"].clone();
    let db = "- {name: db, needs: {cpu: 1}, targets: [{clusters: [b], replicas: 2}]}\n";
    for (fields, expect) in WRONG {
        lab.file("w.yaml", format!("{db}- {{name: web, {fields}}}\n"));
        let answer = lab.run(&format!("{SMALL} --previous s.json --save t.json"));
        answer.expect(
            2,
            &[
                expect,
                "invalid",
                "a ×3",
                "what runs stays where it is",
                "b ×2 (+1)",
            ],
        );
        let after = lab.json("t.json")["placements"].clone();
        assert_eq!(after["web"], before["web"], "{fields}");
        assert_eq!(after["db"]["targets"]["1"]["b"]["replicas"], 2, "{fields}");
        let fresh = lab.run(SMALL);
        fresh.expect(2, &[expect, "1 placed, 1 invalid", "w.yaml:2: [1]"]);
        let json = lab.run(&format!("{SMALL} --output json")).json();
        let problems = json["problems"].as_array().unwrap();
        assert_eq!((problems.len(), &problems[0]["line"]), (1, &json!(2)), "{fields}");
    }
    // Circles have more than one in them.
    lab.file(
        "w.yaml",
        "- {name: web, targets: [{replicas: 1}], beside: [{workload: db}]}\n\
         - {name: db, targets: [{replicas: 1}], beside: [{workload: web}]}\n",
    );
    lab.run(&format!("{SMALL} --previous s.json --save t.json"))
        .expect(2, &["it waits for itself: db beside web beside db", "2 invalid"]);
    let after = lab.json("t.json")["placements"].clone();
    for name in ["web", "db"] {
        assert_eq!(after[name]["targets"], before[name]["targets"], "{name}");
    }
    // Twice is not known which.
    lab.file(
        "w.yaml",
        format!("{db}- {{name: web, targets: [{{each: 1}}]}}\n- {{name: web, targets: [{{each: 2}}]}}\n"),
    );
    lab.run(&format!("{SMALL} --previous s.json --save t.json"))
        .expect(2, &["w.yaml:3: [2]: it is listed already, at w.yaml:2"]);
    assert_eq!(lab.json("t.json")["placements"]["web"], before["web"]);
    // One whose name cannot be read may be any.
    lab.file("w.yaml", format!("{db}- {{nam: web, targets: [{{each: 1}}]}}\n"));
    lab.run(&format!("{SMALL} --previous s.json --save t.json"))
        .expect(2, &["did you mean `name`?"]);
    assert_eq!(lab.json("t.json")["placements"]["web"], before["web"]);
}
