//! What is told beside what is decided: what has no effect, and what is not as it was asked for.

use super::{SMALL, small};

#[test]
fn what_is_said_to_be_known_has_an_effect_or_is_told() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &[]);
    let say = |words: &str| lab.run(&format!("{SMALL} --previous s.json {words}"));
    say("--finished web").expect(1, &["--finished web: it does not end by itself"]);
    say("--finished wep").expect(1, &["no such workload; did you mean web?"]);
    say("--stopped web@b").expect(0, &["note: --stopped web@b: nothing of web is on b"]);
    say("--healthy web@b").expect(0, &["note: --healthy web@b: nothing of web is on b"]);
    say("--healthy web@z").expect(1, &["no cluster of the name z is listed"]);
    say("--stopped wep@b").expect(1, &["did you mean web?"]);
    say("--approve 1234").expect(1, &["no proposal has this token, and nothing waits for a person"]);
    let json = say("--stopped web@b --output json").json();
    assert_eq!(json["notes"].as_array().unwrap().len(), 1);
}

#[test]
fn what_matches_nothing_is_told() {
    let lab = small();
    let web = |fields: &str| format!("- {{name: web, {fields}}}\n");
    for (fields, code, expect) in [
        (
            "targets: [{where: {matchLabels: {zone: mars}}, each: 1}]",
            2,
            "no cluster matches label zone is mars",
        ),
        (
            "targets: [{where: {matchLabels: {zone: mars}}, elseWhere: [{matchLabels: {zone: west}}], each: 1}]",
            2,
            "no cluster matches label zone is mars or label zone is west",
        ),
        ("kinds: [Pod.v1], targets: [{each: 1}]", 0, ""),
        (
            "targets: [{replicas: 1, bounds: [{clusters: [zz], max: 1}]}]",
            0,
            "bounds: no cluster is called zz",
        ),
        (
            "targets: [{replicas: 1, bounds: [{where: {matchLabels: {zone: mars}}, max: 1}]}]",
            0,
            "bounds: no cluster matches label zone is mars",
        ),
        (
            "targets: [{replicas: 1}], prefer: [{where: {matchLabels: {zone: mars}}, weight: 5}]",
            0,
            "prefer: no cluster matches label zone is mars",
        ),
        (
            "targets: [{replicas: 1}], apart: [{workload: db}]",
            0,
            "apart: there is no workload db",
        ),
        (
            "targets: [{replicas: 1}], apart: [{workload: web2, over: zoen}]",
            0,
            "apart: no cluster has the label zoen",
        ),
        (
            "targets: [{replicas: 1}], lost: {follow: db}",
            0,
            "lost: there is no workload db to follow",
        ),
        (
            "targets: [{replicas: 1}], survives: {any-domain: zoen}",
            0,
            "survives: no cluster has the label zoen",
        ),
        (
            "targets: [{replicas: 1}], moves: {limit: 1, per: 0s}",
            0,
            "moves: a limit for no time",
        ),
    ] {
        let told = lab.file("w.yaml", web(fields)).run(SMALL);
        told.expect(code, &[expect]);
        assert_eq!(
            told.out.contains("    ! "),
            !expect.is_empty(),
            "{fields}: {}",
            told.out
        );
    }
    // They mean some, and none takes it.
    lab.file(
        "c.yaml",
        "- {name: a, lifeCycle: cordoned, labels: {zone: north}}\n",
    );
    lab.file(
        "w.yaml",
        web("targets: [{where: {matchLabels: {zone: north}}, each: 1}]"),
    );
    lab.run(SMALL)
        .expect(2, &["0/0", "no cluster that it means can take it"]);
    lab.file("c.yaml", "clusters: []");
    lab.run(SMALL).expect(2, &["note: the fleet has no clusters"]);
    lab.file("c.yaml", "clusters: [{name: a}]\nstorm: {domain: rigeon}");
    lab.run(SMALL)
        .expect(2, &["note: storm.domain: no cluster has the label rigeon"]);
}

