//! Clusters that do not answer, and what a person must say.

use serde_json::json;

use super::{SMALL, small};

#[test]
fn what_must_not_run_twice_waits_for_a_person() {
    let lab = small();
    lab.file(
        "w.yaml",
        "- {name: db, nature: singleton, needs: {cpu: 1}, targets: [{replicas: 1}]}\n",
    );
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &["a ×1"]);
    lab.file(
        "c.yaml",
        "- {name: a, allocatable: {cpu: 4}, contact: {state: lost, since: 2026-11-27T10:00:00Z}}\n\
         - {name: b, allocatable: {cpu: 4}}\n",
    );
    let asked = lab.run(&format!("{SMALL} --previous s.json"));
    asked.expect(
        2,
        &[
            "a ×1 (lost)",
            "1 on a waits for a person",
            "to approve: --approve ",
        ],
    );
    let token = asked
        .out
        .split("--approve ")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    lab.run(&format!("{SMALL} --previous s.json --approve {token}"))
        .expect(2, &["b ×1 (+1)", "1 moves from a to b (its cluster is lost)"]);
    lab.run(&format!("{SMALL} --previous s.json --stopped db@a"))
        .expect(2, &["b ×1 (+1)"]);
    // One that nothing has is an error, and nothing is saved.
    lab.run(&format!("{SMALL} --previous s.json --save t.json --approve 0000"))
        .expect(
            1,
            &[
                "--approve 0000: no proposal has this token; what waits is",
                "(db on a)",
            ],
        );
    assert!(!lab.path("t.json").exists());
    let near = format!("{}x", &token[..15]);
    lab.run(&format!("{SMALL} --previous s.json --approve {near}"))
        .expect(1, &[&format!("did you mean {token} (db on a)?")]);
    // One that was carried out is known.
    let approved = lab.run(&format!(
        "{SMALL} --previous s.json --approve {token} --save t.json"
    ));
    approved.expect(2, &["a ×0 (-1)", "b ×1 (+1)"]);
    lab.run(&format!("{SMALL} --previous t.json --approve {token}"))
        .expect(0, &["that was carried out at 2026-11-27 18:05 UTC already"]);
    // What would be has tokens of its own.
    lab.file(
        "c.yaml",
        "- {name: a, allocatable: {cpu: 4}}\n- {name: b, allocatable: {cpu: 4}}\n",
    );
    let lost = format!("{SMALL} --previous s.json --lose a");
    let asked = lab.run(&lost);
    let token = asked
        .out
        .split("--approve ")
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    lab.run(&format!("{lost} --approve {token}"))
        .expect(2, &["b ×1 (+1)"]);
}

#[test]
fn what_does_not_answer_does_not_count_as_running() {
    let lab = small();
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &[]);
    let clusters = |state: &str| {
        format!(
            "- {{name: a, allocatable: {{cpu: 4}}, contact: {state}}}\n- {{name: b, allocatable: {{cpu: 4}}, contact: {state}}}\n"
        )
    };
    for state in ["lost", "unreachable"] {
        lab.file("c.yaml", clusters(state));
        let told = lab.run(&format!("{SMALL} --previous s.json"));
        told.expect(
            2,
            &[
                "0/3, 3 lost",
                "note: no cluster answers: all 2 are lost or unreachable",
                "4 on clusters that do not answer",
            ],
        );
        let json = lab
            .run(&format!("{SMALL} --previous s.json --output json"))
            .json();
        assert_eq!(
            (&json["summary"]["lost"], &json["summary"]["replicas"]),
            (&json!(4), &json!(4))
        );
    }
}

#[test]
fn what_makes_do_with_fewer_does_not_wait() {
    let lab = small();
    lab.file(
        "w.yaml",
        "- {name: few, lost: shrink, needs: {cpu: 1}, targets: [{replicas: 3}]}\n",
    );
    lab.run(&format!("{SMALL} --save s.json")).expect(0, &["a ×3"]);
    lab.file(
        "c.yaml",
        "- {name: a, allocatable: {cpu: 4}, contact: lost}\n- {name: b, allocatable: {cpu: 4}}\n",
    );
    let told = lab.run(&format!("{SMALL} --previous s.json"));
    told.expect(
        0,
        &[
            "runs 0 of 3 until a is back",
            "3 done without until clusters are back",
        ],
    );
    assert!(!told.out.contains("wait"), "{}", told.out);
    let json = lab
        .run(&format!("{SMALL} --previous s.json --output json"))
        .json();
    assert_eq!(
        (&json["summary"]["fewer"], &json["summary"]["waiting"]),
        (&json!(3), &json!(0))
    );
}
