//! Why, and what if.

use std::fs;

use serde_json::json;

use super::{FILES, Lab, SMALL, small};

#[test]
fn explanations_are_of_all_or_of_one_cluster() {
    let lab = Lab::new();
    let at = format!("{FILES} --now 2026-11-27T18:05:00Z");
    lab.run(&format!("{at} --workload shop/web --explain")).expect(
        2,
        &[
            "target 1: 9 replicas asked for",
            "not on us-2: it is cordoned",
            "label tier is prod is asked for, it is lab",
        ],
    );
    let one = lab.run(&format!(
        "{at} --explain us-2 --workload ml/train --workload shop/db"
    ));
    one.expect(
        2,
        &[
            "us-2: nothing of it is here",
            "refused by in-service: it is cordoned: nothing new comes",
        ],
    );
    assert!(!one.out.contains("shop/web"), "{}", one.out);
    lab.run(&format!("{at} --explain eu-1 --workload shop/web"))
        .expect(2, &["3 replicas are here", "rank 1", "latency", "in all"]);
    let json = lab.run(&format!("{at} --explain eu-1 --output json")).json();
    let explanations = json["explanations"].as_array().unwrap();
    assert_eq!(explanations.len(), 5);
    for one in explanations {
        let clusters = one["targets"][0]["clusters"].as_array().unwrap();
        assert_eq!((clusters.len(), &clusters[0]["cluster"]), (1, &json!("eu-1")));
    }
    lab.run(&format!("{at} --explain eu-9"))
        .expect(1, &["--explain eu-9: no cluster", "did you mean eu-"]);
    lab.run(&format!("{at} --workload shop/wep"))
        .expect(1, &["no such workload; did you mean shop/web?"]);
    lab.run(&format!("{at} --healthy shop/web"))
        .expect(1, &["write WORKLOAD@CLUSTER"]);
    lab.run(&format!("{at} --healthy shop/web@us-3"))
        .expect(1, &["did you mean us-"]);
    lab.run(&format!("{at} --finished none"))
        .expect(1, &["no such workload"]);
    lab.run(&format!("{at} --explain --now soon")).expect(1, &[]);
    lab.run("--clusters clusters.yaml --workloads workloads.yaml --now tomorrow")
        .expect(1, &["`tomorrow` is not a time"]);
}

#[test]
fn what_is_not_in_the_fleet_is_explained() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json"))
        .expect(0, &["a ×3", "b ×1"]);
    let ask = |words: &str| lab.run(&format!("{SMALL} --previous s.json {words}"));
    ask("--without b --explain b").expect(
        2,
        &[
            "note: --explain b: --without leaves it out of the fleet; placed there: db ×1",
            "b: 1 replica is here",
            "it is not in the fleet: back in it, 3 more would fit",
            "b: nothing of it is here",
        ],
    );
    lab.file("c.yaml", "- {name: b, allocatable: {cpu: 4}}\n");
    let left = ask("--explain a");
    left.expect(
        2,
        &[
            "note: --explain a: it is not in the fleet any more; placed there: web ×3; list it in --clusters again",
            "a: 3 replicas are here",
            "refused by target: it is not in the fleet",
            "a: nothing of it is here",
        ],
    );
    ask("--explain").expect(2, &["on a: 3", "not on a: it is not in the fleet"]);
    let json = ask("--explain a --output json").json();
    let clusters = |at: usize| &json["explanations"][at]["targets"][0]["clusters"];
    assert_eq!(clusters(1)[0]["refusals"][0]["reason"]["code"], "not-in-fleet");
    assert_eq!(
        (&clusters(0)[0]["replicas"], &clusters(1)[0]["replicas"]),
        (&json!(0), &json!(3))
    );
    // What else keeps it away is told, too.
    let lost =
        "- {name: a, allocatable: {cpu: 4}}\n- {name: b, allocatable: {cpu: 4}, lifeCycle: cordoned}\n";
    lab.file("c.yaml", lost);
    ask("--without b --explain b --workload web").expect(
        2,
        &[
            "back in it, it would be refused all the same",
            "it is cordoned: nothing new comes",
        ],
    );
    ask("--explain c").expect(1, &["--explain c: no cluster of that name is listed"]);
}

#[test]
fn what_if_is_told_and_never_saved() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &[]);
    let before = fs::read_to_string(lab.path("s.json")).unwrap();
    lab.file("more.yaml", "name: c\nallocatable: {cpu: 8}\n");
    let ask = |words: &str| lab.run(&format!("{SMALL} --previous s.json {words}"));

    ask("--drain a").expect(
        2,
        &[
            "WHAT IF: cluster a is drained",
            "nothing of this is saved",
            "b ×3 (+3)",
            "1 of 2 workloads would be otherwise",
        ],
    );
    ask("--drain b").expect(
        2,
        &[
            "placed → unschedulable",
            "1 of 1 has no other place",
            "b ×1 (draining)",
        ],
    );
    ask("--cordon a").expect(0, &["nothing would change"]);
    ask("--lose a").expect(2, &["a ×3 (lost)", "3 on a wait for a person"]);
    ask("--without b").expect(2, &["b ×1 (left the fleet)", "waits for a person"]);
    ask("--with more.yaml").expect(0, &["with cluster c of more.yaml", "nothing would change"]);
    ask("--with more.yaml --drain a --drain b").expect(2, &["c ×3 (+3)", "placed → unschedulable"]);

    let json = ask("--drain a --output json").json();
    assert_eq!(json["whatIf"]["if"], json!(["cluster a is drained"]));
    assert_eq!(
        json["whatIf"]["differences"],
        json!([{"workload": "web", "before": {"a": 3}, "after": {"b": 3}}])
    );
    assert_eq!(
        json["byWorkload"]["web"],
        json!({"a": 3}),
        "beside it stands what is"
    );

    ask("--drain a --save s.json").expect(1, &["cannot be used with"]);
    ask("--drain z").expect(1, &["--drain z: no cluster of that name is listed"]);
    ask("--with c.yaml").expect(1, &["c.yaml:2: clusters[0]: cluster a is in the fleet already"]);
    ask("--cordon a --without a").expect(1, &["--cordon a and --without a exclude each other"]);
    lab.file(
        "data.yaml",
        "{clusters: [{name: c}], data: [{name: d, clusters: [c]}]}",
    );
    ask("--with data.yaml").expect(1, &["belong into --clusters"]);
    assert_eq!(fs::read_to_string(lab.path("s.json")).unwrap(), before);
}
