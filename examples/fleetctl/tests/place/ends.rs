//! Numbers at their ends, large fleets, and hostile names.

use std::fmt::Write as _;

use super::{Lab, SMALL, small};

#[test]
fn numbers_at_their_ends_make_nothing_panic() {
    let lab = small();
    let (most, least) = (u64::MAX, i64::MIN);
    let db = "{name: db, targets: [{replicas: 1}]}";
    let state = |assignment: &str| {
        format!("{{\"version\": 1, \"placements\": {{\"web\": {{\"targets\": {{\"1\": {assignment}}}}}}}}}")
    };
    let web = |fields: &str| format!("- {db}\n- {{name: web, needs: {{cpu: 1}}, {fields}}}\n");
    for fields in [
        format!("targets: [{{each: {most}}}]"),
        "targets: [{each: 0}, {replicas: 0}]".to_owned(),
        "targets: [{replicas: 3, spread: [{over: zone, min: 4294967295}]}]".to_owned(),
        format!("targets: [{{replicas: 3, spread: [{{over: zone, skew: {most}}}]}}]"),
        "targets: [{replicas: 3, overClusters: {min: 4294967295}}]".to_owned(),
        "targets: [{replicas: 3, divideBy: weight, bounds: [{max: 0}]}]".to_owned(),
        format!("targets: [{{replicas: 3, divideBy: weight, bounds: [{{weight: {most}, min: {most}}}]}}]"),
        format!("targets: [{{replicas: 3, divideBy: weight, bounds: [{{clusters: [a], weight: {most}}}]}}]"),
        format!("targets: [{{replicas: 3}}], moves: {{price: {most}, limit: 0, per: {most}}}"),
        format!("targets: [{{replicas: 3}}], lost: {{respin: {{after: {most}}}}}"),
        format!("targets: [{{replicas: 3}}], tolerations: [{{seconds: {most}}}]"),
        "targets: [{replicas: 3}], prefer: [{where: {}, weight: 2147483647}, {where: {}, weight: -2147483648}]"
            .to_owned(),
        format!("targets: [{{replicas: 3}}], expires: {most}"),
        "targets: [{replicas: 3}], expires: 0, priority: -2147483648, preempts: true".to_owned(),
        "targets: [{clusters: [none], replicas: 3}], beside: [{workload: none}]".to_owned(),
    ] {
        lab.file("w.yaml", web(&fields));
        for words in [SMALL, "--clusters c.yaml --workloads w.yaml --now 0 --drain a --explain"] {
            let answer = lab.run(words);
            assert!([0, 2].contains(&answer.code), "{fields}: {}", answer.err);
            assert!(answer.out.contains("db"), "{fields}: {}", answer.out);
        }
    }
    lab.file("w.yaml", web("targets: [{replicas: 3}]"));
    for assignment in [
        format!("{{\"a\": {{\"replicas\": {most}, \"since\": {most}}}, \"b\": {{\"replicas\": {most}}}}}"),
        format!("{{\"a\": {{\"replicas\": 1, \"going\": {most}, \"held\": {most}}}}}"),
        "{\"gone\": {\"replicas\": 3, \"going\": 3}, \"a\": {\"replicas\": 0}}".to_owned(),
        "{}".to_owned(),
    ] {
        lab.file("s.json", state(&assignment));
        for words in [
            "",
            "--healthy web@a --healthy web@b --stopped web@gone",
            "--lose a --explain",
        ] {
            let answer = lab.run(&format!("{SMALL} --previous s.json {words}"));
            assert!(
                [0, 1, 2].contains(&answer.code) && !answer.err.contains("panicked"),
                "{assignment}: {}",
                answer.err
            );
        }
    }
    for cluster in [
        format!("cost: {{cpu: {least}}}"),
        format!("requested: {{cpu: {0}, memory: {0}}}", 9_007_199_254_740_992_i64),
        "largestGap: {cpu: 0}".to_owned(),
        format!("observedAt: {most}, taints: [{{key: a, effect: NoExecute, since: {most}}}]"),
        format!("contact: {{state: lost, since: {most}}}"),
    ] {
        lab.file(
            "c.yaml",
            format!("- {{name: a, allocatable: {{cpu: 9}}, {cluster}}}"),
        );
        let answer = lab.run(&format!("{SMALL} --by cluster"));
        assert!([0, 2].contains(&answer.code), "{cluster}: {}", answer.err);
    }
    for limits in [
        format!("budgets: {{fleet: {{limit: 0, per: {most}}}, cluster: {{limit: {most}, per: 1}}}}"),
        format!("storm: {{atLeast: {most}, percent: 100}}"),
        "storm: {atLeast: 1, percent: 0}".to_owned(),
        format!(
            "scores: [{{name: s, weight: -2147483648, clusters: {{a: {least}, b: {}}}}}]",
            i64::MAX
        ),
    ] {
        lab.file(
            "c.yaml",
            format!("clusters: [{{name: a}}, {{name: b}}]\n{limits}\n"),
        );
        let answer = lab.run(&format!("{SMALL} --drain a"));
        assert!([0, 2].contains(&answer.code), "{limits}: {}", answer.err);
    }
}

#[test]
fn a_hundred_thousand_clusters_are_decided_on() {
    let lab = Lab::new();
    let mut clusters = String::from("{\"clusters\": [");
    for number in 0..100_000 {
        let comma = if number == 0 { "" } else { "," };
        write!(clusters, "{comma}{{\"name\": \"c-{number:06}\"}}").unwrap();
    }
    clusters.push_str("]}");
    lab.file("c.json", clusters);
    lab.file(
        "w.yaml",
        "- {name: few, targets: [{replicas: 3}]}\n- {name: none, needs: {fpga: 1}, targets: [{replicas: 1}]}\n",
    );
    lab.run("--clusters c.json --workloads w.yaml").expect(
        2,
        &[
            "c-000000 ×3",
            "no cluster offers fpga (likewise c-000001, c-000002, c-000003 and 99996 more)",
            "2 workloads on 100000 clusters",
        ],
    );
}

#[test]
fn names_cannot_confuse_a_terminal() {
    let lab = small();
    lab.file("c.yaml", "- {name: \"a\\e[31m\", allocatable: {cpu: 4}}\n");
    lab.file(
        "w.yaml",
        "- {name: \"web\\e]0;x\\a\", targets: [{replicas: 1}]}\n",
    );
    let answer = lab.run(&format!("{SMALL} --explain"));
    answer.expect(0, &["web\\u{1b}]0;x\\u{7}", "a\\u{1b}[31m ×1"]);
    assert!(
        !answer.out.chars().any(|c| c.is_control() && c != '\n'),
        "{:?}",
        answer.out
    );
}
