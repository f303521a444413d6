//! Clusters that are emptied or replaced, and what goes from them.

use serde_json::json;

use super::{SMALL, small};

#[test]
fn a_cluster_is_emptied_once_stand_ins_are_healthy() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &[]);
    lab.file(
        "c.yaml",
        "- {name: a, allocatable: {cpu: 4}, lifeCycle: draining}\n- {name: b, allocatable: {cpu: 4}}\n",
    );
    lab.run(&format!("{SMALL} --previous s.json --save s.json"))
        .expect(
            2,
            &[
                "a ×0 (-3, 3 going, draining)",
                "b ×3 (+3)",
                "3 move from a to b (its cluster is emptied)",
                "3 on a go once what stands in for them is healthy on b: --healthy web@b",
            ],
        );
    assert_eq!(lab.json("s.json")["moves"][0]["cause"], "drain");
    lab.run(&format!("{SMALL} --previous s.json --save s.json"))
        .expect(0, &["3 going"]);
    // What is healthy was seen after it was started.
    let later = SMALL.replace("18:05:00Z", "18:06:00Z");
    lab.run(&format!(
        "{later} --previous s.json --healthy web@b --save s.json"
    ))
    .expect(2, &["~ web", "b ×3"]);
    assert!(
        lab.json("s.json")["placements"]["web"]["targets"]["1"]
            .get("a")
            .is_none()
    );
}

#[test]
fn a_selector_that_loses_many_clusters_waits_for_one_approval() {
    let lab = small();
    let clusters = |tiers: [&str; 4]| {
        let listed = ["a", "b", "c", "d"].into_iter().zip(tiers);
        let listed = listed.map(|(name, tier)| {
            format!("- {{name: {name}, allocatable: {{cpu: 4}}, labels: {{tier: {tier}}}}}\n")
        });
        listed.collect::<String>()
    };
    lab.file("c.yaml", clusters(["prod"; 4]));
    lab.file(
        "w.yaml",
        "- {name: agent, needs: {cpu: 1}, targets: [{each: 1, where: {matchLabels: {tier: prod}}}]}\n",
    );
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &["4/4"]);
    lab.file("c.yaml", clusters(["prd", "prd", "prd", "prod"]));
    let asked = lab.run(&format!("{SMALL} --previous s.json"));
    asked.expect(
        2,
        &["3 on a, b, c wait for a person: 3 of the 4 clusters that it is on are no longer meant"],
    );
    let tokens: Vec<&str> = asked.out.split("--approve ").skip(1).collect();
    assert_eq!(tokens.len(), 1, "{}", asked.out);
    let token = tokens[0].split_whitespace().next().unwrap();
    lab.run(&format!("{SMALL} --previous s.json --approve {token}"))
        .expect(
            2,
            &["a ×0 (-1)", "1 stops on a (it may not be there any more)", "d ×1"],
        );
}

#[test]
fn a_cluster_is_replaced_from_run_to_run() {
    let lab = small();
    lab.file(
        "w.yaml",
        "- {name: web, needs: {cpu: 1}, targets: [{replicas: 3}]}\n",
    );
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &["a ×3"]);
    let at = |time: &str, words: &str| {
        let now = SMALL.replace("18:05:00Z", time);
        lab.run(&format!("{now} --previous s.json {words}"))
    };
    for (words, expect) in [
        ("--replace a", "write OLD=NEW"),
        ("--replace a=a", "a cluster cannot replace itself"),
        ("--replace a=z", "--replace z: no cluster of that name is listed"),
        ("--take-back a", "--take-back a: nothing replaces it"),
        ("--surge 2", "--replace"),
    ] {
        at("18:06:00Z", words).expect(1, &[expect]);
    }
    at("18:06:00Z", "--replace a=b --surge 2 --soak 30m --save s.json").expect(
        2,
        &[
            "a ×1 (-2, 2 going)",
            "b ×2 (+2)",
            "note: b replaces a: not everything is healthy",
        ],
    );
    assert_eq!(
        lab.json("s.json")["replacements"][0],
        json!({"from": "a", "to": "b", "surge": 2, "soak": 1_800_000})
    );
    // It goes on by itself, and can be taken back until the old copies go.
    at("18:07:00Z", "--healthy web@b --save s.json").expect(2, &["b ×3 (+1)"]);
    at("18:08:00Z", "--replace a=c").expect(1, &["no cluster of that name"]);
    at("18:08:00Z", "--healthy web@b --save s.json").expect(0, &["until 2026-11-27 18:38 UTC --take-back a"]);
    at("18:09:00Z", "--take-back a").expect(2, &["a ×3 (+3)", "b ×0 (-3, 3 going)", "--healthy web@a"]);
    at("18:40:00Z", "--take-back a").expect(1, &["the time for that is over"]);
    at("18:40:00Z", "--healthy web@b --save s.json")
        .expect(2, &["note: b has replaced a: it is empty, and may be removed"]);
    lab.file("c.yaml", "- {name: b, allocatable: {cpu: 4}}\n");
    at("18:41:00Z", "--save s.json").expect(0, &["b ×3"]);
    assert!(lab.json("s.json").get("replacements").is_none());
}

