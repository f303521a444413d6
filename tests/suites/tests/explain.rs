//! `fleetctl explain`, against a real server.

use fleet_harness::{ControlPlane, Options, merged_kubeconfig};
use fleet_suites::{Desk, texts};
use serde_json::Value;

fn maps(names: std::ops::Range<usize>) -> String {
    let map =
        |i| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: map-{i}}}\ndata: {{k: v}}\n");
    names.map(map).collect::<Vec<_>>().concat()
}

#[test]
fn fleetctl_explains_why_an_object_is_as_it_is() {
    let plane = ControlPlane::start(Options::new("c").controllers(false).pods(false)).unwrap();
    let fleetctl = Desk::new();
    merged_kubeconfig(&[&plane], &fleetctl.path("kubeconfig")).unwrap();
    let secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: hunter2}\n";
    fleetctl.write("c/all.yaml", &(maps(0..2) + secret));
    assert_eq!(fleetctl.run(&["apply"]).0, 0);
    let explain = |words: &[&str]| fleetctl.said(&[&["explain"], words].concat());
    let kubectl = |words: &[&str]| {
        let (code, _, errors) = texts(plane.kubectl().unwrap().args(words).output().unwrap());
        assert_eq!(code, 0, "{errors}");
    };
    let contains = |text: &str, words: &[&str]| {
        for word in words {
            assert!(text.contains(word), "no {word:?} in {text}");
        }
    };

    let (code, text) = explain(&["configmap", "map-0"]);
    assert_eq!(code, 0, "{text}");
    let ours = "ours: listed, and in the ledger of inventory fleet (UID ";
    contains(
        &text,
        &[
            ours,
            "as its definition says",
            "fleet-fleet (apply, v1) since 20",
            "= .data.k: \"v\"  (as defined, fleet-fleet since 20",
        ],
    );

    // Drift: what would be done, and who did it.
    kubectl(&[
        "label",
        "configmap",
        "map-0",
        "by=somebody",
        "--field-manager=one",
    ]);
    let patch = r#"{"data": {"k": "w"}}"#;
    kubectl(&[
        "patch",
        "configmap",
        "map-0",
        "--patch",
        patch,
        "--field-manager=two",
    ]);
    let (code, text) = explain(&["ConfigMaps/map-0"]);
    assert_eq!(code, 2, "{text}");
    let changed = "~ .data.k: \"w\" → \"v\"  (defined otherwise, two since 20";
    contains(
        &text,
        &[
            "to be done: update",
            changed,
            "= .metadata.labels.by: \"somebody\"  (not ours, one since 20",
        ],
    );
    let (_, json) = explain(&["configmap", "map-0", "--output", "json"]);
    let value: Value = serde_json::from_str(&json).unwrap();
    let one = &value[0];
    assert_eq!(
        (&one["standing"]["state"], &one["standing"]["action"]),
        (&"planned".into(), &"update".into())
    );
    assert_eq!(
        (&one["record"]["state"], &one["listed"]),
        (&"owned".into(), &true.into())
    );
    assert_eq!(one["lastWrite"]["name"], "fleet-fleet");
    let field = |path: &str| {
        let fields = one["report"]["fields"].as_array().unwrap();
        fields.iter().find(|field| field["path"] == path).unwrap().clone()
    };
    assert_eq!(field(".data.k")["verdict"], "ours-to-change");
    assert_eq!(field(".metadata.labels.by")["managers"][0]["name"], "one");

    // No value of a Secret, unless it is asked for.
    for words in [
        &["secret", "s"][..],
        &["secret", "s", "--all"],
        &["secret", "s", "--output", "json"],
    ] {
        let (code, text) = explain(words);
        assert_eq!(code, 0, "{text}");
        assert!(
            text.contains("(secret)") && !text.contains("aHVudGVyMg") && !text.contains("hunter"),
            "{text}"
        );
    }
    let (_, text) = explain(&["secret", "s", "--show-secrets"]);
    contains(&text, &["aHVudGVyMg=="]);

    // What is not ours, listed or not; and what is ours and not listed any more.
    kubectl(&["create", "configmap", "map-7", "--from-literal=k=x"]);
    let (code, text) = explain(&["configmap", "map-7"]);
    assert_eq!(code, 0, "{text}");
    contains(
        &text,
        &[
            "not ours: neither listed nor in the ledger",
            "= .data.k: \"x\"  (not ours, kubectl-create since 20",
        ],
    );
    fleetctl.write("c/all.yaml", &(maps(0..1) + &maps(7..8) + secret));
    let (code, text) = explain(&["configmap", "map-7"]);
    assert_eq!(code, 2, "{text}");
    contains(
        &text,
        &[
            "not ours yet",
            "blocked: it exists and is not ours",
            "! .data.k: \"x\" → \"v\"  (conflict, kubectl-create",
        ],
    );
    let (code, text) = explain(&["cm", "map-1"]);
    assert_eq!(code, 2, "{text}");
    contains(
        &text,
        &["no longer listed, and in the ledger", "to be done: delete"],
    );

    // A kind that the cluster does not serve.
    let queue = "---\napiVersion: example.com/v1\nkind: Queue\nmetadata: {name: q}\n";
    fleetctl.write("c/queue.yaml", queue);
    for words in [&["queue", "q"][..], &["queue", "q", "--namespace", "shop"]] {
        let (code, text) = explain(words);
        assert_eq!(code, 2, "{text}");
        contains(
            &text,
            &[
                "Queue.example.com q",
                "blocked: the cluster does not serve Queue.example.com",
            ],
        );
    }
    let (code, text) = explain(&["queue", "other"]);
    assert_eq!(code, 1, "{text}");
    contains(&text, &["Queue.example.com other is neither"]);
    std::fs::remove_file(fleetctl.path("inventory/c/queue.yaml")).unwrap();

    // Mistakes are answered with what could be meant.
    for (words, expect) in [
        (
            &["confgmap", "map-0"][..],
            "there is no kind `confgmap` here; there is ConfigMap",
        ),
        (
            &["configmap", "map-00"],
            "ConfigMap default/map-00 is neither in the cluster nor in the inventory nor in the ledger; the inventory has map-0",
        ),
        (
            &["configmap", "map-0", "--namespace", "shop"],
            "the inventory has map-0",
        ),
        (&["map-0"], "`map-0` names no object: write `KIND NAME`"),
    ] {
        let (code, text) = explain(words);
        assert_eq!(code, 1, "{text}");
        contains(&text, &[expect]);
    }
    fleetctl.write("c/more.yaml", "a: [\n");
    let (code, text) = explain(&["configmap", "map-0"]);
    assert_eq!(code, 1, "{text}");
    contains(&text, &["more.yaml:", "in the ledger of inventory fleet"]);
}
