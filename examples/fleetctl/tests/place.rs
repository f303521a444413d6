//! `fleetctl place` as a program: what it reads, prints and returns.

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder of files, and the program in it.
struct Lab(TempDir);

struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// That the program ended so and told all of this.
    fn expect(&self, code: i32, told: &[&str]) -> &Self {
        let text = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{text}");
        for words in told {
            assert!(text.contains(words), "`{words}` is missing: {text}");
        }
        self
    }
}

impl Lab {
    /// With the documented examples in it.
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        for name in ["clusters.yaml", "workloads.yaml"] {
            fs::copy(examples().join(name), lab.path(name)).unwrap();
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    fn run(&self, words: &str) -> Answer {
        self.feed(words, b"")
    }

    fn feed(&self, words: &str, input: &[u8]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetctl"));
        command
            .current_dir(self.0.path())
            .arg("place")
            .args(words.split_whitespace());
        command.env_remove("NO_COLOR").env_remove("KUBECONFIG");
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A program that reads nothing is gone before.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Answer {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

const FILES: &str = "--clusters clusters.yaml --workloads workloads.yaml";
const SMALL: &str = "--clusters c.yaml --workloads w.yaml --now 2026-11-27T18:05:00Z";

/// Two clusters with room for four replicas each, and two workloads.
fn small() -> Lab {
    let lab = Lab::new();
    lab.file(
        "c.yaml",
        "clusters:\n\
         - {name: a, labels: {zone: north}, allocatable: {cpu: 4}}\n\
         - {name: b, labels: {zone: south}, allocatable: {cpu: 4}}\n",
    );
    lab.file(
        "w.yaml",
        "- {name: web, needs: {cpu: 1}, targets: [{replicas: 3}]}\n\
         - {name: db, needs: {cpu: 1}, targets: [{clusters: [b], replicas: 1}]}\n",
    );
    lab
}

#[test]
fn the_readme_shows_what_the_examples_give() {
    let lab = Lab::new();
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md")).unwrap();
    let mut shown = 0;
    for block in readme.split("```console\n").skip(1) {
        let block = block.split("```").next().unwrap();
        for command in block.split("$ fleetctl place ").skip(1) {
            let (words, printed) = command.split_once('\n').unwrap();
            let printed = printed.split("\n$ ").next().unwrap().trim_end();
            let answer = lab.run(words);
            assert_eq!(
                answer.out.trim_end(),
                printed,
                "$ fleetctl place {words}\n{}",
                answer.err
            );
            shown += 1;
        }
    }
    assert!(shown >= 3, "{shown} commands in the README");
}

/// For each sort of mapping in a file: a text in which it has a field `zzz`.
const CLUSTER_FIELDS: [&str; 13] = [
    "zzz: 1",
    "clusters: [{name: a, zzz: 1}]",
    "clusters: [{name: a, taints: [{zzz: 1}]}]",
    "clusters: [{name: a, contact: {zzz: 1}}]",
    "clusters: [{name: a, maintenance: {zzz: 1}}]",
    "clusters: [{name: a, maintenance: {windows: [{zzz: 1}]}}]",
    "data: [{zzz: 1}]",
    "scores: [{zzz: 1}]",
    "budgets: {zzz: 1}",
    "budgets: {fleet: {zzz: 1}}",
    "storm: {zzz: 1}",
    "calm: {zzz: 1}",
    "clusters: {a: {zzz: 1}}",
];
const WORKLOAD_FIELDS: [&str; 17] = [
    "zzz: 1",
    "tolerations: [{zzz: 1}]",
    "targets: [{zzz: 1}]",
    "targets: [{where: {zzz: 1}}]",
    "targets: [{where: {matchExpressions: [{zzz: 1}]}}]",
    "targets: [{where: {matchProperties: [{zzz: 1}]}}]",
    "targets: [{where: {matchNames: [{zzz: 1}]}}]",
    "targets: [{overClusters: {zzz: 1}}]",
    "targets: [{bounds: [{zzz: 1}]}]",
    "targets: [{spread: [{zzz: 1}]}]",
    "prefer: [{zzz: 1}]",
    "beside: [{zzz: 1}]",
    "data: [{zzz: 1}]",
    "moves: {zzz: 1}",
    "lost: {zzz: 1}",
    "lost: {respin: {zzz: 1}}",
    "survives: {zzz: 1}",
];

#[test]
fn the_reference_files_have_every_field_with_a_comment() {
    let lab = small();
    let reference = |name: &str| fs::read_to_string(examples().join("reference").join(name)).unwrap();
    let files = [
        ("c.yaml", reference("clusters.yaml"), &CLUSTER_FIELDS[..]),
        ("w.yaml", reference("workloads.yaml"), &WORKLOAD_FIELDS[..]),
    ];
    // Words that stand where fields stand, and mean nothing more by themselves.
    let words = ["nothing", "any-cluster", "hold", "shrink", "follow"];
    for (file, text, wrong) in &files {
        for fields in *wrong {
            let content = match *file {
                "w.yaml" => format!("- {{name: web, {fields}}}\n"),
                _ => (*fields).to_owned(),
            };
            let told = small().file(file, content).run(SMALL);
            let told = format!("{}{}", told.out, told.err);
            let known = told
                .split_once("`zzz`: known are ")
                .or(told.split_once("`zzz`: did you mean "))
                .unwrap_or_else(|| panic!("{fields}: {told}"))
                .1;
            let known = known.lines().next().unwrap().trim_matches(['`', '?']);
            for field in known.split(", ").filter(|field| !words.contains(field)) {
                let lines: Vec<&str> = text.lines().collect();
                let is_told = |at: usize| {
                    let line = lines[at].trim_start_matches([' ', '-']);
                    line.starts_with(&format!("{field}:"))
                        && (line.contains(" # ") || (at > 0 && lines[at - 1].trim_start().starts_with("# ")))
                };
                assert!(
                    (0..lines.len()).any(is_told),
                    "{file}: `{field}` of {fields} has no comment"
                );
            }
        }
        lab.file(file, text);
    }
    lab.run(SMALL).expect(0, &["3 placed"]);
}

/// The names of all fields of an output, without those of mappings by name.
fn fields(value: &Value, way: &str, found: &mut std::collections::BTreeSet<String>) {
    // Mappings by name, of mappings with fields or of more names.
    const BY_NAME: [&str; 14] = [
        "byCluster",
        "workloads",
        "resources",
        "needs",
        "observed",
        "missed",
        "before",
        "after",
        "placements",
        "approved",
        "facts",
        "refused",
        "targets",
        "limit",
    ];
    match value {
        Value::Array(list) => list.iter().for_each(|one| fields(one, "", found)),
        Value::Object(map) => {
            for (key, inner) in map {
                match way {
                    // By name, then by cluster.
                    "targets" | "byWorkload" => fields(inner, "before", found),
                    _ if BY_NAME.contains(&way) => fields(inner, "", found),
                    _ => {
                        found.insert(key.clone());
                        fields(inner, key, found);
                    }
                }
            }
        }
        _ => {}
    }
}

#[test]
fn every_field_of_the_output_is_documented() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("place-output.md")).unwrap();
    let lab = Lab::new();
    let at = format!("{FILES} --now 2026-11-27T18:05:00Z");
    lab.run(&format!("{at} --save s.json"));
    let mut found = std::collections::BTreeSet::new();
    for words in [
        "--explain",
        "--previous s.json --lose eu-1 --lose eu-2 --explain",
        "--previous s.json --drain eu-2",
    ] {
        fields(
            &lab.run(&format!("{at} {words} --output json")).json(),
            "",
            &mut found,
        );
    }
    assert!(found.len() > 60, "{found:?}");
    for field in found {
        let is_told = page.contains(&format!("`{field}`")) || page.contains(&format!("`{field}?`"));
        assert!(is_told, "`{field}` is not documented");
    }
    // What no program can hold is in none.
    let all = lab.run(&format!("{at} --explain --output json")).out;
    for number in [i64::MIN.to_string(), u64::MAX.to_string(), i64::MAX.to_string()] {
        assert!(!all.contains(&number), "{number}");
    }
}

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