#[test]
fn a_drain_that_is_stuck_says_so() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json"))
        .expect(0, &["a ×3", "b ×1"]);
    let cluster = |name: &str, rest: &str| format!("- {{name: {name}, allocatable: {{cpu: 4}}{rest}}}\n");
    lab.file(
        "c.yaml",
        cluster("a", "") + &cluster("b", ", lifeCycle: draining") + &cluster("c", ", lifeCycle: draining"),
    );
    lab.run(&format!("{SMALL} --previous s.json --by cluster"))
        .expect(2, &["1 cannot leave: db (", "= empty: may be removed"]);
    lab.file(
        "c.yaml",
        cluster("a", ", lifeCycle: draining") + &cluster("b", ""),
    );
    lab.run(&format!("{SMALL} --previous s.json --by cluster"))
        .expect(2, &["3 will be gone once what stands in for them is healthy"]);
    lab.file(
        "c.yaml",
        "clusters:\n".to_owned()
            + &cluster("a", ", lifeCycle: draining")
            + &cluster("b", "")
            + "budgets: {fleet: {limit: 2, per: 1h}}\n",
    );
    lab.run(&format!("{SMALL} --previous s.json --by cluster"))
        .expect(
            2,
            &[
                "1 cannot leave: web (as many replicas have moved of late as may)",
                "2 will be gone once",
            ],
        );
    lab.file(
        "c.yaml",
        cluster("a", ", lifeCycle: draining") + &cluster("b", ""),
    );
    lab.file(
        "w.yaml",
        "- {name: web, targets: []}\n- {name: db, targets: [{clusters: [b], replicas: 1}]}\n",
    );
    lab.run(&format!("{SMALL} --previous s.json --by cluster"))
        .expect(2, &["3 cannot leave: web (it cannot be understood)"]);
}

#[test]
fn what_has_no_other_place_runs_still() {
    let lab = small();
    let web = |replicas: u64| {
        let target = format!("{{where: {{matchLabels: {{zone: north}}}}, replicas: {replicas}}}");
        lab.file(
            "w.yaml",
            format!("- {{name: web, needs: {{cpu: 1}}, targets: [{target}]}}\n"),
        );
    };
    web(3);
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &["a ×3"]);
    lab.file(
        "c.yaml",
        "- {name: a, labels: {zone: north}, allocatable: {cpu: 4}, lifeCycle: draining}\n",
    );
    for (replicas, short, stuck, told) in [
        (
            3,
            0,
            3,
            &[
                "3 of 3 have no other place to go to",
                "3 replicas, 3 with no other place to go to",
            ][..],
        ),
        (
            5,
            2,
            3,
            &[
                "2 of 5 have no place: ",
                "3 of 5 have no other place to go to: ",
                "3 replicas, 2 without a place, 3 with no other place to go to",
            ],
        ),
    ] {
        web(replicas);
        lab.run(&format!("{SMALL} --previous s.json")).expect(2, told);
        let json = lab
            .run(&format!("{SMALL} --previous s.json --output json"))
            .json();
        let summary = &json["summary"];
        assert_eq!(
            (&summary["short"], &summary["stuck"]),
            (&json!(short), &json!(stuck))
        );
    }
}

#[test]
fn stateful_replicas_go_one_by_one_while_others_of_them_stay() {
    let lab = small();
    const AT: &str = "--clusters c.yaml --workloads w.yaml --now 2026-11-27T18";
    let of = |replicas: u64| {
        lab.file(
            "w.yaml",
            format!(
                "- {{name: db, nature: stateful, needs: {{cpu: 1}}, targets: [{{replicas: {replicas}}}]}}\n"
            ),
        );
    };
    of(3);
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &["a ×3"]);
    of(2);
    lab.run(&format!("{AT}:10:00Z --previous s.json --save s.json"))
        .expect(
            2,
            &["1 on a goes once no more than 2 of it run there: --stopped db@a=2"],
        );
    lab.run(&format!("{AT}:11:00Z --previous s.json --stopped db@a=3"))
        .expect(0, &["1 on a goes once no more than 2 of it run there"]);
    let gone = lab.run(&format!("{AT}:11:00Z --previous s.json --stopped db@a=2"));
    gone.expect(2, &["a ×2"]);
    assert!(!gone.out.contains("goes once"), "{}", gone.out);
    lab.run(&format!("{SMALL} --previous s.json --stopped db@a=x"))
        .expect(
            1,
            &["--stopped db@a=x: write WORKLOAD@CLUSTER, or WORKLOAD@CLUSTER=2 where 2 of it run still"],
        );
}