#[test]
fn what_has_no_effect_is_told() {
    let lab = small();
    // What is said of `web`, and what is told; empty: nothing.
    for (fields, expect) in [
        (
            "targets: [{replicas: 1, bounds: [{clusters: [a], weight: 2}]}]",
            "! bounds: a weight has no effect with `divideBy: fewest`",
        ),
        (
            "targets: [{name: x, replicas: 1}, {replicas: 1, divideBy: cost, bounds: [{weight: 0}]}]",
            "! target 2: bounds: a weight has no effect with `divideBy: cost`",
        ),
        (
            "targets: [{replicas: 1, divideBy: weight, bounds: [{clusters: [a], weight: 2}]}]",
            "",
        ),
        ("targets: [{replicas: 1, bounds: [{clusters: [a], max: 2}]}]", ""),
        (
            "targets: [{replicas: 1}], nature: singleton, lost: {respin: {after: 10m}}",
            "! lost: respin starts nothing elsewhere by itself, for there must never be two of it",
        ),
        (
            "targets: [{replicas: 2}], nature: stateful, lost: {follow: db}",
            "! lost: follow starts nothing elsewhere by itself",
        ),
        ("targets: [{replicas: 2}], nature: stateful, lost: hold", ""),
        ("targets: [{replicas: 2}], lost: {respin: {after: 10m}}", ""),
        (
            "targets: [{replicas: 1}], survives: any-cluster",
            "! survives: room is kept, and with `lost: hold` nothing uses it before a person approves",
        ),
        (
            "targets: [{replicas: 1}], survives: any-cluster, lost: shrink",
            "! survives: room is kept for nothing",
        ),
        (
            "targets: [{replicas: 1}], survives: any-cluster, lost: {respin: {after: 10m}}",
            "",
        ),
        (
            "targets: [{replicas: 1}], lost: {follow: web}",
            "! lost: it follows itself, so nothing says where it goes",
        ),
        ("targets: [{replicas: 1}], lost: {follow: db}", ""),
        (
            "targets: [{replicas: 1}], data: [{name: orders, preferred: true}]",
            "",
        ),
        (
            "targets: [{replicas: 1}], data: [{name: ordres, preferred: true}]",
            "! data: no cluster has the data ordres",
        ),
        (
            "targets: [{replicas: 1}], data: [{name: old, preferred: true}]",
            "! data: where old is was sure until a time that is over",
        ),
    ] {
        lab.file(
            "c.yaml",
            "clusters:\n- {name: a, allocatable: {cpu: 4}}\n- {name: b, allocatable: {cpu: 4}}\n\
             data:\n- {name: orders, clusters: [a]}\n- {name: old, clusters: [a], until: 2026-01-01T00:00:00Z}\n",
        );
        lab.file(
            "w.yaml",
            format!("- {{name: web, {fields}}}\n- {{name: db, targets: [{{replicas: 1}}]}}\n"),
        );
        let told = lab.run(SMALL);
        told.expect(0, &[expect]);
        assert_eq!(
            told.out.contains("    ! "),
            !expect.is_empty(),
            "{fields}: {}",
            told.out
        );
    }
    // Rings are told at each that is in one, and at no other.
    let follow = |name: &str, other: &str| {
        format!("- {{name: {name}, targets: [{{replicas: 1}}], lost: {{follow: {other}}}}}\n")
    };
    lab.file(
        "w.yaml",
        [
            follow("a", "c"),
            follow("b", "c"),
            follow("c", "d"),
            follow("d", "b"),
            follow("e", "e"),
        ]
        .concat(),
    );
    let told = lab.run(SMALL);
    told.expect(
        0,
        &[
            "it follows itself, by way of c, d, so",
            "it follows itself, by way of d, b, so",
            "it follows itself, by way of b, c, so",
            "it follows itself, so",
        ],
    );
    assert_eq!(told.out.matches("it follows itself").count(), 4, "{}", told.out);
}

