//! What is documented is so: the README's examples, the reference files, and the fields of the output.

use std::{fs, path::Path};

use serde_json::Value;

use super::{FILES, Lab, SMALL, examples, small};

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