#[test]
fn what_is_of_another_time_or_called_as_what_is_built_in_is_told() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &[]);
    let before = SMALL.replace("18:05:00Z", "18:04:30Z");
    let told = "note: --now is 2026-11-27 18:04:30 UTC, and --previous was decided for 2026-11-27 18:05 UTC";
    lab.run(&format!("{before} --previous s.json")).expect(0, &[told]);
    assert!(
        !lab.run(&format!("{SMALL} --previous s.json"))
            .out
            .contains("note")
    );

    let cluster = |name: &str| {
        format!("- {{name: {name}, observedAt: 2026-11-27T18:05:01Z, allocatable: {{cpu: 4}}}}\n")
    };
    lab.file("c.yaml", ["a", "b", "c", "d", "e"].map(cluster).concat());
    lab.run(SMALL).expect(
        0,
        &["note: observedAt of a, b, c and 2 more is later than 2026-11-27 18:05 UTC"],
    );
    let after = SMALL.replace("18:05:00Z", "18:05:01Z");
    assert!(!lab.run(&after).out.contains("note"));

    let scores =
        |name: &str| format!("clusters: [{{name: a}}]\nscores: [{{name: {name}, clusters: {{a: 1}}}}]\n");
    lab.file("w.yaml", "[]").file("c.yaml", scores("cost"));
    lab.run(SMALL).expect(
        0,
        &["note: scores cost: a scorer that is built in has this name, and both count"],
    );
    lab.file("c.yaml", scores("costs"));
    assert!(!lab.run(SMALL).out.contains("note"));
}

#[test]
fn what_a_full_cluster_lacks_is_told() {
    let lab = small();
    lab.file(
        "w.yaml",
        "- {name: web, needs: {cpu: 1500m}, targets: [{replicas: 4, where: {matchLabels: {zone: north}}}]}\n",
    );
    let told = lab.run(SMALL);
    // The nearest miss comes first.
    let (near, far) = (
        told.out.find("- a: cpu: 1500m is needed, 1 is free"),
        told.out.find("- b: label zone"),
    );
    assert!(near.is_some() && near < far, "{}", told.out);
    lab.run(&format!("{SMALL} --explain a")).expect(
        2,
        &["rank 1 of those that can take it; no more come: cpu: 1500m is needed, 1 is free"],
    );
    let json = lab.run(&format!("{SMALL} --explain a --output json")).json();
    assert_eq!(
        json["explanations"][0]["targets"][0]["clusters"][0]["limit"][0]["code"],
        "no-room"
    );
}

#[test]
fn lines_say_of_which_target_they_are() {
    let lab = small();
    lab.file(
        "w.yaml",
        "- name: web\n  needs: {cpu: 3}\n  targets:\n\
         \x20 - {clusters: [a], replicas: 2}\n\
         \x20 - {name: south, clusters: [b], replicas: 2}\n",
    );
    lab.run(SMALL).expect(
        2,
        &[
            "! target 1: 1 of 2 has no place",
            "- target 1: a: cpu: 3 is needed, 1 is free",
            "> target 1: would help: 2 more cpu on a",
            "! target south: 1 of 2 has no place",
            "- target south: b: cpu: 3 is needed, 1 is free",
            "> target south: would help: 2 more cpu on b",
        ],
    );
    // Where there is one, it is clear which is meant.
    lab.file(
        "w.yaml",
        "- {name: web, needs: {cpu: 3}, targets: [{clusters: [a], replicas: 2}]}\n",
    );
    lab.run(SMALL).expect(
        2,
        &["    - a: cpu: 3 is needed", "    > would help: 2 more cpu on a"],
    );
}

#[test]
fn limits_that_are_not_met_are_told() {
    let lab = small();
    for (target, expect) in [
        (
            "replicas: 1, spread: [{over: zone, min: 2}]",
            "in 1 domain of zone, at least 2 asked for",
        ),
        (
            "replicas: 2, overClusters: {min: 3}",
            "on 2 clusters, at least 3 asked for",
        ),
        (
            "replicas: 4, divideBy: weight, bounds: [{clusters: [a], min: 3}, {clusters: [b], min: 3}]",
            "asked for",
        ),
    ] {
        lab.file(
            "w.yaml",
            format!("- {{name: web, needs: {{cpu: 1}}, targets: [{{{target}}}]}}\n"),
        );
        let told = lab.run(SMALL);
        assert!(told.out.contains(expect), "{target}: {}", told.out);
    }
}
